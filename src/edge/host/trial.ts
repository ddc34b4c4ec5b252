/**
 * One trial by `cordon doctor`: the client's own install, in a temporary copy of the project's configuration at the same place in the
 * tree of folders, and what came of it. The copy is the owner's alone, ends with the trial, and holds no source and no lockfile.
 */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { ClientId } from "../../core/client/client.ts";
import { namedFiles, TRIAL_FILES, TRIAL_FILES_ABOVE, trialCommand, trialCopy, trialFiles, type TrialEnd } from "../../core/client/trial.ts";
import { withEnvironment } from "../../core/client/environment.ts";
import { isWithin, tryReadText } from "./files.ts";
import { inScratch } from "./scratch.ts";

export type TrialRequest = {
  readonly client: ClientId;
  /** Absolute path of the client's program. */
  readonly binary: string;
  /** The project whose configuration counts; undefined = the user's alone. */
  readonly root: string | undefined;
  /** Name of the one package to install, at 1.0.0. */
  readonly dependency: string;
  readonly packageManager?: string;
  /** The user's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder for temporary files. */
  readonly temporary: string;
  /** Milliseconds until it is killed; `LIMITS.trialMs` when not given. */
  readonly ceiling?: number;
};

export async function tryClient(request: TrialRequest): Promise<TrialEnd> {
  return inScratch(request.temporary, async (scratch, run) => {
    const project = layOut(request, path.join(scratch, "files"));
    const cache = path.join(scratch, "cache");
    fs.mkdirSync(cache);
    const { args, env } = trialCommand(request.client, cache);
    const how = { cwd: project, env: withEnvironment(request.env, env), ceiling: request.ceiling ?? LIMITS.trialMs };
    const ended = await run(request.binary, args, how);
    return { ...ended, arrived: arrived(project, request.dependency) };
  });
}

/** Writes the copy below `base`; the folder the client is started in. */
function layOut({ client, root, dependency, packageManager }: TrialRequest, base: string): string {
  const project = path.join(base, root === undefined ? "project" : path.relative(path.parse(root).root, root));
  fs.mkdirSync(project, { recursive: true });
  if (root !== undefined) {
    for (const name of TRIAL_FILES) copyConfiguration(root, name, base);
    // yarn reads its settings in every folder up to the top.
    for (let at = root; path.dirname(at) !== at;) {
      at = path.dirname(at);
      for (const name of TRIAL_FILES_ABOVE) copyConfiguration(at, name, base);
    }
  }
  const own = trialFiles({ client, dependency, ...(packageManager === undefined ? {} : { packageManager }) });
  for (const [name, text] of Object.entries(own)) fs.writeFileSync(path.join(project, name), text);
  return project;
}

function copyConfiguration(folder: string, name: string, base: string): void {
  const text = tryReadText(path.join(folder, name), LIMITS.configBytes);
  if (typeof text !== "string") return;
  const target = path.join(base, path.relative(path.parse(folder).root, folder));
  fs.mkdirSync(target, { recursive: true });
  fs.writeFileSync(path.join(target, name), trialCopy(name, text), { mode: 0o600 });
  for (const named of namedFiles(name, text)) copyNamed(path.resolve(folder, named), path.resolve(target, named), base);
}

/** A file the configuration names; one that is not there, not a file or too large is left to the client to complain about. */
function copyNamed(from: string, to: string, base: string): void {
  const stat = fs.statSync(from, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > LIMITS.trialFileBytes || !isWithin(base, to)) return;
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}

function arrived(project: string, dependency: string): boolean {
  const text = tryReadText(path.join(project, "node_modules", ...dependency.split("/"), "package.json"), LIMITS.manifestBytes);
  return typeof text === "string" && text.includes(`"${dependency}"`);
}
