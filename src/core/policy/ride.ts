/**
 * Design §4, "Fast lane": "exact-pinned siblings of the same identity published within the hour ride along if clean". A fix that pins
 * packages built beside it could not be installed without them.
 */
import semver from "semver";
import type { FastLane } from "../advisory/fast-lane.ts";
import type { BuildIdentity } from "../attest/attested.ts";
import { compareIdentity } from "../attest/compare-identity.ts";
import { HOUR, type Instant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";

/** A version that may leave early because another one does. */
export type Ride = {
  readonly name: string;
  readonly version: string;
  /** `name@version` of the fix that pins it. */
  readonly by: string;
  /** Start of age and builder of that fix. */
  readonly start: Instant;
  readonly identity: BuildIdentity;
};

/** What rides along with a version whose lane is open: nothing where it has no valid provenance to compare with. */
export function ridesOf({ name, version, start, requires, attested }: Facts): readonly Ride[] {
  if (attested?.own.provenance.state !== "valid") return [];
  const { identity } = attested.own.provenance;
  return Object.entries(requires).flatMap(([sibling, spec]) => {
    const pinned = semver.valid(spec);
    return pinned === null || sibling === name ? [] : [{ name: sibling, version: pinned, by: `${name}@${version}`, start, identity }];
  });
}

/** As long as the fix itself must wait. */
const AT_LEAST = 6 * HOUR;

/** `clean`: looked at, with nothing but its age against it. */
export function rideLane({ start, attested }: Facts, ride: Ride | undefined, clean: boolean, now: Instant): FastLane {
  if (!ride) return { open: false, missing: [] };
  const proof = attested?.own.provenance;
  const same = proof?.state === "valid" && compareIdentity(ride.identity, proof.identity).changes.length === 0;
  const missing = [
    ...(clean ? [] : ["its analysis found something or has not run"]),
    ...(same ? [] : [`it is not proved to be built where ${ride.by} was`]),
    ...(Math.abs(start - ride.start) > HOUR ? [`it was not published within an hour of ${ride.by}`] : []),
    ...(now - start < AT_LEAST ? ["it is younger than 6 h"] : []),
  ];
  return missing.length > 0
    ? { open: false, missing }
    : { open: true, because: `${ride.by}, which is let through early, pins it`, advisories: [] };
}
