/** What counts as saying the same. */
import { expect, test } from "vitest";
import { firstAlike } from "./alike.ts";
import { readLockfile } from "./read.ts";
import type { ResolvedPackage } from "./tree.ts";

const PLACE = { key: "node_modules/a", line: 2, column: 3 };
/** Every field there is, so that a new one is asked about here. */
const WORDS: Required<Omit<ResolvedPackage, keyof typeof PLACE>> = {
  name: "a",
  version: "1.0.0",
  alias: "b",
  source: { kind: "registry" },
  integrity: { kind: "sri", value: "sha512-x" },
  dev: false,
  optional: false,
  peer: false,
  os: ["linux"],
  cpu: ["x64"],
  libc: ["glibc"],
  hasInstallScript: true,
  patched: "a.patch",
  deprecated: "no",
  dependencies: { c: "*" },
  optionalDependencies: { d: "*" },
  peerDependencies: { e: "*" },
  instances: [],
};
const first: ResolvedPackage = { ...PLACE, ...WORDS };

test("packages that differ in their place alone are alike", () => {
  const other = { ...first, source: { ...WORDS.source } };
  const copy = { ...first, key: "packages/site/node_modules/a", line: 20, column: 5 };
  expect([...firstAlike([first, other, copy, { ...copy, line: 30 }])]).toEqual([0, 1, 0, 0]);
});

test.each(Object.keys(WORDS) as (keyof typeof WORDS)[])("not those that differ in their %s", (field) => {
  const { [field]: _, ...without } = first;
  const said = WORDS[field];
  const changed = typeof said === "boolean" ? !said : typeof said === "string" ? `${said}x` : structuredClone(said);
  for (const other of [without as ResolvedPackage, { ...first, [field]: changed }]) expect([...firstAlike([first, other])]).toEqual([0, 1]);
});

test("copies in a lockfile of npm's are read as such, and what only looks like one is not", () => {
  const entry = { version: "1.0.0", resolved: "https://registry.test/a/-/a-1.0.0.tgz", integrity: `sha512-${"A".repeat(86)}==` };
  const needing = { ...entry, dependencies: { c: "^1.0.0" } };
  const places: Record<string, object> = {
    "node_modules/a": needing,
    "x/node_modules/a": needing,
    "y/node_modules/a": { ...needing, dependencies: { c: "^1.0.1" } },
    "z/node_modules/a": { ...needing, dev: true },
    "y/node_modules/b/node_modules/a": { ...needing, license: "MIT" },
    "z/node_modules/b/node_modules/a": needing,
    "y/node_modules/c": { ...entry, name: "a" },
  };
  const document = { name: "x", lockfileVersion: 3, requires: true, packages: { "": { name: "x" }, ...places } };
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  const { packages } = readLockfile("package-lock.json", text);
  expect(packages.map(({ key }) => key)).toEqual(Object.keys(places));
  const lines = text.split("\n");
  expect(packages.map(({ line }) => lines[line - 1])).toEqual(Object.keys(places).map((key) => `    "${key}": {`));
  expect([...firstAlike(packages)]).toEqual([0, 0, 2, 3, 4, 0, 6]);
});
