/** The version is younger than the hold. */
import { instant, isoMinute, span } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";

export const youngRelease: Check = ({ facts, policy, now }) => {
  // What cannot be read is not served at any age; its age says nothing to anybody.
  if (facts.problem !== undefined) return undefined;
  const until = instant(facts.start + policy.hold);
  if (now >= until) return undefined;
  return {
    id: "young-release",
    effect: { kind: "hold", until },
    title: `${STARTED[facts.basis]} ${span(now - facts.start)} ago`,
    evidence: ageEvidence(facts),
  };
};

const STARTED: Readonly<Record<Facts["basis"], string>> = {
  "registry-time": "published",
  "first-seen": "first seen",
  "absent-before": "appeared",
  returned: "came back",
  baseline: "first seen",
};

/** How its age is known. Holds nothing that changes from one minute to the next: waivers are pinned to it. */
export function ageEvidence({ claim, claimed, firstSeen, basis, start, timeless }: Facts): readonly Evidence[] {
  const evidence: Evidence[] = [
    {
      text: CLAIM[claim](claimed === undefined ? "" : isoMinute(claimed)),
      source: "registry",
      ...(claimed === undefined ? {} : { at: claimed }),
    },
    { text: `first seen here ${isoMinute(firstSeen)}`, source: "history", at: firstSeen },
  ];
  if (basis === "absent-before")
    evidence.push({ text: `not there at ${isoMinute(start)}, when the package was listed without it`, source: "history", at: start });
  if (basis === "returned")
    evidence.push({ text: `gone from the registry, back at ${isoMinute(start)}: its hold starts anew`, source: "history", at: start });
  if (timeless)
    evidence.push({
      text: "this upstream gives no publish times; policy.baseline can declare what it listed first as old",
      source: "registry",
    });
  return evidence;
}

const CLAIM: Readonly<Record<Facts["claim"], (when: string) => string>> = {
  ok: (when) => `published ${when}`,
  moved: (when) => `published ${when}, it said at first`,
  "back-dated": (when) => `published ${when}, it says; that is contradicted`,
  future: (when) => `published ${when}, it says; that was yet to come, so first sight counts`,
  missing: () => "it gives no publish time, so first sight counts",
  unreadable: () => "its publish time cannot be read, so first sight counts",
};
