/** The quick way through npm's own spelling says what the thorough way says, to the line; and it steps aside for everything else. */
import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openReader } from "./document.ts";
import { readPlainNpm } from "./npm-plain.ts";
import { readAs, readLockfile } from "./read.ts";

/** The thorough way, which is taken for those who edit. */
function thoroughly(path: string, text: string) {
  const { kind, version, packages, importers, problems, complete } = readAs("package-lock", text, []);
  return { kind, version, path, packages, importers, problems, complete };
}

const written = (document: unknown, indent: number | string = 2): string => `${JSON.stringify(document, undefined, indent)}\n`;

const SHA512 = `sha512-${"A".repeat(86)}==`;
const url = (name: string, version: string): string => `https://registry.test/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`;

const version = fc.constantFrom("1.0.0", "2.3.4-rc.1", "0.0.0", "1.2", "", "not a version");
const name = fc.constantFrom("left-pad", "@acme/left-pad", "JSONStream", "__proto__", "constructor", "a b", "..");
const ranges = fc.dictionary(name, fc.constantFrom("^1.0.0", "*", "npm:other@1", "workspace:*"), { maxKeys: 3 });
/** As npm writes nearly all of them. */
const usual = fc.tuple(fc.constantFrom("left-pad", "@acme/left-pad", "x"), fc.constantFrom("1.0.0", "0.2.11")).chain(([called, is]) =>
  fc.record(
    {
      version: fc.constant(is),
      resolved: fc.constant(url(called, is)),
      integrity: fc.constant(SHA512),
      name: fc.constant(called),
      dev: fc.constant(true),
      license: fc.constant("MIT"),
      dependencies: fc.constant({ a: "^1.0.0", b: "*" }),
      engines: fc.constant({ node: ">=20" }),
      funding: fc.constant([{ url: "https://example.test" }, "x"]),
      os: fc.constant(["linux"]),
    },
    { requiredKeys: ["version", "resolved", "integrity", "name"] },
  ),
);
const odd = fc.record(
  {
    version,
    name,
    resolved: fc.oneof(
      fc.tuple(name, version).map(([one, other]) => url(one, other)),
      fc.constantFrom(
        "",
        "git+ssh://git@git.example.test/a/b.git#main",
        "file:../x",
        "https://cdn.example.test/x.tgz",
        "https://x/-/x-1.0.0.tgz",
        "https:///x/-/x-1.0.0.tgz",
        false as never,
      ),
    ),
    integrity: fc.constantFrom(SHA512, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "", "sha512-short", "md5-x"),
    dev: fc.constantFrom(true, false, "yes" as never),
    optional: fc.boolean(),
    devOptional: fc.boolean(),
    peer: fc.boolean(),
    link: fc.constantFrom(true, false, false, false),
    inBundle: fc.boolean(),
    hasInstallScript: fc.boolean(),
    bundleDependencies: fc.constantFrom(["a"], true as never),
    dependencies: ranges,
    optionalDependencies: ranges,
    peerDependencies: ranges,
    devDependencies: ranges,
    engines: fc.constant({ node: ">=20" }),
    funding: fc.constant([{ url: "https://example.test" }, "x"]),
    os: fc.constantFrom(["linux"], [], "linux" as never, [1] as never),
    cpu: fc.constant(["x64", "arm64"]),
    deprecated: fc.constantFrom("gone", "", 7 as never),
    license: fc.constant("MIT"),
  },
  { requiredKeys: [] },
);
const entry = fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: odd, weight: 1 });
const location = fc.constantFrom(
  "node_modules/left-pad",
  "node_modules/@acme/left-pad",
  "node_modules/a/node_modules/left-pad",
  "packages/site",
  "packages/site/node_modules/left-pad",
  "node_modules/../x",
  "node_modules/",
  "../outside",
);

test("entries of every kind read the same both ways", () => {
  const documents = fc.record({
    packages: fc.dictionary(location, entry, { maxKeys: 6 }),
    root: fc.record({ name, dependencies: ranges, devDependencies: ranges }, { requiredKeys: [] }),
    indent: fc.constantFrom(2, 4, "\t"),
    lockfileVersion: fc.constantFrom(3, 3, 3, 2, "3" as never),
  });
  fc.assert(
    fc.property(documents, ({ packages, root, indent, lockfileVersion }) => {
      const text = written(
        { name: "site", version: "1.0.0", lockfileVersion, requires: true, packages: { "": root, ...packages } },
        indent,
      );
      expect(readLockfile("package-lock.json", text)).toEqual(thoroughly("package-lock.json", text));
    }),
    { numRuns: 600 },
  );
});

test("a text that was changed by hand reads the same both ways", () => {
  const whole = written({
    name: "site",
    lockfileVersion: 3,
    packages: {
      "": { name: "site", dependencies: { a: "^1.0.0" }, devDependencies: { b: "*" }, workspaces: ["packages/*"] },
      "node_modules/a": { version: "1.0.0", resolved: url("a", "1.0.0"), integrity: SHA512, dependencies: { b: "*", c: "~2" } },
      "node_modules/a/node_modules/b": { version: "1.0.0", inBundle: true, deprecated: 'say "no"', engines: { node: "1", npm: "2" } },
      "node_modules/b": { version: "2.0.0", resolved: url("b", "2.0.0"), integrity: SHA512, os: ["linux", "!x"], funding: [{ url: "x" }] },
      "packages/site": { version: "1.0.0", dependencies: { a: "^1.0.0" }, bundleDependencies: ["b"] },
    },
  });
  const count = whole.split("\n").length;
  const place = fc.nat({ max: whole.length - 1 });
  const line = fc.nat({ max: count - 1 });
  const edit = fc.oneof(
    fc
      .tuple(
        place,
        fc.constantFrom("", "x", " ", "\t", "\n", "\r", "\0", '"', "\\", "{", "}", "[", "]", ",", ":", "0", "é", "\u2028", "\ud800"),
      )
      .map(
        ([at, put]) =>
          (text: string) =>
            text.slice(0, at) + put + text.slice(at + 1),
      ),
    fc.tuple(line, line).map(([from, to]) => (text: string) => {
      const lines = text.split("\n");
      return lines.toSpliced(to, 0, lines[from] ?? "").join("\n");
    }),
    fc.tuple(line, fc.nat({ max: 3 })).map(
      ([at, some]) =>
        (text: string) =>
          text.split("\n").toSpliced(at, some).join("\n"),
    ),
    fc.tuple(line, line).map(([from, to]) => (text: string) => {
      const lines = text.split("\n");
      return lines
        .with(from % lines.length, lines[to % lines.length]!)
        .with(to % lines.length, lines[from % lines.length]!)
        .join("\n");
    }),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
      const text = edits.reduce((before, change) => change(before), whole);
      expect(readLockfile("package-lock.json", text)).toEqual(thoroughly("package-lock.json", text));
    }),
    { numRuns: 2_000 },
  );
});

test("this repository's own lockfile and the recorded ones read the same both ways", () => {
  const samples = new URL("samples/", import.meta.url);
  const files = readdirSync(samples)
    .filter((file) => file.endsWith(".json"))
    .map((file) => new URL(file, samples));
  for (const file of [new URL("../../../package-lock.json", import.meta.url), ...files]) {
    const text = readFileSync(file, "utf8");
    expect(readLockfile("package-lock.json", text), file.pathname).toEqual(thoroughly("package-lock.json", text));
  }
});

test("what npm writes is read the quick way", () => {
  const text = readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8");
  expect(readPlainNpm(openReader("package-lock", "package-lock.json", text))).toBe(true);
  expect(readPlainNpm(openReader("package-lock", "package-lock.json", `${text} `))).toBe(false);
});

test("what two texts could say is read closely: a key that stands twice, an escape, another layout", () => {
  const text = written({
    lockfileVersion: 3,
    packages: { "": {}, "node_modules/a": { version: "1.0.0", resolved: url("a", "1.0.0"), integrity: SHA512 } },
  });
  const twice = text.replace('"version": "1.0.0",', '"version": "6.6.6",\n      "version": "1.0.0",');
  expect(readLockfile("package-lock.json", twice).problems.map(({ code }) => code)).toContain("duplicate-key");
  for (const other of [text.replace("1.0.0", "\\u0031.0.0"), text.replaceAll("\n", "\r\n"), JSON.stringify(JSON.parse(text))]) {
    const tree = readLockfile("package-lock.json", other);
    expect(tree.packages.map(({ name: called, version: is }) => `${called}@${is}`)).toEqual(["a@1.0.0"]);
    expect(tree.problems).toEqual([]);
  }
});
