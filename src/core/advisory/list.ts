/** Reads a list of our own: YAML or JSON, one entry for each package or digest somebody here wants denied. Never throws. */
import { parseDocument } from "yaml";
import { canonical, sha256 } from "../base/digest.ts";
import { LIMITS } from "../base/limits.ts";
import { present } from "../base/present.ts";
import { printable } from "../base/text.ts";
import { parseIntegrity } from "../npm/integrity.ts";
import { isPackageName } from "../npm/name.ts";
import type { AdvisoryReading } from "./advisory.ts";

const KEYS = new Set(["id", "name", "versions", "integrity", "reason", "source"]);

/**
 * A list of `{ name, versions, integrity?, reason, source? }`; `versions: "*"` is every version, and an entry with `integrity` alone
 * names bytes under any name. `source` says who found it, for counting origins. `claims` is what the entries say of what they name.
 */
export function readList(text: string, place: string, claims: "malware" | "vulnerability"): readonly AdvisoryReading[] {
  const entries = parsed(text);
  if (typeof entries === "string") return [{ problem: { source: place, reason: entries } }];
  return entries.map((entry, index) => readEntry(entry, `${place} entry ${index + 1}`, claims));
}

function parsed(text: string): readonly unknown[] | string {
  try {
    const document = parseDocument(text, { version: "1.2", schema: "core", strict: true, uniqueKeys: true, prettyErrors: false });
    const [trouble] = [...document.errors, ...document.warnings];
    if (trouble) return `not YAML that can be read: ${printable(trouble.message)}`;
    // Aliases are refused: nothing here needs them, and they are how a small file becomes a large one.
    const value: unknown = document.toJS({ maxAliasCount: 0 }) ?? [];
    return Array.isArray(value) && value.length <= LIMITS.feedRecords ? value : "it is not a list";
  } catch (error) {
    return `not YAML that can be read: ${printable(error instanceof Error ? error.message : String(error))}`;
  }
}

function readEntry(entry: unknown, place: string, claims: "malware" | "vulnerability"): AdvisoryReading {
  const bad = (reason: string): AdvisoryReading => ({ problem: { source: place, reason } });
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return bad("it is not a map");
  const given = entry as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((key) => !KEYS.has(key));
  if (unknown !== undefined) return bad(`unknown key ${printable(unknown).slice(0, 50)}; there are ${[...KEYS].join(", ")}`);
  const { name, versions, integrity, reason, source, id } = given;
  if (!isLine(reason)) return bad("it gives no reason");
  if (source !== undefined && !isLine(source)) return bad("its source is not a short text");
  if (id !== undefined && (typeof id !== "string" || !/^[\x21-\x7e]{1,100}$/.test(id))) return bad("its id is not a short word");
  const digest = integrity === undefined ? undefined : sha512Of(integrity);
  if (digest === null) return bad("its integrity is not a sha512 such as sha512-…");
  if (name === undefined ? digest === undefined || versions !== undefined : typeof name !== "string" || !isPackageName(name))
    return bad("it names no package");
  const exact = Array.isArray(versions) ? versions : [];
  if (
    versions !== undefined &&
    versions !== "*" &&
    (exact.length === 0 || exact.length > LIMITS.advisoryVersions || !exact.every(isVersionText))
  )
    return bad('its versions are not a list of texts, nor "*"');
  // Nothing said of versions must not mean all of them by mistake.
  if (name !== undefined && versions === undefined && digest === undefined) return bad('it names no versions; "*" is all of them');
  const affected = {
    name: (name as string | undefined) ?? "",
    versions: exact as readonly string[],
    ranges: versions === "*" ? [[{ kind: "introduced", version: "0" }] as const] : [],
    integrities: digest === undefined ? [] : [digest],
  };
  return {
    advisory: present({
      id: id ?? `list-${sha256(canonical(affected)).slice(0, 12)}`,
      aliases: [],
      kind: claims,
      origins: source === undefined ? [] : [source],
      summary: reason,
      affected: [affected],
    }),
  };
}

/** Undefined is not an answer: null when it is no single sha512. */
function sha512Of(text: unknown): string | null {
  const read = typeof text === "string" ? parseIntegrity(text) : undefined;
  const [digest, ...more] = read?.kind === "integrity" ? (read.digests.sha512 ?? []) : [];
  return digest === undefined || more.length > 0 ? null : `sha512-${digest}`;
}

function isLine(text: unknown): text is string {
  return typeof text === "string" && text !== "" && text.length <= LIMITS.phraseChars && printable(text) === text;
}

function isVersionText(text: unknown): boolean {
  return isLine(text) && text.length <= LIMITS.versionChars;
}
