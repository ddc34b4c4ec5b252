/**
 * A branch with one commit of ours, made in a checkout of its own below the data directory: the person's working tree, index and current
 * branch are never touched. Nothing that a repository configures is run: no hooks, no filters, no signing program.
 */
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { printable } from "../../core/base/text.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import type { RollbackAction } from "../../core/response/plan.ts";
import { fileAt, git } from "../host/git.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Where = Pick<RollbackAction, "root" | "base" | "branch">;

/** Files that decide what is installed: with changes that are not committed a branch would not start from what lies there. */
const DECIDING: ReadonlySet<string> = new Set([
  ...Object.keys(LOCKFILE_NAMES),
  "package.json",
  "deno.json",
  "deno.jsonc",
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  "bunfig.toml",
  "pnpm-workspace.yaml",
]);

/** The commit a branch of this project can grow from, or why none can be made; never a Fault. */
export async function branchBase(root: string, env: Environment): Promise<{ readonly base: string } | { readonly why: string }> {
  try {
    const quiet = await harmless(root, env);
    const ask = asker(root, env, quiet);
    const head = await ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}");
    if (head === undefined) return { why: "nothing was ever committed there" };
    const lockfiles = fs.readdirSync(root).filter((name) => Object.hasOwn(LOCKFILE_NAMES, name) && name !== "lock.yaml");
    const kept = lines(await ask("ls-files", "-z", "--", ...lockfiles), "\0");
    const unkept = lockfiles.find((name) => !kept.includes(name));
    if (unkept !== undefined) return { why: `git does not keep its ${unkept}` };
    // `XY path`; of a rename the old path follows as an entry of its own, which is deciding too.
    const status = await must(root, env, [...quiet, "status", "--porcelain=v1", "-z", "--no-renames", "--", "."]);
    const changed = lines(status, "\0").map((line) => line.slice(3));
    const dirty = changed.find((file) => DECIDING.has(path.posix.basename(file)));
    if (dirty !== undefined) return { why: `${printable(dirty)} has changes that are not committed; commit or put them away first` };
    return { base: head.trim() };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { why: error.code === "CLIENT_MISSING" ? "git is not here" : error.message };
  }
}

export type Worktree = {
  /** The project in the checkout. Absolute. */
  readonly project: string;
  /** Commits these files, relative to the project; gives the commit's id. `by`: whose it is where git knows no name. */
  commit(paths: readonly string[], message: string, by: string): Promise<string>;
  /** Takes the checkout away. The branch stays if something was committed on it. */
  close(): Promise<void>;
};

/**
 * `mark`: the line of the commit's message by which a run that was killed is recognised: what it committed is given as `made`.
 * Fault USAGE when there is a branch of this name that is not ours.
 */
export async function openBranch(
  { root, base, branch }: Where,
  { folder, mark, env }: { readonly folder: string; readonly mark: string; readonly env: Environment },
): Promise<Worktree | { readonly made: string }> {
  const quiet = await harmless(root, env);
  const ask = asker(root, env, quiet);
  const clear = async (): Promise<void> => {
    await ask("worktree", "remove", "--force", "--force", folder);
    fs.rmSync(folder, { recursive: true, force: true });
    await ask("worktree", "prune");
  };
  const tip = await tipOf({ root, branch }, env);
  if (tip !== undefined && tip !== base) {
    const message = (await ask("log", "-1", "--format=%P%n%B", tip, "--")) ?? "";
    if (message.split("\n")[0] === base && message.split("\n").includes(mark)) {
      await clear();
      return { made: tip };
    }
    throw new Fault("USAGE", `${root} has a branch ${branch} already, with something else on it; take it over or delete it first`);
  }
  await clear();
  if (tip !== undefined) await must(root, env, [...quiet, "branch", "-D", branch]);
  fs.mkdirSync(path.dirname(folder), { recursive: true, mode: 0o700 });
  await must(root, env, [...quiet, "worktree", "add", "--no-track", "-b", branch, folder, base], LIMITS.gitCheckoutMs);
  const prefix = ((await ask("rev-parse", "--show-prefix")) ?? "").trim();
  const project = path.join(folder, prefix);
  return {
    project,
    async commit(paths, message, by) {
      const named = (await ask("config", "--get", "user.email")) === undefined;
      const identity = named ? ["-c", `user.name=${by}`, "-c", `user.email=${by}@localhost`] : [];
      await must(project, env, [...quiet, "add", "--", ...paths]);
      await must(project, env, [...quiet, ...identity, "commit", "--no-verify", "--no-gpg-sign", "-m", `${message}\n\n${mark}`]);
      return (await must(project, env, [...quiet, "rev-parse", "HEAD"])).trim();
    },
    async close() {
      await clear();
      if ((await tipOf({ root, branch }, env)) === base) await must(root, env, [...quiet, "branch", "-D", branch]);
    },
  };
}

/** The commit a branch stands at; undefined when there is none of that name. */
export async function tipOf({ root, branch }: Pick<Where, "root" | "branch">, env: Environment): Promise<string | undefined> {
  return (await asker(root, env, [])("rev-parse", "--verify", "--quiet", "--end-of-options", `refs/heads/${branch}^{commit}`))?.trim();
}

/** A file of the project as it is on the branch. */
export async function onBranch({ root, branch }: Where, file: string, env: Environment): Promise<Uint8Array | undefined> {
  return fileAt(root, env, `refs/heads/${branch}`, file);
}

/** Deletes the branch while it still stands at `commit`: what others put on it since is theirs. Gone already is no fault. */
export async function deleteBranch({ root, branch }: Where, commit: string, env: Environment): Promise<void> {
  const tip = await tipOf({ root, branch }, env);
  if (tip === undefined) return;
  if (tip !== commit) throw new Fault("EDITED_SINCE", `${branch} in ${root} has other commits on it since; it was left as it is`);
  // git itself refuses while it is checked out somewhere.
  await must(root, env, [...(await harmless(root, env)), "branch", "-D", branch]);
}

/** Tags of a repository. */
export async function tagsOf(root: string, env: Environment): Promise<readonly string[] | { readonly why: string }> {
  try {
    return lines(await must(root, env, ["tag", "--list"]), "\n");
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { why: error.message };
  }
}

/** Settings that keep git from running programs of the repository's choice, beside those that `git` always gets. */
async function harmless(root: string, env: Environment): Promise<readonly string[]> {
  const pattern = "^filter\\..*\\.(smudge|clean|process|required)$";
  const { status, stdout } = await git(root, env, ["config", "--null", "--name-only", "--get-regexp", pattern]);
  // git-config(1): 1 when the key was not found. Anything else: which programs it would run is not known, so it is not asked to do anything.
  if (status !== 0 && status !== 1) throw new Fault("INPUT_UNREADABLE", `git cannot read its settings in ${root}`);
  const filters = lines(stdout.toString("utf8"), "\0").map((key) => `${key}=${key.endsWith(".required") ? "false" : ""}`);
  return [...filters, "gc.auto=0", "maintenance.auto=false", "submodule.recurse=false", "commit.gpgSign=false"].flatMap((setting) => [
    "-c",
    setting,
  ]);
}

/** Undefined when git answers that it is not so. A Fault where it lies in no repository. */
function asker(root: string, env: Environment, before: readonly string[]) {
  return async (...args: readonly string[]): Promise<string | undefined> => {
    const { status, stdout, stderr } = await git(root, env, [...before, ...args]);
    if (status === 128 && /not a git repository/.test(stderr)) throw new Fault("INPUT_UNREADABLE", "it lies in no repository of git");
    if (status === 128 && /dubious ownership/.test(stderr)) throw new Fault("INPUT_UNREADABLE", "its repository belongs to somebody else");
    return status === 0 ? stdout.toString("utf8") : undefined;
  };
}

async function must(root: string, env: Environment, args: readonly string[], ms?: number): Promise<string> {
  const { status, stdout, stderr } = await git(root, env, args, ms);
  if (status === 0) return stdout.toString("utf8");
  const verb = args.find((arg, index) => arg !== "-c" && args[index - 1] !== "-c");
  throw new Fault("INPUT_UNREADABLE", `git ${verb} in ${root}: ${printable(stderr.split("\n").at(-1) ?? `status ${status}`)}`);
}

function lines(text: string | undefined, end: string): readonly string[] {
  return (text ?? "").split(end).filter((line) => line !== "");
}
