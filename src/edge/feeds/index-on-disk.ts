/** The advisory index as a file that is read in places: it is never in memory whole, and a command that asks one question reads a few pages. */
import { randomBytes } from "node:crypto";
import fs, { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type AdvisoryIndex, openIndex } from "../../core/advisory/index-file.ts";
import { Fault } from "../../core/base/fault.ts";
import { codeOf } from "../host/files.ts";

export type IndexOnDisk = {
  readonly index: AdvisoryIndex;
  /** Tells this file from one that took its name. */
  readonly inode: number;
  close(): void;
};

/**
 * Opens the index and keeps the file open: another that takes its name leaves this one as it was. `damaged` is told when a look-up
 * meets damage, before that raises INPUT_UNREADABLE; opening raises the same.
 */
export function openIndexFile(path: string, damaged: (error: Fault) => void): IndexOnDisk {
  const descriptor = openSync(path, "r");
  let closed = false;
  // Look-ups are many and small, and each is done with what it read before the next one reads.
  let scratch = Buffer.allocUnsafe(8_192);
  function read(at: number, length: number, into?: Uint8Array): Uint8Array {
    if (closed) throw new Fault("INPUT_UNREADABLE", "the advisory index was replaced; ask the new one");
    if (into === undefined && length > scratch.length) scratch = Buffer.allocUnsafe(length);
    const target = into ?? scratch;
    try {
      return target.subarray(0, readSync(descriptor, target, 0, length, at));
    } catch (error) {
      throw new Fault("INPUT_UNREADABLE", `the advisory index cannot be read (${codeOf(error)})`, error);
    }
  }
  const close = () => {
    if (!closed) closeSync(descriptor);
    closed = true;
  };
  try {
    const { size, ino } = fstatSync(descriptor);
    return { index: watched(openIndex({ size, read }), damaged), inode: ino, close };
  } catch (error) {
    close();
    throw error;
  }
}

function watched(index: AdvisoryIndex, damaged: (error: Fault) => void): AdvisoryIndex {
  const told = (error: unknown): unknown => {
    if (error instanceof Fault) damaged(error);
    return error;
  };
  return {
    ...index,
    claims(name, version, integrities) {
      try {
        return index.claims(name, version, integrities);
      } catch (error) {
        throw told(error);
      }
    },
    byIntegrity(integrity) {
      try {
        return index.byIntegrity(integrity);
      } catch (error) {
        throw told(error);
      }
    },
    fixedBy(name, version) {
      try {
        return index.fixedBy(name, version);
      } catch (error) {
        throw told(error);
      }
    },
  };
}

/** Puts a new index in place of the old in one step. */
export async function writeIndexFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  // A gate that mends a lost index and a sync may write at once, in one process too.
  const fresh = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const file = await fs.promises.open(fresh, "wx", 0o600);
  try {
    await file.writev(pieces);
    // A name must never stand for bytes that the disk does not have yet.
    await file.datasync();
    await file.close();
    await fs.promises.rename(fresh, path);
  } catch (error) {
    await file.close().catch(() => {});
    await fs.promises.rm(fresh, { force: true });
    throw error;
  }
}
