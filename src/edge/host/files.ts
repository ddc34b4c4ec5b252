/** Reading and writing small files: bounded, never through a pipe or device, and written whole or not at all. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";

type Unread = { readonly why: string; readonly large: boolean };

/** The bytes of a regular file. Undefined when there is none; a Fault when it is something else, too large, or may not be read. */
export function readBytes(file: string, limit: number): Buffer | undefined {
  const read = tryReadBytes(file, limit);
  if (read === undefined || Buffer.isBuffer(read)) return read;
  throw new Fault(read.large ? "INPUT_TOO_LARGE" : "INPUT_UNREADABLE", `${file}: ${read.why}`);
}

/** As `readBytes`, as UTF-8. */
export function readText(file: string, limit: number = LIMITS.configBytes): string | undefined {
  return readBytes(file, limit)?.toString("utf8");
}

/** As `readText`, with the reason as a value. */
export function tryReadText(file: string, limit: number): string | undefined | Unread {
  const read = tryReadBytes(file, limit);
  return Buffer.isBuffer(read) ? read.toString("utf8") : read;
}

function tryReadBytes(file: string, limit: number): Buffer | undefined | Unread {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe somebody put there would wait for ever.
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile()) return { why: "not a regular file", large: false };
    if (stat.size > limit) return { why: `larger than ${limit} bytes`, large: true };
    return readAll(descriptor, stat.size);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return { why: code, large: false };
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** Reads at most `size` bytes: what the file had when it was measured, even if it grows meanwhile. */
function readAll(descriptor: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const count = fs.readSync(descriptor, buffer, filled, size - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

/**
 * Replaces a file's text in one step, keeping its mode; a reader sees the old text or the new one. A link is written through, so that
 * it stays a link.
 */
export function writeText(file: string, text: string | Uint8Array): void {
  const target = realTarget(file);
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  const mode = fs.statSync(target, { throwIfNoEntry: false })?.mode;
  const descriptor = fs.openSync(temporary, "wx", mode ?? 0o666);
  try {
    fs.writeFileSync(descriptor, text);
    // The mode given to open is cut by the umask.
    if (mode !== undefined) fs.fchmodSync(descriptor, mode & 0o7777);
    fs.fsyncSync(descriptor);
  } catch (error) {
    fs.closeSync(descriptor);
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  fs.closeSync(descriptor);
  fs.renameSync(temporary, target);
}

function realTarget(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return file;
    throw error;
  }
}

/** The system's error code, or the message of any other error. */
export function codeOf(error: unknown): string {
  if (error instanceof Fault) return error.message;
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return String(error);
}

/** True when `child` is `parent` or lies below it. Both absolute and normalised. */
export function isWithin(parent: string, child: string): boolean {
  const relative = path.relative(parent, child);
  return relative === "" || (!relative.startsWith(`..${path.sep}`) && relative !== ".." && !path.isAbsolute(relative));
}
