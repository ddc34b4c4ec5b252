/** Which lockfile entries an install fetches, and whether the manifest still wants what is locked. */
import { expect, test } from "vitest";
import type { Intent } from "../core/client/client.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import { inStep, isFetched, lockedEntries } from "./wrap-lock.ts";

const LOCK = readLockfile(
  "package-lock.json",
  JSON.stringify({
    name: "site",
    lockfileVersion: 3,
    packages: {
      "": { name: "site", dependencies: { axios: "^1.13.0" } },
      "node_modules/axios": { version: "1.14.1", integrity: `sha512-${"A".repeat(86)}==` },
      "node_modules/http": { name: "axios", version: "0.30.4", integrity: `sha512-${"B".repeat(86)}==` },
      "node_modules/tape": { version: "5.0.0", dev: true, integrity: `sha512-${"C".repeat(86)}==` },
      "node_modules/fast-linux": { version: "1.0.0", optional: true, os: ["linux"], cpu: ["x64"], integrity: `sha512-${"D".repeat(86)}==` },
      "node_modules/fast-mac": { version: "1.0.0", optional: true, os: ["darwin"], integrity: `sha512-${"E".repeat(86)}==` },
      "node_modules/not-windows": { version: "1.0.0", os: ["!win32"], integrity: `sha512-${"F".repeat(86)}==` },
      "node_modules/local": { resolved: "packages/local", link: true },
    },
  }),
);
const entries = lockedEntries(LOCK, "package-lock.json", { os: "linux", cpu: "x64", libc: "glibc" });
const install: Extract<Intent, { kind: "install" }> = { kind: "install", frozen: true, omitDev: false, omitOptional: false };
const fetched = (intent: Intent) => entries.filter((entry) => isFetched(entry, intent)).map(({ name, version }) => `${name}@${version}`);

test("entries are what they are, not what they are called, with the line they stand on", () => {
  expect(entries.map(({ name, version }) => `${name}@${version}`)).toEqual([
    "axios@1.14.1",
    "axios@0.30.4",
    "tape@5.0.0",
    "fast-linux@1.0.0",
    "fast-mac@1.0.0",
    "not-windows@1.0.0",
  ]);
  expect(entries[0]).toMatchObject({ lockfile: "package-lock.json", line: 1, integrity: expect.stringMatching(/^sha512-/) });
});

test("an install fetches what fits this machine and was not left out", () => {
  expect(fetched(install)).toEqual(["axios@1.14.1", "axios@0.30.4", "tape@5.0.0", "fast-linux@1.0.0", "not-windows@1.0.0"]);
  expect(fetched({ ...install, omitDev: true, omitOptional: true })).toEqual(["axios@1.14.1", "axios@0.30.4", "not-windows@1.0.0"]);
  expect(fetched({ kind: "change", specs: ["axios@1.14.0"] })).toEqual([]);
});

test.each([
  [[["axios", "^1.13.0"]], true],
  [[["axios", "1.14.0"]], false],
  [[["http", "npm:axios@^0.30.0"]], true],
  [[["http", "npm:axios@^0.31.0"]], false],
  // What is not locked yet does not unlock the rest, nor does what no registry answers.
  [
    [
      ["new-one", "^1.0.0"],
      ["axios", "latest"],
      ["local", "file:packages/local"],
    ],
    true,
  ],
] satisfies [[string, string][], boolean][])("in step with %j: %s", (ranges, expected) => {
  expect(inStep(ranges, entries)).toBe(expected);
});
