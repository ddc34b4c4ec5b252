/** A project's settings files, real clients and lockfiles, as `cordon setup` and `cordon doctor` need them. Puts this folder's parts together. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import type { ClientId, FileEdit } from "../../core/client/client.ts";
import type { SettingsFile } from "../../core/client/findings.ts";
import { openLooker } from "../upstream/gate-look.ts";
import type { NpmPlace } from "../upstream/npm-files.ts";
import { warmCaches } from "./caches.ts";
import { codeOf, tryReadText } from "./files.ts";
import { findClient } from "./find.ts";
import type { Surroundings } from "./places.ts";
import { findProject, projectRanges, settingsFiles } from "./project.ts";
import { projectPlace, readExact, readSetup, removeFile, userPlace, writeExact, writeSetup } from "./setup-files.ts";
import { tryClient } from "./trial.ts";

export type ProjectHostOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly place: NpmPlace;
  readonly surroundings: Surroundings;
  /** cordon's own folders on PATH. */
  readonly own: readonly string[];
};

type Program = {
  readonly client: ClientId;
  readonly binary: string;
  readonly version: string | undefined;
  readonly major: number | undefined;
};

export function openProjectHost({ env, cwd, clock, place, surroundings, own }: ProjectHostOptions) {
  const environment = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

  return {
    env,
    project: async (directory: string) => projectPlace(directory),
    user: async () => userPlace(surroundings, userInfo().username),
    read: async (root: string, name: string) => readExact(root, name),
    write: async (root: string, name: string, text: string) => writeExact(root, name, text),
    remove: async (root: string, name: string) => removeFile(root, name),
    remembered: async (dataDir: string, root: string) => readSetup(dataDir, root),
    remember: async (dataDir: string, root: string, memory: { readonly gate: string; readonly edits: readonly FileEdit[] }) =>
      writeSetup(dataDir, root, memory, clock.now()),

    async looker(root: string | undefined) {
      const npmrc = root === undefined ? undefined : tryReadText(path.join(root, ".npmrc"), LIMITS.configBytes);
      return openLooker({ place, clock, npmrc: typeof npmrc === "string" ? npmrc : undefined });
    },

    async settings(root: string | undefined): Promise<readonly SettingsFile[]> {
      if (root !== undefined) return settingsFiles(root, surroundings);
      return settingsFiles(path.join(surroundings.temporary, "no-project"), surroundings).filter(({ level }) => level !== "project");
    },

    async find(command: string, root: string | undefined): Promise<Program | { readonly missing: string }> {
      const folder = root ?? cwd;
      try {
        return await findClient({ command, root: folder, directory: folder, env: environment, own, platform: surroundings.platform });
      } catch (error) {
        if (error instanceof Fault && error.code === "CLIENT_MISSING") return { missing: error.message };
        throw error;
      }
    },

    tryClient: (request: {
      readonly program: Program;
      readonly root: string | undefined;
      readonly dependency: string;
      readonly packageManager?: string;
    }) => tryClient({ ...request, ...request.program, env, temporary: surroundings.temporary }),

    async lockfiles(root: string) {
      return findProject(root).lockfiles.map(({ path: file, client }) => ({
        client,
        name: path.relative(root, file),
        content: readBytes(file),
      }));
    },

    async lockfileAt(file: string) {
      const absolute = path.resolve(cwd, file);
      return { folder: path.dirname(absolute), name: path.basename(absolute), content: readBytes(absolute) };
    },

    async dependencies(root: string): Promise<readonly string[]> {
      // What is not a plain range comes from somewhere else than the registry.
      const names = [...projectRanges(root)].filter(([, range]) => !/[:/]/.test(range)).map(([name]) => name);
      return names.toSorted((a, b) => Number(a.startsWith("@")) - Number(b.startsWith("@")));
    },

    warmCaches: async (client: ClientId) => warmCaches(client, surroundings),
    nonce: () => randomBytes(8).toString("hex"),
  };
}

function readBytes(file: string): Uint8Array | { readonly why: string } {
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) return { why: "not a regular file" };
    if (stat.size > LIMITS.lockfileBytes) return { why: `larger than ${LIMITS.lockfileBytes} bytes` };
    return fs.readFileSync(file);
  } catch (error) {
    return { why: codeOf(error) };
  }
}
