/** The hold is over, but nothing newer than its end says that the registry still lists these bytes. */
import { LIMITS } from "../base/limits.ts";
import { DAY, type Instant, instant, isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";
import { ageEvidence } from "./young-release.ts";

/** Design §4: "A hold ends only on evidence newer than its end: an upstream answer that still lists the version with the same integrity". */
/** What `feedsAsOf` says of a feed that was never read. */
export const NEVER = instant(0);

/**
 * Design §4: a hold ends only on "feeds no older than 24 h where feeds are configured". Asked of versions that are still young: what stood
 * for two weeks is not held again because a feed fell asleep.
 */
export function feedsTooOld(end: Instant, now: Instant, feedsAsOf: Instant | undefined): boolean {
  return feedsAsOf !== undefined && feedsAsOf < end - DAY && now - end < LIMITS.matureMs;
}

export const notReconfirmed: Check = ({ facts, policy, now, feedsAsOf }) => {
  if (facts.problem !== undefined) return undefined;
  const end = instant(facts.start + policy.hold);
  if (now < end) return undefined;
  if (facts.lastListed >= end)
    return feedsTooOld(end, now, feedsAsOf)
      ? {
          id: "not-reconfirmed",
          effect: { kind: "hold" },
          title: `its hold ended ${isoMinute(end)}, but ${feedsAsOf === NEVER ? "a configured feed was never read" : `the feeds are as old as ${isoMinute(feedsAsOf!)}`}; cordon feeds sync`,
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
