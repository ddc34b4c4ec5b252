/** Bytes: no client gets a whole tarball that is not the one the registry lists, and every one it gets stands in the ledger first. */
import { createCipheriv, createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStore } from "../../src/edge/store/open.ts";
import { LIMITS } from "../../src/core/base/limits.ts";
import { markFetched } from "../../src/core/facts/observe.ts";
import type { Fixture } from "../kit/fixture.ts";
import { serve } from "../kit/loopback.ts";
import { baseOf, openFixture, openGate, openProduct, receive } from "./open.ts";

/** The same noise every time. */
function noise(bytes: number, seed: string): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

const sha512 = (bytes: Uint8Array): string => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** Just above what is verified before it is answered. */
const LARGE = LIMITS.tarballBufferBytes + 300_000;
const PATH = "/host/-/host-1.0.0.tgz";

/** Lists `body` as the tarball of host@1.0.0, and sends `sent` for it. */
function large(fixture: Fixture, body: Buffer, sent: Buffer = body, more: object = {}): void {
  const edit = (document: Record<string, unknown>): void => {
    const { dist } = (document["versions"] as Record<string, { dist: Record<string, unknown> }>)["1.0.0"]!;
    Object.assign(dist, { integrity: sha512(body), shasum: createHash("sha1").update(body).digest("hex") });
  };
  fixture.faults.add({ route: "packument", name: "host" }, { edit });
  fixture.faults.add({ route: "tarball", name: "host", version: "1.0.0" }, { body: sent, ...more });
}

async function kinds(gate: {
  app: { ledger: { tail(query: { limit: number }): Promise<readonly { entry: { kind: string } }[]> } };
}): Promise<string[]> {
  const rows = await gate.app.ledger.tail({ limit: 50 });
  return rows.map(({ entry }) => entry.kind).filter((kind) => kind !== "verdict" && kind !== "count");
}

test("a large tarball goes through while it is fetched, is kept, and is served from there", async () => {
  const { fixture, gate, base } = await openGate();
  const body = noise(LARGE, "right");
  large(fixture, body);
  const first = await receive(base, PATH);
  expect(first).toMatchObject({ status: 200, whole: true });
  expect(first.body.equals(body)).toBe(true);
  const asked = fixture.log.find({ route: "tarball" }).length;
  expect((await receive(base, PATH)).body.equals(body)).toBe(true);
  expect(fixture.log.find({ route: "tarball" })).toHaveLength(asked);
  expect(await kinds(gate)).toEqual(["serve", "serve"]);
});

test.each([
  ["with its length announced", {}],
  ["in chunks", { chunked: true }],
])("a large tarball that is another one is cut off before its end: %s", async (_how, more) => {
  const { fixture, gate, base, product } = await openGate();
  const listed = noise(LARGE, "right");
  const other = Buffer.from(listed);
  other[10] = other[10]! ^ 1;
  large(fixture, listed, other, more);
  for (let again = 0; again < 2; again += 1) {
    const got = await receive(base, PATH);
    expect(got.whole).toBe(false);
    expect(got.bytes).toBeLessThanOrEqual(LARGE - LIMITS.tarballTailBytes);
  }
  expect(await kinds(gate)).toEqual(["refuse", "alert", "refuse", "alert"]);
  expect(tarballsIn(product.data)).toEqual([]);
});

test("a large tarball that breaks off upstream breaks off here, and is neither kept nor in the ledger", async () => {
  const { fixture, gate, base, product } = await openGate();
  large(fixture, noise(LARGE, "right"), noise(LARGE, "right"), { truncate: LARGE - 1_000 });
  expect((await receive(base, PATH)).whole).toBe(false);
  expect(await kinds(gate)).toEqual([]);
  expect(tarballsIn(product.data)).toEqual([]);
});

test.each([
  ["breaks off", { truncate: 100 }, 502],
  ["ends early as if it were whole", { cut: 100 }, 403],
  ["is empty", { cut: 0 }, 403],
  ["has one bit changed", { wrongBytes: true }, 403],
  ["is a web page", { html: true }, 403],
] as const)("a small tarball that %s is never answered 200, and right again when the registry is", async (_what, fault, status) => {
  const { fixture, gate, get, product } = await openGate();
  const mend = fixture.faults.add({ route: "tarball" }, fault);
  expect((await get(PATH)).status).toBe(status);
  expect(tarballsIn(product.data)).toEqual([]);
  expect((await kinds(gate)).includes("serve")).toBe(false);
  mend();
  expect((await get(PATH)).status).toBe(200);
});

test("one wrong transfer is tried again before anything is said", async () => {
  const { fixture, gate, get } = await openGate();
  fixture.faults.add({ route: "tarball" }, { wrongBytes: true, times: 1 });
  expect((await get(PATH)).status).toBe(200);
  expect(await kinds(gate)).toEqual(["serve"]);
});

test("twenty clients who ask for the same tarball cost one download, and each has a row", async () => {
  const { fixture, gate, base, get } = await openGate();
  await get("/host");
  let release: () => void = () => undefined;
  fixture.faults.add({ route: "tarball" }, { until: new Promise<void>((resolve) => (release = resolve)) });
  const answers = Promise.all(Array.from({ length: 20 }, () => receive(base, PATH)));
  await expect.poll(() => fixture.log.find({ route: "tarball" }).length).toBe(1);
  release();
  expect((await answers).map(({ status, whole }) => [status, whole])).toEqual(Array.from({ length: 20 }, () => [200, true]));
  expect(fixture.log.find({ route: "tarball" })).toHaveLength(1);
  expect(await kinds(gate)).toHaveLength(20);
});

test("the row is there, for any other process, when the last byte is", async () => {
  const { product, fixture, base } = await openGate();
  large(fixture, noise(LARGE, "right"));
  const store = await openStore({ dataDir: product.data, clock: fixture.clock, readOnly: true });
  try {
    for (const [n, path] of ["/axios/-/axios-1.14.0.tgz", "/axios/-/axios-1.13.6.tgz", PATH, PATH].entries()) {
      expect((await receive(base, path)).whole).toBe(true);
      expect(await store.ledger.tail({ limit: 50, kinds: ["serve"] }), path).toHaveLength(n + 1);
    }
  } finally {
    await store.close();
  }
});

test("a stored tarball outlives the gate and the registry; one that was damaged on the disk is never served", async () => {
  const fixture = await openFixture();
  const product = await openProduct({ fixture });
  const first = await product.gate();
  const { body } = await receive(baseOf(first), PATH);
  await first.close();
  await fixture.down();

  const second = await product.gate();
  expect((await receive(baseOf(second), PATH)).body.equals(body)).toBe(true);
  const [file] = tarballsIn(product.data);
  const damaged = readFileSync(file!);
  damaged[50] = damaged[50]! ^ 1;
  writeFileSync(file!, damaged);
  expect((await receive(baseOf(second), PATH)).status).toBe(503);
  expect(product.log.map(({ what }) => what)).toContain("a stored tarball is damaged; it was moved aside");
  await fixture.up();
  expect((await receive(baseOf(second), PATH)).body.equals(body)).toBe(true);
});

test("a tarball that lies elsewhere is fetched only from hosts somebody configured", async () => {
  const elsewhere = await serve((_request, response) => response.end("not yours"));
  const { fixture, gate, get } = await openGate();
  fixture.faults.add({ route: "tarball" }, { redirect: elsewhere.url });
  const refused = await get(PATH);
  expect(refused).toMatchObject({ status: 403, reason: expect.stringContaining(elsewhere.host) });
  expect(elsewhere.requests).toHaveLength(0);

  fixture.faults.clear();
  const edit = (document: Record<string, unknown>): void => {
    (document["versions"] as Record<string, { dist: Record<string, unknown> }>)["1.1.0"]!.dist["tarball"] =
      `${elsewhere.url}host-1.1.0.tgz`;
  };
  fixture.faults.add({ route: "packument", name: "host" }, { edit });
  fixture.clock.advance("10m");
  expect(await get("/host/-/host-1.1.0.tgz")).toMatchObject({ status: 403, reason: expect.stringContaining(elsewhere.host) });
  expect(elsewhere.requests).toHaveLength(0);
  expect(await kinds(gate)).toEqual(["refuse", "refuse"]);
});

test("a configured host may answer, without our credentials, and its bytes are judged by the registry's digest", async () => {
  const fixture = await openFixture();
  const elsewhere = await serve((_request, response) => response.end("not yours"));
  const product = await openProduct({ fixture, config: `upstream:\n  redirects: ["${elsewhere.host}"]\n` });
  const gate = await product.gate();
  fixture.faults.add({ route: "tarball" }, { redirect: elsewhere.url });
  expect((await receive(baseOf(gate), PATH)).status).toBe(403);
  expect(elsewhere.requests.length).toBeGreaterThan(0);
  expect(elsewhere.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  expect(await kinds(gate)).toEqual(["refuse", "alert"]);
});

test("a packument is never followed to another host", async () => {
  const elsewhere = await serve((_request, response) => response.end("{}"));
  const { fixture, get } = await openGate();
  fixture.faults.add({ route: "packument" }, { redirect: elsewhere.url });
  expect(await get("/host")).toMatchObject({ status: 403, reason: expect.stringContaining("redirects the packument") });
  expect(elsewhere.requests).toHaveLength(0);
});

function tarballsIn(data: string): string[] {
  return readdirSync(join(data, "tarballs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".tgz"))
    .map((path) => join(data, "tarballs", path));
}

/** Bytes with the same sha1 as others cannot be made here, so what we had before is written into the history by hand. */
test.each([
  ["small", 5_000],
  ["large", LARGE],
])("a version listed by sha1 alone is held to the first bytes we had of it: %s", async (_size, bytes) => {
  const { fixture, gate, base, product } = await openGate();
  const body = noise(bytes, "now");
  fixture.faults.add(
    { route: "packument", name: "host" },
    {
      edit: (document) => {
        const { dist } = (document["versions"] as Record<string, { dist: Record<string, unknown> }>)["1.0.0"]!;
        delete dist["integrity"];
        dist["shasum"] = createHash("sha1").update(body).digest("hex");
      },
    },
  );
  fixture.faults.add({ route: "tarball", name: "host", version: "1.0.0" }, { body });
  expect((await receive(base, "/host")).status).toBe(200);
  const first = sha512(noise(bytes, "then"));
  await gate.app.knowledge.amend("host", (record) => markFetched(record, "1.0.0", first, fixture.clock.now()).record);
  const got = await receive(base, PATH);
  expect(got.whole && got.status === 200).toBe(false);
  expect(await kinds(gate)).toContain("alert");
  expect(tarballsIn(product.data)).toEqual([]);
  // From now on its packument no longer lists it either.
  expect((await receive(base, PATH)).status).toBe(403);
});
