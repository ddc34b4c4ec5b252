/**
 * The fast lane: whether the fix of a vulnerability somebody here runs may leave `young-release` early. Context, never a signal: an open
 * lane takes the place of that one hold and of nothing else (`openLane`). Design §4, "Fast lane".
 */
import { HOUR, type Instant, iso } from "../base/time.ts";
import type { Signal } from "../policy/verdict.ts";
import type { Claim } from "./claim.ts";
import { inForce, originsOf } from "./contested.ts";

export type FastLaneCase = {
  readonly version: string;
  /** Start of its age. */
  readonly start: Instant;
  /** Claims that name the version as their fix (`AdvisoryIndex.fixedBy`), malware or vulnerability. */
  readonly claims: readonly Claim[];
  /** Claims on the version itself: a fix that is reported itself is none. */
  readonly against: readonly Claim[];
  /** Its full analysis ran and found nothing; undefined: it did not run yet. */
  readonly clean: boolean | undefined;
  /** Its provenance identity equals the predecessor's; true where the predecessor had none. Undefined: not compared yet. */
  readonly sameIdentity: boolean | undefined;
  /** Affected versions of the package that this gate served, or that the local lockfile holds: proof that somebody needs the fix. */
  readonly affectedInUse: readonly string[];
  readonly now: Instant;
};

export type FastLane =
  /** Logged and shown: why it is open. */
  | { readonly open: true; readonly because: string; readonly advisories: readonly string[] }
  /** What is missing, in words. */
  | { readonly open: false; readonly missing: readonly string[] };

const SEEN_FOR = 24 * HOUR;
const AT_LEAST = 6 * HOUR;

export function fastLane({ version, start, claims, against, clean, sameIdentity, affectedInUse, now }: FastLaneCase): FastLane {
  // "an advisory has a fixed event equal to exactly it"
  const naming = inForce(claims, now).filter((claim) => claim.withdrawn === undefined && claim.fixed.includes(version));
  if (naming.length === 0) return { open: false, missing: [`no advisory names ${version} as its fix`] };
  // "we first saw that claim ≥ 24 h ago or two origins agree after alias closure"
  const trusted = naming.filter((claim) => now - claim.firstSeen >= SEEN_FOR || originsFor(claim, naming) >= 2);
  const missing = [
    ...(trusted.length === 0
      ? [`the advisory was first seen ${iso(naming[0]!.firstSeen)}, less than 24 h ago, and one origin stands alone`]
      : []),
    // "the version is ≥ 6 h old"
    ...(now - start < AT_LEAST ? ["the version is younger than 6 h"] : []),
    ...(inForce(against, now).length > 0 ? ["the version is itself reported"] : []),
    // "its full analysis is clean"
    ...(clean === true ? [] : [clean === false ? "its analysis found something" : "its analysis has not run"]),
    // "its provenance identity equals the predecessor's where that had one"
    ...(sameIdentity === true
      ? []
      : [sameIdentity === false ? "its provenance names another source than its predecessor's" : "its provenance was not compared"]),
    // "a tarball we served (or, in the wrapper, the local lockfile) proves affected use"
    ...(affectedInUse.length > 0 ? [] : ["nobody here is known to use an affected version"]),
  ];
  if (missing.length > 0) return { open: false, missing };
  const ids = [...new Set(trusted.map(({ id }) => id))].toSorted();
  return {
    open: true,
    because: `it fixes ${ids.join(", ")} in ${[...affectedInUse].toSorted().join(", ")}, which is in use here`,
    advisories: ids,
  };
}

function originsFor(claim: Claim, all: readonly Claim[]): number {
  return originsOf(all.filter((other) => other.aliases.some((id) => claim.aliases.includes(id)))).size;
}

/** The signals as an open lane leaves them: `young-release` becomes a note that says why, and nothing else changes. */
export function openLane(signals: readonly Signal[], lane: FastLane): readonly Signal[] {
  if (!lane.open) return signals;
  return signals.map((signal) =>
    signal.id === "young-release"
      ? { ...signal, effect: { kind: "note" }, title: `${signal.title}; let through early: ${lane.because}` }
      : signal,
  );
}
