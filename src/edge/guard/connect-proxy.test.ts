import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import { connect as tlsConnect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { testCertificate } from "../../../test/kit/certificate.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { listen, serve, serveTcp } from "../../../test/kit/loopback.ts";
import { untilRefused } from "../../../test/kit/until.ts";
import { NPM_REGISTRY_HOST } from "../../core/config/constants.ts";
import { readProxies } from "../upstream/proxies.ts";
import { openGuard, type GuardOptions } from "./connect-proxy.ts";
import { refusedHosts } from "./refused-hosts.ts";

const clock = testClock("2026-03-31T00:00:00Z");

async function guardOf(options: Partial<GuardOptions> & { readonly env?: Record<string, string> } = {}) {
  const { env, ...rest } = options;
  const guard = await openGuard({ refuse: ["registry.test"], allow: [], proxies: readProxies(env ?? {}), clock, ...rest });
  onTestFinished(guard.close);
  return guard;
}

/** Sends one CONNECT; the status line, and the socket from behind the head on. It keeps its own side open. */
function ask(guard: { readonly url: string }, authority: string, more = ""): Promise<{ status: string; socket: Socket }> {
  const socket = connect({ port: Number(new URL(guard.url).port), host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n${more}`);
  let answer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("end", () => reject(new Error(`only this: ${answer.toString("latin1")}`)));
    socket.on("data", function read(chunk: Buffer) {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.removeListener("data", read).pause();
      if (answer.length > end + 4) socket.unshift(answer.subarray(end + 4));
      resolve({ status: answer.toString("latin1", 0, answer.indexOf("\r\n")), socket });
    });
  });
}

/** A page asked through the guard in the clear. */
function page(
  guard: { readonly url: string },
  url: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ status: number; reason: string; body: string }> {
  const { hostname, port } = new URL(guard.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: url, method: body === undefined ? "GET" : "POST", headers, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += String(chunk)));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, reason: answer.statusMessage ?? "", body: text }));
      answer.on("error", reject);
    });
    sent.on("error", reject).end(body);
  });
}

async function echoServer(): Promise<number> {
  return serveTcp((socket) => socket.pipe(socket));
}

test.each([
  "registry.test:443",
  "registry.test:80",
  "registry.test:8443",
  "REGISTRY.Test:443",
  "registry.test.:443",
  "registry.test..:443",
  "registry%2etest:443",
  "ｒegistry.test:443",
])("refuses %s, with a reason and a record", async (authority) => {
  const guard = await guardOf();
  const { status } = await ask(guard, encodeURI(authority).replaceAll("%25", "%"));
  expect(status).toBe("HTTP/1.1 403 cordon: in this run registry.test is reached through the gate only");
  const port = Number(authority.split(":")[1]);
  expect(guard.attempts()).toEqual([{ host: "registry.test", port, at: clock.now(), kind: "connect" }]);
  expect(guard.counts()).toEqual({ refused: 1, passed: 0 });
});

test.each([
  "registry.test",
  "registry.test:443.",
  "registry.test:0",
  "registry.test:99999",
  ":443",
  "a@registry.test:443",
  "registry.test/x:443",
  "http://registry.test:443",
])("%s is no host and port; nothing is dialled", async (authority) => {
  const guard = await guardOf();
  expect((await ask(guard, authority)).status).toMatch(/^HTTP\/1\.1 400 /);
  expect(guard.counts()).toEqual({ refused: 0, passed: 0 });
});

test.each(["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "localhost", "LOCALHOST."])(
  "an address is refused in every spelling: %s",
  async (host) => {
    const guard = await guardOf({ refuse: ["127.0.0.1:4873"] });
    expect((await ask(guard, `${host}:4873`)).status).toMatch(/ 403 /);
  },
);

test("a name that only ends or begins like a registry is let through", async () => {
  const port = await echoServer();
  const guard = await guardOf({ refuse: ["registry.test", "alhost"] });
  expect((await ask(guard, `localhost:${port}`)).status).toBe("HTTP/1.1 200 Connection Established");
  expect(guard.attempts()).toEqual([]);
});

test("tunnels everything else unchanged, what was sent too early included", async () => {
  const guard = await guardOf();
  const { status, socket } = await ask(guard, `127.0.0.1:${await echoServer()}`, "early ");
  expect(status).toBe("HTTP/1.1 200 Connection Established");
  socket.end("late");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toBe("early late");
  expect(guard.counts()).toEqual({ refused: 0, passed: 1 });
});

test("TLS goes through untouched: the client sees the server's own certificate", async () => {
  const own = testCertificate("server.test");
  const server = createTls(own, (socket) => socket.end("hello"));
  const port = await listen(server);
  const guard = await guardOf();
  const { socket } = await ask(guard, `127.0.0.1:${port}`);
  const secure = tlsConnect({ socket, ca: own.cert, servername: "server.test" });
  let text = "";
  for await (const chunk of secure) text += String(chunk);
  expect([text, secure.authorized]).toEqual(["hello", true]);
});

test("a large answer arrives whole although the server hangs up at once", async () => {
  const size = 3_000_000;
  const port = await serveTcp((socket) => socket.end(Buffer.alloc(size, "x")));
  const { socket } = await ask(await guardOf(), `127.0.0.1:${port}`);
  let received = 0;
  for await (const chunk of socket) received += (chunk as Buffer).length;
  expect(received).toBe(size);
});

test("nothing there: 502", async () => {
  const server = await serve(() => {});
  server.server.close();
  await once(server.server, "close");
  expect((await ask(await guardOf(), server.host)).status).toBe("HTTP/1.1 502 127.0.0.1 cannot be reached");
});

/** A server that keeps its side open; `socket` is its first connection. */
function silentServer(): { readonly port: Promise<number>; readonly socket: Promise<Socket> } {
  let port: Promise<number> | undefined;
  const socket = new Promise<Socket>((resolve) => (port = serveTcp((each) => resolve(each.resume()))));
  return { port: port!, socket };
}

test("a tunnel that carries nothing is closed on both sides", async () => {
  const { port, socket } = silentServer();
  const { socket: client } = await ask(await guardOf({ limits: { guardIdleMs: 50 } }), `127.0.0.1:${await port}`);
  await Promise.all([once(client.resume(), "end"), once(await socket, "end")]);
});

test.each(["client", "server"] as const)("a tunnel whose %s has ended is closed when the other side stays silent", async (first) => {
  const { port, socket } = silentServer();
  const { socket: client } = await ask(await guardOf({ limits: { guardHalfOpenMs: 50 } }), `127.0.0.1:${await port}`);
  const ending = first === "client" ? client.resume() : await socket;
  ending.end("bye");
  await once(ending, "end");
});

test("pages in the clear are judged by their address, not by the Host header", async () => {
  const server = await serve((incoming, response) => {
    let body = "";
    incoming.on("data", (chunk) => (body += String(chunk)));
    incoming.on("end", () => {
      response.writeHead(201, "Made", { "x-from": "server", connection: "x-hop", "x-hop": "1" });
      response.end(
        JSON.stringify({
          url: incoming.url,
          host: incoming.headers.host,
          hop: incoming.headers["x-hop"],
          proxy: incoming.headers["proxy-connection"],
          body,
        }),
      );
    });
  });
  const guard = await guardOf();
  const passed = await page(
    guard,
    `${server.url}a?b=1`,
    { host: "registry.test", connection: "x-hop", "x-hop": "1", "proxy-connection": "keep-alive" },
    "posted",
  );
  expect(passed).toMatchObject({ status: 201, reason: "Made" });
  expect(JSON.parse(passed.body)).toEqual({ url: "/a?b=1", host: server.host, body: "posted" });

  const refused = await page(guard, "http://user:pw@Registry.test.:8080/axios", { host: server.host });
  expect(refused).toMatchObject({
    status: 403,
    reason: expect.stringContaining("registry.test"),
    body: expect.stringContaining("through the gate only"),
  });
  expect(guard.attempts()).toEqual([{ host: "registry.test", port: 8080, at: clock.now(), kind: "http" }]);
  expect(guard.counts()).toEqual({ refused: 1, passed: 1 });
  expect((await page(guard, "/")).status).toBe(400);
  expect((await page(guard, "https://registry.test/axios")).status).toBe(400);
});

test("the gate is reachable on a host that is otherwise refused, and never through the user's proxy", async () => {
  const gate = await serve((_request, response) => response.end("gate"));
  const guard = await guardOf({
    refuse: ["127.0.0.1"],
    allow: [gate.host],
    env: { http_proxy: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1" },
  });
  expect(await page(guard, gate.url)).toMatchObject({ status: 200, body: "gate" });
  expect((await ask(guard, gate.host)).status).toMatch(/ 200 /);
  expect((await ask(guard, "127.0.0.1:1")).status).toMatch(/ 403 /);
});

test("chains through the user's proxy with his credentials; NO_PROXY goes round it", async () => {
  const port = await echoServer();
  const seen: unknown[] = [];
  const proxy = await serve((incoming, response) => {
    seen.push(["page", incoming.url, incoming.headers["proxy-authorization"]]);
    response.end("by proxy");
  });
  proxy.server.on("connect", (incoming, socket) => {
    seen.push(["tunnel", incoming.url, incoming.headers["proxy-authorization"]]);
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\nvia: proxy\r\n\r\nfirst ");
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  const address = `http://user:p%40ss@${proxy.host}`;
  const guard = await guardOf({ env: { https_proxy: address, http_proxy: address, no_proxy: "127.0.0.1" } });
  const basic = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;

  const { socket } = await ask(guard, "files.test:443");
  socket.end("second");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/second$/);
  expect(await page(guard, "http://files.test/x?y")).toMatchObject({ status: 200, body: "by proxy" });
  expect(seen).toEqual([
    ["tunnel", "files.test:443", basic],
    ["page", "http://files.test/x?y", basic],
  ]);
  expect((await ask(guard, `127.0.0.1:${port}`)).status).toMatch(/ 200 /);
  expect((await ask(guard, "registry.test:443")).status).toMatch(/ 403 /);
  expect(seen).toHaveLength(2);
});

test("through an https proxy whose certificate nobody vouches for, nothing goes", async () => {
  const port = await listen(createTls(testCertificate("proxy.test"), (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")));
  const guard = await guardOf({ env: { https_proxy: `https://127.0.0.1:${port}` } });
  expect((await ask(guard, "files.test:443")).status).toMatch(/ 502 /);
});

test.each([
  ["refuses", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"],
  ["talks nonsense", "220 smtp ready\r\n\r\n"],
  ["never ends its head", "x".repeat(20_000)],
])("a proxy that %s is a failed connection, told without its credentials", async (_how, answer) => {
  const port = await serveTcp((socket) => void socket.once("data", () => socket.write(answer)));
  const guard = await guardOf({ env: { https_proxy: `http://user:hush@127.0.0.1:${port}` } });
  const { status } = await ask(guard, "files.test:443");
  expect(status).toBe("HTTP/1.1 502 files.test cannot be reached");
});

test("attempts beyond the ceiling are counted, not kept", async () => {
  const guard = await guardOf({ limits: { guardAttempts: 2 } });
  for (let count = 0; count < 3; count++) await ask(guard, "registry.test:443");
  expect([guard.attempts().length, guard.counts().refused]).toEqual([2, 3]);
});

test("connections beyond the ceiling get no answer", async () => {
  const guard = await guardOf({ limits: { guardConnections: 1 } });
  const { socket } = await ask(guard, `127.0.0.1:${await echoServer()}`);
  await expect(ask(guard, "registry.test:443")).rejects.toThrow();
  expect(guard.counts()).toEqual({ refused: 0, passed: 1 });
  socket.destroy();
});

test("close ends tunnels and the port", async () => {
  const guard = await guardOf();
  const { socket } = await ask(guard, `127.0.0.1:${await echoServer()}`);
  const ended = once(socket.resume(), "end");
  await guard.close();
  await ended;
  await untilRefused(Number(new URL(guard.url).port));
});

test("public registries and every one the gate or a project names are refused; on this machine by port", () => {
  const hosts = refusedHosts(["https://npm.corp.test:8443/api/", "http://127.0.0.1:4873/", "https://localhost/", "no url"]);
  expect(hosts).toContain(NPM_REGISTRY_HOST);
  expect(hosts).toContain("npm.jsr.io");
  expect(hosts.slice(-3)).toEqual(["npm.corp.test", "127.0.0.1:4873", "localhost:443"]);
});
