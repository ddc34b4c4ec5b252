/** Where this machine keeps what clients fetched and ran, whoever's project it was for. */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { npmrcText, parseNpmrc } from "../../core/npm/npmrc.ts";
import { warmCaches } from "../host/caches.ts";
import { tryReadText } from "../host/files.ts";
import { npmCache, type Surroundings } from "../host/places.ts";

/** Where editors keep extensions: packages with a node_modules of their own. */
const EXTENSIONS = [".vscode", ".vscode-server", ".vscode-insiders", ".vscode-oss", ".cursor", ".cursor-server", ".windsurf"];

/** Folders that exist, and in plain words which kinds do not. */
export function machinePlaces(at: Surroundings): {
  readonly folders: readonly string[];
  readonly absent: readonly string[];
  /** Settings that could not be read: they may name places nobody looked at. */
  readonly missing: readonly string[];
} {
  const { named, missing } = namedPlaces(at);
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    // Beside a configured place the usual one may still hold what came before.
    ["npm's cache, logs and npx folders", [...named("cache"), npmCache(at), path.join(at.home, ".npm")]],
    ["pnpm's store", [...named("store-dir"), ...warmCaches("pnpm", at)]],
    ["pnpm's dlx folders", [path.join(cacheHome(at), "pnpm")]],
    ["yarn 1's cache", warmCaches("yarn-classic", at)],
    ["yarn's cache", warmCaches("yarn-berry", at)],
    ["bun's cache", warmCaches("bun", at)],
    ["bunx's folders", children(at.temporary).filter((folder) => path.basename(folder).startsWith("bunx-"))],
    ["deno's cache", warmCaches("deno", at)],
    ["global installs", globalFolders(at, named("prefix"))],
    ["editors' extensions", EXTENSIONS.map((folder) => path.join(at.home, folder, "extensions"))],
  ];
  const folders: string[] = [];
  const absent: string[] = [];
  for (const [kind, candidates] of kinds) {
    const there = candidates.filter((folder) => fs.existsSync(folder));
    if (there.length === 0) absent.push(kind);
    folders.push(...there);
  }
  return { folders: [...new Set(folders)], absent, missing };
}

/** Folders of global installs where clients and the usual version managers put them. Nobody is asked: asking runs code. */
function globalFolders({ env, home, platform }: Surroundings, configured: readonly string[]): readonly string[] {
  const named = [...configured, env["npm_config_prefix"], env["NPM_CONFIG_PREFIX"], env["PREFIX"]].flatMap((prefix) =>
    prefix ? [prefix] : [],
  );
  const node = path.dirname(path.dirname(process.execPath));
  const versions = [
    path.join(home, ".nvm", "versions", "node"),
    path.join(home, ".local", "share", "fnm", "node-versions"),
    path.join(home, ".volta", "tools", "image", "node"),
    path.join(home, ".asdf", "installs", "nodejs"),
    path.join(home, ".local", "share", "mise", "installs", "node"),
    path.join(home, ".nodenv", "versions"),
    path.join(home, ".proto", "tools", "node"),
  ];
  const managed = versions.flatMap((folder) => children(folder).flatMap((one) => [one, path.join(one, "installation")]));
  const roaming = env["APPDATA"] === undefined ? [] : [path.join(env["APPDATA"], "npm")];
  const prefixes = [...named, ...roaming, node, "/usr/local", "/usr", "/opt/homebrew", path.join(home, ".npm-global"), ...managed];
  const libraries = platform === "win32" ? prefixes : prefixes.map((prefix) => path.join(prefix, "lib"));
  return [
    ...libraries.filter((folder) => fs.existsSync(path.join(folder, "node_modules"))),
    path.join(home, ".config", "yarn", "global"),
    path.join(env["PNPM_HOME"] ?? path.join(home, ".local", "share", "pnpm"), "global"),
    path.join(env["BUN_INSTALL"] ?? path.join(home, ".bun"), "install", "global"),
    path.join(env["DENO_INSTALL_ROOT"] ?? path.join(home, ".deno"), "bin"),
  ];
}

/** Folders that the user's settings name for a key, of npm's file and of pnpm's. A project's files name none: they are not the user's word. */
function namedPlaces(at: Surroundings): { readonly named: (key: string) => readonly string[]; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const files = [
    at.env["npm_config_userconfig"] ?? at.env["NPM_CONFIG_USERCONFIG"] ?? path.join(at.home, ".npmrc"),
    path.join(at.env["XDG_CONFIG_HOME"] ?? path.join(at.home, ".config"), "pnpm", "rc"),
  ];
  const sources = files.flatMap((file) => {
    const text = tryReadText(file, LIMITS.configBytes);
    if (typeof text === "object") missing.push(`${file}: ${text.why}`);
    return typeof text === "string" ? [parseNpmrc(text, file, at.env)] : [];
  });
  const named = (key: string): readonly string[] =>
    sources.flatMap((source) => {
      const value = npmrcText([source], key)?.value;
      return value === undefined ? [] : [path.resolve(at.home, value.replace(/^~(?=[\\/])/, at.home))];
    });
  return { named, missing };
}

function children(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return []; // these are only looked for
  }
}

function cacheHome({ env, home, platform }: Surroundings): string {
  return env["XDG_CACHE_HOME"] ?? (platform === "darwin" ? path.join(home, "Library", "Caches") : path.join(home, ".cache"));
}
