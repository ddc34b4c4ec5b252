/**
 * The npm registry protocol over `node:http`: routing, hosts and tokens, status lines, streaming. Decides nothing.
 * It speaks HTTP itself because refusals need a reason phrase and tarballs need their last bytes held back.
 */
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { pipeline } from "node:stream/promises";
import { createGunzip, gunzipSync } from "node:zlib";
import { type Canary, canaryOf, control } from "../../app/canary.ts";
import type { PackumentAnswer, PackumentRequest, ServePackument } from "../../app/serve-packument.ts";
import type { ServeSmall, SmallAnswer } from "../../app/serve-small.ts";
import type { ServeTarball, TarballAnswer } from "../../app/serve-tarball.ts";
import type { Recorder } from "../../app/recorder.ts";
import { Fault, FAULTS } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { headerText, redact } from "../../core/base/text.ts";
import type { Asker } from "../../core/ledger/entry.ts";
import { integrityOf } from "../../core/npm/integrity.ts";
import { type Refusal, refusal } from "../../app/refusal.ts";
import { type Access, type Admission, admission } from "./access.ts";
import { readRequest, type Request, type Route } from "./route.ts";
import { portableBase } from "./portable.ts";

/** Everything the protocol needs from the floors below. */
export type GateApp = {
  readonly packument: ServePackument;
  readonly tarball: ServeTarball;
  readonly small: ServeSmall;
  readonly recorder: Recorder;
};

export type GateOptions = {
  readonly access: Access;
  /** `public`: npm and deno get public tarball URLs, so that their lockfiles stay portable (T5); `self`: everyone gets ours. */
  readonly lockfileUrls: "public" | "self";
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Answers everything under `/-/cordon/`. Loaded when first asked. */
  readonly ours: () => Promise<(request: IncomingMessage, response: ServerResponse, path: string, admitted: Admission) => Promise<void>>;
  /** Requests that passed through this many gates already are refused. */
  readonly maxHops: number;
  /** One line per request; off unless the log level asks for it. */
  readonly logRequests: boolean;
  readonly hopHeader: string;
  /** Sent by a gate that fetches from us; another instance's id is a chain, our own is a loop. */
  readonly log: (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
};

export function gateServer(app: GateApp, options: GateOptions): Server {
  const listener: RequestListener = (request, response) => {
    const parsed = readRequest(request.method ?? "GET", request.url ?? "/");
    if (options.logRequests) logWhenDone(parsed, request, response);
    handle(parsed, request, response).catch((error: unknown) => fail(request, response, error));
  };

  function logWhenDone(parsed: Request, request: IncomingMessage, response: ServerResponse): void {
    const started = performance.now();
    response.once("close", () => {
      options.log("info", "request", {
        method: request.method,
        path: redact(request.url ?? ""),
        status: response.statusCode,
        ms: Math.round((performance.now() - started) * 10) / 10,
        client: clientOf(request),
        ...(parsed.project === undefined ? {} : { project: parsed.project }),
      });
    });
  }

  async function handle(parsed: Request, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admitted = await admission(options.access, parsed, request);
    if (admitted.kind === "refused") return refuse(response, admitted.status, admitted.refusal, admitted.headers);
    if (hops(request) >= options.maxHops)
      return refuse(response, 508, refusal("", "cordon: this request passed through too many gates; one of them is its own upstream"));
    const { route } = parsed;
    const asker = askerOf(parsed, request, admitted);
    const base = admitted.base;
    const canary = "name" in route ? canaryOf(route.name) : undefined;
    if (canary && "name" in route) return sendCanary(route, canary, base, response, asker);
    switch (route.kind) {
      case "packument": {
        if (route.write)
          return refuse(
            response,
            403,
            refusal(route.name, "cordon: publishing, deprecating and editing do not go through the gate; use the registry itself"),
          );
        const wanted: PackumentRequest = {
          name: route.name,
          form: /application\/vnd\.npm\.install-v1\+json/.test(request.headers.accept ?? "") ? "abbreviated" : "full",
          tarballBase: options.lockfileUrls === "public" ? (portableBase(request.headers["user-agent"]) ?? base) : base,
          attestationsBase: base,
          asker,
        };
        return sendPackument(request, response, wanted, app.packument.warm(wanted) ?? (await app.packument.serve(wanted)));
      }
      case "tarball": {
        const expected = request.headers["pacote-integrity"];
        const answer = await app.tarball({
          name: route.name,
          file: route.file,
          asker,
          head: request.method === "HEAD",
          ...(typeof expected === "string" && expected !== "" ? { expected } : {}),
        });
        return sendTarball(response, answer);
      }
      case "manifest":
        return sendSmall(
          request,
          response,
          await app.small.manifest({ name: route.name, selector: route.selector, tarballBase: base, attestationsBase: base, asker }),
        );
      case "tags":
        return sendSmall(request, response, await app.small.tags(route.name));
      case "attestations":
        return sendSmall(request, response, await app.small.attestations({ name: route.name, version: route.version, asker }));
      case "search":
        return sendSmall(request, response, await app.small.search(route.query));
      case "keys":
        return sendSmall(request, response, await app.small.pass("-/npm/v1/keys"));
      case "ping":
        // Ours to answer: a ping asks whether this registry is there, and it is.
        return sendSmall(request, response, { kind: "json", status: 200, body: new TextEncoder().encode("{}") });
      case "audit": {
        const body = await readBody(request);
        return sendSmall(
          request,
          response,
          await app.small.audit({ body, gzip: request.headers["content-encoding"] === "gzip", quick: route.quick, asker }),
        );
      }
      case "whoami":
        return refuse(response, 401, refusal("", "cordon: nobody is logged in here; the gate holds no npm account"));
      case "write":
        return refuse(
          response,
          403,
          refusal(
            "",
            `cordon: ${route.what} does not go through the gate; use the registry itself (npm ${route.what === "publish" ? "publish" : "…"} --registry <registry>)`,
          ),
        );
      case "ours": {
        const ours = await options.ours();
        return ours(request, response, route.path, admitted);
      }
      case "unknown":
        await app.recorder.refused({ name: printableTarget(request), route: "other", asker, signals: ["unknown-request"] });
        return refuse(response, 403, refusal("", "cordon: this is no request a package manager makes; nothing is served for it"));
    }
  }

  /** `cordon doctor`'s own packages: seen by the recorder like any other request, so that the doctor knows who came by. */
  async function sendCanary(
    route: Route & { readonly name: string },
    canary: Canary,
    base: string,
    response: ServerResponse,
    asker: Asker,
  ): Promise<void> {
    if (canary.kind === "refused") {
      await app.recorder.refused({ name: route.name, route: "packument", asker, signals: ["canary"] });
      return refuse(response, 403, refusal(route.name, "cordon refuses its own canary: this client goes through the gate"));
    }
    const { packument, tarball, file } = control(canary.nonce, base, options.access.clock.now());
    if (route.kind === "packument") return sendBytes(response, packument, "application/json");
    if (route.kind !== "tarball" || route.file !== file) return sendJson(response, 404, { error: "Not found" });
    await app.recorder.served({ name: route.name, version: "1.0.0", integrity: integrityOf(tarball), bytes: tarball.byteLength, asker });
    sendBytes(response, tarball, "application/octet-stream");
  }

  function sendPackument(request: IncomingMessage, response: ServerResponse, wanted: PackumentRequest, answer: PackumentAnswer): void {
    switch (answer.kind) {
      case "served": {
        const { rendered, stale } = answer;
        response.setHeader("etag", rendered.etag);
        // P7: without this bun and pnpm 11 re-resolve from their cache and install what was blocked a second ago.
        response.setHeader("cache-control", "no-cache");
        response.setHeader("vary", "accept, accept-encoding, user-agent");
        if (stale !== undefined) response.setHeader("warning", `110 - "${headerText(stale)}"`);
        if (matches(request.headers["if-none-match"], rendered.etag)) {
          response.statusCode = 304;
          response.end();
          return;
        }
        response.setHeader("content-type", wanted.form === "abbreviated" ? "application/vnd.npm.install-v1+json" : "application/json");
        if (/\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) {
          response.setHeader("content-encoding", "gzip");
          response.setHeader("content-length", rendered.gzip.byteLength);
          response.end(request.method === "HEAD" ? undefined : rendered.gzip);
          return;
        }
        response.setHeader("content-length", rendered.length);
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

  async function sendTarball(response: ServerResponse, answer: TarballAnswer): Promise<void> {
    switch (answer.kind) {
      case "bytes":
        tarballHead(response, answer.integrity, answer.bytes.byteLength);
        response.end(answer.bytes);
        return;
      case "head":
        tarballHead(response, answer.integrity, undefined);
        response.end();
        return;
      case "stream":
        tarballHead(response, answer.integrity, answer.size);
        await pipeline(answer.stream, response).catch((error: unknown) => cut(response, error));
        return;
      case "held-tail":
        tarballHead(response, answer.integrity, answer.size);
        // A wrong digest throws before the tail: the connection is cut short, and no client takes what it has for whole.
        await pipeline(answer.chunks, response).catch((error: unknown) => cut(response, error));
        return;
      case "refused":
        return refuse(response, 403, answer.refusal);
      case "absent":
        return sendJson(response, 404, { error: answer.message });
      case "failed":
        return sendFailure(response, answer.status, answer.message);
    }
  }

  function sendSmall(request: IncomingMessage, response: ServerResponse, answer: SmallAnswer): void {
    if (answer.kind === "refused") return refuse(response, 403, answer.refusal);
    if (answer.kind === "failed") return sendFailure(response, answer.status, answer.message);
    if (answer.notice !== undefined) response.setHeader("npm-notice", headerText(answer.notice));
    response.setHeader("cache-control", "no-cache");
    response.statusCode = answer.status;
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", answer.body.byteLength);
    response.end(request.method === "HEAD" ? undefined : answer.body);
  }

  function cut(response: ServerResponse, error: unknown): void {
    response.destroy();
    if (error instanceof Fault) options.log("warn", "transfer cut", { code: error.code, error: redact(error.message) });
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const fault = error instanceof Fault ? error : undefined;
    options.log("error", fault ? "request failed" : "bug", {
      path: redact(request.url ?? ""),
      code: fault?.code ?? "BUG",
      error: redact(error instanceof Error ? (fault ? error.message : (error.stack ?? error.message)) : String(error)),
    });
    if (response.headersSent) return void response.destroy();
    if (fault) return sendFailure(response, FAULTS[fault.code].http, fault.message);
    // A bug fails this one request closed: nothing is served, the gate stays up.
    sendFailure(response, 500, "cordon failed on this request and served nothing; the gate's log has the reason");
  }

  const server = options.tls
    ? createHttps({ cert: options.tls.cert, key: options.tls.key }, listener)
    : createHttp({ keepAliveTimeout: 65_000 }, listener);
  server.keepAliveTimeout = 65_000;
  server.headersTimeout = 66_000;
  server.requestTimeout = LIMITS.upstreamPackumentMs;
  // A request that is no HTTP at all: say so and hang up.
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    else socket.destroy();
  });
  return server;

  function askerOf(parsed: Request, request: IncomingMessage, admitted: Extract<Admission, { kind: "admitted" }>): Asker {
    const client = clientOf(request);
    return {
      ...(parsed.project === undefined ? {} : { project: parsed.project }),
      ...(admitted.token === undefined ? {} : { token: admitted.token.id }),
      ...(client === undefined ? {} : { client }),
      ...(admitted.from === undefined ? {} : { from: admitted.from }),
    };
  }

  function hops(request: IncomingMessage): number {
    const value = Number(request.headers[options.hopHeader] ?? 0);
    return Number.isSafeInteger(value) && value >= 0 ? value : options.maxHops;
  }
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

function sendBytes(response: ServerResponse, body: Uint8Array, type: string): void {
  response.writeHead(200, { "content-type": type, "content-length": body.byteLength, "cache-control": "no-store" });
  response.end(body);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/json", "content-length": body.byteLength, "cache-control": "no-store" });
  response.end(body);
}

function sendFailure(response: ServerResponse, status: number, message: string): void {
  const text = redact(message);
  const body = Buffer.from(JSON.stringify({ error: `cordon: ${text}` }));
  response.writeHead(status, headerText(`cordon: ${text}`), {
    "content-type": "application/json",
    "content-length": body.byteLength,
    "cache-control": "no-store",
  });
  response.end(body);
}

function tarballHead(response: ServerResponse, integrity: string, size: number | undefined): void {
  response.statusCode = 200;
  response.setHeader("content-type", "application/octet-stream");
  response.setHeader("etag", `"${integrity}"`);
  response.setHeader("cache-control", "no-cache");
  if (size !== undefined) response.setHeader("content-length", size);
}

function matches(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}

/** `npm/11.19.1`, `Bun/1.4.5`; yarn 4 says only `got`. */
function clientOf(request: IncomingMessage): string | undefined {
  const agent = request.headers["user-agent"];
  return agent === undefined ? undefined : headerText(agent.split(" ")[0] ?? "").slice(0, 60);
}

function printableTarget(request: IncomingMessage): string {
  return headerText(redact(request.url ?? "")).slice(0, 120);
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    total += chunk.byteLength;
    if (total > LIMITS.requestBytes) throw new Fault("INPUT_TOO_LARGE", `a request body larger than ${LIMITS.requestBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, total);
}
