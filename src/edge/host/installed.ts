/**
 * The truth about what is installed, read when a client has ended: the project's tree, the folder `npx` and its like ran from, or the
 * client's global folder. Nothing found is run, and no link is followed out of the project except into the client's own store.
 */
import fs from "node:fs";
import path from "node:path";
import { parse as parseYaml } from "yaml";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { ClientId, Intent } from "../../core/client/client.ts";
import {
  type InstallRecord,
  type Installed,
  type InstalledPackage,
  readHiddenLockfile,
  type PnpPackage,
  readPnp,
  readPnpmLock,
  readStoreFolder,
  readYarnState,
  sourceOfRange,
} from "../../core/client/installed.ts";
import { codeOf, isWithin, tryReadText } from "./files.ts";
import { type WalkRequest, walkModules } from "./node-modules.ts";
import { parseManifest } from "./manifest.ts";
import { projectRanges } from "./project.ts";
import { type Places, type Surroundings, bunCache, denoCache, execPlaces, globalPlaces } from "./places.ts";
import { readZipText } from "./zip.ts";

export type InstalledRequest = {
  readonly client: ClientId;
  readonly intent: Intent;
  /** The project's folder, absolute. */
  readonly root: string;
  /** Absolute. */
  readonly workspaces: readonly string[];
  /** Where the client was started; the root when not given. */
  readonly directory?: string;
  readonly surroundings: Surroundings;
  /** When the client was started. */
  readonly since: Instant;
};

const NOTHING: Installed = { packages: [], disagreements: [], unreadable: [], links: [], notes: [] };

/** What the command left installed. `query` and `local` install nothing. */
export async function readInstalled(request: InstalledRequest): Promise<Installed> {
  const { client, intent, surroundings, since } = request;
  switch (intent.kind) {
    case "install":
      if (intent.into === undefined) return readProject(request);
      return readProject({ ...request, root: path.resolve(request.directory ?? request.root, intent.into), workspaces: [] });
    case "change":
      return readProject(request);
    case "exec":
      return joined([
        await readPlaces(client, surroundings, execPlaces(client, intent.specs, surroundings, since)),
        client === "deno" ? readDenoTouched(surroundings, since) : NOTHING,
      ]);
    case "global":
      return readPlaces(client, surroundings, globalPlaces(client, surroundings));
    default:
      return NOTHING;
  }
}

/** The project's own tree, whatever the command was. */
export async function readProject({
  client,
  root,
  workspaces,
  surroundings,
}: Pick<InstalledRequest, "client" | "root" | "workspaces" | "surroundings">): Promise<Installed> {
  const records = recordsOf(client, root);
  const declared = declaredSources([root, ...workspaces]);
  const stores = storesOf(client, root, surroundings);
  const tree = await walkModules({ root, workspaces, ...stores, ...records, records: new Map([...declared, ...records.records]) });
  const parts: Installed[] = [{ ...tree, unreadable: [...tree.unreadable, ...records.unreadable] }];
  const pnp = client === "yarn-berry" || client === "pnpm" ? readPlugAndPlay(root) : undefined;
  // With Plug'n'Play nothing links into a store folder, so nothing in it can be told to be left over.
  if (pnp) parts[0] = { ...tree, packages: tree.packages.map(({ orphan: _orphan, ...found }) => found) };
  if (pnp && client === "yarn-berry") parts.push(pnp);
  if (client === "deno" && !fs.existsSync(path.join(root, "node_modules", ".deno"))) parts.push(readDenoLocked(root, surroundings));
  return joined(parts);
}

async function readPlaces(client: ClientId, surroundings: Surroundings, places: Places): Promise<Installed> {
  const parts: Installed[] = [{ ...NOTHING, notes: places.notes }];
  for (const root of places.folders) parts.push(await readProject({ client, root, workspaces: [], surroundings }));
  return joined(parts);
}

function joined(parts: readonly Installed[]): Installed {
  return {
    packages: parts.flatMap((part) => part.packages),
    disagreements: parts.flatMap((part) => part.disagreements),
    unreadable: parts.flatMap((part) => part.unreadable),
    links: parts.flatMap((part) => part.links),
    notes: parts.flatMap((part) => part.notes),
  };
}

type Records = Pick<WalkRequest, "records" | "recordSource" | "integrities" | "sources"> & { readonly unreadable: Installed["unreadable"] };

/** What the client wrote down about its own work. A record that is missing is no fault, one that cannot be read is. */
function recordsOf(client: ClientId, root: string): Records {
  const none: Records = { records: new Map(), recordSource: "", integrities: new Map(), sources: new Map(), unreadable: [] };
  const read = (...names: string[]): string | undefined | Records => {
    const file = path.resolve(root, "node_modules", ...names);
    const text = tryReadText(file, LIMITS.lockfileBytes);
    return typeof text === "object" ? { ...none, unreadable: [{ path: file, why: text.why }] } : text;
  };
  if (client === "npm") {
    const text = read(".package-lock.json");
    if (typeof text !== "string") return text ?? none;
    const records = readHiddenLockfile(text);
    const recordSource = path.join("node_modules", ".package-lock.json");
    if (!records) return { ...none, unreadable: [{ path: path.join(root, recordSource), why: "not npm's record of an install" }] };
    return { ...none, records: absolute(root, records), recordSource };
  }
  if (client === "yarn-berry") {
    const text = read(".yarn-state.yml");
    if (typeof text !== "string") return text ?? none;
    return { ...none, records: absolute(root, readYarnState(text)), recordSource: path.join("node_modules", ".yarn-state.yml") };
  }
  if (client === "pnpm") {
    const { hoistedLocations = {}, virtualStoreDir = ".pnpm" } = modulesYaml(root) ?? {};
    // With a global store the record stays in the project.
    const text = read(virtualStoreDir, "lock.yaml") ?? read(".pnpm", "lock.yaml");
    if (typeof text === "object") return text;
    const locations = Object.entries(hoistedLocations).flatMap(([id, folders]) =>
      folders.map((folder): [string, InstallRecord] => [folder, readStoreFolder(id)]),
    );
    return {
      ...none,
      records: absolute(root, new Map(locations)),
      recordSource: path.join("node_modules", ".modules.yaml"),
      ...readPnpmLock(text ?? ""),
    };
  }
  return none;
}

function absolute(root: string, records: ReadonlyMap<string, InstallRecord>): ReadonlyMap<string, InstallRecord> {
  return new Map([...records].map(([folder, record]) => [path.join(root, folder), record]));
}

/**
 * Dependencies the project itself takes from a folder, an archive or a repository. yarn 1 and bun copy them into `node_modules` like any
 * other and record nothing.
 */
function declaredSources(folders: readonly string[]): ReadonlyMap<string, InstallRecord> {
  const sources = new Map<string, InstallRecord>();
  for (const folder of folders)
    for (const [name, range] of projectRanges(folder)) {
      const source = sourceOfRange(range);
      if (source === "registry") continue;
      for (const place of new Set([folder, folders[0]!])) sources.set(path.join(place, "node_modules", name), { name, source });
    }
  return sources;
}

/** Where the client keeps packages besides `node_modules` itself. */
function storesOf(client: ClientId, root: string, surroundings: Surroundings): Pick<WalkRequest, "insideStores" | "outsideStores"> {
  if (client === "bun") return { insideStores: [], outsideStores: [bunCache(surroundings)] };
  const virtual = client === "pnpm" ? modulesYaml(root)?.virtualStoreDir : undefined;
  if (virtual === undefined) return { insideStores: [], outsideStores: [] };
  const folder = path.resolve(root, "node_modules", virtual);
  // The usual one is found where it is; `virtual-store-dir` may name another, in the project or (global store) outside.
  if (folder === path.join(root, "node_modules", ".pnpm")) return { insideStores: [], outsideStores: [] };
  return isWithin(root, folder) ? { insideStores: [folder], outsideStores: [] } : { insideStores: [], outsideStores: [folder] };
}

/** pnpm's `node_modules/.modules.yaml`: JSON since pnpm 9, YAML before. */
function modulesYaml(
  root: string,
): { readonly virtualStoreDir?: string; readonly hoistedLocations: Readonly<Record<string, readonly string[]>> } | undefined {
  const text = tryReadText(path.join(root, "node_modules", ".modules.yaml"), LIMITS.lockfileBytes);
  if (typeof text !== "string") return undefined;
  let value: unknown;
  try {
    value = text.trimStart().startsWith("{") ? JSON.parse(text) : parseYaml(text);
  } catch {
    return undefined;
  }
  const { virtualStoreDir, hoistedLocations } = (value ?? {}) as Record<string, unknown>;
  const locations = typeof hoistedLocations === "object" && hoistedLocations !== null ? Object.entries(hoistedLocations) : [];
  return {
    ...(typeof virtualStoreDir === "string" && { virtualStoreDir }),
    hoistedLocations: Object.fromEntries(
      locations.filter(
        (entry): entry is [string, string[]] => Array.isArray(entry[1]) && entry[1].every((item) => typeof item === "string"),
      ),
    ),
  };
}

/** yarn's Plug'n'Play: packages stay in zip archives, or lie unpacked under `.yarn/unplugged`. */
function readPlugAndPlay(root: string): Installed | undefined {
  for (const name of [".pnp.data.json", ".pnp.cjs", ".pnp.js"]) {
    const file = path.join(root, name);
    const text = tryReadText(file, LIMITS.lockfileBytes);
    if (text === undefined) continue;
    const reading = typeof text === "object" ? { problem: text.why } : readPnp(text);
    if ("problem" in reading) return { ...NOTHING, unreadable: [{ path: file, why: reading.problem }] };
    return joined(reading.packages.map((found) => readPnpPackage(root, found, name)));
  }
  return undefined;
}

function readPnpPackage(root: string, found: PnpPackage, source: string): Installed {
  const location = path.resolve(root, found.location);
  const archive = /^.*?\.zip(?=[\\/]|$)/.exec(location)?.[0];
  // yarn lists packages of other platforms and does not fetch them.
  if (!fs.existsSync(archive ?? location)) return NOTHING;
  const text =
    archive === undefined
      ? (tryReadText(path.join(location, "package.json"), LIMITS.manifestBytes) ?? { why: "no package.json" })
      : readZipText(archive, path.posix.join(location.slice(archive.length + 1).replaceAll(path.sep, "/"), "package.json"));
  const manifest = typeof text === "string" ? parseManifest(text) : text;
  if ("why" in manifest) return { ...NOTHING, unreadable: [{ path: location, why: manifest.why }] };
  const { name, version, dependencies, optionalDependencies } = manifest;
  if (name === undefined || version === undefined)
    return { ...NOTHING, unreadable: [{ path: location, why: "its package.json has no name or no version" }] };
  const { record } = found;
  const recorded = `${record.name ?? name}@${record.version}`;
  const differs = record.version !== undefined && recorded !== `${name}@${version}`;
  return {
    ...NOTHING,
    packages: [
      {
        name,
        version,
        path: location,
        source: record.source ?? "registry",
        ...(name !== found.name && { alias: found.name }),
        dependencies,
        optionalDependencies,
      },
    ],
    disagreements: differs ? [{ path: location, folder: `${name}@${version}`, record: recorded, source }] : [],
  };
}

/** deno without `node_modules`: the lockfile names the versions, the cache holds them. */
function readDenoLocked(root: string, surroundings: Surroundings): Installed {
  const file = path.join(root, "deno.lock");
  const text = tryReadText(file, LIMITS.lockfileBytes);
  if (text === undefined) return NOTHING;
  let locked: Record<string, unknown> | undefined;
  if (typeof text === "string")
    try {
      const lock = JSON.parse(text) as { npm?: Record<string, unknown> };
      // Up to version 3 the packages were one level deeper.
      locked = (lock.npm?.["packages"] as Record<string, unknown> | undefined) ?? lock.npm ?? {};
    } catch {
      locked = undefined;
    }
  if (locked === undefined) return { ...NOTHING, unreadable: [{ path: file, why: typeof text === "object" ? text.why : "not JSON" }] };
  const cached = denoPackages(surroundings);
  const wanted = new Map(
    Object.entries(locked).flatMap(([key, value]): [string, string | undefined][] => {
      const match = /^((?:@[^/@]+\/)?[^@]+)@([^_]+)/.exec(key);
      const integrity = (value as { integrity?: unknown } | null)?.integrity;
      return match ? [[`${match[1]}@${match[2]}`, typeof integrity === "string" ? integrity : undefined]] : [];
    }),
  );
  const packages: InstalledPackage[] = [];
  for (const found of cached.packages) {
    const key = `${found.name}@${found.version}`;
    const integrity = wanted.get(key);
    if (wanted.has(key)) packages.push(integrity === undefined ? found : { ...found, integrity });
  }
  return { ...cached, packages };
}

/** What deno's cache gained since the run began. */
function readDenoTouched(surroundings: Surroundings, since: Instant): Installed {
  const cached = denoPackages(surroundings);
  return {
    ...cached,
    packages: cached.packages.filter((found) => (fs.statSync(found.path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since),
    notes: ["deno keeps no list of what a program used; what was in its cache before this run was not looked at"],
  };
}

/** `<DENO_DIR>/npm/<registry>/…/<name>/<version>/package.json`. */
function denoPackages(surroundings: Surroundings): Installed {
  const packages: InstalledPackage[] = [];
  const unreadable: { path: string; why: string }[] = [];
  let entries = 0;
  const pending = [{ folder: path.join(denoCache(surroundings), "npm"), depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { folder, depth } = next;
    let names: fs.Dirent[];
    try {
      names = fs.readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (codeOf(error) !== "ENOENT") unreadable.push({ path: folder, why: codeOf(error) });
      continue;
    }
    entries += names.length;
    if (entries > LIMITS.installedEntries) {
      unreadable.push({ path: folder, why: `more than ${LIMITS.installedEntries} entries; the rest was not read` });
      break;
    }
    // The registry's path prefix may put some folders in between.
    if (names.some((entry) => entry.name === "package.json")) {
      const text = tryReadText(path.join(folder, "package.json"), LIMITS.manifestBytes) ?? "";
      const manifest = typeof text === "string" ? parseManifest(text) : text;
      if ("why" in manifest) unreadable.push({ path: folder, why: manifest.why });
      else {
        const { name, version, dependencies, optionalDependencies } = manifest;
        if (name !== undefined && version !== undefined)
          packages.push({ name, version, path: folder, source: "registry", dependencies, optionalDependencies });
      }
    } else if (depth < 12)
      for (const entry of names) if (entry.isDirectory()) pending.push({ folder: path.join(folder, entry.name), depth: depth + 1 });
  }
  return { ...NOTHING, packages, unreadable };
}
