/** What to keep of all that is read: the readers ask this before they hand anything on, so that a big disk needs little memory. */
import { parseIntegrity } from "../npm/integrity.ts";
import type { IncidentPack, PackArtefact } from "../incident/pack.ts";

export type Watch = {
  /** Whether any pack speaks of this version or of these bytes. */
  hits(name: string, version: string, integrity?: string): boolean;
  /** Whether any pack speaks of the name at all. */
  knows(name: string): boolean;
  readonly names: readonly string[];
  /** Artefacts a project may hold, by file name. */
  readonly files: ReadonlySet<string>;
  /** Artefacts of a machine. */
  readonly paths: readonly PackArtefact[];
};

export function watchFor(packs: readonly IncidentPack[]): Watch {
  const versions = new Set<string>();
  const names = new Set<string>();
  const bytes = new Set<string>();
  for (const { packages, decoys = [], tells = [] } of packs) {
    for (const one of packages) {
      names.add(one.name);
      for (const { version, integrity = [] } of one.versions) {
        versions.add(`${one.name}@${version}`);
        for (const sri of integrity) for (const digest of digestsOf(sri)) bytes.add(digest);
      }
    }
    for (const { name, version } of decoys) versions.add(`${name}@${version}`);
    for (const { name, locked, folder } of tells) for (const version of [locked, folder]) versions.add(`${name}@${version}`);
  }
  return {
    hits: (name, version, integrity) =>
      versions.has(`${name}@${version}`) ||
      (bytes.size > 0 && integrity !== undefined && digestsOf(integrity).some((one) => bytes.has(one))),
    knows: (name) => names.has(name),
    names: [...names],
    files: new Set(packs.flatMap((pack) => (pack.indicators?.files ?? []).map(({ path }) => path))),
    paths: packs.flatMap((pack) => pack.indicators?.paths ?? []),
  };
}

/** `algorithm-digest` for every digest of an SRI string; none when it cannot be read. */
export function digestsOf(sri: string): readonly string[] {
  const read = parseIntegrity(sri);
  if (read.kind !== "integrity") return [];
  return Object.entries(read.digests).flatMap(([algorithm, digests]) => digests.map((digest) => `${algorithm}-${digest}`));
}
