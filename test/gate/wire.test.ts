/** What only shows in the bytes: validators, untouched manifests, compressed bodies, connections, ceilings on what clients send. */
import { Agent, get as httpGet, request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { send } from "../kit/http.ts";
import { openGate } from "./open.ts";

type Packument = { versions: Record<string, Record<string, unknown> & { dist: Record<string, unknown> }>; time: Record<string, string> };

test("P7: the validator is the gate's own, over what it answers, and changes with the policy", async () => {
  const { fixture, product, gate, get } = await openGate();
  const first = await get("/axios");
  const { etag } = first.headers;
  expect(first.headers).not.toHaveProperty("last-modified");
  const upstream = await send(fixture.url, { method: "GET", path: "/axios" });
  expect(etag).not.toBe(upstream.headers["etag"]);
  expect(await get("/axios", { "if-none-match": etag! })).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  expect(await get("/axios", { "if-none-match": `W/${etag!}, "other"` })).toMatchObject({ status: 304 });
  expect((await get("/axios", { "if-modified-since": new Date(fixture.clock.now()).toUTCString() })).status).toBe(200);
  const abbreviated = await get("/axios", { accept: "application/vnd.npm.install-v1+json" });
  expect(abbreviated.headers["etag"]).not.toBe(etag);

  // A time alone changes nothing in the answer: still the same validator.
  fixture.clock.advance("1h");
  expect((await get("/axios", { "if-none-match": etag! })).status).toBe(200); // 0.30.4 appeared upstream, and is withheld
  const later = (await get("/axios")).headers["etag"]!;
  fixture.clock.advance("10m");
  expect((await get("/axios", { "if-none-match": later })).status).toBe(304);

  await product.cordon(["deny", "add", "axios@1.14.0", "--reason", "incident 12"]);
  await gate.app.judgements.reload();
  const denied = await get("/axios", { "if-none-match": later });
  expect(denied.status).toBe(200);
  expect(Object.keys((JSON.parse(denied.body.toString()) as Packument).versions)).not.toContain("1.14.0");
});

test("P6: manifests pass through byte for byte, but for the URLs that must lead back here", async () => {
  const { fixture, base, get } = await openGate();
  fixture.attest("axios", "1.14.0", { attestations: [] });
  fixture.deprecate("axios", "1.13.6", "because");
  const upstream = (await send(fixture.url, { method: "GET", path: "/axios" })).body.toString();
  const ours = (await get("/axios")).body.toString();
  const { versions, time } = JSON.parse(ours) as Packument;
  const theirs = JSON.parse(upstream) as Packument;
  expect(Object.keys(versions).sort()).toEqual(
    Object.keys(theirs.versions)
      .filter((version) => version !== "1.14.1")
      .sort(),
  );
  for (const [version, manifest] of Object.entries(theirs.versions)) {
    const raw = JSON.stringify(manifest).replaceAll(fixture.url, base);
    expect(ours.includes(raw), version).toBe(version !== "1.14.1");
  }
  expect(Object.keys(time)).toEqual(["created", "modified", ...Object.keys(versions)]);
  expect(ours).not.toContain(fixture.url);
  expect(versions["1.14.0"]!.dist["attestations"]).toMatchObject({ url: `${base}-/npm/v1/attestations/axios@1.14.0` });
});

test("P5: the abbreviated form keeps digests and signatures, has a time for every version, and nothing of the full one", async () => {
  const { get } = await openGate();
  const full = JSON.parse((await get("/axios")).body.toString()) as Packument;
  const short = JSON.parse((await get("/axios", { accept: "application/vnd.npm.install-v1+json" })).body.toString()) as Packument;
  expect(short.time).toEqual(full.time);
  for (const [version, { dist, ...manifest }] of Object.entries(short.versions)) {
    expect(dist).toEqual(full.versions[version]!.dist);
    // pnpm reads the publisher from the abbreviated form where a registry gives it.
    expect(manifest["_npmUser"]).toEqual(full.versions[version]!["_npmUser"]);
    for (const field of ["scripts", "maintainers", "gitHead"]) expect(manifest).not.toHaveProperty(field);
  }
  expect(short).not.toHaveProperty("readme");
});

test("the keys of the registry are passed on unmodified, so that signatures can be verified through the gate", async () => {
  const { fixture, get } = await openGate();
  const upstream = await send(fixture.url, { method: "GET", path: "/-/npm/v1/keys" });
  expect((await get("/-/npm/v1/keys")).body.equals(upstream.body)).toBe(true);
});

test("npm sends its audit compressed", async () => {
  const { fixture, base } = await openGate();
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const post = (body: Buffer) => raw(base, "POST", "/-/npm/v1/security/advisories/bulk", headers, body);
  expect(await post(gzipSync(JSON.stringify({ leaky: ["1.0.0"] })))).toMatchObject({
    status: 200,
    body: expect.stringContaining("leaky writes secrets"),
  });
  expect(JSON.parse(fixture.log.find({ route: "audit" })[0]!.body)).toEqual({ leaky: ["1.0.0"] });
  // A small body may decode to anything.
  expect(await post(gzipSync(Buffer.alloc(60_000_000, " ")))).toMatchObject({ status: 400 });
  expect(await post(Buffer.from("no gzip"))).toMatchObject({ status: 400 });
  expect(fixture.log.find({ route: "audit" })).toHaveLength(1);
});

test("a body beyond the ceiling is answered 413 and not read to its end", async () => {
  const { base } = await openGate();
  const { hostname, port } = new URL(base);
  let sent = 0;
  const status = await new Promise<number>((resolve, reject) => {
    const asked = httpRequest({ hostname, port, method: "POST", path: "/-/npm/v1/security/advisories/bulk", agent: false }, (response) => {
      asked.off("error", reject).on("error", () => undefined);
      resolve(response.statusCode ?? 0);
      asked.destroy();
    });
    asked.on("error", reject);
    const more = (): void => {
      if (asked.destroyed || sent > 400_000_000) return;
      sent += 1_000_000;
      asked.write(Buffer.alloc(1_000_000, "["), more);
    };
    more();
  });
  expect(status).toBe(413);
  expect(sent).toBeLessThan(100_000_000);
});

test("P9: connections are kept, and HEAD says the length GET has", async () => {
  const { base, get } = await openGate();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<number | undefined>();
  for (const path of ["/axios", "/axios/-/axios-1.14.0.tgz", "/axios/-/axios-1.14.1.tgz", "/no-such-package"])
    await new Promise<void>((resolve, reject) => {
      httpGet(new URL(path.slice(1), base), { agent }, (response) => {
        sockets.add(response.socket.localPort);
        response.resume().on("end", resolve);
      }).on("error", reject);
    });
  agent.destroy();
  expect(sockets.size).toBe(1);
  for (const encoding of ["gzip", "identity"]) {
    const headers = { "accept-encoding": encoding };
    const head = await send(base, { method: "HEAD", path: "/axios", headers });
    expect(head.headers["content-length"]).toBe((await get("/axios", headers)).headers["content-length"]);
  }
});

test("A5: who asked is in the ledger: project, client, address", async () => {
  const { gate, get } = await openGate();
  await get("/p/site/npm/axios/-/axios-1.14.0.tgz", { "user-agent": "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false" });
  await get("/axios/-/axios-1.14.0.tgz", { "user-agent": "got (https://example.test)" });
  await get("/axios/-/axios-1.14.0.tgz");
  const rows = await gate.app.ledger.tail({ limit: 10, kinds: ["serve"] });
  expect(rows.map(({ entry }) => "asker" in entry && entry.asker)).toEqual([
    { project: "site", client: "npm/11.19.1", from: "127.0.0.1" },
    { client: "got", from: "127.0.0.1" },
    { from: "127.0.0.1" },
  ]);
});

test("packuments are counted by the minute and project, not row by row", async () => {
  const { gate, get } = await openGate();
  for (let n = 0; n < 5; n += 1) await get("/p/site/npm/@acme/core");
  await get("/@acme/core");
  await gate.app.flush();
  const rows = await gate.app.ledger.tail({ limit: 10, kinds: ["count"] });
  expect(rows.map(({ entry }) => entry)).toMatchObject([{ project: "site", packuments: 5 }, { packuments: 1 }]);
});

function raw(
  base: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
