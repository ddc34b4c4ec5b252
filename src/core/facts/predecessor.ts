/**
 * Which earlier releases a version is compared with. An attacker who can publish one version can publish two: what was published only
 * just before, or was found suspect itself, says nothing about how a package is normally released.
 */
import semver from "semver";
import { DAY, type Instant } from "../base/time.ts";
import { isPrerelease, lineOf } from "../npm/line.ts";
import type { Release } from "../npm/release.ts";

/** A release read in detail, with its start of age. */
export type Compared = { readonly version: string; readonly start: Instant; readonly release: Release };

export type Comparison = {
  /** Design §4: "the newest earlier stable version of the same line, published at least the hold before this one, with no … review or deny". */
  readonly predecessor?: Compared;
  /** The newest one at least 90 days older. */
  readonly mature?: Compared;
  /** The last five before it, whatever is thought of them: newest first. */
  readonly recent: readonly Compared[];
  /** The last five that can be relied on: published at least the hold before it, and not suspect. Newest first. */
  readonly settled: readonly Compared[];
};

export type ComparisonOptions = {
  /** Milliseconds a new version waits. */
  readonly hold: number;
  /** False for a version that calls for a review or is denied, waived or not. Asked only of earlier ones. */
  readonly trusted: (version: string) => boolean;
};

const FEW = 5;
const MATURE_MS = 90 * DAY;

/** `earlier`: oldest first, all of them before `own` (`isBefore`). */
export function compareWith(
  own: Pick<Compared, "version" | "start">,
  earlier: readonly Compared[],
  { hold, trusted }: ComparisonOptions,
): Comparison {
  const kin = kinOf(own.version, earlier).toReversed();
  const settled = kin.filter(({ start }) => start <= own.start - hold);
  const mature = settled.find(({ version, start }) => start <= own.start - MATURE_MS && trusted(version));
  const predecessor = ranked(own.version, settled).find(({ version }) => trusted(version));
  return {
    ...(predecessor === undefined ? {} : { predecessor }),
    ...(mature === undefined ? {} : { mature }),
    recent: kin.slice(0, FEW),
    settled: firstFew(settled, ({ version }) => trusted(version)),
  };
}

/** A total order: by start of age, then by version, then by text. What comes before a version never depends on it. */
export function isBefore(a: Pick<Compared, "version" | "start">, b: Pick<Compared, "version" | "start">): boolean {
  if (a.start !== b.start) return a.start < b.start;
  return (semver.compare(a.version, b.version, LOOSE) || (a.version < b.version ? -1 : 1)) < 0;
}

const LOOSE = { loose: true } as const;

/** Stable ones are compared with stable ones; a prerelease with those of its kind, or with stable ones when it is the first of it. */
function kinOf(version: string, earlier: readonly Compared[]): readonly Compared[] {
  const stable = earlier.filter((one) => !isPrerelease(one.version));
  if (!isPrerelease(version)) return stable;
  const same = earlier.filter((one) => lineOf(one.version) === lineOf(version));
  return same.length > 0 ? same : stable;
}

/** Best first: of the same line the highest below it, then the highest below it of all. `newestFirst` are its kin. */
function ranked(version: string, newestFirst: readonly Compared[]): readonly Compared[] {
  const line = lineOf(version);
  if (isPrerelease(version) && newestFirst.some((one) => lineOf(one.version) === line)) return newestFirst;
  const below = newestFirst
    .filter((one) => semver.lt(one.version, version, LOOSE))
    .toSorted((a, b) => semver.rcompare(a.version, b.version, LOOSE));
  return [...below.filter((one) => lineOf(one.version) === line), ...below.filter((one) => lineOf(one.version) !== line)];
}

/** Asks no more often than it must: `wanted` may judge a whole version. */
function firstFew(all: readonly Compared[], wanted: (one: Compared) => boolean): readonly Compared[] {
  const found: Compared[] = [];
  for (const one of all) {
    if (found.length === FEW) break;
    if (wanted(one)) found.push(one);
  }
  return found;
}
