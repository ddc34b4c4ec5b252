/** The hold is over, but nothing newer than its end says that the registry still lists these bytes. */
import { LIMITS } from "../base/limits.ts";
import { type Instant, instant, isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";
import { ageEvidence } from "./young-release.ts";

/** `asOf`: when the feed read longest ago was read. `covers`: holds that end by then may end: each was read within its `maxAge` of it. */
export type FeedsRead = { readonly asOf: Instant; readonly covers: Instant };

/** When a feed was read that never was. */
export const NEVER = instant(0);

/**
 * Design §4: a hold ends only on "feeds no older than 24 h where feeds are configured", or than the age each was configured with. Asked of versions that are still young: what stood
 * for two weeks is not held again because a feed fell asleep.
 */
export function feedsTooOld(end: Instant, now: Instant, feeds: FeedsRead | undefined): boolean {
  return feeds !== undefined && feeds.covers < end && now - end < LIMITS.matureMs;
}

/** Design §4: "A hold ends only on evidence newer than its end: an upstream answer that still lists the version with the same integrity". */
export const notReconfirmed: Check = ({ facts, policy, now, feeds }) => {
  if (facts.problem !== undefined) return undefined;
  const end = instant(facts.start + policy.hold);
  if (now < end) return undefined;
  if (facts.lastListed >= end)
    return feedsTooOld(end, now, feeds)
      ? {
          id: "not-reconfirmed",
          effect: { kind: "hold" },
          title: `its hold ended ${isoMinute(end)}, but ${feeds!.asOf === NEVER ? "a configured feed was never read" : `a feed was last read ${isoMinute(feeds!.asOf)}`}; cordon feeds sync`,
          evidence: ageEvidence(facts),
        }
      : undefined;
  return {
    id: "not-reconfirmed",
    effect: { kind: "hold" },
    title: `its hold ended ${isoMinute(end)}; the registry has not confirmed it since ${isoMinute(facts.lastListed)}`,
    // The evidence of the age it waited for: a waiver of that covers this.
    evidence: ageEvidence(facts),
  };
};
