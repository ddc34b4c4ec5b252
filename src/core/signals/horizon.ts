/** Which versions a difference can hold or stop. */
import { DAY, type Instant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { Effect } from "../policy/verdict.ts";

/**
 * Design §4, evidence horizon: "difference signals hold or stop versions under 90 days old at first evaluation". At first sight, so that a
 * version held then is not let go by waiting.
 */
export function isWithinHorizon({ firstSeen, start }: Pick<Facts, "firstSeen" | "start">): boolean {
  return firstSeen - start < 90 * DAY;
}

/**
 * The effect of a difference. For older versions it is a note: a script added in 2021 is no news; and so it is where the order of releases
 * is not known.
 */
export function withinHorizon(facts: Facts, effect: Effect): Effect {
  return isWithinHorizon(facts) && !facts.release?.shuffled ? effect : { kind: "note" };
}

/** Design §4: "A hold ends only on evidence newer than its end": until an answer that still lists the version, it has none. */
export function holdUntil({ lastListed }: Pick<Facts, "lastListed">, now: Instant, until: Instant): Effect {
  return now < until || lastListed >= until ? { kind: "hold", until } : { kind: "hold" };
}
