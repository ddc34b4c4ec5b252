/** Packs nobody wrote: of an advisory, or of a bare name@version that somebody wants to know about now. */
import type { Advisory } from "../advisory/advisory.ts";
import { isVersion } from "../lockfile/identity.ts";
import { PACK_SCHEMA, type IncidentPack } from "./pack.ts";

export function packOfSpec(name: string, version: string): IncidentPack {
  return {
    schema: PACK_SCHEMA,
    id: `${name}@${version}`,
    revision: 1,
    title: `${name}@${version}`,
    summary: "One version, asked about by name; nothing else is known of it here.",
    aliases: [],
    coverage: { kind: "complete" },
    packages: [{ name, role: "carrier", versions: [{ version }] }],
    window: { precision: "day" },
    execution: "unknown",
    sources: [],
  };
}

/** Only exact versions and bytes can be looked for; what a range says beyond them makes the pack partial. Undefined when it names none. */
export function packOfAdvisory({ id, aliases, summary, affected }: Advisory): IncidentPack | undefined {
  const packages = affected.flatMap(({ name, versions, integrities }) => {
    const exact = versions.filter(isVersion);
    if (exact.length === 0) return [];
    // Which digest is of which version is not said; by any of them the bytes are bad.
    return [
      {
        name,
        role: "carrier" as const,
        versions: exact.map((version) => ({ version, ...(integrities.length > 0 && { integrity: [...integrities] }) })),
      },
    ];
  });
  if (packages.length === 0) return undefined;
  const open = affected.some(({ ranges }) => ranges.length > 0);
  return {
    schema: PACK_SCHEMA,
    id,
    revision: 1,
    title: summary ?? id,
    summary: summary ?? id,
    aliases: [...aliases],
    coverage: open
      ? { kind: "partial", note: "the advisory also names ranges; only its exact versions are looked for" }
      : { kind: "complete" },
    packages,
    window: { precision: "day" },
    execution: "unknown",
    sources: [{ title: `advisory ${id}` }],
  };
}
