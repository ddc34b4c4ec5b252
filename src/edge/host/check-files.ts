/** What `cordon check` reads of a folder: lockfiles, manifests, settings. Read-only; follows no link out, runs nothing but git. */
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { codeOf, readBytes, tryReadText, writeText } from "./files.ts";
import { membersOf, patternsIn } from "./workspaces.ts";

/** Names lockfiles have in a project; what clients keep inside `node_modules` is another question. */
const LOCKFILES = [
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "yarn.lock",
  "bun.lock",
  "bun.lockb",
  "deno.lock",
] as const;
const SETTINGS = [".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", "pnpm-workspace.yaml"] as const;
const MANIFESTS = ["package.json", "deno.json", "deno.jsonc"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Paths are relative to the folder, with forward slashes. */
export type FolderFiles = {
  /** Absolute. */
  readonly root: string;
  readonly lockfiles: readonly { readonly path: string; readonly content: Uint8Array | { readonly why: string } }[];
  /** `importer`: the folder of the manifest, `.` for this one. `ownLockfile`: a member of the workspace has one beside it. */
  readonly manifests: readonly {
    readonly path: string;
    readonly importer: string;
    readonly text: string | { readonly why: string };
    readonly ownLockfile?: boolean;
  }[];
  readonly settings: readonly { readonly path: string; readonly text: string | { readonly why: string } }[];
  /** Lockfiles that git is told to leave out. */
  readonly ignored: readonly string[];
};

/** Everything `cordon check` asks of the disk, for paths as they are given in `cwd`. */
export function openCheckFiles({ cwd, env }: { readonly cwd: string; readonly env: Environment }) {
  const absolute = (given: string): string => path.resolve(cwd, given);
  return {
    asLockfile: (file: string) => asLockfile(absolute(file)),
    folder: async (given: string) => checkedFolder(absolute(given)),
    below: async (given: string, onFolder: (count: number) => void) => foldersBelow(absolute(given), onFolder),
    read: async (folder: string, only?: string) => readFolder(folder, env, only),
    before: async (folder: string, since: string, files: FolderFiles) => filesAt(folder, env, since, files),
    relative: (to: string) => path.relative(cwd, to).replaceAll(path.sep, "/"),
    write: async (file: string, text: string) => writeText(absolute(file), text),
    inFolder: (folder: string) => ({
      read: async (file: string) => readBytes(path.join(folder, file), LIMITS.lockfileBytes),
      write: async (file: string, bytes: Uint8Array) => writeText(path.join(folder, file), bytes),
      remove: async (file: string) => fs.rmSync(path.join(folder, file), { force: true }),
    }),
  };
}

/** The same files as git has them where the branch left `since`; one that was not there then is left out. */
async function filesAt(folder: string, env: Environment, since: string, files: FolderFiles): Promise<FolderFiles> {
  const { baseOf, fileAt } = await import("./git.ts");
  const commit = await baseOf(folder, env, since);
  const textAt = async <T extends FileText>(file: T): Promise<readonly T[]> => {
    const then = await fileAt(folder, env, commit, file.path);
    return then === undefined ? [] : [{ ...file, text: Buffer.from(then).toString("utf8") }];
  };
  const lockfiles = files.lockfiles.map(async ({ path: name }) => {
    const content = await fileAt(folder, env, commit, name);
    return content === undefined ? [] : [{ path: name, content }];
  });
  return {
    root: folder,
    lockfiles: (await Promise.all(lockfiles)).flat(),
    manifests: (await Promise.all(files.manifests.map(textAt))).flat(),
    settings: (await Promise.all(files.settings.map(textAt))).flat(),
    ignored: [],
  };
}

/** The folder a check in `directory` is about: itself when it has a lockfile, else the project it belongs to. */
async function checkedFolder(directory: string): Promise<string> {
  const folder = path.resolve(directory);
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  if (!stat) throw new Fault("USAGE", `${directory} does not exist`);
  if (!stat.isDirectory()) throw new Fault("USAGE", `${directory} is neither a lockfile cordon knows nor a folder`);
  if (LOCKFILES.some((name) => fs.existsSync(path.join(folder, name)))) return folder;
  const { findProject } = await import("./project.ts");
  return findProject(folder).root;
}

/** A path that names a lockfile itself, as the folder it stands in and its name. */
function asLockfile(file: string): { readonly folder: string; readonly name: string } | undefined {
  const absolute = path.resolve(file);
  const named = LOCKFILES.some((name) => name === path.basename(absolute));
  const isFile = fs.statSync(absolute, { throwIfNoEntry: false })?.isFile() === true;
  return named || isFile ? { folder: path.dirname(absolute), name: path.basename(absolute) } : undefined;
}

/** Reads one folder. `only`: that lockfile alone, whatever it is called. */
async function readFolder(root: string, env: Environment, only?: string): Promise<FolderFiles> {
  const lockfiles = (only === undefined ? LOCKFILES : [only]).flatMap((name) => {
    const content = bytesOf(path.join(root, name));
    return content === undefined ? [] : [{ path: name, content }];
  });
  const settings = SETTINGS.flatMap((name) => textOf(root, name));
  const roots = MANIFESTS.flatMap((name) => textOf(root, name));
  const members = await workspaceMembers(root, roots, settings);
  const inMembers = members.flatMap((importer) => {
    const ownLockfile = LOCKFILES.some((name) => fs.existsSync(path.join(root, importer, name)));
    return MANIFESTS.flatMap((name) => textOf(root, `${importer}/${name}`)).map((file) => ({ ...file, importer, ownLockfile }));
  });
  return {
    root,
    lockfiles,
    manifests: [...roots.map((file) => ({ ...file, importer: "." })), ...inMembers],
    settings,
    ignored: await ignoredByGit(
      root,
      env,
      lockfiles.map(({ path: name }) => name),
    ),
  };
}

type FileText = { readonly path: string; readonly text: string | { readonly why: string } };

async function workspaceMembers(root: string, manifests: readonly FileText[], settings: readonly FileText[]): Promise<readonly string[]> {
  const textNamed = (files: readonly FileText[], name: string): string => {
    const text = files.find((file) => file.path === name)?.text;
    return typeof text === "string" ? text : "{}";
  };
  const pnpm = textNamed(settings, "pnpm-workspace.yaml");
  // A manifest that cannot be read names no members; the check of the manifest says so.
  const yaml = pnpm === "{}" ? undefined : await import("yaml");
  const patterns = patternsIn(
    fieldOf(() => JSON.parse(textNamed(manifests, "package.json")) as unknown, "workspaces"),
    fieldOf(() => yaml?.parse(pnpm) as unknown, "packages"),
    fieldOf(() => JSON.parse(textNamed(manifests, "deno.json")) as unknown, "workspace"),
  );
  return membersOf(root, patterns).map((folder) => path.relative(root, folder).replaceAll(path.sep, "/"));
}

function fieldOf(parse: () => unknown, field: string): unknown {
  try {
    return (parse() as Readonly<Record<string, unknown>> | null | undefined)?.[field];
  } catch {
    return undefined;
  }
}

function bytesOf(file: string): Uint8Array | { readonly why: string } | undefined {
  try {
    return readBytes(file, LIMITS.lockfileBytes);
  } catch (error) {
    if (error instanceof Fault) return { why: error.message };
    throw error;
  }
}

function textOf(root: string, name: string): readonly FileText[] {
  const text = tryReadText(path.join(root, name), LIMITS.configBytes);
  return text === undefined ? [] : [{ path: name, text: typeof text === "string" ? text : { why: text.why } }];
}

/** Only where some ignore file could mean a lockfile is git asked: starting it costs more than the rest of a check. */
async function ignoredByGit(root: string, env: Environment, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0 || !mightIgnore(root)) return [];
  const { git } = await import("./git.ts");
  // Exit status 1 = none of them is ignored; it lists those that are.
  const { stdout } = await git(root, env, ["check-ignore", "--", ...names]);
  return names.filter((name) => stdout.toString("utf8").split("\n").includes(name));
}

function mightIgnore(root: string): boolean {
  for (let folder = root; ; folder = path.dirname(folder)) {
    const top = fs.existsSync(path.join(folder, ".git"));
    const files = [".gitignore", ...(top ? [".git/info/exclude"] : [])];
    if (files.some((name) => /lock|shrinkwrap|\*\.(?:json|yaml)|^\*$/m.test(readable(path.join(folder, name))))) return true;
    if (top || path.dirname(folder) === folder) return false;
  }
}

function readable(file: string): string {
  const text = tryReadText(file, LIMITS.configBytes);
  return typeof text === "string" ? text : "";
}

/**
 * Folders below `root` to check: those with a lockfile, and repositories with a manifest and none. Links, `node_modules` and folders of
 * git are not entered. What could not be entered is named.
 */
function foldersBelow(
  root: string,
  onFolder: (count: number) => void,
): { readonly folders: readonly string[]; readonly unread: readonly { readonly path: string; readonly why: string }[] } {
  const folders: string[] = [];
  const unread: { path: string; why: string }[] = [];
  let seen = 0;
  const walk = (folder: string, depth: number): void => {
    if (depth > LIMITS.treeDepth) return void unread.push({ path: folder, why: `nested deeper than ${LIMITS.treeDepth} folders` });
    if (++seen > LIMITS.treeFolders) return;
    if (seen % 500 === 0) onFolder(seen);
    let entries: fs.Dirent[];
    try {
      entries = fs.readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      return void unread.push({ path: folder, why: codeOf(error) });
    }
    const names = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name));
    const repository = entries.some(({ name }) => name === ".git");
    if (LOCKFILES.some((name) => names.has(name)) || (repository && names.has("package.json"))) folders.push(folder);
    for (const entry of entries)
      if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== ".git") walk(path.join(folder, entry.name), depth + 1);
  };
  walk(path.resolve(root), 0);
  if (seen > LIMITS.treeFolders) unread.push({ path: root, why: `more than ${LIMITS.treeFolders} folders; the rest was not looked at` });
  return { folders: folders.toSorted(), unread };
}
