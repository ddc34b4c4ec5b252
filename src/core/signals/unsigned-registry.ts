/** The upstream signs nothing at all: nothing proves that its bytes are those that were published. */
import type { Check } from "./check.ts";

export const unsignedRegistry: Check = ({ facts }) => {
  if (!facts.attested || facts.attested.registrySigns || facts.attested.own.signature.state !== "absent") return undefined;
  return {
    id: "unsigned-registry",
    effect: { kind: "note" },
    title: "its registry does not sign what it serves",
    evidence: [{ text: "no version seen from this upstream carries a signature", source: "registry" }],
  };
};
