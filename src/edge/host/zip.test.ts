/** Packages that stay in zip archives (yarn's Plug'n'Play) are read from the archive itself, whatever the archive holds. */
import fs from "node:fs";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { tree } from "../../../test/kit/tree.ts";
import { readProject } from "./installed.ts";
import { readZipText } from "./zip.ts";

type Entry = { name: string; text: string; stored?: boolean; size?: number; method?: number };

/** A zip archive of these entries, checksums left at zero: nobody here reads them. */
function zip(entries: readonly Entry[], comment = ""): Buffer {
  const bodies: Buffer[] = [];
  const headers: Buffer[] = [];
  let offset = 0;
  for (const { name, text, stored = false, size, method } of entries) {
    const data = stored ? Buffer.from(text) : deflateRawSync(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(method ?? (stored ? 0 : 8), 10);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(size ?? Buffer.byteLength(text), 24);
    central.writeUInt16LE(Buffer.byteLength(name), 28);
    central.writeUInt32LE(offset, 42);
    bodies.push(local, Buffer.from(name), data);
    headers.push(central, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + data.length;
  }
  const directory = Buffer.concat(headers);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...bodies, directory, end, Buffer.from(comment)]);
}

function read(bytes: Uint8Array, entry = "a/package.json"): ReturnType<typeof readZipText> {
  const root = tree({ "x.zip": bytes });
  return readZipText(path.join(root, "x.zip"), entry);
}

test("an entry, packed or stored, behind others and before a comment; the last of two counts", () => {
  expect(read(zip([{ name: "a/package.json", text: "packed" }]))).toBe("packed");
  expect(
    read(
      zip(
        [
          { name: "b", text: "1" },
          { name: "a/package.json", text: "stored", stored: true },
        ],
        "a comment",
      ),
    ),
  ).toBe("stored");
  expect(
    read(
      zip([
        { name: "a/package.json", text: "first" },
        { name: "a/package.json", text: "last" },
      ]),
    ),
  ).toBe("last");
});

test("bombs, lies and other shapes are reasons", () => {
  const bomb = { name: "a/package.json", text: "0".repeat(20_000_000), size: 10 };
  expect(read(zip([bomb]))).toHaveProperty("why");
  expect(read(zip([{ ...bomb, size: 20_000_000 }]))).toMatchObject({ why: expect.stringContaining("larger than") });
  expect(read(zip([{ name: "a/package.json", text: "x", method: 12 }]))).toMatchObject({ why: expect.stringContaining("unknown way") });
  expect(read(zip([{ name: "other", text: "x" }]))).toMatchObject({ why: expect.stringContaining("not in it") });
  expect(read(Buffer.from("no zip at all"))).toMatchObject({ why: "not a zip archive" });
  expect(readZipText("/nonexistent.zip", "a")).toMatchObject({ why: "ENOENT" });
  expect(readZipText(tree(), "a")).toHaveProperty("why");
});

test("no bytes make it throw", () => {
  const good = zip([{ name: "a/package.json", text: "packed" }]);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
      const bytes = Buffer.from(good);
      bytes[at] = value;
      read(bytes.subarray(0, cut));
      read(bytes);
    }),
    { numRuns: 300 },
  );
});

function manifest(name: string, version: string): Entry {
  return { name: `node_modules/${name}/package.json`, text: JSON.stringify({ name, version, dependencies: { form: "^2" } }) };
}

function located(location: string): object {
  return { packageLocation: location, packageDependencies: [], linkType: "HARD" };
}

test("Plug'n'Play: name and version come from the archive, the record stands beside them", async () => {
  const root = tree({
    "cache/axios.zip": zip([manifest("axios", "1.14.0")]),
    "cache/plain.zip": zip([manifest("plain", "4.2.0")]),
    "cache/loc.zip": zip([manifest("loc", "9.0.0")]),
    "cache/torn.zip": "torn",
    "app/.yarn/unplugged/native-npm-1.0.0-8f/node_modules/native/package.json": { name: "native", version: "1.0.0" },
    "app/.pnp.data.json": {
      packageRegistryData: [
        [null, [[null, located("./")]]],
        ["http", [["npm:axios@1.14.0", located("../cache/axios.zip/node_modules/axios/")]]],
        ["plain", [["npm:4.2.1", located("../cache/plain.zip/node_modules/plain/")]]],
        ["loc", [["file:./loc#./loc::hash=d2", located("../cache/loc.zip/node_modules/loc/")]]],
        ["torn", [["npm:1.0.0", located("../cache/torn.zip/node_modules/torn/")]]],
        ["native", [["npm:1.0.0", located("./.yarn/unplugged/native-npm-1.0.0-8f/node_modules/native/")]]],
        ["win-only", [["npm:1.0.0", located("../cache/win-only.zip/node_modules/win-only/")]]],
      ],
    },
  });
  const installed = await readProject({
    client: "yarn-berry",
    root: path.join(root, "app"),
    workspaces: [],
    surroundings: { env: {}, home: root, temporary: root, platform: "linux" },
  });
  expect(installed.packages.map((found) => `${found.name}@${found.version} ${found.source} ${found.alias ?? ""}`.trim())).toEqual([
    "axios@1.14.0 registry http",
    "plain@4.2.0 registry",
    "loc@9.0.0 file",
    "native@1.0.0 registry",
  ]);
  expect(installed.packages[0]!.dependencies).toEqual({ form: "^2" });
  expect(installed.disagreements).toMatchObject([{ folder: "plain@4.2.0", record: "plain@4.2.1", source: ".pnp.data.json" }]);
  expect(installed.unreadable).toMatchObject([{ why: "not a zip archive" }]);
  fs.writeFileSync(path.join(root, "app/.pnp.data.json"), "{}");
  const broken = await readProject({
    client: "yarn-berry",
    root: path.join(root, "app"),
    workspaces: [],
    surroundings: { env: {}, home: root, temporary: root, platform: "linux" },
  });
  expect(broken.unreadable).toMatchObject([{ why: "no package data found in it" }]);
});
