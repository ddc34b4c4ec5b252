/** What happens when the file is damaged, foreign, from the future, locked or out of reach; and that a schema only moves forward. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { observe } from "../../core/facts/observe.ts";
import type { PackumentSummary } from "../../core/npm/summary.ts";
import { FAILURES, failingEngine } from "../../../test/contract/failing.ts";
import { testClock } from "../../../test/kit/clock.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { type Database, openDatabase, type Value } from "./driver.ts";
import { migrate, type Schema, type Step } from "./migrate.ts";
import { HISTORY_SCHEMA, openStore } from "./open.ts";

const clock = testClock("2026-03-31T12:00:00Z");

async function opened(path = join(tempFolder(), "test.db")): Promise<Database> {
  const database = await openDatabase(path);
  onTestFinished(() => database.close());
  return database;
}

test("a failing transaction leaves nothing behind, and the next one works", async () => {
  const database = await opened();
  await database.write((sql) => sql.exec("CREATE TABLE t (a INTEGER UNIQUE)"));
  const twice = database.write((sql) => {
    sql.run("INSERT INTO t VALUES (?)", [1]);
    sql.run("INSERT INTO t VALUES (?)", [1]);
  });
  await expect(twice).rejects.toThrow(/UNIQUE/);
  expect(await database.write((sql) => sql.run("INSERT INTO t VALUES (?)", [1]))).toBe(1);
  expect(await database.read((sql) => sql.all("SELECT a FROM t"))).toEqual([{ a: 1 }]);
});

test("values come back as they were stored; what SQLite cannot hold is refused before it gets there", async () => {
  const database = await opened();
  await database.write((sql) => sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER)"));
  const rows: [string | null, number | null][] = [
    ["", 0],
    ["quote ' and ü 🙂", 1_774_915_200_000],
    [null, -1],
    ["x".repeat(100_000), null],
  ];
  await database.write((sql) => rows.forEach((row) => sql.run("INSERT INTO t (a, b) VALUES (?, ?)", row)));
  expect(await database.read((sql) => sql.all("SELECT a, b FROM t ORDER BY id"))).toEqual(rows.map(([a, b]) => ({ a, b })));
  for (const value of [true, undefined, {}, 1n])
    await expect(
      database.write((sql) => sql.run("INSERT INTO t (a) VALUES (?)", [value as Value])),
      String(value),
    ).rejects.toThrow(TypeError);
});

test("a writer waits for another process's transaction without stopping the event loop", async () => {
  const path = join(tempFolder(), "test.db");
  const [one, other] = [await opened(path), await opened(path)];
  await one.write((sql) => sql.exec("CREATE TABLE t (a)"));
  // A transaction that is left open, as no process of ours would.
  await one.read((sql) => sql.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"));
  let written = false;
  const writing = other.write((sql) => sql.run("INSERT INTO t VALUES (2)")).then(() => (written = true));
  await sleep(150);
  expect(written).toBe(false);
  expect(await other.read((sql) => sql.all("SELECT a FROM t"))).toEqual([]);
  await one.read((sql) => sql.exec("COMMIT"));
  await writing;
  expect(await one.read((sql) => sql.all("SELECT a FROM t ORDER BY a"))).toEqual([{ a: 1 }, { a: 2 }]);
});

test("a snapshot does not see what is committed meanwhile", async () => {
  const path = join(tempFolder(), "test.db");
  const [one, other] = [await opened(path), await opened(path)];
  await one.write((sql) => sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)"));
  const counts = await one.snapshot((sql) => {
    const before = sql.all("SELECT a FROM t").length;
    void other.write((statements) => statements.run("INSERT INTO t VALUES (2)"));
    return [before, sql.all("SELECT a FROM t").length];
  });
  expect(counts).toEqual([1, 1]);
});

test("files and directory are their owner's alone", async () => {
  const dataDir = join(tempFolder(), "new", "data");
  const store = await openStore({ dataDir, clock });
  onTestFinished(() => store.close());
  await store.held.drop("a", "1.0.0");
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  for (const file of ["cordon.db", "cordon.db-wal", "ledger.db", "ledger.db-wal", "ledger.key"])
    expect(statSync(join(dataDir, file)).mode & 0o777, file).toBe(0o600);
});

test.each([
  [
    "text",
    (path: string) =>
      writeFileSync(path, "this is not a database, but it is longer than a header of one hundred bytes would be ...\n".repeat(20)),
  ],
  ["a truncated file", (path: string) => truncateSync(path, 6_000)],
  ["a damaged page", (path: string) => writeFileSync(path, damaged(readFileSync(path)))],
  ["a directory", (path: string) => mkdirSync(path)],
])("a file that is %s is a broken store, named", async (what, damage) => {
  const dataDir = tempFolder();
  if (what !== "a directory") await (await openStore({ dataDir, clock })).close();
  damage(join(dataDir, "cordon.db"));
  const use = async (): Promise<void> => {
    const store = await openStore({ dataDir, clock });
    onTestFinished(() => store.close());
    await store.held.list();
    await store.tokens.list();
    await store.packages.dependents("widget");
    await store.exceptions.read();
  };
  await expect(use()).rejects.toMatchObject({ code: "STORE_BROKEN", message: expect.stringContaining("cordon.db") });
});

/** Everything behind the first page is overwritten. */
function damaged(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 7)]);
}

test("somebody else's database is not touched", async () => {
  const path = join(tempFolder(), "cordon.db");
  const database = await opened(path);
  await database.write((sql) => sql.exec("CREATE TABLE theirs (a)"));
  await expect(migrate(database, HISTORY_SCHEMA)).rejects.toMatchObject({ code: "STORE_BROKEN" });
  expect(await database.read((sql) => sql.all("SELECT name FROM sqlite_schema"))).toEqual([{ name: "theirs" }]);
});

test("a data directory of a newer cordon is refused, the ledger's too", async () => {
  for (const file of ["cordon.db", "ledger.db"]) {
    const dataDir = tempFolder();
    await (await openStore({ dataDir, clock })).close();
    const database = await openDatabase(join(dataDir, file));
    await database.write((sql) => sql.exec("PRAGMA user_version = 99"));
    await database.close();
    await expect(openStore({ dataDir, clock })).rejects.toMatchObject({ code: "STORE_NEWER", message: expect.stringContaining(file) });
  }
});

const V1: Step = [
  { sql: "CREATE TABLE t (a TEXT)", parameters: [] },
  { sql: "INSERT INTO t VALUES (?)", parameters: ["from version 1"] },
];
const V2: Step = [
  { sql: "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7", parameters: [] },
  { sql: "CREATE TABLE u (c)", parameters: [] },
];

function schema(...steps: Step[]): Schema {
  return { applicationId: 0x74657374, version: steps.length, steps: () => Promise.resolve(steps) };
}

test("an old file is brought forward with what it holds, once, by whichever process comes first", async () => {
  const path = join(tempFolder(), "test.db");
  await migrate(await opened(path), schema(V1));
  const databases = [await opened(path), await opened(path), await opened(path)];
  await Promise.all(databases.map((database) => migrate(database, schema(V1, V2))));
  expect(await databases[0]!.read((sql) => sql.all("SELECT a, b FROM t"))).toEqual([{ a: "from version 1", b: 7 }]);
  await expect(migrate(databases[0]!, schema(V1))).rejects.toMatchObject({ code: "STORE_NEWER" });
});

test("a migration that fails leaves the old schema whole", async () => {
  const database = await opened();
  await migrate(database, schema(V1));
  const broken: Step = [...V2, { sql: "CREATE TABLE u (c)", parameters: [] }];
  await expect(migrate(database, schema(V1, broken))).rejects.toThrow(/already exists/);
  expect(await database.read((sql) => sql.all("SELECT name FROM sqlite_schema"))).toEqual([{ name: "t" }]);
  await migrate(database, schema(V1, V2));
});

test("the real history file of schema 1 is brought forward by a next step", async () => {
  const dataDir = tempFolder();
  const old = await openStore({ dataDir, clock });
  await old.tokens.add({ id: "t1", label: "ci", projects: ["*"], created: clock.now() }, "a".repeat(64));
  await old.close();
  const database = await opened(join(dataDir, "cordon.db"));
  const next: Step = [{ sql: "ALTER TABLE tokens ADD COLUMN note TEXT", parameters: [] }];
  const steps = async (): Promise<readonly Step[]> => [...(await HISTORY_SCHEMA.steps()), next];
  await migrate(database, { ...HISTORY_SCHEMA, version: HISTORY_SCHEMA.version + 1, steps });
  expect(await database.read((sql) => sql.all("SELECT id, label, note FROM tokens"))).toEqual([{ id: "t1", label: "ci", note: null }]);
  await expect(openStore({ dataDir, clock })).rejects.toMatchObject({ code: "STORE_NEWER" });
});

test("the schema number stated is the number of steps there are", async () => {
  expect(await HISTORY_SCHEMA.steps()).toHaveLength(HISTORY_SCHEMA.version);
});

test("a store opened for reading writes nothing, not even itself", async () => {
  const dataDir = tempFolder();
  await expect(openStore({ dataDir, clock, readOnly: true })).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  expect(existsSync(join(dataDir, "cordon.db"))).toBe(false);
  await (await openStore({ dataDir, clock })).close();
  const store = await openStore({ dataDir, clock, readOnly: true });
  onTestFinished(() => store.close());
  expect((await store.exceptions.read()).waivers).toEqual([]);
  const entry = { kind: "count", at: clock.now(), packuments: 1 } as const;
  await expect(store.ledger.append([entry])).rejects.toMatchObject({ code: "STORE_BROKEN" });
  await expect(store.held.drop("a", "1.0.0")).rejects.toMatchObject({ code: "STORE_BROKEN" });
});

test("a directory that cannot be written is named", async () => {
  const folder = tempFolder({ "a-file": "in the way" });
  chmodSync(join(folder, "a-file"), 0o400);
  await expect(openStore({ dataDir: join(folder, "a-file", "data"), clock })).rejects.toMatchObject({
    code: "DATA_UNUSABLE",
    message: expect.stringContaining("a-file"),
  });
});

test.each(FAILURES)("whichever call of opening fails (%s), it says so, and the next opening works", async (_what, error) => {
  const dataDir = tempFolder();
  for (let n = 1; ; n += 1) {
    const engine = failingEngine(error);
    engine.failAt(n);
    const opening = openStore({ dataDir, clock, openEngine: engine.open });
    const outcome = await opening.then(
      (store) => store,
      (failure: unknown) => failure as Error,
    );
    if ("close" in outcome) await outcome.close();
    else expect(outcome).toMatchObject({ code: "STORE_BROKEN" });
    if (!engine.struck()) break;
    const store = await openStore({ dataDir, clock });
    expect((await store.ledger.verify()).problems).toEqual([]);
    await store.close();
  }
});

test.each(FAILURES)("whichever call of a write fails (%s), the stored state is the old one or the new one", async (_what, error) => {
  const token = { id: "t1", label: "ci", projects: ["*"], created: clock.now() };
  const deny = { id: "d1", name: "widget", owner: "dana", reason: "bad", created: clock.now() };
  const record = observe(undefined, { summary: WIDGET, upstream: "https://registry.test/", at: clock.now() }).record;
  for (let n = 1; ; n += 1) {
    const dataDir = tempFolder();
    const engine = failingEngine(error);
    const store = await openStore({ dataDir, clock, openEngine: engine.open });
    const { epoch } = await store.exceptions.read();
    engine.failAt(n);
    const outcomes = await Promise.allSettled([
      store.tokens.add(token, "a".repeat(64)),
      store.exceptions.addDeny(deny),
      store.packages.put(record),
    ]);
    const struck = engine.struck();
    engine.failAt(0);
    const [added, denied, put] = outcomes.map((outcome) => outcome.status === "fulfilled");
    expect(added && denied && put).toBe(!struck);
    expect((await store.tokens.list()).length).toBe(added ? 1 : 0);
    const exceptions = await store.exceptions.read();
    expect([exceptions.denies.length, exceptions.epoch - epoch]).toEqual(denied ? [1, 1] : [0, 0]);
    expect(await store.packages.get("widget")).toEqual(put ? record : undefined);
    expect(await store.packages.dependents("helper")).toEqual(put ? ["widget"] : []);
    await store.close();
    if (!struck) break;
  }
});

const WIDGET: PackumentSummary = {
  name: "widget",
  digest: "d1",
  bytes: 100,
  tags: { latest: "1.0.0" },
  versions: [{ version: "1.0.0", integrity: "sha512-abc", requires: { helper: "^1.0.0" } }],
  problems: [],
  timed: false,
};
