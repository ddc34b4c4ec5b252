/**
 * gzip, member by member: `gunzipSync` joins members and hides where the data ended, and both are ways to show two readers two archives.
 * Never throws on content.
 */
import { constants, crc32, inflateRawSync } from "node:zlib";
import { LIMITS } from "../base/limits.ts";

export type Gunzipped = {
  /** What could be unpacked, all members joined as every client joins them. */
  readonly bytes: Uint8Array;
  readonly problems: readonly { readonly problem: string; readonly grave: boolean }[];
};

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** `ceiling` is in bytes of output. */
export function gunzip(bytes: Uint8Array, ceiling: number = LIMITS.archiveUnpackedBytes): Gunzipped {
  const problems: { problem: string; grave: boolean }[] = [];
  const parts: Uint8Array[] = [];
  let length = 0;
  let at = 0;
  while (at < bytes.length && parts.length < LIMITS.archiveMembers && isGzip(bytes.subarray(at))) {
    const start = headerEnd(bytes, at);
    if (start === undefined) {
      problems.push({ problem: "its gzip header is malformed", grave: true });
      break;
    }
    const member = inflate(bytes.subarray(start), ceiling - length);
    if (typeof member === "string") {
      problems.push({ problem: member, grave: true });
      break;
    }
    parts.push(member.bytes);
    length += member.bytes.length;
    const end = start + member.consumed;
    const trailer = view(bytes, end, 8);
    at = end + 8;
    if (!trailer) {
      problems.push({ problem: "the compressed data ends early", grave: true });
      break;
    }
    // RFC 1952, 2.3.1: CRC32 of the uncompressed data, then its length modulo 2^32, both little-endian.
    if (trailer.getUint32(0, true) !== crc32(member.bytes) || trailer.getUint32(4, true) !== member.bytes.length % 2 ** 32) {
      problems.push({ problem: "the checksum of the compressed data is wrong", grave: true });
      break;
    }
  }
  if (parts.length > 1) problems.push({ problem: "it consists of several gzip members", grave: true });
  if (at < bytes.length && problems.length === 0) {
    // Some packers pad with zeros, which every reader ignores.
    const zeros = bytes.subarray(at).every((byte) => byte === 0);
    problems.push({ problem: `${bytes.length - at} bytes follow the compressed data`, grave: !zeros });
  }
  return { bytes: parts.length === 1 ? parts[0]! : join(parts, length), problems };
}

/** Where the deflate data of the member at `at` begins; undefined when the header is none. */
function headerEnd(bytes: Uint8Array, at: number): number | undefined {
  // RFC 1952, 2.3: ID1 ID2 CM FLG MTIME(4) XFL OS, then what the flags announce.
  const flags = bytes[at + 3];
  if (bytes[at + 2] !== 8 || flags === undefined || (flags & 0xe0) !== 0) return undefined;
  let end = at + 10;
  if (flags & 4) end += 2 + (view(bytes, end, 2)?.getUint16(0, true) ?? bytes.length);
  for (const flag of [8, 16])
    if (flags & flag) {
      const zero = bytes.indexOf(0, end);
      if (zero < 0) return undefined;
      end = zero + 1;
    }
  if (flags & 2) end += 2;
  return end < bytes.length ? end : undefined;
}

/** One member's data and how many input bytes it took, or what is wrong with it. */
function inflate(input: Uint8Array, ceiling: number): { readonly bytes: Uint8Array; readonly consumed: number } | string {
  // The last four bytes of a plain gzip file are its length: with a buffer of that size zlib fills one piece and copies nothing.
  const claimed = view(input, input.length - 4, 4)?.getUint32(0, true) ?? 0;
  const chunkSize = Math.max(65_536, Math.min(claimed + 1, ceiling, input.length * 32));
  try {
    const { buffer, engine } = inflateRawSync(input, {
      chunkSize,
      maxOutputLength: Math.max(1, ceiling),
      finishFlush: constants.Z_SYNC_FLUSH,
      info: true,
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    return { bytes: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    const tooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
    return tooLarge ? `it unpacks to more than ${LIMITS.archiveUnpackedBytes} bytes` : "its compressed data is damaged";
  }
}

function view(bytes: Uint8Array, at: number, length: number): DataView | undefined {
  return at >= 0 && at + length <= bytes.length ? new DataView(bytes.buffer, bytes.byteOffset + at, length) : undefined;
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
