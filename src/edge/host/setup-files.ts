/** The files `cordon setup` writes, and what it remembers to take them back. Texts are exact: what is not UTF-8 is not touched. */
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { FileEdit } from "../../core/client/client.ts";
import { SETUP_FILES } from "../../core/client/setup.ts";
import { MARK_FILES, type ProjectMarks } from "../../core/client/uses.ts";
import { codeOf, isWithin, tryReadText, writeText } from "./files.ts";
import { type Journal, type JournalEntry, openJournal } from "./journal.ts";
import type { Surroundings } from "./places.ts";
import { findProject, isBerryLockfile } from "./project.ts";

type FileText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly why: string };

type SetupFile = (typeof SETUP_FILES)[number];
type Place = { readonly root: string; readonly files: Readonly<Partial<Record<SetupFile, string>>>; readonly name: string };

/** The project a command started in `directory` works on. */
export function projectPlace(directory: string): Place & { readonly marks: ProjectMarks } {
  const { root } = findProject(directory);
  const manifest = manifestOf(root);
  return {
    root,
    files: Object.fromEntries(SETUP_FILES.map((name) => [name, name])),
    marks: {
      files: MARK_FILES.filter((name) => fs.existsSync(path.join(root, name))),
      berryLockfile: isBerryLockfile(path.join(root, "yarn.lock")),
      ...(typeof manifest["packageManager"] === "string" && { packageManager: manifest["packageManager"] }),
    },
    name: typeof manifest["name"] === "string" ? manifest["name"] : path.basename(root),
  };
}

/** The user's own files; yarn and bun read theirs from the home, npm's may be named elsewhere. */
export function userPlace({ env, home }: Surroundings, user: string): Place {
  const npmrc = env["npm_config_userconfig"] ?? env["NPM_CONFIG_USERCONFIG"] ?? path.join(home, ".npmrc");
  const files = {
    ".npmrc": path.relative(home, npmrc),
    ".yarnrc": ".yarnrc",
    ".yarnrc.yml": ".yarnrc.yml",
    "bunfig.toml": path.relative(home, path.join(env["XDG_CONFIG_HOME"] ?? home, ".bunfig.toml")),
  };
  return { root: home, files, name: user };
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
  const file = path.join(root, name);
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeText(file, text);
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `${file} cannot be written (${codeOf(error)})`, error);
  }
}

export function removeFile(root: string, name: string): void {
  fs.rmSync(path.join(root, name), { force: true });
}

type SetupJournal = { readonly gate: string; readonly edits: readonly FileEdit[] };

/** What can be taken back in this project; undefined when there is nothing. */
export function readSetup(dataDir: string, root: string): SetupJournal | undefined {
  // The newest one holds everything; an older one beside it is left from a run that was cut short.
  const entry = entriesOf(openJournal(dataDir), root).at(-1);
  if (!entry) return undefined;
  const edits = entry.files.flatMap(({ path: file, before, after }) =>
    after === undefined ? [] : [{ path: path.relative(root, file), before, after }],
  );
  return { gate: entry.gate, edits };
}

/** Takes the place of what was remembered for this project; no edits, no memory. */
export function writeSetup(dataDir: string, root: string, { gate, edits }: SetupJournal, now: Instant): void {
  const journal = openJournal(dataDir);
  const earlier = entriesOf(journal, root);
  if (edits.length > 0) {
    const files = edits.map(({ path: name, before, after }) => ({
      path: path.join(root, name),
      after,
      ...(before !== undefined && { before }),
    }));
    journal.write({ kind: "setup", created: now, root, gate, files });
  }
  for (const entry of earlier) journal.remove(entry);
}

function entriesOf(journal: Journal, root: string): readonly JournalEntry[] {
  return journal.list("setup").filter((entry) => entry.root === root);
}
