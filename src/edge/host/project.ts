/** What a project consists of, as far as cordon needs it: its root, workspaces, lockfiles, declared ranges and the clients' settings files. */
import fs from "node:fs";
import path from "node:path";
import { parse as parseYaml } from "yaml";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { ClientId, DirectoryIs } from "../../core/client/client.ts";
import { FINDING_FILES, type SettingsFile } from "../../core/client/findings.ts";
import { CLIENTS } from "../../core/client/table.ts";
import { codeOf, readText, tryReadText } from "./files.ts";
import type { Surroundings } from "./places.ts";
import { membersOf, patternsIn } from "./workspaces.ts";

export type Project = {
  /** Absolute; the folder lockfile and `node_modules` belong to. */
  readonly root: string;
  /** Absolute folders of the workspaces, the root not among them. */
  readonly workspaces: readonly string[];
  readonly lockfiles: readonly { readonly path: string; readonly client: ClientId }[];
};

/**
 * The project a command in `directory` works on: the nearest folder upwards with a manifest (or `node_modules`), or the workspace root
 * above it that counts that folder among its workspaces. Without any, the folder itself.
 */
export function findProject(directory: string, as: DirectoryIs = "inside"): Project {
  const start = path.resolve(directory);
  const marked = as === "inside" ? ancestors(start).find((folder) => MARKS.some((mark) => fs.existsSync(path.join(folder, mark)))) : start;
  const nearest = marked ?? start;
  const above = as === "root" ? [] : ancestors(path.dirname(nearest));
  const root = above.find((folder) => folder !== nearest && workspacesOf(folder).includes(nearest)) ?? nearest;
  return { root, workspaces: workspacesOf(root), lockfiles: lockfilesOf(root) };
}

const MARKS = ["package.json", "deno.json", "deno.jsonc", "pnpm-workspace.yaml", "node_modules"];

function ancestors(folder: string): readonly string[] {
  const folders = [folder];
  for (let at = folder; path.dirname(at) !== at;) folders.push((at = path.dirname(at)));
  return folders;
}

function lockfilesOf(root: string): Project["lockfiles"] {
  const berry = isBerryLockfile(path.join(root, "yarn.lock"));
  return Object.values(CLIENTS)
    .filter((client) => !client.id.startsWith("yarn-") || (client.id === "yarn-berry") === berry)
    .flatMap((client) => client.lockfiles.map((name) => ({ path: path.join(root, name), client: client.id })))
    .filter((lockfile) => fs.existsSync(lockfile.path));
}

/** yarn 2 and later begin their lockfile with `__metadata:`, yarn 1 with a comment that says v1. */
export function isBerryLockfile(file: string): boolean {
  const text = tryReadText(file, LIMITS.lockfileBytes);
  return typeof text === "string" && /^__metadata:/m.test(text);
}

/** Folders that `workspaces` (package.json), `packages` (pnpm-workspace.yaml) or `workspace` (deno.json) name and that hold a manifest. */
export function workspacesOf(root: string): readonly string[] {
  const manifest = parsed(path.join(root, "package.json"), JSON.parse)["workspaces"];
  const yaml = parsed(path.join(root, "pnpm-workspace.yaml"), parseYaml)["packages"];
  const deno = parsed(path.join(root, "deno.json"), JSON.parse)["workspace"];
  return membersOf(root, patternsIn(manifest, yaml, deno));
}

/** A manifest that is missing or not readable names no workspaces; the client itself will complain about it. */
function parsed(file: string, parse: (text: string) => unknown): Readonly<Record<string, unknown>> {
  const text = tryReadText(file, LIMITS.configBytes);
  if (typeof text !== "string") return {};
  try {
    const value = parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Every range the folder's `package.json` declares, whatever the kind of dependency. */
export function projectRanges(folder: string): ReadonlyMap<string, string> {
  const manifest = parsed(path.join(folder, "package.json"), JSON.parse);
  const ranges = new Map<string, string>();
  for (const kind of ["peerDependencies", "devDependencies", "optionalDependencies", "dependencies"])
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) if (typeof range === "string") ranges.set(name, range);
  return ranges;
}

/** The settings files of project, user and machine that `findings` judges. One that may not be read is a Fault: it may say anything. */
export function settingsFiles(root: string, surroundings: Surroundings): readonly SettingsFile[] {
  const { env, home } = surroundings;
  const user = env["npm_config_userconfig"] ?? env["NPM_CONFIG_USERCONFIG"] ?? path.join(home, ".npmrc");
  const wanted: [string, SettingsFile["level"]][] = [
    ...FINDING_FILES.map((name): [string, "project"] => [path.join(root, name), "project"]),
    [user, "user"],
    [path.join(home, ".yarnrc"), "user"],
    [path.join(home, ".yarnrc.yml"), "user"],
    [path.join(home, ".bunfig.toml"), "user"],
    ...(env["XDG_CONFIG_HOME"] === undefined
      ? []
      : ([[path.join(env["XDG_CONFIG_HOME"], ".bunfig.toml"), "user"]] satisfies [string, "user"][])),
    ...(env["npm_config_globalconfig"] === undefined ? [] : ([[env["npm_config_globalconfig"], "global"]] satisfies [string, "global"][])),
  ];
  return wanted.flatMap(([file, level]) => {
    // A project in the home folder has the user's files as its own.
    if (level !== "project" && path.dirname(file) === root) return [];
    const text = readText(file);
    return text === undefined ? [] : [{ path: level === "project" ? path.relative(root, file) : file, text, level }];
  });
}

/** The program `npx`, `npm exec` or `bunx` would run from the project instead of fetching it; undefined when there is none. */
export function localProgram(directory: string, spec: string): string | undefined {
  if (!/^[A-Za-z0-9_.-]+$/.test(spec)) return undefined;
  return ancestors(path.resolve(directory))
    .map((folder) => path.join(folder, "node_modules", ".bin", spec))
    .find((file) => fs.existsSync(file));
}

/** The folder a command works in, links resolved as far as it exists: npm makes a missing one, and the others say what they think of it. */
export function workingFolder(start: string, directory: string | undefined): string {
  const folder = path.resolve(start, directory ?? ".");
  for (const existing of ancestors(folder)) {
    try {
      return path.join(fs.realpathSync(existing), path.relative(existing, folder));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw new Fault("USAGE", `${folder}: ${codeOf(error)}`);
    }
  }
  return folder;
}
