/**
 * Releases read in detail outlive the answer that was young enough to read them: what a version is held for must not be forgotten because
 * time passed.
 */
import { LIMITS } from "../base/limits.ts";
import type { PackumentSummary } from "../npm/summary.ts";

/** The newer answer, with what the older one read of versions that are still listed with the same digests. Newest first at the ceiling. */
export function withKeptReleases(older: PackumentSummary, newer: PackumentSummary): PackumentSummary {
  const { releases } = older;
  if (releases === undefined || older.digest === newer.digest) return newer;
  const listed = new Map(newer.versions.map((entry) => [entry.version, entry]));
  const read = newer.releases ?? {};
  const kept = older.versions
    .filter(({ version, integrity, shasum }) => {
      const now = listed.get(version);
      const same = now !== undefined && now.integrity === integrity && now.shasum === shasum;
      return same && Object.hasOwn(releases, version) && !Object.hasOwn(read, version);
    })
    .toSorted((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1))
    .slice(0, Math.max(0, LIMITS.releases - Object.keys(read).length));
  if (kept.length === 0) return newer;
  return { ...newer, releases: { ...read, ...Object.fromEntries(kept.map(({ version }) => [version, releases[version]!])) } };
}
