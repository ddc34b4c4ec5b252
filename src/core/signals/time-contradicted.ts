/** The registry's publish time contradicts what this gate saw. A note: the start of age already follows the evidence. */
import { iso } from "../base/time.ts";
import type { Check } from "./check.ts";

export const timeContradicted: Check = ({ facts }) => {
  const { claimed, claimedNow, claim, firstSeen, start } = facts;
  if (claimed === undefined || (claim !== "future" && claim !== "back-dated" && claim !== "moved")) return undefined;
  const title = {
    future: "the registry dates it after we first saw it",
    "back-dated": "the registry dates it before an answer that did not list it",
    moved: "the registry changed its publish time",
  }[claim];
  const seen = {
    future: { text: `this gate saw it ${iso(firstSeen)}`, source: "history", at: firstSeen },
    "back-dated": { text: `this gate looked ${iso(start)} and it was not there`, source: "history", at: start },
    moved: { text: `now it says ${claimedNow === undefined ? "something else" : iso(claimedNow)}`, source: "registry" },
  }[claim];
  return {
    id: "time-contradicted",
    effect: { kind: "note" },
    title,
    evidence: [{ text: `the registry said ${iso(claimed)}`, source: "registry", at: claimed }, seen],
  };
};
