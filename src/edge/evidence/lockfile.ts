/** Lockfiles in working trees: what each names, by its own reader; what its reader could not read is missing evidence. */
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Form, PackageSighting } from "../../core/exposure/sighting.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import type { ResolvedTree } from "../../core/lockfile/tree.ts";
import { codeOf, readBytes } from "../host/files.ts";
import type { Reading } from "./reading.ts";

/** `place` is the project the file belongs to. */
export function readLockfileEvidence(reading: Reading, place: string, file: string): void {
  let content: Buffer | undefined;
  try {
    content = readBytes(file, LIMITS.lockfileBytes);
  } catch (error) {
    reading.see({ kind: "missing", place, what: `${file}: ${codeOf(error).replace(`${file}: `, "")}` });
    return;
  }
  if (content === undefined) {
    reading.see({ kind: "missing", place, what: `${file}: gone, or of a name that cannot be opened` });
    return;
  }
  reading.counts.files += 1;
  const form = path.basename(file) === ".package-lock.json" ? "hidden-lockfile" : "lockfile";
  seeTree(reading, place, file, form, readLockfile(file, content));
}

function seeTree(reading: Reading, place: string, file: string, form: Form, tree: ResolvedTree): void {
  for (const one of watched(reading, tree)) reading.see({ kind: "package", place, form, file, ...one });
  if (!tree.complete) reading.see({ kind: "missing", place, what: `${file}: ${tree.problems[0]?.message ?? "not read whole"}` });
  else reading.see({ kind: "looked", place, what: `${path.basename(file)} names none of them` });
}

/** Entries a pack speaks of. What is a folder of this disk, or a commit, is not the registry's package whatever it is called. */
export function* watched(
  { watch, counts }: Pick<Reading, "watch" | "counts">,
  tree: ResolvedTree,
): Generator<Pick<PackageSighting, "name" | "version" | "integrity" | "line" | "note">> {
  counts.entries += tree.packages.length;
  for (const { name, version, integrity, source, line, alias } of tree.packages) {
    if (source.kind === "workspace" || source.kind === "link" || source.kind === "jsr" || source.kind === "module") continue;
    const sri = integrity === undefined || integrity.kind === "berry-checksum" || integrity.kind === "hex" ? undefined : integrity.value;
    if (!watch.hits(name, version, sri)) continue;
    if (source.kind === "git" && !watch.hits("", "", sri)) continue;
    yield {
      name,
      version,
      ...(sri !== undefined && { integrity: sri }),
      ...(line > 0 && { line }),
      ...(alias !== undefined && { note: `installed as ${alias}` }),
    };
  }
}
