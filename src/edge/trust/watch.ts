/** Notices that somebody stored newer trust, in this process or another. Loads nothing that verifies. */
import { statSync } from "node:fs";
import path from "node:path";

export const TRUST_FILE = "trust.json";

/** A change reaches a running gate within a second. */
const POLL_MS = 500;

/** Calls back after each change of the stored trust. Returns the stop function. */
export function watchTrust(dataDir: string, onChange: () => void): () => void {
  const file = path.join(dataDir, TRUST_FILE);
  const mark = (): string => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  };
  let last = mark();
  const timer = setInterval(() => {
    const now = mark();
    if (now === last) return;
    last = now;
    onChange();
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
