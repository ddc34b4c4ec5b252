/** Whether an advisory speaks of a version of a package, and how surely: the rules of reference A.3. */
import type { Advisory, Affected, RangeEvent } from "./advisory.ts";
import type { Claim } from "./claim.ts";
import { type Ordered, comparePlaced, placed } from "./order.ts";

export type Match = Pick<Claim, "match" | "fixed">;

/** Surest first: what a record says in several ways counts by the surest. */
const SUREST = ["version", "integrity", "range", "everything", "possible"] as const satisfies readonly Claim["match"][];

/** `version` undefined: it is not known which. Says nothing of bytes: see `matchesBytes`. */
export function matches(advisory: Pick<Advisory, "withdrawn" | "affected">, name: string, version: string | undefined): Match | undefined {
  // reference A.3.7: "withdrawn → never a finding"
  return advisory.withdrawn === undefined ? matchesAffected(advisory.affected, name, version) : undefined;
}

/** The same, whatever became of the advisory since. */
export function matchesAffected(affected: readonly Affected[], name: string, version: string | undefined): Match | undefined {
  // reference A.3.1: "affected[] entries are OR-ed. Entry applies iff … package.name equal, case-sensitive, scope included"
  const found = affected.flatMap((entry) => (entry.name === name ? (matchEntry(entry, version) ?? []) : []));
  return found.length === 0 ? undefined : joined(found);
}

/** reference A.3.10: "Match also by integrity …: catches renamed/mirrored/aliased tarballs". Digests are single sha512 SRI. */
export function matchesBytes(advisory: Pick<Advisory, "withdrawn" | "affected">, integrities: readonly string[]): Match | undefined {
  if (advisory.withdrawn !== undefined) return undefined;
  const named = advisory.affected.some((entry) => entry.integrities.some((each) => integrities.includes(each)));
  return named ? { match: "integrity", fixed: [] } : undefined;
}

/** Several matches of one advisory as one. */
export function joined(found: readonly Match[]): Match {
  const match = SUREST.find((kind) => found.some((each) => each.match === kind))!;
  return { match, fixed: [...new Set(found.flatMap(({ fixed }) => fixed))] };
}

function matchEntry({ versions, ranges }: Affected, version: string | undefined): Match | undefined {
  // reference A.3.6: "Empty versions and empty ranges → no match …. Unknown package version → report possible"
  if (versions.length === 0 && ranges.length === 0) return undefined;
  if (version === undefined || version === "") return { match: "possible", fixed: [] };
  // reference A.3.2: "Hit iff version ∈ versions[] (exact string) OR inside any ranges[]"
  const exact = versions.includes(version);
  const at = placed(version);
  // A version that stands nowhere in the order may be inside any range.
  if (at === undefined) return exact ? { match: "version", fixed: [] } : ranges.length > 0 ? { match: "possible", fixed: [] } : undefined;
  const around = ranges.filter((range) => isInside(range, at));
  if (!exact && around.length === 0) return undefined;
  return {
    match: exact ? "version" : around.every(isEverything) ? "everything" : "range",
    fixed: [...new Set(around.flatMap((range) => range.flatMap(({ kind, version: at }) => (kind === "fixed" ? [at] : []))))],
  };
}

/** A bare `introduced: 0`, however it is spelt: every version there is and will be. */
function isEverything(range: readonly RangeEvent[]): boolean {
  return range.every(({ kind, version }) =>
    kind === "limit" ? version === "*" : kind === "introduced" && /^0(?:\.0){0,2}(?:-0)?$/.test(version),
  );
}

/**
 * The order of events at one version. What ends there comes before what begins: reference A.3.9, "Same-version fixed+introduced tie → treat as
 * affected (safe side)". `last_affected` ends only behind its version, so that what begins and ends in one version is that version alone.
 */
const TIES = { limit: 0, fixed: 1, introduced: 2, last_affected: 3 } as const;

/** reference A.3.3: "sort events by version (introduced:"0" first); walk …. Multiple intro/fix pairs = union of intervals. Don't trust stored order". */
function isInside(range: readonly RangeEvent[], version: Ordered): boolean {
  const events = range
    .map(({ kind, version: text }) => ({ kind, first: kind === "introduced" && text === "0", at: placed(text) }))
    .toSorted((a, b) => Number(b.first) - Number(a.first) || comparePlaces(a.at, b.at) || TIES[a.kind] - TIES[b.kind]);
  let affected = false;
  for (const { kind, first, at } of events) {
    // `limit: *` = no limit; it has no place and ends nothing.
    const order = first ? 1 : at === undefined ? -1 : comparePlaced(version, at);
    // "introduced v≥e → on" · reference A.3.4: "introduced 0 includes 0.0.0-alpha"
    if (kind === "introduced" && order >= 0) affected = true;
    // "fixed v≥e → off"
    if (kind === "fixed" && order >= 0) affected = false;
    // "last_affected v>e → off" · A.3.9: "fixed+last_affected in one range is invalid by schema but occurs: evaluate both"
    if (kind === "last_affected" && order > 0) affected = false;
    // "limit v≥limit → never on from here"
    if (kind === "limit" && order >= 0) return false;
  }
  return affected;
}

/** What has no place comes last. */
function comparePlaces(a: Ordered | undefined, b: Ordered | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return comparePlaced(a, b);
}
