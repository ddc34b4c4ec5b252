/** Reads one small file out of a zip archive (yarn keeps packages in them) without unpacking the rest. Any other shape is a reason, not a throw. */
import fs from "node:fs";
import { inflateRawSync } from "node:zlib";
import { LIMITS } from "../../core/base/limits.ts";
import { codeOf } from "./files.ts";

// APPNOTE.TXT 4.3.16: end of central directory record, 22 bytes and a comment of at most 65,535.
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
// 4.3.12: central directory header, 46 bytes and name, extra field, comment.
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
// 4.3.7: local file header, 30 bytes and name, extra field.
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/** The text of `entry`. When an archive has the name twice, the last one counts, as it does for yarn. */
export function readZipText(archive: string, entry: string): string | { readonly why: string } {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(archive, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile()) return { why: "not a regular file" };
    const directory = centralDirectory(descriptor, stat.size);
    const found = directory === undefined ? undefined : findEntry(directory, entry);
    if (!found) return { why: directory === undefined ? "not a zip archive" : `${entry} is not in it` };
    if (found.size > LIMITS.manifestBytes || found.packed > LIMITS.manifestBytes)
      return { why: `${entry} is larger than ${LIMITS.manifestBytes} bytes` };
    const local = readAt(descriptor, found.offset, LOCAL_BYTES);
    if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== LOCAL_SIGNATURE) return { why: `${entry} has no header` };
    const data = readAt(descriptor, found.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28), found.packed);
    if (found.method === STORED) return data.toString("utf8");
    if (found.method !== DEFLATED) return { why: `${entry} is packed in an unknown way` };
    return inflateRawSync(data, { maxOutputLength: LIMITS.manifestBytes }).toString("utf8");
  } catch (error) {
    return { why: codeOf(error) };
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

function centralDirectory(descriptor: number, size: number): Buffer | undefined {
  const tail = readAt(descriptor, Math.max(0, size - END_BYTES - 65_535), Math.min(size, END_BYTES + 65_535));
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    const bytes = tail.readUInt32LE(at + 12);
    const offset = tail.readUInt32LE(at + 16);
    return offset + bytes <= size && bytes <= LIMITS.lockfileBytes ? readAt(descriptor, offset, bytes) : undefined;
  }
  return undefined;
}

function findEntry(directory: Buffer, entry: string): { method: number; packed: number; size: number; offset: number } | undefined {
  let found: ReturnType<typeof findEntry>;
  for (let at = 0; at + CENTRAL_BYTES <= directory.length && directory.readUInt32LE(at) === CENTRAL_SIGNATURE;) {
    const nameBytes = directory.readUInt16LE(at + 28);
    const next = at + CENTRAL_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (directory.toString("utf8", at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes) === entry)
      found = {
        method: directory.readUInt16LE(at + 10),
        packed: directory.readUInt32LE(at + 20),
        size: directory.readUInt32LE(at + 24),
        offset: directory.readUInt32LE(at + 42),
      };
    at = next;
  }
  return found;
}

function readAt(descriptor: number, offset: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const count = fs.readSync(descriptor, buffer, filled, bytes - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
