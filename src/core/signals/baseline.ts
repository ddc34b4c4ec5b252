/** The releases that show how a package was before this version. */
import semver from "semver";
import type { Compared } from "../facts/predecessor.ts";
import type { ReleaseFacts } from "../facts/release-facts.ts";

/**
 * What something new is new against: the predecessor; where none is old enough, whatever lower version came before, so that a clean
 * decoy published the day before its payload is compared with it.
 */
export function baselineOf(version: string, { predecessor, recent }: ReleaseFacts): readonly Compared[] {
  return predecessor ? [predecessor] : recent.filter((one) => semver.lt(one.version, version, { loose: true }));
}

/** Design §4: "presence in any of the last five releases makes absence a drop"; the predecessor and the mature one count too. */
export function everSeen({ predecessor, mature, recent, settled }: ReleaseFacts): readonly Compared[] {
  return unique([predecessor, mature, ...settled, ...recent]);
}

/** Those that can be relied on: suspect or brand-new ones vouch for nobody. */
export function everSettled({ predecessor, mature, settled }: ReleaseFacts): readonly Compared[] {
  return unique([predecessor, mature, ...settled]);
}

function unique(some: readonly (Compared | undefined)[]): readonly Compared[] {
  return [...new Map(some.filter((one) => one !== undefined).map((one) => [one.version, one])).values()];
}
