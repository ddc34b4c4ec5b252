/** How git is started and what it remembers of a checkout. No question here changes a repository, and no command runs what one configures. */
import { execFile } from "node:child_process";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { findBinary } from "./find.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Answer = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

/**
 * A repository's own configuration could name programs that git starts for these; they are turned off. Only then may somebody else's
 * repository be asked as well (a copied disk, a container's folder), which git refuses otherwise because of such programs.
 */
const HARMLESS = [
  "safe.directory=*",
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "diff.external=",
  "core.pager=cat",
  "log.showSignature=false",
].flatMap((setting) => ["-c", setting]);

/** How git is started in a folder to be asked something. Fault CLIENT_MISSING without git. */
export function gitCall(folder: string, env: Environment, args: readonly string[]) {
  // `GIT_DIR` and its like, which git sets for hooks, would have it read another repository than the one in front of us.
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
  // What a partial clone lacks would be fetched, by whatever command its address names; git before 2.45 knows only the protocols' variable.
  return {
    program: findBinary("git", env["PATH"] ?? "", [], process.platform),
    args: [...HARMLESS, "-C", folder, ...args],
    env: { ...own, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", GIT_NO_LAZY_FETCH: "1", GIT_ALLOW_PROTOCOL: "", LC_ALL: "C" },
  };
}

/** Runs git in a folder, for `ms` at most. Fault CLIENT_MISSING without git; INPUT_TOO_LARGE when it says more than a lockfile may hold. */
export async function git(folder: string, env: Environment, args: readonly string[], ms: number = LIMITS.gitMs): Promise<Answer> {
  const call = gitCall(folder, env, args);
  return new Promise((resolve, reject) => {
    execFile(
      call.program,
      call.args,
      { encoding: "buffer", env: call.env, maxBuffer: LIMITS.lockfileBytes, timeout: ms, windowsHide: true },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : (error as { readonly code?: number | string }).code;
        if (typeof code === "number") resolve({ status: code, stdout, stderr: stderr.toString("utf8").trim() });
        else if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
          reject(new Fault("INPUT_TOO_LARGE", `git ${args[0]} answered more than ${LIMITS.lockfileBytes} bytes`));
        else reject(new Fault("INPUT_UNREADABLE", `git ${args[0]} in ${folder} did not answer: ${error?.message.split("\n")[0]}`));
      },
    );
  });
}

/** Where this branch left `reference`: their merge base, so that what others did there since is not counted as a change made here. */
export async function baseOf(folder: string, env: Environment, reference: string): Promise<string> {
  const resolved = await git(folder, env, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${reference}^{commit}`]);
  if (resolved.status !== 0)
    throw new Fault("USAGE", `git knows no commit ${reference} in ${folder}${resolved.stderr === "" ? "" : `: ${resolved.stderr}`}`);
  const commit = resolved.stdout.toString("utf8").trim();
  const base = await git(folder, env, ["merge-base", commit, "HEAD"]);
  // Unrelated or cut-off histories have none: then the named commit itself is what is compared with.
  return base.status === 0 ? base.stdout.toString("utf8").trim().split("\n")[0]! : commit;
}

/** A file as it was in a commit; undefined when it was not there. `file` is relative to the folder. */
export async function fileAt(folder: string, env: Environment, commit: string, file: string): Promise<Uint8Array | undefined> {
  const relative = `./${file.split(path.sep).join("/")}`;
  const { status, stdout, stderr } = await git(folder, env, ["cat-file", "blob", `${commit}:${relative}`]);
  if (status === 0) return stdout;
  if (/does not exist|exists on disk, but not in/.test(stderr)) return undefined;
  throw new Fault("INPUT_UNREADABLE", `${file} as of ${commit.slice(0, 12)} cannot be read: ${stderr}`);
}
