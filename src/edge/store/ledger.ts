/**
 * The ledger on disk: rows that are only added, each hashed over the one before it, a signed head for each writing process.
 * Not losable; verified on read; a rolled-back disk is detected against a head kept elsewhere, not by itself.
 * Nothing here is ever dropped: an entry is durable before its `append` resolves, or `append` rejects and the caller refuses.
 */
import { type KeyObject, randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { canonical } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock, Instant } from "../../core/base/time.ts";
import { CHAIN_START, headSigner, rowHash, type StoredRow, verification } from "../../core/ledger/chain.ts";
import type { LedgerEntry, LedgerHead, LedgerQuery, LedgerReport, LedgerRow, ServedPage } from "../../core/ledger/entry.ts";
import type { Database, Statements } from "./driver.ts";
import { parseStored } from "./json.ts";
import { migrate, type Schema, type Statement } from "./migrate.ts";

const SCHEMA: Schema = {
  applicationId: 0x636f726c,
  version: 1,
  steps: async () => (await import("./ledger-schema.ts")).ledgerSteps(),
};

export type LedgerOptions = {
  readonly clock: Clock;
  /** Absent when the ledger is opened for reading and its key is gone. */
  readonly key: KeyObject | undefined;
  /** Name of the chain this process writes; random when absent. */
  readonly chain?: string | undefined;
  readonly readOnly?: boolean;
};

type Unless = { readonly query: Statement; holds(rows: readonly LedgerRow[]): boolean };
type Waiting = {
  readonly entries: readonly string[];
  readonly unless?: Unless;
  resolve(written: boolean): void;
  reject(error: unknown): void;
};

export async function openLedger(database: Database, { clock, key, chain = newChain(), readOnly = false }: LedgerOptions) {
  await migrate(database, SCHEMA, { readOnly });
  const signer = key && headSigner(key);
  const queue: Waiting[] = [];
  let working: Promise<void> | undefined;

  /** Commits what has gathered, again and again while there is more: a new group gathers while the disk takes the last one. */
  async function work(): Promise<void> {
    while (queue.length > 0) {
      await nextTurn();
      const group = queue.splice(0, callsPerGroup(queue));
      try {
        const written = await commit(
          group.flatMap((waiting) => waiting.entries),
          group[0]?.unless,
        );
        for (const waiting of group) waiting.resolve(written);
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
    }
    working = undefined;
  }

  async function commit(entries: readonly string[], unless: Unless | undefined): Promise<boolean> {
    if (!signer) throw new Fault("STORE_BROKEN", `${database.path} was opened for reading`);
    const written = await database.write((sql) => {
      if (unless?.holds(rowsOf(sql, unless.query).toReversed())) return false;
      let { seq, hash } = sql.get<{ seq: number; hash: string }>("SELECT seq, hash FROM heads WHERE chain = ?", [chain]) ?? START;
      for (const entry of entries) {
        const previous = hash;
        seq += 1;
        hash = rowHash(previous, chain, seq, entry);
        sql.run("INSERT INTO rows (chain, seq, previous, hash, entry) VALUES (?, ?, ?, ?, ?)", [chain, seq, previous, hash, entry]);
      }
      const head = signer.sign({ chain, seq, hash, at: clock.now() });
      sql.run(
        `INSERT INTO heads (chain, seq, hash, at, signature, key) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at, signature = excluded.signature, key = excluded.key`,
        [head.chain, head.seq, head.hash, head.at, head.signature, head.key],
      );
      return true;
    });
    if (written) await database.flush();
    return written;
  }

  function enqueue(entries: readonly string[], unless?: Unless): Promise<boolean> {
    return new Promise((resolve, reject) => {
      queue.push({ entries, ...(unless === undefined ? {} : { unless }), resolve, reject });
      working ??= work();
    });
  }

  return {
    chain,

    async append(entries: readonly LedgerEntry[]): Promise<void> {
      if (entries.length > 0) await enqueue(entries.map(canonical));
    },

    async appendUnless(entry: LedgerEntry, query: LedgerQuery, holds: Unless["holds"]): Promise<boolean> {
      const { tailQuery } = await import("./ledger-schema.ts");
      return enqueue([canonical(entry)], { query: tailQuery(query), holds });
    },

    async tail(query: LedgerQuery): Promise<readonly LedgerRow[]> {
      const { tailQuery } = await import("./ledger-schema.ts");
      const rows = await database.read((sql) => rowsOf(sql, tailQuery(query)));
      return query.oldest === true ? rows : rows.toReversed();
    },

    /** By windows of ids, each read in one turn, so that a gate goes on answering while it reads what it served in a month. */
    async served({ since, after }: { readonly since: Instant; readonly after?: number }): Promise<ServedPage> {
      const { oldestSince, servedBetween } = await import("./ledger-schema.ts");
      await nextTurn();
      return database.read((sql) => {
        const ask = <R>({ sql: text, parameters }: Statement): readonly R[] => sql.all<R>(text, parameters as readonly (string | number)[]);
        const newest = newestId(sql);
        const from = after ?? (ask<{ id: number }>(oldestSince(since))[0]?.id ?? newest + 1) - 1;
        const next = Math.min(from + LIMITS.ledgerPage, newest);
        const served = ask<ServedPage["served"][number]>(servedBetween({ from, next, since }));
        return { served, next: Math.max(from, next), done: next >= newest };
      });
    },

    /** Ends with the newest row at the time of the call. */
    async *export(): AsyncGenerator<LedgerRow, void, undefined> {
      const newest = await database.read(newestId);
      for await (const page of pages(database, newest)) yield* page.map(toRow);
    },

    heads(): Promise<readonly LedgerHead[]> {
      return database.read(allHeads);
    },

    async verify(against: readonly LedgerHead[] = []): Promise<LedgerReport> {
      // Rows and heads are written together: what is compared must be read together, while others go on writing.
      const { heads, newest, ever } = await database.snapshot((sql) => ({
        heads: allHeads(sql),
        newest: newestId(sql),
        ever: sql.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'rows'")?.seq ?? 0,
      }));
      const check = verification({ heads, key: signer?.key, newest: Math.max(newest, ever), against });
      for await (const page of pages(database, newest)) {
        for (const row of page) check.row(row);
        await nextTurn();
      }
      return check.report();
    },

    /** Waits for what is being appended, then closes the file. */
    async close(): Promise<void> {
      await working;
      await database.close();
    },
  };
}

/** How many calls from the front fit into one transaction; the entries of one call stay together, and one with a condition stands alone. */
function callsPerGroup(queue: readonly Waiting[]): number {
  let calls = 0;
  let rows = 0;
  for (const { entries, unless } of queue) {
    rows += entries.length;
    if ((rows > LIMITS.ledgerGroupRows || unless) && calls > 0) break;
    calls += 1;
    if (unless) break;
  }
  return calls;
}

function rowsOf(sql: Statements, { sql: text, parameters }: Statement): readonly LedgerRow[] {
  return sql.all<StoredRow>(text, parameters as readonly (string | number)[]).map(toRow);
}

const START = { seq: 0, hash: CHAIN_START };

/** 72 random bits: no two processes ever share a chain by accident. */
function newChain(): string {
  return randomBytes(9).toString("base64url");
}

function newestId(sql: Statements): number {
  return sql.get<{ newest: number | null }>("SELECT max(id) AS newest FROM rows")?.newest ?? 0;
}

function allHeads(sql: Statements): readonly LedgerHead[] {
  return sql.all<LedgerHead>("SELECT chain, seq, hash, at, signature, key FROM heads ORDER BY chain");
}

/** All rows up to an id in the order of their commit, a page at a time, so that neither memory nor a transaction grows with the ledger. */
async function* pages(database: Database, newest: number): AsyncGenerator<readonly StoredRow[], void, undefined> {
  for (let after = 0; after < newest;) {
    const page = await database.read((sql) =>
      sql.all<StoredRow>("SELECT id, chain, seq, previous, hash, entry FROM rows WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", [
        after,
        newest,
        LIMITS.ledgerPage,
      ]),
    );
    if (page.length === 0) return;
    yield page;
    after = page.at(-1)!.id;
  }
}

function toRow({ chain, seq, previous, hash, entry }: StoredRow): LedgerRow {
  return { chain, seq, previous, hash, entry: parseStored<LedgerEntry>(entry, `ledger row ${seq} of chain ${chain}`) };
}
