/**
 * Waivers, denies and freezes. Trusted; not losable; not safe to roll back (a revoked waiver would live again).
 * Every change raises the epoch in the same transaction, and every process that shares the file notices within a second.
 */
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { Deny, Exceptions, Freeze } from "../../core/policy/policy.ts";
import type { Waiver } from "../../core/policy/verdict.ts";
import type { Database, Statements } from "./driver.ts";
import { parseStored } from "./json.ts";

type Kinds = { readonly waiver: Waiver; readonly deny: Deny; readonly freeze: Freeze };
type Kind = keyof Kinds;

export function exceptionStore(database: Database) {
  const watchers = new Set<(epoch: number) => void>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let seen: number | undefined;

  async function add<K extends Kind>(kind: K, document: Kinds[K]): Promise<void> {
    await database.write((sql) => {
      sql.run("INSERT INTO exceptions (kind, id, document) VALUES (?, ?, ?)", [kind, document.id, JSON.stringify(document)]);
      raiseEpoch(sql);
    });
    await settle();
  }

  /** Ends one by marking it; false when there is none, or it ended before. */
  async function end<K extends Kind>(kind: K, id: string, mark: (document: Kinds[K]) => Kinds[K] | undefined): Promise<boolean> {
    const changed = await database.write((sql) => change(sql, kind, id, mark) && raiseEpoch(sql));
    await settle();
    return changed;
  }

  /** A change is on disk before anybody is told that it holds; a look that began before it may have missed it. */
  async function settle(): Promise<void> {
    await database.flush();
    await looking;
    if (timer) await look();
  }

  function look(): Promise<void> {
    looking ??= lookNow().finally(() => (looking = undefined));
    return looking;
  }

  async function lookNow(): Promise<void> {
    // Whoever is told reads the exceptions again, and meets the fault where it can refuse because of it.
    const epoch = await database.read(currentEpoch).catch(() => UNREADABLE);
    if (epoch === seen && epoch !== UNREADABLE) return;
    seen = epoch;
    for (const watcher of watchers) watcher(epoch);
  }

  return {
    async read(): Promise<Exceptions> {
      const { epoch, rows } = await database.snapshot((sql) => ({
        epoch: currentEpoch(sql),
        rows: sql.all<{ kind: Kind; id: string; document: string }>("SELECT kind, id, document FROM exceptions ORDER BY kind, id"),
      }));
      const of = <K extends Kind>(kind: K): Kinds[K][] =>
        rows.filter((row) => row.kind === kind).map((row) => parseStored<Kinds[K]>(row.document, `${kind} ${row.id}`));
      return { epoch, waivers: of("waiver"), denies: of("deny"), freezes: of("freeze") };
    },
    addWaiver: (waiver: Waiver): Promise<void> => add("waiver", waiver),
    addDeny: (deny: Deny): Promise<void> => add("deny", deny),
    addFreeze: (freeze: Freeze): Promise<void> => add("freeze", freeze),
    revokeWaiver: (id: string, at: Instant, by: string): Promise<boolean> =>
      end("waiver", id, (waiver) => (waiver.revoked ? undefined : { ...waiver, revoked: { at, by } })),
    removeDeny: (id: string, at: Instant, by: string): Promise<boolean> =>
      end("deny", id, (deny) => (deny.removed ? undefined : { ...deny, removed: { at, by } })),
    liftFreeze: (id: string, at: Instant, by: string): Promise<boolean> =>
      end("freeze", id, (freeze) => (freeze.lifted ? undefined : { ...freeze, lifted: { at, by } })),
    async touchWaiver(id: string, at: Instant): Promise<void> {
      await database.write((sql) =>
        change(sql, "waiver", id, (waiver) => (waiver.used !== undefined && waiver.used >= at ? undefined : { ...waiver, used: at })),
      );
    },

    /** Looks every `LIMITS.epochPollMs`, and calls back at the first look too: the epoch may have moved since the caller read. */
    watch(onChange: (epoch: number) => void): () => void {
      watchers.add(onChange);
      timer ??= setInterval(() => void look(), LIMITS.epochPollMs).unref();
      return () => {
        watchers.delete(onChange);
        if (watchers.size === 0) close();
      };
    },
    close,
  };

  function close(): void {
    clearInterval(timer);
    timer = undefined;
    watchers.clear();
  }
}

/** Told to watchers, again and again, while the store cannot be read. */
const UNREADABLE = -1;

function currentEpoch(sql: Statements): number {
  return sql.get<{ epoch: number }>("SELECT epoch FROM epoch")!.epoch;
}

function raiseEpoch(sql: Statements): boolean {
  return sql.run("UPDATE epoch SET epoch = epoch + 1") > 0;
}

/** False when there is no such document, or nothing to change in it. */
function change<K extends Kind>(sql: Statements, kind: K, id: string, to: (document: Kinds[K]) => Kinds[K] | undefined): boolean {
  const row = sql.get<{ document: string }>("SELECT document FROM exceptions WHERE kind = ? AND id = ?", [kind, id]);
  const after = row && to(parseStored(row.document, `${kind} ${id}`));
  if (!after) return false;
  return sql.run("UPDATE exceptions SET document = ? WHERE kind = ? AND id = ?", [JSON.stringify(after), kind, id]) > 0;
}
