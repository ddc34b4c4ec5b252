/** `node_modules`: what lies in each folder, what the client recorded of it, and where the two disagree. */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { ClientId } from "../../core/client/client.ts";
import { artefactsAt } from "../../core/exposure/watch.ts";
import { registryIdentity } from "../../core/lockfile/identity.ts";
import { isWithin, tryReadText } from "../host/files.ts";
import { readProject } from "../host/installed.ts";
import { type LockfileHit, readWatched } from "./lockfile.ts";
import type { Reading } from "./reading.ts";

/** Files that give away which client wrote a `node_modules`. */
const RECORDS: readonly (readonly [string, ClientId])[] = [
  [".package-lock.json", "npm"],
  [".modules.yaml", "pnpm"],
  [".yarn-state.yml", "yarn-berry"],
  [".yarn-integrity", "yarn-classic"],
  [".bun", "bun"],
  [".deno", "deno"],
];

function clientOf(folder: string): ClientId {
  const modules = path.join(folder, "node_modules");
  const recorded = RECORDS.find(([name]) => fs.existsSync(path.join(modules, name)))?.[1];
  if (recorded !== undefined) return recorded;
  // Plug'n'Play: packages lie in archives, and there is no node_modules to record anything in.
  if (fs.existsSync(path.join(folder, ".pnp.cjs")) || fs.existsSync(path.join(folder, ".pnp.data.json"))) return "yarn-berry";
  return fs.existsSync(path.join(folder, "bun.lock")) ? "bun" : "npm";
}

/** An archive of Plug'n'Play holds its folders within and is no folder; what else cannot be listed is told. */
function namesIn({ see }: Reading, place: string, folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") see({ kind: "missing", place, what: `${folder} cannot be listed: ${code}` });
    return [];
  }
}

/** `folder` holds the `node_modules`; `place` is the project it belongs to. */
export async function readModulesEvidence(reading: Reading, place: string, folder: string): Promise<void> {
  const { see, watch, surroundings, counts } = reading;
  const found = await readProject({ client: clientOf(folder), root: folder, workspaces: [], surroundings });
  counts.entries += found.packages.length;
  for (const { name, version, path: file, integrity, alias, source, orphan } of found.packages) {
    // What a payload drops beside an honest version is seen in the packages that were ever attacked.
    if (watch.knows(name))
      for (const entry of namesIn(reading, place, file))
        for (const indicator of artefactsAt(watch, path.join(file, entry)))
          see({ kind: "artefact", place, file: path.join(file, entry), indicator });
    const own = source === "git" || source === "file";
    if (!(own ? watch.hits("", "", integrity) : watch.hits(name, version, integrity))) continue;
    const notes = [...(alias === undefined ? [] : [`installed as ${alias}`]), ...(orphan ? ["left over from an earlier install"] : [])];
    see({
      kind: "package",
      place,
      form: "folder",
      file,
      name,
      version,
      ...(integrity !== undefined && { integrity }),
      ...(notes.length > 0 && { note: notes.join(", ") }),
    });
  }
  // The client's own record outlives what an implant does to the folder.
  for (const { path: file, record, source } of found.disagreements) {
    const at = record.lastIndexOf("@");
    const [name, version] = [record.slice(0, at), record.slice(at + 1)];
    if (watch.hits(name, version))
      see({
        kind: "package",
        place,
        form: "hidden-lockfile",
        file,
        name,
        version,
        note: `by ${path.isAbsolute(source) ? path.relative(folder, source) : source}`,
      });
  }
  for (const { file, ...hit } of recordedBy(reading, place, folder)) {
    const lies = found.packages.some((one) => one.name === hit.name && one.version === hit.version);
    if (!lies) see({ kind: "package", place, form: "hidden-lockfile", file, ...hit });
  }
  for (const { path: file, why } of found.unreadable) see({ kind: "missing", place, what: `${file}: ${why}` });
  for (const { path: file, target } of found.links)
    if (!reading.roots.some((root) => isWithin(root, target)))
      see({ kind: "missing", place, what: `${file}: a link to ${target}, not followed` });
  if (found.packages.length > 0) see({ kind: "looked", place, what: "node_modules holds none of them" });
}

/** What pnpm and yarn 1 wrote down of a whole install; what lies there no more is found only in it. */
function* recordedBy(reading: Reading, place: string, folder: string): Generator<LockfileHit & { readonly file: string }> {
  const lock = path.join(folder, "node_modules", ".pnpm", "lock.yaml");
  const text = tryReadText(lock, LIMITS.lockfileBytes);
  if (typeof text === "string") {
    const { hits, why } = readWatched(reading, lock, Buffer.from(text));
    for (const { line: _line, ...hit } of hits) yield { file: lock, ...hit };
    if (why !== undefined) reading.see({ kind: "missing", place, what: `${lock}: ${why}` });
  }
  const integrity = path.join(folder, "node_modules", ".yarn-integrity");
  const entries = tryReadText(integrity, LIMITS.lockfileBytes);
  if (typeof entries !== "string") return;
  for (const [, url] of entries.matchAll(/":\s*"(https?:[^"]+)"/g)) {
    const identity = registryIdentity(url!);
    if (identity && reading.watch.hits(identity.name, identity.version)) yield { file: integrity, ...identity };
  }
}
