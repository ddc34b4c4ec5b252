/** One sync at a time on one data directory, whoever starts it: a file with the process and when it began. Losable. */
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { HOUR, type Instant } from "../../core/base/time.ts";
import { codeOf } from "../host/files.ts";

export type Lock = { release(): Promise<void> };

/** Longer than any sync may take: whoever holds it still is not the one that took it. */
const AT_MOST = HOUR;

/** Undefined: a living process holds it. */
export async function takeLock(path: string, now: Instant): Promise<Lock | undefined> {
  const own = `${path}.${process.pid}`;
  // Written first and linked then: nobody ever reads half of it.
  await writeFile(own, `${process.pid} ${now}\n`, { mode: 0o600 });
  try {
    if (await linked(own, path)) return { release: () => rm(path, { force: true }) };
    if (await isHeld(path, now)) return undefined;
    await rm(path, { force: true });
    return (await linked(own, path)) ? { release: () => rm(path, { force: true }) } : undefined;
  } finally {
    await rm(own, { force: true });
  }
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
    process.kill(holder, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one that lives.
    return codeOf(error) === "EPERM";
  }
}
