/** One sync at a time on one data directory, whoever starts it: a file with the process and when it began. Losable. */
import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { HOUR, type Instant } from "../../core/base/time.ts";
import { codeOf } from "../host/files.ts";

export type Lock = { release(): Promise<void> };

/** Longer than any sync may take: whoever holds it still is not the one that took it. */
const AT_MOST = HOUR;

/** In a container every start has the same number: a lock with ours that is not among these is of the process before. */
const held = new Set<string>();

/** Undefined: a living process holds it. */
export async function takeLock(path: string, now: Instant): Promise<Lock | undefined> {
  const own = `${path}.${randomBytes(6).toString("hex")}`;
  // Written first and linked then: nobody ever reads half of it.
  await writeFile(own, `${process.pid} ${now}\n`, { mode: 0o600 });
  try {
    if (await linked(own, path)) return taken(path);
    if (await isHeld(path, now)) return undefined;
    await rm(path, { force: true });
    return (await linked(own, path)) ? taken(path) : undefined;
  } finally {
    await rm(own, { force: true });
  }
}

function taken(path: string): Lock {
  held.add(path);
  return {
    async release() {
      await rm(path, { force: true });
      held.delete(path);
    },
  };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function isHeld(path: string, now: Instant): Promise<boolean> {
  try {
    const [holder, since] = (await readFile(path, "utf8")).split(" ").map(Number);
    if (!holder || since === undefined || now - since > AT_MOST) return false;
    if (holder === process.pid) return held.has(path);
    process.kill(holder, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one that lives.
    return codeOf(error) === "EPERM";
  }
}
