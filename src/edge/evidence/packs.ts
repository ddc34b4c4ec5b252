/** Packs of the data directory: what was imported, by whom, and who signed it. */
import fs from "node:fs";
import path from "node:path";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { type IncidentPack, readPack } from "../../core/incident/pack.ts";
import { type PackKey, whoSigned } from "../../core/incident/signature.ts";
import { readText } from "../host/files.ts";

/** As written at the import; `signature` is the text of the file beside the pack. */
export type Provenance = { readonly by: string; readonly at: Instant; readonly sha256: string; readonly signature?: string };

export type ImportedPack = {
  readonly pack: IncidentPack;
  readonly sha256: string;
  readonly by: string;
  readonly at: Instant;
  /** Who signed it, by the keys that are trusted now; absent: nobody did. */
  readonly signed?: { readonly by?: string; readonly key: string };
};

/** Damaged and changed ones are named and not used. */
export function readImportedPacks(
  dataDir: string,
  keys: readonly PackKey[],
): { readonly packs: readonly ImportedPack[]; readonly problems: readonly string[] } {
  const folder = path.join(dataDir, "incidents");
  const packs: ImportedPack[] = [];
  const problems: string[] = [];
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const name of names.filter((one) => one.endsWith(".json") && !one.endsWith(".from.json")).toSorted()) {
    const file = path.join(folder, name);
    const text = readText(file, LIMITS.advisoryBytes) ?? "";
    const read = readPack(text);
    const from = provenanceOf(file);
    const signed = from?.signature === undefined ? undefined : whoSigned(Buffer.from(text), from.signature, keys);
    if ("problems" in read) problems.push(`${file}: ${read.problems.join("; ")}`);
    else if (from === undefined) problems.push(`${file}: nothing says how it came here; import it again`);
    else if (from.sha256 !== sha256(text)) problems.push(`${file}: it was changed after it was imported; import it again`);
    else if (signed?.kind === "unfit") problems.push(`${file}: ${signed.why}`);
    else {
      const about = signed && { key: signed.key, ...(signed.kind === "signed" ? { by: signed.by } : {}) };
      packs.push({ pack: read.pack, sha256: from.sha256, by: from.by, at: from.at, ...(about && { signed: about }) });
    }
  }
  return { packs, problems };
}

/** Writes the pack's bytes as they came, so that its digest stays. */
export function storeImportedPack(dataDir: string, id: string, bytes: string, from: Omit<Provenance, "sha256">): void {
  const provenance: Provenance = { ...from, sha256: sha256(bytes) };
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

function provenanceOf(file: string): Provenance | undefined {
  const text = readText(`${file.slice(0, -5)}.from.json`);
  if (text === undefined) return undefined;
  try {
    const { by, at, sha256, signature } = Object(JSON.parse(text)) as Provenance;
    if (typeof by !== "string" || typeof at !== "number" || typeof sha256 !== "string") return undefined;
    return { by, at, sha256, ...(typeof signature === "string" ? { signature } : {}) };
  } catch {
    return undefined;
  }
}
