/** Packuments on disk keep the contract; beyond it: damage and bombs give nothing, and what nobody reads goes. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { digestOf, documentContract } from "../../../test/contract/documents.ts";
import { failingFiles } from "../../../test/contract/failing-files.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { openDocuments } from "./documents.ts";

documentContract("disk", async () => {
  const dataDir = tempFolder();
  const again = () => openDocuments({ dataDir, clock });
  return { store: await again(), again };
});

const clock = testClock("2026-03-31T12:00:00Z");
const bytes = Buffer.from('{"name":"widget","versions":{}}'.repeat(100));
const digest = digestOf(bytes);

function pathOf(dataDir: string, of = digest): string {
  const hex = Buffer.from(of, "base64url").toString("hex");
  return join(dataDir, "packuments", hex.slice(0, 2), `${hex.slice(2)}.gz`);
}

test("a damaged document is dropped and can be stored again", async () => {
  for (const damage of [
    (file: Buffer) => file.subarray(0, 20),
    () => Buffer.from("no gzip"),
    () => gzipSync("other bytes"),
    () => Buffer.alloc(0),
  ]) {
    const dataDir = tempFolder();
    const store = await openDocuments({ dataDir, clock });
    await store.put(digest, bytes);
    writeFileSync(pathOf(dataDir), damage(readFileSync(pathOf(dataDir))));
    expect(await store.get(digest)).toBeUndefined();
    await store.put(digest, bytes);
    expect(bytes.equals((await store.get(digest))!)).toBe(true);
  }
});

test("a file that unpacks beyond the ceiling gives nothing", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir, clock });
  await store.put(digest, bytes);
  writeFileSync(pathOf(dataDir), gzipSync(Buffer.alloc(LIMITS.packumentBytes + 1), { level: 1 }));
  expect(await store.get(digest)).toBeUndefined();
});

test("what nobody read for a month is swept, once a day; what was read is not", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir, clock });
  const [forgotten, fresh] = [Buffer.from("forgotten"), Buffer.from("fresh")];
  for (const one of [bytes, forgotten, fresh]) {
    await store.put(digestOf(one), one);
    utimesSync(pathOf(dataDir, digestOf(one)), new Date(clock.now()), new Date(clock.now()));
  }
  clock.advance("29d");
  await store.get(digest);
  await store.get(digestOf(fresh));
  clock.advance("2d");
  await openDocuments({ dataDir, clock });
  await expect.poll(() => existsSync(pathOf(dataDir, digestOf(forgotten)))).toBe(false);
  expect(await store.get(digest)).toBeDefined();
  expect(await store.get(digestOf(fresh))).toBeDefined();
});

test("the folder may be thrown away while it is in use", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir, clock });
  await store.put(digest, bytes);
  rmSync(join(dataDir, "packuments"), { recursive: true });
  expect(await store.get(digest)).toBeUndefined();
  await store.put(digest, bytes);
  expect(bytes.equals((await store.get(digest))!)).toBe(true);
});

test("files are their owner's alone, and nothing temporary stays", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir, clock });
  await store.put(digest, bytes);
  expect(statSync(pathOf(dataDir)).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(dataDir, "packuments", "tmp"))).toEqual([]);
});

test.each(["ENOSPC", "EIO"])("whichever call fails (%s): the caller is told, and no wrong bytes are ever given out", async (code) => {
  let failures = 0;
  for (let n = 1; ; n += 1) {
    // Swept already: the sweep that opening starts must not take a call away from what is tested.
    const dataDir = tempFolder({ "packuments/swept": "" });
    const { files, failAt, struck } = failingFiles(code);
    const store = await openDocuments({ dataDir, clock, files });
    failAt(n);
    const outcomes = await Promise.allSettled([store.put(digest, bytes), store.get(digest)]);
    const hit = struck();
    failAt(0);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "STORE_BROKEN" });
    const kept = await store.get(digest);
    if (kept) expect(bytes.equals(kept)).toBe(true);
    await store.put(digest, bytes);
    expect(bytes.equals((await store.get(digest))!)).toBe(true);
    if (!hit) break;
    failures += 1;
  }
  expect(failures).toBeGreaterThan(3);
});
