/** The version is younger than the hold. */
import { instant, span } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";

export const youngRelease: Check = ({ facts, policy, now }) => {
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
export function ageEvidence(facts: Facts): readonly Evidence[] {
  const evidence: Evidence[] = [
    { text: CLAIM[facts.claim], source: "registry", ...(facts.claimed === undefined ? {} : { at: facts.claimed }) },
  ];
  evidence.push({ text: "this gate first saw it", source: "history", at: facts.firstSeen });
  if (facts.basis === "absent-before")
    evidence.push({
      text: "an earlier answer listed the package without it, so it is no older than that",
      source: "history",
      at: facts.start,
    });
  if (facts.basis === "returned")
    evidence.push({ text: "it was gone from the registry and came back; its hold starts anew", source: "history", at: facts.start });
  if (facts.timeless)
    evidence.push({
      text: "this upstream gives no publish times; policy.baseline can declare what it listed first as old",
      source: "registry",
    });
  return evidence;
}

const CLAIM: Readonly<Record<Facts["claim"], string>> = {
  ok: "the registry says when it was published",
  moved: "the registry said when it was published",
  "back-dated": "the registry says it was published before we looked and did not find it",
  future: "the registry says it was published later than we saw it; first sight counts",
  missing: "the registry does not say when it was published; first sight counts",
  unreadable: "the registry's publish time cannot be read; first sight counts",
};
