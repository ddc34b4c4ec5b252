/** Finds the real client behind a command name, and which version of which client that is. */
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { lastOption } from "../../core/client/arguments.ts";
import type { ClientId } from "../../core/client/client.ts";
import { readYaml, readYarnrc, setting } from "../../core/client/settings.ts";
import { CLIENTS, clientFor } from "../../core/client/table.ts";
import { isWithin, tryReadText } from "./files.ts";
import { isBerryLockfile } from "./project.ts";
import { askClient } from "./run.ts";

export type FindRequest = {
  /** `npm`, `npx`, `yarn`, … */
  readonly command: string;
  /** The project's root. */
  readonly root: string;
  /** Where the command is started. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** cordon's own folders; a command found in one of them is a shim of ours. */
  readonly own: readonly string[];
  readonly platform: NodeJS.Platform;
};

export type FoundClient = {
  readonly client: ClientId;
  /** Absolute path, as PATH names it. */
  readonly binary: string;
  /** Undefined when nobody can tell. */
  readonly version: string | undefined;
  readonly major: number | undefined;
  /** True when the binary is a script of a shell, which hands on only variables whose names it could itself use. */
  readonly throughShell: boolean;
};

/** Fault CLIENT_MISSING when PATH has no such command besides our own. */
export async function findClient(request: FindRequest): Promise<FoundClient> {
  const binary = findBinary(request.command, request.env["PATH"] ?? "", request.own, request.platform);
  const version = await versionOf(binary, request);
  const berry = version === undefined ? madeByBerry(request.root) : (majorOf(version) ?? 0) >= 2;
  const client = clientFor(request.command, { berry });
  if (!client) throw new Fault("USAGE", `${request.command} is no package manager cordon knows`);
  return { client: client.id, binary, version, major: majorOf(version), throughShell: isShellScript(binary) };
}

/** The first executable of that name on `searchPath` that is not cordon's own. */
export function findBinary(command: string, searchPath: string, own: readonly string[], platform: NodeJS.Platform): string {
  let script: string | undefined;
  for (const folder of searchPath.split(path.delimiter)) {
    // An empty entry means the current folder: a project must not decide which program is run.
    if (folder === "" || !path.isAbsolute(folder)) continue;
    const file = path.join(folder, platform === "win32" ? `${command}.exe` : command);
    if (isExecutable(file) && !isOwn(file, own)) return file;
    if (platform === "win32" && fs.existsSync(path.join(folder, `${command}.cmd`))) script ??= path.join(folder, `${command}.cmd`);
  }
  if (script !== undefined)
    throw new Fault("CLIENT_MISSING", `${script} is a command script, which only a shell can start; cordon does not`);
  throw new Fault("CLIENT_MISSING", `${command} is not on PATH`);
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

function isShellScript(binary: string): boolean {
  const descriptor = fs.openSync(binary, "r");
  try {
    const head = Buffer.alloc(128);
    const line = head.toString("latin1", 0, fs.readSync(descriptor, head)).split("\n")[0]!;
    return /^#!.*\b(sh|dash|ash|ksh|bash|zsh)\b/.test(line);
  } finally {
    fs.closeSync(descriptor);
  }
}

function isOwn(file: string, own: readonly string[]): boolean {
  const real = fs.realpathSync(file);
  return own.some((folder) => isWithin(folder, real) || isWithin(folder, file));
}

/** Names of the npm packages that carry the clients. */
const CARRIERS: Readonly<Record<string, RegExp>> = {
  npm: /^npm$/,
  npx: /^npm$/,
  pnpm: /^(pnpm|@pnpm\/exe(\..+)?|@pnpm\/(linux|macos|win)-.+)$/,
  pnpx: /^(pnpm|@pnpm\/exe(\..+)?|@pnpm\/(linux|macos|win)-.+)$/,
  yarn: /^(yarn|@yarnpkg\/cli-dist)$/,
  yarnpkg: /^(yarn|@yarnpkg\/cli-dist)$/,
  bun: /^(bun|@oven\/bun-.+)$/,
  bunx: /^(bun|@oven\/bun-.+)$/,
  deno: /^(deno|@deno\/.+)$/,
};

/**
 * The version that will run, told without running it where that is possible: a project's `yarnPath`, its `packageManager` field where
 * corepack or pnpm obey it, or the package the binary belongs to. Asking the client is the last resort: that runs code a project chose.
 */
async function versionOf(binary: string, { command, root, directory, env }: FindRequest): Promise<string | undefined> {
  const carrier = packageOf(binary);
  const isCarrier = carrier !== undefined && CARRIERS[command]?.test(carrier.name) === true;
  const yarn = command.startsWith("yarn") ? yarnPath(root) : undefined;
  if (yarn !== undefined) return /yarn-(\d+\.\d+\.\d+[0-9A-Za-z.-]*?)\.c?js$/.exec(yarn)?.[1];
  // pnpm changes itself to the version the project names; corepack stands for any client.
  const declared = carrier?.name === "corepack" || command.startsWith("pnp") ? packageManagerVersion(root, command) : undefined;
  if (declared !== undefined) return declared;
  if (isCarrier) return carrier.version;
  const name = command === "npx" ? "npm" : command === "pnpx" ? "pnpm" : command;
  const said = await askClient({
    binary: name === command ? binary : path.join(path.dirname(binary), name),
    argv: ["--version"],
    directory,
    env,
  });
  return /\d+\.\d+\.\d+[0-9A-Za-z.+-]*/.exec(said ?? "")?.[0];
}

/** The npm package a file belongs to. */
function packageOf(binary: string): { readonly name: string; readonly version: string } | undefined {
  for (let folder = path.dirname(fs.realpathSync(binary)); path.dirname(folder) !== folder; folder = path.dirname(folder)) {
    const manifest = readManifest(folder);
    if (typeof manifest["name"] === "string" && typeof manifest["version"] === "string")
      return { name: manifest["name"], version: manifest["version"] };
  }
  return undefined;
}

function packageManagerVersion(root: string, command: string): string | undefined {
  const field = readManifest(root)["packageManager"];
  const match = typeof field === "string" ? /^(npm|pnpm|yarn)@(\d+\.\d+\.\d+[0-9A-Za-z.-]*)/.exec(field) : undefined;
  return match && command.replace(/x$/, "m").startsWith(match[1]!) ? match[2] : undefined;
}

/** The file a project names to run in yarn's place; yarn of every version hands over to it. Its file name carries the version. */
function yarnPath(root: string): string | undefined {
  const yml = tryReadText(path.join(root, ".yarnrc.yml"), LIMITS.configBytes);
  const rc = tryReadText(path.join(root, ".yarnrc"), LIMITS.configBytes);
  return (
    (typeof yml === "string" ? setting(readYaml(yml).settings, "yarnPath")?.value : undefined) ??
    (typeof rc === "string" ? setting(readYarnrc(rc).settings, "yarn-path")?.value : undefined)
  );
}

/** Which yarn a project was made with, by what it left: its settings, or the lockfile's header. */
function madeByBerry(root: string): boolean {
  return fs.existsSync(path.join(root, ".yarnrc.yml")) || isBerryLockfile(path.join(root, "yarn.lock"));
}

export function readManifest(folder: string): Readonly<Record<string, unknown>> {
  const text = tryReadText(path.join(folder, "package.json"), LIMITS.manifestBytes);
  if (typeof text !== "string") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function majorOf(version: string | undefined): number | undefined {
  const major = /^\d+/.exec(version ?? "")?.[0];
  return major === undefined ? undefined : Number(major);
}

/** What each client is asked for its folder of global installs, and the options of the command line that move it. */
const GLOBAL_ROOT: Readonly<Partial<Record<ClientId, { readonly ask: readonly string[]; readonly options: readonly string[] }>>> = {
  npm: { ask: ["root", "-g"], options: ["prefix"] },
  pnpm: { ask: ["root", "-g"], options: ["global-dir"] },
  "yarn-classic": { ask: ["global", "dir"], options: ["global-folder"] },
};

/**
 * The folder of global installs, as the client itself names it for the command line `argv`; undefined for clients that have a fixed one
 * (bun, deno), and when it will not say. It runs the client.
 */
export async function globalRoot(
  found: Pick<FoundClient, "client" | "binary"> & Partial<FoundClient>,
  directory: string,
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
): Promise<string | undefined> {
  const question = GLOBAL_ROOT[found.client];
  if (!question) return undefined;
  const { options } = CLIENTS[found.client].read(found.client, argv);
  const moved = question.options.flatMap((name) => {
    const value = lastOption(options, name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  const answer = await askClient({ binary: found.binary, argv: [...question.ask, ...moved], directory, env });
  const folder = answer?.split("\n").at(-1)?.trim();
  return folder !== undefined && path.isAbsolute(folder) ? folder : undefined;
}
