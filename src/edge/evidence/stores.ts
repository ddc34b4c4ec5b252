/** Caches and stores of the clients besides npm, each known by what lies in it. Names and indexes are read; nothing is unpacked. */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, instant } from "../../core/base/time.ts";
import { isVersion } from "../../core/lockfile/identity.ts";
import { codeOf, tryReadText } from "../host/files.ts";
import { parseManifest } from "../host/manifest.ts";
import { giveWay, type Reading } from "./reading.ts";

type Store = {
  readonly is: (folder: string, names: ReadonlySet<string>) => boolean;
  readonly read: (reading: Reading, folder: string, names: ReadonlySet<string>) => void | Promise<void>;
};

/** The first that fits reads the folder, and nobody walks into it any more. */
export const STORES: readonly Store[] = [
  { is: (_folder, names) => names.has("files") && names.has("index.db"), read: readPnpmDatabase },
  { is: (folder, names) => isVersionFolder(folder) && names.has("files") && names.has("index"), read: readPnpmIndex },
  { is: (folder, names) => isVersionFolder(folder) && names.has("files"), read: readOldPnpm },
  { is: (_folder, names) => some(names, YARN_CLASSIC), read: readYarnClassic },
  { is: (_folder, names) => some(names, YARN_BERRY), read: readYarnBerry },
  { is: (_folder, names) => some(names, BUN), read: readBun },
  { is: (folder, names) => names.has("registry.json") && folder.includes(`${path.sep}npm${path.sep}`), read: readDeno },
];

function isVersionFolder(folder: string): boolean {
  return /^v\d+$/.test(path.basename(folder));
}

function some(names: ReadonlySet<string>, shape: RegExp): boolean {
  for (const name of names) if (shape.test(name)) return true;
  return false;
}

// --- pnpm -----------------------------------------------------------------------------------------------------------------------------------

const SQLITE = "SQLite format 3\0";
const CHUNK = 1 << 20;
/** The longest key: a digest, a name and a version. */
const OVERLAP = 1_024;

/**
 * pnpm 11 and later keep their index in SQLite, one row for each tarball with the key `<integrity>\t<name>@<version>`. The file's bytes
 * are searched, not queried: opening a database beside its log writes, and rows that were deleted are evidence too.
 */
async function readPnpmDatabase(reading: Reading, folder: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of ["index.db", "index.db-wal"]) {
    if (!names.has(name)) continue;
    const file = path.join(folder, name);
    let descriptor: number | undefined;
    try {
      descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const buffer = Buffer.alloc(CHUNK + OVERLAP);
      let kept = 0;
      const told = new Set<string>();
      for (let first = true; ; first = false) {
        const read = fs.readSync(descriptor, buffer, kept, CHUNK, null);
        if (read === 0) break;
        const text = buffer.toString("latin1", 0, kept + read);
        if (first && name === "index.db" && !text.startsWith(SQLITE)) throw new Error("not the database pnpm keeps there");
        // What follows the key is MessagePack, whose first byte is never a letter.
        for (const [, sri, pkg, version] of text.matchAll(/(sha512-[A-Za-z0-9+/]{86}==)\t((?:@[\w.~-]+\/)?[\w.~-]+)@(\d[\w.+-]*)/g)) {
          reading.counts.entries += 1;
          if (!reading.watch.hits(pkg!, version!, sri) || told.has(`${pkg}@${version}`)) continue;
          told.add(`${pkg}@${version}`);
          seeStored(reading, folder, file, { name: pkg!, version: version!, integrity: sri! });
        }
        kept = Math.min(OVERLAP, kept + read);
        buffer.copyWithin(0, text.length - kept, text.length);
        await giveWay();
      }
    } catch (error) {
      reading.see({ kind: "missing", place: folder, what: `${file}: ${codeOf(error)}` });
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
  }
  reading.see({ kind: "looked", place: folder, what: "pnpm's index knows none of them" });
}

/** pnpm 10: `index/<2>/<rest of the digest>-<name>@<version>.json`, the slash of a scope written as a plus. */
async function readPnpmIndex(reading: Reading, folder: string): Promise<void> {
  for (const file of await filesBelow(reading, folder, path.join(folder, "index"))) {
    reading.counts.entries += 1;
    const match = /-((?:@[\w.~-]+\+)?[\w.~-]+)@(\d[^/(]*)\.json$/.exec(path.basename(file));
    if (match === null) continue;
    const name = match[1]!.replace("+", "/");
    if (reading.watch.hits(name, match[2]!)) seeStored(reading, folder, file, { name, version: match[2]!, at: changedAt(file) });
  }
  reading.see({ kind: "looked", place: folder, what: "pnpm's index knows none of them" });
}

/** pnpm 5 to 9: `files/<2>/<rest of the digest>-index.json`, which names its package since pnpm 7. */
async function readOldPnpm(reading: Reading, folder: string): Promise<void> {
  if (path.basename(folder) !== "v3") {
    reading.see({ kind: "missing", place: folder, what: `a pnpm store of a layout cordon does not know (${path.basename(folder)})` });
    return;
  }
  for (const file of await filesBelow(reading, folder, path.join(folder, "files"))) {
    const digest = /([0-9a-f]{2})[\\/]([0-9a-f]{126})-index\.json$/.exec(file);
    if (digest === null) continue;
    reading.counts.entries += 1;
    const integrity = `sha512-${Buffer.from(digest[1]! + digest[2]!, "hex").toString("base64")}`;
    const text = tryReadText(file, LIMITS.cacheEntryBytes);
    if (typeof text !== "string") {
      reading.see({ kind: "missing", place: folder, what: `${file}: ${text?.why ?? "gone while it was read"}` });
      continue;
    }
    const name = /"name":\s*"([^"]+)"/.exec(text)?.[1] ?? "";
    const version = /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? "";
    if (reading.watch.hits(name, version, integrity))
      seeStored(reading, folder, file, { name: name || "(unnamed)", version, integrity, at: changedAt(file) });
    await giveWay();
  }
  reading.see({ kind: "looked", place: folder, what: "pnpm's store knows none of them" });
}

// --- yarn, bun, deno ------------------------------------------------------------------------------------------------------------------------

const YARN_CLASSIC = /^npm-(.+?)-(\d+\.\d+\.\d+.*?)(?:-([0-9a-f]{40}))?(?:-integrity)?$/;
/** `<name>-npm-<version>-<10 of the locator's hash>-<the cache's key, or 10 of the archive's hash>.zip`; old ones have one part less. */
const YARN_BERRY = /^(.+)-npm-(\d+\.\d+\.\d+.*?)-[0-9a-f]{10}(?:-[0-9a-z]+)?\.zip$/;
const BUN = /^(.+?)@(\d[^@]*)@@/;

function readYarnClassic(reading: Reading, folder: string, names: ReadonlySet<string>): void {
  for (const entry of names) {
    const match = YARN_CLASSIC.exec(entry);
    if (match === null) continue;
    reading.counts.entries += 1;
    const [, flat, version, sha1] = match as unknown as [string, string, string, string | undefined];
    const integrity = sha1 === undefined ? undefined : `sha1-${Buffer.from(sha1, "hex").toString("base64")}`;
    for (const name of unflattened(flat))
      if (reading.watch.hits(name, version, integrity)) {
        const file = path.join(folder, entry);
        seeStored(reading, folder, file, { name, version, at: changedAt(file), ...(integrity !== undefined && { integrity }) });
        break;
      }
  }
  reading.see({ kind: "looked", place: folder, what: "yarn's cache holds none of them" });
}

function readYarnBerry(reading: Reading, folder: string, names: ReadonlySet<string>): void {
  for (const entry of names) {
    const match = YARN_BERRY.exec(entry);
    if (match === null) continue;
    reading.counts.entries += 1;
    const [, flat, version] = match as unknown as [string, string, string];
    const name = unflattened(flat).find((one) => reading.watch.hits(one, version));
    const file = path.join(folder, entry);
    if (name !== undefined) seeStored(reading, folder, file, { name, version, at: changedAt(file) });
  }
  reading.see({ kind: "looked", place: folder, what: "yarn's cache holds none of them" });
}

/** `@scope-name` may be `@scope/name` or any other split: the cache writes both marks alike. */
function unflattened(flat: string): readonly string[] {
  if (!flat.startsWith("@")) return [flat];
  const names: string[] = [];
  for (let at = flat.indexOf("-"); at >= 0; at = flat.indexOf("-", at + 1)) names.push(`${flat.slice(0, at)}/${flat.slice(at + 1)}`);
  return names;
}

/** `<name>@<version>@@<registry>@@@1`; a prerelease is written as a hash, so the folder's own manifest is asked. */
function readBun(reading: Reading, folder: string, names: ReadonlySet<string>): void {
  const read = (parent: string, entry: string, scope: string): void => {
    const match = BUN.exec(entry);
    if (match === null) return;
    reading.counts.entries += 1;
    const name = scope + match[1]!;
    if (!reading.watch.knows(name)) return;
    const file = path.join(parent, entry);
    const text = tryReadText(path.join(file, "package.json"), LIMITS.manifestBytes);
    const manifest = typeof text === "string" ? parseManifest(text) : undefined;
    const version = manifest && !("why" in manifest) ? (manifest.version ?? match[2]!) : match[2]!;
    if (reading.watch.hits(name, version)) seeStored(reading, folder, file, { name, version, at: changedAt(file) });
  };
  for (const entry of names) {
    if (entry.startsWith("@") && !BUN.test(entry))
      for (const inner of list(reading, folder, path.join(folder, entry))) read(path.join(folder, entry), inner, `${entry}/`);
    else read(folder, entry, "");
  }
  reading.see({ kind: "looked", place: folder, what: "bun's cache holds none of them" });
}

/** `npm/<registry>/<name>/<version>/`, with the packument beside the versions. */
function readDeno(reading: Reading, folder: string, names: ReadonlySet<string>): void {
  const parent = path.basename(path.dirname(folder));
  const name = parent.startsWith("@") ? `${parent}/${path.basename(folder)}` : path.basename(folder);
  const place = folder.slice(0, folder.lastIndexOf(`${path.sep}npm${path.sep}`) + 4);
  for (const version of names) {
    if (!isVersion(version)) continue;
    reading.counts.entries += 1;
    const file = path.join(folder, version);
    if (reading.watch.hits(name, version)) seeStored(reading, place, file, { name, version, at: changedAt(file) });
  }
  reading.see({ kind: "looked", place, what: "deno's cache holds none of them" });
}

// --- shared ---------------------------------------------------------------------------------------------------------------------------------

function seeStored(
  reading: Reading,
  place: string,
  file: string,
  found: { readonly name: string; readonly version: string; readonly integrity?: string; readonly at?: Instant | undefined },
): void {
  const { at, ...rest } = found;
  reading.see({ kind: "package", place, form: "store", file, ...rest, ...(at !== undefined && { at }) });
}

/** Files two levels below a folder. */
async function filesBelow(reading: Reading, place: string, folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const first of list(reading, place, folder)) {
    for (const name of list(reading, place, path.join(folder, first)))
      if (name.endsWith(".json")) files.push(path.join(folder, first, name));
    await giveWay();
  }
  return files;
}

function list(reading: Reading, place: string, folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (codeOf(error) !== "ENOTDIR") reading.see({ kind: "missing", place, what: `${folder}: ${codeOf(error)}` });
    return [];
  }
}

function changedAt(file: string): Instant | undefined {
  try {
    const stat = fs.lstatSync(file, { throwIfNoEntry: false });
    return stat && instant(Math.round(stat.mtimeMs));
  } catch {
    return undefined; // that it is there was seen; when it came is not known then
  }
}
