import { once } from "node:events";
import type { LookupFunction } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { serve, serveTcp } from "../../../test/kit/loopback.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { HEALTH_SCHEMA, NPM_REGISTRY_HOST } from "../../core/config/constants.ts";
import type { UpstreamConfig } from "./config.ts";
import type { UpstreamLimits } from "./limits.ts";
import { readProxies } from "./proxies.ts";
import { openUpstream } from "./registry.ts";

type Setup = Partial<Omit<UpstreamConfig, "base" | "scopes">> & {
  readonly url: string;
  readonly private?: boolean;
  readonly scopes?: Readonly<Record<string, string>>;
  readonly limits?: Partial<UpstreamLimits>;
  readonly lookup?: LookupFunction;
};

function open({ url, scopes = {}, limits, lookup, private: isPrivate = false, ...rest }: Setup) {
  const base = (at: string) => ({ url: at, private: isPrivate, source: "test" });
  const config: UpstreamConfig = {
    base: base(url),
    scopes: new Map(Object.entries(scopes).map(([scope, at]) => [scope, base(at)])),
    privateNames: [],
    redirects: [],
    credentials: [],
    proxies: readProxies({}),
    ca: [],
    notes: [],
    ...rest,
  };
  const upstream = openUpstream(config, {
    clock: testClock("2026-03-31T00:00:00Z"),
    jitter: () => 0,
    limits: { upstreamBackoffMs: 1, ...limits },
    lookup,
  });
  onTestFinished(upstream.close);
  return upstream;
}

const PACKUMENT = JSON.stringify({ name: "axios", versions: {} });
const bearer = (at: string, token: string) => ({ at, authorization: () => `Bearer ${token}` });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

test("asks for the full form, decodes gzip, returns the validators it was given", async () => {
  const server = await serve((_request, response) => {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-encoding": "gzip",
      etag: 'W/"1"',
      "last-modified": "yesterday",
    });
    response.end(gzipSync(PACKUMENT));
  });
  const answer = await open({ url: `${server.url}npm/` }).packument("@acme/ui", {});
  expect(answer).toMatchObject({ kind: "document", etag: 'W/"1"', lastModified: "yesterday", upstream: `${server.url}npm/` });
  expect(answer.kind === "document" && text(answer.bytes)).toBe(PACKUMENT);
  const [request] = server.requests;
  expect(request?.url).toBe("/npm/@acme%2fui");
  expect(request?.headers).toMatchObject({ accept: "application/json", "accept-encoding": "gzip", "x-cordon-hop": "1" });
  expect(request?.headers["user-agent"]).toMatch(/^cordon\//);
  expect(request?.headers["if-none-match"]).toBeUndefined();
});

test("an upstream with neither ETag nor gzip works; validators are sent only when there are any", async () => {
  const server = await serve((request, response) => {
    if (request.headers["if-none-match"] === '"1"') response.writeHead(304).end();
    else response.end(PACKUMENT);
  });
  const upstream = open({ url: server.url });
  expect(await upstream.packument("axios", {}, 2)).toEqual({ kind: "document", bytes: expect.anything(), upstream: server.url });
  expect(server.requests[0]?.headers["x-cordon-hop"]).toBe("3");
  expect(await upstream.packument("axios", { etag: '"1"' })).toEqual({ kind: "unchanged", upstream: server.url });
});

test.each([
  [404, { kind: "absent", status: 404 }],
  [410, { kind: "absent", status: 410 }],
  [401, { kind: "refused", status: 401, message: expect.stringContaining("answered 401 for axios: no such token") }],
  [403, { kind: "refused", status: 403 }],
  [451, { kind: "refused", status: 451 }],
  [304, { kind: "refused", message: expect.stringContaining("without validators") }],
  [302, { kind: "refused", message: expect.stringContaining("redirects the packument of axios to other.test") }],
])("a packument answered %i is asked once", async (status, expected) => {
  const server = await serve((_request, response) => {
    response.writeHead(status, { location: "https://other.test/secret" }).end(status === 304 ? undefined : '{"error":"no such token"}');
  });
  expect(await open({ url: server.url }).packument("axios", {})).toMatchObject(expected);
  expect(server.requests).toHaveLength(1);
});

test.each([
  ["a login page", "text/html; charset=utf-8", "<!doctype html><p>Sign in", "web page"],
  ["a page that claims to be JSON", "application/json", "\n <html>", "web page"],
  ["an array", "application/json", "[]", "no JSON object"],
  ["nothing", "application/json", "", "no JSON object"],
])("%s answered 200 is refused", async (_what, type, body, message) => {
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-type": type }).end(body);
  });
  expect(await open({ url: server.url }).packument("axios", {})).toMatchObject({
    kind: "refused",
    message: expect.stringContaining(message),
  });
  expect(server.requests).toHaveLength(1);
});

test("5xx, 429 and broken connections are tried again, and the third time may be lucky", async () => {
  const server = await serve((request, response) => {
    if (server.requests.length === 1) response.writeHead(503).end();
    else if (server.requests.length === 2) request.socket.destroy();
    else response.end(PACKUMENT);
  });
  expect(await open({ url: server.url }).packument("axios", {})).toMatchObject({ kind: "document" });
  expect(server.requests).toHaveLength(3);
});

test("after the last try the upstream is down, and the message says what it did", async () => {
  const server = await serve((_request, response) => {
    response.writeHead(500).end("stack trace");
  });
  const answer = await open({ url: server.url }).packument("axios", {});
  expect(answer).toMatchObject({ kind: "down", message: `${server.host} answered 500` });
  expect(server.requests).toHaveLength(3);
});

test.each([
  ["0", 3],
  ["Tue, 31 Mar 2026 00:00:00 GMT", 3],
  ["3600", 1],
  ["Wed, 01 Apr 2026 00:00:00 GMT", 1],
])("Retry-After %s is honoured within its ceiling", async (after, requests) => {
  const server = await serve((_request, response) => {
    response.writeHead(429, { "retry-after": after }).end();
  });
  expect(await open({ url: server.url }).packument("axios", {})).toMatchObject({ kind: "down" });
  expect(server.requests).toHaveLength(requests);
});

test.each([
  ["with a length", { "content-length": "1000" }],
  ["in chunks", {}],
  ["in gzip", { "content-encoding": "gzip" }],
])("an answer cut off %s is never taken for a packument", async (_how, headers) => {
  const whole = "content-encoding" in headers ? gzipSync(PACKUMENT.repeat(9)) : Buffer.from(PACKUMENT);
  const server = await serve((request, response) => {
    response.writeHead(200, headers);
    response.write(whole.subarray(0, whole.length - 9), () => request.socket.destroy());
  });
  expect(await open({ url: server.url }).packument("axios", {})).toMatchObject({ kind: "down" });
  expect(server.requests).toHaveLength(3);
});

test("a body that simply stops where only the end of the connection marks the end is seen by its shape", async () => {
  const port = await serveTcp((socket) => {
    socket.once("data", () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"name":"axios","versions":{'));
  });
  const answer = await open({ url: `http://127.0.0.1:${port}/` }).packument("axios", {});
  expect(answer).toMatchObject({ kind: "down", message: expect.stringContaining("cut the packument of axios off") });
});

test("a gzip bomb is stopped at the ceiling of decoded bytes", async () => {
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(20_000_000, "{")));
  });
  const answer = await open({ url: server.url, limits: { packumentBytes: 100_000 } }).packument("axios", {});
  expect(answer).toMatchObject({ kind: "refused", message: "the packument of axios has more than 100000 bytes" });
  expect(server.requests).toHaveLength(1);
});

test("gzip that never yields a byte is stopped too, by what is sent", async () => {
  const empty = gzipSync("");
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    const more = () => {
      while (!response.destroyed && response.write(empty));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  const answer = await open({ url: server.url, limits: { packumentBytes: 100_000 } }).packument("axios", {});
  expect(answer).toMatchObject({ kind: "refused", message: expect.stringContaining("more than 100000 bytes") });
});

test("an encoding nobody asked for is refused, damaged gzip is tried again", async () => {
  const brotli = await serve((_request, response) => {
    response.writeHead(200, { "content-encoding": "br" }).end("x");
  });
  expect(await open({ url: brotli.url }).packument("axios", {})).toMatchObject({ kind: "refused" });
  const damaged = await serve((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end("no gzip");
  });
  expect(await open({ url: damaged.url }).packument("axios", {})).toMatchObject({ kind: "down", message: expect.stringContaining("gzip") });
});

test("an upstream that accepts and says nothing is given up", async () => {
  const server = await serve(() => {});
  const limits = { upstreamHeadersMs: 40, upstreamTries: 2 };
  expect(await open({ url: server.url, limits }).packument("axios", {})).toMatchObject({
    kind: "down",
    message: `${server.host} sent no answer within 40 ms`,
  });
  expect(server.requests).toHaveLength(2);
});

test("an upstream that stops in the middle is given up", async () => {
  const server = await serve((_request, response) => {
    response.write("{");
  });
  const limits = { upstreamIdleMs: 40, upstreamTries: 1 };
  expect(await open({ url: server.url, limits }).packument("axios", {})).toMatchObject({
    kind: "down",
    message: `${server.host} stopped sending for 40 ms`,
  });
});

test("an upstream that drips is stopped by the time of the whole transfer, tries included", async () => {
  const server = await serve((_request, response) => {
    response.write("{");
    const drip = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(drip));
  });
  const answer = await open({ url: server.url, limits: { upstreamPackumentMs: 150 } }).packument("axios", {});
  expect(answer).toMatchObject({ kind: "down", message: `${server.host} did not finish within 150 ms` });
  expect(server.requests).toHaveLength(1);
});

test("nothing listens: down, by host and without the credentials", async () => {
  const server = await serve(() => {});
  server.server.close();
  await once(server.server, "close");
  const answer = await open({ url: server.url, credentials: [bearer(`//${server.host}/`, "hush")] }).packument("axios", {});
  expect(answer).toMatchObject({ kind: "down", message: `${server.host} refuses connections` });
  expect(JSON.stringify(answer)).not.toContain("hush");
});

test("a scope goes to its own registry with its own credential, everything else to the default", async () => {
  const [company, common] = await Promise.all([
    serve((_request, response) => response.end(PACKUMENT)),
    serve((_request, response) => response.end(PACKUMENT)),
  ]);
  const credentials = [bearer(`//${company.host}/npm/`, "company"), bearer(`//${common.host}/`, "common")];
  const upstream = open({ url: common.url, scopes: { "@acme": `${company.url}npm/` }, credentials });
  expect(await upstream.packument("@acme/ui", {})).toMatchObject({ kind: "document", upstream: `${company.url}npm/` });
  await upstream.packument("@Acme/Ui", {});
  await upstream.packument("axios", {});
  expect(company.requests.map((request) => request.headers.authorization)).toEqual(["Bearer company", "Bearer company"]);
  expect(common.requests.map((request) => [request.url, request.headers.authorization])).toEqual([["/axios", "Bearer common"]]);
  expect(upstream.baseFor("@acme/ui").base).toBe(`${company.url}npm/`);
});

test("a private name without a registry of its own is asked of nobody, by any route or spelling", async () => {
  const server = await serve((_request, response) => response.end(PACKUMENT));
  const upstream = open({ url: server.url, privateNames: ["@acme/*", "acme-*"] });
  for (const name of ["@acme/ui", "acme-tool", "@ACME/ui", "Acme-Tool"]) {
    expect(await upstream.packument(name, {}), name).toMatchObject({ kind: "refused", message: expect.stringContaining("private name") });
    expect(await upstream.tarball(name, `${server.url}x.tgz`), name).toMatchObject({ kind: "refused" });
    expect(await upstream.pass({ method: "GET", path: "-/x", name }), name).toMatchObject({ kind: "answer", status: 404 });
    expect(upstream.baseFor(name), name).toEqual({ base: "none:", private: true });
  }
  expect(server.requests).toHaveLength(0);
  expect(await open({ url: server.url, private: true, privateNames: ["acme-*"] }).packument("acme-tool", {})).toMatchObject({
    kind: "document",
  });
});

test.each(["../secret", "a/b", "@acme/../x", "a?b=1", "a#b", "a%2f..%2fb", "", ".", "a b"])(
  "the name %j reaches no upstream",
  async (name) => {
    const server = await serve((_request, response) => response.end(PACKUMENT));
    const upstream = open({ url: server.url });
    expect(await upstream.packument(name, {})).toMatchObject({ kind: "refused" });
    expect(await upstream.tarball(name, `${server.url}x.tgz`)).toMatchObject({ kind: "refused" });
    expect(server.requests).toHaveLength(0);
  },
);

test("tarballs come as sent, whatever encoding they claim", async () => {
  const bytes = gzipSync("tar");
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": bytes.length }).end(bytes);
  });
  const answer = await open({ url: server.url }).tarball("axios", `${server.url}axios/-/axios-1.0.0.tgz`);
  expect(answer).toMatchObject({ kind: "tarball", size: bytes.length });
  expect(answer.kind === "tarball" && (await readAll(answer.body))).toBe(bytes.toString("utf8"));
  expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
});

test("a mirror whose packuments name the public host is asked for its own copy", async () => {
  const server = await serve((_request, response) => response.end("bytes"));
  const answer = await open({ url: `${server.url}api/npm/` }).tarball("axios", `https://${NPM_REGISTRY_HOST}/axios/-/axios-1.0.0.tgz`);
  expect(answer.kind === "tarball" && (await readAll(answer.body))).toBe("bytes");
  expect(server.requests[0]?.url).toBe("/api/npm/axios/-/axios-1.0.0.tgz");
});

test.each([
  ["another host", "https://evil.test/x.tgz", "which is neither the upstream nor in upstream.redirects"],
  ["another port of this machine", "http://127.0.0.1:1/x.tgz", "neither the upstream"],
  ["a file", "file:///etc/passwd", "are not fetched"],
  ["credentials", "http://u:p@127.0.0.1/x.tgz", "credentials of its own"],
  ["no URL", "x.tgz", "no URL"],
])("a tarball at %s is refused before a connection", async (_what, url, message) => {
  const server = await serve((_request, response) => response.end("bytes"));
  expect(await open({ url: server.url }).tarball("axios", url)).toMatchObject({
    kind: "refused",
    message: expect.stringContaining(message),
  });
  expect(server.requests).toHaveLength(0);
});

test("a redirect to a host in the configuration is followed without credentials; to any other it is refused", async () => {
  const files = await serve((_request, response) => response.end("bytes"));
  const server = await serve((request, response) => {
    response.writeHead(302, { location: request.url === "/good.tgz" ? `${files.url}a?sig=1` : "https://evil.test/x" }).end();
  });
  const credentials = [bearer(`//${server.host}/`, "hush"), bearer(`//${files.host}/`, "hush")];
  const upstream = open({ url: server.url, redirects: [files.host], credentials });
  const good = await upstream.tarball("axios", `${server.url}good.tgz`);
  expect(good.kind === "tarball" && (await readAll(good.body))).toBe("bytes");
  expect(server.requests[0]?.headers.authorization).toBe("Bearer hush");
  expect(files.requests.map((request) => [request.url, request.headers.authorization])).toEqual([["/a?sig=1", undefined]]);
  const evil = await upstream.tarball("axios", `${server.url}evil.tgz`);
  expect(evil).toMatchObject({ kind: "refused", message: expect.stringContaining("evil.test") });
});

test("three redirects are followed and no more; https is not left", async () => {
  const server = await serve((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("bytes");
    else response.writeHead(301, { location: `/${left - 1}` }).end();
  });
  const upstream = open({ url: server.url, redirects: ["plain.test"] });
  const answer = await upstream.tarball("axios", `${server.url}3`);
  expect(answer.kind === "tarball" && (await readAll(answer.body))).toBe("bytes");
  expect(await upstream.tarball("axios", `${server.url}4`)).toMatchObject({
    kind: "refused",
    message: expect.stringContaining("more than 3"),
  });
  expect(await upstream.tarball("axios", "http://plain.test/x")).toMatchObject({
    kind: "refused",
    message: expect.stringContaining("without https"),
  });
});

test("a host named by a pattern must have a public address, seen where the socket connects", async () => {
  const asked: string[] = [];
  const lookup: LookupFunction = (name, _options, answer) => {
    asked.push(name);
    answer(null, [{ address: "127.0.0.1", family: 4 }]);
  };
  const server = await serve((_request, response) => {
    response.writeHead(302, { location: "https://inside.files.test/x" }).end();
  });
  const upstream = open({ url: server.url, redirects: ["*.files.test"], lookup });
  const answer = await upstream.tarball("axios", `${server.url}x.tgz`);
  expect(answer).toMatchObject({ kind: "refused", message: expect.stringContaining("private network") });
  expect(asked).toEqual(["inside.files.test"]);
});

test.each([
  [404, { kind: "absent", status: 404 }, 1],
  [401, { kind: "refused", status: 401 }, 1],
  [206, { kind: "refused", status: 206 }, 1],
  [503, { kind: "down" }, 3],
])("a tarball answered %i", async (status, expected, requests) => {
  const server = await serve((_request, response) => {
    response.writeHead(status).end("x");
  });
  expect(await open({ url: server.url }).tarball("axios", `${server.url}x.tgz`)).toMatchObject(expected);
  expect(server.requests).toHaveLength(requests);
});

test("a tarball's body that breaks, grows too large or drips ends in a fault; its place is free again", async () => {
  const server = await serve((request, response) => {
    if (request.url === "/breaks") response.writeHead(200, { "content-length": "9" }).write("1234", () => request.socket.destroy());
    else if (request.url === "/large") response.end(Buffer.alloc(2_000));
    else if (request.url === "/drips") response.write("1");
    else response.end("bytes");
  });
  const limits = { tarballBytes: 1_000, upstreamInFlight: 1, upstreamTarballsInFlight: 1, upstreamTarballMs: 200, upstreamIdleMs: 10_000 };
  const upstream = open({ url: server.url, limits });
  const read = async (path: string) => {
    const answer = await upstream.tarball("axios", server.url + path);
    return answer.kind === "tarball" ? readAll(answer.body) : answer;
  };
  await expect(read("breaks")).rejects.toMatchObject({
    code: "UPSTREAM_DOWN",
    message: expect.stringContaining("before the answer was complete"),
  });
  await expect(read("drips")).rejects.toMatchObject({
    code: "UPSTREAM_DOWN",
    message: expect.stringContaining("did not finish within 200 ms"),
  });
  expect(await read("large")).toMatchObject({ kind: "refused", message: expect.stringContaining("more than 1000 bytes") });
  expect(await read("fine")).toBe("bytes");
});

test("too large without saying so ends in the middle", async () => {
  const server = await serve((_request, response) => {
    response.write(Buffer.alloc(900));
    response.end(Buffer.alloc(900));
  });
  const answer = await open({ url: server.url, limits: { tarballBytes: 1_000 } }).tarball("axios", `${server.url}x.tgz`);
  await expect(answer.kind === "tarball" ? readAll(answer.body) : answer).rejects.toMatchObject({ code: "INPUT_TOO_LARGE" });
});

test("tarballs nobody finishes leave room for packuments, and an aborted one frees its place", async () => {
  const server = await serve((request, response) => {
    if (request.url?.endsWith(".tgz")) response.write("1");
    else response.end(PACKUMENT);
  });
  const upstream = open({ url: server.url, limits: { upstreamInFlight: 2, upstreamTarballsInFlight: 1 } });
  const first = await upstream.tarball("a", `${server.url}1.tgz`);
  const second = upstream.tarball("a", `${server.url}2.tgz`);
  expect(await upstream.packument("axios", {})).toMatchObject({ kind: "document" });
  expect(server.requests.map((request) => request.url)).toEqual(["/1.tgz", "/axios"]);
  expect(first.kind).toBe("tarball");
  if (first.kind === "tarball") first.abort();
  const next = await second;
  expect(next.kind).toBe("tarball");
  if (next.kind === "tarball") next.abort();
});

test("small requests pass with the headers of the list, both ways", async () => {
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "set-cookie": "a=b", "content-encoding": "gzip", "npm-notice": "buy" });
    response.end(gzipSync('{"keys":[]}'));
  });
  const answer = await open({ url: `${server.url}npm/`, credentials: [bearer(`//${server.host}/npm/`, "own")] }).pass({
    method: "POST",
    path: "/-/npm/v1/security/advisories/bulk?x=1",
    headers: { "content-type": "application/json", authorization: "Bearer client", cookie: "c=d", "x-forwarded-for": "1.2.3.4" },
    body: Buffer.from("{}"),
    hops: 1,
  });
  expect(answer).toMatchObject({ kind: "answer", status: 200, headers: { "content-type": "application/json" } });
  expect(answer.kind === "answer" && [text(answer.body), Object.keys(answer.headers)]).toEqual(['{"keys":[]}', ["content-type"]]);
  const [request] = server.requests;
  expect(request?.url).toBe("/npm/-/npm/v1/security/advisories/bulk?x=1");
  expect(request?.headers).toMatchObject({ authorization: "Bearer own", "x-cordon-hop": "2" });
  expect(request?.headers).not.toHaveProperty("cookie");
  expect(request?.headers).not.toHaveProperty("x-forwarded-for");
});

test("what an upstream lacks is an answer; what fails is down; a POST is asked once; nothing leaves the registry", async () => {
  const server = await serve((request, response) => {
    response
      .writeHead(request.url === "/npm/none" ? 404 : request.url === "/npm/not" ? 501 : request.url === "/npm/away" ? 302 : 503, {
        location: "/x",
      })
      .end();
  });
  const upstream = open({ url: `${server.url}npm/` });
  expect(await upstream.pass({ method: "GET", path: "none" })).toMatchObject({ kind: "answer", status: 404 });
  expect(await upstream.pass({ method: "GET", path: "not" })).toMatchObject({ kind: "answer", status: 501 });
  expect(await upstream.pass({ method: "GET", path: "away" })).toMatchObject({
    kind: "down",
    message: expect.stringContaining("redirects"),
  });
  expect(server.requests).toHaveLength(3);
  expect(await upstream.pass({ method: "POST", path: "audit" })).toMatchObject({ kind: "down" });
  expect(server.requests).toHaveLength(4);
  for (const path of ["../x", "https://evil.test/", "/https://evil.test/", "a/../../x", "%2e%2e/x"])
    await expect(upstream.pass({ method: "GET", path }), path).rejects.toMatchObject({ code: "USAGE" });
});

test("through a proxy with credentials; NO_PROXY goes round it", async () => {
  const server = await serve((_request, response) => response.end(PACKUMENT));
  const proxy = await serve((request, response) =>
    response.end(JSON.stringify({ via: request.url, auth: request.headers["proxy-authorization"] })),
  );
  const env = { http_proxy: `http://user:p%40ss@${proxy.host}` };
  const answer = await open({ url: "http://registry.test/", proxies: readProxies(env) }).packument("axios", {});
  expect(answer.kind === "document" && JSON.parse(text(answer.bytes))).toEqual({
    via: "http://registry.test/axios",
    auth: `Basic ${Buffer.from("user:p@ss").toString("base64")}`,
  });
  await open({ url: server.url, proxies: readProxies({ ...env, no_proxy: "127.0.0.1" }) }).packument("axios", {});
  expect(server.requests).toHaveLength(1);
  const dead = await open({ url: "http://registry.test/", proxies: readProxies({ http_proxy: "http://user:hush@127.0.0.1:1" }) }).packument(
    "axios",
    {},
  );
  expect(dead.kind).toBe("down");
  expect(JSON.stringify(dead)).not.toContain("hush");
});

test("tells a registry, another gate and itself apart", async () => {
  const server = await serve((request, response) => {
    if (request.url === "/gate/-/cordon/health") response.end(JSON.stringify({ schema: HEALTH_SCHEMA, instance: "g-1" }));
    else if (request.url?.startsWith("/pages")) response.end("<html>");
    else response.writeHead(404).end();
  });
  const at = (path: string) => open({ url: server.url + path });
  expect(await at("gate/").identify("g-1")).toEqual({ kind: "loop", instance: "g-1" });
  expect(await at("gate/").identify("g-2")).toEqual({ kind: "gate", instance: "g-1" });
  expect(await at("").identify("g-2")).toEqual({ kind: "registry" });
  expect(await at("pages/").identify("g-2")).toEqual({ kind: "registry" });
  server.server.close();
  server.server.closeAllConnections();
  expect(await at("").identify("g-2")).toMatchObject({ kind: "unknown" });
});

test("connections are used again after packuments, tarballs, redirects and refusals in turn", async () => {
  let connections = 0;
  const server = await serve((request, response) => {
    if (request.url === "/gone") response.writeHead(404).end("no");
    else if (request.url === "/moved.tgz") response.writeHead(302, { location: "/x.tgz" }).end("see there");
    else response.end(PACKUMENT);
  });
  server.server.on("connection", () => connections++);
  const upstream = open({ url: server.url });
  for (let round = 0; round < 3; round++) {
    await upstream.packument("axios", {});
    await upstream.packument("gone", {});
    const answer = await upstream.tarball("axios", `${server.url}moved.tgz`);
    if (answer.kind === "tarball") await readAll(answer.body);
    await upstream.pass({ method: "GET", path: "-/ping" });
  }
  expect(server.requests).toHaveLength(15);
  // A rest that is still being read may need a second one for a moment; nothing is torn down.
  expect(connections).toBeLessThanOrEqual(2);
});

test("closing ends what is under way, and nothing is tried again", async () => {
  const server = await serve(() => {});
  const upstream = open({ url: server.url });
  const asked = upstream.packument("axios", {});
  while (server.requests.length === 0) await new Promise(setImmediate);
  await upstream.close();
  expect(await asked).toMatchObject({ kind: "down" });
  expect(server.requests).toHaveLength(1);
});

test("closing ends the pause between two tries, and nothing is asked after it", async () => {
  const server = await serve((request, response) => response.writeHead(request.url === "/axios" ? 503 : 404).end());
  const upstream = open({ url: server.url, limits: { upstreamBackoffMs: 600_000, upstreamPackumentMs: 600_000 } });
  const asked = upstream.packument("axios", {});
  while (server.requests.length === 0) await new Promise(setImmediate);
  // What is asked later and answered says that the first answer has come too.
  await upstream.packument("gone", {});
  await upstream.close();
  expect(await asked).toMatchObject({ kind: "down" });
  expect(await upstream.packument("axios", {})).toMatchObject({ kind: "down" });
  expect(server.requests).toHaveLength(2);
});
