/** A tar archive entry by entry, in bounded memory: headers are read, the data of wanted files is kept, everything else flows past. */
import { Buffer } from "node:buffer";

export type StreamedEntry = {
  readonly name: string;
  /** Where its data begins in the unpacked stream. */
  readonly offset: number;
  readonly size: number;
  /** Present when `wants` asked for it. */
  readonly data?: Buffer;
};

const BLOCK = 512;
/** A long name or a set of records; no file name needs more. */
const EXTENSION_BYTES = 1_000_000;

/** Throws when the stream is no tar archive or ends inside an entry. `wants` decides by name and size. */
export async function* tarEntries(
  chunks: AsyncIterable<Uint8Array>,
  wants: (name: string, size: number) => boolean,
): AsyncGenerator<StreamedEntry> {
  const source = bytesOf(chunks);
  let longName: string | undefined;
  for (let first = true; ; first = false) {
    const header = await source.take(BLOCK, true);
    if (header === undefined) {
      if (first) throw new Error("an empty archive");
      return;
    }
    if (header.every((byte) => byte === 0)) continue;
    if (!isHeader(header)) throw new Error("not a tar archive");
    const size = sizeOf(header);
    const type = String.fromCharCode(header[156]!);
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    // GNU `L` and POSIX.1-2001 `x`: the data is the next entry's name, or records that may hold it.
    if (type === "L" || type === "x" || type === "g") {
      if (size > EXTENSION_BYTES) throw new Error("a name of more than a megabyte");
      const data = (await source.take(padded))!.subarray(0, size).toString("utf8");
      if (type === "L") longName = data.replace(/\0.*$/s, "");
      else if (type === "x") longName = /^\d+ path=(.*)$/m.exec(data)?.[1] ?? longName;
      continue;
    }
    const name = (longName ?? nameOf(header)).replace(/^(?:\.?\/)+/, "");
    longName = undefined;
    const offset = source.position();
    if (wants(name, size) && (type === "0" || type === "\0" || type === "7"))
      yield { name, offset, size, data: (await source.take(padded))!.subarray(0, size) };
    else {
      await source.pass(padded);
      yield { name, offset, size };
    }
  }
}

function bytesOf(chunks: AsyncIterable<Uint8Array>) {
  const iterator = chunks[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  const more = async (): Promise<boolean> => {
    const { value, done } = await iterator.next();
    if (done) return false;
    held = held.length === 0 ? Buffer.from(value) : Buffer.concat([held, value]);
    return true;
  };
  return {
    position: () => at,
    /** Exactly so many bytes; undefined at the end when `optional`. */
    async take(bytes: number, optional = false): Promise<Buffer | undefined> {
      const parts: Buffer[] = [];
      let left = bytes;
      while (left > 0) {
        if (held.length === 0 && !(await more())) {
          if (optional && left === bytes) return undefined;
          throw new Error("it ends in the middle");
        }
        const part = held.subarray(0, left);
        parts.push(part);
        left -= part.length;
        held = held.subarray(part.length);
      }
      at += bytes;
      return Buffer.concat(parts, bytes);
    },
    async pass(bytes: number): Promise<void> {
      let left = bytes;
      while (left > 0) {
        if (held.length === 0 && !(await more())) throw new Error("it ends in the middle");
        const part = Math.min(left, held.length);
        left -= part;
        held = held.subarray(part);
      }
      at += bytes;
    },
  };
}

/** The sum of the header's bytes, its own field counted as blanks. */
function isHeader(header: Buffer): boolean {
  const stored = Number.parseInt(header.toString("latin1", 148, 156).replaceAll("\0", " ").trim(), 8);
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  return sum === stored;
}

function sizeOf(header: Buffer): number {
  // GNU: a size of 8 GB or more is binary, marked by the first bit.
  if ((header[124]! & 0x80) !== 0) return Number(header.readBigUInt64BE(128));
  const size = Number.parseInt(header.toString("latin1", 124, 136).replaceAll("\0", " ").trim() || "0", 8);
  if (!Number.isFinite(size)) throw new Error("not a tar archive");
  return size;
}

function nameOf(header: Buffer): string {
  const text = (from: number, to: number): string => header.toString("utf8", from, to).replace(/\0.*$/s, "");
  const prefix = header.toString("latin1", 257, 262) === "ustar" && header.toString("latin1", 263, 265) === "00" ? text(345, 500) : "";
  return prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}
