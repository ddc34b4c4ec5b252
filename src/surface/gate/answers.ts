/**
 * How answers leave: status lines, headers, bodies. Refusals are told three times over because each client shows another of the three;
 * packuments carry validators of our own; a tarball that turns out wrong is cut off before its end.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { createGunzip, gunzipSync } from "node:zlib";
import type { Refusal } from "../../app/refusal.ts";
import type { PackumentAnswer } from "../../app/serve-packument.ts";
import type { SmallAnswer } from "../../app/serve-small.ts";
import type { TarballAnswer } from "../../app/serve-tarball.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { headerText, redact } from "../../core/base/text.ts";
import type { PackumentForm, RenderedPackument } from "../../core/npm/summary.ts";

export function sendPackument(request: IncomingMessage, response: ServerResponse, form: PackumentForm, answer: PackumentAnswer): void {
  switch (answer.kind) {
    case "served": {
      const { rendered, stale } = answer;
      const head = headOf(rendered, form);
      markStale(response, stale);
      if (matches(request.headers["if-none-match"], rendered.etag)) {
        response.writeHead(304, head.always).end();
        return;
      }
      if (/\bgzip\b/.test(request.headers["accept-encoding"]?.toString() ?? "")) {
        response.writeHead(200, head.gzip).end(request.method === "HEAD" ? undefined : rendered.gzip);
        return;
      }
      response.writeHead(200, head.plain);
      if (request.method === "HEAD") response.end();
      else if (rendered.length < 1_000_000) response.end(gunzipSync(rendered.gzip));
      else {
        const gunzip = createGunzip({ chunkSize: 65_536 });
        gunzip.end(rendered.gzip);
        void pipeline(gunzip, response).catch(() => response.destroy());
      }
      return;
    }
    case "refused":
      return refuse(response, 403, answer.refusal);
    case "absent":
      return sendJson(response, answer.status, { error: "Not found" });
    case "failed":
      return sendFailure(response, answer.status, answer.message);
  }
}

type PackumentHead = { readonly always: string[]; readonly gzip: string[]; readonly plain: string[] };
const heads = new WeakMap<RenderedPackument, PackumentHead>();

/** The headers of every answer with these bytes, as the flat lists `writeHead` takes as they are: made once, sent many times. */
function headOf(rendered: RenderedPackument, form: PackumentForm): PackumentHead {
  const known = heads.get(rendered);
  if (known) return known;
  // P7: without no-cache bun and pnpm 11 re-resolve from their cache and install what was blocked a second ago.
  const always = ["etag", rendered.etag, "cache-control", "no-cache", "vary", "accept, accept-encoding, user-agent"];
  const typed = [...always, "content-type", form === "abbreviated" ? "application/vnd.npm.install-v1+json" : "application/json"];
  const made = {
    always,
    gzip: [...typed, "content-encoding", "gzip", "content-length", String(rendered.gzip.byteLength)],
    plain: [...typed, "content-length", String(rendered.length)],
  };
  heads.set(rendered, made);
  return made;
}

/** `onCut` hears why an answer under way was broken off. */
export async function sendTarball(response: ServerResponse, answer: TarballAnswer, onCut: (error: unknown) => void): Promise<void> {
  const cut = (error: unknown): void => {
    response.destroy();
    onCut(error);
  };
  switch (answer.kind) {
    case "bytes":
      markStale(response, answer.stale);
      tarballHead(response, answer.integrity, answer.bytes.byteLength);
      response.end(answer.bytes);
      return;
    case "head":
      tarballHead(response, answer.integrity, undefined);
      response.end();
      return;
    case "stream":
      markStale(response, answer.stale);
      tarballHead(response, answer.integrity, answer.size);
      await pipeline(answer.stream, response).catch(cut);
      return;
    case "held-tail":
      // A wrong digest throws before the tail: the connection is cut short, and no client takes what it has for whole.
      try {
        tarballHead(response, answer.integrity, answer.size);
        await pipeline(answer.chunks, response);
      } catch (error) {
        cut(error);
      } finally {
        answer.abort();
      }
      return;
    case "refused":
      return refuse(response, 403, answer.refusal);
    case "absent":
      return sendJson(response, 404, { error: answer.message });
    case "failed":
      return sendFailure(response, answer.status, answer.message);
  }
}

export function sendSmall(request: IncomingMessage, response: ServerResponse, answer: SmallAnswer): void {
  if (answer.kind === "refused") return refuse(response, 403, answer.refusal);
  if (answer.kind === "failed") return sendFailure(response, answer.status, answer.message);
  if (answer.notice !== undefined) response.setHeader("npm-notice", headerText(answer.notice));
  markStale(response, answer.stale);
  response.setHeader("cache-control", "no-cache");
  response.statusCode = answer.status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", answer.body.byteLength);
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

/** R2: reason phrase, `npm-notice` and JSON body together, because each client shows another of the three. */
export function refuse(response: ServerResponse, status: number, what: Refusal, headers: { readonly [name: string]: string } = {}): void {
  const body = Buffer.from(JSON.stringify({ error: what.line }));
  response.writeHead(status, what.phrase, {
    "content-type": "application/json",
    "content-length": body.byteLength,
    "npm-notice": what.phrase,
    "cache-control": "no-store",
    ...headers,
  });
  response.end(body);
}

export function sendBytes(response: ServerResponse, body: Uint8Array, type: string): void {
  response.writeHead(200, { "content-type": type, "content-length": body.byteLength, "cache-control": "no-store" });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/json", "content-length": body.byteLength, "cache-control": "no-store" });
  response.end(body);
}

export function sendFailure(response: ServerResponse, status: number, message: string): void {
  const text = redact(message);
  const body = Buffer.from(JSON.stringify({ error: `cordon: ${text}` }));
  response.writeHead(status, headerText(`cordon: ${text}`), {
    "content-type": "application/json",
    "content-length": body.byteLength,
    "cache-control": "no-store",
  });
  response.end(body);
}

/** RFC 7234 §5.5.1: the upstream could not be asked, and this is what is stored. */
function markStale(response: ServerResponse, why: string | undefined): void {
  if (why !== undefined) response.setHeader("warning", `110 - "${headerText(why).replaceAll('"', "'")}"`);
}

/**
 * A body that is too long: the whole answer goes out while the client may still be sending, and only then the client is let go of.
 * Ending at once would break the connection and lose the answer on its way.
 */
export function tooLarge(request: IncomingMessage, response: ServerResponse): void {
  const line = `cordon: a request body may have ${LIMITS.requestBytes} bytes`;
  const body = Buffer.from(JSON.stringify({ error: line }));
  response.writeHead(413, line, { "content-type": "application/json", "content-length": body.byteLength, "cache-control": "no-store" });
  response.write(body);
  const { socket } = request;
  const late = setTimeout(() => socket.destroy(), LIMITS.lingerMs);
  request.once("close", () => clearTimeout(late));
  request.once("end", () => response.end());
  request.resume();
}

function tarballHead(response: ServerResponse, integrity: string, size: number | undefined): void {
  response.statusCode = 200;
  response.setHeader("content-type", "application/octet-stream");
  response.setHeader("etag", `"${integrity}"`);
  response.setHeader("cache-control", "no-cache");
  if (size !== undefined) response.setHeader("content-length", size);
}

function matches(header: string | undefined, etag: string): boolean {
  return header === etag || (header !== undefined && header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag));
}
