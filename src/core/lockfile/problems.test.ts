/** Each way a lockfile can be wrong, made by one edit of a good one: reported with its code, line and column. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readLockfile } from "./read.ts";
import type { LockProblemCode, ResolvedTree } from "./tree.ts";

function sample(file: string): string {
  return readFileSync(new URL(`samples/${file}`, import.meta.url), "utf8");
}

/** The sample with one thing replaced, which must be there. */
function edited(file: string, from: string | RegExp, to: string): string {
  const before = sample(file);
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  return after;
}

const NAMES = { npm: "package-lock.json", pnpm: "pnpm-lock.yaml", yarn: "yarn.lock", bun: "bun.lock", deno: "deno.lock" } as const;

function read(file: string, text: string): ResolvedTree {
  return readLockfile(NAMES[file.split("-")[0] as keyof typeof NAMES], text);
}

/** Line and column of the first place the text has `mark`. */
function placeOf(text: string, mark: string): { line: number; column: number } {
  const at = text.indexOf(mark);
  expect(at, mark).toBeGreaterThanOrEqual(0);
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}

type Case = {
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
  readonly code: LockProblemCode;
  readonly at: string;
};

const CASES: Readonly<Record<string, Case>> = {
  "npm: a key twice": {
    file: "npm-3.json",
    from: '"node_modules/right": {',
    to: '"node_modules/left": {',
    code: "duplicate-key",
    at: '"node_modules/left": {\n      "version": "0.1.4"',
  },
  "npm: a version that is a number": {
    file: "npm-3.json",
    from: '"version": "1.2.3"',
    to: '"version": 1.2',
    code: "wrong-type",
    at: '"version": 1.2',
  },
  "npm: packages as a list": {
    file: "npm-3.json",
    from: /"packages": \{[^]*\n {2}\}\n\}/,
    to: '"packages": []\n}',
    code: "wrong-type",
    at: '"packages"',
  },
  "npm: an entry that is null": {
    file: "npm-3.json",
    from: /"node_modules\/left": \{[^}]*\}/,
    to: '"node_modules/left": null',
    code: "wrong-type",
    at: '"node_modules/left": null',
  },
  "npm: a format of the future": {
    file: "npm-3.json",
    from: '"lockfileVersion": 3',
    to: '"lockfileVersion": 4',
    code: "unknown-format",
    at: '"lockfileVersion"',
  },
  "npm: integrity gone": {
    file: "npm-3.json",
    from: /,\n {6}"integrity": "sha512-sz[^"]*"/,
    to: "",
    code: "no-integrity",
    at: '"node_modules/left"',
  },
  "npm: integrity cut": {
    file: "npm-3.json",
    from: /("integrity": "sha512-sz[^"]{20})[^"]*"/,
    to: '$1"',
    code: "bad-integrity",
    at: '"node_modules/left"',
  },
  "npm: a URL of another package": {
    file: "npm-3.json",
    from: "left/-/left-1.2.3.tgz",
    to: "lefft/-/lefft-1.2.3.tgz",
    code: "identity-mismatch",
    at: '"node_modules/left"',
  },
  "npm: a URL of another version": {
    file: "npm-3.json",
    from: "left/-/left-1.2.3.tgz",
    to: "left/-/left-1.2.4.tgz",
    code: "identity-mismatch",
    at: '"node_modules/left"',
  },
  "npm: a path out of node_modules": {
    file: "npm-3.json",
    from: '"node_modules/left"',
    to: '"node_modules/../left"',
    code: "bad-name",
    at: '"node_modules/../left"',
  },
  "npm: a path that goes up": {
    file: "npm-3.json",
    from: '"node_modules/left"',
    to: '"packages/../node_modules/left"',
    code: "bad-name",
    at: '"packages/../node_modules/left"',
  },
  "npm 2: one half has another package behind the alias": {
    file: "npm-2.json",
    from: '"version": "npm:left@0.9.0",\n      "resolved": "https://registry.corp.test/left/-/left-0.9.0.tgz",',
    to: '"version": "npm:lefft@0.9.0",',
    code: "contradiction",
    at: '"old-left": {',
  },
  "npm: a short commit": {
    file: "npm-3.json",
    from: /#0123456789abcdef[0-9a-f]*",\n {6}"license/,
    to: '#0123456",\n      "license',
    code: "unpinned-git",
    at: '"node_modules/forked"',
  },
  "npm 2: one half has another version": {
    file: "npm-2.json",
    from: /(\n {4}"left": \{\n {6}"version": )"1\.2\.3"/,
    to: '$1"1.2.2"',
    code: "contradiction",
    at: '"left": {\n      "version"',
  },
  "npm 2: one half has other bytes": {
    file: "npm-2.json",
    from: /(\n {4}"left": \{[^}]*"integrity": "sha512-)./,
    to: "$1A",
    code: "contradiction",
    at: '"left": {\n      "version"',
  },
  "npm 2: one half has another place": {
    file: "npm-2.json",
    from: /(\n {4}"left": \{[^}]*"resolved": "https:\/\/)registry/,
    to: "$1mirror",
    code: "contradiction",
    at: '"left": {\n      "version"',
  },
  "npm 2: an entry in one half only": {
    file: "npm-2.json",
    from: /\n {4}"native": \{[^}]*\},(?=\n {4}"old-left)/,
    to: "",
    code: "contradiction",
    at: '"node_modules/native"',
  },
  "npm 2: an entry in the other half only": {
    file: "npm-2.json",
    from: /\n {4}"node_modules\/native": \{[^}]*\},/,
    to: "",
    code: "contradiction",
    at: '"native": {',
  },
  "npm 3 without its packages": {
    file: "npm-1.json",
    from: '"lockfileVersion": 1',
    to: '"lockfileVersion": 3',
    code: "contradiction",
    at: '"lockfileVersion"',
  },
  "pnpm 9: another name beside the key": {
    file: "pnpm-9.0.yaml",
    from: "  left@1.2.3:\n    resolution",
    to: "  left@1.2.3:\n    name: harmless\n    resolution",
    code: "contradiction",
    at: "left@1.2.3:\n    name",
  },
  "pnpm 6: another version beside the key": {
    file: "pnpm-6.0.yaml",
    from: "  /left@1.2.3:\n",
    to: "  /left@1.2.3:\n    version: 9.9.9\n",
    code: "contradiction",
    at: "/left@1.2.3:\n    version",
  },
  "pnpm: a reference to nothing": {
    file: "pnpm-9.0.yaml",
    from: "  right@0.1.4: {}\n",
    to: "",
    code: "dangling",
    at: "  right@0.1.4:\n".trim(),
  },
  "pnpm: a copy of nothing": {
    file: "pnpm-9.0.yaml",
    from: /\n {2}native@1\.0\.0:\n {4}resolution[^]*?\n\n/,
    to: "\n",
    code: "dangling",
    at: "native@1.0.0:\n    optional",
  },
  "pnpm: an importer of nothing": {
    file: "pnpm-6.0.yaml",
    from: "version: /left@0.9.0",
    to: "version: /left@0.9.1",
    code: "dangling",
    at: "old-left:",
  },
  "pnpm: a key twice": {
    file: "pnpm-6.0.yaml",
    from: "  /right@0.1.4:",
    to: "  /left@1.2.3:",
    code: "duplicate-key",
    at: "/left@1.2.3:\n    resolution: {integrity: sha512-ON",
  },
  "pnpm: a version YAML takes for a number": {
    file: "pnpm-6.0.yaml",
    from: "version: 1.2.3",
    to: "version: 1.2",
    code: "wrong-type",
    at: "version: 1.2\n",
  },
  "pnpm: no version of the format": {
    file: "pnpm-9.0.yaml",
    from: "lockfileVersion: '9.0'\n",
    to: "",
    code: "unknown-format",
    at: "settings",
  },
  "pnpm: another package's tarball": {
    file: "pnpm-9.0.yaml",
    from: "right/-/right-0.1.4.tgz",
    to: "wrong/-/wrong-0.1.4.tgz",
    code: "identity-mismatch",
    at: "right@0.1.4:\n    resolution",
  },
  "pnpm: a resolution of an unknown kind": {
    file: "pnpm-9.0.yaml",
    from: "type: git}",
    to: "type: custom:ours}",
    code: "partial",
    at: "resolution: {commit",
  },
  "yarn 1: a descriptor twice": {
    file: "yarn-1.lock",
    from: "right@~0.1.0:",
    to: "left@^1.2.0:",
    code: "duplicate-key",
    at: 'left@^1.2.0:\n  version "0.1.4"',
  },
  "yarn 1: an entry for two packages": {
    file: "yarn-1.lock",
    from: "left@^1.0.0, left",
    to: "left@^1.0.0, lefft",
    code: "contradiction",
    at: "left@^1.0.0",
  },
  "yarn 1: a field twice": {
    file: "yarn-1.lock",
    from: '  version "1.2.3"',
    to: '  version "1.2.2"\n  version "1.2.3"',
    code: "duplicate-key",
    at: 'version "1.2.3"',
  },
  "yarn 1: another package's tarball": {
    file: "yarn-1.lock",
    from: "left/-/left-1.2.3",
    to: "lefft/-/lefft-1.2.3",
    code: "identity-mismatch",
    at: "left@^1.0.0",
  },
  "yarn 1: no sense": { file: "yarn-1.lock", from: '  version "1.2.3"', to: "  version = 1.2.3", code: "syntax", at: "= 1.2.3" },
  "yarn 1: an indent of one": {
    file: "yarn-1.lock",
    from: '  version "1.2.3"',
    to: ' version "1.2.3"',
    code: "syntax",
    at: 'version "1.2.3"',
  },
  "yarn 4: a descriptor twice": {
    file: "yarn-10.lock",
    from: '"right@npm:~0.1.0":',
    to: '"left@npm:^1.2.0":',
    code: "duplicate-key",
    at: '"left@npm:^1.2.0":',
  },
  "yarn 4: version against resolution": {
    file: "yarn-10.lock",
    from: "version: 0.1.4",
    to: "version: 0.1.5",
    code: "contradiction",
    at: '"right@npm:~0.1.0"',
  },
  "yarn 4: a checksum cut": {
    file: "yarn-10.lock",
    from: /(checksum: 10c0\/[0-9a-f]{10})[0-9a-f]*/,
    to: "$1",
    code: "bad-integrity",
    at: '"@corp/tool@npm:^2.0.0"',
  },
  "yarn 4: another package's archive": {
    file: "yarn-10.lock",
    from: "right%2F-%2Fright-0.1.4",
    to: "wrong%2F-%2Fwrong-0.1.4",
    code: "identity-mismatch",
    at: '"right@npm:~0.1.0"',
  },
  "yarn 4: no resolution": {
    file: "yarn-10.lock",
    from: '  resolution: "left@npm:1.2.3"\n',
    to: "",
    code: "wrong-type",
    at: '"left@npm:^1.0.0',
  },
  "bun: a key twice": { file: "bun-1.lock", from: '"right": ["right', to: '"left": ["right', code: "duplicate-key", at: '"left": ["right' },
  "bun: a tuple cut": {
    file: "bun-1.lock",
    from: /("left": \["left@1\.2\.3", "", \{\}), "[^"]*"/,
    to: "$1",
    code: "wrong-type",
    at: '"left": ["left@1.2.3"',
  },
  "bun: a digest that is none": {
    file: "bun-1.lock",
    from: /("left": \["left@1\.2\.3", "", \{\}, ")[^"]*"/,
    to: '$1md5-x"',
    code: "bad-integrity",
    at: '"left": ["left@1.2.3"',
  },
  "bun: another package's tarball": {
    file: "bun-1.lock",
    from: "right/-/right-0.1.4",
    to: "wrong/-/wrong-0.1.4",
    code: "identity-mismatch",
    at: '"right": ["right',
  },
  "bun: a format of the future": {
    file: "bun-2.lock",
    from: '"lockfileVersion": 2',
    to: '"lockfileVersion": 9',
    code: "unknown-format",
    at: '"lockfileVersion"',
  },
  "deno: a dependency on nothing": {
    file: "deno-5.lock",
    from: '"left@1.2.3",',
    to: '"left@1.2.4",',
    code: "dangling",
    at: '"@corp/tool@2.0.0_left@1.2.3": {',
  },
  "deno: a digest that is none": {
    file: "deno-5.lock",
    from: /("@std\/path@1\.0\.0": \{\n {6}"integrity": ")[^"]*"/,
    to: '$1abc"',
    code: "bad-integrity",
    at: '"@std/path@1.0.0"',
  },
  "deno: integrity gone": {
    file: "deno-4.lock",
    from: /("left@1\.2\.3": \{\n) {6}"integrity": "[^"]*"\n/,
    to: "$1",
    code: "no-integrity",
    at: '"left@1.2.3": {',
  },
  "deno: another package's tarball": {
    file: "deno-5.lock",
    from: "right/-/right-0.1.4",
    to: "wrong/-/wrong-0.1.4",
    code: "identity-mismatch",
    at: '"right@0.1.4": {',
  },
};

test.each(Object.entries(CASES))("%s", (_what, { file, from, to, code, at }) => {
  expect(read(file, sample(file)).problems.map((problem) => problem.code)).not.toContain(code);
  const text = edited(file, from, to);
  const found = read(file, text).problems.filter((problem) => problem.code === code);
  expect(found.map(({ line, column }) => ({ line, column }))).toContainEqual(placeOf(text, at));
});

test.each(["npm-3.json", "pnpm-9.0.yaml", "yarn-1.lock", "yarn-10.lock", "bun-1.lock", "deno-5.lock"])(
  "%s with a merge conflict",
  (file) => {
    const lines = sample(file).split("\n");
    lines.splice(10, 0, "<<<<<<< HEAD", lines[10]!, "=======", lines[10]!, ">>>>>>> other");
    const tree = read(file, lines.join("\n"));
    expect(tree.complete).toBe(false);
    const markers = tree.problems.filter((problem) => problem.code === "conflict-markers");
    expect(markers.map(({ line, column }) => [line, column])).toEqual([
      [11, 1],
      [15, 1],
    ]);
  },
);

test.each(["npm-3.json", "yarn-1.lock", "bun-1.lock", "deno-5.lock"])("%s cut inside a string is not complete", (file) => {
  const text = sample(file);
  const tree = read(file, text.slice(0, text.lastIndexOf("registry.corp") + 5));
  expect(tree.complete).toBe(false);
  expect(tree.problems.map((problem) => problem.code)).toContain("truncated");
  // What stands before the cut is still evidence.
  expect(tree.packages.length).toBeGreaterThan(0);
});

test("a name beside the key hides nothing", () => {
  const nine = read("pnpm-9.0.yaml", edited("pnpm-9.0.yaml", /( {2}left@1\.2\.3:\n)( {4}resolution)/, "$1    name: harmless\n$2"));
  expect(nine.packages.filter((entry) => entry.version === "1.2.3").map((entry) => entry.name)).toEqual(["left"]);
  expect(nine.problems.map((problem) => problem.code)).toEqual(["contradiction"]);
});

test("a YAML lockfile cut between two entries is given away by what refers to the rest", () => {
  const text = sample("pnpm-9.0.yaml");
  const tree = read("pnpm-9.0.yaml", text.slice(0, text.indexOf("  native@1.0.0:\n    optional")));
  expect(tree.problems.map((problem) => problem.code)).toContain("dangling");
});

test("an empty file is truncated in every format", () => {
  for (const name of ["package-lock.json", "pnpm-lock.yaml", "bun.lock", "deno.lock"]) {
    const tree = readLockfile(name, "");
    expect(tree.packages, name).toEqual([]);
    expect(tree.complete, name).toBe(false);
    expect(
      tree.problems.map((problem) => problem.code),
      name,
    ).toEqual(["truncated"]);
  }
});

test.each(["", "\n"])("an empty yarn.lock marks where a project begins, and locks nothing: %j", (text) => {
  expect(readLockfile("yarn.lock", text)).toMatchObject({ packages: [], complete: true, problems: [] });
});
