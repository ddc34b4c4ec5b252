/** The packages of a report as a bill of materials lists them: copies of one thing are one item, each with a name of its own in the document. */
import { Buffer } from "node:buffer";
import { canonical, sha256 } from "../base/digest.ts";
import type { CheckedPackage, CheckReport, Finding } from "../check/finding.ts";
import { parseIntegrity, type Algorithm } from "../npm/integrity.ts";
import { isPackageName, purl } from "../npm/name.ts";
import { publicUrl, purlOf } from "./purl.ts";
import { wellFormed } from "./words.ts";

export type InventoryItem = {
  /** Unique in the document; the purl wherever that is. */
  readonly ref: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly source: CheckedPackage["source"];
  /** Where it comes from, without secrets. */
  readonly url?: string;
  /** Hex, strongest first. */
  readonly hashes: readonly { readonly algorithm: Algorithm; readonly hex: string }[];
  /** `excluded`: for development alone. Of several copies the most needed counts. */
  readonly scope: "required" | "optional" | "excluded";
  /** `lockfile#key` of each copy. */
  readonly places: readonly string[];
  /** Refs, sorted. */
  readonly dependsOn: readonly string[];
};

export type Inventory = {
  readonly project: { readonly ref: string; readonly name: string; readonly version?: string; readonly purl?: string };
  /** Refs of what the project itself asks for, as far as the lockfile tells; else of what no package asks for. */
  readonly direct: readonly string[];
  /** Sorted by ref. */
  readonly items: readonly InventoryItem[];
  /** The items a finding is about. */
  readonly about: (finding: Finding) => readonly InventoryItem[];
};

const PROJECT = "project";

export function inventoryOf({ project, root }: Pick<CheckReport, "project" | "root">, packages: readonly CheckedPackage[]): Inventory {
  const groups = new Map<string, { readonly base: string; readonly copies: number[] }>();
  packages.forEach((found, index) => {
    const base = purlOf(found) ?? `${found.source}:${wellFormed(found.name)}@${wellFormed(found.version)}`;
    const id = JSON.stringify([base, found.integrity ?? "", found.source, found.url ?? ""]);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { base, copies: [index] });
    else group.copies.push(index);
  });

  const refs: string[] = [];
  const taken = new Map<string, number>();
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const named = sorted.map(({ base, copies }) => {
    const count = (taken.get(base) ?? 0) + 1;
    taken.set(base, count);
    const ref = count === 1 ? base : `${base}|${count}`;
    for (const copy of copies) refs[copy] = ref;
    return { ref, copies: copies.map((index) => packages[index]!) };
  });

  const needed = new Set(packages.flatMap(({ dependsOn }) => dependsOn));
  const items = named.map(({ ref, copies }) => itemOf(ref, copies, refs));
  const byRef = new Map(items.map((item) => [item.ref, item]));
  const byPlace = new Map(packages.map((found, index) => [`${found.lockfile}\n${found.key}`, refs[index]!]));
  const bySpec = new Map<string, InventoryItem[]>();
  for (const item of items) bySpec.set(specOf(item), [...(bySpec.get(specOf(item)) ?? []), item]);
  return {
    project: projectOf(project, root),
    direct: uniqueSorted(packages.flatMap(({ direct }, index) => (direct === true || !needed.has(index) ? [refs[index]!] : []))),
    items,
    about({ path, key, name = "", version = "" }) {
      const item = key === undefined ? undefined : byRef.get(byPlace.get(`${path}\n${key}`) ?? "");
      return item !== undefined ? [item] : (bySpec.get(specOf({ name, version })) ?? []);
    },
  };
}

function specOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

function projectOf({ name, version }: CheckReport["project"], root: string): Inventory["project"] {
  const folder = root.split(/[/\\]/).findLast((part) => part !== "" && part !== "." && part !== "..");
  return {
    ref: PROJECT,
    name: wellFormed(name ?? folder ?? PROJECT),
    ...(version === undefined ? {} : { version: wellFormed(version) }),
    ...(name !== undefined && isPackageName(name) ? { purl: purl(name, version === undefined ? undefined : wellFormed(version)) } : {}),
  };
}

function itemOf(ref: string, copies: readonly CheckedPackage[], refs: readonly string[]): InventoryItem {
  const first = copies[0]!;
  const where = purlOf(first);
  const production = copies.filter(({ dev }) => !dev);
  return {
    ref,
    name: wellFormed(first.name),
    version: wellFormed(first.version),
    ...(where === undefined ? {} : { purl: where }),
    source: first.source,
    ...(first.url === undefined ? {} : { url: publicUrl(first.url) }),
    hashes: hashesOf(first.integrity),
    scope: production.length === 0 ? "excluded" : production.every(({ optional }) => optional) ? "optional" : "required",
    places: uniqueSorted(copies.map(({ lockfile, key }) => wellFormed(`${lockfile}#${key}`))),
    dependsOn: uniqueSorted(copies.flatMap(({ dependsOn }) => dependsOn.map((index) => refs[index]!))).filter((other) => other !== ref),
  };
}

/** Of each algorithm the one digest; where a file names several for the same bytes, nobody can say which it is. */
function hashesOf(integrity: string | undefined): InventoryItem["hashes"] {
  if (integrity === undefined) return [];
  if (/^[0-9a-f]{64}$/.test(integrity)) return [{ algorithm: "sha256", hex: integrity }];
  const parsed = parseIntegrity(integrity);
  if (parsed.kind !== "integrity") return [];
  return (["sha512", "sha384", "sha256", "sha1"] as const).flatMap((algorithm) => {
    const digests = parsed.digests[algorithm];
    return digests?.length === 1 ? [{ algorithm, hex: Buffer.from(digests[0]!, "base64").toString("hex") }] : [];
  });
}

function uniqueSorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted();
}

/** A UUID that stands for this content, RFC 9562 version 8: the same content has the same one. */
export function uuidOf(content: unknown): string {
  const hex = sha256(canonical(content));
  const variant = "89ab"[Number.parseInt(hex[16]!, 16) & 3]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
