import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { readLockfile } from "./read.ts";

type Row = {
  readonly name: string;
  readonly tag: number;
  readonly url?: string;
  readonly version?: readonly [number, number, number, string?, string?];
  readonly strings?: readonly string[];
  readonly sha512?: number;
  readonly script?: boolean;
  readonly needs?: readonly { readonly name: string; readonly range: string; readonly behaviour: number; readonly to: number }[];
};

const ABSENT = 0xffffffff;
const [PROD, OPTIONAL, DEV] = [0b10, 0b100, 0b1000];

/** A bun.lockb as bun lays it out, by the same numbers the reader has, but from the other end. */
function write(rows: readonly Row[], format: 2 | 3): Buffer {
  let strings = Buffer.alloc(0);
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const cell = Buffer.alloc(8);
    if (bytes.length <= 8 && (bytes.length < 8 || bytes[7]! < 0x80)) bytes.copy(cell);
    else {
      cell.writeUInt32LE(strings.length, 0);
      cell.writeUInt32LE((bytes.length | 0x80000000) >>> 0, 4);
      strings = Buffer.concat([strings, bytes]);
    }
    return cell;
  };
  const size = format === 3 ? 72 : 64;
  const columns: Buffer[][] = Array.from({ length: 8 }, () => []);
  const dependencies: Buffer[] = [];
  const resolutions: Buffer[] = [];
  for (const row of rows) {
    const resolution = Buffer.alloc(size);
    resolution[0] = row.tag;
    const values = row.tag === 2 ? [row.url ?? ""] : (row.strings ?? []);
    values.forEach((value, i) => text(value).copy(resolution, 8 + i * 8));
    if (row.version) {
      const [major, minor, patch, pre = "", build = ""] = row.version;
      [major, minor, patch].forEach((part, i) =>
        format === 3 ? resolution.writeBigUInt64LE(BigInt(part), 16 + i * 8) : resolution.writeUInt32LE(part, 16 + i * 4),
      );
      const tags = 16 + (format === 3 ? 24 : 16);
      text(pre).copy(resolution, tags);
      text(build).copy(resolution, tags + 16);
    }
    const slice = Buffer.alloc(8);
    slice.writeUInt32LE(dependencies.length, 0);
    slice.writeUInt32LE(row.needs?.length ?? 0, 4);
    for (const need of row.needs ?? []) {
      const entry = Buffer.alloc(26);
      text(need.name).copy(entry, 0);
      entry[16] = need.behaviour;
      text(need.range).copy(entry, 18);
      dependencies.push(entry);
      const to = Buffer.alloc(4);
      to.writeUInt32LE(need.to);
      resolutions.push(to);
    }
    const meta = Buffer.alloc(88);
    if (row.sha512 !== undefined) {
      meta[20] = 4;
      meta.fill(row.sha512, 21, 85);
    }
    meta[85] = row.script ? 2 : 1;
    [text(row.name), Buffer.alloc(8), resolution, slice, slice, meta, Buffer.alloc(20), Buffer.alloc(49)].forEach((cell, i) =>
      columns[i]!.push(cell),
    );
  }
  const header = Buffer.from("#!/usr/bin/env bun\nbun-lockfile-format-v0\n");
  const table = Buffer.concat(columns.flat());
  const fixed = Buffer.alloc(4 + 32 + 8 + 40);
  fixed.writeUInt32LE(format, 0);
  const begin = header.length + fixed.length;
  const numbers = [rows.length, 8, 8, begin, begin + table.length];
  numbers.forEach((number, i) => fixed.writeBigUInt64LE(BigInt(number), 44 + i * 8));
  let file = Buffer.concat([header, fixed, table]);
  for (const array of [
    Buffer.alloc(0),
    Buffer.alloc(0),
    Buffer.concat(resolutions),
    Buffer.concat(dependencies),
    Buffer.alloc(0),
    strings,
  ]) {
    const span = Buffer.alloc(16);
    span.writeBigUInt64LE(BigInt(file.length + 16), 0);
    span.writeBigUInt64LE(BigInt(file.length + 16 + array.length), 8);
    file = Buffer.concat([file, span, array]);
  }
  file = Buffer.concat([file, Buffer.alloc(8)]);
  file.writeBigUInt64LE(BigInt(file.length), header.length + 36);
  return file;
}

function sri(byte: number): object {
  return { kind: "sri", value: `sha512-${Buffer.alloc(64, byte).toString("base64")}` };
}

const commit = "0123456789abcdef0123456789abcdef01234567";
const ROWS: readonly Row[] = [
  {
    name: "shop",
    tag: 1,
    needs: [
      { name: "@corp/tool", range: "^2.0.0", behaviour: DEV, to: 1 },
      { name: "old-left", range: "npm:left@0.9.0", behaviour: PROD, to: 3 },
      { name: "native", range: "1.0.0", behaviour: OPTIONAL, to: 4 },
      { name: "missing", range: "1.0.0", behaviour: 0b10000, to: ABSENT },
    ],
  },
  {
    name: "@corp/tool",
    tag: 2,
    url: "https://r.test/@corp/tool/-/tool-2.0.0.tgz",
    version: [2, 0, 0],
    sha512: 1,
    script: true,
    needs: [{ name: "left", range: "^1.0.0", behaviour: PROD, to: 2 }],
  },
  {
    name: "left",
    tag: 2,
    url: "https://r.test/left/-/left-1.2.3-beta.12345+build.tgz",
    version: [1, 2, 3, "beta.12345", "build"],
    sha512: 2,
  },
  { name: "left", tag: 2, version: [0, 9, 0], sha512: 3 },
  { name: "native", tag: 2, version: [1, 0, 0], sha512: 4 },
  { name: "archive", tag: 80, strings: ["https://files.test/archive-1.0.0.tgz"] },
  { name: "forked", tag: 16, strings: ["team", "forked", commit, `team-forked-${commit}`] },
  { name: "app", tag: 72, strings: ["packages/app"] },
  { name: "local", tag: 4, strings: ["../local"] },
];

test.each([2, 3] as const)("binary format %s says what it fetches", (format) => {
  const tree = readLockfile("bun.lockb", write(ROWS, format));
  expect(tree).toMatchObject({ kind: "bun-binary", version: String(format), complete: true });
  expect(tree.packages.map(({ name, version, source, integrity }) => [name, version, source, integrity])).toEqual([
    ["@corp/tool", "2.0.0", { kind: "registry", url: "https://r.test/@corp/tool/-/tool-2.0.0.tgz" }, sri(1)],
    ["left", "1.2.3-beta.12345+build", { kind: "registry", url: "https://r.test/left/-/left-1.2.3-beta.12345+build.tgz" }, sri(2)],
    ["left", "0.9.0", { kind: "registry" }, sri(3)],
    ["native", "1.0.0", { kind: "registry" }, sri(4)],
    ["archive", "", { kind: "tarball", url: "https://files.test/archive-1.0.0.tgz" }, undefined],
    ["forked", "", { kind: "git", url: "github:team/forked", commit }, undefined],
    ["app", "", { kind: "workspace", path: "packages/app" }, undefined],
    ["local", "", { kind: "file", path: "../local" }, undefined],
  ]);
  const flags = tree.packages.map((entry) =>
    `${entry.name} ${entry.dev ? "dev" : ""}${entry.optional ? "optional" : ""}${entry.hasInstallScript ? " script" : ""}`.trim(),
  );
  expect(flags.slice(0, 4)).toEqual(["@corp/tool dev script", "left dev", "left", "native optional"]);
  expect(tree.importers.map((importer) => importer.path)).toEqual([".", "packages/app"]);
  expect(tree.problems.map((problem) => problem.code)).toEqual(["no-integrity", "binary"]);
});

test("cut anywhere, or with any byte turned, it is read in part or not at all, never thrown at", () => {
  const good = write(ROWS, 2);
  for (let length = 0; length < good.length; length += 7) {
    const tree = readLockfile("bun.lockb", good.subarray(0, length));
    expect(tree.complete).toBe(false);
    expect(tree.problems.length).toBeGreaterThan(0);
  }
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at] = bad[at]! ^ 0xff;
    readLockfile("bun.lockb", bad);
  }
});

test("an unknown binary format says what to do", () => {
  const later = write(ROWS, 3);
  later.writeUInt32LE(4, later.indexOf("v0\n") + 3);
  expect(readLockfile("bun.lockb", later)).toMatchObject({ complete: false, packages: [], problems: [{ code: "unknown-format" }] });
});
