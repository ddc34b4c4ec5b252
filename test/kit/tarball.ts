/**
 * Writes npm tarballs: the same entries give the same bytes, on every machine and at every hour, so an integrity can stand in a golden file.
 * It also writes what npm never would (links, traversal, duplicates), for tests of whatever reads tarballs.
 */
import { deflateRawSync, crc32 } from "node:zlib";

export type TarEntry = {
  /** As it stands in the archive; npm's own begin with `package/`. Not checked. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly type?: "file" | "link" | "symlink" | "directory";
  /** Target of a link. */
  readonly target?: string;
  readonly mode?: number;
};

/** The moment npm itself writes into every entry. */
const MTIME = Date.UTC(1985, 9, 26, 8, 15) / 1000;
const TYPES = { file: "0", link: "1", symlink: "2", directory: "5" };
const BLOCK = 512;

/** An npm package: each file below `package/`, executable when it begins with `#!`. */
export function packPackage(files: readonly { readonly path: string; readonly text: string }[]): Uint8Array {
  return gzip(tar(files.map(({ path, text }) => ({ path: `package/${path}`, body: text, mode: text.startsWith("#!") ? 0o755 : 0o644 }))));
}

/** A ustar archive, not compressed. */
export function tar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const body = Buffer.from(entry.body ?? "");
    blocks.push(header(entry, body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** gzip whose header says nothing of the machine that wrote it: no time, no operating system. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]), deflateRawSync(bytes, { level: 9 }), trailer]);
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const [prefix, name] = splitPath(entry.path);
  block.write(name, 0);
  block.write(octal(entry.mode ?? 0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(MTIME, 11), 136);
  block.write(TYPES[entry.type ?? "file"], 156);
  block.write(entry.target ?? "", 157);
  block.write("ustar\u000000", 257);
  block.write(prefix, 345);
  // The checksum counts its own eight bytes as spaces.
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

/** ustar holds 100 bytes of name behind 155 of prefix. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ["", path];
  const cut = path.indexOf("/", Math.max(0, path.length - 101));
  const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
  if (cut < 0 || Buffer.byteLength(name) > 100 || Buffer.byteLength(prefix) > 155) throw new Error(`too long for ustar: ${path}`);
  return [prefix, name];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
