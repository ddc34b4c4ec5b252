/** The hold is over, but nothing newer than its end says that the registry still lists these bytes. */
import { instant, isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";
import { ageEvidence } from "./young-release.ts";

/** Design §4: "A hold ends only on evidence newer than its end: an upstream answer that still lists the version with the same integrity". */
export const notReconfirmed: Check = ({ facts, policy, now }) => {
  if (facts.problem !== undefined) return undefined;
  const end = instant(facts.start + policy.hold);
  if (now < end || facts.lastListed >= end) return undefined;
  return {
    id: "not-reconfirmed",
    effect: { kind: "hold" },
    title: `its hold ended ${isoMinute(end)}; the registry has not confirmed it since ${isoMinute(facts.lastListed)}`,
    // The evidence of the age it waited for: a waiver of that covers this.
    evidence: ageEvidence(facts),
  };
};
