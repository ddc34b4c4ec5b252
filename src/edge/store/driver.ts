/**
 * One small door to SQLite: `node:sqlite` where this Node has it without a flag, else the optional package `libsql`. Same SQL, same files.
 *
 * Everything runs synchronously inside `read` or `write`, so no transaction is ever open across an await and several processes can
 * share a file: whoever finds it locked waits, first inside SQLite for a moment, then outside with the event loop free.
 */
import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";

export type Value = string | number | null;

/** What a transaction may do. Statements are prepared once for each text and kept. */
export type Statements = {
  /** One or more statements without parameters. */
  exec(sql: string): void;
  get<R>(sql: string, parameters?: readonly Value[]): R | undefined;
  all<R>(sql: string, parameters?: readonly Value[]): readonly R[];
  /** Returns the number of rows changed. */
  run(sql: string, parameters?: readonly Value[]): number;
};

/** All methods raise STORE_BROKEN naming the file when it is damaged, full, unwritable, or locked for longer than `LIMITS.storeBusyMs`. */
export type Database = {
  readonly path: string;
  /** `work` must not await. A single statement sees one state of the file; several may not: see `snapshot`. */
  read<T>(work: (sql: Statements) => T): Promise<T>;
  /** Several reads of one state. */
  snapshot<T>(work: (sql: Statements) => T): Promise<T>;
  /** Runs `work` in one transaction that holds the write lock from its start; it may be run again when the lock is not free. */
  write<T>(work: (sql: Statements) => T): Promise<T>;
  /** Resolves when every commit so far will survive a power cut, without blocking the event loop. */
  flush(): Promise<void>;
  /** Closing twice is no mistake. */
  close(): Promise<void>;
};

/** The part of an SQLite library that is used. Rows are objects by column name. */
export type Engine = {
  exec(sql: string): void;
  prepare(sql: string): EngineStatement;
  close(): void;
};
export type EngineStatement = {
  get(parameters: readonly Value[]): unknown;
  all(parameters: readonly Value[]): unknown[];
  run(parameters: readonly Value[]): { readonly changes: number | bigint };
};
export type OpenEngine = (path: string) => Engine;

/**
 * Opens or creates a database file in write-ahead mode. `readOnly` refuses to create and to write.
 * Raises INPUT_UNREADABLE when there is no file to read, STORE_BROKEN when it is no usable database.
 */
export async function openDatabase(
  path: string,
  { readOnly = false, openEngine = sqliteEngine() }: { readonly readOnly?: boolean; readonly openEngine?: OpenEngine } = {},
): Promise<Database> {
  if (readOnly && !existsSync(path)) throw new Fault("INPUT_UNREADABLE", `there is no ${path} to read`);
  if (!readOnly) await createPrivately(path);
  const engine = openNamed(path, openEngine);
  const sql = statements(engine);
  const retried = <T>(work: () => T): Promise<T> => patiently(path, work);
  try {
    await retried(() => configure(path, sql, readOnly));
  } catch (error) {
    engine.close();
    throw error;
  }

  let log: Promise<FileHandle> | undefined;
  let lost: Fault | undefined;
  let closed = false;
  return {
    path,
    read: (work) => retried(() => work(sql)),
    snapshot: (work) => retried(() => transaction(sql, "BEGIN", work)),
    write: (work) => retried(() => transaction(sql, "BEGIN IMMEDIATE", work)),
    async flush() {
      // SQLite would sync on this thread. A commit is a complete record in the write-ahead log, and a checkpoint syncs what it
      // moves out of the log, so syncing the log through a handle of our own makes every commit before it durable.
      if (lost) throw lost;
      try {
        log ??= open(`${path}-wal`, "r+");
        await (await log).datasync();
      } catch (error) {
        // The kernel forgets what it failed to write: a second sync would succeed without it.
        lost = new Fault("STORE_BROKEN", `${path}: the disk did not take the last commits; restart cordon when it works again`, error);
        throw lost;
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      if (!readOnly) emptyLog(sql);
      engine.close();
      await (await log)?.close();
    },
  };
}

function openNamed(path: string, openEngine: OpenEngine): Engine {
  try {
    return openEngine(path);
  } catch (error) {
    // libsql gives no code here.
    throw new Fault("STORE_BROKEN", `${path}: ${BROKEN[resultCode(error)] ?? "it cannot be opened"}`, error);
  }
}

/** Creates the file for its owner only; SQLite gives its side files the same mode. Never opens an existing one: closing it would drop SQLite's locks. */
async function createPrivately(path: string): Promise<void> {
  if (existsSync(path)) return;
  try {
    await (await open(path, "wx", 0o600)).close();
    await syncDirectory(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new Fault("STORE_BROKEN", `cannot create ${path}`, error);
  }
}

/** Makes created, renamed and removed names in a directory durable. Not every platform can open one; those that cannot need not. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function configure(path: string, sql: Statements, readOnly: boolean): void {
  sql.exec(`PRAGMA busy_timeout = ${LIMITS.storeBlockMs}; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;`);
  if (readOnly) return sql.exec("PRAGMA query_only = ON");
  const mode = sql.get<{ journal_mode: string }>("PRAGMA journal_mode = WAL")?.journal_mode;
  if (mode !== "wal") throw new Fault("STORE_BROKEN", `${path}: SQLite cannot keep a write-ahead log there; use a local disk`);
  // The log is synced by `flush`; SQLite still syncs it before it moves anything out of it.
  sql.exec("PRAGMA synchronous = NORMAL");
}

/** Moves everything into the file itself, so that a copy of the file is whole. libsql does not: it closes when its statements are collected. */
function emptyLog(sql: Statements): void {
  try {
    sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Another process is reading, or the disk is full: the commits are safe where they are.
  }
}

const STATEMENTS_KEPT = 200;

function statements(engine: Engine): Statements {
  const prepared = new Map<string, EngineStatement>();
  const statement = (sql: string): EngineStatement => {
    let found = prepared.get(sql);
    if (!found) {
      if (prepared.size >= STATEMENTS_KEPT) prepared.clear();
      prepared.set(sql, (found = engine.prepare(sql)));
    }
    return found;
  };
  return {
    exec: (sql) => engine.exec(sql),
    get: <R>(sql: string, parameters: readonly Value[] = []) => statement(sql).get(checked(parameters)) as R | undefined,
    all: <R>(sql: string, parameters: readonly Value[] = []) => statement(sql).all(checked(parameters)) as readonly R[],
    run: (sql, parameters = []) => Number(statement(sql).run(checked(parameters)).changes),
  };
}

/** libsql aborts the whole process when it is handed a boolean: a type error must stay a type error. */
function checked(parameters: readonly Value[]): readonly Value[] {
  for (const value of parameters) {
    const usable = typeof value === "string" || typeof value === "number" || value === null;
    if (!usable) throw new TypeError(`a ${typeof value} cannot be stored`);
  }
  return parameters;
}

function transaction<T>(sql: Statements, begin: string, work: (sql: Statements) => T): T {
  // Never a bare writing statement outside of this: libsql leaves a statement that met a lock half open, and no commit works again.
  sql.exec(begin);
  try {
    const result = work(sql);
    sql.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      sql.exec("ROLLBACK");
    } catch {
      // A full disk or an I/O error has rolled it back already; the first error is the one to report.
    }
    throw error;
  }
}

async function patiently<T>(path: string, work: () => T): Promise<T> {
  for (let pause = 5, waited = 0; ; pause = Math.min(2 * pause, 200)) {
    try {
      return inWords(path, work);
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (waited >= LIMITS.storeBusyMs) throw new Fault("STORE_BROKEN", `${path} stays locked by another process`, error);
    }
    await sleep(pause);
    waited += pause;
  }
}

/** Primary result codes of https://www.sqlite.org/rescode.html that speak of the file, not of our statement. */
const BROKEN: Readonly<Record<number, string>> = {
  7: "there is not enough memory to read it",
  8: "it cannot be written",
  10: "the disk reports an error",
  11: "it is damaged",
  13: "the disk is full",
  14: "it cannot be opened",
  15: "its locks do not work there",
  26: "it is not a database",
};

function resultCode(error: unknown): number {
  const { errcode, rawCode } = error as { errcode?: unknown; rawCode?: unknown };
  const code = errcode ?? rawCode;
  return typeof code === "number" ? code & 0xff : 0;
}

function isBusy(error: unknown): boolean {
  return [5, 6].includes(resultCode(error));
}

/** Turns what SQLite says about the file into a fault that names it. A mistake in a statement of ours stays what it is. */
function inWords<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const words = BROKEN[resultCode(error)];
    throw words === undefined ? error : new Fault("STORE_BROKEN", `${path}: ${words}`, error);
  }
}

/** Raises STORE_BROKEN when this Node has no SQLite and libsql is not installed. */
export function sqliteEngine(): OpenEngine {
  const sqlite = nodeSqlite();
  if (!sqlite) return libsqlEngine();
  return (path) => {
    const database = new sqlite.DatabaseSync(path);
    return {
      exec: (sql) => database.exec(sql),
      prepare(sql) {
        const statement = database.prepare(sql);
        return {
          get: (parameters) => statement.get(...parameters),
          all: (parameters) => statement.all(...parameters),
          run: (parameters) => statement.run(...parameters),
        };
      },
      close: () => database.close(),
    };
  };
}

/** The part of Node's own module that is used; the type declarations of Node 20 do not know it. */
type NodeSqlite = {
  readonly DatabaseSync: new (path: string) => {
    exec(sql: string): void;
    prepare(sql: string): {
      get(...parameters: readonly Value[]): unknown;
      all(...parameters: readonly Value[]): unknown[];
      run(...parameters: readonly Value[]): { readonly changes: number | bigint };
    };
    close(): void;
  };
};

function nodeSqlite(): NodeSqlite | undefined {
  const emitWarning = process.emitWarning;
  // Node 22 calls the module experimental whenever it is loaded; whoever runs `cordon npm install` did not ask.
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite") as NodeSqlite | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function libsqlEngine(): OpenEngine {
  let Libsql: new (path: string) => Engine;
  try {
    Libsql = createRequire(import.meta.url)("libsql") as typeof Libsql;
  } catch (error) {
    throw new Fault("STORE_BROKEN", "no SQLite: Node before 22.13 needs the optional package libsql, which is not installed", error);
  }
  return (path) => new Libsql(path);
}
