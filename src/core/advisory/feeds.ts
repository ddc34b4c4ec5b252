/** What is known of each feed between two looks, and the rules on staleness and on feeds that go back. Pure. */
import { iso, instant, type Instant, MINUTE, span } from "../base/time.ts";
import type { FeedConfig } from "../config/values.ts";
import type { Advisory, AdvisoryProblem, Affected } from "./advisory.ts";

/** What a data directory remembers of a feed. */
export type FeedState = {
  readonly name: string;
  /** Last time everything it said was known here, changed or not. */
  readonly checked?: Instant;
  /** Last try, and why it failed; absent when it did not. */
  readonly tried?: Instant;
  readonly failure?: string;
  /** Tries in a row that were not taken. */
  readonly failures?: number;
  /** Records in force. */
  readonly records: number;
  /** Newest `modified` among them. */
  readonly newest?: Instant;
  /** A sync that was not taken because the feed went back: why, until it is confirmed or the feed is whole again. */
  readonly pending?: string;
  /** For asking again. */
  readonly etag?: string;
  readonly lastModified?: string;
  /** For a feed that lists its changes: the same for that list, and when it was last read whole. */
  readonly listEtag?: string;
  readonly listLastModified?: string;
  readonly whole?: Instant;
  /** What it was read from and how: another place is another feed, and its validators say nothing. */
  readonly place?: string;
};

/** What one sync of one feed did. */
export type FeedOutcome = {
  readonly name: string;
  readonly result: "read" | "unchanged" | "went-back" | "failed";
  /** Why, for the last two. */
  readonly why?: string;
  readonly records: number;
  readonly added: number;
  readonly changed: number;
  /** Taken back by the feed, or gone from it. */
  readonly withdrawn: number;
  /** Names in use here that it newly denies, when they are too many to be believed at once. */
  readonly mass?: number;
  readonly problems: number;
  readonly firstProblems: readonly AdvisoryProblem[];
};

export type SyncRequest = {
  /** Feeds whose present content a person confirmed, though it went back or denies many names at once. */
  readonly confirmed?: readonly string[];
  /** Of these feeds alone; of all when it is absent. */
  readonly only?: readonly string[];
  /** Those alone whose time has come: see `nextRead`. */
  readonly due?: boolean;
  readonly offline?: boolean;
  readonly progress?: (text: string) => void;
};

export type StaleFeed = { readonly name: string; readonly checked?: Instant; readonly why: string };

/**
 * Configured feeds that were not read within their `maxAge`. Design §4: a hold ends only on "feeds no older than 24 h where feeds are
 * configured": while this is not empty, holds that would end now do not.
 */
export function staleFeeds(configured: readonly FeedConfig[], states: readonly FeedState[], now: Instant): readonly StaleFeed[] {
  return configured.flatMap(({ name, maxAge }) => {
    const state = states.find((one) => one.name === name);
    const behind = state?.failure === undefined ? "" : `; the last try failed: ${state.failure}`;
    const held = state?.pending === undefined ? "" : `; not taken: ${state.pending}`;
    if (state?.checked === undefined) return [{ name, why: `never read${behind}${held}` }];
    if (now - state.checked <= maxAge) return [];
    return [{ name, checked: state.checked, why: `read ${span(now - state.checked)} ago${behind}${held}` }];
  });
}

/** A publisher is not asked more often, whatever somebody sets. */
const READ_AT_MOST_EVERY = 5 * MINUTE;

/**
 * When a gate that stays reads a feed again by itself. What failed is tried again after a minute, and then after twice as long each time,
 * up to the usual pause.
 */
export function nextRead({ maxAge, refresh = maxAge / 4 }: FeedConfig, state: FeedState | undefined): Instant {
  const every = Math.max(refresh, READ_AT_MOST_EVERY);
  if (state?.tried === undefined) return instant(0);
  const { failures = 0, tried } = state;
  return instant(tried + (failures === 0 ? every : Math.min(every, MINUTE * 2 ** (failures - 1))));
}

/** A tenth, and more than a handful: withdrawals come one by one. */
const FEWER = { share: 0.1, count: 10 } as const;

/** What the whole of a feed looked like. */
export type FeedShape = { readonly records: number; readonly newest: Instant | undefined };

/**
 * Why a feed that was read whole is not believed: it went back. Old claims stay until it is whole again or somebody confirms it: a
 * rolled-back mirror must not unlock what was denied.
 */
export function wentBack(before: FeedShape, after: FeedShape & { readonly lost: number }): string | undefined {
  if (after.lost > Math.max(FEWER.count, before.records * FEWER.share))
    return `${after.lost} of ${before.records} records are gone from it`;
  if (before.newest !== undefined && (after.newest === undefined || after.newest < before.newest))
    return `its newest change was of ${iso(before.newest)}, and is ${after.newest === undefined ? "unknown" : `of ${iso(after.newest)}`} now`;
  return undefined;
}

/** What the new form of an advisory says is malware and the old one did not. */
export function newlyDenied(before: Advisory | undefined, after: Advisory): readonly Affected[] {
  if (after.kind !== "malware" || after.withdrawn !== undefined) return [];
  const known = before?.kind === "malware" && before.withdrawn === undefined ? before.affected : [];
  return after.affected.filter((entry) => entry.name !== "" && !known.some((old) => old.name === entry.name && covers(old, entry)));
}

function covers(old: Affected, entry: Affected): boolean {
  return entry.versions.every((version) => old.versions.includes(version)) && JSON.stringify(entry.ranges) === JSON.stringify(old.ranges);
}
