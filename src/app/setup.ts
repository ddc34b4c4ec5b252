/**
 * `cordon setup`: points a project's clients at a gate in each client's own file, and takes it back byte for byte. The journal is written
 * before the first file, so that a run that was cut short can be taken back too.
 */
import { Fault } from "../core/base/fault.ts";
import type { ClientId, FileEdit } from "../core/client/client.ts";
import { type Files, planSetup, planUndo, type SETUP_FILES } from "../core/client/setup.ts";
import type { ProjectMarks } from "../core/client/uses.ts";

type SetupFile = (typeof SETUP_FILES)[number];

/** A file's exact text. `unusable`: it is there, and cordon must not write it (no UTF-8, a link out of the project, too large). */
export type FileText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly why: string };

/** A place whose settings files can point clients at a gate: a project's folder, or the user's home. */
export type SetupPlace = {
  /** Opaque here. */
  readonly root: string;
  /** Where each of the files of core/client/setup.ts stands in this place, relative to the root. */
  readonly files: Readonly<Partial<Record<SetupFile, string>>>;
  /** What the place calls itself. */
  readonly name: string;
};

export type SetupProject = SetupPlace & { readonly marks: ProjectMarks };

export type SetupHost = {
  project(directory: string): Promise<SetupProject>;
  /** The user's own files: what counts where no project says otherwise, as in a CI image. */
  user(): Promise<SetupPlace>;
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
export async function considerSetup(
  host: SetupHost,
  place: SetupPlace,
  clients: readonly ClientId[],
  registry: string,
): Promise<SetupChange> {
  const names = Object.entries(place.files);
  const read = await readAll(host, place.root, Object.values(place.files));
  const texts = textsOf(read);
  const plan = planSetup(clients, registry, Object.fromEntries(names.map(([name, path]) => [name, texts[path]])));
  const pathOf = new Map(names);
  const here = <T extends { readonly path: string }>(list: readonly T[]): readonly T[] =>
    list.flatMap((one) => (pathOf.has(one.path) ? [{ ...one, path: pathOf.get(one.path)! }] : []));
  const unusable = [...read].flatMap(([path, file]) => (file.kind === "unusable" ? [{ path, why: file.why }] : []));
  return {
    // A file that is there and cannot be read must not be taken for one that is not there yet.
    edits: here(plan.edits).filter(({ path }) => read.get(path)?.kind !== "unusable"),
    problems: [...here(plan.problems), ...unusable],
  };
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
