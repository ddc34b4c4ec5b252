/** The archive reader against everything two readers could disagree about, and against the reader npm uses. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { Parser, type ReadEntry } from "tar";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import { readArchive } from "../../src/core/tarball/archive.ts";
import { gunzip } from "../../src/core/tarball/gunzip.ts";
import { block, END, pack, pax, tar } from "./archives.ts";

const main = { name: "package/package.json", data: "{}" };
const grave = (bytes: Uint8Array): readonly string[] => readArchive(bytes).problems.flatMap((one) => (one.grave ? [one.problem] : []));
const mild = (bytes: Uint8Array): readonly string[] => readArchive(bytes).problems.flatMap((one) => (one.grave ? [] : [one.problem]));
const paths = (bytes: Uint8Array): readonly string[] => readArchive(bytes).entries.map(({ path }) => path);

test("a package as npm packs it has no problem at all", () => {
  const long = `lib/${"deep/".repeat(30)}index.js`;
  const read = readArchive(pack({ "index.js": "1", [long]: "2", "lib/ünïcode.js": "3" }));
  expect(read.problems).toEqual([]);
  expect(read.entries.map(({ path }) => path)).toEqual(["package.json", "index.js", long, "lib/ünïcode.js"]);
});

test.each<readonly [what: string, archive: Buffer, problem: RegExp]>([
  ["a path upwards", tar(main, { name: "package/../../etc/x" }), /upwards/],
  ["a path upwards with backslashes", tar(main, { name: "package\\..\\..\\x" }), /upwards/],
  ["an absolute path", tar(main, { name: "/etc/x" }), /absolute/],
  ["a drive", tar(main, { name: "C:/x" }), /absolute/],
  ["a symbolic link outside", tar(main, { name: "package/a", type: "2", target: "../../x" }), /symbolic link/],
  ["an absolute link", tar(main, { name: "package/a", type: "2", target: "/etc/passwd" }), /symbolic link/],
  ["a hard link outside", tar(main, { name: "package/a", type: "1", target: "../x" }), /hard link/],
  [
    "a link renamed by an extended header",
    tar(main, pax({ linkpath: "/etc/passwd" }), { name: "package/a", type: "2", target: "b" }),
    /link/,
  ],
  ["a device", tar(main, { name: "package/null", type: "3" }), /device/],
  ["a second, different package.json", tar(main, { ...main, data: "[]" }), /two different files/],
  ["a package.json by case", tar(main, { name: "package/Package.JSON" }), /case or accents/],
  ["a package.json by compatibility letters", tar(main, { name: "package/\uff50ackage.json" }), /case or accents/],
  ["one path in two top folders", tar(main, { name: "other/package.json", data: "[]" }), /two different files/],
  ["an extended header that renames", tar(main, pax({ path: "package/index.js" }), { name: "package/readme.txt" }), /renames/],
  [
    "an extended header that resizes",
    tar(main, pax({ size: "512" }), { name: "package/a", data: "abc" }, Buffer.alloc(512)),
    /another size/,
  ],
  ["an extended size that is none", tar(main, pax({ size: "-1" }), { name: "package/a" }), /a size that is none/],
  ["a malformed extended header", tar(main, { name: "x", type: "x", data: "99 path=y\n" }, { name: "package/a" }), /malformed/],
  ["a global header that renames", tar(pax({ path: "package/b" }, "g"), main), /global header/],
  ["an extended header at the end", tar(main, pax({ path: "package/b" })), /belongs to no entry/],
  ["a size in base 256", tar(main, { name: "package/a", size: Buffer.from([128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) }), /base 256/],
  ["a negative size", tar(main, { name: "package/a", size: Buffer.alloc(12, 255) }), /no usable number/],
  ["a size that is not octal", tar(main, { name: "package/a", size: "0000000009\0" }), /not octal/],
  ["a wrong checksum", tar(main, { name: "package/a", checksum: "000001\0 " }), /checksum/],
  ["data after the end", Buffer.concat([tar(main), tar(main)]), /follows the end/],
  ["an entry after an empty block", Buffer.concat([Buffer.alloc(512), tar(main)]), /empty block/],
  ["an archive that ends inside an entry", tar({ name: "package/a", size: "77777777777\0" }), /inside an entry/],
  ["a sparse file", tar(main, { name: "package/a", type: "S" }), /unusual type/],
  ["a name that reorders text", tar(main, { name: "package/a\u202esj.exe" }), /reorder/],
  ["a name with an escape", tar(main, { name: "package/a\u001b[2J" }), /control/],
  ["an entry without a name", tar(main, { name: "" }), /no name/],
  ["nothing but folders", tar({ name: "package/", type: "5" }), /no file/],
  ["text", Buffer.from("hello"), /neither/],
])("grave: %s", (_what, archive, problem) => {
  const found = grave(archive.length % 512 === 0 ? gzipSync(archive) : archive);
  expect(found.some((one) => problem.test(one))).toBe(true);
});

test("what odd but honest packers do is said and is not grave", () => {
  for (const archive of [
    tar(main, main),
    tar(main, { name: "package/README.md" }, { name: "package/readme.md" }),
    tar(main, { name: "package/a", type: "2", target: "package.json" }),
    tar(main, { name: "stray.txt" }),
    tar(main, { name: "other/x.js" }),
    tar(main, { name: "package/a\\b.js" }),
    block(main),
    tar({ name: "package/@LongLink", type: "L", data: Buffer.from("package/\u00ff", "latin1") }, { name: "package/" }, main),
  ]) {
    expect(grave(gzipSync(archive))).toEqual([]);
    expect(mild(gzipSync(archive))).toHaveLength(1);
  }
  expect(mild(tar(main))).toEqual(["it is not compressed"]);
  expect(grave(gzipSync(tar(pax({ comment: "abc" }, "g"), main, { name: "package/Icon\r" })))).toEqual([]);
});

test("a GNU long name is the name", () => {
  const long = `package/${"x".repeat(150)}.js`;
  expect(paths(gzipSync(tar({ name: "././@LongLink", type: "L", data: `${long}\0` }, { name: long.slice(0, 99) })))).toEqual([
    long.slice(8),
  ]);
});

test("gzip: members, tails, checksums, cuts, bombs", () => {
  const one = gzipSync(tar(main));
  expect(grave(Buffer.concat([gzipSync("a"), gzipSync("b")]))).toContain("it consists of several gzip members");
  expect(grave(Buffer.concat([one, Buffer.from("tail")]))).toEqual(["4 bytes follow the compressed data"]);
  expect(mild(Buffer.concat([one, Buffer.alloc(512)]))).toEqual(["512 bytes follow the compressed data"]);
  const broken = Buffer.from(one);
  broken[broken.length - 6]! ^= 1;
  expect(grave(broken)).toContain("the checksum of the compressed data is wrong");
  for (let cut = 2; cut < one.length; cut += 3) expect(grave(one.subarray(0, cut))).not.toEqual([]);
  expect(gunzip(gzipSync(Buffer.alloc(5_000_000)), 1_000_000).problems).toEqual([
    { problem: expect.stringMatching(/more than/) as string, grave: true },
  ]);
  const bomb = gzipSync(tar(main, { name: "package/zeros", data: Buffer.alloc(LIMITS.archiveRatioBytes) }));
  expect(grave(bomb)).toEqual([expect.stringMatching(/times its size/)]);
});

test("a changed or random archive is read or named, never thrown at", () => {
  const good = pack({ "index.js": "module.exports = 1;", "lib/a.js": "x".repeat(2_000) });
  const plain = tar(main, pax({ path: "package/ü.js" }), { name: "package/u.js", data: "x" });
  fc.assert(
    fc.property(fc.constantFrom(good, plain), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (bytes, changes) => {
      const changed = Buffer.from(bytes);
      for (const [at, byte] of changes) changed[at % changed.length] = byte;
      readArchive(changed);
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => void readArchive(bytes)));
});

test("without a grave problem the files are those npm's own reader sees", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1_023), fc.nat(255)), { maxLength: 2 }), async (changes) => {
      const archive = Buffer.concat([block(main), block({ name: "package/a.js", data: "a" }), END]);
      for (const [at, byte] of changes) archive[at] = byte;
      if (grave(gzipSync(archive)).length > 0) return;
      const seen: string[] = [];
      await new Promise<void>((resolve, reject) => {
        const parser = new Parser({
          onReadEntry: (entry: ReadEntry) => {
            if (entry.type.endsWith("File"))
              seen.push(
                entry.path
                  .split(/[/\\]+/)
                  .filter((part) => part !== "" && part !== ".")
                  .slice(1)
                  .join("/"),
              );
            entry.resume();
          },
        });
        parser.on("end", resolve).on("error", reject);
        parser.end(archive);
      });
      expect(paths(gzipSync(archive))).toEqual(seen.filter((path) => path !== ""));
    }),
  );
});
