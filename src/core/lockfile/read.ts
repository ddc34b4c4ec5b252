/** One door to every lockfile format: `readLockfile` chooses by the file's name, then by its content. Never throws on content. */
import { LIMITS } from "../base/limits.ts";
import { looksLikeBunBinary, readBunBinary } from "./bun-binary.ts";
import { readBun } from "./bun.ts";
import { readDeno } from "./deno.ts";
import type { Place, Reader } from "./document.ts";
import { giveUp, openReader, report, reportAt } from "./document.ts";
import { readJson } from "./json.ts";
import { readNpm } from "./npm.ts";
import { readPlainNpm } from "./npm-plain.ts";
import { readPnpm } from "./pnpm.ts";
import type { LockfileKind, ResolvedTree } from "./tree.ts";
import { readYaml } from "./yaml.ts";
import { looksLikeYarnBerry, readYarnBerry } from "./yarn-berry.ts";
import { looksLikeYarnClassic, readYarnClassic } from "./yarn-classic.ts";

/** File names clients give their lockfiles; `.package-lock.json` and `lock.yaml` stand inside `node_modules`. */
export const LOCKFILE_NAMES: Readonly<Record<string, LockfileKind>> = {
  "package-lock.json": "package-lock",
  "npm-shrinkwrap.json": "npm-shrinkwrap",
  ".package-lock.json": "npm-hidden",
  "pnpm-lock.yaml": "pnpm",
  "lock.yaml": "pnpm",
  "yarn.lock": "yarn-classic",
  "bun.lock": "bun",
  "bun.lockb": "bun-binary",
  "deno.lock": "deno",
};

/** Reads a lockfile from its bytes or its text. `path` is kept as given; its last part helps to tell the format. */
export function readLockfile(path: string, content: string | Uint8Array): ResolvedTree {
  const { kind, version, packages, importers, problems, complete } = readDocument(path, content);
  return { kind, version, path, packages, importers, problems, complete };
}

/** Reads text of a known format, noting the places of its URLs for those who edit it. */
export function readAs(kind: LockfileKind, text: string, places: Place[]): Reader {
  const reader = openReader(kind, "", text, places);
  readText(reader);
  return reader;
}

function readDocument(path: string, content: string | Uint8Array): Reader {
  if (content.length > LIMITS.lockfileBytes) return unreadable(path, "too-large", `larger than ${LIMITS.lockfileBytes} bytes`);
  if (typeof content !== "string" && looksLikeBunBinary(content)) {
    const reader = openReader("bun-binary", path, "");
    readBunBinary(reader, content);
    return reader;
  }
  const text = typeof content === "string" ? content : decode(content);
  if (text === undefined) {
    if (kindByName(path) === "bun-binary") return unreadable(path, "unknown-format", "the file does not begin as a bun.lockb does");
    return unreadable(path, "syntax", "the file is not UTF-8");
  }
  const reader = openReader(chooseKind(path, text), path, text);
  readText(reader);
  return reader;
}

function unreadable(path: string, code: "too-large" | "syntax" | "unknown-format", message: string): Reader {
  const reader = openReader(kindByName(path) ?? "unknown", path, "");
  reader.complete = false;
  reportAt(reader, code, { line: 1, column: 1 }, message);
  return reader;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // The mark is kept: positions and edits count it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function readText(reader: Reader): void {
  switch (reader.kind) {
    case "unknown":
    case "bun-binary":
      giveUp(reader, "unknown-format", 0, "this is no lockfile cordon knows");
      break;
    case "yarn-classic":
      readYarnClassic(reader);
      break;
    case "pnpm":
    case "yarn-berry":
      reader.allText = reader.kind === "yarn-berry";
      readYaml(reader);
      if (reader.tape.roots.length > 0) (reader.kind === "pnpm" ? readPnpm : readYarnBerry)(reader);
      break;
    default:
      // Who edits needs the place of every URL.
      if (NPM.has(reader.kind) && reader.places === undefined && readPlainNpm(reader)) break;
      readJson(reader, reader.kind === "bun");
      if (reader.tape.roots.length > 0) READ_JSON[reader.kind](reader);
  }
  // No grammar has these lines, so only a file that could not be read can hold them.
  if (!reader.complete) reportConflicts(reader);
}

const NPM: ReadonlySet<LockfileKind> = new Set(["package-lock", "npm-shrinkwrap", "npm-hidden"]);
const npm = (reader: Reader): void => readNpm(reader, reader.tape.roots[0]!);
const READ_JSON = { "package-lock": npm, "npm-shrinkwrap": npm, "npm-hidden": npm, bun: readBun, deno: readDeno } as const;

// --- which format ---------------------------------------------------------------------------------------------------------------------------

function kindByName(path: string): LockfileKind | undefined {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return Object.hasOwn(LOCKFILE_NAMES, name) ? LOCKFILE_NAMES[name] : undefined;
}

/** The name decides, except that yarn's two formats share one; a file of another name is known by what it says. */
function chooseKind(path: string, text: string): LockfileKind {
  const named = kindByName(path);
  if (named === "yarn-classic") return looksLikeYarnBerry(text) && !looksLikeYarnClassic(text) ? "yarn-berry" : "yarn-classic";
  if (named !== undefined) return named;
  if (looksLikeYarnClassic(text)) return "yarn-classic";
  if (looksLikeYarnBerry(text)) return "yarn-berry";
  if (/^(?:\ufeff)?\s*\{/.test(text)) return kindOfJson(text);
  return /^lockfileVersion:/m.test(text) ? "pnpm" : "unknown";
}

function kindOfJson(text: string): LockfileKind {
  const version = /"lockfileVersion"\s*:\s*\d/.test(text);
  if (version && /"workspaces"\s*:\s*\{/.test(text) && /"packages"\s*:\s*\{\s*(?:\}|"[^"]*"\s*:\s*\[)/.test(text)) return "bun";
  if (version) return "package-lock";
  if (/"version"\s*:\s*"[1-9]"/.test(text.slice(0, 200))) return "deno";
  return /"dependencies"\s*:\s*\{/.test(text) ? "npm-shrinkwrap" : "unknown";
}

/** git's markers stand at the start of a line; a file with them is two files. */
function reportConflicts(reader: Reader): void {
  const { text } = reader;
  for (const marker of ["<<<<<<<", ">>>>>>>"])
    for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + 7))
      if ((at === 0 || text[at - 1] === "\n") && text[at + 7] === " ")
        report(reader, "conflict-markers", at, `a merge conflict is unresolved here: ${text.slice(at, at + 60).split("\n")[0]!}`);
}
