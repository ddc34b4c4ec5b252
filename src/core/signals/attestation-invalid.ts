/** An attestation contradicts the version it is served for, under a key or authority that is known. */
import type { Check } from "./check.ts";

export const attestationInvalid: Check = ({ facts }) => {
  if (!facts.attested) return undefined;
  const { publish, provenance } = facts.attested.own;
  const wrong = Object.entries({ publish, provenance }).flatMap(([kind, proof]) =>
    proof.state === "invalid" ? [{ text: `${kind} attestation: ${proof.reason}`, source: "registry" }] : [],
  );
  if (wrong.length === 0) return undefined;
  return { id: "attestation-invalid", effect: { kind: "deny" }, title: "an attestation it comes with contradicts it", evidence: wrong };
};
