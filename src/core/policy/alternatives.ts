/** What to install instead of a withheld version. */
import semver from "semver";
import type { PackageRecord } from "../facts/history.ts";

export type Alternative = { readonly version: string; readonly why: string };

/**
 * From the admitted versions, nearest first: the newest below in the same major (for a prerelease, of its own line first), else
 * below any major; then the next above in the same major. Deprecated ones only while nothing else fits.
 */
export function alternatives(record: PackageRecord, admitted: readonly string[], version: string): readonly Alternative[] {
  const asked = semver.parse(version);
  if (!asked) return [];
  const deprecated = new Set(record.summary.versions.filter((entry) => entry.deprecated !== undefined).map((entry) => entry.version));
  const choices = admitted
    .flatMap((each) => semver.parse(each) ?? [])
    .filter((each) => each.version !== asked.version)
    .toSorted((a, b) => Number(deprecated.has(a.version)) - Number(deprecated.has(b.version)) || b.compare(a));
  const stable = choices.filter((each) => each.prerelease.length === 0);
  const below = stable.filter((each) => each.compare(asked) < 0);
  const line = choices.find((each) => isSamePrereleaseLine(each, asked) && each.compare(asked) < 0);
  const inMajor = below.find((each) => each.major === asked.major);
  const under = inMajor ?? below[0];
  const above = stable.filter((each) => each.major === asked.major && each.compare(asked) > 0).toSorted((a, b) => a.compare(b))[0];
  return [
    ...(line ? [{ version: line.version, why: `the newest admitted ${asked.prerelease[0]} before it` }] : []),
    ...(under
      ? [{ version: under.version, why: inMajor ? `the newest admitted ${asked.major}.x before it` : "the newest admitted before it" }]
      : []),
    ...(above ? [{ version: above.version, why: `the next admitted ${asked.major}.x after it` }] : []),
  ];
}

/** `2.0.0-beta.3` and `2.0.0-beta.1`: same release, same prerelease id. */
function isSamePrereleaseLine(a: semver.SemVer, b: semver.SemVer): boolean {
  return a.prerelease.length > 0 && b.prerelease.length > 0 && a.compareMain(b) === 0 && a.prerelease[0] === b.prerelease[0];
}
