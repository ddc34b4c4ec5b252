/** Fetches a feed to a file: bounded in bytes and time, through the proxies and authorities of the upstream, never over an open line. */
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

export async function fetchFeed(
  url: string,
  to: string,
  validators: { readonly etag?: string | undefined; readonly lastModified?: string | undefined },
  line: FeedLine,
): Promise<Fetched> {
  const transport = openTransport({ ...line, limits: LIMITS });
  const time = deadline(LIMITS.feedMs);
  const { host } = new URL(url);
  try {
    return await follow(new URL(url), to, validators, transport, time.signal);
  } catch (error) {
    const message = time.signal.aborted ? late({ host, withinMs: LIMITS.feedMs }) : explainFailure(error, host, LIMITS).message;
    return { kind: "failed", message };
  } finally {
    time.end();
    await transport.close();
  }
}

async function follow(
  start: URL,
  to: string,
  { etag, lastModified }: { readonly etag?: string | undefined; readonly lastModified?: string | undefined },
  transport: Transport,
  signal: AbortSignal,
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
      await pipeline(
        body,
        (source: AsyncIterable<Uint8Array>) => upTo(source, LIMITS.feedBytes, `the feed at ${url.host}`),
        createWriteStream(to, { mode: 0o600 }),
      );
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
