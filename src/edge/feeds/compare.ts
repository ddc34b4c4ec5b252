/** Compares what a feed says, record by record as it is read, with what the log holds; keeps what differs and nothing else. */
import type { Advisory, AdvisoryProblem, AdvisoryReading, Affected } from "../../core/advisory/advisory.ts";
import { newlyDenied } from "../../core/advisory/feeds.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { redact } from "../../core/base/text.ts";
import { type Instant, instant } from "../../core/base/time.ts";
import type { ClaimChange, ClaimLog, LoggedClaim } from "../store/claims.ts";
import { parseStored } from "../store/json.ts";

export type Comparison = {
  /** What the log must be told so that it says what the feed says. */
  readonly changes: ReadonlyMap<string, Omit<ClaimChange, "mass">>;
  readonly added: number;
  readonly changed: number;
  readonly withdrawn: number;
  /** Records in force that are gone from the feed. */
  readonly lost: number;
  /** Records in force that it has now. */
  readonly records: number;
  /** Newest `modified` that was read. */
  readonly newest: Instant | undefined;
  /** Records read of which something can be used. */
  readonly read: number;
  readonly problems: number;
  readonly firstProblems: readonly AdvisoryProblem[];
  /** Names of which something is newly denied. */
  readonly denied: ReadonlySet<string>;
  /** What is newly denied of one of them. */
  deniedOf(name: string): Promise<readonly Affected[]>;
};

/** Records compared at once: few enough to be forgotten soon, many enough for one look into the log. */
const BATCH = 1_000;

type Shown = (count: number) => void;

/**
 * `readings` are the whole feed, or, where `listed` is given, what of it need be read: then `listed` says which other records it still has,
 * and `records` how many were in force before.
 */
export async function compareWith(
  log: Pick<ClaimLog, "about" | "pages">,
  feed: string,
  readings: AsyncIterable<AdvisoryReading>,
  at: Instant,
  shown: Shown,
  part?: { readonly listed: ReadonlyMap<string, Instant>; readonly records: number },
): Promise<Comparison> {
  const changes = new Map<string, Omit<ClaimChange, "mass">>();
  /** Every id that was read, and what became of it; ids of records of which nothing could be used keep what they said before. */
  const seen = new Map<string, number>();
  const unread = new Set<string>();
  /** By name the ids that newly deny something of it. */
  const denied = new Map<string, string | readonly string[]>();
  const firstProblems: AdvisoryProblem[] = [];
  let problems = 0;
  let newest = 0;
  let count = 0;

  // Of a feed that is read for the first time nothing need be looked up, a quarter of a million times.
  const isNew = (await log.pages(feed).next()).done === true;
  const about = async (ids: readonly string[]) => (isNew ? NOTHING : log.about(feed, ids));
  const stored = (id: string, document: string | undefined): Advisory | undefined =>
    document === undefined ? undefined : parseStored<Advisory>(document, `advisory ${id}`);

  async function settle(batch: ReadonlyMap<string, Advisory>): Promise<void> {
    const before = await about([...batch.keys()]);
    for (const [id, advisory] of batch) {
      const old = before.get(id);
      const was = stored(id, old?.document);
      const document = JSON.stringify(advisory);
      const live = advisory.withdrawn === undefined;
      const wasLive = was !== undefined && was.withdrawn === undefined;
      const differs = old?.document !== document;
      seen.set(id, (live ? LIVE : 0) + (wasLive ? WAS_LIVE : 0) + (was ? KNOWN : 0) + (differs ? DIFFERS : 0));
      if (!differs) changes.delete(id);
      else changes.set(id, { id, document, withdrawnSeen: live ? undefined : wasLive ? at : old?.withdrawnSeen });
      for (const { name } of differs ? newlyDenied(was, advisory) : []) denied.set(name, withOne(denied.get(name), id));
    }
  }

  /** What was read of an id before, in this batch or an earlier one. */
  async function earlier(id: string, batch: ReadonlyMap<string, Advisory>): Promise<Advisory | undefined> {
    if (batch.has(id) || !seen.has(id)) return batch.get(id);
    return stored(id, changes.get(id)?.document ?? (await about([id])).get(id)?.document);
  }

  let batch = new Map<string, Advisory>();
  for await (const { advisory, problem } of readings) {
    if (problem) {
      problems += 1;
      if (firstProblems.length < LIMITS.feedProblems) firstProblems.push({ ...problem, reason: redact(problem.reason) });
      if (!advisory && problem.id !== undefined) unread.add(problem.id);
    }
    if (advisory) {
      // The same id twice is one advisory that speaks of both.
      const first = await earlier(advisory.id, batch);
      batch.set(advisory.id, first ? { ...advisory, affected: [...first.affected, ...advisory.affected] } : advisory);
      newest = Math.max(newest, advisory.modified ?? 0);
      if (batch.size >= BATCH) {
        await settle(batch);
        batch = new Map();
      }
    }
    if (++count % 5_000 === 0) shown(count);
  }
  await settle(batch);

  let lost = 0;
  for await (const page of log.pages(feed))
    for (const [id, old] of page) {
      if (old.document === undefined || seen.has(id) || unread.has(id) || part?.listed.has(id) === true) continue;
      const wasLive = stored(id, old.document)!.withdrawn === undefined;
      if (wasLive) lost += 1;
      changes.set(id, { id, document: undefined, withdrawnSeen: wasLive ? at : old.withdrawnSeen });
    }

  const tally = { added: 0, changed: 0, withdrawn: lost, live: 0, before: lost };
  for (const flags of seen.values()) {
    const has = (flag: number) => (flags & flag) !== 0;
    if (has(LIVE)) tally.live += 1;
    if (has(WAS_LIVE)) tally.before += 1;
    if (!has(DIFFERS)) continue;
    if (has(WAS_LIVE) && !has(LIVE)) tally.withdrawn += 1;
    else if (has(KNOWN)) tally.changed += 1;
    else if (has(LIVE)) tally.added += 1;
  }
  return {
    changes,
    added: tally.added,
    changed: tally.changed,
    withdrawn: tally.withdrawn,
    lost,
    records: part ? part.records - tally.before + tally.live : tally.live,
    newest: newest === 0 ? undefined : instant(newest),
    read: seen.size,
    problems,
    firstProblems,
    denied: new Set(denied.keys()),
    async deniedOf(name) {
      const ids = [denied.get(name) ?? []].flat();
      const before = await about(ids);
      return ids
        .flatMap((id) => {
          const is = stored(id, changes.get(id)?.document);
          return is ? newlyDenied(stored(id, before.get(id)?.document), is) : [];
        })
        .filter((entry) => entry.name === name);
    },
  };
}

const NOTHING: ReadonlyMap<string, LoggedClaim> = new Map();

/** What became of a record. */
const LIVE = 1;
const WAS_LIVE = 2;
const KNOWN = 4;
const DIFFERS = 8;

function withOne(known: string | readonly string[] | undefined, id: string): string | readonly string[] {
  if (known === undefined || known === id) return id;
  const list = [known].flat();
  return list.includes(id) ? list : [...list, id];
}
