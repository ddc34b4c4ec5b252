/** What an install would have been given at some moment, by what was recorded of the registry's answers. */
import { instant, type Instant } from "../base/time.ts";
import { historyOf, type PackageRecord, type VersionHistory } from "../facts/history.ts";
import { pick } from "../npm/ranges.ts";

export type Poison = {
  readonly version: string;
  readonly published: Instant | undefined;
  /** Excluded. */
  readonly removed: Instant | undefined;
};

/**
 * Whether `range` would have resolved to the poisoned version at any moment of its life. The version itself is taken from the pack, for a
 * registry forgets what it removed. Undefined when nothing tells: neither pack nor record says when it was published, or it could only have
 * been chosen at a moment whose tags nobody recorded.
 */
export function wouldResolve(record: PackageRecord, range: string, poison: Poison): boolean | undefined {
  const { removed, version } = poison;
  const own = historyOf(record, version);
  const published = poison.published ?? (own && bornAt(own));
  if (published === undefined) return undefined;
  const last = removed === undefined ? record.lastAnswer : instant(removed - 1);
  const births = Object.values(record.versions).map(bornAt);
  const changes = Object.values(record.tags).flatMap((values) =>
    values.flatMap(({ since, until }) => [since, ...(until === undefined ? [] : [until])]),
  );
  const moments = [...new Set([published, last, ...births, ...changes])].filter((at) => at >= published && at <= last);
  const chosen = moments.filter((at) => pick(range, tagsAt(record, at, version), listedAt(record, at, version)) === version);
  return chosen.length === 0 ? false : chosen.some((at) => isRecorded(record, at)) || undefined;
}

/** Whether the tags of that moment are known and not assumed. */
function isRecorded(record: PackageRecord, at: Instant): boolean {
  return (
    at >= record.firstSeen &&
    Object.values(record.tags).some((values) => values.some(({ since, until }) => since <= at && (until === undefined || at < until)))
  );
}

function bornAt({ claimed, firstSeen }: VersionHistory): Instant {
  return claimed ?? firstSeen;
}

function listedAt(record: PackageRecord, at: Instant, poison: string): readonly { readonly version: string }[] {
  const there = Object.entries(record.versions).filter(
    ([version, one]) => version !== poison && bornAt(one) <= at && (one.goneSince === undefined || one.goneSince > at),
  );
  return [...there.map(([version]) => ({ version })), { version: poison }];
}

/** Tags as they stood. Where nothing was recorded of that moment the poisoned version may have had any of them, `latest` first of all. */
function tagsAt(record: PackageRecord, at: Instant, poison: string): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  for (const [tag, values] of Object.entries(record.tags))
    tags[tag] = values.find(({ since, until }) => since <= at && (until === undefined || at < until))?.version ?? poison;
  return at < record.firstSeen || tags["latest"] === undefined ? { ...tags, latest: poison } : tags;
}
