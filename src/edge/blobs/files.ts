/** Files that appear whole or not at all, and the leftovers of writers that were killed. */
import { createHash, randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import * as nodeFiles from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";

/** The file system as far as it is used here; tests hand in one that fails. */
export type Files = Pick<typeof nodeFiles, "open" | "mkdir" | "readdir" | "readFile" | "rename" | "stat" | "unlink" | "utimes">;
export const FILES: Files = nodeFiles;

/** Where writers work: apart from what is read, and on the same file system, so that a rename is one step. */
function temporaryFolder(root: string): string {
  return join(root, "tmp");
}

/** A new empty file to write to. Its name tells who is writing: machine, process, and this run of it, since containers reuse process ids. */
export async function createTemporary(files: Files, root: string): Promise<{ readonly path: string; readonly handle: FileHandle }> {
  const path = join(temporaryFolder(root), `${MACHINE}-${process.pid}-${RUN}-${randomBytes(8).toString("hex")}`);
  const create = () => files.open(path, "wx", 0o600);
  try {
    return { path, handle: await create() };
  } catch (error) {
    if (!isAbsent(error)) throw error;
    // What is losable may be thrown away at any time, folders and all.
    await files.mkdir(temporaryFolder(root), { recursive: true, mode: 0o700 });
    return { path, handle: await create() };
  }
}

const MACHINE = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const RUN = randomBytes(4).toString("hex");

/** Removes what dead writers left: those of this machine whose process is gone, and of any machine after an hour. */
async function sweepTemporary(files: Files, root: string, now: Instant): Promise<void> {
  const folder = temporaryFolder(root);
  for (const name of await files.readdir(folder)) {
    const [machine, pid, run] = name.split("-");
    const path = join(folder, name);
    const gone = machine === MACHINE && run !== RUN && !isRunning(Number(pid));
    if (gone || (await idleFor(files, path, now)) > LIMITS.temporaryFileMs) await orAbsent(files.unlink(path));
  }
}

/** Milliseconds since the file was written or marked; 0 when it is gone. */
export async function idleFor(files: Files, path: string, now: Instant): Promise<number> {
  const stat = await orAbsent(files.stat(path));
  return stat ? now - stat.mtimeMs : 0;
}

function isRunning(pid: number): boolean {
  // Whoever has our id but is not this run of us, is gone.
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Moves a finished file to its place, whose folder may not exist yet. */
export async function moveInto(files: Files, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await files.mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await files.rename(from, to);
  }
}

/** Creates the folders of a store. Raises STORE_BROKEN naming the root. */
export async function prepare(files: Files, root: string, now: Instant): Promise<void> {
  await within(root, async () => {
    await files.mkdir(temporaryFolder(root), { recursive: true, mode: 0o700 });
    await sweepTemporary(files, root, now);
  });
}

/** Runs `work`; what the file system says becomes STORE_BROKEN naming the root. */
export async function within<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeFault(root, error);
  }
}

/** Disk full, I/O errors, missing rights. Anything else is a mistake of ours and stays what it is. */
export function storeFault(root: string, error: unknown): unknown {
  if (error instanceof Fault || (error as NodeJS.ErrnoException).code === undefined) return error;
  return new Fault("STORE_BROKEN", `${root}: ${(error as Error).message}`, error);
}

/** Undefined instead of an error when there is no such file. */
export async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
