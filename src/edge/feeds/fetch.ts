/** Fetches what feeds publish: bounded in bytes and time, through the proxies and authorities of the upstream, never over an open line. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { request } from "undici";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { VERSION } from "../../core/config/constants.ts";
import { isLoopbackHost } from "../upstream/addresses.ts";
import { explainFailure } from "../upstream/failure.ts";
import { deadline, late, upTo } from "../upstream/line.ts";
import type { Proxies } from "../upstream/proxies.ts";
import { openTransport, type Transport } from "../upstream/transport.ts";

export type FeedLine = { readonly proxies: Proxies; readonly ca: readonly string[] };

export type Fetched =
  | { readonly kind: "file"; readonly etag?: string; readonly lastModified?: string }
  | { readonly kind: "unchanged" }
  | { readonly kind: "failed"; readonly message: string };

type Validators = { readonly etag?: string | undefined; readonly lastModified?: string | undefined };

/** One way to the world for everything one sync fetches. */
export type Fetcher = {
  /** To a file; with validators, `unchanged` where it is. */
  file(url: string, to: string, validators: Validators): Promise<Fetched>;
  /** A small document. */
  text(url: string): Promise<{ readonly kind: "text"; readonly text: string } | Extract<Fetched, { kind: "failed" }>>;
  close(): Promise<void>;
};

export function openFetcher(line: FeedLine): Fetcher {
  const transport = openTransport({ ...line, limits: LIMITS });
  async function bounded<T>(url: string, withinMs: number, work: (signal: AbortSignal) => Promise<T>) {
    const time = deadline(withinMs);
    const { host } = new URL(url);
    try {
      return await work(time.signal);
    } catch (error) {
      const message = time.signal.aborted ? late({ host, withinMs }) : explainFailure(error, host, LIMITS).message;
      return { kind: "failed" as const, message };
    } finally {
      time.end();
    }
  }
  return {
    file: (url, to, validators) =>
      bounded(url, LIMITS.feedMs, (signal) =>
        follow(new URL(url), validators, transport, signal, async (body) =>
          pipeline(
            body,
            (source: AsyncIterable<Uint8Array>) => upTo(source, LIMITS.feedBytes, `the feed at ${new URL(url).host}`),
            createWriteStream(to, { mode: 0o600 }),
          ),
        ),
      ),
    text: (url) =>
      bounded(url, LIMITS.feedRecordMs, async (signal) => {
        const parts: Uint8Array[] = [];
        const found = await follow(new URL(url), {}, transport, signal, async (body) => {
          for await (const part of upTo(body, LIMITS.advisoryBytes, `a record at ${new URL(url).host}`)) parts.push(part);
        });
        if (found.kind !== "file") return found.kind === "failed" ? found : { kind: "failed" as const, message: "it was not sent" };
        return { kind: "text" as const, text: Buffer.concat(parts).toString("utf8") };
      }),
    close: () => transport.close(),
  };
}

async function follow(
  start: URL,
  { etag, lastModified }: Validators,
  transport: Transport,
  signal: AbortSignal,
  take: (body: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<Fetched> {
  let url = start;
  for (let redirects = 0; ; redirects++) {
    const { statusCode, headers, body } = await request(url, {
      dispatcher: transport.route(url, { publicOnly: redirects > 0 && !isLoopbackHost(start.hostname) }),
      headers: {
        "user-agent": `cordon/${VERSION}`,
        "accept-encoding": "identity",
        ...(etag !== undefined && { "if-none-match": etag }),
        ...(lastModified !== undefined && { "if-modified-since": lastModified }),
      },
      signal,
    });
    body.on("error", () => {});
    const header = (name: string) => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    if (statusCode === 200) {
      await take(body);
      const [tag, changed] = [header("etag"), header("last-modified")];
      return { kind: "file", ...(tag !== undefined && { etag: tag }), ...(changed !== undefined && { lastModified: changed }) };
    }
    void body.dump({ limit: 65_536 }).catch(() => {});
    if (statusCode === 304) return { kind: "unchanged" };
    const location = header("location");
    if (statusCode < 300 || statusCode >= 400 || location === undefined || !URL.canParse(location, url.href))
      return { kind: "failed", message: `${url.host} answered ${statusCode}` };
    if (redirects === LIMITS.feedRedirects)
      throw new Fault("UPSTREAM_REDIRECT", `${start.host} redirects more than ${LIMITS.feedRedirects} times`);
    url = new URL(location, url);
    if (url.protocol !== "https:" && !(isLoopbackHost(url.hostname) && isLoopbackHost(start.hostname)))
      throw new Fault("UPSTREAM_REDIRECT", `${start.host} redirects to ${url.protocol}//${url.host}, which is not https`);
  }
}
