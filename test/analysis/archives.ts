/** Archives for tests, honest and not: the writer does what it is told, also what no packer does. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";

export type Part = {
  readonly name: string;
  readonly data?: string | Uint8Array;
  readonly type?: string;
  readonly target?: string;
  /** Written into the header instead of the data's length. */
  readonly size?: string | Uint8Array;
  readonly checksum?: string;
  readonly prefix?: string;
};

/** One header and its data, padded. */
export function block({ name, data = "", type = "0", target = "", size, checksum, prefix = "" }: Part): Buffer {
  const body = Buffer.from(data as string);
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  if (size instanceof Uint8Array) header.set(size, 124);
  else header.write(size ?? `${body.length.toString(8).padStart(11, "0")}\0`, 124, 12);
  header.write("00000000000\0", 136);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write("ustar\u000000", 257);
  header.write(prefix, 345, 155);
  header.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

export const END = Buffer.alloc(1024);

export function tar(...parts: readonly (Part | Uint8Array)[]): Buffer {
  return Buffer.concat([...parts.map((part) => (part instanceof Uint8Array ? part : block(part))), END]);
}

/** A PAX record with its own length. */
export function pax(records: Readonly<Record<string, string>>, type = "x"): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (length !== Buffer.byteLength(rest) + String(length).length) length = Buffer.byteLength(rest) + String(length).length;
    return `${length}${rest}`;
  });
  return block({ name: "PaxHeader/x", type, data: lines.join("") });
}

/** A package as npm packs it, from path → content. A `package.json` is added when there is none. */
export function pack(files: Readonly<Record<string, string | Uint8Array>>, manifest: Readonly<Record<string, unknown>> = {}): Buffer {
  const all = { "package.json": JSON.stringify({ name: "sample", version: "1.0.0", ...manifest }), ...files };
  const parts = Object.entries(all).flatMap(([path, data]) => {
    const name = `package/${path}`;
    return name.length < 100 ? [{ name, data }] : [pax({ path: name }), { name: name.slice(0, 99), data }];
  });
  return gzipSync(tar(...parts));
}
