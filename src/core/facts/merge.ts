/**
 * Joins two records of one package, so that two processes on one data directory cannot lose each other's evidence.
 * Commutative and idempotent; when one record was observed on top of the other, the join is that record.
 *
 * Where the two disagree, the join believes what makes a version younger, goner or more suspect: the earliest first sight with the
 * integrity of that sight, the newest absence before it, a return nobody noticed, and any change of integrity, for good.
 */
import { LIMITS } from "../base/limits.ts";
import { present } from "../base/present.ts";
import type { Instant } from "../base/time.ts";
import { compareDigests, digestsOf, stronger } from "./digests.ts";
import { historyOf, lastListed, type PackageRecord, type TagValue, type VersionHistory } from "./history.ts";

export function mergeRecords(a: PackageRecord, b: PackageRecord): PackageRecord {
  if (a === b) return a;
  const order = compareAnswers(a, b);
  const [newer, older] = order < 0 ? [b, a] : [a, b];
  const pair = { newer, older, sameAnswer: order === 0, sameUpstream: a.upstream === b.upstream };
  return present({
    name: newer.name,
    upstream: newer.upstream,
    firstSeen: earliest(a.firstSeen, b.firstSeen)!,
    lastAnswer: newer.lastAnswer,
    answers: Math.max(a.answers, b.answers),
    versions: mergeVersions(pair),
    tags: pair.sameUpstream ? mergeTags(pair) : newer.tags,
    summary: newer.summary,
    etag: newer.etag,
    lastModified: newer.lastModified,
    timelessSince: newer.timelessSince && (pair.sameUpstream ? earliest(newer.timelessSince, older.timelessSince) : newer.timelessSince),
  });
}

type Pair = {
  readonly newer: PackageRecord;
  readonly older: PackageRecord;
  /** Both hold the same answer and differ only in what was noted since: served, fetched. */
  readonly sameAnswer: boolean;
  readonly sameUpstream: boolean;
};

/** A total order of answers: by time, then by anything that tells two answers apart. Zero = the same answer. */
function compareAnswers(a: PackageRecord, b: PackageRecord): number {
  return (
    a.lastAnswer - b.lastAnswer ||
    a.answers - b.answers ||
    compareText(a.summary.digest, b.summary.digest) ||
    compareText(a.upstream, b.upstream) ||
    compareText(a.etag ?? "", b.etag ?? "") ||
    compareText(a.lastModified ?? "", b.lastModified ?? "")
  );
}

function mergeVersions(pair: Pair): Record<string, VersionHistory> {
  const { newer, older } = pair;
  const merged = Object.create(null) as Record<string, VersionHistory>;
  for (const [version, mine] of Object.entries(newer.versions)) {
    const theirs = historyOf(older, version);
    merged[version] = theirs ? mergeVersion(mine, theirs, pair) : withAbsence(mine, older, pair);
  }
  for (const [version, theirs] of Object.entries(older.versions)) {
    if (merged[version]) continue;
    // Without its own instant it would seem listed by the newer answer, which does not know it.
    const dated = pair.sameAnswer ? theirs : { ...theirs, lastListed: lastListed(older, theirs) };
    merged[version] = withAbsence(dated, newer, pair);
  }
  return merged;
}

/** A record that never listed the version saw, with its newest answer, a package without it. */
function withAbsence(history: VersionHistory, other: PackageRecord, pair: Pair): VersionHistory {
  if (!pair.sameUpstream || other.lastAnswer >= history.firstSeen) return history;
  return { ...history, absentBefore: latest(history.absentBefore, other.lastAnswer)! };
}

function mergeVersion(mine: VersionHistory, theirs: VersionHistory, pair: Pair): VersionHistory {
  if (sameHistory(mine, theirs)) return mine;
  const [first, second] = compareSights(mine, theirs) <= 0 ? [mine, theirs] : [theirs, mine];
  const listed = latest(lastListed(pair.newer, mine), lastListed(pair.older, theirs))!;
  const listedNow = mine.lastListed === undefined || (pair.sameAnswer && theirs.lastListed === undefined);
  const integrity = mergeIntegrity(first, second);
  return present({
    firstSeen: first.firstSeen,
    lastListed: listedNow ? undefined : listed,
    integrity,
    changed: mergeChanges(first, second, integrity, listed),
    fetched: [mine.fetched, theirs.fetched].filter((sri) => sri !== undefined).sort()[0],
    claimed: mergeClaims(first, second),
    absentBefore: latest(...[mine.absentBefore, theirs.absentBefore].filter((at) => at !== undefined && at < first.firstSeen)),
    ...mergeAbsence(mine, theirs, listed, pair),
    deprecatedSince:
      pair.sameAnswer || mine.deprecatedSince !== undefined ? latest(mine.deprecatedSince, theirs.deprecatedSince) : undefined,
    served: earliest(mine.served, theirs.served),
  });
}

/** Thousands of versions are equal in both: they cost one comparison each and no new object. */
function sameHistory(a: VersionHistory, b: VersionHistory): boolean {
  return (
    a === b ||
    (a.firstSeen === b.firstSeen &&
      a.lastListed === b.lastListed &&
      a.integrity === b.integrity &&
      a.changed?.integrity === b.changed?.integrity &&
      a.changed?.at === b.changed?.at &&
      a.fetched === b.fetched &&
      a.claimed === b.claimed &&
      a.absentBefore === b.absentBefore &&
      a.goneSince === b.goneSince &&
      a.gone === b.gone &&
      a.returned === b.returned &&
      a.deprecatedSince === b.deprecatedSince &&
      a.served === b.served)
  );
}

function compareSights(a: VersionHistory, b: VersionHistory): number {
  return a.firstSeen - b.firstSeen || compareText(a.integrity ?? "", b.integrity ?? "");
}

/** The integrity of the first sight; of one and the same sight the stronger digest, which `observe` found beside the weaker one. */
function mergeIntegrity(first: VersionHistory, second: VersionHistory): string | undefined {
  if (first.firstSeen === second.firstSeen && stronger(second.integrity, first.integrity)) return second.integrity;
  return first.integrity ?? second.integrity;
}

function mergeChanges(first: VersionHistory, second: VersionHistory, integrity: string | undefined, listed: Instant) {
  const changes = [first.changed, second.changed].filter((change) => change !== undefined);
  if (contradict(first.integrity, second.integrity)) changes.push({ integrity: second.integrity!, at: second.firstSeen });
  if (contradict(first.fetched, second.fetched)) {
    changes.push({ integrity: [first.fetched!, second.fetched!].sort()[1]!, at: listed });
  }
  // Whoever began with the changed bytes calls the original ones "changed": no change from what was seen first.
  const real = changes.filter((change) => change.integrity !== integrity);
  return (real.length > 0 ? real : changes).sort((a, b) => a.at - b.at || compareText(a.integrity, b.integrity))[0];
}

function contradict(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return false;
  const [ours, theirs] = [digestsOf(a), digestsOf(b)];
  return compareDigests(ours, theirs) === "different" || compareDigests(theirs, ours) === "different";
}

/** The claim that came with the first sight; of two claims for one and the same sight, the one that makes the version younger. */
function mergeClaims(first: VersionHistory, second: VersionHistory): Instant | undefined {
  return first.firstSeen < second.firstSeen ? first.claimed : latest(first.claimed, second.claimed);
}

/** Whether it is absent, the newer answer says; since when, whoever noticed first; a return it did not notice begins with that answer. */
function mergeAbsence(mine: VersionHistory, theirs: VersionHistory, listed: Instant, pair: Pair) {
  const returned = latest(mine.returned, theirs.returned);
  // history.ts: "a different one [upstream] starts absence counting anew"
  if (!pair.sameUpstream) return { goneSince: mine.goneSince, gone: mine.gone, returned };
  if (mine.goneSince !== undefined || pair.sameAnswer) {
    const standing = [mine, theirs].filter(
      (side) => side.goneSince !== undefined && (side === mine || pair.sameAnswer || side.goneSince > listed),
    );
    return {
      goneSince: earliest(...standing.map((side) => side.goneSince)),
      gone: standing.some((side) => side.gone) ? true : undefined,
      returned,
    };
  }
  const unnoticed = theirs.gone && (returned === undefined || returned < theirs.goneSince!);
  return { goneSince: undefined, gone: undefined, returned: unnoticed ? pair.newer.lastAnswer : returned };
}

function mergeTags({ newer, older }: Pair): Record<string, readonly TagValue[]> {
  const merged = Object.create(null) as Record<string, readonly TagValue[]>;
  for (const tag of new Set([...Object.keys(newer.tags), ...Object.keys(older.tags)])) {
    merged[tag] = mergeTag(tagOf(newer, tag), tagOf(older, tag), newer.lastAnswer);
  }
  return merged;
}

function tagOf(record: PackageRecord, tag: string): readonly TagValue[] {
  return Object.hasOwn(record.tags, tag) ? record.tags[tag]! : [];
}

/** A moment at which a tag was seen to point elsewhere, or (undefined) to be gone. */
type Move = { readonly at: Instant; readonly version: string | undefined };

/** Each saw some moves of the tag: their union in order, ending where the newer answer says it stands. */
function mergeTag(newer: readonly TagValue[], older: readonly TagValue[], lastAnswer: Instant): readonly TagValue[] {
  if (newer === older) return newer;
  const moves = [...movesOf(newer), ...movesOf(older)].sort((a, b) => a.at - b.at || compareText(a.version ?? "", b.version ?? ""));
  const standing = openValue(newer);
  const known = collapse(moves);
  if (known.at(-1)?.version !== standing) known.push({ at: lastAnswer, version: standing });
  return valuesOf(collapse(known)).slice(-LIMITS.tagHistory);
}

function movesOf(values: readonly TagValue[]): Move[] {
  return values.flatMap((value, index) => {
    const removed = value.until !== undefined && value.until !== values[index + 1]?.since;
    return [{ at: value.since, version: value.version }, ...(removed ? [{ at: value.until, version: undefined }] : [])];
  });
}

function openValue(values: readonly TagValue[]): string | undefined {
  const last = values.at(-1);
  return last?.until === undefined ? last?.version : undefined;
}

/** Leaves out moves to where the tag already was; of several moves at one instant the last counts. */
function collapse(moves: readonly Move[]): Move[] {
  const kept: Move[] = [];
  for (const move of moves) {
    const same = kept.at(-1)?.at === move.at;
    const before = kept.at(same ? -2 : -1)?.version;
    if (move.version === before) continue;
    if (same) kept.pop();
    kept.push(move);
  }
  return kept;
}

function valuesOf(moves: readonly Move[]): TagValue[] {
  return moves.flatMap((move, index) =>
    move.version === undefined ? [] : [present({ version: move.version, since: move.at, until: moves[index + 1]?.at })],
  );
}

function earliest(...times: readonly (Instant | undefined)[]): Instant | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : (Math.min(...known) as Instant);
}

function latest(...times: readonly (Instant | undefined)[]): Instant | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : (Math.max(...known) as Instant);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
