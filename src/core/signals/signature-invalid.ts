/** The registry's own signature does not fit the version: somebody else is speaking in its name. */
import type { Check } from "./check.ts";

export const signatureInvalid: Check = ({ facts }) => {
  const signature = facts.attested?.own.signature;
  if (signature?.state !== "invalid") return undefined;
  return {
    id: "signature-invalid",
    effect: { kind: "deny" },
    title: "the registry's signature is not over this version",
    evidence: [{ text: signature.reason, source: "registry" }],
  };
};
