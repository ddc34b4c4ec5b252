/** The SQLite ledger keeps the contract; beyond it: nobody changes a row unnoticed, and no failure loses one. */
import { copyFileSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { FAILURES, failingEngine } from "../../../test/contract/failing.ts";
import { ledgerContract, serve } from "../../../test/contract/ledger.ts";
import { openForTest } from "../../../test/contract/sqlite.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { openDatabase, type Statements } from "./driver.ts";
import { openStore } from "./open.ts";

ledgerContract("sqlite", () => openForTest((store) => store.ledger));

const clock = testClock("2026-03-31T12:00:00Z");

async function opened(dataDir: string, chain?: string) {
  const store = await openStore({ dataDir, clock, ...(chain === undefined ? {} : { chain }) });
  onTestFinished(() => store.close());
  return store;
}

/** A closed ledger of two chains with five and three rows. */
async function written(): Promise<string> {
  const dataDir = tempFolder();
  for (const [chain, rows] of [
    ["one", 5],
    ["two", 3],
  ] as const) {
    const store = await openStore({ dataDir, clock, chain });
    for (let n = 0; n < rows; n += 1) await store.ledger.append([serve(`${n}.0.0`)]);
    await store.close();
  }
  return dataDir;
}

/** Changes the file as somebody with its password and no scruples would: the triggers go first. */
async function tamper(dataDir: string, work: (sql: Statements) => void): Promise<void> {
  const database = await openDatabase(join(dataDir, "ledger.db"));
  await database.write((sql) => {
    for (const { name } of sql.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'trigger'"))
      sql.exec(`DROP TRIGGER ${name}`);
    work(sql);
  });
  await database.close();
}

async function problems(dataDir: string, against?: Parameters<Awaited<ReturnType<typeof opened>>["ledger"]["verify"]>[0]) {
  const store = await openStore({ dataDir, clock, readOnly: true });
  const report = await store.ledger.verify(against);
  await store.close();
  return report.problems;
}

test("any one row edited, removed, moved or copied is noticed", async () => {
  const original = await written();
  expect(await problems(original)).toEqual([]);
  const id = fc.integer({ min: 1, max: 8 });
  const edit = fc.oneof(
    id.map((row) => (sql: Statements) => sql.run("DELETE FROM rows WHERE id = ?", [row])),
    fc
      .tuple(id, id)
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => (sql: Statements) => {
        // Which of two processes wrote first is nobody's claim: rows of different chains may stand in either order.
        const chain = (row: number) => sql.get<{ chain: string }>("SELECT chain FROM rows WHERE id = ?", [row])?.chain;
        if (chain(a) !== chain(b)) return sql.run("DELETE FROM rows WHERE id = ?", [a]);
        sql.run("UPDATE rows SET id = -1 WHERE id = ?", [a]);
        sql.run("UPDATE rows SET id = ? WHERE id = ?", [a, b]);
        return sql.run("UPDATE rows SET id = ? WHERE id = -1", [b]);
      }),
    fc
      .tuple(
        id,
        fc.constantFrom("chain = 'three'", "seq = seq + 1", "previous = hash", "hash = previous", "entry = replace(entry, '100', '101')"),
      )
      .map(
        ([row, change]) =>
          (sql: Statements) =>
            sql.run(`UPDATE rows SET ${change} WHERE id = ?`, [row]),
      ),
    id.map(
      (row) => (sql: Statements) =>
        sql.run("INSERT INTO rows (chain, seq, previous, hash, entry) SELECT chain, seq, previous, hash, entry FROM rows WHERE id = ?", [
          row,
        ]),
    ),
    id.map((row) => (sql: Statements) => sql.run("DELETE FROM rows WHERE id >= ?", [row])),
    fc.constantFrom("one", "two").map((chain) => (sql: Statements) => {
      sql.run("DELETE FROM rows WHERE chain = ?", [chain]);
      sql.run("DELETE FROM heads WHERE chain = ?", [chain]);
    }),
    fc
      .tuple(fc.constantFrom("one", "two"), fc.constantFrom("seq = seq - 1", "hash = 'x'", "at = at + 1", "signature = 'x'", "key = 'x'"))
      .map(
        ([chain, change]) =>
          (sql: Statements) =>
            sql.run(`UPDATE heads SET ${change} WHERE chain = ?`, [chain]),
      ),
    fc.constantFrom("one", "two").map((chain) => (sql: Statements) => sql.run("DELETE FROM heads WHERE chain = ?", [chain])),
  );
  await fc.assert(
    fc.asyncProperty(edit, async (change) => {
      const dataDir = tempFolder();
      for (const file of ["ledger.db", "ledger.key"]) copyFileSync(join(original, file), join(dataDir, file));
      copyFileSync(join(original, "cordon.db"), join(dataDir, "cordon.db"));
      await tamper(dataDir, change);
      expect(await problems(dataDir)).not.toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("rows and heads cannot be changed or removed by SQL while the triggers stand", async () => {
  const database = await openDatabase(join(await written(), "ledger.db"));
  onTestFinished(() => database.close());
  for (const sql of [
    "UPDATE rows SET entry = '{}' WHERE id = 1",
    "DELETE FROM rows WHERE id = 1",
    "UPDATE heads SET seq = seq - 1",
    "DELETE FROM heads",
  ]) {
    await expect(
      database.write((statements) => statements.run(sql)),
      sql,
    ).rejects.toThrow(/never|only grows/);
  }
});

test("a disk that was rolled back passes by itself and fails against a head kept elsewhere", async () => {
  const dataDir = await written();
  const before = join(tempFolder(), "ledger.db");
  copyFileSync(join(dataDir, "ledger.db"), before);
  const store = await openStore({ dataDir, clock, chain: "one" });
  await store.ledger.append([serve("9.0.0")]);
  const heads = await store.ledger.heads();
  await store.close();
  expect(await problems(dataDir, heads)).toEqual([]);
  copyFileSync(before, join(dataDir, "ledger.db"));
  expect(await problems(dataDir)).toEqual([]);
  expect(await problems(dataDir, heads)).toEqual([
    { chain: "one", seq: 5, problem: "it ends at row 5, the exported head is row 6: the disk was rolled back" },
  ]);

  // The thief goes on writing until the chain is long enough again.
  const rewritten = await openStore({ dataDir, clock, chain: "one" });
  await rewritten.ledger.append([serve("6.6.6")]);
  await rewritten.close();
  expect(await problems(dataDir)).toEqual([]);
  expect((await problems(dataDir, heads)).map(({ seq, problem }) => [seq, problem])).toEqual([
    [6, "it is not the row of the exported head: the ledger was rewritten"],
  ]);
});

test("a ledger whose key was replaced says so", async () => {
  const dataDir = await written();
  rmSync(join(dataDir, "ledger.key"));
  expect((await problems(dataDir)).map(({ problem }) => problem)).toEqual(["the signing key is gone", "the signing key is gone"]);
  await (await opened(dataDir)).close();
  expect((await problems(dataDir)).map(({ problem }) => problem)).toEqual(Array(2).fill("its head was signed with another key"));
});

test("processes that start at once share one key, which only its owner can read", async () => {
  const dataDir = tempFolder();
  const stores = await Promise.all(Array.from({ length: 4 }, () => opened(dataDir)));
  await Promise.all(stores.map((store) => store.ledger.append([serve("1.0.0")])));
  const heads = await stores[0]!.ledger.heads();
  expect(heads).toHaveLength(4);
  expect(new Set(heads.map((head) => head.key)).size).toBe(1);
  expect(statSync(join(dataDir, "ledger.key")).mode & 0o777).toBe(0o600);
  expect((await stores[0]!.ledger.verify()).problems).toEqual([]);
});

test("a key file that is no key is a broken store, and its text is not quoted", async () => {
  const dataDir = await written();
  copyFileSync(import.meta.filename, join(dataDir, "ledger.key"));
  const failure = await openStore({ dataDir, clock }).catch((error: unknown) => error as Error);
  expect(failure).toMatchObject({ code: "STORE_BROKEN", message: expect.stringContaining("ledger.key") });
  expect(String((failure as Error).cause ?? "")).not.toContain("import");
});

test.each(FAILURES)(
  "when SQLite fails at its n-th call (%s), append refuses, nothing acknowledged is lost, and it recovers",
  async (_what, error) => {
    let failed = 0;
    for (let n = 1; ; n += 1) {
      const dataDir = tempFolder();
      const engine = failingEngine(error);
      const store = await openStore({ dataDir, clock, openEngine: engine.open });
      await store.ledger.append([serve("1.0.0")]);
      engine.failAt(n);
      const outcomes = await Promise.allSettled([
        store.ledger.append([serve("2.0.0"), serve("2.0.1")]),
        store.ledger.append([serve("3.0.0")]),
      ]);
      const struck = engine.struck();
      engine.failAt(0);
      if (struck) {
        failed += 1;
        for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: { code: "STORE_BROKEN" } });
      }
      await store.ledger.append([serve("4.0.0")]);
      const rows = await store.ledger.tail({ limit: 10 });
      const versions = rows.map((row) => (row.entry as { version: string }).version);
      expect(versions).toEqual(struck ? ["1.0.0", "4.0.0"] : ["1.0.0", "2.0.0", "2.0.1", "3.0.0", "4.0.0"]);
      expect((await store.ledger.verify()).problems).toEqual([]);
      await store.close();
      if (!struck) break;
    }
    expect(failed).toBeGreaterThan(5);
  },
);

test("an unwritable write-ahead log is never taken for a durable one again", async () => {
  const dataDir = tempFolder();
  const store = await opened(dataDir);
  // A directory in its place: opening it for writing fails, as a vanished disk would.
  const database = await openDatabase(join(dataDir, "other.db"));
  await database.write((sql) => sql.exec("CREATE TABLE t (a)"));
  await database.flush();
  await database.close();
  await expect(database.flush()).rejects.toMatchObject({ code: "STORE_BROKEN" });
  await expect(database.flush()).rejects.toMatchObject({ code: "STORE_BROKEN" });
  await store.ledger.append([serve("1.0.0")]);
  expect(readFileSync(join(dataDir, "ledger.db-wal")).byteLength).toBeGreaterThan(0);
});
