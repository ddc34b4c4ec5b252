import { expect, test } from "vitest";
import { diffTrees } from "./diff.ts";
import { readLockfile } from "./read.ts";

type Entry = { version: string; integrity?: string; resolved?: string };

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
  expect(found.changed.map(({ name, what }) => [name, what])).toEqual([
    ["other", "integrity"],
    ["place", "source"],
  ]);
});

test("a tree against itself is no change", () => {
  const one = tree({ a: { version: "1.0.0" }, "b/node_modules/a": { version: "1.0.0" }, b: { version: "1.0.0" } });
  expect(diffTrees(one, one)).toEqual({ added: [], removed: [], moved: [], changed: [] });
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
