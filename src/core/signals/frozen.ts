/** A freeze admits nothing whose age starts at or after a given moment. */
import { instant, isoMinute } from "../base/time.ts";
import { activeFreezes } from "../policy/freeze.ts";
import type { Check } from "./check.ts";

export const frozen: Check = ({ facts, exceptions, now }) => {
  const freezes = activeFreezes(exceptions.freezes, now).filter((freeze) => facts.start >= freeze.before);
  if (freezes.length === 0) return undefined;
  // Design §4: a freeze "never stops a pin already served before it began".
  const servedBefore = freezes.every((freeze) => facts.servedSince !== undefined && facts.servedSince < freeze.created);
  return {
    id: "frozen",
    effect: {
      kind: "hold",
      until: instant(Math.max(...freezes.map((freeze) => freeze.expires))),
      ...(servedBefore ? { pins: "served" } : {}),
    },
    title: `nothing newer than ${isoMinute(freezes[0]!.before)} is admitted`,
    evidence: freezes.map((freeze) => ({
      text: `${freeze.reason} (${freeze.owner}, until ${isoMinute(freeze.expires)}, ${freeze.id})`,
      source: "policy",
      at: freeze.created,
    })),
  };
};
