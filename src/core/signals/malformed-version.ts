/** The registry's entry for this version cannot be read safely. */
import type { Check } from "./check.ts";

export const malformedVersion: Check = ({ facts: { problem } }) =>
  problem === undefined
    ? undefined
    : {
        id: "malformed-version",
        effect: { kind: "deny" },
        title: "its entry in the registry cannot be read safely",
        evidence: [{ text: problem, source: "registry" }],
      };
