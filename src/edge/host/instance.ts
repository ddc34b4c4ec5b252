/** The note a running gate leaves in its data directory, so that commands and wrappers on this machine find it. Losable; believed only when the gate answers. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

export type InstanceNote = { readonly url: string; readonly pid: number; readonly instance: string };

const FILE = "gate.json";

export async function readInstance(dataDir: string): Promise<InstanceNote | undefined> {
  let text: string;
  try {
    text = await readFile(path.join(dataDir, FILE), "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  const note = parsed(text);
  const fits = typeof note?.url === "string" && URL.canParse(note.url) && typeof note.pid === "number" && typeof note.instance === "string";
  return fits ? (note as InstanceNote) : undefined;
}

export async function writeInstance(dataDir: string, note: InstanceNote): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const temporary = path.join(dataDir, `${FILE}.${note.pid}`);
  await writeFile(temporary, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  await rename(temporary, path.join(dataDir, FILE));
}

/** Removes the note unless another gate has written its own since. */
export async function removeInstance(dataDir: string, note: InstanceNote): Promise<void> {
  const now = await readInstance(dataDir);
  if (now?.instance === note.instance) await rm(path.join(dataDir, FILE), { force: true });
}

function parsed(text: string): Partial<InstanceNote> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // a note cut short by a kill is no note; the gate is looked for elsewhere
  }
}
