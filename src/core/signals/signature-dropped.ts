/** Earlier releases carry the registry's signature; this one does not. */
import { earlierOf, isSigned, ownOf } from "./attested.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

export const signatureDropped: Check = ({ facts }) => {
  const own = ownOf(facts);
  if (!own || isSigned(own)) return undefined;
  const before = earlierOf(facts).filter(isSigned);
  if (before.length === 0) return undefined;
  return {
    id: "signature-dropped",
    effect: facts.privateUpstream ? { kind: "note" } : withinHorizon(facts, { kind: "review" }),
    title: `the registry signed ${before[0]!.version}, but not this one`,
    evidence: [
      { text: "no signature in its entry", source: "registry" },
      { text: `signed: ${before.map(({ version }) => version).join(", ")}`, source: "registry" },
    ],
  };
};
