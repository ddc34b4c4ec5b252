/** Which bytes an entry may be: whether the lockfile says so, how surely, and whether it says what was noted before. */
import { compareIntegrity } from "../npm/integrity.ts";
import type { ResolvedPackage, ResolvedTree } from "../lockfile/tree.ts";
import type { Report } from "./raw.ts";
import { called } from "./raw.ts";
import type { RecordedIntegrity, Records } from "./subject.ts";

/** Missing and weak digests, and two entries of one version that disagree. `malformed`: entries that are told off already. */
export function checkIntegrity(tree: ResolvedTree, alike: Int32Array, malformed: ReadonlySet<number>, report: Report): void {
  const { packages } = tree;
  // Entries whose digest is remembered below: their copies have nothing new to say.
  const quiet = new Uint8Array(alike.length);
  // Entries of one name, newest first: most names stand once, and no text is put together to find that out.
  const latest = new Map<string, number>();
  const before = new Int32Array(packages.length).fill(-1);
  for (let index = 0; index < packages.length; index++) {
    if (quiet[alike[index]!] === 1) continue;
    const entry = packages[index]!;
    const { kind } = entry.source;
    if (kind === "bundled" && entry.version === "")
      report({ rule: "version-missing", entry: index, message: "inside another package, and nothing says which version" });
    if (kind === "link" || kind === "workspace" || kind === "bundled" || kind === "file") continue;
    const { integrity } = entry;
    if (integrity === undefined) {
      if (kind !== "git" && !malformed.has(index)) reportMissing(tree, index, report);
      continue;
    }
    if (integrity.kind === "sha1") report({ rule: "integrity-weak", entry: index, message: "its bytes are held to by sha1 alone" });
    if (kind !== "registry") continue;
    if (integrity.kind !== "sha1") quiet[index] = 1;
    const other = latest.get(entry.name);
    let known = false;
    for (let twin = other ?? -1; twin >= 0 && !known; twin = before[twin]!) {
      // A monorepo has dozens of copies of one version: only those that say something new are remembered.
      known = packages[twin]!.version === entry.version && packages[twin]!.integrity!.value === integrity.value;
      if (known || !disagree(entry, packages[twin]!)) continue;
      report({
        rule: "lockfile-contradiction",
        entry: index,
        message: `another entry of the same version (line ${packages[twin]!.line}) has another integrity`,
        evidence: [`here ${integrity.value}`, `there ${packages[twin]!.integrity!.value}`],
        mark: "integrity",
      });
      break;
    }
    if (known) continue;
    if (other !== undefined) before[index] = other;
    latest.set(entry.name, index);
  }
}

function reportMissing({ kind, packages }: ResolvedTree, index: number, report: Report): void {
  const { os, cpu, libc } = packages[index]!;
  // yarn 2 on has a checksum only of what it fetched, and fetches nothing for other platforms.
  const elsewhere = kind === "yarn-berry" && (os ?? cpu ?? libc) !== undefined;
  const message = `nothing says which bytes are right${elsewhere ? ": it is for another platform than the lockfile was written on" : ""}`;
  report({ rule: "integrity-missing", ...(elsewhere ? { severity: "low" as const } : {}), entry: index, message });
}

function disagree(one: ResolvedPackage, other: ResolvedPackage): boolean {
  if (one.version !== other.version || one.integrity!.value === other.integrity!.value) return false;
  // Different digests of different kinds say nothing about each other, and a yarn 4 checksum depends on its cache key.
  const comparable = isComparable(one) && isComparable(other);
  return comparable && compareIntegrity(one.integrity!.value, other.integrity!.value) === "different";
}

function isComparable({ integrity }: ResolvedPackage): boolean {
  return integrity?.kind === "sri" || integrity?.kind === "sha1";
}

/** Against what was noted before. Returns how many entries nothing was noted for. */
export function checkRecords(tree: ResolvedTree, records: Records, report: Report): number {
  let unknown = 0;
  for (let index = 0; index < tree.packages.length; index++) {
    const entry = tree.packages[index]!;
    const noted = notedFor(entry, records);
    if (noted === undefined) continue;
    if (entry.integrity === undefined) {
      if (noted[0] !== undefined)
        report({ rule: "integrity-missing", entry: index, message: `it had one: ${noted[0].integrity}, by ${noted[0].by}` });
      continue;
    }
    const { value } = entry.integrity;
    const different = noted.find(({ integrity }) => integrity !== value && differ(integrity, value));
    if (different !== undefined) {
      const message = `its integrity is not the one ${different.by} has for this version`;
      const evidence = [`the lockfile says ${value}`, `${different.by} says ${different.integrity}`];
      report({ rule: "integrity-differs", entry: index, message, evidence, mark: value });
    }
    if (noted.length > 0) continue;
    unknown++;
    const bytes = mayMove(entry) ? records.ofBytes?.(value) : undefined;
    const [name, version] = identityOf(entry);
    if (bytes === undefined || (bytes.name === name && bytes.version === version)) continue;
    const other = bytes.version === "" ? bytes.name : `${bytes.name}@${bytes.version}`;
    const message = `its integrity is that of ${other}`;
    const evidence = [`the lockfile says ${called(entry)} is ${value}`, `noted as ${other} by ${bytes.by}`];
    report({ rule: "integrity-differs", entry: index, message, evidence, mark: value });
  }
  return unknown;
}

/** What bytes are noted as. Identity before name: an archive is its URL, whatever it is called. */
function identityOf({ name, version, source }: ResolvedPackage): readonly [name: string, version: string] {
  if (source.kind === "tarball" || source.kind === "module") return [source.url, ""];
  if (source.kind === "git") return [`${source.url}#${source.commit ?? ""}`, ""];
  return [name, version];
}

/** Undefined: nothing can be noted of it. */
function notedFor(entry: ResolvedPackage, records: Records): readonly RecordedIntegrity[] | undefined {
  const { kind } = entry.source;
  if (kind === "file" || kind === "link" || kind === "workspace") return undefined;
  // What is inside of another package is held to nothing of its own, unless the file says so.
  if (kind === "bundled" && entry.integrity === undefined) return undefined;
  if (entry.version === "" && (kind === "registry" || kind === "jsr" || kind === "bundled")) return undefined;
  return records.ofVersion(...identityOf(entry));
}

/** Whether bytes that were noted as something else are news: the same commit or bundle may be anywhere. */
function mayMove({ source: { kind } }: ResolvedPackage): boolean {
  return kind === "registry" || kind === "tarball" || kind === "module";
}

/** A yarn checksum: a digest of its own zip under a cache key; another key makes another zip. */
const CHECKSUM = /^(\w*)\/([0-9a-f]{128})$/;

function differ(noted: string, value: string): boolean {
  const [mine, theirs] = [CHECKSUM.exec(value), CHECKSUM.exec(noted)];
  if (mine !== null || theirs !== null) return mine?.[1] === theirs?.[1] && mine?.[2] !== theirs?.[2];
  if (isHex(noted) && isHex(value)) return noted !== value;
  return compareIntegrity(noted, value) === "different";
}

function isHex(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
