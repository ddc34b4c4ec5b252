/** How much weight claims have at the gate: what denies, what is contested, and what only tells. Pure policy, design §4 "Feeds". */
import { DAY, HOUR, type Instant, instant } from "../base/time.ts";
import type { Claim } from "./claim.ts";

/** What of a version the weight depends on. */
export type ClaimSubject = {
  /** Start of age. */
  readonly start: Instant;
  /** Its package has ≥ 90 days of history and ≥ 5 stable versions. */
  readonly established: boolean;
  /** Bytes of it left this gate before. */
  readonly served: boolean;
};

export type Weight = "deny" | "contested" | "possible";

/** Names in use that one sync may newly deny; more of them is more likely a broken feed than an attack on everything at once. */
export const MASS_DENIAL = 20;
/** Up to this age a claim of any kind denies at once. */
const YOUNG = 30 * DAY;
/** How long a claim outlives its withdrawal, as this cordon saw it: a stolen feed must not unlock malware in the same minute. */
const LIFTS_AFTER = 24 * HOUR;

/**
 * The claims that count now. Design §4: "A withdrawal lifts only its own origin's claim, after 24 h or on confirmation": confirmed is
 * what another feed took back as well. What was withdrawn before we ever saw it never counts.
 */
export function inForce(claims: readonly Claim[], now: Instant): readonly Claim[] {
  return claims.filter((claim) => {
    if (claim.withdrawn === undefined) return true;
    if (claim.withdrawnSeen === undefined || now >= claim.withdrawnSeen + LIFTS_AFTER) return false;
    const confirmed = claims.some((other) => other.withdrawn !== undefined && other.feed !== claim.feed && sameThing(other, claim));
    return !confirmed;
  });
}

function sameThing(a: Claim, b: Claim): boolean {
  return a.aliases.some((id) => b.aliases.includes(id));
}

/** The weight of malware claims in force; undefined when there are none. */
export function weigh(claims: readonly Claim[], subject: ClaimSubject, now: Instant): Weight | undefined {
  const sure = claims.filter(({ match }) => match !== "possible");
  if (sure.length === 0) return claims.length > 0 ? "possible" : undefined;
  // "Young versions are denied at once."
  if (now - subject.start <= YOUNG) return "deny";
  return sure.some((claim) => !isContested(claim, sure, subject)) ? "deny" : "contested";
}

function isContested(claim: Claim, all: readonly Claim[], { established, served }: ClaimSubject): boolean {
  // "a bare introduced: 0 on an established package": whoever says it, a first report that was too broad breaks every build.
  if (claim.match === "everything" && established) return true;
  // "a sync that newly denies more than 20 names in use"
  if (claim.mass === true) return true;
  // "A single-origin claim on a version over 30 days old and already served". Bytes named by their digest cannot be meant by mistake.
  return served && claim.match !== "integrity" && originsOf(agreeing(claim, all)).size < 2;
}

/** A claim on everything there is does not agree with one on this version: whoever made it may never have looked at this one. */
function agreeing(claim: Claim, all: readonly Claim[]): readonly Claim[] {
  return claim.match === "everything" ? all : all.filter(({ match }) => match !== "everything");
}

/** Who says so: two feeds that pass on one finding are one origin. */
export function originsOf(claims: readonly Claim[]): ReadonlySet<string> {
  return new Set(claims.flatMap(({ origins }) => origins));
}

/** When time alone next changes what these claims weigh; undefined = never. */
export function nextWeightChange(claims: readonly Claim[], subject: Pick<ClaimSubject, "start">, now: Instant): Instant | undefined {
  if (claims.length === 0) return undefined;
  const lifts = claims.flatMap(({ withdrawnSeen }) => (withdrawnSeen === undefined ? [] : [withdrawnSeen + LIFTS_AFTER]));
  // From the first millisecond at which it is no longer young.
  const moments = [...lifts, subject.start + YOUNG + 1].filter((moment) => moment > now);
  return moments.length === 0 ? undefined : instant(Math.min(...moments));
}
