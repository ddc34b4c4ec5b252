/** Speaks to a cordon gate's own API: is it there, what does it decide, what did it decide. */
import { request } from "undici";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { redact } from "../../core/base/text.ts";

export type Health = { readonly instance: string; readonly upstream: string; readonly role: string; readonly cordon: string };

/** What answers at a base URL, or undefined when it is no cordon gate. Short patience: it is asked before every run. */
export async function gateHealth(base: string, patience: number = 2_000): Promise<Health | undefined> {
  try {
    const answer = await request(new URL("-/cordon/health", base), { headersTimeout: patience, bodyTimeout: patience });
    const text = await bounded(answer.body);
    if (answer.statusCode !== 200) return undefined;
    const value = JSON.parse(text) as Partial<Health> & { schema?: unknown };
    if (value.schema !== "cordon.health/1" || typeof value.instance !== "string" || typeof value.upstream !== "string") return undefined;
    return { instance: value.instance, upstream: value.upstream, role: String(value.role ?? ""), cordon: String(value.cordon ?? "") };
  } catch {
    return undefined; // nothing there, or nothing of ours: both mean "no gate here", which the caller says
  }
}

export type GateClientOptions = {
  /** Base URL with trailing slash, without prefix. */
  readonly base: string;
  /** `Authorization` header of a client token, when the gate needs one. */
  readonly authorization?: string | undefined;
};

/** Raises UPSTREAM_DOWN when the gate does not answer, UPSTREAM_REFUSED when it refuses. */
export function gateClient({ base, authorization }: GateClientOptions) {
  async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
    let answer;
    try {
      answer = await request(new URL(`-/cordon/${path}`, base), {
        method: body === undefined ? "GET" : "POST",
        headers: {
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // Deciding a lockfile on an empty gate fetches a packument for each of its names.
        headersTimeout: LIMITS.upstreamTarballMs,
        bodyTimeout: LIMITS.upstreamIdleMs,
      });
    } catch (error) {
      throw new Fault("UPSTREAM_DOWN", `the gate at ${redact(base)} does not answer`, error);
    }
    const text = await bounded(answer.body);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new Fault(
        "UPSTREAM_REFUSED",
        `the gate at ${redact(base)} answered ${answer.statusCode} with something that is not JSON`,
        error,
      );
    }
    if (answer.statusCode !== 200)
      throw new Fault(
        "UPSTREAM_REFUSED",
        `the gate at ${redact(base)} answered ${answer.statusCode}: ${String((value as { error?: unknown }).error ?? "")}`,
      );
    return value as Record<string, unknown>;
  }

  return {
    decide: (entries: readonly unknown[]) => call("decide", { entries }),
    /** `after`: `next` of an earlier answer, or `now` to learn it. */
    decisions: (after: number | "now", project?: string) =>
      call(`decisions?after=${after}${project === undefined ? "" : `&project=${encodeURIComponent(project)}`}`),
  };
}

async function bounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > LIMITS.upstreamAnswerBytes)
      throw new Fault("INPUT_TOO_LARGE", `an answer of a gate is larger than ${LIMITS.upstreamAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
