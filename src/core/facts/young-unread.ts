/** Versions that are young by our own history and old by the document's times: how they were released has yet to be read. */
import { LIMITS } from "../base/limits.ts";
import { ageOf } from "./facts-of.ts";
import { historyOf, type PackageRecord } from "./history.ts";

/**
 * Newest first, `LIMITS.releases` at most. What stood in the first answer of all has no history of its own; what is young by its time as
 * well was read, or is beyond the ceiling.
 */
export function youngUnread(record: PackageRecord): readonly string[] {
  const { summary, firstSeen, lastAnswer } = record;
  const horizon = lastAnswer - LIMITS.releaseMs;
  const young = summary.versions.flatMap(({ version }) => {
    const history = historyOf(record, version);
    if (!history || (summary.releases && Object.hasOwn(summary.releases, version))) return [];
    if ((history.firstSeen === firstSeen && history.returned === undefined) || (history.claimed ?? 0) > horizon) return [];
    const { start } = ageOf(record, history, false);
    return start > horizon ? [{ version, start }] : [];
  });
  return young
    .toSorted((a, b) => b.start - a.start)
    .slice(0, LIMITS.releases)
    .map(({ version }) => version);
}
