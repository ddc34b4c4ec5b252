/**
 * Lockfiles as git remembers them: on every branch and tag, in every stash and reflog. Git is only asked; it runs nothing a repository
 * configures and fetches nothing that is missing.
 */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, instant, iso } from "../../core/base/time.ts";
import { counted } from "../../core/interchange/words.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { codeOf, isWithin, tryReadText } from "../host/files.ts";
import { type Ask, asker, type Change, changesOf, isThere, objects } from "./git-log.ts";
import { readManifestHistory } from "./git-manifests.ts";
import { type LockfileHit as Hit, readWatched } from "./lockfile.ts";
import type { Since } from "./manifest.ts";
import { giveWay, type Reading } from "./reading.ts";

/** Names of lockfiles that are committed; `lock.yaml` alone is anybody's. */
const LOCKFILES = Object.keys(LOCKFILE_NAMES).flatMap((name) => (name === "lock.yaml" ? [] : [`:(glob)**/${name}`]));

/** `locked`: a lockfile lies there now. Gives what git knows of manifests' ranges where there never was one. */
export async function readHistory(reading: Reading, place: string, locked: boolean): Promise<Since> {
  const missing = (what: string): void => reading.see({ kind: "missing", place, what });
  const unknown: Since = () => undefined;
  try {
    if (!isOwnRepository(reading, place)) {
      missing(
        `its history is kept in ${gitFolder(place) ?? "a place its .git does not name"}, outside of what is read; name that folder too`,
      );
      return unknown;
    }
    reading.tell(`${place} (history)`);
    const ask = asker(reading, place);
    const shallow = (await ask("rev-parse", "--is-shallow-repository")).trim() === "true";
    if (shallow) {
      const oldest = Math.min(
        ...(await ask("rev-list", "--all", "--max-parents=0", "--timestamp"))
          .split("\n")
          .flatMap((line) => Number.parseInt(line, 10) || []),
      );
      missing(
        `shallow clone: nothing before ${Number.isFinite(oldest) ? iso(instant(oldest * 1_000)).slice(0, 10) : "its cut"} to look at`,
      );
    }
    const changes = await changesOf(ask, LOCKFILES);
    const { hits, gaps } = await readBlobs(reading, place, changes);
    for (const gap of gaps) missing(gap);
    for (const found of await liveSpans(changes, hits, ask))
      reading.see({ kind: "package", place, form: "history", ...found, file: path.join(place, found.file) });
    if (gitFolder(place) !== undefined) await readStaged(reading, place, changes, ask);
    const commits = new Set(changes.map(({ commit }) => commit)).size;
    const looked =
      commits === 0 ? "no commit has a lockfile" : `no state of its lockfiles in git names them (${counted(commits, "commit")})`;
    reading.see({ kind: "looked", place, what: looked });
    return commits > 0 || locked || shallow ? unknown : await readManifestHistory(reading, place, ask);
  } catch (error) {
    missing(`git history: ${codeOf(error)}`);
    return unknown;
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

/** What the lockfiles behind these object ids name, each read once and none kept. */
async function readBlobs(
  reading: Reading,
  place: string,
  changes: readonly Change[],
): Promise<{ readonly hits: ReadonlyMap<string, readonly Hit[]>; readonly gaps: readonly string[] }> {
  const hits = new Map<string, readonly Hit[]>();
  const gaps: string[] = [];
  const files = new Map<string, string>();
  for (const { path: file, before, after } of changes) for (const id of [before, after]) if (isThere(id)) files.set(id, file);
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

/** Lockfiles that were added to the index and never committed. */
async function readStaged(reading: Reading, place: string, changes: readonly Change[], ask: Ask): Promise<void> {
  const committed = new Set(changes.map(({ after }) => after));
  const staged = new Map<string, string>();
  // `<mode> <object> <stage>\t<path>`
  for (const entry of (await ask("ls-files", "--stage", "-z", "--", ...LOCKFILES)).split("\0")) {
    const [, id, file] = /^\d+ ([0-9a-f]{40,64}) \d\t([^]+)$/.exec(entry) ?? [];
    if (id !== undefined && file !== undefined && !committed.has(id)) staged.set(id, file);
  }
  for await (const { id, bytes } of objects(reading, place, [...staged.keys()])) {
    if (bytes === undefined) continue; // the file itself is read where it lies
    for (const { line: _line, note, ...hit } of readWatched(reading, staged.get(id)!, bytes).hits)
      reading.see({
        kind: "package",
        place,
        form: "history",
        file: path.join(place, staged.get(id)!),
        ...hit,
        note: ["staged, in no commit", note].filter(Boolean).join(", "),
      });
  }
}

/** For each poisoned version: from which commit to which it stood in a lockfile, and on which branches. */
async function liveSpans(
  changes: readonly Change[],
  hits: ReadonlyMap<string, readonly Hit[]>,
  ask: Ask,
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
      const since = `from ${change.commit.slice(0, 7)}`;
      const span = stashed.has(change.commit)
        ? `in a stash, ${since} (${minute(change.at)})`
        : `${refs.length > 0 ? branchText(refs, main) : await unnamed(change.commit, ask)}, ${since}${spanText(change, end)}`;
      const { line: _line, ...rest } = hit;
      found.set(key, { ...rest, file: change.path, at: change.at, note: [span, ...(hit.note === undefined ? [] : [hit.note])].join(", ") });
    }
  return [...found.values()];
}

function spanText({ at }: Change, end: Change | undefined): string {
  if (end === undefined) return ` (${minute(at)}) and was never taken back there`;
  return ` to ${end.commit.slice(0, 7)} (${minute(at)} – ${minute(end.at)})`;
}

/** Where a commit is that no branch or tag holds. */
async function unnamed(commit: string, ask: Ask): Promise<string> {
  const head = await ask("rev-parse", "--verify", "--quiet", "HEAD").catch(() => ""); // nothing was committed there yet
  const held = head !== "" && (await ask("rev-list", "-1", commit, `^${head.trim()}`)).trim() === "";
  return held ? "checked out, on no branch" : "on no branch any more, only in the reflog";
}

/** The first commit after `from`, on its own line of descent, that took the version out again. */
async function endOf(
  from: Change,
  hit: Hit,
  changes: readonly Change[],
  has: (id: string, hit: Hit) => boolean,
  ask: Ask,
): Promise<Change | undefined> {
  const ends = changes
    .filter((one) => one.path === from.path && one.at >= from.at && has(one.before, hit) && !has(one.after, hit))
    .toSorted((a, b) => a.at - b.at);
  for (const end of ends.slice(0, 20)) if ((await ask("rev-list", "-1", `${end.commit}..${from.commit}`)).trim() === "") return end;
  return undefined;
}

/** A stash is a commit with two or three parents: what was checked out, the index, and what git did not track. Older ones have no ref. */
async function stashCommits(ask: Ask): Promise<ReadonlySet<string>> {
  if ((await ask("for-each-ref", "refs/stash")) === "") return new Set();
  const lines = (await ask("log", "--walk-reflogs", "--format=%H %P", "refs/stash")).split("\n");
  return new Set(lines.flatMap((line) => line.split(" ").filter((_commit, i) => i !== 1)));
}

/** `origin/HEAD` only says which of the others is the usual one. */
function isPointer(ref: string): boolean {
  return /^[^/]+\/HEAD$/.test(ref);
}

async function defaultBranch(ask: Ask): Promise<string | undefined> {
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
