/** One file that was named: what it is, by its name and its first bytes, and the reader for it. */
import fs from "node:fs";
import path from "node:path";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { readLockfileEvidence } from "./lockfile.ts";
import { readLogFile } from "./log.ts";
import type { Reading } from "./reading.ts";

export async function readFileEvidence(reading: Reading, file: string): Promise<void> {
  const name = path.basename(file);
  reading.tell(file);
  if (Object.hasOwn(LOCKFILE_NAMES, name)) return readLockfileEvidence(reading, file, file);
  const head = headOf(file);
  if (!head.includes(0)) return readLogFile(reading, file, file);
  reading.see({ kind: "missing", place: file, what: `${file}: no kind of file cordon knows how to read` });
}

/** The first bytes. */
function headOf(file: string): Buffer {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(1_024);
    return head.subarray(0, fs.readSync(descriptor, head, 0, head.length, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}
