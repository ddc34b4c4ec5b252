/**
 * Lockfiles around a run: what they were, what they are pointed at while the client runs (yarn 1 and others fetch from the host a lockfile
 * names), and giving them back so that none names the gate. What a kill leaves behind is repaired at the next start.
 */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { readText, writeText } from "./files.ts";
import { type Journal, type JournalEntry, isOwned } from "./journal.ts";

export type LockfileText = {
  /** Absolute. */
  readonly path: string;
  /** Undefined = there is none. */
  readonly text: string | undefined;
};

/** Takes the gate out of a lockfile the client wrote. `before` is its text before the run. Undefined = nothing to change. */
export type Normalise = (file: {
  readonly path: string;
  readonly before: string | undefined;
  readonly now: string;
  readonly gate: string;
  readonly upstream: string | undefined;
}) => string | undefined;

export type LockfileOutcome = {
  readonly path: string;
  /**
   * `unchanged`: as it was. `restored`: the exact bytes of before. `written`: the client wrote it and the gate was not in it.
   * `normalised`: the client wrote it and the gate was taken out. `removed`: the client deleted it.
   * `edited`: changed by someone since and left alone; `text` is what it was before the run.
   */
  readonly result: "unchanged" | "restored" | "written" | "normalised" | "removed" | "edited";
  readonly text?: string;
};

/** Reads lockfiles as they are. Fault INPUT_TOO_LARGE or INPUT_UNREADABLE for one that is no readable file. */
export function readLockfiles(files: readonly string[]): readonly LockfileText[] {
  return files.map((file) => ({ path: file, text: readText(file, LIMITS.lockfileBytes) }));
}

/** Which of the files a living run has pointed at its gate. */
export function lockfilesInHand(journal: Journal, paths: readonly string[]): readonly string[] {
  const taken = new Set(
    journal
      .list("run")
      .filter(isOwned)
      .flatMap((entry) => entry.files.filter((file) => file.after !== undefined).map((file) => file.path)),
  );
  return paths.filter((file) => taken.has(file));
}

/**
 * Begins a run: remembers every lockfile and writes those in `edits` (the text to use while the client runs, by path).
 * `busy` names lockfiles another living run has in hand; then nothing was begun.
 */
export function beginRun(
  journal: Journal,
  request: {
    readonly root: string;
    readonly gate: string;
    readonly upstream?: string;
    readonly lockfiles: readonly LockfileText[];
    readonly edits: ReadonlyMap<string, string>;
    readonly now: Instant;
  },
): { readonly entry: JournalEntry } | { readonly busy: readonly string[] } {
  const busy = lockfilesInHand(
    journal,
    request.lockfiles.map((file) => file.path),
  );
  if (busy.length > 0) return { busy };
  const entry = journal.write({
    kind: "run",
    created: request.now,
    root: request.root,
    gate: request.gate,
    ...(request.upstream !== undefined && { upstream: request.upstream }),
    files: request.lockfiles.map((file) => {
      const after = request.edits.get(file.path);
      return { path: file.path, ...(file.text !== undefined && { before: file.text }), ...(after !== undefined && { after }) };
    }),
  });
  for (const file of entry.files) if (file.after !== undefined) writeText(file.path, file.after);
  return { entry };
}

/** Ends a run. The journal forgets it only when every file is done. */
export function finishRun(journal: Journal, entry: JournalEntry, normalise: Normalise): readonly LockfileOutcome[] {
  const outcomes = entry.files.map((file): LockfileOutcome => settle(entry, file, normalise) ?? { path: file.path, result: "written" });
  journal.remove(entry);
  return outcomes;
}

/**
 * Repairs what runs left behind that were killed. Only files that are as cordon wrote them, or still name the gate, are touched;
 * one that someone edited since is reported and its journal entry dropped.
 */
export function repairRuns(journal: Journal, normalise: Normalise): readonly LockfileOutcome[] {
  return journal
    .list("run")
    .filter((entry) => !isOwned(entry))
    .flatMap((entry) => {
      const outcomes = entry.files.flatMap((file): LockfileOutcome[] => {
        // Its folder may be gone with the project.
        if (!fs.existsSync(path.dirname(file.path))) return [];
        const outcome = settle(entry, file, normalise);
        if (outcome) return outcome.result === "unchanged" ? [] : [outcome];
        if (file.after === undefined) return [];
        return [{ path: file.path, result: "edited", ...(file.before !== undefined && { text: file.before }) }];
      });
      journal.remove(entry);
      return outcomes;
    });
}

/** Undefined when the file was changed by others and does not name the gate. */
function settle(entry: JournalEntry, file: JournalEntry["files"][number], normalise: Normalise): LockfileOutcome | undefined {
  const now = readText(file.path, LIMITS.lockfileBytes);
  if (now === file.before) return { path: file.path, result: "unchanged" };
  if (now === undefined) return { path: file.path, result: "removed" };
  if (file.after !== undefined && now === file.after) {
    if (file.before === undefined) fs.rmSync(file.path, { force: true });
    else writeText(file.path, file.before);
    return { path: file.path, result: "restored" };
  }
  const normalised = normalise({ path: file.path, before: file.before, now, gate: entry.gate, upstream: entry.upstream });
  if (normalised === undefined || normalised === now) return undefined;
  writeText(file.path, normalised);
  return { path: file.path, result: normalised === file.before ? "restored" : "normalised" };
}
