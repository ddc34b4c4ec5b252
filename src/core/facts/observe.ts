/**
 * Folds a complete upstream answer into what this gate remembers of a package. Age and tags are answered from this memory, so
 * the rules here decide what an upstream can make us believe: nothing it says later makes a version older, absence after first
 * sight never makes one younger, and bytes that changed once stay marked.
 */
import { LIMITS } from "../base/limits.ts";
import { type Instant, parseInstant } from "../base/time.ts";
import { integrityOfVersion, shasumToIntegrity } from "../npm/integrity.ts";
import type { PackumentSummary, VersionSummary } from "../npm/summary.ts";
import { compareDigests, digestsOf, stronger } from "./digests.ts";
import { withKeptReleases } from "./kept-releases.ts";
import { type PackageRecord, type TagValue, type VersionHistory, historyOf, lastListed } from "./history.ts";

export type Answer = {
  readonly summary: PackumentSummary;
  /** Base URL it came from. */
  readonly upstream: string;
  readonly at: Instant;
  readonly etag?: string;
  readonly lastModified?: string;
};

/** What an answer changed. The first answer about a package changes nothing: there was nothing to compare it with. */
export type HistoryEvent =
  | { readonly kind: "version-added"; readonly version: string }
  | { readonly kind: "integrity-changed"; readonly version: string; readonly from: string; readonly to: string }
  /** Not in this answer; the next one confirms or lifts it. */
  | { readonly kind: "version-missing"; readonly version: string }
  | { readonly kind: "version-withdrawn"; readonly version: string; readonly served: boolean }
  | { readonly kind: "version-returned"; readonly version: string }
  /** `text` absent: the deprecation was taken back. */
  | { readonly kind: "deprecation-changed"; readonly version: string; readonly text?: string }
  | { readonly kind: "tag-moved"; readonly tag: string; readonly from?: string; readonly to?: string };

export type Observation = { readonly record: PackageRecord; readonly events: readonly HistoryEvent[] };

/** Never throws. An answer older than the newest one, by its arrival or by its `Last-Modified`, changes nothing. */
export function observe(before: PackageRecord | undefined, answer: Answer): Observation {
  if (before === undefined) return { record: firstAnswer(answer), events: [] };
  if (answer.at < before.lastAnswer || isLagging(before, answer)) return { record: before, events: [] };
  const sameUpstream = before.upstream === answer.upstream;
  if (sameUpstream && before.summary.digest === answer.summary.digest && !hasMissing(before)) {
    const { record, events } = reconfirm(before, answer.at);
    return { record: withValidators(record, answer), events };
  }

  const events: HistoryEvent[] = [];
  const { summary, at } = answer;
  const turn: Turn = { before, answer, sameUpstream, events };
  const previous = new Map(before.summary.versions.map((entry) => [entry.version, entry]));
  const broken = new Set(summary.problems.map((problem) => problem.version));
  const versions = new Map(Object.entries(before.versions));
  const listed = new Set<string>();
  for (const entry of summary.versions) {
    const { version } = entry;
    listed.add(version);
    const history = versions.get(version);
    if (history) versions.set(version, seenAgain(turn, history, previous.get(version), entry));
    else {
      // A version whose entry could not be read before counts as absent before: nobody could have looked at these bytes.
      versions.set(version, { ...firstSight(entry, at), ...(sameUpstream ? { absentBefore: before.lastAnswer } : {}) });
      events.push({ kind: "version-added", version });
    }
  }
  for (const [version, history] of versions)
    if (!listed.has(version)) versions.set(version, broken.has(version) ? unconfirmed(before, history) : notListed(turn, version, history));

  const timeless = !summary.timed && summary.versions.length > 0;
  const timelessSince = timeless ? ((sameUpstream ? before.timelessSince : undefined) ?? at) : undefined;
  const record: PackageRecord = {
    name: before.name,
    upstream: answer.upstream,
    firstSeen: before.firstSeen,
    lastAnswer: at,
    answers: before.answers + 1,
    versions: Object.fromEntries(capped(versions, listed)),
    tags: foldTags(turn),
    summary: sameUpstream ? withKeptReleases(before.summary, summary) : summary,
    ...(timelessSince === undefined ? {} : { timelessSince }),
  };
  return { record: withValidators(record, answer), events };
}

/** The upstream said that its newest answer still stands (304, or the same bytes again): everything in it is seen once more. */
export function reconfirm(before: PackageRecord, at: Instant): Observation {
  if (at < before.lastAnswer) return { record: before, events: [] };
  const events: HistoryEvent[] = [];
  const confirmed = new Map<string, VersionHistory>();
  for (const [version, history] of Object.entries(before.versions)) {
    if (history.goneSince === undefined || history.gone) continue;
    const after = stillAbsent(version, history, at, events);
    if (after !== history) confirmed.set(version, after);
  }
  const versions = confirmed.size === 0 ? before.versions : Object.fromEntries([...Object.entries(before.versions), ...confirmed]);
  return { record: { ...before, versions, lastAnswer: at, answers: before.answers + 1 }, events };
}

/** Versions told of when a whole package goes: enough to see what happened, too few to bury it. */
const TOLD = 20;

/**
 * The upstream said that there is no such package (404, 410): a complete answer without any of its versions, by the same rule as for
 * single ones. The newest listing is kept, since one such answer may be a mistake; its validators are not, so that the next listing is read.
 */
export function observeAbsence(before: PackageRecord, at: Instant): Observation {
  if (at < before.lastAnswer) return { record: before, events: [] };
  const events: HistoryEvent[] = [];
  const versions = Object.entries(before.versions).map(([version, known]): [string, VersionHistory] => {
    if (known.gone) return [version, known];
    const history = unconfirmed(before, known);
    if (history.goneSince !== undefined) return [version, stillAbsent(version, history, at, events)];
    events.push({ kind: "version-missing", version });
    return [version, { ...history, goneSince: at }];
  });
  const { etag: _etag, lastModified: _lastModified, ...rest } = before;
  return {
    record: { ...rest, versions: Object.fromEntries(versions), lastAnswer: at, answers: before.answers + 1 },
    events: events.slice(-TOLD),
  };
}

/** A listed version that the last answer did not have: the whole package was missing then. */
function hasMissing(before: PackageRecord): boolean {
  return before.summary.versions.some(({ version }) => historyOf(before, version)?.goneSince !== undefined);
}

/** Remembers that bytes of the version left this gate. */
export function markServed(record: PackageRecord, version: string, at: Instant): PackageRecord {
  const history = historyOf(record, version);
  if (!history || history.served !== undefined) return record;
  return { ...record, versions: { ...record.versions, [version]: { ...history, served: at } } };
}

/** Remembers the sha512 SRI of bytes we fetched; bytes that differ from those fetched before are a change. */
export function markFetched(record: PackageRecord, version: string, sha512: string, at: Instant): Observation {
  const history = historyOf(record, version);
  if (!history || history.fetched === sha512) return { record, events: [] };
  const known = digestsOf(history.fetched, history.integrity);
  const differs = compareDigests(known, [sha512]) === "different";
  const after = differs ? { ...history, changed: history.changed ?? { integrity: sha512, at } } : { ...history, fetched: sha512 };
  return {
    record: { ...record, versions: { ...record.versions, [version]: after } },
    events: differs ? [{ kind: "integrity-changed", version, from: known.join(" "), to: sha512 }] : [],
  };
}

/**
 * True when all the registry still lists is its own placeholder (`0.0.1-security`), put in place of a package it removed as
 * malicious.
 */
export function isSecurityHolding(summary: PackumentSummary): boolean {
  return summary.versions.length > 0 && summary.versions.every(({ version }) => /^0\.0\.\d+-security(?:\.\d+)?$/.test(version));
}

type Turn = {
  readonly before: PackageRecord;
  readonly answer: Answer;
  readonly sameUpstream: boolean;
  readonly events: HistoryEvent[];
};

function firstAnswer(answer: Answer): PackageRecord {
  const { summary, at } = answer;
  const record: PackageRecord = {
    name: summary.name,
    upstream: answer.upstream,
    firstSeen: at,
    lastAnswer: at,
    answers: 1,
    versions: Object.fromEntries(summary.versions.map((entry) => [entry.version, firstSight(entry, at)])),
    tags: Object.fromEntries(Object.entries(summary.tags).map(([tag, version]) => [tag, [{ version, since: at }]])),
    summary,
    ...(summary.timed || summary.versions.length === 0 ? {} : { timelessSince: at }),
  };
  return withValidators(record, answer);
}

function withValidators(record: PackageRecord, { etag, lastModified }: Answer): PackageRecord {
  const { etag: _etag, lastModified: _lastModified, ...rest } = record;
  return { ...rest, ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

/**
 * Registries answer from many caches: one of them may still send yesterday's document, in which everything new is absent.
 * After a day we believe it, or an upstream restored from a backup would never be heard again.
 */
function isLagging(before: PackageRecord, answer: Answer): boolean {
  if (before.upstream !== answer.upstream || before.summary.digest === answer.summary.digest) return false;
  if (answer.at - before.lastAnswer > LIMITS.laggingMs) return false;
  const ours = Date.parse(before.lastModified ?? "");
  // A date in the future would shut every later answer out.
  return ours <= before.lastAnswer && Date.parse(answer.lastModified ?? "") < ours;
}

function firstSight(entry: VersionSummary, at: Instant): VersionHistory {
  const integrity = integrityOfVersion(entry);
  const claimed = parseInstant(entry.time);
  return {
    firstSeen: at,
    ...(integrity === undefined ? {} : { integrity }),
    ...(claimed === undefined ? {} : { claimed }),
    ...(entry.deprecated === undefined ? {} : { deprecatedSince: at }),
  };
}

function seenAgain(turn: Turn, history: VersionHistory, was: VersionSummary | undefined, entry: VersionSummary): VersionHistory {
  const { events, answer, before } = turn;
  const { at } = answer;
  const { version } = entry;
  const { goneSince: _goneSince, gone, lastListed: _lastListed, deprecatedSince, ...kept } = history;
  let after: VersionHistory = kept;

  const comparison = compareListing(history, was, entry);
  if (comparison.result === "same") {
    const given = integrityOfVersion(entry);
    if (given !== undefined && given !== history.integrity && stronger(given, history.integrity)) after = { ...after, integrity: given };
  } else {
    // A listing without a digest we can compare is no evidence against the bytes, and none for them.
    after = { ...after, lastListed: lastListed(before, history) };
  }
  if (comparison.result === "different" && !history.changed) {
    after = { ...after, changed: { integrity: comparison.seen.join(" "), at } };
    events.push({ kind: "integrity-changed", version, from: comparison.known.join(" "), to: comparison.seen.join(" ") });
  }

  if (gone) {
    after = { ...after, returned: at };
    events.push({ kind: "version-returned", version });
  }
  if (history.claimed === undefined && before.timelessSince !== undefined) {
    const claimed = parseInstant(entry.time);
    if (claimed !== undefined) after = { ...after, claimed };
  }
  if (entry.deprecated !== undefined) {
    const standing = deprecatedSince !== undefined && was?.deprecated === entry.deprecated;
    after = { ...after, deprecatedSince: standing ? deprecatedSince : at };
  }
  if (was && was.deprecated !== entry.deprecated)
    events.push({ kind: "deprecation-changed", version, ...(entry.deprecated === undefined ? {} : { text: entry.deprecated }) });
  return after;
}

type Comparison = {
  readonly result: "same" | "different" | "incomparable";
  readonly known: readonly string[];
  readonly seen: readonly string[];
};

/** A sha1-only version that gains a sha512 is unchanged while its shasum stands; `was` supplies the shasum that history leaves out. */
function compareListing(history: VersionHistory, was: VersionSummary | undefined, entry: VersionSummary): Comparison {
  const untouched = was !== undefined && was.integrity === entry.integrity && was.shasum === entry.shasum;
  if (untouched && !history.changed && history.lastListed === undefined) return { result: "same", known: [], seen: [] };
  const seen = digestsOf(entry.integrity, shasumOf(entry));
  // Once something changed, only what came first counts.
  const ours = digestsOf(history.integrity, history.fetched);
  const listedBefore = history.changed ? [] : digestsOf(was?.integrity, shasumOf(was));
  // Where we have a digest of the same kind ourselves, an earlier listing that could not be compared proves nothing.
  const known = [...ours, ...listedBefore.filter((digest) => !ours.some((one) => algorithmOf(one) === algorithmOf(digest)))];
  return { result: known.length === 0 ? "same" : compareDigests(known, seen), known, seen };
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf("-"));
}

function shasumOf(entry: VersionSummary | undefined): string | undefined {
  return entry?.shasum === undefined ? undefined : shasumToIntegrity(entry.shasum);
}

/** Still named by the registry, but not in a form we can serve: neither confirmed nor gone. */
function unconfirmed(before: PackageRecord, history: VersionHistory): VersionHistory {
  return { ...history, lastListed: lastListed(before, history) };
}

function notListed(turn: Turn, version: string, known: VersionHistory): VersionHistory {
  const { before, answer, sameUpstream, events } = turn;
  const history = unconfirmed(before, known);
  if (history.gone) return history;
  // The registry says it took the package down: that needs no second look.
  if (answer.summary.unpublished !== undefined || isSecurityHolding(answer.summary)) {
    events.push({ kind: "version-withdrawn", version, served: history.served !== undefined });
    return { ...history, goneSince: history.goneSince ?? answer.at, gone: true };
  }
  if (history.goneSince === undefined || !sameUpstream) {
    events.push({ kind: "version-missing", version });
    return { ...history, goneSince: answer.at };
  }
  return stillAbsent(version, history, answer.at, events);
}

/** Design §4: absence counts after two complete answers at least 10 minutes apart from the same upstream. */
function stillAbsent(version: string, history: VersionHistory, at: Instant, events: HistoryEvent[]): VersionHistory {
  if (history.goneSince === undefined || at - history.goneSince < LIMITS.absenceMs) return history;
  events.push({ kind: "version-withdrawn", version, served: history.served !== undefined });
  return { ...history, gone: true };
}

/** At the ceiling the oldest unlisted versions are forgotten first, those that were served or changed last of all. */
function capped(versions: ReadonlyMap<string, VersionHistory>, listed: ReadonlySet<string>): ReadonlyMap<string, VersionHistory> {
  const excess = versions.size - LIMITS.packumentVersions;
  if (excess <= 0) return versions;
  const forgettable = [...versions]
    .filter(([version]) => !listed.has(version))
    .toSorted(([, a], [, b]) => worth(a) - worth(b) || a.firstSeen - b.firstSeen);
  const kept = new Map(versions);
  for (const [version] of forgettable.slice(0, excess)) kept.delete(version);
  return kept;
}

function worth(history: VersionHistory): number {
  return history.changed || history.served !== undefined ? 1 : 0;
}

function foldTags({ before, answer, events }: Turn): Record<string, readonly TagValue[]> {
  const { at } = answer;
  const tags = new Map(Object.entries(before.tags));
  for (const [tag, version] of Object.entries(answer.summary.tags)) {
    const values = tags.get(tag) ?? [];
    const standing = values.at(-1)?.until === undefined ? values.at(-1) : undefined;
    if (standing?.version === version) continue;
    tags.set(tag, [...closed(values, at), { version, since: at }].slice(-LIMITS.tagHistory));
    events.push({ kind: "tag-moved", tag, ...(standing ? { from: standing.version } : {}), to: version });
  }
  for (const [tag, values] of tags) {
    const standing = values.at(-1);
    if (Object.hasOwn(answer.summary.tags, tag) || !standing || standing.until !== undefined) continue;
    tags.set(tag, closed(values, at));
    events.push({ kind: "tag-moved", tag, from: standing.version });
  }
  const removed = [...tags].filter(([, values]) => values.at(-1)?.until !== undefined);
  removed.sort(([, a], [, b]) => (a.at(-1)?.until ?? 0) - (b.at(-1)?.until ?? 0));
  for (const [tag] of removed.slice(0, Math.max(0, tags.size - LIMITS.packumentTags))) tags.delete(tag);
  return Object.fromEntries(tags);
}

function closed(values: readonly TagValue[], at: Instant): readonly TagValue[] {
  const last = values.at(-1);
  return last && last.until === undefined ? [...values.slice(0, -1), { ...last, until: at }] : values;
}
