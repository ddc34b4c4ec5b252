/** The door to all evidence: folders and files a person names, and the places of this machine. Read-only from end to end. */
import fs from "node:fs";
import path from "node:path";
import type { Sighting } from "../../core/exposure/sighting.ts";
import type { Watch } from "../../core/exposure/watch.ts";
import { Fault } from "../../core/base/fault.ts";
import { codeOf } from "../host/files.ts";
import type { Surroundings } from "../host/places.ts";
import { MACHINE, readArtefacts } from "./artefacts.ts";
import { readFileEvidence } from "./file.ts";
import { readHomeLaunchers } from "./launchers.ts";
import { machinePlaces } from "./machine.ts";
import type { Reading } from "./reading.ts";
import { walk } from "./walk.ts";

export type EvidenceRequest = {
  /** Absolute, or relative to `cwd`. */
  readonly paths: readonly string[];
  /** Also this machine's caches, logs, global installs and what payloads leave on it. */
  readonly machine: boolean;
  readonly watch: Watch;
  readonly see: (sighting: Sighting) => void;
  readonly tell: (what: string) => void;
};

export type EvidenceSummary = {
  readonly roots: readonly string[];
  /** What this machine does not have, so nobody could look. */
  readonly absent: readonly string[];
  readonly folders: number;
  readonly files: number;
  readonly entries: number;
};

/** Fault INPUT_UNREADABLE when a path that was named does not exist. */
export async function readEvidence(
  { paths, machine, watch, see, tell }: EvidenceRequest,
  { surroundings, cwd }: { readonly surroundings: Surroundings; readonly cwd: string },
): Promise<EvidenceSummary> {
  const named = paths.map((one) => real(path.resolve(cwd, one)));
  const places = machine ? machinePlaces(surroundings) : { folders: [], absent: [], missing: [] };
  const own = places.folders.flatMap((folder) => realOf(folder) ?? []);
  const roots = [...new Set([...named, ...own])];
  let seen = 0;
  const counted = (sighting: Sighting): void => {
    seen += 1;
    see(sighting);
  };
  const reading: Reading = { watch, surroundings, roots, see: counted, tell, counts: { folders: 0, files: 0, entries: 0 } };
  if (machine) {
    readArtefacts(reading);
    readHomeLaunchers(reading);
    for (const what of places.missing) see({ kind: "missing", place: MACHINE, what });
  }
  for (const root of roots) {
    const within = new Set(roots.filter((other) => other !== root && other.startsWith(root + path.sep)));
    const before = seen;
    if (fs.statSync(root).isDirectory()) await walk(reading, root, within);
    else await readFileEvidence(reading, root);
    // Somebody named it, so it gets an answer.
    if (seen === before && named.includes(root))
      see({
        kind: "missing",
        place: root,
        what: "nothing of npm lies in it: no project, cache, log or artefact; is it the folder that was meant?",
      });
  }
  return { roots, absent: places.absent, ...reading.counts };
}

/** A root that is a link is what somebody named: it is followed, once. */
function real(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `${file}: ${codeOf(error)}`);
  }
}

function realOf(file: string): string | undefined {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
}
