/**
 * The files `cordon setup` writes and the journal it can be taken back from. Texts are exact: what is not UTF-8 is not touched. The
 * journal holds copies of settings files, which may hold tokens, so only its owner may read it.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { FileEdit } from "../../core/client/client.ts";
import { MARK_FILES, type ProjectMarks } from "../../core/client/uses.ts";
import { codeOf, isWithin, tryReadText, writeText } from "./files.ts";
import { findProject, isBerryLockfile } from "./project.ts";

type FileText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly why: string };

export type ProjectFolder = { readonly root: string; readonly marks: ProjectMarks; readonly name: string };

/** The project a command started in `directory` works on. */
export function projectFolder(directory: string): ProjectFolder {
  const { root } = findProject(directory);
  const manifest = manifestOf(root);
  return {
    root,
    marks: {
      files: MARK_FILES.filter((name) => fs.existsSync(path.join(root, name))),
      berryLockfile: isBerryLockfile(path.join(root, "yarn.lock")),
      ...(typeof manifest["packageManager"] === "string" && { packageManager: manifest["packageManager"] }),
    },
    name: typeof manifest["name"] === "string" ? manifest["name"] : path.basename(root),
  };
}

/** A manifest that cannot be read has no name; the client itself will complain about it. */
function manifestOf(root: string): Readonly<Record<string, unknown>> {
  const text = tryReadText(path.join(root, "package.json"), LIMITS.manifestBytes);
  if (typeof text !== "string") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function readExact(root: string, name: string): FileText {
  const file = path.join(root, name);
  try {
    // A link in a cloned repository could lead to any file of the user's.
    if (fs.lstatSync(file).isSymbolicLink() && !isWithin(fs.realpathSync(root), fs.realpathSync(file)))
      return { kind: "unusable", why: "a link out of the project" };
    const stat = fs.statSync(file);
    if (!stat.isFile()) return { kind: "unusable", why: "not a regular file" };
    if (stat.size > LIMITS.configBytes) return { kind: "unusable", why: `larger than ${LIMITS.configBytes} bytes` };
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(file)) };
  } catch (error) {
    if (error instanceof TypeError) return { kind: "unusable", why: "not UTF-8" };
    const code = codeOf(error);
    // A dangling link is no absent file: writing would make a file somewhere else.
    if (code === "ENOENT" && !isLink(file)) return { kind: "absent" };
    return { kind: "unusable", why: code };
  }
}

function isLink(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

export function writeExact(root: string, name: string, text: string): void {
  try {
    writeText(path.join(root, name), text);
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `${path.join(root, name)} cannot be written (${codeOf(error)})`, error);
  }
}

export function removeFile(root: string, name: string): void {
  fs.rmSync(path.join(root, name), { force: true });
}

/** Fault INPUT_UNREADABLE when the journal is damaged: what stood in the files before is then not known. */
export function readJournal(dataDir: string, root: string): readonly FileEdit[] {
  const file = journalOf(dataDir, root);
  const text = tryReadText(file, LIMITS.journalBytes);
  if (text === undefined) return [];
  const edits = typeof text === "string" ? parseJournal(text) : undefined;
  if (!edits) throw new Fault("INPUT_UNREADABLE", `${file} is not a journal of cordon setup`);
  return edits;
}

export function writeJournal(dataDir: string, root: string, edits: readonly FileEdit[]): void {
  const file = journalOf(dataDir, root);
  if (edits.length === 0) return fs.rmSync(file, { force: true });
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // JSON has no undefined: null is a file that was not there.
  const entries = edits.map(({ path: name, before, after }) => ({ path: name, before: before ?? null, after }));
  const mask = process.umask(0o077);
  try {
    writeText(file, `${JSON.stringify({ schema: "cordon.setup-journal/1", root, edits: entries })}\n`);
  } finally {
    process.umask(mask);
  }
}

/** One journal a project, named by a digest of its path. */
function journalOf(dataDir: string, root: string): string {
  return path.join(dataDir, "setup", `${createHash("sha256").update(root).digest("hex").slice(0, 32)}.json`);
}

function parseJournal(text: string): readonly FileEdit[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { schema, edits } = (value ?? {}) as { schema?: unknown; edits?: unknown };
  if (schema !== "cordon.setup-journal/1" || !Array.isArray(edits) || !edits.every(isEntry)) return undefined;
  return edits.map(({ path: name, before, after }) => ({ path: name, before: before ?? undefined, after }));
}

function isEntry(value: unknown): value is { path: string; before: string | null; after: string } {
  const { path: name, before, after } = (value ?? {}) as Readonly<Record<string, unknown>>;
  // The name is joined to the project's folder.
  const isName = typeof name === "string" && path.basename(name) === name && name !== "..";
  return isName && (before === null || typeof before === "string") && typeof after === "string";
}
