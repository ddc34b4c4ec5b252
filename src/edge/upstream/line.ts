/** What every request to an upstream shares: a place in the queue, headers, credentials, deadlines, tries, and how a body is read. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LookupFunction } from "node:net";
import { request, type Dispatcher } from "undici";
import { Fault } from "../../core/base/fault.ts";
import { joined } from "../../core/base/memory.ts";
import type { Clock } from "../../core/base/time.ts";
import { HOP_HEADER, VERSION } from "../../core/config/constants.ts";
import { credentialFor } from "../../core/npm/npmrc.ts";
import type { Base, UpstreamConfig } from "./config.ts";
import { inflate } from "../host/inflate.ts";
import { explainFailure, wait } from "./failure.ts";
import type { UpstreamLimits } from "./limits.ts";
import { openTransport, type Transport } from "./transport.ts";
import { openTurnstile, type Turnstile } from "./turnstile.ts";

export type LineOptions = {
  readonly clock: Clock;
  /** A number in [0, 1), fresh at each call: spreads retries of many gates. */
  readonly jitter: () => number;
  readonly limits: UpstreamLimits;
  /** Name resolution; Node's own when absent. */
  readonly lookup?: LookupFunction | undefined;
};

export type Line = LineOptions & { readonly config: UpstreamConfig; readonly transport: Transport; readonly turnstile: Turnstile };

export function openLine(config: UpstreamConfig, options: LineOptions): Line {
  const { limits } = options;
  return {
    ...options,
    config,
    transport: openTransport({ proxies: config.proxies, ca: config.ca, limits, lookup: options.lookup }),
    turnstile: openTurnstile(limits.upstreamInFlight, { tarball: limits.upstreamTarballsInFlight }),
  };
}

export type Call = {
  readonly url: URL;
  /** Whose credentials count, and only on its own origin. */
  readonly base: Base;
  readonly method?: "GET" | "HEAD" | "POST" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** Gates the client's request had passed when it came to us. */
  readonly hops: number;
  /** Set for places named by a pattern, where the address must be a public one. */
  readonly publicOnly?: boolean;
};

export type Answer = Pick<Dispatcher.ResponseData, "body"> & { readonly status: number; header(name: string): string | undefined };

/** One request, one answer; no redirect is followed. Rejects with undici's error. */
export async function send(line: Line, call: Call, signal: AbortSignal): Promise<Answer> {
  const own = call.url.origin === new URL(call.base.url).origin;
  const credential = own ? credentialOn(call.url, call.base, line.config) : undefined;
  const authorization = credential?.authorization?.();
  const { statusCode, headers, body } = await request(call.url, {
    dispatcher: line.transport.route(call.url, { publicOnly: call.publicOnly ?? false, certificate: credential?.certificate }),
    method: call.method ?? "GET",
    headers: {
      ...call.headers,
      "user-agent": `cordon/${VERSION}`,
      [HOP_HEADER]: String(call.hops + 1),
      ...(authorization !== undefined && { authorization }),
    },
    body: call.body ?? null,
    signal,
  });
  // A body that ends in an error nobody reads any more must not end the process; whoever reads it still gets the error.
  body.on("error", () => {});
  const header = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return { status: statusCode, body, header };
}

function credentialOn(url: URL, base: Base, { credentials }: UpstreamConfig) {
  // npm-registry-fetch auth.js: an address with no credential of its own gets the one of the registry on the same host.
  return credentialFor(url, credentials) ?? credentialFor(new URL(base.url), credentials);
}

/** A time limit over a whole piece of work, waiting and retries included. `end` must be called. */
export function deadline(milliseconds: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("deadline")), milliseconds);
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

export type Try<T> = { readonly done: T } | { readonly again: string; readonly afterMs?: number | undefined };

/**
 * Tries until done, with a doubled and spread pause in between; answers `down` with the last reason otherwise.
 * What `attempt` throws is a failed connection: tried again when another try may go better.
 */
export async function persist<T>(
  line: Line,
  place: { readonly host: string; readonly withinMs: number; readonly tries?: number; readonly signal: AbortSignal },
  attempt: () => Promise<Try<T>>,
): Promise<{ readonly done: T } | { readonly down: string }> {
  const { limits } = line;
  const tries = place.tries ?? limits.upstreamTries;
  let reason = "";
  for (let count = 1; count <= tries; count++) {
    let pause = limits.upstreamBackoffMs * 2 ** (count - 1) * (0.5 + line.jitter());
    try {
      const outcome = await attempt();
      if ("done" in outcome) return outcome;
      reason = outcome.again;
      if (outcome.afterMs !== undefined) {
        if (outcome.afterMs > limits.upstreamRetryAfterMs) break;
        pause = Math.max(pause, outcome.afterMs);
      }
    } catch (error) {
      if (place.signal.aborted) return { down: late(place, reason) };
      const failure = explainFailure(error, place.host, limits);
      reason = failure.message;
      if (!failure.passing) break;
    }
    // Whoever closes has nobody left to answer; another try would keep the process for as long as the upstream is slow.
    const { closing } = line.transport;
    if (closing.aborted) break;
    try {
      if (count < tries) await sleep(pause, undefined, { signal: AbortSignal.any([place.signal, closing]) });
    } catch {
      return { down: closing.aborted ? reason : late(place, reason) };
    }
  }
  return { down: reason };
}

export function late({ host, withinMs }: { readonly host: string; readonly withinMs: number }, reason = ""): string {
  return `${host} did not finish within ${wait(withinMs)}${reason === "" ? "" : `; before that: ${reason}`}`;
}

/** 429 and 5xx: the upstream may be better in a moment. Not 501 (there is no such endpoint) and 508 (a loop of gates stays one). */
export function passing(
  line: Line,
  answer: Answer,
  host: string,
): { readonly again: string; readonly afterMs?: number | undefined } | undefined {
  if ((answer.status !== 429 && answer.status < 500) || answer.status === 501 || answer.status === 508) return undefined;
  return { again: `${host} answered ${answer.status}`, afterMs: retryAfter(answer.header("retry-after"), line.clock.now()) };
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** A body, decoded; `gzip` is it as it was sent, where it was sent that way. */
export type Body = { readonly bytes: Uint8Array; readonly gzip?: Uint8Array };

export async function readBody(answer: Answer, ceiling: number, what: string): Promise<Uint8Array> {
  return (await readEncoded(answer, ceiling, what)).bytes;
}

/** Reads and decodes a body. Throws Fault INPUT_TOO_LARGE as soon as sent or decoded bytes pass `ceiling`: a small gzip can decode to anything. */
export async function readEncoded(answer: Answer, ceiling: number, what: string): Promise<Body> {
  const encoding = (answer.header("content-encoding") ?? "identity").trim().toLowerCase();
  if (Number(answer.header("content-length")) > ceiling) {
    answer.body.destroy();
    throw tooLarge(ceiling, what);
  }
  const gzipped = encoding === "gzip" || encoding === "x-gzip";
  if (!gzipped && encoding !== "identity" && encoding !== "") {
    answer.body.destroy();
    throw new Fault("INPUT_UNREADABLE", `${what} came in the encoding ${encoding.slice(0, 20)}, which was not asked for`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of upTo(answer.body, ceiling, what)) chunks.push(chunk);
  const sent = joined(chunks);
  return gzipped ? { bytes: await decoded(sent, ceiling, what), gzip: sent } : { bytes: sent };
}

async function decoded(bytes: Uint8Array, ceiling: number, what: string): Promise<Uint8Array> {
  try {
    return await inflate(bytes, ceiling);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(ceiling, what);
    throw error;
  }
}

/** Passes chunks on until they are more than `ceiling` bytes. */
export async function* upTo(source: AsyncIterable<Uint8Array>, ceiling: number, what: string): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.length;
    if (total > ceiling) throw tooLarge(ceiling, what);
    yield chunk;
  }
}

function tooLarge(ceiling: number, what: string): Fault {
  return new Fault("INPUT_TOO_LARGE", `${what} has more than ${ceiling} bytes`);
}

/** Ends an answer nobody reads; a small rest is read so that the connection can be used again. */
export function discard(answer: Answer): void {
  void answer.body.dump({ limit: 65_536 }).catch(() => {});
}
