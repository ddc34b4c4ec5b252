/**
 * Remembers files cordon changes and must give back: lockfiles for the length of a run, settings files until `cordon setup --undo`.
 * An entry is on disk before the file is touched, so that a kill at any instant can be repaired. Trusted: yes; losable: no, an edited
 * lockfile would stay edited; rollback-safe: yes, a file that is not as the entry says is not overwritten.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { codeOf, readText, writeText } from "./files.ts";

export type JournalFile = {
  /** Absolute. */
  readonly path: string;
  /** Undefined = there was no such file. */
  readonly before?: string;
  /** What cordon wrote; undefined = the file is only watched, the client may write it. */
  readonly after?: string;
};

export type JournalEntry = {
  readonly format: 1;
  readonly id: string;
  readonly kind: "run" | "setup";
  readonly created: Instant;
  /** The project's root. */
  readonly root: string;
  /** Base URL of the gate the files were pointed at. */
  readonly gate: string;
  /** Of a run: base URL of the registry behind the gate, which the files name when it is over. */
  readonly upstream?: string;
  readonly files: readonly JournalFile[];
  /** The process that owns a run. */
  readonly owner: { readonly pid: number; readonly mark?: string };
};

export type Journal = {
  /** Durable when it returns. */
  write(entry: Omit<JournalEntry, "format" | "id" | "owner">): JournalEntry;
  /** Oldest first. An entry that cannot be read is a Fault: what it guards would be forgotten. */
  list(kind: JournalEntry["kind"]): readonly JournalEntry[];
  remove(entry: JournalEntry): void;
};

/** The journal under a data folder; made when it is first written. */
export function openJournal(dataFolder: string): Journal {
  const folder = path.join(dataFolder, "journal");
  const fileOf = (id: string): string => path.join(folder, `${id}.json`);
  return {
    write(given) {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      const id = `${String(given.created).padStart(15, "0")}-${randomBytes(6).toString("hex")}`;
      const mark = processMark(process.pid);
      const entry: JournalEntry = { ...given, format: 1, id, owner: { pid: process.pid, ...(mark !== undefined && { mark }) } };
      // Settings files may hold tokens.
      fs.writeFileSync(fileOf(id), "", { mode: 0o600, flag: "wx" });
      writeText(fileOf(id), JSON.stringify(entry));
      syncFolder(folder);
      return entry;
    },
    list(kind) {
      return names(folder)
        .map((name) => parseEntry(path.join(folder, name)))
        .filter((entry): entry is JournalEntry => entry?.kind === kind);
    },
    remove(entry) {
      fs.rmSync(fileOf(entry.id), { force: true });
    },
  };
}

/** True while the process that wrote the entry lives. A process that merely got the same number does not count. */
export function isOwned(entry: JournalEntry): boolean {
  if (entry.owner.pid === process.pid) return entry.owner.mark === processMark(process.pid);
  try {
    process.kill(entry.owner.pid, 0);
  } catch (error) {
    if (codeOf(error) !== "EPERM") return false;
  }
  return entry.owner.mark === undefined || entry.owner.mark === processMark(entry.owner.pid);
}

/** When the process started, in clock ticks since boot, with the boot's own id; undefined where the system does not say. */
function processMark(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in brackets and may hold anything; the start time is the twentieth behind it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${ticks}`;
  } catch {
    return undefined;
  }
}

function names(folder: string): readonly string[] {
  try {
    return fs
      .readdirSync(folder)
      .filter((name) => name.endsWith(".json") && !name.startsWith("."))
      .toSorted();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw new Fault("DATA_UNUSABLE", `the data directory cannot be read: ${folder}: ${codeOf(error)}`, error);
  }
}

/** Undefined for an entry that was begun and never filled: nothing was edited then. */
function parseEntry(file: string): JournalEntry | undefined {
  const text = readText(file, 4 * LIMITS.lockfileBytes);
  if (text === undefined || text === "") return undefined;
  try {
    const entry = JSON.parse(text) as JournalEntry;
    if (entry.format === 1 && Array.isArray(entry.files)) return entry;
  } catch {
    // Told below.
  }
  throw new Fault("STORE_BROKEN", `${file} is not a journal entry of this cordon`);
}

function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
