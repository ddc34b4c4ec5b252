/**
 * The CONNECT guard: a loopback proxy for one wrapped command. It refuses registries by name and tunnels everything else, unseen and unchanged.
 * It turns a client that goes round the gate into a visible failure. It is no wall: a program that ignores proxy settings, or knows a
 * registry's address by heart, is stopped by the network's own rules only.
 */
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { connect as tcpConnect, type AddressInfo, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { LIMITS } from "../../core/base/limits.ts";
import { headerText } from "../../core/base/text.ts";
import type { Clock, Instant } from "../../core/base/time.ts";
import { proxyAuthorization, proxyFor, type Proxies } from "../upstream/proxies.ts";
import { parseAuthority, refusal, type Target } from "./target.ts";

/** One refused attempt. `connect` asked for a tunnel, `http` for a page in the clear. */
export type Attempt = { readonly host: string; readonly port: number; readonly at: Instant; readonly kind: "connect" | "http" };

export type GuardLimits = Readonly<
  Record<"guardIdleMs" | "guardHalfOpenMs" | "guardConnections" | "guardAttempts" | "upstreamConnectMs" | "upstreamHeadersMs", number>
>;

export type GuardOptions = {
  /** `host` (every port) or `host:port`; see `refusedHosts`. */
  readonly refuse: readonly string[];
  /** `host:port` that is never refused and never sent through the user's proxy: the gate. */
  readonly allow: readonly string[];
  /** The user's own, from npm's settings and the environment; what is not refused goes through it as it would have. */
  readonly proxies: Proxies;
  readonly clock: Clock;
  readonly limits?: Partial<GuardLimits> | undefined;
};

export type Guard = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Oldest first; at most `LIMITS.guardAttempts` of them. */
  attempts(): readonly Attempt[];
  /** All that were refused, and all tunnels and pages let through. */
  counts(): { readonly refused: number; readonly passed: number };
  /** Ends every connection. */
  close(): Promise<void>;
};

export async function openGuard(options: GuardOptions): Promise<Guard> {
  const limits: GuardLimits = { ...LIMITS, ...options.limits };
  const isRefused = refusal(options.refuse, options.allow);
  const isGate = refusal(options.allow, []);
  const attempts: Attempt[] = [];
  const sockets = new Set<Socket>();
  let refused = 0;
  let passed = 0;

  function judge(target: Target, kind: Attempt["kind"]): boolean {
    if (!isRefused(target)) {
      passed++;
      return true;
    }
    refused++;
    if (attempts.length < limits.guardAttempts) attempts.push({ ...target, at: options.clock.now(), kind });
    return false;
  }

  function wayTo(target: Target, secure: boolean): URL | undefined {
    return isGate(target) ? undefined : proxyFor({ secure, ...target }, options.proxies);
  }

  /** Counted among what `close` ends; an error is the end of a connection, never of the process. */
  function hold(socket: Socket): Socket {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
  }

  function tunnel(message: IncomingMessage, client: Socket, head: Buffer): void {
    const target = parseAuthority(message.url ?? "");
    if (target === undefined) return refuse(client, 400, "this is not host:port");
    if (!judge(target, "connect")) return refuse(client, 403, why(target));
    // A tunnel to port 80 carries what would have gone in the clear.
    const remote = hold(dial(target, wayTo(target, target.port !== 80), open));
    const timer = setTimeout(() => remote.destroy(), limits.upstreamConnectMs + limits.upstreamHeadersMs);
    const failed = () => refuse(client, 502, `${target.host} cannot be reached`);
    const abandoned = () => remote.destroy();
    client.once("close", abandoned);
    remote.once("close", () => clearTimeout(timer)).once("close", failed);
    function open(): void {
      clearTimeout(timer);
      remote.removeListener("close", failed);
      client.removeListener("close", abandoned);
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length > 0) remote.write(head);
      splice(client, remote, limits);
    }
  }

  function forward(message: IncomingMessage, response: ServerResponse): void {
    const url = /^http:\/\//i.test(message.url ?? "") && URL.canParse(message.url!) ? new URL(message.url!) : undefined;
    const target = url && parseAuthority(`${url.hostname}:${url.port || 80}`);
    if (url === undefined || target === undefined) return refuse(response, 400, "this is a proxy for one cordon run; it has no pages");
    if (!judge(target, "http")) return refuse(response, 403, why(target));
    const proxy = wayTo(target, false);
    if (proxy?.protocol === "https:") return refuse(response, 502, "plain http through an https proxy is not supported");
    const authorization = proxy && proxyAuthorization(proxy);
    const onward = httpRequest({
      ...(proxy ? place(proxy) : { host: target.host, port: target.port }),
      agent: false,
      method: message.method ?? "GET",
      // The host is the judged one, whatever the Host header said.
      path: proxy ? `http://${url.host}${url.pathname}${url.search}` : url.pathname + url.search,
      headers: {
        ...endToEnd(message.headers),
        host: url.host,
        ...(authorization !== undefined && { "proxy-authorization": authorization }),
      },
      timeout: limits.guardIdleMs,
    });
    onward.on("socket", hold).on("timeout", () => onward.destroy());
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, headerText(answer.statusMessage ?? ""), endToEnd(answer.headers));
      pipeline(answer, response, () => {});
    });
    onward.on("error", () => (response.headersSent ? response.destroy() : refuse(response, 502, `${target.host} cannot be reached`)));
    response.once("close", () => onward.destroy());
    message.pipe(onward);
  }

  const server = createServer(forward);
  server.maxConnections = limits.guardConnections;
  server.headersTimeout = limits.upstreamHeadersMs;
  server.requestTimeout = 0;
  server.timeout = limits.guardIdleMs;
  server.on("connection", hold).on("connect", tunnel);
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts: () => [...attempts],
    counts: () => ({ refused, passed }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function why({ host }: Target): string {
  return `cordon: in this run ${host} is reached through the gate only`;
}

/** Ends a request with a status and one line; a bare socket is written to as HTTP, and not kept long by a client that stays. */
function refuse(to: Socket | ServerResponse, status: 400 | 403 | 502, line: string): void {
  const text = headerText(line);
  if ("writeHead" in to) return void to.writeHead(status, text, { "content-type": "text/plain", connection: "close" }).end(`${text}\n`);
  if (!to.writable) return;
  to.end(
    `HTTP/1.1 ${status} ${text}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length + 1}\r\nconnection: close\r\n\r\n${text}\n`,
  );
  to.resume().setTimeout(LIMITS.guardHalfOpenMs, () => to.destroy());
}

/** A connection to the target; `open` is called when bytes may flow, through a proxy after its 200. The socket closes when that fails. */
function dial(target: Target, proxy: URL | undefined, open: () => void): Socket {
  if (proxy === undefined) return tcpConnect({ ...target, allowHalfOpen: true }, open);
  const socket =
    proxy.protocol === "https:"
      ? tlsConnect({ ...place(proxy), ALPNProtocols: ["http/1.1"] }, ask)
      : tcpConnect({ ...place(proxy), allowHalfOpen: true }, ask);
  function ask(): void {
    const authority = `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
    const authorization = proxyAuthorization(proxy!);
    const credentials = authorization === undefined ? "" : `proxy-authorization: ${authorization}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`);
    socket.on("data", read);
  }
  let answer = Buffer.alloc(0);
  function read(chunk: Buffer): void {
    answer = Buffer.concat([answer, chunk]);
    const end = answer.indexOf("\r\n\r\n");
    // A proxy's answer is a few lines; more is something else.
    if (end < 0 && answer.length <= 16_384) return;
    socket.removeListener("data", read);
    socket.pause();
    if (end < 0 || !/^HTTP\/1\.[01] 2\d\d[ \r]/.test(answer.toString("latin1", 0, 20))) return void socket.destroy();
    if (answer.length > end + 4) socket.unshift(answer.subarray(end + 4));
    open();
  }
  return socket;
}

/** Joins two sockets until both sides have ended, one breaks, or nothing moves for too long. */
function splice(one: Socket, other: Socket, limits: GuardLimits): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.setTimeout(limits.guardIdleMs, () => from.destroy());
    // One side has said all; the other may finish its answer, but not keep the connection for nothing.
    from.once("end", () => to.setTimeout(limits.guardHalfOpenMs, () => to.destroy()));
    // What was received is still delivered; a connection that broke is broken on both sides.
    from.once("close", (broken) => (from.readableEnded && !broken ? to.end() : to.destroy()));
    from.pipe(to);
  }
}

function place(proxy: URL): { host: string; port: number } {
  return { host: proxy.hostname.replace(/^\[|\]$/g, ""), port: Number(proxy.port || (proxy.protocol === "https:" ? 443 : 80)) };
}

/** RFC 9110 §7.6.1: what concerns one connection is not passed on, nor is what `Connection` names. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? "").toLowerCase().split(/[\s,]+/);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)));
}
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
