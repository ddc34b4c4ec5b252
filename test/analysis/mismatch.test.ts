/** package.json in the tarball against the packument, with the changes npm itself makes. */
import { expect, test } from "vitest";
import { analyse } from "../../src/core/analysis/analyse.ts";
import { manifestMismatches } from "../../src/core/analysis/mismatch.ts";
import type { Release } from "../../src/core/npm/release.ts";
import { pack } from "./archives.ts";

type Files = Readonly<Record<string, string>>;
type Manifest = Readonly<Record<string, unknown>>;
/** What it shows, or the line it gives; the tarball's manifest; the packument's entry; files. */
type Case<First> = readonly [first: First, manifest: Manifest, release: Release, files?: Files];

function mismatches(manifest: Manifest, release: Release, files: Files = {}): readonly string[] {
  return manifestMismatches(analyse(pack(files, manifest)).manifest!, { name: "sample", version: "1.0.0", release });
}

const SAME: readonly Case<string>[] = [
  ["nothing at all", {}, {}],
  ["equal maps", { dependencies: { a: "^1" }, peerDependencies: { b: "*" } }, { dependencies: { a: "^1" }, peerDependencies: { b: "*" } }],
  ["optional ones copied by old npm", { optionalDependencies: { a: "1" } }, { dependencies: { a: "1" }, optionalDependencies: { a: "1" } }],
  [
    "optional ones also written twice",
    { dependencies: { a: "1" }, optionalDependencies: { a: "1" } },
    { optionalDependencies: { a: "1" } },
  ],
  ["an empty spec", { dependencies: { a: "" } }, { dependencies: { a: "*" } }],
  ["spaces", { dependencies: { a: ">=1  <2 " } }, { dependencies: { a: ">=1 <2" } }],
  ["the script npm adds for gyp", {}, { scripts: { install: "node-gyp rebuild" }, gypfile: true }, { "binding.gyp": "{}" }],
  ["gyp told by the abbreviated form", {}, { installs: true }, { "binding.gyp": "{}" }],
  ["gyp switched off", { gypfile: false }, {}, { "binding.gyp": "{}" }],
  ["one command by its package's name", { bin: "./cli.js" }, { bin: { sample: "cli.js" } }],
  ["a folder of commands, listed or not", { directories: { bin: "bin" } }, {}, { "bin/x": "" }],
  ["scripts that no install runs", { scripts: { test: "a", prepare: "b" } }, { scripts: { prepare: "c" } }],
  ["a version with v", { version: "v1.0.0" }, {}],
  ["values npm drops", { dependencies: { a: 1 }, scripts: { install: "" } }, {}],
  ["a key given twice that decides nothing", {}, {}, { "package.json": '{"name":"sample","version":"1.0.0","main":"a","main":"b"}' }],
];

test.each(SAME.map((one) => ({ what: one[0], one })))("the same: $what", ({ one: [, manifest, release, files] }) =>
  expect(mismatches(manifest, release, files)).toEqual([]),
);

const CONTRADICTIONS: readonly Case<RegExp>[] = [
  [/^name: the tarball says "other"/, { name: "other" }, {}],
  [/^version: the tarball says "1\.0\.1"/, { version: "1.0.1" }, {}],
  [/^dependencies\.a: the tarball says "1", the registry nothing/, { dependencies: { a: "1" } }, {}],
  [/^dependencies\.a: the tarball says nothing, the registry "1"/, {}, { dependencies: { a: "1" } }],
  [/^optionalDependencies\.a/, { optionalDependencies: { a: "1" } }, { optionalDependencies: { a: "2" } }],
  [/^scripts\.postinstall: the tarball says "node x", the registry nothing/, { scripts: { postinstall: "node x" } }, {}],
  [/^scripts\.install/, { scripts: { install: "node x" } }, { scripts: { install: "node-gyp rebuild" } }, { "binding.gyp": "{}" }],
  [/^gyp: /, {}, {}, { "binding.gyp": "{}" }],
  [/^bin\.x/, { bin: { x: "a.js" } }, { bin: { x: "b.js" } }],
];

test.each(CONTRADICTIONS.map((one) => ({ line: one[0], one })))("a contradiction: $line", ({ one: [line, manifest, release, files] }) =>
  expect(mismatches(manifest, release, files)).toEqual([expect.stringMatching(line)]),
);
