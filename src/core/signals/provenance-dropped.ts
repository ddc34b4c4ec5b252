/** Earlier releases came with proof of which repository and workflow built them; this one does not. */
import { earlierOf, hasProvenance, ownOf } from "./attested.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

export const provenanceDropped: Check = ({ facts }) => {
  const own = ownOf(facts);
  if (!own || hasProvenance(own)) return undefined;
  const before = earlierOf(facts).filter(hasProvenance);
  if (before.length === 0) return undefined;
  return {
    id: "provenance-dropped",
    effect: facts.privateUpstream ? { kind: "note" } : withinHorizon(facts, { kind: "review" }),
    title: `${before[0]!.version} came with build provenance; this one without`,
    evidence: [
      { text: "no provenance attestation", source: "registry" },
      { text: `provenance is present in ${before.map(({ version }) => version).join(", ")}`, source: "registry" },
    ],
  };
};
