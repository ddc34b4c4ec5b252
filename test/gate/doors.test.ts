/** How a gate is reached: addresses it may listen on, TLS, a busy port, a proxy in front, and how it ends. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { assertSafe, basesOf, isLoopback, parseListen } from "../../src/surface/gate/listen.ts";
import { testCertificate } from "../kit/certificate.ts";
import { freePort, serve } from "../kit/loopback.ts";
import { writeFiles } from "../kit/temp.ts";
import { untilRefused } from "../kit/until.ts";
import { baseOf, openFixture, openGate, openProduct, receive } from "./open.ts";

test("beyond loopback a gate wants tokens, and TLS or a proxy in front", async () => {
  const open = { host: "0.0.0.0", port: 4870 };
  const none = { tokens: false, tls: false, behindProxy: false };
  expect(() => assertSafe({ host: "127.0.0.1", port: 1 }, none)).not.toThrow();
  for (const guards of [none, { ...none, tls: true }, { ...none, behindProxy: true }, { ...none, tokens: true }])
    expect(() => assertSafe(open, guards), JSON.stringify(guards)).toThrow(expect.objectContaining({ code: "LISTEN_UNSAFE" }));
  for (const guards of [
    { ...none, tokens: true, tls: true },
    { ...none, tokens: true, behindProxy: true },
  ])
    expect(() => assertSafe(open, guards)).not.toThrow();

  const fixture = await openFixture();
  const product = await openProduct({ fixture });
  const refused = await product.cordon(["gate", "--listen", "0.0.0.0:0"]);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no client token exists; create one with `cordon token create`"),
  });
  await product.cordon(["token", "create", "--project", "site"]);
  expect((await product.cordon(["gate", "--listen", "[::]:0"])).stderr).toContain("without TLS");
});

test("an address is what it says", () => {
  expect(parseListen(":4870")).toEqual({ host: "127.0.0.1", port: 4870 });
  expect(parseListen("[::1]:0")).toEqual({ host: "::1", port: 0 });
  for (const bad of ["4870", "localhost", "127.0.0.1:65536", "a:b:1", "[::1]", "http://x:1"])
    expect(() => parseListen(bad), bad).toThrow("is not HOST:PORT");
  expect(["127.0.0.1", "127.9.9.9", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.test"].some(isLoopback)).toBe(false);
  expect([...basesOf({ host: "0.0.0.0", port: 4870 }, "https", ["https://npm.corp.test"]).keys()]).toEqual(["npm.corp.test"]);
});

test("TLS: packuments name https tarballs, which a client that trusts the certificate gets", async () => {
  const { cert, key } = testCertificate("localhost");
  const { gate } = await openGate({ gate: { start: { tls: { cert, key } } } });
  const ask = (path: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      httpsGet({ host: gate.at.host, port: gate.at.port, path, ca: cert, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      }).on("error", reject);
    });
  const { versions } = JSON.parse((await ask("/@acme/core")).body) as { versions: Record<string, { dist: { tarball: string } }> };
  const { tarball } = versions["1.0.1"]!.dist;
  expect(tarball).toBe(`https://127.0.0.1:${gate.at.port}/@acme/core/-/core-1.0.1.tgz`);
  expect((await ask(new URL(tarball).pathname)).status).toBe(200);
  expect(gate.url).toBe(`https://localhost:${gate.at.port}/`);
  // The secure port does not speak plain HTTP.
  await expect(receive(baseOf(gate), "/@acme/core")).rejects.toThrow();
});

test("certificate and key are read from the files cordon.yaml names; one that is missing is said", async () => {
  const fixture = await openFixture();
  const product = await openProduct({ fixture, config: "tls: { cert: cert.pem, key: key.pem }\n" });
  expect(await product.cordon(["gate", "--listen", "127.0.0.1:0"])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("cert.pem does not exist"),
  });
});

test("a port that a cordon has is told from one that another program has", async () => {
  const { fixture, gate } = await openGate();
  const second = await openProduct({ fixture });
  const ours = await second.cordon(["gate", "--listen", `127.0.0.1:${gate.at.port}`]);
  expect(ours).toMatchObject({ code: 2, stderr: expect.stringContaining(`a cordon gate already answers on port ${gate.at.port}`) });
  const other = await serve((_request, response) => response.end("hello"));
  const theirs = await second.cordon(["gate", "--listen", other.host, "--json"]);
  expect(theirs.code).toBe(2);
  expect(JSON.parse(theirs.stdout)).toMatchObject({ code: "PORT_IN_USE", message: `port ${other.port} is in use by another program` });
});

test("what is under way when the gate is told to stop finishes, and nothing new begins", async () => {
  const { fixture, gate, base } = await openGate();
  await receive(base, "/host");
  let release: () => void = () => undefined;
  fixture.faults.add({ route: "tarball" }, { until: new Promise<void>((resolve) => (release = resolve)) });
  const underWay = receive(base, "/host/-/host-1.0.0.tgz");
  await expect.poll(() => fixture.log.find({ route: "tarball" }).length).toBe(1);
  const closed = gate.close(20_000);
  await expect.poll(() => receive(base, "/host").catch((error: NodeJS.ErrnoException) => error.code)).toBe("ECONNREFUSED");
  release();
  expect(await underWay).toMatchObject({ status: 200, whole: true });
  await closed;
});

test("whoever does not finish in time is cut off", async () => {
  const { fixture, gate, base } = await openGate();
  fixture.faults.add({ route: "packument" }, { until: new Promise(() => undefined) });
  const waiting = receive(base, "/host");
  await expect.poll(() => fixture.log.find({ route: "packument" }).length).toBe(1);
  await Promise.all([expect(waiting).rejects.toThrow(), gate.close(50)]);
});

test("an idle connection does not keep the gate from stopping", async () => {
  const { gate } = await openGate();
  const socket = connect(gate.at.port, gate.at.host);
  await new Promise((resolve) => socket.once("connect", resolve));
  await gate.close(20_000);
  await expect.poll(() => socket.destroyed || socket.readableEnded).toBe(true);
  socket.destroy();
});

test("forwarded addresses count only behind a proxy, and only the last hop's", async () => {
  for (const behindProxy of [false, true]) {
    const { gate, get } = await openGate({ gate: { start: { behindProxy } } });
    await get("/host/-/host-1.0.0.tgz", { "x-forwarded-for": "198.51.100.7, 203.0.113.9" });
    const [row] = await gate.app.ledger.tail({ limit: 1, kinds: ["serve"] });
    expect(row!.entry).toMatchObject({ asker: { from: behindProxy ? "203.0.113.9" : "127.0.0.1" } });
  }
});

test("what nobody waits for any more ends with the gate, without a word", async () => {
  const { fixture, gate, base, product } = await openGate();
  const names = ["axios", "chain-a", "chain-b", "fast-thing", "host"];
  for (const name of names) expect((await receive(base, `/${name}`)).status).toBe(200);
  await gate.app.ahead?.idle();
  // What they bring next is asked for and left; the upstream has not answered when the gate ends.
  fixture.clock.advance("1d");
  let release: () => void = () => undefined;
  const mend = fixture.faults.add({ route: "packument" }, { until: new Promise<void>((resolve) => (release = resolve)) });
  fixture.log.clear();
  const asked = names.map((name) => httpGet(`${base}${name}`).on("error", () => undefined));
  await expect.poll(() => fixture.log.find({ route: "packument" }).length).toBe(names.length);
  for (const one of asked) one.destroy();
  await gate.close(0);
  release();
  mend();
  const next = await product.gate();
  for (const name of names) expect((await receive(next.url, `/${name}`)).status).toBe(200);
  expect(product.log.filter(({ level }) => level !== "info")).toEqual([]);
});

test("what is no HTTP is answered 400 and let go of", async () => {
  const { gate, base } = await openGate();
  for (const said of [
    "\u0016\u0003\u0001\u0002\u0000",
    "GET /axios\r\n\r\n",
    "GET /axios HTTP/1.1\r\n\r\n",
    "GET /axios HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = connect(gate.at.port, gate.at.host);
    socket.on("error", () => undefined);
    let heard = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (heard += chunk));
    socket.end(said);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(heard, JSON.stringify(said.slice(0, 40))).toMatch(/^HTTP\/1\.1 4\d\d /);
  }
  expect((await receive(base, "/axios")).status).toBe(200);
});

test("the start lines are true, and --json says the same", async () => {
  const fixture = await openFixture();
  let stop: (why: string) => void = () => undefined;
  const stopped = (): Promise<string> => new Promise((resolve) => (stop = resolve));
  const product = await openProduct({
    fixture,
    stopped,
    config: "policy:\n  mode: { monitor: { owner: mara@example.test, expires: 2026-04-10 } }\n",
  });
  const running = product.cordon(["gate", "--listen", "127.0.0.1:0", "--json"]);
  await expect.poll(() => product.world.liveGate(product.data)).toBeDefined();
  const { url } = (await product.world.liveGate(product.data))!;
  expect((await receive(url, "/axios/-/axios-1.14.1.tgz")).status).toBe(200);
  stop("SIGTERM");
  const { code, stdout } = await running;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    schema: "cordon.gate/1",
    url,
    data: product.data,
    policy: "balanced",
    mode: "monitor",
    upstream: fixture.url,
  });
  expect(await product.world.liveGate(product.data)).toBeUndefined();
  await untilRefused(Number(new URL(url).port));
});

test("a gate is never its own upstream", async () => {
  const fixture = await openFixture();
  const product = await openProduct({ fixture });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const looped = await product.cordon(["gate", "--listen", `127.0.0.1:${port}`, "--upstream", url]);
  expect(looped).toMatchObject({ code: 2, stderr: expect.stringContaining(`${url} is this gate itself`) });
});

test("behind another gate it says so, and tells it how many it passed", async () => {
  const { fixture, base } = await openGate();
  let stop: (why: string) => void = () => undefined;
  const product = await openProduct({
    fixture: { url: base, clock: fixture.clock },
    stopped: () => new Promise((resolve) => (stop = resolve)),
  });
  const running = product.cordon(["gate", "--listen", "127.0.0.1:0"]);
  await expect.poll(() => product.world.liveGate(product.data)).toBeDefined();
  const { url } = (await product.world.liveGate(product.data))!;
  expect((await receive(url, "/host/-/host-1.0.0.tgz")).status).toBe(200);
  expect((await receive(url, "/axios/-/axios-1.14.1.tgz")).status).toBe(403);
  expect(
    new Set(fixture.log.entries.filter(({ name }) => name === "host" || name === "axios").map(({ headers }) => headers["x-cordon-hop"])),
  ).toEqual(new Set(["2"]));
  stop("SIGTERM");
  expect((await running).stderr).toContain("the upstream is another cordon gate");
});

test("two gates that are each other's upstream end the request, and nobody waits for anybody", async () => {
  const fixture = await openFixture();
  const [a, b] = [await freePort(), await freePort()];
  for (const [own, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const product = await openProduct({ fixture: { url: `http://127.0.0.1:${other}/`, clock: fixture.clock } });
    await product.gate({ start: { at: { host: "127.0.0.1", port: own } } });
  }
  for (const path of ["/axios", "/axios/-/axios-1.14.0.tgz", "/-/npm/v1/keys"]) {
    const { status, body } = await receive(`http://127.0.0.1:${a}/`, path);
    expect([403, 508], path).toContain(status);
    expect(body.toString(), path).toMatch(/answered (403|508)|too many gates/);
  }
});

test("a gate that cannot be started leaves no note and no open store behind", async () => {
  const fixture = await openFixture();
  const product = await openProduct({ fixture });
  writeFiles(product.home, { ".config/cordon/cordon.yaml": "listen: everywhere\n" });
  expect((await product.cordon(["gate"])).code).toBe(2);
  expect(await product.world.liveGate(product.data)).toBeUndefined();
});

test("health is asked by address, before anyone knows a name", async () => {
  const { gate } = await openGate({ gate: { requireTokens: false } });
  const status = await new Promise((resolve) =>
    httpGet(
      { host: gate.at.host, port: gate.at.port, path: "/-/cordon/health", headers: { host: "lb.corp.test" }, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    ),
  );
  expect(status).toBe(200);
});
