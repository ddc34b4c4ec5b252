/** Fetches one tarball as the bytes the upstream sends, never decoded: redirects bounded and judged, credentials kept at home. */
import { Fault } from "../../core/base/fault.ts";
import { PRIVATE_ADDRESS } from "./addresses.ts";
import { whoServes } from "./bases.ts";
import type { Base } from "./config.ts";
import { explainFailure } from "./failure.ts";
import { deadline, discard, late, passing, persist, send, upTo, type Answer, type Line, type Try } from "./line.ts";
import { firstTarget, judgeTarget, type Target } from "./tarball-target.ts";

type Tarball =
  /** The body fails with UPSTREAM_DOWN or INPUT_TOO_LARGE. It must be read to its end, or `abort` called: it holds a place in the queue. */
  | { readonly kind: "tarball"; readonly size?: number; readonly body: AsyncIterable<Uint8Array>; abort(): void }
  | { readonly kind: "absent" | "refused" | "down"; readonly status?: number; readonly message: string };

/** `claimed` is the upstream's own `dist.tarball`. */
export async function fetchTarball(line: Line, name: string, claimed: string, hops: number): Promise<Tarball> {
  const asked = whoServes(name, line.config);
  if ("nobody" in asked) return { kind: "refused", status: 403, message: asked.nobody };
  const { base } = asked;
  const start = firstTarget(claimed, new URL(base.url), line.config.redirects);
  if ("refused" in start) return { kind: "refused", message: `${name}: ${start.refused}` };

  const time = deadline(line.limits.upstreamTarballMs);
  let leave: (() => void) | undefined;
  const done = () => {
    time.end();
    leave?.();
  };
  // Nobody may ever read the body: the deadline gives the place back all the same.
  time.signal.addEventListener("abort", done, { once: true });
  const place = { host: start.url.host, withinMs: line.limits.upstreamTarballMs, signal: time.signal };
  const outcome = await persist(line, place, async (): Promise<Try<Tarball>> => {
    leave?.();
    leave = await line.turnstile.enter("tarball", time.signal);
    return follow(line, { name, base, start, hops, signal: time.signal, done });
  });
  const result: Tarball = "done" in outcome ? outcome.done : { kind: "down", message: outcome.down };
  if (result.kind !== "tarball") done();
  return result;
}

type Errand = {
  readonly name: string;
  readonly base: Base;
  readonly start: Exclude<Target, { refused: string }>;
  readonly hops: number;
  readonly signal: AbortSignal;
  /** Called once when the body is over, however it ends. */
  readonly done: () => void;
};

async function follow(line: Line, errand: Errand): Promise<Try<Tarball>> {
  const { name, base, start, hops, signal } = errand;
  const refused = (message: string, status?: number): Try<Tarball> => ({
    done: { kind: "refused", message: `${name}: ${message}`, ...(status !== undefined && { status }) },
  });
  let target = start;
  for (let redirects = 0; ; redirects++) {
    const { url, publicOnly } = target;
    // No gzip: what counts is the digest of the bytes as published.
    const headers = { accept: "application/octet-stream, */*;q=0.5", "accept-encoding": "identity" };
    let answer: Answer;
    try {
      answer = await send(line, { url, base, headers, hops, publicOnly }, signal);
    } catch (error) {
      if ((error as { code?: unknown }).code !== PRIVATE_ADDRESS) throw error;
      return refused(explainFailure(error, url.host, line.limits).message);
    }
    const { status } = answer;
    if (status === 200) return deliver(line, answer, url, errand);
    const later = passing(line, answer, url.host);
    discard(answer);
    if (later) return later;
    if (status === 404 || status === 410)
      return { done: { kind: "absent", status, message: `${url.host} does not have the tarball of ${name}` } };
    const location = answer.header("location");
    if (!REDIRECT.has(status) || location === undefined) return refused(`${url.host} answered ${status} for its tarball`, status);
    if (redirects === line.limits.tarballRedirects) return refused(`its tarball was redirected more than ${redirects} times`, status);
    if (!URL.canParse(location, url.href)) return refused(`${url.host} redirects its tarball to something that is no URL`, status);
    const next = judgeTarget(new URL(location, url), new URL(base.url), line.config.redirects);
    if ("refused" in next) return refused(next.refused, status);
    target = next;
  }
}

const REDIRECT = new Set([301, 302, 303, 307, 308]);

function deliver({ limits }: Line, answer: Answer, url: URL, { name, signal, done }: Errand): Try<Tarball> {
  const what = `the tarball of ${name}`;
  const refused = (message: string): Try<Tarball> => {
    answer.body.destroy();
    return { done: { kind: "refused", status: 200, message } };
  };
  if (/^text\/html/i.test(answer.header("content-type") ?? ""))
    return refused(`${url.host} answered ${what} with a web page: a login page or captive portal stands before the registry`);
  const length = answer.header("content-length");
  const size = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  if (size !== undefined && size > limits.tarballBytes) return refused(`${what} has more than ${limits.tarballBytes} bytes`);

  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield* upTo(answer.body, limits.tarballBytes, what);
    } catch (error) {
      if (error instanceof Fault) throw error;
      const place = { host: url.host, withinMs: limits.upstreamTarballMs };
      throw new Fault("UPSTREAM_DOWN", `${what}: ${signal.aborted ? late(place) : explainFailure(error, url.host, limits).message}`, error);
    } finally {
      answer.body.destroy();
      done();
    }
  }
  const abort = () => {
    answer.body.destroy();
    done();
  };
  return { done: { kind: "tarball", ...(size !== undefined && { size }), body: body(), abort } };
}
