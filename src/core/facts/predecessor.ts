/**
 * Which earlier releases a version is compared with. An attacker who can publish one version can publish two: what was published only
 * just before, or was found suspect itself, says nothing about how a package is normally released.
 */
import semver from "semver";
import { DAY, type Instant } from "../base/time.ts";
import { isPrereleaseLine, lineOf } from "../npm/line.ts";
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

/** A release among the others of its package, with what comparing needs of its version read once. */
export type Candidate = {
  readonly compared: Compared;
  readonly line: string;
  readonly stable: boolean;
  /** Its place among all of them by version. */
  readonly rank: number;
};

/** Oldest first. */
export function candidatesOf(all: readonly Compared[]): readonly Candidate[] {
  const ranks = new Map(
    semver
      .sort(
        all.map(({ version }) => version),
        LOOSE,
      )
      .map((version, rank) => [version, rank]),
  );
  return all
    .toSorted((a, b) => (isBefore(a, b) ? -1 : 1))
    .map((compared) => {
      const line = lineOf(compared.version);
      return { compared, line, stable: !isPrereleaseLine(line), rank: ranks.get(compared.version)! };
    });
}

const FEW = 5;
const MATURE_MS = 90 * DAY;

/** Compares the candidate at `place` with those before it. */
export function compareWith(place: number, candidates: readonly Candidate[], { hold, trusted }: ComparisonOptions): Comparison {
  const own = candidates[place]!;
  const { start } = own.compared;
  const isTrusted = ({ compared }: Candidate): boolean => trusted(compared.version);
  const kin = kinOf(own, candidates.slice(0, place)).toReversed();
  const settled = kin.filter(({ compared }) => compared.start <= start - hold);
  const mature = settled.find((one) => one.compared.start <= start - MATURE_MS && isTrusted(one));
  const predecessor = ranked(own, settled).find(isTrusted);
  return {
    ...(predecessor === undefined ? {} : { predecessor: predecessor.compared }),
    ...(mature === undefined ? {} : { mature: mature.compared }),
    recent: kin.slice(0, FEW).map(({ compared }) => compared),
    settled: firstFew(settled, isTrusted).map(({ compared }) => compared),
  };
}

/** A total order: by start of age, then by version, then by text. What comes before a version never depends on it. */
export function isBefore(a: Pick<Compared, "version" | "start">, b: Pick<Compared, "version" | "start">): boolean {
  if (a.start !== b.start) return a.start < b.start;
  return (semver.compare(a.version, b.version, LOOSE) || (a.version < b.version ? -1 : 1)) < 0;
}

const LOOSE = { loose: true } as const;

/** Stable ones are compared with stable ones; a prerelease with those of its kind, or with stable ones when it is the first of it. */
function kinOf(own: Candidate, earlier: readonly Candidate[]): readonly Candidate[] {
  const same = own.stable ? [] : earlier.filter(({ line }) => line === own.line);
  return same.length > 0 ? same : earlier.filter(({ stable }) => stable);
}

/** Best first: of the same line the highest below it, then the highest below it of all; of prereleases the newest. */
function ranked(own: Candidate, newestFirst: readonly Candidate[]): readonly Candidate[] {
  if (newestFirst.some(({ stable }) => !stable)) return newestFirst;
  const below = newestFirst.filter(({ rank }) => rank < own.rank).toSorted((a, b) => b.rank - a.rank);
  return [...below.filter(({ line }) => line === own.line), ...below.filter(({ line }) => line !== own.line)];
}

/** Asks no more often than it must: `wanted` may judge a whole version. */
function firstFew(all: readonly Candidate[], wanted: (one: Candidate) => boolean): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const one of all) {
    if (found.length === FEW) break;
    if (wanted(one)) found.push(one);
  }
  return found;
}
