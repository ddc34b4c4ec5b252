/**
 * The npm registry protocol over `node:http`: routing, hosts and tokens, status lines, streaming. Decides nothing.
 * It speaks HTTP itself because refusals need a reason phrase and tarballs need their last bytes held back.
 */
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { createServer as CreateHttps } from "node:https";
import { type Canary, canaryOf, control } from "../../app/canary.ts";
import type { PackumentRequest, ServePackument } from "../../app/serve-packument.ts";
import type { ServeSmall } from "../../app/serve-small.ts";
import type { ServeTarball } from "../../app/serve-tarball.ts";
import type { Recorder } from "../../app/recorder.ts";
import { Fault, FAULTS } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { headerText, redact } from "../../core/base/text.ts";
import type { Asker } from "../../core/ledger/entry.ts";
import { integrityOf } from "../../core/npm/integrity.ts";
import { refusal } from "../../app/refusal.ts";
import { type Access, type Admission, admission } from "./access.ts";
import { refuse, sendBytes, sendFailure, sendJson, sendPackument, sendSmall, sendTarball, tooLarge } from "./answers.ts";
import { readRequest, type Request, type Route } from "./route.ts";
import { portableBase } from "./portable.ts";

/** Everything the protocol needs from the floors below. */
export type GateApp = {
  readonly packument: ServePackument;
  readonly tarball: ServeTarball;
  readonly small: ServeSmall;
  readonly recorder: Recorder;
  track(work: Promise<unknown>): void;
};

export type GateOptions = {
  readonly access: Access;
  /** `public`: npm and deno get public tarball URLs, so that their lockfiles stay portable (T5); `self`: everyone gets ours. */
  readonly lockfileUrls: "public" | "self";
  /** Carries `node:https` with it: a gate without a certificate does not wait for it to load. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly createServer: typeof CreateHttps };
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
    const parsed = requestOf(request);
    if (options.logRequests) logWhenDone(parsed, request, response);
    try {
      const admitted = admission(options.access, parsed, request);
      if (!(admitted instanceof Promise) && answeredFromMemory(parsed, request, response, admitted)) return;
      app.track(handle(parsed, request, response, admitted).catch((error: unknown) => fail(request, response, error)));
    } catch (error) {
      fail(request, response, error);
    }
  };

  /** A packument that stands finished in memory leaves at once, without a promise. False when there is more to do. */
  function answeredFromMemory(parsed: Request, request: IncomingMessage, response: ServerResponse, admitted: Admission): boolean {
    const { route } = parsed;
    if (route.kind !== "packument" || route.write || admitted.kind === "refused" || canaryOf(route.name)) return false;
    const hops = hopsOf(request);
    if (hops >= options.maxHops) return false;
    const wanted = packumentWanted(route.name, request, admitted.base, { asker: askerOf(parsed, request, admitted), hops });
    const answer = app.packument.warm(wanted);
    if (answer) sendPackument(request, response, wanted.form, answer);
    return answer !== undefined;
  }

  function packumentWanted(
    name: string,
    request: IncomingMessage,
    base: string,
    from: Pick<PackumentRequest, "asker" | "hops">,
  ): PackumentRequest {
    return {
      name,
      form: (request.headers.accept ?? "").includes("application/vnd.npm.install-v1+json") ? "abbreviated" : "full",
      tarballBase: options.lockfileUrls === "public" ? (portableBase(request.headers["user-agent"]) ?? base) : base,
      attestationsBase: base,
      ...from,
    };
  }

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

  async function handle(
    parsed: Request,
    request: IncomingMessage,
    response: ServerResponse,
    admission: Admission | Promise<Admission>,
  ): Promise<void> {
    const admitted = await admission;
    if (admitted.kind === "refused") return refuse(response, admitted.status, admitted.refusal, admitted.headers);
    const hops = hopsOf(request);
    if (hops >= options.maxHops)
      return refuse(response, 508, refusal("", "cordon: this request passed through too many gates; one of them is its own upstream"));
    const { route } = parsed;
    const asker = askerOf(parsed, request, admitted);
    const from = { asker, hops };
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
        const wanted = packumentWanted(route.name, request, base, from);
        return sendPackument(request, response, wanted.form, await app.packument.serve(wanted));
      }
      case "tarball": {
        const expected = request.headers["pacote-integrity"];
        const answer = await app.tarball({
          name: route.name,
          file: route.file,
          ...from,
          head: request.method === "HEAD",
          ...(typeof expected === "string" && expected !== "" ? { expected } : {}),
        });
        return sendTarball(response, answer, (error) => {
          if (error instanceof Fault) options.log("warn", "transfer cut", { code: error.code, error: redact(error.message) });
        });
      }
      case "manifest":
        return sendSmall(
          request,
          response,
          await app.small.manifest({ name: route.name, selector: route.selector, tarballBase: base, attestationsBase: base, ...from }),
        );
      case "tags":
        return sendSmall(request, response, await app.small.tags({ name: route.name, ...from }));
      case "attestations":
        return sendSmall(request, response, await app.small.attestations({ name: route.name, version: route.version, ...from }));
      case "search":
        return sendSmall(request, response, await app.small.search({ query: route.query, ...from }));
      case "keys":
        return sendSmall(request, response, await app.small.pass({ path: "-/npm/v1/keys", ...from }));
      case "ping":
        // Ours to answer: a ping asks whether this registry is there, and it is.
        return sendSmall(request, response, { kind: "json", status: 200, body: new TextEncoder().encode("{}") });
      case "audit": {
        const body = await readBody(request);
        if (!body) return tooLarge(request, response);
        return sendSmall(
          request,
          response,
          await app.small.audit({ body, gzip: request.headers["content-encoding"] === "gzip", quick: route.quick, ...from }),
        );
      }
      case "whoami":
        return refuse(response, 401, refusal("", "cordon: nobody is logged in here; the gate holds no npm account"));
      case "write":
        return refuse(
          response,
          403,
          refusal("", `cordon: ${route.what} does not go through the gate; do it at the registry itself, with --registry`),
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

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const gone = request.socket.destroyed;
    // The client went away in the middle of its own request: nobody is left to be told.
    if (gone && request.errored === error) return;
    const fault = error instanceof Fault ? error : undefined;
    options.log(fault && gone ? "info" : "error", fault ? "request failed" : "bug", {
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
    ? options.tls.createServer({ cert: options.tls.cert, key: options.tls.key }, listener)
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

  function hopsOf(request: IncomingMessage): number {
    const value = Number(request.headers[options.hopHeader] ?? 0);
    return Number.isSafeInteger(value) && value >= 0 ? value : options.maxHops;
  }
}

function askerOf(parsed: Request, request: IncomingMessage, admitted: Extract<Admission, { kind: "admitted" }>): Asker {
  const client = clientOf(request);
  // A token for one project says which it is, also where the client dropped the prefix.
  const [only, second] = admitted.token?.projects ?? [];
  const project = parsed.project ?? (second === undefined && only !== "*" ? only : undefined);
  const asker: { -readonly [key in keyof Asker]: Asker[key] } = {};
  if (project !== undefined) asker.project = project;
  if (admitted.token !== undefined) asker.token = admitted.token.id;
  if (client !== undefined) asker.client = client;
  if (admitted.from !== undefined) asker.from = admitted.from;
  return asker;
}

/** Requests by their target: clients ask for the same few thousand all day, and reading one takes longer than finding its answer. */
const targets = new Map<string, Request>();
const TARGETS = 10_000;
const TARGET_CHARS = 300;

function requestOf({ method = "GET", url = "/" }: IncomingMessage): Request {
  if (method !== "GET") return readRequest(method, url);
  let parsed = targets.get(url);
  if (parsed === undefined) {
    parsed = readRequest(method, url);
    if (targets.size >= TARGETS) targets.clear();
    if (url.length <= TARGET_CHARS) targets.set(url, parsed);
  }
  return parsed;
}

/** Names of clients by their User-Agent: a few in each company, with thousands of requests each. */
const clients = new Map<string, string>();
const CLIENTS = 1_000;

/** `npm/11.19.1`, `Bun/1.4.5`; yarn 4 says only `got`. */
function clientOf(request: IncomingMessage): string | undefined {
  const agent = request.headers["user-agent"];
  if (agent === undefined) return undefined;
  let client = clients.get(agent);
  if (client === undefined) {
    if (clients.size >= CLIENTS) clients.clear();
    clients.set(agent, (client = headerText(agent.split(" ")[0] ?? "").slice(0, 60)));
  }
  return client;
}

function printableTarget(request: IncomingMessage): string {
  return headerText(redact(request.url ?? "")).slice(0, 120);
}

/** Undefined when it is too large; the rest is then left unread. */
function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let total = 0;
    const take = (chunk: Buffer): void => {
      total += chunk.byteLength;
      chunks.push(chunk);
      if (total <= LIMITS.requestBytes) return;
      request.off("data", take).pause();
      resolve(undefined);
    };
    request.on("data", take);
    request.once("end", () => resolve(Buffer.concat(chunks, total)));
    request.once("error", reject);
  });
}
