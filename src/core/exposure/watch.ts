/** What to keep of all that is read: the readers ask this before they hand anything on, so that a big disk needs little memory. */
import { parseIntegrity } from "../npm/integrity.ts";
import type { IncidentPack, PackArtefact } from "../incident/pack.ts";

export type Watch = {
  /** Whether any pack speaks of this version or of these bytes. */
  hits(name: string, version: string, integrity?: string): boolean;
  /** Whether any pack speaks of the name at all. */
  knows(name: string): boolean;
  readonly names: readonly string[];
  /** Of the poisoned bytes: `algorithm-base64`. */
  readonly digests: readonly string[];
  /** Artefacts a project may hold: by a file's name, the packs' own texts, which may say more of the path. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** Artefacts of a machine. */
  readonly paths: readonly PackArtefact[];
};

export function watchFor(packs: readonly IncidentPack[]): Watch {
  const versions = new Set<string>();
  const names = new Set<string>();
  const bytes = new Set<string>();
  const every = new Set<string>();
  for (const { packages, decoys = [], tells = [] } of packs) {
    for (const one of packages) {
      names.add(one.name);
      if (one.everyVersion) every.add(one.name);
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
      (every.has(name) && version !== "") ||
      (bytes.size > 0 && integrity !== undefined && digestsOf(integrity).some((one) => bytes.has(one))),
    knows: (name) => names.has(name),
    names: [...names],
    digests: [...bytes],
    files: byFileName(packs.flatMap((pack) => (pack.indicators?.files ?? []).map(({ path }) => path))),
    paths: packs.flatMap((pack) => pack.indicators?.paths ?? []),
  };
}

function byFileName(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const path of new Set(paths)) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    files.set(name, [...(files.get(name) ?? []), path]);
  }
  return files;
}

/** The packs' own texts that fit this file. */
export function artefactsAt({ files }: Pick<Watch, "files">, file: string): readonly string[] {
  const path = file.replaceAll("\\", "/");
  const named = files.get(path.slice(path.lastIndexOf("/") + 1));
  return named === undefined ? [] : named.filter((one) => path === one || path.endsWith(`/${one}`));
}

/** The packs' own texts that a command line names as a word of its own: `node .claude/setup.mjs && true`. */
export function artefactsIn(watch: Pick<Watch, "files">, command: string): readonly string[] {
  if (watch.files.size === 0) return [];
  return [...new Set(command.split(/[\s"'`;&|()=]+/).flatMap((word) => artefactsAt(watch, word)))];
}

/** `algorithm-digest` for every digest of an SRI string; none when it cannot be read. */
export function digestsOf(sri: string): readonly string[] {
  const read = parseIntegrity(sri);
  if (read.kind !== "integrity") return [];
  return Object.entries(read.digests).flatMap(([algorithm, digests]) => digests.map((digest) => `${algorithm}-${digest}`));
}
