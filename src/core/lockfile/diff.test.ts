import { expect, test } from "vitest";
import { diffTrees } from "./diff.ts";
import { NPM_REGISTRY, YARN_REGISTRY_HOST } from "../config/constants.ts";
import { readLockfile } from "./read.ts";

type Entry = { version: string; integrity?: string; resolved?: string; dev?: boolean };

function tree(packages: Record<string, Entry>): ReturnType<typeof readLockfile> {
  const keyed = Object.fromEntries(Object.entries(packages).map(([path, entry]) => [`node_modules/${path}`, entry]));
  return readLockfile("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...keyed } }));
}

function id({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

const sha = (letter: string): string => `sha512-${letter.repeat(85)}A==`;

test("what came, what went, what moved, what changed under its name", () => {
  const before = tree({
    same: { version: "1.0.0", integrity: sha("a") },
    gone: { version: "1.0.0" },
    up: { version: "1.0.0" },
    "same/node_modules/up": { version: "0.9.0" },
    other: { version: "1.0.0", integrity: sha("b") },
    place: { version: "1.0.0", resolved: "https://a.test/place/-/place-1.0.0.tgz" },
  });
  const after = tree({
    same: { version: "1.0.0", integrity: sha("a") },
    come: { version: "2.0.0" },
    up: { version: "1.1.0" },
    "same/node_modules/up": { version: "0.9.0" },
    other: { version: "1.0.0", integrity: sha("c") },
    place: { version: "1.0.0", resolved: "https://b.test/place/-/place-1.0.0.tgz" },
  });
  const found = diffTrees(before, after);
  expect(found.added.map(id)).toEqual(["come@2.0.0"]);
  expect(found.removed.map(id)).toEqual(["gone@1.0.0"]);
  expect(found.moved.map(({ name, from, to }) => [name, from.map(id), to.map(id)])).toEqual([["up", ["up@1.0.0"], ["up@1.1.0"]]]);
  expect(found.changed.map(({ name, integrity, source }) => [name, integrity, source])).toEqual([
    ["other", "different", false],
    ["place", undefined, true],
  ]);
  // `same`, and the copy of `up` that stayed.
  expect(found.unchanged).toBe(2);
});

test("a tree against itself is no change", () => {
  const one = tree({ a: { version: "1.0.0" }, "b/node_modules/a": { version: "1.0.0" }, b: { version: "1.0.0" } });
  expect(diffTrees(one, one)).toEqual({ added: [], removed: [], moved: [], changed: [], promoted: [], unchanged: 2 });
});

test("another copy of the same version is no change, a copy with other bytes is", () => {
  const before = tree({ a: { version: "1.0.0", integrity: sha("a") } });
  expect(
    diffTrees(before, tree({ a: { version: "1.0.0", integrity: sha("a") }, "b/node_modules/a": { version: "1.0.0", integrity: sha("a") } }))
      .changed,
  ).toEqual([]);
  const swapped = tree({ a: { version: "1.0.0", integrity: sha("a") }, "b/node_modules/a": { version: "1.0.0", integrity: sha("z") } });
  expect(diffTrees(before, swapped).changed.map(({ after }) => after.key)).toEqual(["node_modules/b/node_modules/a"]);
});

test("a digest that is lost, gained or of another kind is told apart from one that differs", () => {
  const sha1 = "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=";
  const change = (before: Partial<Entry>, after: Partial<Entry>): unknown =>
    diffTrees(tree({ a: { version: "1.0.0", ...before } }), tree({ a: { version: "1.0.0", ...after } })).changed[0]?.integrity;
  expect(change({ integrity: sha("a") }, {})).toBe("lost");
  expect(change({}, { integrity: sha("a") })).toBe("gained");
  expect(change({ integrity: sha1 }, { integrity: sha("a") })).toBe("unlike");
  expect(change({ integrity: sha("a") }, { integrity: sha("b") })).toBe("different");
  expect(change({ integrity: sha("a") }, { integrity: `${sha1} ${sha("a")}` })).toBeUndefined();
});

test("the default registry is one place, however it is written; another host is another place", () => {
  const from = (resolved?: string): ReturnType<typeof tree> =>
    tree({ a: { version: "1.0.0", ...(resolved === undefined ? {} : { resolved }) } });
  const [npm, yarn] = [`${NPM_REGISTRY}a/-/a-1.0.0.tgz`, `https://${YARN_REGISTRY_HOST}/a/-/a-1.0.0.tgz`];
  for (const resolved of [undefined, npm, yarn]) expect(diffTrees(from(npm), from(resolved)).changed).toEqual([]);
  for (const resolved of ["https://mirror.test/a/-/a-1.0.0.tgz", npm.replace("https:", "http:"), npm.replace("/a/-", ".evil.test/a/-")])
    expect(diffTrees(from(npm), from(resolved)).changed.map(({ source }) => source)).toEqual([true]);
});

test("what leaves the development dependencies is promoted, what enters them is not", () => {
  const before = tree({ a: { version: "1.0.0", dev: true }, b: { version: "1.0.0" } });
  const after = tree({ a: { version: "1.0.0" }, b: { version: "1.0.0", dev: true } });
  expect(diffTrees(before, after).promoted.map(id)).toEqual(["a@1.0.0"]);
});
