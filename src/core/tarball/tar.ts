/**
 * A strict tar reader. It follows the format as clients do (long names and PAX records count) and names everything on which two readers
 * could disagree; the libraries measured hand links, `..` and second copies to the caller without a word.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { LIMITS } from "../base/limits.ts";

export type ArchiveProblem = {
  readonly problem: string;
  readonly path?: string;
  /** Grave: no packer in use does it, and readers disagree about it or are harmed by it. */
  readonly grave: boolean;
};

/** One header with its data, named as written, before anything is judged. */
export type TarEntry = {
  readonly type: "file" | "directory" | "symbolic link" | "hard link" | "device" | "other";
  readonly name: string;
  readonly target?: string;
  readonly data: Uint8Array;
};

export type Tar = { readonly entries: readonly TarEntry[]; readonly problems: readonly ArchiveProblem[] };

const BLOCK = 512;
/** POSIX.1-1988 ustar type flags, and what is kept of the difference. */
const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hard link",
  "2": "symbolic link",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "device",
};

/** What PAX records and GNU long names say about the next entry. */
type Override = { path?: string; linkpath?: string; size?: number; extended?: boolean };

export function readTar(tar: Uint8Array): Tar {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength);
  const entries: TarEntry[] = [];
  const problems: ArchiveProblem[] = [];
  const problem = (text: string, grave: boolean, path?: string): void => {
    if (problems.length < LIMITS.archiveProblems) problems.push({ problem: text, grave, ...(path === undefined ? {} : { path }) });
  };
  let next: Override = {};
  let headers = 0;
  let at = 0;
  let zeros = 0;
  while (at + BLOCK <= bytes.length) {
    const header = bytes.subarray(at, at + BLOCK);
    at += BLOCK;
    if (header[0] === 0 && isZero(header)) {
      zeros++;
      if (zeros < 2) continue;
      if (!isZero(bytes.subarray(at))) problem("data follows the end of the archive", true);
      break;
    }
    if (zeros > 0) problem("an entry follows an empty block", true);
    zeros = 0;
    if (++headers > LIMITS.archiveEntries) {
      problem(`it has more than ${LIMITS.archiveEntries} entries`, true);
      return { entries, problems };
    }
    if (!checksumFits(header)) {
      problem("a header's checksum is wrong", true);
      continue;
    }
    const written = readNumber(header, 124, 12);
    const flag = String.fromCharCode(header[156]!);
    const meta = flag === "x" || flag === "g" || flag === "L" || flag === "K";
    const size = (meta ? undefined : next.size) ?? written.value;
    const headerName = nameOf(header);
    if (written.problem !== undefined) problem(`its size ${written.problem}`, true, headerName.text);
    if (size === undefined || at + size > bytes.length) {
      problem("the archive ends inside an entry", true, next.path ?? headerName.text);
      return { entries, problems };
    }
    const data = bytes.subarray(at, at + size);
    at += Math.ceil(size / BLOCK) * BLOCK;

    if (flag === "L" || flag === "K") {
      const long = text(trimZeros(data));
      if (long.invalid) problem("a long name is not UTF-8", false, long.text);
      next[flag === "L" ? "path" : "linkpath"] = long.text;
      continue;
    }
    if (meta) {
      const records = paxRecords(data);
      if (!records) {
        problem("an extended header is malformed", true, headerName.text);
        continue;
      }
      const override = overrideOf(records);
      if (override.size !== undefined && Number.isNaN(override.size)) {
        problem("an extended header gives a size that is none", true, headerName.text);
        delete override.size;
      }
      // A global header holds for every entry after it; git writes one with a comment, nobody one with a path.
      if (flag === "g") {
        if (override.path !== undefined || override.linkpath !== undefined || override.size !== undefined)
          problem("a global header renames or resizes entries", true);
      } else Object.assign(next, override, { extended: true });
      continue;
    }

    if (next.size !== undefined && written.value !== next.size && written.value !== 0)
      problem("an extended header gives another size than the header", true, next.path ?? headerName.text);
    if (next.path !== undefined && !sameName(headerName.text, next.path))
      problem(`an extended header renames ${JSON.stringify(headerName.text)}`, true, next.path);
    if (next.path === undefined && headerName.invalid) problem("a name is not UTF-8", false, headerName.text);
    const name = next.path ?? headerName.text;
    const target = next.linkpath ?? text(cString(header, 157, 100)).text;
    const type = TYPES[flag] ?? "other";
    // Very old archives write a directory as a file whose name ends in a slash.
    const kind = type === "file" && name.endsWith("/") ? "directory" : type;
    if (kind === "other") problem(`an entry of the unusual type ${JSON.stringify(flag)}`, flag === "S", name);
    entries.push({ type: kind, name, data, ...(kind === "symbolic link" || kind === "hard link" ? { target } : {}) });
    next = {};
  }
  if (zeros < 2 && at < bytes.length) problem("the archive ends inside a block", true);
  else if (zeros === 0) problem("the archive has no end mark", false);
  if (next.extended) problem("an extended header belongs to no entry", true);
  return { entries, problems };
}

function isZero(bytes: Buffer): boolean {
  // Compared in one native call: archives are padded with up to megabytes.
  const length = Math.min(bytes.length, ZERO.length);
  for (let at = 0; at < bytes.length; at += length)
    if (bytes.compare(ZERO, 0, Math.min(length, bytes.length - at), at, at + Math.min(length, bytes.length - at)) !== 0) return false;
  return true;
}
const ZERO = Buffer.alloc(65_536);

/** POSIX: the sum of all header bytes, with the checksum's own eight taken as spaces. Some old packers summed signed bytes. */
function checksumFits(header: Buffer): boolean {
  let sum = 8 * 32;
  let signed = sum;
  for (let at = 0; at < BLOCK; at++) {
    if (at === 148) at = 156;
    const byte = header[at]!;
    sum += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = readNumber(header, 148, 8).value;
  return stated === sum || stated === signed;
}

/** An octal field; base-256 is understood, and told because readers differ and no size under 8 GB needs it. */
function readNumber(header: Buffer, at: number, length: number): { readonly value?: number; readonly problem?: string } {
  const first = header[at]!;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (let byte = at + 1; byte < at + length; byte++) value = value * 256 + header[byte]!;
    return first === 0xff || !Number.isSafeInteger(value)
      ? { problem: "is no usable number" }
      : { value, problem: "is written in base 256" };
  }
  const digits = header
    .toString("latin1", at, at + length)
    .replace(/\0[^]*$/, "")
    .trim();
  if (!/^[0-7]*$/.test(digits)) return { problem: "is not octal" };
  return { value: digits === "" ? 0 : parseInt(digits, 8) };
}

function nameOf(header: Buffer): { readonly text: string; readonly invalid: boolean } {
  const name = text(cString(header, 0, 100));
  // Only POSIX ustar ("ustar\0") has a prefix; GNU's old format keeps times at its place.
  if (header.toString("latin1", 257, 263) !== "ustar\0") return name;
  const prefix = text(cString(header, 345, 155));
  return prefix.text === "" ? name : { text: `${prefix.text}/${name.text}`, invalid: prefix.invalid || name.invalid };
}

function cString(header: Buffer, at: number, length: number): Buffer {
  return trimZeros(header.subarray(at, at + length));
}

function trimZeros(bytes: Buffer): Buffer {
  const zero = bytes.indexOf(0);
  return zero < 0 ? bytes : bytes.subarray(0, zero);
}

function text(bytes: Buffer): { readonly text: string; readonly invalid: boolean } {
  return { text: bytes.toString("utf8"), invalid: !isUtf8(bytes) };
}

/** POSIX pax: records of `<length> <key>=<value>\n`, the length counting itself. Undefined when one is not so. */
function paxRecords(data: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  let at = 0;
  while (at < data.length && data[at] !== 0) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 || space - at > 10 ? NaN : Number(data.toString("latin1", at, space));
    if (!(length > space - at + 2) || at + length > data.length || data[at + length - 1] !== 0x0a) return undefined;
    const record = data.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals < 1) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function overrideOf(records: ReadonlyMap<string, string>): Override {
  const override: Override = {};
  const path = records.get("path");
  const linkpath = records.get("linkpath");
  const size = records.get("size");
  if (path !== undefined) override.path = path;
  if (linkpath !== undefined) override.linkpath = linkpath;
  if (size !== undefined) override.size = /^\d{1,15}$/.test(size) ? Number(size) : NaN;
  return override;
}

/**
 * Whether a header's name is what a packer leaves of the long or non-ASCII name it moved to an extended header: the name cut, its last
 * part, or the same with other letters replaced. A complete plain name that says something else is a trick.
 */
function sameName(header: string, extended: string): boolean {
  if (header === extended || header === "" || header.length >= 99) return true;
  const plain = (name: string): string => name.replace(/[^\x20-\x7e]+/g, "").replace(/\/+$/, "");
  const [short, long] = [plain(header), plain(extended)];
  if (long.startsWith(short) || long.endsWith(short)) return true;
  // Names of 100 to 255 characters are cut in their prefix or at their end, by packers' own lights.
  return extended.length > 99 && (extended.includes(short.slice(0, 60)) || long.endsWith(short.slice(short.lastIndexOf("/") + 1)));
}
