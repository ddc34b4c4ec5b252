/** Passes a small request through: keys, attestations, audit, search. Headers by list, both bodies bounded, no redirect followed. */
import { Fault } from "../../core/base/fault.ts";
import { whoServes } from "./bases.ts";
import { deadline, discard, passing, persist, readBody, send, type Answer, type Line, type Try } from "./line.ts";
import { whereTo } from "./packument.ts";

export type PassRequest = {
  readonly method: "GET" | "HEAD" | "POST";
  /** Below the registry's base, with or without leading slash, with its query. */
  readonly path: string;
  /** The package it is about, if it is about one: decides which registry is asked. */
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly hops?: number;
};

type Passed =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }
  | { readonly kind: "down"; readonly message: string };

const ASKED = ["accept", "content-type", "content-encoding", "if-none-match", "if-modified-since"];
const ANSWERED = ["content-type", "etag", "last-modified", "cache-control"];

/** Throws Fault USAGE for a path that leaves the registry. */
export async function passRequest(line: Line, request: PassRequest): Promise<Passed> {
  const asked = request.name === undefined ? { base: line.config.base } : whoServes(request.name, line.config);
  if ("nobody" in asked)
    return { kind: "answer", status: 404, headers: { "content-type": "application/json" }, body: json({ error: asked.nobody }) };
  const { base } = asked;
  const url = URL.canParse(request.path.replace(/^\/+/, ""), base.url) ? new URL(request.path.replace(/^\/+/, ""), base.url) : undefined;
  if (!url?.href.startsWith(base.url)) throw new Fault("USAGE", "the path leaves the registry it is asked of");

  const headers: Record<string, string> = { "accept-encoding": "gzip", ...pick(ASKED, (key) => request.headers?.[key]) };
  // A question that changes nothing may be asked again; whether a POST did is not known after a broken connection.
  const tries = request.method === "POST" ? 1 : line.limits.upstreamTries;
  const time = deadline(line.limits.upstreamPackumentMs);
  try {
    const outcome = await persist(
      line,
      { host: url.host, withinMs: line.limits.upstreamPackumentMs, tries, signal: time.signal },
      async (): Promise<Try<Passed>> => {
        const leave = await line.turnstile.enter("pass", time.signal);
        try {
          const call = { url, base, method: request.method, headers, body: request.body, hops: request.hops ?? 0 };
          const answer = await send(line, call, time.signal);
          return await judge(line, answer, url, request.method);
        } finally {
          leave();
        }
      },
    );
    return "done" in outcome ? outcome.done : { kind: "down", message: outcome.down };
  } finally {
    time.end();
  }
}

async function judge(line: Line, answer: Answer, url: URL, method: PassRequest["method"]): Promise<Try<Passed>> {
  const { status, header } = answer;
  const later = passing(line, answer, url.host);
  const redirect = status >= 300 && status < 400 && status !== 304;
  const empty = method === "HEAD" || status === 304;
  if (later || redirect || empty) discard(answer);
  if (later) return later;
  if (redirect) return { done: { kind: "down", message: `${url.host} redirects${whereTo(answer, url)}; that is not followed` } };
  const body = empty ? new Uint8Array() : await readBody(answer, line.limits.upstreamAnswerBytes, `the answer of ${url.host}`);
  return { done: { kind: "answer", status, headers: pick(ANSWERED, header), body } };
}

function pick(keys: readonly string[], get: (key: string) => string | undefined): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (get(key) === undefined ? [] : [[key, get(key)!]])));
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
