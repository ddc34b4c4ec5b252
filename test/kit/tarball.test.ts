/** The tar writer, read back by npm's own reader. */
import { gunzipSync, inflateRawSync } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { expect, test } from "vitest";
import { gzip, packPackage, tar, type TarEntry } from "./tarball.ts";

async function list(archive: Uint8Array): Promise<ReadEntry["header"][]> {
  const headers: ReadEntry["header"][] = [];
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({ strict: true, onReadEntry: (entry) => (headers.push(entry.header), entry.resume()) });
    parser.on("error", reject).on("end", resolve).end(Buffer.from(archive));
  });
  return headers;
}

test("a package has npm's paths, fixed times, and executables by their first line", async () => {
  const headers = await list(
    packPackage([
      { path: "cli.js", text: "#!/usr/bin/env node\n" },
      { path: "lib/ü.js", text: "1;\n" },
    ]),
  );
  expect(headers.map(({ path, mode, size, mtime, cksumValid }) => [path, mode, size, mtime?.toISOString(), cksumValid])).toEqual([
    ["package/cli.js", 0o755, 20, "1985-10-26T08:15:00.000Z", true],
    ["package/lib/ü.js", 0o644, 3, "1985-10-26T08:15:00.000Z", true],
  ]);
});

test("links, traversal, duplicates and long names are written as asked", async () => {
  const long = `package/${"d".repeat(90)}/${"f".repeat(90)}`;
  const entries: TarEntry[] = [
    { path: "../../outside", body: "x" },
    { path: "package/a", body: new Uint8Array(513) },
    { path: "package/a", body: "again" },
    { path: "package/link", type: "symlink", target: "/etc/passwd" },
    { path: "package/folder", type: "directory" },
    { path: long },
  ];
  const read = await list(tar(entries));
  expect(read.map(({ path }) => path)).toEqual(entries.map(({ path }) => path));
  expect(read.map(({ type }) => type)).toEqual(["File", "File", "File", "SymbolicLink", "Directory", "File"]);
  expect(read[3]!.linkpath).toBe("/etc/passwd");
  expect(() => tar([{ path: "f".repeat(101) }])).toThrow("too long for ustar");
});

test("the gzip frame is valid and names neither time nor system", () => {
  const bytes = Buffer.from("the same bytes, always");
  const zipped = Buffer.from(gzip(bytes));
  expect(gunzipSync(zipped)).toEqual(bytes);
  expect([...zipped.subarray(4, 10)]).toEqual([0, 0, 0, 0, 2, 255]);
  expect(inflateRawSync(zipped.subarray(10, -8))).toEqual(bytes);
});
