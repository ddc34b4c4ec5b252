/**
 * Takes one version out of a client's cache and nothing else. npm's index is appended to, as npm does it; other clients keep one file or one
 * folder for a version, and that goes. Never outside the cache's own folder, never through a link.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import { registryIdentity } from "../../core/lockfile/identity.ts";
import { parseIntegrity } from "../../core/npm/integrity.ts";
import type { PurgeAction } from "../../core/response/plan.ts";
import { isWithin, readText } from "../host/files.ts";

export async function purge(action: PurgeAction, clock: Clock): Promise<{ readonly detail: string }> {
  const { cache, name, version } = action;
  const file = inside(action);
  if (cache === "npm") return purgeNpm(action, clock);
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return { detail: `${name}@${version} was gone already` };
  // A link leads out of the cache: only the link goes.
  fs.rmSync(file, { recursive: stat.isDirectory() && !stat.isSymbolicLink(), force: true });
  const rest = cache === "pnpm" ? "; its files lie on without a name until `pnpm store prune`" : "";
  return { detail: `removed ${file}${rest}` };
}

/** The bytes an npm cache would lose by it; other caches name them in the plan itself. */
export function contentOf(action: PurgeAction): readonly string[] {
  if (action.cache !== "npm") return [];
  const live = entriesOf(inside(action)).filter((entry) => isOf(entry, action));
  return [...new Set(live.flatMap(({ integrity }) => (integrity === null ? [] : contentFiles(action.folder, integrity))))].filter((file) =>
    fs.existsSync(file),
  );
}

/** Whether the client finds it there no more. */
export function isPurged(action: PurgeAction): boolean {
  const file = inside(action);
  if (action.cache !== "npm") return fs.lstatSync(file, { throwIfNoEntry: false }) === undefined;
  return entriesOf(file).every((entry) => entry.integrity === null || !isOf(entry, action));
}

/** The path in the plan, once more looked at: a plan is read back from disk. */
function inside({ folder, file }: PurgeAction): string {
  const normal = path.resolve(file);
  if (!path.isAbsolute(file) || !isWithin(path.resolve(folder), normal) || normal === path.resolve(folder))
    throw new Fault("INPUT_UNREADABLE", `${file} is not inside the cache ${folder}; nothing was removed`);
  const parent = fs.existsSync(path.dirname(normal)) ? fs.realpathSync(path.dirname(normal)) : undefined;
  if (parent !== undefined && !isWithin(fs.realpathSync(folder), parent))
    throw new Fault("INPUT_UNREADABLE", `${file} leads out of the cache ${folder} by a link; nothing was removed`);
  return normal;
}

// --- npm ------------------------------------------------------------------------------------------------------------------------------------

type Entry = { readonly key: string; readonly integrity: string | null; readonly [field: string]: unknown };

function purgeNpm(action: PurgeAction, clock: Clock): { readonly detail: string } {
  const live = entriesOf(action.file).filter((entry) => entry.integrity !== null && isOf(entry, action));
  // Registries' answers name the version too: without the tarball they would still offer it offline.
  const documents = live.flatMap(({ key }) => {
    const bucket = bucketOf(action, key.replace(/\/-\/[^/]+\.tgz.*$/, ""));
    return entriesOf(bucket)
      .filter(({ key: own, integrity }) => integrity !== null && own === key.replace(/\/-\/[^/]+\.tgz.*$/, ""))
      .map((entry) => ({ bucket, entry }));
  });
  const gone = [...live.map((entry) => ({ bucket: action.file, entry })), ...documents];
  for (const { bucket, entry } of gone) appendDeleted(bucket, entry, clock);
  const needed = integritiesIn(path.join(action.folder, "index-v5"));
  let bytes = 0;
  let files = 0;
  for (const { entry } of gone) {
    if (entry.integrity === null || needed.has(entry.integrity)) continue;
    for (const content of contentFiles(action.folder, entry.integrity)) {
      const stat = fs.lstatSync(content, { throwIfNoEntry: false });
      if (!stat?.isFile()) continue;
      fs.unlinkSync(content);
      bytes += stat.size;
      files += 1;
    }
  }
  return { detail: `${gone.length} index entries marked as deleted, ${files} files of ${bytes} bytes removed` };
}

/** cacache deletes by appending the key once more without an integrity; the last line of a key is the one that counts. */
function appendDeleted(bucket: string, { key, metadata }: Entry, clock: Clock): void {
  if (!fs.lstatSync(bucket).isFile())
    throw new Fault("INPUT_UNREADABLE", `${bucket} is not a file of npm's index; nothing was written to it`);
  const json = JSON.stringify({ key, integrity: null, time: clock.now(), ...(metadata !== undefined && { metadata }) });
  fs.appendFileSync(bucket, `\n${createHash("sha1").update(json).digest("hex")}\t${json}`);
}

/** The last entry of each key in one bucket; lines whose checksum does not fit are not npm's, and npm does not read them either. */
function entriesOf(bucket: string): readonly Entry[] {
  const last = new Map<string, Entry>();
  for (const line of (readText(bucket, LIMITS.cacheEntryBytes) ?? "").split("\n")) {
    const json = line.slice(41);
    if (line[40] !== "\t" || createHash("sha1").update(json).digest("hex") !== line.slice(0, 40)) continue;
    const entry = parsed(json);
    if (typeof entry?.key === "string")
      last.set(entry.key, { ...entry, key: entry.key, integrity: typeof entry.integrity === "string" ? entry.integrity : null });
  }
  return [...last.values()];
}

/** Anybody can write a line with a checksum that fits. */
function parsed(json: string): Partial<Entry> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Partial<Entry>) : undefined;
  } catch {
    return undefined;
  }
}

function isOf({ key }: Entry, { name, version }: PurgeAction): boolean {
  const identity = registryIdentity(key.replace(/^[^:]+:[^:]+:(?=https?:)/, ""));
  return identity?.name === name && identity.version === version;
}

/** `index-v5/aa/bb/rest` of the sha256 of a key. */
function bucketOf({ folder }: PurgeAction, key: string): string {
  const digest = createHash("sha256").update(key).digest("hex");
  return path.join(folder, "index-v5", digest.slice(0, 2), digest.slice(2, 4), digest.slice(4));
}

/** Of every key that still counts: content is shared by all keys of the same bytes. */
function integritiesIn(index: string): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const entry of fs.readdirSync(index, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      for (const { integrity } of entriesOf(path.join(entry.parentPath, entry.name))) if (integrity !== null) needed.add(integrity);
  return needed;
}

/** `content-v2/<algorithm>/aa/bb/rest` of each digest. */
function contentFiles(folder: string, integrity: string): readonly string[] {
  const parsed = parseIntegrity(integrity);
  if (parsed.kind !== "integrity") return [];
  return integrity.split(/\s+/).flatMap((one) => {
    const match = /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+=*)/.exec(one);
    if (match === null) return [];
    const hex = Buffer.from(match[2]!, "base64").toString("hex");
    return [path.join(folder, "content-v2", match[1]!, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))];
  });
}
