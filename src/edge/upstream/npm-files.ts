/**
 * Finds and reads npm's configuration the way npm does, without running npm: environment, then the user's file, the global one and the one
 * built into npm. A project's file is never followed: a cloned repository must not choose where packages come from.
 */
import fs from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { tryReadText } from "../host/files.ts";
import { mergeNpmrc, npmrcFromEnvironment, npmrcText, parseNpmrc, type NpmSettings, type NpmrcSource } from "../../core/npm/npmrc.ts";

/** What of this process decides where npm's files are; handed in so that tests can stand elsewhere. */
export type NpmPlace = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Of the Node that runs: npm's default prefix is two levels up (one on Windows). */
  readonly execPath: string;
  readonly platform: NodeJS.Platform;
};

/** Throws INPUT_UNREADABLE or INPUT_TOO_LARGE: a file that exists and cannot be read may name the private registry. */
export async function readNpmSettings(place: NpmPlace): Promise<NpmSettings> {
  const environment = npmrcFromEnvironment(place.env, await exportedByNpm(place));
  const builtin = await readNpmrc(builtinPath(place), place);
  const user = await readNpmrc(atHome(npmrcText([environment], "userconfig")?.value ?? "~/.npmrc", place), place);
  const upper = [environment, user, builtin];
  const prefix = npmrcText(upper, "prefix")?.value ?? defaultPrefix(place);
  const globalPath = npmrcText(upper, "globalconfig")?.value ?? join(atHome(prefix, place), "etc", "npmrc");
  const global = await readNpmrc(atHome(globalPath, place), place);
  const settings = mergeNpmrc([environment, user, global, builtin]);
  return { ...settings, cafile: settings.cafile && atHome(settings.cafile, place) };
}

/** One npmrc; a missing file is an empty one. */
async function readNpmrc(path: string | undefined, place: Pick<NpmPlace, "env">): Promise<NpmrcSource> {
  const text = path === undefined ? undefined : await readSmall(path, "npm configuration");
  return text === undefined ? { source: path ?? "builtin", entries: new Map() } : parseNpmrc(text, path!, place.env);
}

/** A configuration file's text; undefined when there is none. */
export async function readSmall(path: string, what: string): Promise<string | undefined> {
  try {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    // Mostly it is a file, which is there at once; only pipes are worth what it takes to wait.
    if (stat.isFile()) return readFile(path, what);
    const file = await fs.promises.open(path, "r");
    try {
      const buffer = Buffer.alloc(LIMITS.configBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        length += bytesRead;
        if (length > LIMITS.configBytes) throw new Fault("INPUT_TOO_LARGE", `${what} ${path} has more than ${LIMITS.configBytes} bytes`);
        if (bytesRead === 0) return buffer.toString("utf8", 0, length);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (error instanceof Fault) throw error;
    throw new Fault("INPUT_UNREADABLE", `${what} ${path} cannot be read (${code})`, error);
  }
}

function readFile(path: string, what: string): string | undefined {
  const read = tryReadText(path, LIMITS.configBytes);
  if (typeof read !== "object") return read;
  if (read.large) throw new Fault("INPUT_TOO_LARGE", `${what} ${path} has more than ${LIMITS.configBytes} bytes`);
  throw new Fault("INPUT_UNREADABLE", `${what} ${path} cannot be read (${read.why})`);
}

/** npm turns every setting, a project's too, into variables for the scripts it runs. Those a project's file sets are the project's word, not the user's. */
async function exportedByNpm(place: NpmPlace): Promise<ReadonlySet<string>> {
  const project = place.env["npm_config_local_prefix"];
  if (project === undefined || place.env["npm_lifecycle_event"] === undefined || !isAbsolute(project)) return new Set();
  return new Set((await readNpmrc(join(project, ".npmrc"), place)).entries.keys());
}

function defaultPrefix({ env, execPath, platform }: NpmPlace): string {
  // npm-config: PREFIX first; on Windows node's own folder; elsewhere the folder above it, under DESTDIR.
  if (env["PREFIX"]) return env["PREFIX"];
  if (platform === "win32") return dirname(execPath);
  return join(env["DESTDIR"] ?? "", dirname(dirname(execPath)));
}

/** The npmrc inside npm's own package: where Homebrew, Debian and the Windows installer put the prefix. */
function builtinPath(place: NpmPlace): string | undefined {
  const windows = place.platform === "win32";
  for (const folder of (place.env["PATH"] ?? place.env["Path"] ?? "").split(delimiter)) {
    // Scripts have a project's node_modules/.bin on PATH; an npm in there is the project's.
    if (!isAbsolute(folder) || folder.includes("node_modules")) continue;
    if (windows) {
      const file = join(folder, "node_modules", "npm", "npmrc");
      if (fs.existsSync(file)) return file;
    } else {
      // bin/npm → ../lib/node_modules/npm/bin/npm-cli.js
      const program = realOf(join(folder, "npm"));
      if (program?.endsWith(join("npm", "bin", "npm-cli.js"))) return join(dirname(dirname(program)), "npmrc");
    }
  }
  return undefined;
}

function realOf(path: string): string | undefined {
  try {
    // An error takes longer to make than the question.
    return fs.existsSync(path) ? fs.realpathSync.native(path) : undefined;
  } catch {
    return undefined;
  }
}

function atHome(path: string, { home }: NpmPlace): string {
  return /^~[/\\]/.test(path) ? join(home, path.slice(2)) : resolve(path);
}
