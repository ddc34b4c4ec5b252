/** Finds out what stands at an upstream: a registry, another gate (then we are a chain), or this very gate (then we would ask ourselves for ever). */
import { HEALTH_SCHEMA } from "../../core/config/constants.ts";
import { printable } from "../../core/base/text.ts";
import type { Base } from "./config.ts";
import { deadline, discard, persist, readBody, send, type Line, type Try } from "./line.ts";

export type Identity =
  | { readonly kind: "registry" }
  /** Another cordon gate. */
  | { readonly kind: "gate"; readonly instance: string }
  /** This gate: `instance` is our own. */
  | { readonly kind: "loop"; readonly instance: string }
  /** Nothing answered; what is there is not known. */
  | { readonly kind: "unknown"; readonly message: string };

/** `own` is this gate's instance id, as its health endpoint tells it. */
export async function identify(line: Line, base: Base, own: string): Promise<Identity> {
  const url = new URL("-/cordon/health", base.url);
  const time = deadline(line.limits.upstreamConnectMs);
  try {
    const outcome = await persist(
      line,
      { host: url.host, withinMs: line.limits.upstreamConnectMs, tries: 1, signal: time.signal },
      async (): Promise<Try<Identity>> => {
        const answer = await send(line, { url, base, headers: { accept: "application/json" }, hops: 0 }, time.signal);
        if (answer.status !== 200) {
          discard(answer);
          return { done: { kind: "registry" } };
        }
        const instance = instanceIn(await readBody(answer, HEALTH_BYTES, "the health answer"));
        if (instance === undefined) return { done: { kind: "registry" } };
        return { done: { kind: instance === own ? "loop" : "gate", instance } };
      },
    );
    return "done" in outcome ? outcome.done : { kind: "unknown", message: outcome.down };
  } finally {
    time.end();
  }
}

/** A gate's health is one line; more than this is something else. */
const HEALTH_BYTES = 10_000;

function instanceIn(body: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    // Not ours; some registries answer any path with a page.
    return undefined;
  }
  const { schema, instance } = (value ?? {}) as { schema?: unknown; instance?: unknown };
  return schema === HEALTH_SCHEMA && typeof instance === "string" ? printable(instance).slice(0, 100) : undefined;
}
