/**
 * Reads every package in `node_modules` folders and in the store folders clients keep inside them (`.pnpm`, `.bun`, `.deno`, `.store`).
 *
 * File calls are synchronous, in slices that give way every 15 ms: a tree of 1,200 packages takes 80 ms so, 240 ms with promises
 * (measured, 2 cores), and the client has ended by then.
 */
import fs from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import semver from "semver";
import { LIMITS } from "../../core/base/limits.ts";
import {
  type Disagreement,
  type InstallRecord,
  type Installed,
  type InstalledPackage,
  readStoreFolder,
} from "../../core/client/installed.ts";
import { codeOf, isWithin, tryReadText } from "./files.ts";
import { type Manifest, normalVersion, parseManifest } from "./manifest.ts";

export type WalkRequest = {
  /** The project's folder. */
  readonly root: string;
  /** More folders of the project whose `node_modules` count: its workspaces. */
  readonly workspaces: readonly string[];
  /** Stores of the client outside the project; links into them are followed. */
  readonly outsideStores: readonly string[];
  /** Stores inside the project that have no well-known name. */
  readonly insideStores: readonly string[];
  /** What the client recorded, by absolute folder. */
  readonly records: ReadonlyMap<string, InstallRecord>;
  /** The file `records` come from. */
  readonly recordSource: string;
  /** Integrity the client recorded, by `name@version`. */
  readonly integrities: ReadonlyMap<string, string>;
  /** What the client took from elsewhere than a registry, by name. */
  readonly sources: ReadonlyMap<string, InstalledPackage["source"]>;
};

const STORES = [".pnpm", ".bun", ".deno", ".store"];
const SLICE_MS = 15;
/** Owner of what the project itself links to. */
const PROJECT = "";

type Found = InstalledPackage & { readonly owner: string };
type Walk = WalkRequest & {
  readonly realRoot: string;
  readonly packages: Found[];
  readonly disagreements: Disagreement[];
  readonly unreadable: { path: string; why: string }[];
  readonly links: { path: string; target: string }[];
  /** Store folder → the store folders its packages link to. */
  readonly edges: Map<string, Set<string>>;
  readonly stores: Set<string>;
  readonly visited: Set<string>;
  readonly tasks: (() => void)[];
  entries: number;
};

export async function walkModules(request: WalkRequest): Promise<Installed> {
  const walk: Walk = {
    ...request,
    realRoot: realPath(request.root) ?? request.root,
    packages: [],
    disagreements: [],
    unreadable: [],
    links: [],
    edges: new Map(),
    stores: new Set(request.insideStores),
    visited: new Set(),
    tasks: [],
    entries: 0,
  };
  for (const store of request.insideStores) walk.tasks.push(() => readStore(walk, store));
  for (const folder of [request.root, ...request.workspaces]) visitProject(walk, folder);
  await drain(walk);
  noteMissing(walk);
  const reached = reachable(walk);
  return {
    packages: walk.packages.map(({ owner, ...found }) => (owner === PROJECT || reached.has(owner) ? found : { ...found, orphan: true })),
    disagreements: walk.disagreements,
    unreadable: walk.unreadable,
    links: walk.links,
    notes: [],
  };
}

async function drain(walk: Walk): Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  for (let task = walk.tasks.pop(); task; task = walk.tasks.pop()) {
    if (walk.entries > LIMITS.installedEntries) {
      walk.unreadable.push({ path: walk.root, why: `more than ${LIMITS.installedEntries} entries; the rest was not read` });
      return;
    }
    task();
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
  }
}

/** A folder of the project: its `node_modules` and the stores in there. */
function visitProject(walk: Walk, folder: string): void {
  const modules = path.join(folder, "node_modules");
  if (walk.visited.has(modules)) return;
  for (const name of STORES) {
    const store = path.join(modules, name);
    if (!statOf(walk, store)?.isDirectory() || walk.stores.has(store)) continue;
    walk.stores.add(store);
    walk.tasks.push(() => readStore(walk, store));
  }
  walk.tasks.push(() => readModules(walk, modules, PROJECT, undefined));
}

function readStore(walk: Walk, store: string): void {
  for (const entry of list(walk, store)) {
    const folder = path.join(store, entry.name);
    if (entry.isSymbolicLink()) {
      followOut(walk, folder, entry.name);
      continue;
    }
    if (!entry.isDirectory()) continue;
    // Links everything in the store may use without declaring it.
    if (entry.name === "node_modules") walk.tasks.push(() => readModules(walk, folder, PROJECT, undefined));
    else if (!entry.name.startsWith("@")) readStoreEntry(walk, store, entry.name);
    else {
      const inner = list(walk, folder);
      // npm's linked strategy nests scopes, `@scope/name@1.0.0-<hash>`; the others write `@scope+name@…` or `@scope-name-…`.
      if (inner.some((item) => item.name === "node_modules" || item.name === "package")) readStoreEntry(walk, store, entry.name);
      else for (const item of inner) readStoreEntry(walk, store, `${entry.name}/${item.name}`);
    }
  }
}

function readStoreEntry(walk: Walk, store: string, id: string): void {
  const folder = path.join(store, id);
  const owner = `${store}\0${id}`;
  const record = readStoreFolder(id, path.basename(store) === ".store");
  enterModules(walk, folder, owner, record);
  // yarn's pnpm linker: `<id>/package` is the package, `<id>/node_modules` only links.
  if (statOf(walk, path.join(folder, "package"))?.isDirectory())
    walk.tasks.push(() => readPackage(walk, path.join(folder, "package"), undefined, owner, record));
}

/** The `node_modules` in a package or store folder. Only the project's own may be a link: a package's could lead anywhere, or in a circle. */
function enterModules(
  walk: Walk,
  folder: string,
  owner: string,
  record: InstallRecord | undefined,
  bundled?: ReadonlySet<string> | "all",
): void {
  const modules = path.join(folder, "node_modules");
  const stat = statOf(walk, modules);
  if (stat?.isDirectory()) walk.tasks.push(() => readModules(walk, modules, owner, record, bundled));
  else if (stat?.isSymbolicLink()) walk.links.push({ path: modules, target: linkTarget(walk, modules) ?? modules });
}

/** `record` is what the store folder's name says about the one package that lies in it. */
function readModules(
  walk: Walk,
  modules: string,
  owner: string,
  record: InstallRecord | undefined,
  bundled: ReadonlySet<string> | "all" = new Set(),
): void {
  if (walk.visited.has(modules)) return;
  walk.visited.add(modules);
  const read = (entry: fs.Dirent, name: string): void => {
    const folder = path.join(modules, name);
    if (entry.isSymbolicLink()) followLink(walk, folder, owner);
    else if (entry.isDirectory()) readPackage(walk, folder, name, owner, record, bundled === "all" || bundled.has(name));
  };
  for (const entry of list(walk, modules)) {
    if (entry.name.startsWith(".")) continue;
    if (!entry.name.startsWith("@") || !entry.isDirectory()) read(entry, entry.name);
    else
      for (const scoped of list(walk, path.join(modules, entry.name)))
        if (!scoped.name.startsWith(".")) read(scoped, `${entry.name}/${scoped.name}`);
  }
}

function readPackage(
  walk: Walk,
  folder: string,
  name: string | undefined,
  owner: string,
  folderRecord?: InstallRecord,
  bundled = false,
): void {
  const record = walk.records.get(folder) ?? folderRecord;
  const manifest = readManifest(walk, folder);
  // Within a package of a store, real folders came with its tarball; in a hoisted tree they may be its nested dependencies.
  const inside = owner === PROJECT ? (bundled ? "all" : (manifest?.bundled ?? new Set<string>())) : "all";
  enterModules(walk, folder, owner, undefined, inside);
  if (manifest === undefined) return;
  const shown = { name: manifest.name ?? record?.name, version: manifest.version ?? record?.version };
  if (shown.name === undefined || shown.version === undefined) {
    walk.unreadable.push({ path: folder, why: "its package.json has no name or no version, and the client recorded none" });
    return;
  }
  const id = `${shown.name}@${shown.version}`;
  const recorded = record?.version === undefined ? undefined : `${record.name ?? shown.name}@${normalVersion(record.version)}`;
  if (recorded !== undefined && recorded !== id)
    walk.disagreements.push({
      path: folder,
      folder: id,
      record: recorded,
      source: walk.records.has(folder) ? walk.recordSource : path.dirname(path.dirname(folder)),
    });
  const integrity = record?.integrity ?? walk.integrities.get(id);
  const elsewhere = integrity === undefined ? walk.sources.get(shown.name) : undefined;
  const source = record?.source ?? (bundled ? "bundled" : (elsewhere ?? "registry"));
  walk.packages.push({
    name: shown.name,
    version: shown.version,
    path: folder,
    source,
    ...(name !== undefined && name !== shown.name && { alias: name }),
    ...(integrity !== undefined && source !== "bundled" && { integrity }),
    ...(record?.optional && { optional: true }),
    dependencies: manifest.dependencies,
    optionalDependencies: manifest.optionalDependencies,
    owner,
  });
}

/** Undefined when there is nothing to read or it was noted as unreadable. */
function readManifest(walk: Walk, folder: string): Manifest | undefined {
  const file = path.join(folder, "package.json");
  const text = tryReadText(file, LIMITS.manifestBytes);
  if (text === undefined) {
    // Clients leave empty folders, and folders that only hold nested packages; anything else could be loaded.
    if (list(walk, folder).some((entry) => entry.name !== "node_modules")) walk.unreadable.push({ path: folder, why: "no package.json" });
    return undefined;
  }
  const manifest = typeof text === "string" ? parseManifest(text) : text;
  if (!("why" in manifest)) return manifest;
  walk.unreadable.push({ path: file, why: manifest.why });
  return undefined;
}

function followLink(walk: Walk, from: string, owner: string): void {
  const target = linkTarget(walk, from);
  if (target === undefined || linkIntoStore(walk, target, owner)) return;
  const real = realPath(target);
  if (real !== undefined && linkIntoStore(walk, real, owner)) return;
  if (real !== undefined && isWithin(walk.realRoot, real)) {
    // A workspace or a local folder: the project's own, but what is installed below it counts. Kept under the root's own spelling.
    visitProject(walk, path.join(walk.root, path.relative(walk.realRoot, real)));
    return;
  }
  // `<store>/links/@/axios/1.14.0/<hash>/node_modules/axios`: its siblings are its dependencies.
  const entry = real !== undefined && inOutsideStore(walk, real) ? /^(.*)[\\/]node_modules[\\/]/.exec(real)?.[1] : undefined;
  if (entry !== undefined) return visitOutside(walk, owner, entry, recordOfPath(entry));
  const { store, id } = (real === undefined ? undefined : STORE_ENTRY.exec(real)?.groups) ?? {};
  if (store === undefined || id === undefined) walk.links.push({ path: from, target });
  else visitForeign(walk, owner, store, id);
}

/** An entry of a well-known store that another project has, or the workspace above (pnpm, in a folder that is no member of it). */
const STORE_ENTRY =
  /^(?<store>.*[\\/]node_modules[\\/]\.(?:pnpm|bun|deno|store))[\\/](?<id>(?:@[^\\/]+[\\/])?[^\\/]+)[\\/](?:node_modules|package)(?:[\\/]|$)/;

function visitForeign(walk: Walk, owner: string, store: string, id: string): void {
  link(walk, owner, `${store}\0${id}`);
  const folder = path.join(store, id);
  if (walk.visited.has(folder)) return;
  walk.visited.add(folder);
  readStoreEntry(walk, store, id);
}

/** A store entry that is itself a link (bun's global store): `.bun/axios@1.14.0` → somewhere else. */
function followOut(walk: Walk, from: string, id: string): void {
  const real = realPath(from);
  if (real !== undefined && inOutsideStore(walk, real)) visitOutside(walk, `${path.dirname(from)}\0${id}`, real, readStoreFolder(id));
  else walk.links.push({ path: from, target: real ?? linkTarget(walk, from) ?? from });
}

function visitOutside(walk: Walk, owner: string, entry: string, record: InstallRecord | undefined): void {
  link(walk, owner, entry);
  enterModules(walk, entry, entry, record);
}

function linkTarget(walk: Walk, from: string): string | undefined {
  try {
    return path.resolve(path.dirname(from), fs.readlinkSync(from));
  } catch (error) {
    walk.unreadable.push({ path: from, why: codeOf(error) });
    return undefined;
  }
}

/** Remembers who links to which store folder; false when the target is in no store of this project. */
function linkIntoStore(walk: Walk, target: string, owner: string): boolean {
  for (const store of walk.stores) {
    if (!target.startsWith(store + path.sep)) continue;
    const [first = "", second = ""] = target.slice(store.length + 1).split(path.sep);
    const id = second === "" || second === "node_modules" || second === "package" ? first : `${first}/${second}`;
    link(walk, owner, `${store}\0${id}`);
    return true;
  }
  return false;
}

function link(walk: Walk, from: string, to: string): void {
  walk.edges.set(from, (walk.edges.get(from) ?? new Set()).add(to));
}

function inOutsideStore(walk: Walk, real: string): boolean {
  return walk.outsideStores.some((store) => isWithin(realPath(store) ?? store, real));
}

/** pnpm's global store names the version in its path: `…/links/@/axios/1.14.0/<hash>`. */
function recordOfPath(folder: string): InstallRecord | undefined {
  const [scope, name, version] = folder.split(path.sep).slice(-4, -1);
  if (scope === undefined || name === undefined || version === undefined || !scope.startsWith("@")) return undefined;
  return semver.valid(version) === null ? { source: "file" } : { name: scope === "@" ? name : `${scope}/${name}`, version };
}

/** Store folders that something reachable links to. */
function reachable(walk: Walk): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [...(walk.edges.get(PROJECT) ?? [])];
  for (let owner = pending.pop(); owner !== undefined; owner = pending.pop()) {
    if (reached.has(owner)) continue;
    reached.add(owner);
    pending.push(...(walk.edges.get(owner) ?? []));
  }
  return reached;
}

/** What the client says it installed and is not there. */
function noteMissing(walk: Walk): void {
  const present = new Set(walk.packages.map((found) => found.path));
  const unreadable = new Set(walk.unreadable.map((entry) => path.dirname(entry.path)).concat(walk.unreadable.map((entry) => entry.path)));
  for (const [folder, record] of walk.records)
    if (!present.has(folder) && !unreadable.has(folder) && record.version !== undefined)
      walk.disagreements.push({ path: folder, record: `${record.name}@${record.version}`, source: walk.recordSource });
}

/** What stands at a path, a link not followed. */
function statOf(walk: Walk, file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    walk.unreadable.push({ path: file, why: codeOf(error) });
    return undefined;
  }
}

function list(walk: Walk, folder: string): fs.Dirent[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    walk.entries += entries.length;
    return entries;
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") walk.unreadable.push({ path: folder, why: code });
    return [];
  }
}

function realPath(file: string): string | undefined {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
}
