/**
 * History: one record for each package. Trusted; losing it weakens age and tag answers; not safe to roll back.
 * Several processes write it: what is put is joined with what is stored, never laid over it.
 */
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock, Instant } from "../../core/base/time.ts";
import { ageOf } from "../../core/facts/facts-of.ts";
import { historyOf, type PackageRecord } from "../../core/facts/history.ts";
import { mergeRecords } from "../../core/facts/merge.ts";
import type { Database, Statements } from "./driver.ts";
import { decodeRecord, encodeRecord, type StoredRecord } from "./record.ts";

type Cached = { readonly revision: number; readonly record: PackageRecord; readonly bytes: number };

export function packageStore(database: Database, clock: Clock) {
  const cache = recordCache();

  /** The row's revision tells whether another process has written it since we read it. */
  function load(sql: Statements, name: string): Cached | undefined {
    const found = sql.get<{ revision: number }>("SELECT revision FROM packages WHERE name = ?", [name]);
    if (!found) return undefined;
    const known = cache.get(name, found.revision);
    if (known) return known;
    const row = sql.get<StoredRecord & { revision: number }>(
      "SELECT revision, head, body FROM packages JOIN bodies USING (name) WHERE name = ?",
      [name],
    )!;
    return { revision: row.revision, record: decodeRecord(name, row), bytes: row.body.length };
  }

  return {
    async get(name: string): Promise<PackageRecord | undefined> {
      const found = await database.read((sql) => load(sql, name));
      if (found) cache.keep(name, found);
      return found?.record;
    },

    /** Every package this gate has a record of. */
    async names(): Promise<readonly string[]> {
      const rows = await database.read((sql) => sql.all<{ name: string }>("SELECT name FROM packages ORDER BY name"));
      return rows.map(({ name }) => name);
    },

    async put(record: PackageRecord): Promise<void> {
      const { name } = record;
      const written = await database.write((sql): Cached => {
        const stored = load(sql, name);
        const joined = stored ? mergeRecords(stored.record, record) : record;
        const { head, body } = encodeRecord(joined);
        const revision = (stored?.revision ?? 0) + 1;
        sql.run(
          "INSERT INTO packages (name, revision, head) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, head = excluded.head",
          [name, revision, head],
        );
        const changed = sql.run(
          "INSERT INTO bodies (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
          [name, body],
        );
        if (changed > 0) index(sql, joined, clock.now());
        return { revision, record: joined, bytes: body.length };
      });
      cache.keep(name, written);
    },

    /** Only versions younger than `LIMITS.matureMs` count: older ones are judged without their dependencies. */
    async dependents(name: string): Promise<readonly string[]> {
      const rows = await database.read((sql) =>
        sql.all<{ name: string }>("SELECT name FROM requires WHERE dependency = ? AND until > ? ORDER BY name", [name, clock.now()]),
      );
      return rows.map((row) => row.name);
    },

    forget: () => cache.clear(),
  };
}

/** Rewrites the reverse index of one package: dependency → this package, until the newest version that requires it is mature. */
function index(sql: Statements, record: PackageRecord, now: Instant): void {
  const wanted = new Map<string, number>();
  for (const entry of record.summary.versions) {
    const history = entry.requires && historyOf(record, entry.version);
    if (!history) continue;
    const until = ageOf(record, history, false).start + LIMITS.matureMs;
    if (until <= now) continue;
    for (const dependency of Object.keys(entry.requires)) wanted.set(dependency, Math.max(wanted.get(dependency) ?? 0, until));
  }
  sql.run("DELETE FROM requires WHERE name = ?", [record.name]);
  for (const [dependency, until] of wanted) {
    sql.run("INSERT INTO requires (dependency, name, until) VALUES (?, ?, ?)", [dependency, record.name, until]);
  }
}

/** Records already parsed, the least recently used ones dropped first, weighed by the bytes of their stored form. */
function recordCache() {
  const kept = new Map<string, Cached>();
  let bytes = 0;
  function drop(name: string): void {
    bytes -= kept.get(name)?.bytes ?? 0;
    kept.delete(name);
  }
  return {
    get(name: string, revision: number): Cached | undefined {
      const found = kept.get(name);
      return found?.revision === revision ? found : undefined;
    },
    keep(name: string, record: Cached): void {
      drop(name);
      kept.set(name, record);
      bytes += record.bytes;
      for (const oldest of kept.keys()) {
        if (bytes <= LIMITS.recordCacheBytes) break;
        drop(oldest);
      }
    },
    clear(): void {
      kept.clear();
      bytes = 0;
    },
  };
}
