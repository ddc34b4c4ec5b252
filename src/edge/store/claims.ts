/**
 * The claim log: what every feed said of every advisory, and when this cordon saw it; it answers "was it known at T?". Only ever added
 * to. Losable: what feeds say can be read again, but then "first seen" starts anew, and older moments have no answer.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Advisory, HeldAdvisory } from "../../core/advisory/advisory.ts";
import { type Instant, instant } from "../../core/base/time.ts";
import { openDatabase, type Statements } from "./driver.ts";
import { parseStored } from "./json.ts";
import { migrate, type Schema } from "./migrate.ts";

const SCHEMA: Schema = { applicationId: 0x636f7266, version: 1, steps: async () => (await import("./claims-schema.ts")).claimSteps() };

export type ClaimLog = Awaited<ReturnType<typeof openClaimLog>>;

/** One advisory of a feed as it stands in the log; no document: gone from the feed. */
export type LoggedClaim = {
  readonly document: string | undefined;
  readonly firstSeen: Instant;
  readonly withdrawnSeen: Instant | undefined;
};

/** What a sync adds. `document` undefined: the feed says nothing of it any more. */
export type ClaimChange = {
  readonly id: string;
  readonly document: string | undefined;
  readonly mass: boolean;
  readonly withdrawnSeen: Instant | undefined;
};

type Row = { readonly feed: string; readonly id: string; readonly document: string | null; readonly seen: number; readonly mass: number };
type Current = Row & { readonly first_seen: number; readonly withdrawn_seen: number | null };

/** Raises STORE_BROKEN naming the file when it cannot be used, STORE_NEWER when a newer cordon wrote it. */
export async function openClaimLog(directory: string) {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const database = await openDatabase(join(directory, "feeds.db"));
  try {
    await migrate(database, SCHEMA);
  } catch (error) {
    await database.close();
    throw error;
  }

  return {
    /** What a feed says now of these ids, gone ones too. Ids it never spoke of are left out. */
    async about(feed: string, ids: readonly string[]): Promise<ReadonlyMap<string, LoggedClaim>> {
      const rows = await database.read((sql) =>
        ids.flatMap((id) => sql.get<Current>(`${CURRENT} WHERE current.feed = ? AND current.id = ?`, [feed, id]) ?? []),
      );
      return new Map(rows.map((row) => [row.id, loggedOf(row)]));
    },

    /** All a feed says now, gone ones too, in pages: with hundreds of thousands there must never be more than one in memory. */
    pages,

    /** All or nothing. */
    add,

    /** Takes back that a sync was of too many names at once: a person looked. */
    async confirmMass(feed: string, seen: Instant): Promise<void> {
      const rows = await database.read((sql) =>
        sql.all<Current>(`${CURRENT} WHERE current.feed = ? AND log.mass = 1 AND log.document IS NOT NULL`, [feed]),
      );
      const changes = rows.map(({ id, document, withdrawn_seen: at }) => ({
        id,
        document: document!,
        mass: false,
        withdrawnSeen: at === null ? undefined : instant(at),
      }));
      await add(feed, changes, seen);
    },

    /** Everything the feeds say now, in pages. What is gone from a feed is still here, as withdrawn when it was seen to be gone. */
    async *held(feeds: readonly string[]): AsyncGenerator<readonly HeldAdvisory[]> {
      for (const feed of feeds)
        for await (const rows of rowPages(feed)) {
          const held: HeldAdvisory[] = [];
          for (const row of rows) {
            const last = row.document ?? (await lastSaid(feed, row.id));
            if (last !== undefined) held.push(heldOf(row, last));
          }
          yield held;
        }
    },

    /** What was known of a name at a moment, by each feed; newest form first seen by then. */
    async knownAt(name: string, at: Instant): Promise<readonly HeldAdvisory[]> {
      // Stored documents are our own JSON, so a name stands in them in exactly one way.
      const rows = await database.read((sql) =>
        sql.all<Row & { readonly seq: number }>(
          `SELECT seq, feed, id, document, seen, mass FROM log WHERE seen <= ? AND (feed, id) IN
             (SELECT feed, id FROM log WHERE instr(document, ?) > 0) ORDER BY feed, id, seq`,
          [at, `"name":${JSON.stringify(name)}`],
        ),
      );
      const histories = new Map<string, Row[]>();
      for (const row of rows) {
        const key = JSON.stringify([row.feed, row.id]);
        histories.set(key, [...(histories.get(key) ?? []), row]);
      }
      return [...histories.values()].flatMap((history) => {
        const newest = history.at(-1)!;
        const said = history.findLast(({ document }) => document !== null);
        if (said?.document === undefined || said.document === null) return [];
        const withdrawnSeen = firstWithdrawn(history);
        return [heldOf({ ...newest, first_seen: history[0]!.seen, withdrawn_seen: withdrawnSeen ?? null }, said.document)];
      });
    },

    /** When the first claim was seen. */
    async since(): Promise<Instant | undefined> {
      const first = await database.read((sql) => sql.get<{ seen: number }>("SELECT seen FROM log ORDER BY seq LIMIT 1"));
      return first && instant(first.seen);
    },

    close: () => database.close(),
  };

  async function* rowPages(feed: string): AsyncGenerator<readonly Current[]> {
    for (let after = ""; ;) {
      const rows = await database.read((sql) =>
        sql.all<Current>(`${CURRENT} WHERE current.feed = ? AND current.id > ? ORDER BY current.id LIMIT ${PAGE}`, [feed, after]),
      );
      if (rows.length > 0) yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  async function* pages(feed: string): AsyncGenerator<ReadonlyMap<string, LoggedClaim>> {
    for await (const rows of rowPages(feed)) yield new Map(rows.map((row) => [row.id, loggedOf(row)]));
  }

  async function add(feed: string, changes: readonly ClaimChange[], seen: Instant): Promise<void> {
    await database.write((sql) => {
      for (const change of changes) addOne(sql, feed, change, seen);
    });
    await database.flush();
  }

  async function lastSaid(feed: string, id: string): Promise<string | undefined> {
    const row = await database.read((sql) =>
      sql.get<{ document: string }>(
        "SELECT document FROM log WHERE feed = ? AND id = ? AND document IS NOT NULL ORDER BY seq DESC LIMIT 1",
        [feed, id],
      ),
    );
    return row?.document;
  }
}

/** Rows in memory at once: some hundred kilobytes. */
const PAGE = 2_000;

const CURRENT = "SELECT current.feed, current.id, document, seen, mass, first_seen, withdrawn_seen FROM current JOIN log USING (seq)";

function loggedOf(row: Current): LoggedClaim {
  return {
    document: row.document ?? undefined,
    firstSeen: instant(row.first_seen),
    withdrawnSeen: row.withdrawn_seen === null ? undefined : instant(row.withdrawn_seen),
  };
}

function addOne(sql: Statements, feed: string, { id, document, mass, withdrawnSeen }: ClaimChange, seen: Instant): void {
  sql.run("INSERT INTO log (feed, id, seen, mass, document) VALUES (?, ?, ?, ?, ?)", [feed, id, seen, mass ? 1 : 0, document ?? null]);
  sql.run(
    `INSERT INTO current (feed, id, seq, first_seen, withdrawn_seen) VALUES (?, ?, last_insert_rowid(), ?, ?)
       ON CONFLICT (feed, id) DO UPDATE SET seq = excluded.seq, withdrawn_seen = excluded.withdrawn_seen`,
    [feed, id, seen, withdrawnSeen ?? null],
  );
}

function heldOf({ feed, id, document, first_seen: first, withdrawn_seen: back, mass }: Current, last: string): HeldAdvisory {
  const advisory = parseStored<Advisory>(last, `advisory ${id} of feed ${feed}`);
  const gone = document === null && back !== null ? { withdrawn: instant(back) } : {};
  return {
    advisory: { ...advisory, ...gone },
    feed,
    firstSeen: instant(first),
    ...(back === null ? {} : { withdrawnSeen: instant(back) }),
    ...(mass === 1 ? { mass: true } : {}),
  };
}

/** When a claim that was held was first seen to be taken back, and stayed so to the end of this history. */
function firstWithdrawn(history: readonly Row[]): number | undefined {
  let since: number | undefined;
  let live = false;
  for (const { document, seen, id, feed } of history) {
    const back = document === null || parseStored<Advisory>(document, `advisory ${id} of feed ${feed}`).withdrawn !== undefined;
    if (!back) [live, since] = [true, undefined];
    else if (live && since === undefined) since = seen;
  }
  return since;
}
