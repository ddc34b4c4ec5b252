/** Packs of the data directory: what was imported, by whom, and who signed it. */
import fs from "node:fs";
import path from "node:path";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { type IncidentPack, readPack } from "../../core/incident/pack.ts";
import { readText } from "../host/files.ts";

export type Provenance = { readonly by: string; readonly at: Instant; readonly key?: string };

export type ImportedPack = { readonly pack: IncidentPack; readonly sha256: string; readonly provenance?: Provenance };

/** Damaged ones are named, not skipped. */
export function readImportedPacks(dataDir: string): { readonly packs: readonly ImportedPack[]; readonly problems: readonly string[] } {
  const folder = path.join(dataDir, "incidents");
  const packs: ImportedPack[] = [];
  const problems: string[] = [];
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const name of names.filter((one) => one.endsWith(".json") && !one.endsWith(".from.json")).toSorted()) {
    const file = path.join(folder, name);
    const text = readText(file, LIMITS.advisoryBytes) ?? "";
    const read = readPack(text);
    if ("problems" in read) problems.push(`${file}: ${read.problems.join("; ")}`);
    else packs.push({ pack: read.pack, sha256: sha256(text), ...provenanceOf(file) });
  }
  return { packs, problems };
}

/** Writes the pack's bytes as they came, so that its digest stays. */
export function storeImportedPack(dataDir: string, id: string, bytes: string, provenance: Provenance): void {
  const folder = path.join(dataDir, "incidents");
  const file = path.join(folder, `${id.replaceAll(/[^\w.-]/g, "_")}.json`);
  fs.mkdirSync(folder, { recursive: true });
  try {
    fs.writeFileSync(file, bytes);
    fs.writeFileSync(`${file.slice(0, -5)}.from.json`, JSON.stringify(provenance));
  } catch (error) {
    throw new Fault("STORE_BROKEN", `${file}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function provenanceOf(file: string): { readonly provenance?: Provenance } {
  const text = readText(`${file.slice(0, -5)}.from.json`);
  if (text === undefined) return {};
  try {
    return { provenance: JSON.parse(text) as Provenance };
  } catch {
    return {};
  }
}
