/** One sync at a time on one data directory, whoever starts it: a file with the number of the process. Losable. */
import { open, readFile, rm, stat } from "node:fs/promises";
import { codeOf } from "../host/files.ts";

export type Lock = { release(): Promise<void> };

/** Longer than any sync may take: whoever holds it still is not the one that took it. */
const AT_MOST_MS = 60 * 60_000;
/** Between creating the file and writing into it. */
const BLANK_MS = 10_000;

/** Undefined: a living process holds it. */
export async function takeLock(path: string): Promise<Lock | undefined> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(`${process.pid}\n`).finally(() => file.close());
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    if (await isHeld(path)) return undefined;
    await rm(path, { force: true });
  }
  return undefined;
}

async function isHeld(path: string): Promise<boolean> {
  try {
    const age = Date.now() - (await stat(path)).mtimeMs;
    const holder = Number(await readFile(path, "utf8"));
    if (holder === 0) return age < BLANK_MS;
    if (age > AT_MOST_MS) return false;
    process.kill(holder, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one that lives.
    return codeOf(error) === "EPERM";
  }
}
