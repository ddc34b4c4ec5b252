/**
 * Lockfiles as git remembers them: on every branch and tag, in every stash and reflog. Git is only asked; it runs nothing a repository
 * configures and fetches nothing that is missing.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, instant, iso } from "../../core/base/time.ts";
import { counted } from "../../core/interchange/words.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { codeOf, isWithin, tryReadText } from "../host/files.ts";
import { git, gitCall } from "../host/git.ts";
import { type LockfileHit as Hit, readWatched } from "./lockfile.ts";
import { giveWay, type Reading } from "./reading.ts";

/** One lockfile changed by one commit. Blobs are object ids; all zeros where there is none. */
type Change = { readonly commit: string; readonly at: Instant; readonly path: string; readonly before: string; readonly after: string };

/** Names of lockfiles that are committed; `lock.yaml` alone is anybody's. */
const NAMES = Object.keys(LOCKFILE_NAMES).filter((name) => name !== "lock.yaml");

export async function readHistory(reading: Reading, place: string): Promise<void> {
  const missing = (what: string): void => reading.see({ kind: "missing", place, what });
  try {
    if (!isOwnRepository(reading, place))
      return missing(
        `its history is kept in ${gitFolder(place) ?? "a place its .git does not name"}, outside of what is read; name that folder too`,
      );
    reading.tell(`${place} (history)`);
    const ask = async (...args: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await git(place, reading.surroundings.env, args);
      if (status !== 0) throw new Fault("INPUT_UNREADABLE", stderr.split("\n")[0] ?? `git ${args[0]} failed`);
      return stdout.toString("utf8");
    };
    if ((await ask("rev-parse", "--is-shallow-repository")).trim() === "true") {
      const oldest = Math.min(
        ...(await ask("rev-list", "--all", "--max-parents=0", "--timestamp"))
          .split("\n")
          .flatMap((line) => Number.parseInt(line, 10) || []),
      );
      missing(
        `shallow clone: nothing before ${Number.isFinite(oldest) ? iso(instant(oldest * 1_000)).slice(0, 10) : "its cut"} to look at`,
      );
    }
    const changes = readLog(
      await ask(
        "log",
        "--all",
        "--reflog",
        "--full-history",
        "--no-renames",
        "--diff-merges=separate",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-ext-diff",
        "--no-textconv",
        "--format=%x01%H %ct",
        "--",
        ...NAMES.map((name) => `:(glob)**/${name}`),
      ),
    );
    const { hits, gaps } = await readBlobs(reading, place, changes);
    for (const gap of gaps) missing(gap);
    for (const found of await liveSpans(changes, hits, ask))
      reading.see({ kind: "package", place, form: "history", ...found, file: path.join(place, found.file) });
    reading.see({
      kind: "looked",
      place,
      what: `no state of its lockfiles in git names them (${counted(new Set(changes.map(({ commit }) => commit)).size, "commit")})`,
    });
  } catch (error) {
    missing(`git history: ${codeOf(error)}`);
  }
}

/** A bare repository: a mirror, or what a server keeps. */
export function isBareRepository(names: ReadonlySet<string>): boolean {
  return names.has("HEAD") && names.has("objects") && names.has("refs") && !names.has(".git");
}

/** A worktree or submodule keeps its repository elsewhere; elsewhere must be something that is read anyway. */
function isOwnRepository({ roots }: Reading, place: string): boolean {
  const folder = gitFolder(place);
  if (folder === undefined) return isBareRepository(new Set(fs.readdirSync(place)));
  return path.join(place, ".git") === folder || roots.some((root) => isWithin(root, folder));
}

function gitFolder(place: string): string | undefined {
  const file = path.join(place, ".git");
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return file;
  const text = stat?.isFile() ? tryReadText(file, LIMITS.configBytes) : undefined;
  const named = typeof text === "string" ? /^gitdir:\s*(.+)$/m.exec(text)?.[1]?.trim() : undefined;
  return named === undefined ? undefined : path.resolve(place, named);
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

/** What the lockfiles behind these object ids name, each read once and none kept. */
async function readBlobs(
  reading: Reading,
  place: string,
  changes: readonly Change[],
): Promise<{ readonly hits: ReadonlyMap<string, readonly Hit[]>; readonly gaps: readonly string[] }> {
  const hits = new Map<string, readonly Hit[]>();
  const gaps: string[] = [];
  const files = new Map<string, string>();
  for (const { path: file, before, after } of changes) for (const id of [before, after]) if (!/^0+$/.test(id)) files.set(id, file);
  const ids = [...files.keys()];
  if (ids.length > LIMITS.historyBlobs)
    gaps.push(`git history: only the newest ${LIMITS.historyBlobs} of ${ids.length} states of its lockfiles were read`);
  for await (const { id, bytes } of objects(reading, place, ids.slice(0, LIMITS.historyBlobs))) {
    const file = files.get(id)!;
    if (bytes === undefined) {
      gaps.push(`git history: a state of ${file} is not in this clone (${id.slice(0, 12)})`);
      continue;
    }
    reading.counts.files += 1;
    const found = readWatched(reading, file, bytes);
    if (found.hits.length > 0) hits.set(id, found.hits);
    if (found.why !== undefined) gaps.push(`git history: a state of ${file} could not be read whole (${id.slice(0, 12)})`);
    await giveWay();
  }
  return { hits, gaps };
}

/** Objects in turn through one `git cat-file --batch`; bytes are absent for one that is missing or larger than a lockfile may be. */
async function* objects(
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

/** For each poisoned version: from which commit to which it stood in a lockfile, and on which branches. */
async function liveSpans(
  changes: readonly Change[],
  hits: ReadonlyMap<string, readonly Hit[]>,
  ask: (...args: readonly string[]) => Promise<string>,
): Promise<readonly (Hit & { readonly file: string; readonly at: Instant })[]> {
  const has = (id: string, { name, version }: Hit): boolean =>
    (hits.get(id) ?? []).some((one) => one.name === name && one.version === version);
  const found = new Map<string, Hit & { readonly file: string; readonly at: Instant }>();
  const main = await defaultBranch(ask);
  const stashed = await stashCommits(ask);
  for (const change of changes.toSorted((a, b) => a.at - b.at))
    for (const hit of hits.get(change.after) ?? []) {
      if (has(change.before, hit) || found.size >= LIMITS.historySpans) continue;
      const key = `${change.path} ${hit.name}@${hit.version} ${change.commit}`;
      if (found.has(key)) continue;
      const end = await endOf(change, hit, changes, has, ask);
      const refs = (await ask("for-each-ref", "--contains", change.commit, "--format=%(refname:short)"))
        .split("\n")
        .filter((ref) => ref !== "" && !isPointer(ref));
      const where = stashed.has(change.commit)
        ? "in a stash"
        : refs.length === 0
          ? "on no branch any more, only in the reflog"
          : branchText(refs, main);
      const until =
        end === undefined ? "and was never taken back there" : `to ${end.commit.slice(0, 7)} (${minute(change.at)} – ${minute(end.at)})`;
      const notes = [
        where,
        `from ${change.commit.slice(0, 7)}${end === undefined ? ` (${minute(change.at)})` : ""} ${until}`,
        ...(hit.note === undefined ? [] : [hit.note]),
      ];
      const { line: _line, ...rest } = hit;
      found.set(key, { ...rest, file: change.path, at: change.at, note: notes.join(", ") });
    }
  return [...found.values()];
}

/** The first commit after `from`, on its own line of descent, that took the version out again. */
async function endOf(
  from: Change,
  hit: Hit,
  changes: readonly Change[],
  has: (id: string, hit: Hit) => boolean,
  ask: (...args: readonly string[]) => Promise<string>,
): Promise<Change | undefined> {
  const ends = changes
    .filter((one) => one.path === from.path && one.at >= from.at && has(one.before, hit) && !has(one.after, hit))
    .toSorted((a, b) => a.at - b.at);
  for (const end of ends.slice(0, 20)) if ((await ask("rev-list", "-1", `${end.commit}..${from.commit}`)).trim() === "") return end;
  return undefined;
}

/** A stash is a commit with two or three parents: what was checked out, the index, and what git did not track. Older ones have no ref. */
async function stashCommits(ask: (...args: readonly string[]) => Promise<string>): Promise<ReadonlySet<string>> {
  if ((await ask("for-each-ref", "refs/stash")) === "") return new Set();
  const lines = (await ask("log", "--walk-reflogs", "--format=%H %P", "refs/stash")).split("\n");
  return new Set(lines.flatMap((line) => line.split(" ").filter((_commit, i) => i !== 1)));
}

/** `origin/HEAD` only says which of the others is the usual one. */
function isPointer(ref: string): boolean {
  return /^[^/]+\/HEAD$/.test(ref);
}

async function defaultBranch(ask: (...args: readonly string[]) => Promise<string>): Promise<string | undefined> {
  const refs = (await ask("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes")).split("\n");
  return ["main", "master", "origin/main", "origin/master", "trunk", "develop"].find((name) => refs.includes(name));
}

function branchText(refs: readonly string[], main: string | undefined): string {
  const shown = refs.slice(0, 3);
  const more = refs.length > shown.length ? ` and ${refs.length - shown.length} more` : "";
  return `${shown.join(", ")}${more}${main === undefined || refs.includes(main) ? "" : `, never on ${main}`}`;
}

function minute(at: Instant): string {
  return `${iso(at).slice(0, 10)} ${iso(at).slice(11, 16)}`;
}
