/** Packs nobody wrote: of an advisory, or of a bare name@version that somebody wants to know about now. */
import type { Advisory, RangeEvent } from "../advisory/advisory.ts";
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

/**
 * Only exact versions, bytes, and names that were never anything else can be looked for; what a range says beyond them makes the pack
 * partial. Undefined when it names none.
 */
export function packOfAdvisory({ id, aliases, summary, affected }: Advisory): IncidentPack | undefined {
  const packages = affected.flatMap(({ name, versions, ranges, integrities }): IncidentPack["packages"] => {
    const exact = versions.filter(isVersion);
    const every = ranges.some(isEverything);
    if (exact.length === 0 && !every) return [];
    // Which digest is of which version is not said; by any of them the bytes are bad.
    const bad = exact.map((version) => ({ version, ...(integrities.length > 0 && { integrity: [...integrities] }) }));
    return [{ name, role: every ? "payload" : "carrier", versions: bad, ...(every && { everyVersion: true as const }) }];
  });
  if (packages.length === 0) return undefined;
  const open = affected.some(({ ranges }) => ranges.length > 0 && !ranges.some(isEverything));
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

/** OSV schema, affected[].ranges[].events: "the value "0" … represents a version that sorts before any other version", and nothing ends it. */
function isEverything(events: readonly RangeEvent[]): boolean {
  return events.length > 0 && events.every(({ kind, version }) => kind === "introduced" && version === "0");
}
