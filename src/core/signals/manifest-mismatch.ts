/** package.json in the tarball contradicts the packument: what was resolved is not what is installed. */
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

export const manifestMismatch: Check = ({ facts }) => {
  const { code } = facts;
  if (code?.state !== "done" || code.mismatches.length === 0) return undefined;
  return {
    id: "manifest-mismatch",
    effect: withinHorizon(facts, { kind: "review" }),
    title: "the tarball's package.json contradicts the registry",
    evidence: code.mismatches.map((text) => ({ text, source: "package.json" })),
  };
};
