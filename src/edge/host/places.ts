/** Where clients keep what is not in a project: the folders `npx` and its like run from, global installs, caches. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { ClientId } from "../../core/client/client.ts";
import { tryReadText } from "./files.ts";

/** The part of the machine the places depend on. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Folder for temporary files. */
  readonly temporary: string;
  readonly platform: NodeJS.Platform;
  /** npm's cache folder where its configuration names another than the default. */
  readonly npmCache?: string;
  /** Folder of global installs, as the client itself named it (`npm root -g`, `yarn global dir`); see `globalRoot`. */
  readonly globalRoot?: string;
};

export type Places = { readonly folders: readonly string[]; readonly notes: readonly string[] };

/** Folders that hold a `node_modules` the command may have run from. */
export function execPlaces(client: ClientId, specs: readonly string[], at: Surroundings, since: Instant): Places {
  switch (client) {
    case "npm":
      return chosen(children(path.join(npmCache(at), "_npx")), specs, since, npxFolders(specs));
    case "pnpm":
      // `pkg` links to the newest of the runs kept beside it.
      return chosen(
        children(path.join(pnpmCache(at), "dlx")).flatMap((folder) => {
          const linked = realPath(path.join(folder, "pkg"));
          return linked === undefined ? [] : [linked];
        }),
        specs,
        since,
        [],
      );
    case "bun": {
      // bun 1.4 keeps them in its cache as `.bunx-<uid>/<spec>`, older ones in the temporary folder as `bunx-<uid>-<spec>@@@`.
      const inCache = children(bunCache(at)).filter((folder) => path.basename(folder).startsWith(".bunx-"));
      const folders = [
        ...inCache.flatMap(children),
        ...inCache.flatMap(children).filter(isScope).flatMap(children),
        ...children(at.temporary).filter((folder) => path.basename(folder).startsWith("bunx-")),
      ];
      return chosen(
        folders,
        specs,
        since,
        specs.flatMap((spec) => [spec, `${spec}@latest`]),
      );
    }
    case "yarn-classic":
      // `yarn create` installs the starter kit globally, then runs it.
      return globalPlaces(client, at);
    case "yarn-berry":
      return {
        folders: [],
        notes: ["yarn dlx removes its folder before it ends; what it ran is known only from what it asked the gate for"],
      };
    case "deno":
      return { folders: [], notes: [] };
  }
}

/** Folders that hold the `node_modules` of global installs. */
export function globalPlaces(client: ClientId, at: Surroundings): Places {
  const folders = [...new Set(globalFolders(client, at))].filter((folder) => fs.existsSync(path.join(folder, "node_modules")));
  if (folders.length > 0) return { folders, notes: [] };
  return { folders, notes: [`no folder of global installs was found for ${client}`] };
}

function globalFolders(client: ClientId, at: Surroundings): readonly string[] {
  // `npm root -g` ends in node_modules, `yarn global dir` does not.
  const named =
    at.globalRoot === undefined ? [] : [path.basename(at.globalRoot) === "node_modules" ? path.dirname(at.globalRoot) : at.globalRoot];
  switch (client) {
    case "bun":
      return [
        path.join(bunCache(at), "..", "global"),
        path.join(at.env["BUN_INSTALL"] ?? path.join(at.home, ".bun"), "install", "global"),
      ].map((folder) => path.resolve(folder));
    case "deno":
      // Each tool has its own hidden folder beside its starter.
      return children(path.join(at.env["DENO_INSTALL_ROOT"] ?? path.join(at.home, ".deno"), "bin"));
    case "pnpm":
      // Up to pnpm 10 one folder for all; 11 and later one for each tool, beside the folder `pnpm root -g` names.
      return named.flatMap((folder) => [folder, ...children(folder)]);
    default:
      return named;
  }
}

/**
 * Of the folders a client keeps, those this run can have used: touched since it began, or among `names`, as the client would name them;
 * failing that, those that were made for the same packages (a warm cache is used without being touched).
 */
function chosen(folders: readonly string[], specs: readonly string[], since: Instant, names: readonly string[]): Places {
  const touched = folders.filter(
    (folder) => names.some((name) => folder.endsWith(path.sep + path.normalize(name))) || touchedSince(folder, since),
  );
  if (touched.length > 0) return { folders: touched, notes: [] };
  const wanted = specs.map(nameOf);
  const same = folders.filter((folder) => {
    const dependencies = dependenciesOf(folder);
    return wanted.length > 0 && wanted.every((name) => name !== undefined && dependencies.includes(name));
  });
  return {
    folders: same,
    notes: same.length > 0 ? [] : ["the folder the tool ran from was not found; it was run from the project or is gone"],
  };
}

/** How npm may have named its folder. `npm create kit` asks for `create-kit@*` (npm 10 and later), `create-kit@` before. */
function npxFolders(specs: readonly string[]): readonly string[] {
  return ["", "@*", "@"].map((suffix) => npxFolder(specs.map((spec) => spec + suffix)));
}

/** npm names the folder after the packages asked for: the first 16 hex digits of their sha512, sorted. */
function npxFolder(packages: readonly string[]): string {
  const sorted = [...packages].sort((a, b) => a.localeCompare(b, "en"));
  return createHash("sha512").update(sorted.join("\n")).digest("hex").slice(0, 16);
}

function touchedSince(folder: string, since: Instant): boolean {
  // File systems may keep whole seconds only.
  const from = Math.floor(since / 1000) * 1000;
  return [folder, path.join(folder, "package.json"), path.join(folder, "node_modules")].some(
    (file) => (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= from,
  );
}

function nameOf(spec: string): string | undefined {
  return /^(@[^/@]+\/[^/@]+|[^/@:]+)(?:@|$)/.exec(spec)?.[1];
}

function dependenciesOf(folder: string): readonly string[] {
  const text = tryReadText(path.join(folder, "package.json"), LIMITS.manifestBytes);
  if (typeof text !== "string") return [];
  try {
    const { dependencies } = JSON.parse(text) as { dependencies?: Record<string, string> };
    return Object.keys(dependencies ?? {});
  } catch {
    return [];
  }
}

export function npmCache(at: Surroundings): string {
  return at.env["npm_config_cache"] ?? at.env["NPM_CONFIG_CACHE"] ?? at.npmCache ?? path.join(at.home, ".npm");
}

function pnpmCache(at: Surroundings): string {
  const named = at.env["pnpm_config_cache_dir"] ?? at.env["npm_config_cache_dir"];
  return named ?? path.join(cacheHome(at), "pnpm");
}

/** bun's package cache; the folder of its global store too. */
export function bunCache(at: Surroundings): string {
  const { BUN_INSTALL_CACHE_DIR, BUN_INSTALL, XDG_CACHE_HOME } = at.env;
  if (BUN_INSTALL_CACHE_DIR !== undefined) return BUN_INSTALL_CACHE_DIR;
  return path.join(BUN_INSTALL ?? path.join(XDG_CACHE_HOME ?? at.home, ".bun"), "install", "cache");
}

export function denoCache(at: Surroundings): string {
  return at.env["DENO_DIR"] ?? path.join(cacheHome(at), "deno");
}

function cacheHome(at: Surroundings): string {
  return at.env["XDG_CACHE_HOME"] ?? (at.platform === "darwin" ? path.join(at.home, "Library", "Caches") : path.join(at.home, ".cache"));
}

function isScope(folder: string): boolean {
  return path.basename(folder).startsWith("@") && !path.basename(folder).slice(1).includes("@");
}

/** Folders in a folder; none when it cannot be read: these places are only looked for. */
function children(folder: string): readonly string[] {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name));
  } catch {
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
