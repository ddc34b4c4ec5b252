/** Lockfiles in working trees: what each names, by its own reader; what its reader could not read is missing evidence. */
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { mergeSides } from "../../core/exposure/merge-sides.ts";
import type { PackageSighting } from "../../core/exposure/sighting.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import type { ResolvedTree } from "../../core/lockfile/tree.ts";
import { codeOf, readBytes } from "../host/files.ts";
import type { Reading } from "./reading.ts";

/** A path to packed bytes and not to a folder. */
const ARCHIVE = /\.(?:tgz|tar\.gz|tar)$/i;

/** What a lockfile settles for the manifests beside and below it. */
export type Locked = {
  /** Folders of this disk that it names as packages, absolute. */
  readonly folders: readonly string[];
  /** Of the names that packs speak of, those it has an entry for; undefined when it was not read whole. */
  readonly names: ReadonlySet<string> | undefined;
};

const NOTHING: Locked = { folders: [], names: undefined };

/** `place` is the project the file belongs to. */
export function readLockfileEvidence(reading: Reading, place: string, file: string): Locked {
  let content: Buffer | undefined;
  try {
    content = readBytes(file, LIMITS.lockfileBytes);
  } catch (error) {
    reading.see({ kind: "missing", place, what: `${file}: ${codeOf(error).replace(`${file}: `, "")}` });
    return NOTHING;
  }
  if (content === undefined) {
    reading.see({ kind: "missing", place, what: `${file}: gone, or of a name that cannot be opened` });
    return NOTHING;
  }
  reading.counts.files += 1;
  const form = path.basename(file) === ".package-lock.json" ? "hidden-lockfile" : "lockfile";
  const { hits, why, folders, names } = readWatched(reading, file, content);
  for (const hit of hits) reading.see({ kind: "package", place, form, file, ...hit });
  if (why === undefined) reading.see({ kind: "looked", place, what: `${path.basename(file)} names none of them` });
  else reading.see({ kind: "missing", place, what: `${file}: ${why}` });
  return {
    folders: folders.map((folder) => path.resolve(path.dirname(file), folder)),
    names: why === undefined ? new Set(names) : undefined,
  };
}

export type LockfileHit = Pick<PackageSighting, "name" | "version" | "integrity" | "line" | "note">;

type Read = {
  readonly hits: readonly LockfileHit[];
  /** Why it was not read whole. */
  readonly why?: string;
  /** Relative to the lockfile. */
  readonly folders: readonly string[];
  readonly names: readonly string[];
};

/** What a lockfile's bytes name that a pack speaks of; in the middle of a merge, what either side does. */
export function readWatched(reading: Reading, file: string, content: Buffer): Read {
  const tree = readLockfile(file, content);
  const sides = tree.complete ? undefined : mergeSides(content.toString("utf8"))?.map((side) => readLockfile(file, side));
  const trees = sides ?? [tree];
  const hits = trees.flatMap((one) => [...watched(reading, one)]);
  const broken = trees.find(({ complete }) => !complete);
  return {
    hits: sides === undefined ? hits : hits.map((hit) => ({ ...hit, note: noted(hit.note, "in an unresolved merge") })),
    folders: trees.flatMap(({ packages }) =>
      packages.flatMap(({ source }) => ("path" in source && !ARCHIVE.test(source.path) ? [source.path] : [])),
    ),
    names: trees.flatMap(({ packages }) => packages.flatMap(({ name, alias = name }) => [name, alias].filter(reading.watch.knows))),
    ...(broken !== undefined && { why: problemOf(broken) }),
  };
}

function problemOf({ problems }: ResolvedTree): string {
  return problems[0]?.message ?? "not read whole";
}

function noted(...notes: readonly (string | undefined)[]): string {
  return notes.filter((note) => note !== undefined).join(", ");
}

/**
 * Entries a pack speaks of. What is a folder of this disk, or a commit, is not the registry's package whatever it is called; its bytes, where
 * the file has their digest, count all the same, and an archive that was copied here is still what it says it is.
 */
function* watched({ watch, counts }: Pick<Reading, "watch" | "counts">, tree: ResolvedTree): Generator<LockfileHit> {
  counts.entries += tree.packages.length;
  for (const { name, version, integrity, source, line, alias } of tree.packages) {
    if (source.kind === "workspace" || source.kind === "link" || source.kind === "jsr" || source.kind === "module") continue;
    const sri = integrity === undefined || integrity.kind === "berry-checksum" || integrity.kind === "hex" ? undefined : integrity.value;
    if (!watch.hits(name, version, sri)) continue;
    const own = source.kind === "git" || (source.kind === "file" && !ARCHIVE.test(source.path));
    if (own && !watch.hits("", "", sri)) continue;
    yield {
      name,
      version,
      ...(sri !== undefined && { integrity: sri }),
      ...(line > 0 && { line }),
      ...(alias !== undefined && { note: `installed as ${alias}` }),
    };
  }
}
