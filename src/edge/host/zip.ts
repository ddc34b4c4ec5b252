/**
 * Reads small files out of a zip archive without unpacking the rest: one by its name (yarn keeps packages in them), or all, one after the
 * other (feeds come as zip). Any other shape is a reason, not a throw.
 */
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
// 4.3.14 and 4.3.15: the zip64 record and its locator, for archives of more than 65,535 files.
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
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
    return readEntry(descriptor, entry, found, LIMITS.manifestBytes);
  } catch (error) {
    return { why: codeOf(error) };
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** Every file of an archive in turn, names that end in a slash left out. Throws nothing: what cannot be read is `why` under its name. */
export function* readZipTexts(
  archive: string,
  limit: number,
): Generator<{ readonly name: string; readonly text: string } | { readonly name: string; readonly why: string }> {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(archive, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(descriptor);
    const directory = stat.isFile() ? centralDirectory(descriptor, stat.size) : undefined;
    if (directory === undefined) {
      yield { name: "", why: "not a zip archive that can be read" };
      return;
    }
    for (const { name, ...entry } of entriesOf(directory)) {
      if (name.endsWith("/")) continue;
      const text = readEntry(descriptor, name, entry, limit);
      yield typeof text === "string" ? { name, text } : { name, ...text };
    }
  } catch (error) {
    yield { name: "", why: codeOf(error) };
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

type Entry = { readonly method: number; readonly packed: number; readonly size: number; readonly offset: number };

function readEntry(
  descriptor: number,
  name: string,
  { method, packed, size, offset }: Entry,
  limit: number,
): string | { readonly why: string } {
  if (size > limit || packed > limit) return { why: `${name} is larger than ${limit} bytes` };
  const local = readAt(descriptor, offset, LOCAL_BYTES);
  if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== LOCAL_SIGNATURE) return { why: `${name} has no header` };
  const data = readAt(descriptor, offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28), packed);
  if (method === STORED) return data.toString("utf8");
  if (method !== DEFLATED) return { why: `${name} is packed in an unknown way` };
  try {
    return inflateRawSync(data, { maxOutputLength: limit }).toString("utf8");
  } catch (error) {
    return { why: codeOf(error) };
  }
}

function centralDirectory(descriptor: number, size: number): Buffer | undefined {
  const from = Math.max(0, size - END_BYTES - 65_535 - LOCATOR_BYTES);
  const tail = readAt(descriptor, from, size - from);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    const { bytes, offset } = largePlace(descriptor, tail, at, size) ?? {
      bytes: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
    };
    return offset + bytes <= size && bytes <= LIMITS.lockfileBytes ? readAt(descriptor, offset, bytes) : undefined;
  }
  return undefined;
}

/** Where the central directory of a zip64 archive lies; undefined for a small one. */
function largePlace(
  descriptor: number,
  tail: Buffer,
  end: number,
  size: number,
): { readonly bytes: number; readonly offset: number } | undefined {
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== LOCATOR_SIGNATURE) return undefined;
  const at = Number(tail.readBigUInt64LE(locator + 8));
  const record = at + END64_BYTES <= size ? readAt(descriptor, at, END64_BYTES) : Buffer.alloc(0);
  if (record.length < END64_BYTES || record.readUInt32LE(0) !== END64_SIGNATURE) return undefined;
  return { bytes: Number(record.readBigUInt64LE(40)), offset: Number(record.readBigUInt64LE(48)) };
}

function findEntry(directory: Buffer, wanted: string): Entry | undefined {
  let found: Entry | undefined;
  for (const { name, ...entry } of entriesOf(directory)) if (name === wanted) found = entry;
  return found;
}

function* entriesOf(directory: Buffer): Generator<Entry & { readonly name: string }> {
  for (let at = 0; at + CENTRAL_BYTES <= directory.length && directory.readUInt32LE(at) === CENTRAL_SIGNATURE;) {
    const nameBytes = directory.readUInt16LE(at + 28);
    yield {
      name: directory.toString("utf8", at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes),
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    at += CENTRAL_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
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
