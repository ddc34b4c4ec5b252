/** The caches clients keep on this machine, as far as they hold packages: what lies in one is installed without asking anybody. */
import fs from "node:fs";
import path from "node:path";
import type { ClientId } from "../../core/client/client.ts";
import { bunCache, denoCache, npmCache, type Surroundings } from "./places.ts";

/** Folders of this client that exist and are not empty. */
export function warmCaches(client: ClientId, at: Surroundings): readonly string[] {
  return [...new Set(PLACES[client](at))].filter(isFilled);
}

const PLACES: Readonly<Record<ClientId, (at: Surroundings) => readonly string[]>> = {
  npm: (at) => [path.join(npmCache(at), "_cacache", "content-v2")],
  pnpm: (at) => {
    const named = at.env["pnpm_config_store_dir"] ?? at.env["npm_config_store_dir"];
    const home = at.env["PNPM_HOME"] === undefined ? [] : [path.join(at.env["PNPM_HOME"], "store")];
    return named === undefined ? [...home, path.join(dataHome(at), "pnpm", "store")] : [named];
  },
  "yarn-classic": (at) => {
    const named = at.env["YARN_CACHE_FOLDER"];
    const own = at.platform === "darwin" ? path.join(at.home, "Library", "Caches", "Yarn") : path.join(cacheHome(at), "yarn");
    // Run by root, yarn 1 keeps one cache for the machine.
    const roots = named === undefined ? [own, ...(process.getuid?.() === 0 ? ["/usr/local/share/.cache/yarn"] : [])] : [named];
    return roots.map((root) => path.join(root, "v6"));
  },
  "yarn-berry": (at) => [path.join(at.env["YARN_GLOBAL_FOLDER"] ?? path.join(at.home, ".yarn", "berry"), "cache")],
  bun: (at) => [bunCache(at)],
  deno: (at) => [path.join(denoCache(at), "npm")],
};

function dataHome(at: Surroundings): string {
  return at.env["XDG_DATA_HOME"] ?? (at.platform === "darwin" ? path.join(at.home, "Library") : path.join(at.home, ".local", "share"));
}

function cacheHome(at: Surroundings): string {
  return at.env["XDG_CACHE_HOME"] ?? path.join(at.home, ".cache");
}

/** A folder that may not be read holds what nobody knows: it counts as filled. */
function isFilled(folder: string): boolean {
  try {
    return fs.readdirSync(folder).length > 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}
