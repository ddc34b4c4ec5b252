import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromCatalog, readManifest, readWorkspaceSettings, withSettings } from "./manifest.ts";

test("dependencies of every kind, each with its place", () => {
  const text = `{
  "name": "site",
  "version": "1.2.3",
  "dependencies": { "left": "^1.0.0" },
  "devDependencies": {
    "tool": "npm:other@2"
  },
  "peerDependencies": { "react": "*" },
  "bundledDependencies": ["left"]
}`;
  const { name, version, dependencies, bundled, problems } = readManifest("package.json", ".", text);
  expect([name, version, bundled, problems]).toEqual(["site", "1.2.3", ["left"], []]);
  expect(dependencies).toEqual([
    { name: "left", kind: "prod", range: "^1.0.0", line: 4, column: 21 },
    { name: "tool", kind: "dev", range: "npm:other@2", line: 6, column: 5 },
    { name: "react", kind: "peer", range: "*", line: 8, column: 25 },
  ]);
});

test("overrides of npm, yarn and pnpm: what is replaced, by what", () => {
  const text = JSON.stringify({
    dependencies: { left: "^1.4.0" },
    overrides: { left: "$left", outer: { ".": "2.0.0", inner: "3.0.0", "@a/b@^1": "1.9.0" } },
    resolutions: { "**/deep": "4.0.0", "outer/@a/c": "5.0.0", "d@npm:^1": "npm:1.0.1" },
    pnpm: { overrides: { "x@1>y@2": "2.1.0", "z@>=1 <2": "-" } },
  });
  const { overrides } = readManifest("package.json", ".", text);
  expect(overrides.map(({ name, spec, selector }) => `${name} ${spec} ${selector}`)).toEqual([
    "left ^1.4.0 left",
    "outer 2.0.0 outer",
    "inner 3.0.0 outer>inner",
    "@a/b 1.9.0 outer>@a/b@^1",
    "deep 4.0.0 **/deep",
    "@a/c 5.0.0 outer/@a/c",
    "d npm:1.0.1 d@npm:^1",
    "y 2.1.0 x@1>y@2",
    "z - z@>=1 <2",
  ]);
});

test("install scripts, as each client writes them", () => {
  const approvals = (text: object) => readManifest("package.json", ".", JSON.stringify(text)).approvals;
  expect(approvals({})).toEqual({ listed: false, all: false, allowed: [], denied: [] });
  expect(approvals({ allowScripts: { "canvas@2.11.2": true, "@a/b": false } })).toEqual({
    listed: true,
    all: false,
    allowed: [{ name: "canvas", range: "2.11.2" }],
    denied: [{ name: "@a/b" }],
  });
  expect(approvals({ pnpm: { onlyBuiltDependencies: ["esbuild"], neverBuiltDependencies: ["fsevents"] } })).toMatchObject({
    allowed: [{ name: "esbuild" }],
    denied: [{ name: "fsevents" }],
  });
  expect(approvals({ trustedDependencies: [] })).toMatchObject({ listed: true, allowed: [] });
  expect(approvals({ dependenciesMeta: { sharp: { built: true }, core: { built: false }, other: { unplugged: true } } })).toMatchObject({
    listed: true,
    allowed: [{ name: "sharp" }],
    denied: [{ name: "core" }],
  });
});

test("pnpm-workspace.yaml: catalogs, overrides and approvals", () => {
  const settings = readWorkspaceSettings(
    "pnpm-workspace.yaml",
    [
      "packages: [packages/*]",
      "catalog:",
      "  left: ^1.2.0",
      "catalogs:",
      "  next:",
      "    left: ^2.0.0",
      "overrides:",
      "  right: 'catalog:'",
      "  'a>left': 'catalog:next'",
      "allowBuilds:",
      "  esbuild: true",
      "  core-js@3.0.0: false",
    ].join("\n"),
  );
  expect(settings.problems).toEqual([]);
  const manifest = withSettings(readManifest("package.json", ".", "{}"), settings);
  expect(manifest.overrides.map(({ name, spec }) => `${name} ${spec}`)).toEqual(["right catalog:", "left ^2.0.0"]);
  expect(manifest.approvals).toEqual({
    listed: true,
    all: false,
    allowed: [{ name: "esbuild" }],
    denied: [{ name: "core-js", range: "3.0.0" }],
  });
  expect(fromCatalog("catalog:", "left", settings.catalogs)).toBe("^1.2.0");
  expect(fromCatalog("catalog:none", "left", settings.catalogs)).toBe("catalog:none");
});

test("deno.json: what it imports of npm and jsr", () => {
  const text = `{ // a comment
    "imports": { "chalk": "npm:chalk@^5/browser", "@std/fs": "jsr:@std/fs@1", "local": "./local.ts" },
  }`;
  const { dependencies, problems } = readManifest("deno.jsonc", ".", text);
  expect(problems).toEqual([]);
  expect(dependencies.map(({ name, range }) => `${name} ${range}`)).toEqual(["chalk ^5", "@std/fs 1"]);
});

test("what is wrong is said, and the rest is read", () => {
  const { dependencies, problems } = readManifest(
    "package.json",
    ".",
    '{ "dependencies": { "a": 1, "b": "1.0.0" }, "devDependencies": [] }',
  );
  expect(dependencies.map(({ name }) => name)).toEqual(["b"]);
  expect(problems.map(({ message }) => message)).toEqual(["dependencies.a should be a string", "devDependencies should be a map"]);
  expect(readManifest("package.json", ".", "").problems).toHaveLength(1);
  expect(readManifest("package.json", ".", "[]").problems[0]!.message).toContain("should be a map");
});

test("property: no text makes it throw", () => {
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(fc.constantFrom("^1", "$a", "npm:b@1", true, null, 3), fc.array(tie("value"), { maxLength: 3 }), tie("map")),
    map: fc.dictionary(
      fc.constantFrom("dependencies", "overrides", "pnpm", "resolutions", "a", "__proto__", ".", "allowScripts", "dependenciesMeta"),
      tie("value"),
    ),
  })).map;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        value.map((any) => JSON.stringify(any)),
      ),
      (text) => {
        readManifest("package.json", ".", text);
        readManifest("deno.json", ".", text);
        readWorkspaceSettings("pnpm-workspace.yaml", text);
      },
    ),
  );
});
