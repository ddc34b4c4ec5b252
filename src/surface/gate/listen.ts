/**
 * Opens the gate's port and closes it again. Loopback needs nothing more; beyond it a gate must know its clients (tokens) and hide
 * what they send (TLS, or a proxy of ours in front).
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isIP, type Socket } from "node:net";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";

export type ListenAt = { readonly host: string; readonly port: number };

/** `127.0.0.1:4870`, `[::1]:4870`, `:4870` (loopback), `0.0.0.0:4870`. */
export function parseListen(text: string): ListenAt {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new Fault("USAGE", `${JSON.stringify(text)} is not HOST:PORT`);
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Refuses to open a gate that anyone could read or use. */
export function assertSafe(at: ListenAt, guards: { readonly tokens: boolean; readonly tls: boolean; readonly behindProxy: boolean }): void {
  if (isLoopback(at.host)) return;
  if (!guards.tokens)
    throw new Fault(
      "LISTEN_UNSAFE",
      `${at.host} can be reached by others and no client token exists; create one with \`cordon token create\``,
    );
  if (!guards.tls && !guards.behindProxy)
    throw new Fault("LISTEN_UNSAFE", `${at.host} can be reached by others without TLS; set tls.cert and tls.key, or behindProxy: true`);
}

/** Binds; a busy port is a Fault that says whose it is when it is ours. `whose` asks the address what it is. */
export async function listen(server: Server, at: ListenAt, whose: (at: ListenAt) => Promise<string | undefined>): Promise<ListenAt> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: at.host, port: at.port, exclusive: true }, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code !== "EADDRINUSE") throw new Fault("USAGE", `cannot listen on ${at.host}:${at.port}: ${code ?? String(error)}`, error);
    const owner = await whose(at);
    throw new Fault("PORT_IN_USE", owner ?? `port ${at.port} is in use by another program`, error);
  }
  const bound = server.address();
  return { host: at.host, port: typeof bound === "object" && bound !== null ? bound.port : at.port };
}

/** Stops accepting, lets answers under way finish, then cuts what is left. */
export type Drain = (patience?: number) => Promise<void>;

/** Watches a server from its start, so that it can be ended. Node's own idea of an idle connection leaves out those that never asked. */
export function drainable(server: Server): Drain {
  const answering = new Map<Socket, number>();
  let draining = false;
  server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Socket) => {
    answering.set(socket, 0);
    socket.once("close", () => answering.delete(socket));
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const left = (answering.get(socket) ?? 1) - 1;
      if (answering.has(socket)) answering.set(socket, left);
      if (draining && left === 0) socket.end();
    });
  });
  return async (patience = LIMITS.drainMs) => {
    draining = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const [socket, answers] of answering) if (answers === 0) socket.destroy();
    const cut = setTimeout(() => server.closeAllConnections(), patience);
    await closed;
    clearTimeout(cut);
  };
}

/** Base URLs by Host header for a gate bound at `at`: every way to spell loopback, and the configured public ones. */
export function basesOf(at: ListenAt, scheme: "http" | "https", publicUrls: readonly string[]): ReadonlyMap<string, string> {
  const bases = new Map<string, string>();
  for (const url of publicUrls) {
    const parsed = new URL(url.endsWith("/") ? url : `${url}/`);
    bases.set(parsed.host.toLowerCase(), parsed.href);
  }
  const names = isLoopback(at.host) || publicUrls.length === 0 ? ["localhost", "127.0.0.1", "[::1]"] : [];
  if (!["0.0.0.0", "::"].includes(at.host)) names.push(isIP(at.host) === 6 ? `[${at.host}]` : at.host);
  for (const name of names) {
    const host = `${name}:${at.port}`;
    if (!bases.has(host)) bases.set(host, `${scheme}://${host}/`);
  }
  return bases;
}
