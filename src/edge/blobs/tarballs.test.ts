/** Tarballs on disk keep the contract; beyond it: damage is noticed, leftovers go, and no failure makes half a file visible. */
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { blobContract, keep, streamed } from "../../../test/contract/blobs.ts";
import { failingFiles } from "../../../test/contract/failing-files.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { MINUTE } from "../../core/base/time.ts";
import { integrityOf } from "../../core/npm/integrity.ts";
import { openTarballs } from "./tarballs.ts";

blobContract("disk", async () => {
  const dataDir = tempFolder();
  const again = () => openTarballs({ dataDir, clock });
  return { store: await again(), again };
});

const clock = testClock("2026-03-31T12:00:00Z");
const bytes = randomBytes(50_000);
const integrity = integrityOf(bytes);

function pathOf(dataDir: string, sri = integrity): string {
  const hex = Buffer.from(sri.slice("sha512-".length), "base64").toString("hex");
  return join(dataDir, "tarballs", hex.slice(0, 2), `${hex.slice(2)}.tgz`);
}

const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  "one byte changed": (path) => {
    const content = readFileSync(path);
    content[100]! ^= 1;
    writeFileSync(path, content);
  },
  "cut short": (path) => writeFileSync(path, readFileSync(path).subarray(0, 1_000)),
  "a byte appended": (path) => appendFileSync(path, "x"),
  "another file in its place": (path) => {
    writeFileSync(`${path}.new`, randomBytes(50_000));
    renameSync(`${path}.new`, path);
  },
};

test.each(Object.keys(DAMAGE))(
  "a tarball with %s is moved aside and reported, after a restart and in the middle of a run",
  async (what) => {
    for (const restart of [true, false]) {
      const dataDir = tempFolder();
      const reported: string[] = [];
      const onDamaged = (path: string) => void reported.push(path);
      let store = await openTarballs({ dataDir, clock, onDamaged });
      await keep(store, integrity, bytes);
      const path = pathOf(dataDir);
      const opened = (await store.open(integrity))!;
      DAMAGE[what]!(path);
      if (restart) store = await openTarballs({ dataDir, clock, onDamaged });
      expect(await store.open(integrity)).toBeUndefined();
      expect(reported).toEqual([path]);
      expect(existsSync(path)).toBe(false);
      expect(existsSync(`${path}.damaged`)).toBe(true);
      // Whoever had it open before must not get other bytes either.
      await expect(opened.bytes()).rejects.toMatchObject({ code: "INTEGRITY_MISMATCH" });
      await expect(streamed(opened)).rejects.toMatchObject({ code: "INTEGRITY_MISMATCH" });
      // And it can be stored again.
      await keep(store, integrity, bytes);
      expect(bytes.equals(await (await store.open(integrity))!.bytes())).toBe(true);
    }
  },
);

test("a change that leaves size and times alone is noticed as long as the system keeps the time of change", async () => {
  const dataDir = tempFolder();
  const store = await openTarballs({ dataDir, clock });
  await keep(store, integrity, bytes);
  const path = pathOf(dataDir);
  const { atime, mtime } = statSync(path);
  DAMAGE["one byte changed"]!(path);
  utimesSync(path, atime, mtime);
  expect(await store.open(integrity)).toBeUndefined();
});

test("a tarball is hashed once, not on every read, and by many readers at once only once", async () => {
  const dataDir = tempFolder();
  await keep(await openTarballs({ dataDir, clock }), integrity, bytes);
  const { files, failAt, struck } = failingFiles("EIO");
  const store = await openTarballs({ dataDir, clock, files });
  await Promise.all(Array.from({ length: 10 }, () => store.open(integrity)));
  // From here on a look is one stat: a second call would fail.
  failAt(2);
  await store.open(integrity);
  expect(struck()).toBe(false);
});

test("an index that points to other bytes finds nothing, and those bytes stay", async () => {
  const dataDir = tempFolder();
  const store = await openTarballs({ dataDir, clock });
  const other = randomBytes(100);
  const weak = integrityOf(other, "sha1");
  await keep(store, weak, other);
  await keep(store, integrity, bytes);
  const index = join(dataDir, "tarballs", "by-digest", `sha1-${createHash("sha1").update(other).digest("hex")}`);
  writeFileSync(index, createHash("sha512").update(bytes).digest("hex"));
  const restarted = await openTarballs({ dataDir, clock });
  expect(await restarted.open(weak)).toBeUndefined();
  expect(await restarted.open(integrity)).toBeDefined();
  writeFileSync(index, "../../../../etc/passwd");
  expect(await restarted.open(weak)).toBeUndefined();
});

test("leftovers of dead writers go at start; those of living ones, of other machines and of this run stay for an hour", async () => {
  const dataDir = tempFolder();
  const store = await openTarballs({ dataDir, clock });
  const writer = await store.write(integrity);
  await writer.write(bytes);
  const folder = join(dataDir, "tarballs", "tmp");
  const own = readdirSync(folder)[0]!;
  const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  const dead = spawnSync(process.execPath, ["--version"]).pid;
  const living = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  onTestFinished(() => void living.kill("SIGKILL"));
  const names = {
    deadProcess: `${machine}-${dead}-00000000-aa`,
    earlierRunWithOurId: `${machine}-${process.pid}-00000000-bb`,
    living: `${machine}-${living.pid}-00000000-cc`,
    otherMachine: `00000000-${dead}-00000000-dd`,
    oldOfOtherMachine: `00000000-${dead}-00000000-ee`,
    oldNonsense: "notes.txt",
  };
  for (const name of Object.values(names)) writeFileSync(join(folder, name), "half a tarball");
  const [now, old] = [new Date(clock.now()), new Date(clock.now() - LIMITS.temporaryFileMs - MINUTE)];
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), now, now);
  for (const name of [names.oldOfOtherMachine, names.oldNonsense]) utimesSync(join(folder, name), old, old);
  await openTarballs({ dataDir, clock });
  expect(readdirSync(folder).sort()).toEqual([own, names.living, names.otherMachine].sort());
  expect(await writer.commit()).toMatchObject({ ok: true });
});

test("the folder may be thrown away while it is in use", async () => {
  const dataDir = tempFolder();
  const store = await openTarballs({ dataDir, clock });
  await keep(store, integrity, bytes);
  rmSync(join(dataDir, "tarballs"), { recursive: true });
  expect(await store.open(integrity)).toBeUndefined();
  await keep(store, integrity, bytes);
  expect(bytes.equals(await (await store.open(integrity))!.bytes())).toBe(true);
});

test("a tarball beyond the ceiling is refused and leaves nothing behind", async () => {
  const dataDir = tempFolder();
  const store = await openTarballs({ dataDir, clock });
  const writer = await store.write(integrity);
  const endless = { byteLength: LIMITS.tarballBytes + 1 } as Uint8Array;
  await expect(writer.write(endless)).rejects.toMatchObject({ code: "INPUT_TOO_LARGE" });
  expect(readdirSync(join(dataDir, "tarballs", "tmp"))).toEqual([]);
});

test("files and folders are their owner's alone", async () => {
  const dataDir = join(tempFolder(), "data");
  const store = await openTarballs({ dataDir, clock });
  await keep(store, integrityOf(bytes, "sha1"), bytes);
  const tree = readdirSync(dataDir, { recursive: true, withFileTypes: true });
  for (const entry of tree)
    expect(statSync(join(entry.parentPath, entry.name)).mode & 0o777, entry.name).toBe(entry.isDirectory() ? 0o700 : 0o600);
  expect(tree.length).toBeGreaterThanOrEqual(6);
});

test.each(["ENOSPC", "EIO"])(
  "whichever call fails (%s): the caller is told or has the bytes, and nothing half is ever visible",
  async (code) => {
    let failures = 0;
    for (const sri of [integrity, integrityOf(bytes, "sha1")]) {
      for (let n = 1; ; n += 1) {
        const dataDir = tempFolder();
        const { files, failAt, struck } = failingFiles(code);
        const store = await openTarballs({ dataDir, clock, files });
        failAt(n);
        const [written] = await Promise.allSettled([keep(store, sri, bytes.subarray(0, 20_000), bytes.subarray(20_000))]);
        const [read] = await Promise.allSettled([store.open(sri).then((blob) => blob?.bytes())]);
        const hit = struck();
        failAt(0);
        for (const outcome of [written!, read!]) {
          if (outcome.status === "rejected")
            expect(outcome.reason).toMatchObject({ code: "STORE_BROKEN", message: expect.stringContaining("tarballs") });
        }
        if (hit) failures += 1;
        const kept = await (await store.open(sri))?.bytes();
        if (kept) expect(bytes.equals(kept)).toBe(true);
        else expect(written!.status).toBe("rejected");
        await keep(store, sri, bytes);
        expect(bytes.equals(await (await (await openTarballs({ dataDir, clock })).open(sri))!.bytes())).toBe(true);
        if (!hit) break;
      }
    }
    expect(failures).toBeGreaterThan(15);
  },
);
