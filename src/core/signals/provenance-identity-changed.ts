/** It was built in another repository, by another workflow, from another kind of ref or on another kind of runner than before. */
import { compareIdentity } from "../attest/compare-identity.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

/** Compared with the predecessor and with the mature release; where neither has provenance, with the newest that does. */
export const provenanceIdentityChanged: Check = ({ facts }) => {
  const { attested } = facts;
  if (attested?.own.provenance.state !== "valid") return undefined;
  const { identity } = attested.own.provenance;
  const proved = [attested.predecessor, attested.mature].filter((one) => one?.attested.provenance.state === "valid");
  const baseline = proved.length > 0 ? proved : attested.recent.filter((one) => one.attested.provenance.state === "valid").slice(0, 1);
  const compared = [...new Map(baseline.map((one) => [one!.version, one!])).values()].flatMap(({ version, attested: { provenance } }) =>
    provenance.state === "valid" ? [{ version, ...compareIdentity(provenance.identity, identity) }] : [],
  );
  const told = (version: string, what: string, from: string, to: string) => ({
    text: `${what}: ${from} (${version}) → ${to}`,
    source: "provenance",
  });
  const changes = compared.flatMap(({ version, changes: some }) => some.map(({ what, from, to }) => told(version, what, from, to)));
  if (changes.length > 0) {
    const whats = new Set(compared.flatMap((one) => one.changes.map(({ what }) => what)));
    return {
      id: "provenance-identity-changed",
      effect: facts.privateUpstream ? { kind: "note" } : withinHorizon(facts, { kind: "review" }),
      title: `built elsewhere than before: another ${[...whats].join(", ")}`,
      evidence: changes,
    };
  }
  const renamed = compared.flatMap(({ version, renamed: one }) => (one ? [told(version, one.what, one.from, one.to)] : []));
  if (renamed.length === 0) return undefined;
  return {
    id: "provenance-identity-changed",
    effect: { kind: "note" },
    title: "its repository was renamed; by its ids it is the same",
    evidence: renamed,
  };
};
