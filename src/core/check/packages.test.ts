import { expect, test } from "vitest";
import { readLockfile } from "../lockfile/read.ts";
import { packagesOf } from "./packages.ts";

const SHA = `sha512-${"a".repeat(85)}A==`;

const NPM = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    "": { dependencies: { a: "^1.0.0" }, devDependencies: { d: "^1.0.0" }, workspaces: ["packages/*"] },
    "node_modules/a": { version: "1.0.0", integrity: SHA, dependencies: { b: "^1.0.0" } },
    "node_modules/b": { version: "1.0.0", integrity: SHA },
    "node_modules/c": { version: "1.0.0", resolved: `git+ssh://git@host.test/c.git#${"a".repeat(40)}` },
    "node_modules/d": { version: "1.0.0", dev: true },
    "node_modules/own": { resolved: "packages/own", link: true },
    "packages/own": { name: "own", version: "1.0.0", dependencies: { c: "*" } },
  },
});

test("what is fetched, with what needs it; the project's own folders are not packages, what they need is direct", () => {
  const found = packagesOf(readLockfile("package-lock.json", NPM));
  expect(found.map(({ name, direct, dependsOn, dev }) => [name, direct ?? false, dependsOn, dev])).toEqual([
    ["a", true, [1], false],
    ["b", false, [], false],
    ["c", true, [], false],
    ["d", true, [], true],
  ]);
  expect(found[0]).toMatchObject({ lockfile: "package-lock.json", key: "node_modules/a", integrity: SHA, source: "registry" });
  expect(found[2]).toMatchObject({ source: "git", url: `git+ssh://git@host.test/c.git#${"a".repeat(40)}` });
});
