/** Names and versions to replay, out of what was recorded: partly lists, partly words. What was not recorded is made up, always the same way. */
import semver from "semver";
import { isPackageName } from "../../src/core/npm/name.ts";
import type { RecordedPackage } from "./incident.ts";

/** So many names of one entry are enough to show what is done with them. */
const NAMES = 3;

/** Whether it names packages, or speaks of them: `~796 packages`. */
export function isNamed({ name }: RecordedPackage): boolean {
  return name.split(",").every((part) => isPackageName(part.trim()));
}

/** `@toptal/picasso-* and others` → `@toptal/picasso-one`; `~796 packages` → `incident-1`. */
export function namesOf({ name }: RecordedPackage, incident: string): readonly string[] {
  const found = name.split(",").flatMap((part) => {
    const words = part.trim().split(/\s+/);
    const first = words.find((word) => /^@[\w.-]+\//.test(word)) ?? (words.length === 1 ? words[0]! : "");
    const whole = first.replace(/[*]/g, "").replace(/[/-]$/, (end) => `${end}one`);
    return isPackageName(whole) && !/^[~\d]/.test(whole) ? [whole.toLowerCase()] : [];
  });
  const names = [...new Set(found)].slice(0, NAMES);
  return names.length > 0 ? names : [invented(incident)];
}

/** A name for what has none on record. */
export function invented(incident: string): string {
  return `replay-${incident.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`.slice(0, 100);
}

/** Every version that stands in the recorded words, lowest first. */
export function versionsIn(texts: readonly string[]): readonly string[] {
  const found = texts.flatMap((text) => text.match(/\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g) ?? []).filter((one) => semver.valid(one) !== null);
  return [...new Set(found)].toSorted(semver.compare);
}

export type Versions = { readonly good: readonly string[]; readonly bad: readonly string[] };

/** How many releases an established package of the replay has at least. */
const ESTABLISHED = 7;

/**
 * The releases before the attack, oldest first, and the bad ones. Every bad version follows a good one of its line. `odd`: a jump in
 * version is on record, which matters where the version itself is not.
 */
export function versionsOf(
  { malicious, lastGood }: RecordedPackage,
  options: { readonly established: boolean; readonly odd: boolean },
): Versions {
  const anchors = versionsIn(lastGood === undefined ? [] : [lastGood]);
  const recorded = versionsIn(malicious);
  const last = anchors.at(-1);
  const made = last === undefined ? "1.4.3" : options.odd ? semver.inc(last, "major")! : semver.inc(last, "patch")!;
  const bad = recorded.length > 0 ? recorded : [made];
  const taken = new Set(bad);
  const good = new Set(anchors.filter((one) => !taken.has(one)));
  if (options.established) {
    for (const version of bad) {
      const before = [...good].some((one) => semver.lt(one, version) && semver.major(one) === semver.major(version));
      const made = before ? undefined : below(version, taken);
      if (made !== undefined) good.add(made);
    }
    // The newest line had stood for a while, and the package for longer.
    let from: string | undefined = [...good].toSorted(semver.compare).at(-1) ?? bad[0]!;
    do {
      from = below(from, taken);
      if (from !== undefined) good.add(from);
    } while (from !== undefined && good.size < ESTABLISHED);
  }
  return { good: [...good].toSorted(semver.compare), bad };
}

/** The next plausible release under a version that was not a bad one; undefined below 0.0.1. */
function below(version: string, taken: ReadonlySet<string>): string | undefined {
  let { major, minor, patch } = semver.parse(version)!;
  do {
    if (patch > 0) patch -= 1;
    else if (minor > 0) [minor, patch] = [minor - 1, 2];
    else if (major > 0) [major, minor, patch] = [major - 1, 4, 2];
    else return undefined;
  } while (taken.has(`${major}.${minor}.${patch}`) || (major === 0 && minor === 0 && patch === 0));
  return `${major}.${minor}.${patch}`;
}
