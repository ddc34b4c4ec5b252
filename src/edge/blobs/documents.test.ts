/** Packuments on disk keep the contract; beyond it: damage and bombs give nothing, and what nobody reads goes. */
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { digestOf, documentContract } from "../../../test/contract/documents.ts";
import { failingFiles } from "../../../test/contract/failing-files.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { DAY } from "../../core/base/time.ts";
import { openDocuments } from "./documents.ts";

documentContract("disk", async () => {
  const dataDir = tempFolder();
  const again = () => openDocuments({ dataDir });
  return { store: await again(), again };
});

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
    const store = await openDocuments({ dataDir });
    await store.put(digest, bytes);
    writeFileSync(pathOf(dataDir), damage(readFileSync(pathOf(dataDir))));
    expect(await store.get(digest)).toBeUndefined();
    await store.put(digest, bytes);
    expect(bytes.equals((await store.get(digest))!)).toBe(true);
  }
});

test("a file that unpacks beyond the ceiling gives nothing", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir });
  await store.put(digest, bytes);
  writeFileSync(pathOf(dataDir), gzipSync(Buffer.alloc(LIMITS.packumentBytes + 1), { level: 1 }));
  expect(await store.get(digest)).toBeUndefined();
});

test("what nobody read for long is swept, what was read is not", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir });
  const others = [Buffer.from("forgotten"), Buffer.from("fresh")];
  for (const one of [bytes, ...others]) await store.put(digestOf(one), one);
  const old = new Date(Date.now() - LIMITS.documentIdleMs - DAY);
  for (const one of [bytes, others[0]!]) utimesSync(pathOf(dataDir, digestOf(one)), old, old);
  await store.get(digest);
  expect(await store.sweep()).toBe(1);
  expect(await store.get(digest)).toBeDefined();
  expect(await store.get(digestOf(others[0]!))).toBeUndefined();
  expect(await store.get(digestOf(others[1]!))).toBeDefined();
});

test("files are their owner's alone, and nothing temporary stays", async () => {
  const dataDir = tempFolder();
  const store = await openDocuments({ dataDir });
  await store.put(digest, bytes);
  expect(statSync(pathOf(dataDir)).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(dataDir, "packuments", "tmp"))).toEqual([]);
});

test.each(["ENOSPC", "EIO"])("whichever call fails (%s): the caller is told, and no wrong bytes are ever given out", async (code) => {
  let failures = 0;
  for (let n = 1; ; n += 1) {
    const dataDir = tempFolder();
    const { files, failAt, struck } = failingFiles(code);
    const store = await openDocuments({ dataDir, files });
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
