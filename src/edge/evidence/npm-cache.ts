/**
 * npm's cache: which tarballs its index knows, and when they came. A line of the index outlives the deletion of its content, so every line
 * counts, not only the last.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { instant } from "../../core/base/time.ts";
import type { PackageSighting } from "../../core/exposure/sighting.ts";
import { digestsOf } from "../../core/exposure/watch.ts";
import { registryIdentity } from "../../core/lockfile/identity.ts";
import { codeOf, tryReadText } from "../host/files.ts";
import { giveWay, type Reading } from "./reading.ts";

export function isNpmCache(names: ReadonlySet<string>): boolean {
  return names.has("content-v2");
}

export async function readNpmCache(reading: Reading, folder: string): Promise<void> {
  reading.tell(folder);
  const indexes = list(reading, folder, folder).filter((name) => name.startsWith("index-v"));
  for (const name of indexes)
    if (name !== "index-v5")
      reading.see({ kind: "missing", place: folder, what: `${path.join(folder, name)}: an index of a version cordon does not know` });
  if (indexes.length === 0) reading.see({ kind: "missing", place: folder, what: "npm's cache has lost its index" });
  const index = path.join(folder, "index-v5");
  const told = new Set<string>();
  for (const first of indexes.includes("index-v5") ? list(reading, folder, index) : [])
    for (const second of list(reading, folder, path.join(index, first))) {
      for (const bucket of list(reading, folder, path.join(index, first, second)))
        readBucket(reading, folder, path.join(index, first, second, bucket), told);
      await giveWay();
    }
  readContent(reading, folder, told);
  if (indexes.includes("index-v5")) reading.see({ kind: "looked", place: folder, what: "npm's cache index knows none of their tarballs" });
}

/** The bytes themselves, where the index does not know them any more: `content-v2/<algorithm>/<2>/<2>/<rest of the digest>`. */
function readContent({ see, watch }: Reading, place: string, told: ReadonlySet<string>): void {
  for (const digest of watch.digests) {
    const [algorithm = "", base64 = ""] = digest.split(/-(.*)/s);
    const hex = Buffer.from(base64, "base64").toString("hex");
    const file = path.join(place, "content-v2", algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
    if (!told.has(digest) && fs.existsSync(file))
      see({ kind: "package", place, form: "cache", file, name: "(unnamed)", version: "", integrity: digest });
  }
}

function readBucket({ see, watch, counts }: Reading, place: string, file: string, told: Set<string>): void {
  const text = tryReadText(file, LIMITS.cacheEntryBytes);
  if (typeof text !== "string") {
    if (text !== undefined) see({ kind: "missing", place, what: `${file}: ${text.why}` });
    return;
  }
  counts.entries += 1;
  for (const entry of readIndex(text)) {
    if (entry === "damaged") see({ kind: "missing", place, what: `${file}: a damaged index entry` });
    else if (watch.hits(entry.name, entry.version, entry.integrity)) {
      for (const digest of digestsOf(entry.integrity ?? "")) told.add(digest);
      see({ kind: "package", place, form: "cache", file, ...entry });
    }
  }
}

export type CacheEntry = Pick<PackageSighting, "name" | "version" | "integrity" | "at" | "note">;

/** The tarballs of one file of the index. */
export function* readIndex(text: string): Generator<CacheEntry | "damaged"> {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const tab = line.indexOf("\t");
    const json = line.slice(tab + 1);
    // cacache: each line is `<sha1 of the JSON>\t<JSON>`; npm itself skips what does not fit.
    if (tab !== 40 || createHash("sha1").update(json).digest("hex") !== line.slice(0, 40)) {
      yield "damaged";
      continue;
    }
    const url = /"key":"[^"]*?(https?:[^"]+?\.tgz)"/.exec(json)?.[1];
    const identity = url === undefined ? undefined : registryIdentity(url);
    const integrity = /"integrity":"([^"]+)"/.exec(json)?.[1];
    const time = Number(/"time":(\d{10,16})/.exec(json)?.[1] ?? Number.NaN);
    yield {
      name: identity?.name ?? "(unnamed)",
      version: identity?.version ?? "",
      ...(integrity !== undefined && { integrity }),
      ...(Number.isFinite(time) && { at: instant(time) }),
      ...(integrity === undefined && { note: "the entry was deleted since" }),
    };
  }
}

function list({ see }: Reading, place: string, folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    const code = codeOf(error);
    // An index may hold a stray file where a folder is expected.
    if (code !== "ENOTDIR") see({ kind: "missing", place, what: `${folder}: ${code}` });
    return [];
  }
}
