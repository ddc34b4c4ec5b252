/** Reads a tarball that lies on this machine. */
import { open } from "node:fs/promises";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";

/** Raises INPUT_UNREADABLE or INPUT_TOO_LARGE, naming the file. */
export async function readLocalTarball(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > LIMITS.inspectedTarballBytes) throw new Fault("INPUT_TOO_LARGE", `${path} is larger than what is analysed`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("INPUT_UNREADABLE", `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, error);
  }
}
