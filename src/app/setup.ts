/**
 * `cordon setup`: points a project's clients at a gate in each client's own file, and takes it back byte for byte. The journal is written
 * before the first file, so that a run that was cut short can be taken back too.
 */
import { Fault } from "../core/base/fault.ts";
import type { ClientId, FileEdit } from "../core/client/client.ts";
import { type Files, planSetup, planUndo, SETUP_FILES } from "../core/client/setup.ts";
import type { ProjectMarks } from "../core/client/uses.ts";

/** A file's exact text. `unusable`: it is there, and cordon must not write it (no UTF-8, a link out of the project, too large). */
export type FileText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly why: string };

export type SetupProject = {
  /** Where the project is; opaque here. */
  readonly root: string;
  readonly marks: ProjectMarks;
  /** What the project calls itself, else its folder's name. */
  readonly name: string;
};

export type SetupHost = {
  project(directory: string): Promise<SetupProject>;
  /** `path` is relative to the root, as in a `FileEdit`. */
  read(root: string, path: string): Promise<FileText>;
  /** Replaces or makes the file in one step, keeping its mode. */
  write(root: string, path: string, text: string): Promise<void>;
  remove(root: string, path: string): Promise<void>;
  /** What can be taken back; undefined when there is nothing. */
  remembered(dataDir: string, root: string): Promise<SetupMemory | undefined>;
  /** Durable when it resolves. Takes the place of what was remembered; no edits, no memory. */
  remember(dataDir: string, root: string, memory: SetupMemory): Promise<void>;
};

/** `gate` is the registry URL the files were pointed at last. */
export type SetupMemory = { readonly gate: string; readonly edits: readonly FileEdit[] };

export type SetupChange = {
  readonly edits: readonly FileEdit[];
  readonly problems: readonly { readonly path: string; readonly why: string }[];
};

/** What would be written; nothing is. `registry` is the URL clients get, with trailing slash. */
export async function considerSetup(host: SetupHost, root: string, clients: readonly ClientId[], registry: string): Promise<SetupChange> {
  const read = await readAll(host, root, SETUP_FILES);
  const unusable = [...read].flatMap(([path, file]) => (file.kind === "unusable" ? [{ path, why: file.why }] : []));
  const { edits, problems } = planSetup(clients, registry, textsOf(read));
  // A file that is there and cannot be read must not be taken for one that is not there yet.
  return { edits: edits.filter(({ path }) => read.get(path)?.kind !== "unusable"), problems: [...problems, ...unusable] };
}

/** Writes the edits. Fault EDITED_SINCE, with nothing written, when a file is not what the edits were made for. */
export async function applySetup(host: SetupHost, dataDir: string, root: string, { gate, edits }: SetupMemory): Promise<void> {
  const now = textsOf(
    await readAll(
      host,
      root,
      edits.map(({ path }) => path),
    ),
  );
  const moved = edits.find((edit) => now[edit.path] !== edit.before);
  if (moved) throw new Fault("EDITED_SINCE", `${moved.path} changed while this was shown; nothing was written`);
  const earlier = await host.remembered(dataDir, root);
  await host.remember(dataDir, root, { gate, edits: joined(earlier?.edits ?? [], edits) });
  for (const { path, after } of edits) await host.write(root, path, after);
}

/** A second set-up over an untouched first one goes back to what stood there before the first. */
function joined(earlier: readonly FileEdit[], edits: readonly FileEdit[]): readonly FileEdit[] {
  const paths = new Set(edits.map(({ path }) => path));
  const renewed = edits.map((edit) => {
    const first = earlier.find(({ path, after }) => path === edit.path && after === edit.before);
    return first ? { ...edit, before: first.before } : edit;
  });
  return [...earlier.filter(({ path }) => !paths.has(path)), ...renewed];
}

export type Undone = {
  readonly restored: readonly FileEdit[];
  /** Edited since; `now` is what stands there, undefined when the file is gone or cannot be read. Not touched. */
  readonly changed: readonly { readonly edit: FileEdit; readonly now: string | undefined }[];
};

/** Takes back what can be. What was edited since stays, and stays in the journal. */
export async function undoSetup(host: SetupHost, dataDir: string, root: string): Promise<Undone> {
  const memory = await host.remembered(dataDir, root);
  if (!memory) return { restored: [], changed: [] };
  const { gate, edits } = memory;
  const read = await readAll(
    host,
    root,
    edits.map(({ path }) => path),
  );
  const now = textsOf(read);
  const { restore, changed } = planUndo(edits.filter(isUsable), now);
  for (const { path, before } of restore) await (before === undefined ? host.remove(root, path) : host.write(root, path, before));
  const left = [...changed, ...edits.filter((edit) => !isUsable(edit))];
  await host.remember(dataDir, root, { gate, edits: left });
  return { restored: restore, changed: left.map((edit) => ({ edit, now: now[edit.path] })) };

  function isUsable({ path }: FileEdit): boolean {
    return read.get(path)?.kind !== "unusable";
  }
}

async function readAll(host: SetupHost, root: string, paths: readonly string[]): Promise<ReadonlyMap<string, FileText>> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await host.read(root, path)] as const)));
}

function textsOf(read: ReadonlyMap<string, FileText>): Files {
  return Object.fromEntries([...read].map(([path, file]) => [path, file.kind === "text" ? file.text : undefined]));
}
