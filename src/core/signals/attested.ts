/** What the signals on signatures and provenance share: how a proof is read, and which releases show how things were before. */
import { type Attested, type AttestedRelease, isPresent } from "../attest/attested.ts";
import type { Facts } from "../facts/facts.ts";
import type { Release } from "../npm/release.ts";
import { everSeen } from "./baseline.ts";

/** One earlier release: what the registry says of it, and what was proved where somebody looked. */
export type Earlier = { readonly version: string; readonly release?: Release; readonly attested?: Attested };

/** The version itself; undefined when neither its entry nor its proofs were looked at. */
export function ownOf({ release, attested }: Facts): Omit<Earlier, "version"> | undefined {
  if (!release && !attested) return undefined;
  return { ...(release && { release: release.own }), ...(attested && { attested: attested.own }) };
}

/** Those that count (design §4: "presence in any of the last five releases makes absence a drop"), newest evidence first. */
export function earlierOf({ release, attested }: Facts): readonly Earlier[] {
  const proved = new Map(provedBefore(attested).map((one) => [one.version, one.attested]));
  const said = release ? everSeen(release) : [];
  const names = new Set([...said.map(({ version }) => version), ...proved.keys()]);
  return [...names].map((version) => {
    const entry = said.find((one) => one.version === version)?.release;
    const proof = proved.get(version);
    return { version, ...(entry === undefined ? {} : { release: entry }), ...(proof === undefined ? {} : { attested: proof }) };
  });
}

function provedBefore(attested: Facts["attested"]): readonly AttestedRelease[] {
  if (!attested) return [];
  const { predecessor, mature, recent } = attested;
  return [predecessor, mature, ...recent].filter((one) => one !== undefined);
}

/**
 * The registry writes `dist.attestations` itself, so its entry alone tells; a mirror that does not pass the attestations on has taken
 * nothing away from the release (`unverifiable` says that they are missing).
 */
export function hasProvenance({ release, attested }: Omit<Earlier, "version">): boolean {
  return release?.attestations?.provenance !== undefined || (attested !== undefined && isPresent(attested.provenance));
}

export function isSigned({ release, attested }: Omit<Earlier, "version">): boolean {
  return (release?.signatures?.length ?? 0) > 0 || (attested !== undefined && isPresent(attested.signature));
}
