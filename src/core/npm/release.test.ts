/** What is read of a release: what clients would understand, cut to size; what is hostile is left out and nothing throws. */
import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, dist, type Json, manifest, packument } from "../../../test/samples/packument.ts";
import { LIMITS } from "../base/limits.ts";
import { instant } from "../base/time.ts";
import { readPackument } from "./packument.ts";
import { readRelease } from "./release.ts";

test("a release as the registry writes it", () => {
  expect(
    readRelease({
      name: "@acme/tool",
      _npmUser: {
        name: "GitHub Actions",
        email: "ci@registry.test",
        trustedPublisher: { id: "github", oidcConfigId: "oidc:1" },
        approver: { name: "mara", email: "mara@example.test" },
      },
      scripts: { test: "vitest", postinstall: "node x", prepare: "husky", install: "" },
      gypfile: true,
      dependencies: { a: "^1.0.0", b: "github:x/y" },
      optionalDependencies: {},
      bundleDependencies: ["a"],
      bin: "cli.js",
      repository: { type: "git", url: "git+https://GitHub.com/Acme/Tool.git" },
      engines: { node: ">=20" },
      _hasShrinkwrap: false,
      gitHead: "c0ffee",
      dist: {
        fileCount: 3,
        unpackedSize: 4_000,
        signatures: [{ keyid: "SHA256:k", sig: "MEUC" }],
        attestations: {
          url: "https://registry.test/-/npm/v1/attestations/x",
          provenance: { predicateType: "https://slsa.dev/provenance/v1" },
        },
      },
    }),
  ).toEqual({
    publisher: {
      name: "GitHub Actions",
      email: "ci@registry.test",
      trusted: { id: "github", config: "oidc:1" },
      approver: "mara",
    },
    scripts: { postinstall: "node x", prepare: "husky" },
    gypfile: true,
    dependencies: { a: "^1.0.0", b: "github:x/y" },
    bundled: ["a"],
    bin: { tool: "cli.js" },
    repository: "github.com/acme/tool",
    engines: { node: ">=20" },
    files: 3,
    bytes: 4_000,
    gitHead: "c0ffee",
    signatures: [{ keyid: "SHA256:k", sig: "MEUC" }],
    attestations: { url: "https://registry.test/-/npm/v1/attestations/x", provenance: "https://slsa.dev/provenance/v1" },
  });
});

test.each([
  ["git+ssh://git@github.com/acme/tool.git", "github.com/acme/tool"],
  ["git://github.com/acme/tool", "github.com/acme/tool"],
  ["git@gitlab.com:acme/sub/tool.git", "gitlab.com/acme/sub/tool"],
  ["https://github.com/acme/mono/tree/main/packages/tool#readme", "github.com/acme/mono"],
  ["https://git.acme.test:8443/tool/", "git.acme.test/tool"],
  ["acme/tool", "github.com/acme/tool"],
  ["bitbucket:acme/tool", "bitbucket.org/acme/tool"],
  ["somewhere", undefined],
])("the repository %s is %s", (written, read) => {
  expect(readRelease({ repository: written }).repository).toBe(read);
});

test("what is too large is cut, what has the wrong type is left out", () => {
  const many = Object.fromEntries(Array.from({ length: LIMITS.releaseEntries + 9 }, (_, n) => [`d${n}`, "1.0.0"]));
  const read = readRelease({
    scripts: { preinstall: "x".repeat(LIMITS.scriptChars + 9) },
    dependencies: { ...many },
    optionalDependencies: { long: "y".repeat(LIMITS.releaseTextChars + 9), ["n".repeat(LIMITS.nameChars + 1)]: "1", number: 1 },
    peerDependencies: ["a"],
    bundledDependencies: [1, "b"],
    bin: 7,
    dist: { fileCount: -1, unpackedSize: "9", signatures: [{ keyid: 1, sig: "x" }, null], attestations: "x" },
    _npmUser: { name: 1, trustedPublisher: "github" },
    gypfile: "yes",
  });
  expect(read.scripts!["preinstall"]).toHaveLength(LIMITS.scriptChars);
  expect(Object.keys(read.dependencies!)).toHaveLength(LIMITS.releaseEntries);
  expect(Object.entries(read.optionalDependencies!)).toEqual([["long", "y".repeat(LIMITS.releaseTextChars)]]);
  expect(Object.keys(read).toSorted()).toEqual(["bundled", "dependencies", "optionalDependencies", "publisher", "scripts"]);
  expect(read).toMatchObject({ bundled: ["b"], publisher: {} });
});

test("no key reaches a prototype", () => {
  const read = readRelease(
    JSON.parse('{"dependencies":{"__proto__":"1.0.0","constructor":"1.0.0"},"scripts":{"__proto__":{"install":"x"}}}'),
  );
  expect(Object.entries(read.dependencies!)).toEqual([["constructor", "1.0.0"]]);
  expect(read.scripts).toBeUndefined();
});

test("nothing in a manifest makes it throw", () => {
  const fields = ["_npmUser", "scripts", "dependencies", "bin", "name", "repository", "dist", "bundleDependencies", "engines", "gypfile"];
  fc.assert(
    fc.property(fc.oneof(fc.dictionary(fc.constantFrom(...fields), fc.jsonValue()), fc.jsonValue()), (any) => {
      expect(typeof readRelease(any)).toBe("object");
    }),
    { numRuns: 500 },
  );
});

const MOMENT = instant(Date.parse("2020-01-05T00:00:00Z"));

function releasesOf(document: Record<string, Json>, moment = MOMENT) {
  const reading = readPackument("axios", bytes(document), LIMITS, moment);
  if (reading.kind === "unreadable") throw new Error(reading.reason);
  return reading.summary.releases;
}

test("young versions and what they are compared with are read, old packages not at all", () => {
  const document = packument("axios", [
    manifest("axios", "1.0.0"),
    manifest("axios", "1.0.1", { scripts: { postinstall: "node x" }, dist: dist("axios", "1.0.1", { unpackedSize: 9 }) }),
  ]);
  expect(releasesOf(document)).toMatchObject({ "1.0.0": {}, "1.0.1": { scripts: { postinstall: "node x" }, bytes: 9 } });
  expect(releasesOf(document, instant(MOMENT + LIMITS.releaseMs * 2))).toBeUndefined();
  const reading = readPackument("axios", bytes(document));
  expect(reading).toMatchObject({ kind: "packument" });
  expect(JSON.stringify(reading)).not.toContain("releases");
});

test("a version that cannot be served is not read", () => {
  const bad = Buffer.from(
    JSON.stringify(packument("axios", [manifest("axios", "1.0.0"), manifest("axios", "1.0.1", { scripts: { install: "x" } })])).replace(
      '"install":"x"',
      '"install":"x","install":"y"',
    ),
  );
  const reading = readPackument("axios", bad, LIMITS, MOMENT);
  expect(reading).toMatchObject({ summary: { problems: [{ version: "1.0.1" }], releases: { "1.0.0": {} } } });
  expect(Object.keys(reading.kind === "packument" ? reading.summary.releases! : {})).toEqual(["1.0.0"]);
});
