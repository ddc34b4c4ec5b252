/** How git is asked for what a repository remembers: changes of files on every branch, tag, stash and reflog, and objects in turn. */
import { spawn } from "node:child_process";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, instant } from "../../core/base/time.ts";
import { git, gitCall } from "../host/git.ts";
import type { Reading } from "./reading.ts";

/** One file changed by one commit. Blobs are object ids; all zeros where there is none. */
export type Change = {
  readonly commit: string;
  readonly at: Instant;
  readonly path: string;
  readonly before: string;
  readonly after: string;
};

/** What git answers; a Fault with its first line of complaint where it cannot. */
export type Ask = (...args: readonly string[]) => Promise<string>;

export function asker({ surroundings }: Reading, place: string): Ask {
  return async (...args) => {
    const { status, stdout, stderr } = await git(place, surroundings.env, args);
    if (status !== 0) throw new Fault("INPUT_UNREADABLE", stderr.split("\n")[0] ?? `git ${args[0]} failed`);
    return stdout.toString("utf8");
  };
}

/** Every change of the files these pathspecs name, of merges against each parent. */
export async function changesOf(ask: Ask, paths: readonly string[]): Promise<readonly Change[]> {
  const how = ["--all", "--reflog", "--full-history", "--no-renames", "--diff-merges=separate", "--raw", "-z", "--no-abbrev"];
  return readLog(await ask("log", ...how, "--no-ext-diff", "--no-textconv", "--format=%x01%H %ct", "--", ...paths));
}

/** `log --raw -z`: a commit's line, then `:mode mode before after status` and a path for each change. */
function readLog(text: string): readonly Change[] {
  const changes: Change[] = [];
  let commit = "";
  let at = instant(0);
  const parts = text.split("\0");
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    const head = /\u0001([0-9a-f]{40,64}) (\d+)/.exec(part);
    if (head !== null) [commit, at] = [head[1]!, instant(Number(head[2]) * 1_000)];
    const change = /:\d+ \d+ ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [A-Z]\d*$/.exec(part);
    const file = parts[i + 1];
    if (change === null || file === undefined) continue;
    changes.push({ commit, at, path: file, before: change[1]!, after: change[2]! });
    i += 1;
  }
  return changes;
}

/** Objects in turn through one `git cat-file --batch`; bytes are absent for one that is missing or larger than a lockfile may be. */
export async function* objects(
  reading: Reading,
  place: string,
  ids: readonly string[],
): AsyncGenerator<{ readonly id: string; readonly bytes: Buffer | undefined }> {
  if (ids.length === 0) return;
  const { program, args, env } = gitCall(place, reading.surroundings.env, ["cat-file", "--batch"]);
  const child = spawn(program, args, {
    env,
    stdio: ["pipe", "pipe", "ignore"],
    timeout: LIMITS.historyMs,
  });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  child.stdin.end(`${ids.join("\n")}\n`);
  let held: Buffer = Buffer.alloc(0);
  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const more = async (): Promise<void> => {
    const { value, done } = await Promise.race([chunks.next(), failed]);
    if (done) throw new Fault("INPUT_UNREADABLE", "git stopped before it had answered");
    held = held.length === 0 ? value : Buffer.concat([held, value]);
  };
  try {
    for (const id of ids) {
      let end = held.indexOf(0x0a);
      for (; end < 0; end = held.indexOf(0x0a)) await more();
      const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(held.toString("latin1", 0, end))?.[1] ?? Number.NaN);
      held = held.subarray(end + 1);
      if (!Number.isFinite(size)) {
        yield { id, bytes: undefined };
        continue;
      }
      const parts: Buffer[] = [];
      for (let left = size + 1; left > 0;) {
        if (held.length === 0) await more();
        const part = held.subarray(0, left);
        if (size <= LIMITS.lockfileBytes) parts.push(part);
        left -= part.length;
        held = held.subarray(part.length);
      }
      yield { id, bytes: size <= LIMITS.lockfileBytes ? Buffer.concat(parts).subarray(0, size) : undefined };
    }
  } finally {
    child.kill();
  }
}

/** Whether an object id stands for a file. */
export function isThere(id: string): boolean {
  return !/^0+$/.test(id);
}
