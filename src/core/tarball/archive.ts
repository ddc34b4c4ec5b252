/** A package's tarball from its bytes: every entry where a client puts it, and everything that is wrong with the archive. Never throws on content. */
import { LIMITS } from "../base/limits.ts";
import { gunzip, isGzip } from "./gunzip.ts";
import { type ArchiveProblem, readTar, type TarEntry } from "./tar.ts";

export type { ArchiveProblem } from "./tar.ts";

export type ArchiveFile = {
  /** Inside the package: without the first folder, as npm's `strip: 1` leaves it. The same path twice is a problem, and both are here. */
  readonly path: string;
  readonly bytes: Uint8Array;
};

export type Archive = {
  readonly entries: readonly ArchiveFile[];
  readonly problems: readonly ArchiveProblem[];
  /** Sum of the files' sizes. */
  readonly unpacked: number;
};

export function readArchive(bytes: Uint8Array): Archive {
  const problems: ArchiveProblem[] = [];
  let tar = bytes;
  if (isGzip(bytes)) {
    const unpacked = gunzip(bytes);
    problems.push(...unpacked.problems);
    tar = unpacked.bytes;
    if (tar.length > LIMITS.archiveRatioBytes && tar.length > bytes.length * LIMITS.archiveRatio)
      problems.push({ problem: `it unpacks to ${Math.round(tar.length / bytes.length)} times its size`, grave: true });
  } else if (bytes.length >= 512 && bytes.length % 512 === 0) problems.push({ problem: "it is not compressed", grave: false });
  else return { entries: [], problems: [{ problem: "it is neither gzip nor tar", grave: true }], unpacked: 0 };

  const { entries, problems: wrong } = readTar(tar);
  problems.push(...wrong);
  const files = place(entries, problems);
  if (files.length === 0 && !problems.some(({ grave }) => grave)) problems.push({ problem: "it holds no file", grave: true });
  return {
    entries: files,
    problems: problems.slice(0, LIMITS.archiveProblems),
    unpacked: files.reduce((sum, file) => sum + file.bytes.length, 0),
  };
}

/** Puts entries where a client would, and says what it would not expect. */
function place(entries: readonly TarEntry[], problems: ArchiveProblem[]): readonly ArchiveFile[] {
  const files: ArchiveFile[] = [];
  const exact = new Map<string, ArchiveFile>();
  const folded = new Map<string, string>();
  const tops = new Set<string>();
  for (const entry of entries) {
    const parts = entry.name.split(/[/\\]+/).filter((part) => part !== "" && part !== ".");
    const wrong = nameProblem(entry.name, parts);
    if (wrong) problems.push({ ...wrong, path: entry.name });
    if (entry.type === "directory") continue;
    const path = parts.slice(1).join("/");
    if (entry.type === "device") problems.push({ problem: "an entry is a device", path: entry.name, grave: true });
    if (entry.target !== undefined) problems.push(linkProblem(entry, parts));
    if (entry.type !== "file") continue;
    if (path === "") {
      // Clients drop it; a reader that strips nothing would not.
      problems.push({ problem: "a file stands outside the package's folder", path: entry.name, grave: false });
      continue;
    }
    tops.add(parts[0]!);
    const file = { path, bytes: entry.data };
    const same = exact.get(path);
    const fold = path.normalize("NFKC").toLowerCase();
    const twin = folded.get(fold);
    if (same) {
      const differ = !equal(same.bytes, entry.data);
      problems.push({ problem: differ ? "two different files have one path" : "a file is there twice", path, grave: differ });
    } else if (twin !== undefined)
      problems.push({ problem: `it is ${twin} where case or accents do not count`, path, grave: DECIDING.has(fold) });
    else folded.set(fold, path);
    // The last copy is the one that stays on disk.
    exact.set(path, file);
    files.push(file);
  }
  if (tops.size > 1) problems.push({ problem: `it has ${tops.size} top folders: ${[...tops].slice(0, 5).join(", ")}`, grave: false });
  return files;
}

/** What clients read to decide what to run. */
const DECIDING: ReadonlySet<string> = new Set(["package.json", "binding.gyp", "npm-shrinkwrap.json"]);

// C0, DEL, C1; then what reorders or hides text. macOS names a folder's icon "Icon\r", and packages with one are in use.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const INVISIBLE = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

function nameProblem(name: string, parts: readonly string[]): { readonly problem: string; readonly grave: boolean } | undefined {
  if (name === "") return { problem: "an entry has no name", grave: true };
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) return { problem: "a path is absolute", grave: true };
  if (parts.includes("..")) return { problem: "a path leads upwards", grave: true };
  if (INVISIBLE.test(name)) return { problem: "a name holds characters that reorder text", grave: true };
  if (CONTROL.test(name.replace(/(?<=\/Icon)\r$/, ""))) return { problem: "a name holds control characters", grave: true };
  if (name.length > LIMITS.archivePathChars || parts.length > LIMITS.archivePathDepth)
    return { problem: "a path is too long", grave: true };
  if (name.includes("\\")) return { problem: "a name holds a backslash, which is a folder on Windows", grave: false };
  return undefined;
}

/** npm drops links, other clients make them. Grave when one leads out of the package. */
function linkProblem({ name, target = "", type }: TarEntry, parts: readonly string[]): ArchiveProblem {
  const from = type === "hard link" ? [] : parts.slice(0, -1);
  let depth = from.length;
  let outside = target.startsWith("/") || /^[A-Za-z]:|\\/.test(target);
  for (const part of target.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    // The first folder is the package's own.
    if (depth < 1) outside = true;
  }
  return { problem: `an entry is a ${type} to ${JSON.stringify(target.slice(0, 200))}`, path: name, grave: outside };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
