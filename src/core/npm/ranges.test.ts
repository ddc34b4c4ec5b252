/** Specs mean what npm takes them to mean: compared with npm's own picker, which comes with arborist. */
import { createRequire } from "node:module";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { classifySpec, isPlainSpec, isVersion, pick, satisfying } from "./ranges.ts";

type NpmPick = (packument: object, wanted: string, options?: object) => { version: string };
const npmPick = createRequire(createRequire(import.meta.url).resolve("@npmcli/arborist"))("npm-pick-manifest") as NpmPick;

test("specs are classified as npm-package-arg does", () => {
  const kinds: Record<string, readonly string[]> = {
    version: ["1.0.0", "v1.0.0", "=1.0.0", " 1.0.0 ", "1.0.0-beta.1", "1.0.0+build"],
    range: ["", "*", "x", "^1", "~1.2", ">=1 <2 || 3", "1.x", "1 - 2", "1"],
    tag: ["latest", "next", "beta-2", "v1-lts"],
    git: [
      "user/repo",
      "user/repo#semver:^1",
      "github:u/r",
      "gist:abc",
      "git://h.test/r.git",
      "git+ssh://git@h.test/r.git",
      "git@h.test:u/r.git",
      "git+https://h.test/r",
      "https://github.com/u/r.git#main",
    ],
    url: ["https://h.test/x.tgz", "http://h.test/x", "https://github.com/u/r/archive/main.tar.gz"],
    file: ["file:../x", "link:../x", "./x", "../x", "/x", "~/x", "x.tgz", "@s/n", "C:\\x"],
    workspace: ["workspace:*", "workspace:^1", "catalog:", "catalog:react"],
    unknown: ["a b", "ünïcode", "foo:bar", "npm:", "npm:../x@1", "npm:a@npm:b@1", "npm:a@./x"],
  };
  for (const [kind, specs] of Object.entries(kinds)) for (const spec of specs) expect(classifySpec(spec).kind, spec).toBe(kind);
});

test("an alias names its target and what is wanted of it", () => {
  expect(classifySpec("npm:@s/n@^1")).toEqual({ kind: "alias", name: "@s/n", spec: "^1" });
  expect(classifySpec("npm:x")).toEqual({ kind: "alias", name: "x", spec: "" });
});

test("classification never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      classifySpec(text);
      classifySpec(`npm:${text}`);
    }),
  );
});

test("a version is SemVer exactly as written", () => {
  for (const good of ["1.0.0", "0.0.0-0", "1.0.0-beta.1+build.5", "1.0.0+001"]) expect(isVersion(good), good).toBe(true);
  for (const bad of [
    "",
    "1",
    "1.0",
    "v1.0.0",
    " 1.0.0",
    "1.0.0 ",
    "01.0.0",
    "1.0.0-01",
    "1.0.0-",
    "1.0.0+",
    "1.0.0-beta..1",
    "latest",
    "__proto__",
    `1.0.0-${"x".repeat(300)}`,
    "99999999999999999999.0.0",
  ])
    expect(isVersion(bad), bad).toBe(false);
});

const version = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.constantFrom("", "", "-beta.1", "-beta.2", "-rc.1"))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`);
const spec = fc.oneof(
  version,
  fc.constantFrom("", "*", "latest", "next", "missing", "x", ">=1", "<1 || >2", "^1.0.0-beta.1", ">=2.0.0-rc.0", "npm-no"),
  fc.tuple(fc.constantFrom("^", "~", ">=", "<=", "<"), version).map((parts) => parts.join("")),
);
const listing = fc.uniqueArray(fc.record({ version, deprecated: fc.boolean() }), { selector: (entry) => entry.version, maxLength: 12 });

test("picking agrees with npm", () => {
  fc.assert(
    fc.property(listing, spec, fc.option(version), fc.option(version), (entries, wanted, latest, next) => {
      const tags = { ...(latest === null ? {} : { latest }), ...(next === null ? {} : { next }) };
      const candidates = entries.map((entry) => ({ version: entry.version, ...(entry.deprecated ? { deprecated: "old" } : {}) }));
      const packument = {
        name: "p",
        "dist-tags": tags,
        versions: Object.fromEntries(candidates.map((entry) => [entry.version, { name: "p", ...entry }])),
      };
      let theirs: string | undefined;
      try {
        theirs = npmPick(packument, wanted).version;
      } catch {
        theirs = undefined;
      }
      expect(pick(wanted, tags, candidates)).toBe(theirs);
    }),
    { numRuns: 2_000 },
  );
});

test("what is picked satisfies, and what satisfies could be picked alone", () => {
  fc.assert(
    fc.property(listing, spec, fc.option(version), (entries, wanted, latest) => {
      const tags: Record<string, string> = latest === null ? {} : { latest };
      const versions = entries.map((entry) => entry.version);
      const fitting = satisfying(wanted, tags, versions);
      const picked = pick(
        wanted,
        tags,
        entries.map((entry) => ({ version: entry.version })),
      );
      expect(picked === undefined).toBe(fitting.length === 0);
      if (picked !== undefined) expect(fitting).toContain(picked);
      for (const one of fitting) expect(pick(wanted, tags, [{ version: one }])).toBe(one);
    }),
  );
});

test("an alias is answered from its target's listing; git, files and workspaces by nobody", () => {
  const candidates = [{ version: "1.0.0" }, { version: "2.0.0" }];
  expect(pick("npm:x@^1", {}, candidates)).toBe("1.0.0");
  expect(satisfying("npm:x", { latest: "2.0.0" }, ["1.0.0", "2.0.0"])).toEqual(["1.0.0", "2.0.0"]);
  for (const other of ["user/repo", "file:x", "workspace:*", "https://h.test/x.tgz"]) {
    expect(pick(other, {}, candidates), other).toBeUndefined();
    expect(satisfying(other, {}, ["1.0.0"]), other).toEqual([]);
  }
});

test("a tag called like an inherited property is no tag", () => {
  expect(pick("constructor", {}, [{ version: "1.0.0" }])).toBeUndefined();
});

test("a spec that is told without parsing is a version, a range, a tag, or nonsense", () => {
  const texts = fc.oneof(
    fc.constantFrom(
      "^1.0.0",
      "1.x || >=2.5.0 || 5.0.0 - 7.2.3",
      "latest",
      "./x",
      "../x.tgz",
      "x.tar.gz",
      "a/b",
      "npm:x@1",
      "~/x",
      "x@y.z:w",
      "C:\\x",
    ),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      if (isPlainSpec(text)) expect(["version", "range", "tag", "unknown"]).toContain(classifySpec(text).kind);
    }),
    { numRuns: 2_000 },
  );
  for (const text of ["^1.0.0", "1.x || >=2.5.0", "latest", "~1.2", "*"]) expect(isPlainSpec(text)).toBe(true);
});
