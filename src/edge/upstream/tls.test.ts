import { createServer } from "node:https";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { testCertificate } from "../../../test/kit/certificate.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { listen, serve } from "../../../test/kit/loopback.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { resolveUpstream } from "./config.ts";
import type { UpstreamLimits } from "./limits.ts";
import { openUpstream } from "./registry.ts";

const own = testCertificate("registry.test");

async function serveTls() {
  const seen: (string | undefined)[] = [];
  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false }, (incoming, response) => {
    const socket = incoming.socket as import("node:tls").TLSSocket;
    seen.push(socket.getPeerCertificate().subject?.CN as string | undefined);
    response.end('{"name":"axios"}');
  });
  return { port: await listen(server), seen };
}

async function open(
  npmrc: string,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
  limits: Partial<UpstreamLimits> = {},
) {
  const home = tempFolder({ ".npmrc": npmrc, "ca.pem": own.cert, ...files });
  const place = { env: { ...env, PREFIX: home }, home, execPath: "/none/bin/node", platform: "linux" as const };
  const upstream = openUpstream(await resolveUpstream({}, place), {
    clock: testClock("2026-03-31T00:00:00Z"),
    jitter: () => 0,
    limits: { upstreamBackoffMs: 1, ...limits },
    lookup: (_name, options, answer) => (options.all ? answer(null, [{ address: "127.0.0.1", family: 4 }]) : answer(null, "127.0.0.1", 4)),
  });
  onTestFinished(upstream.close);
  return upstream;
}

test("a certificate nobody vouches for stops the request, and strict-ssl=false changes nothing", async () => {
  const { port, seen } = await serveTls();
  const upstream = await open(`registry=https://127.0.0.1:${port}/\nstrict-ssl=false`);
  expect(await upstream.packument("axios", {})).toMatchObject({
    kind: "down",
    message: expect.stringMatching(/certificate of 127\.0\.0\.1:\d+ cannot be verified .*cafile/),
  });
  expect(seen).toEqual([]);
});

test("npm's cafile vouches for it; a certificate for another name is still refused", async () => {
  const { port } = await serveTls();
  expect(await (await open(`registry=https://registry.test:${port}/\ncafile=~/ca.pem`)).packument("axios", {})).toMatchObject({
    kind: "document",
  });
  expect(await (await open(`registry=https://other.test:${port}/\ncafile=~/ca.pem`)).packument("axios", {})).toMatchObject({
    kind: "down",
    message: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
  });
});

test("a client certificate is shown to its registry only", async () => {
  const [mine, other] = [await serveTls(), await serveTls()];
  const client = testCertificate("client.test");
  const home = tempFolder({ "c.pem": client.cert, "k.pem": client.key });
  const upstream = await open(
    [
      `registry=https://127.0.0.1:${other.port}/`,
      `@acme:registry=https://127.0.0.1:${mine.port}/npm/`,
      `//127.0.0.1:${mine.port}/npm/:certfile=${home}/c.pem`,
      `//127.0.0.1:${mine.port}/npm/:keyfile=${home}/k.pem`,
      "cafile=~/ca.pem",
    ].join("\n"),
  );
  expect(await upstream.packument("@acme/ui", {})).toMatchObject({ kind: "document" });
  await upstream.packument("axios", {});
  expect([mine.seen, other.seen]).toEqual([["cordon test"], [undefined]]);
});

test("a certificate file that holds none is said at once", async () => {
  const broken = open(
    "registry=https://a.test/\ncafile=~/bad.pem",
    {},
    { "bad.pem": "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n" },
  );
  await expect(broken).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("cafile") });
});

test("https through a proxy is a tunnel: the proxy sees a host, never a path or token", async () => {
  const { port } = await serveTls();
  const seen: unknown[] = [];
  const proxy = await serve(() => {});
  proxy.server.on("connect", (incoming, socket) => {
    seen.push([incoming.url, incoming.headers["proxy-authorization"], incoming.headers.authorization]);
    const onward = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  const upstream = await open(
    `registry=https://registry.test:${port}/\n//registry.test:${port}/:_authToken=hush\ncafile=~/ca.pem\nhttps-proxy=http://u:p@${proxy.host}`,
  );
  expect(await upstream.packument("axios", {})).toMatchObject({ kind: "document" });
  expect(seen).toEqual([[`registry.test:${port}`, `Basic ${Buffer.from("u:p").toString("base64")}`, undefined]]);
});

test("a proxy that refuses is named as the reason", async () => {
  const proxy = await serve(() => {});
  proxy.server.on("connect", (_incoming, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
  const upstream = await open(`registry=https://registry.test/\nhttps-proxy=http://u:hush@${proxy.host}`);
  const answer = await upstream.packument("axios", {});
  expect(answer).toMatchObject({ kind: "down", message: expect.stringMatching(/through the proxy.*407/) });
  expect(JSON.stringify(answer)).not.toContain("hush");
});

test("a proxy that never answers is given up like an upstream", async () => {
  const proxy = await serve(() => {});
  proxy.server.on("connect", () => {});
  const limits = { upstreamHeadersMs: 40, upstreamTries: 1 };
  const upstream = await open(`registry=https://registry.test/\nhttps-proxy=http://${proxy.host}`, {}, {}, limits);
  expect(await upstream.packument("axios", {})).toMatchObject({ kind: "down", message: "registry.test sent no answer within 40 ms" });
});

test("a plain-text server behind https is not taken for a registry", async () => {
  const server = await serve((_request, response) => response.end("{}"));
  const upstream = await open(`registry=https://127.0.0.1:${server.port}/`);
  expect(await upstream.packument("axios", {})).toMatchObject({ kind: "down" });
});
