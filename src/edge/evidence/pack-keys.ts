/** Whose incident packs are believed on this machine: public keys a person named, in a file of the data directory. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { type Instant, iso } from "../../core/base/time.ts";
import { packKey, type PackKey } from "../../core/incident/signature.ts";
import { readText, writeText } from "../host/files.ts";

const SCHEMA = "cordon.incident-keys/1";

/** In the order they were named. A damaged file is a Fault, not an empty list: it would make every signature one of a stranger. */
export function readPackKeys(dataDir: string): readonly PackKey[] {
  const file = fileOf(dataDir);
  const text = readText(file);
  if (text === undefined) return [];
  try {
    const { schema, keys } = Object(JSON.parse(text)) as { schema?: unknown; keys?: unknown };
    if (schema !== SCHEMA || !Array.isArray(keys)) throw new Error("of another shape");
    // The fingerprint is made from the key, not read: a signature finds its key by it.
    return keys.map((one: { name?: unknown; pem?: unknown }) => packKey(String(one.name), String(one.pem)));
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `${file} cannot be read; remove it and name the keys again`, error);
  }
}

export function addPackKey(dataDir: string, added: PackKey, from: { readonly by: string; readonly at: Instant }): void {
  const others = readPackKeys(dataDir).filter(({ name }) => name !== added.name);
  write(dataDir, [...others, { ...added, by: from.by, at: iso(from.at) }]);
}

/** False when no key has that name. */
export function removePackKey(dataDir: string, name: string): boolean {
  const keys = readPackKeys(dataDir);
  const left = keys.filter((one) => one.name !== name);
  if (left.length === keys.length) return false;
  write(dataDir, left);
  return true;
}

function write(dataDir: string, keys: readonly object[]): void {
  mkdirSync(dataDir, { recursive: true });
  writeText(fileOf(dataDir), `${JSON.stringify({ schema: SCHEMA, keys }, undefined, 2)}\n`);
}

function fileOf(dataDir: string): string {
  return path.join(dataDir, "incident-keys.json");
}
