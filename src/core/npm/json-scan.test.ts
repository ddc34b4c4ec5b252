/** The scanner agrees with `JSON.parse` on what is JSON, and sees what `JSON.parse` hides. */
import { Buffer, isUtf8 } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../base/limits.ts";
import { jsonPosition, scanJson } from "./json-scan.ts";

const scan = (text: string) => scanJson(Buffer.from(text));
const kinds = (text: string) => scan(text).problems.map((problem) => problem.kind);

function parses(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  try {
    JSON.parse(bytes.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

test("every JSON value is valid, however it is spaced", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      expect(scan(JSON.stringify(value, undefined, space)).valid).toBe(true);
    }),
  );
});

test("one damaged byte is judged as JSON.parse judges it", () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 5 }),
      fc.nat(),
      fc.nat(255),
      fc.constantFrom("cut", "set", "insert", "drop"),
      (json, where, byte, how) => {
        const whole = Buffer.from(json);
        const at = where % (whole.length + 1);
        const [before, after] = [whole.subarray(0, at), whole.subarray(at)];
        const damaged = {
          cut: before,
          set: Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]),
          insert: Buffer.concat([before, Buffer.from([byte]), after]),
          drop: Buffer.concat([before, after.subarray(1)]),
        }[how];
        expect(scanJson(damaged).valid, damaged.toString("latin1")).toBe(parses(damaged));
      },
    ),
    { numRuns: 3_000 },
  );
});

test("numbers, words and escapes are JSON's and nothing else's", () => {
  for (const good of ["0", "-0", "1.5e+10", "0E0", "true", "null", String.raw`"\"\\\/\b\f\n\r\t\u00e9\ud800"`, " [ ] ", '{"":{}}'])
    expect(scan(good), good).toEqual({ valid: true, problems: [] });
  for (const bad of [
    "",
    " ",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "-",
    "NaN",
    "tru",
    "nulL",
    "'a'",
    '"\\x41"',
    '"\\u12G4"',
    '"\t"',
    "[1,]",
    '{"a":1,}',
    "{a:1}",
    "[1 2]",
    '{"a" 1}',
    "[}",
    "{]",
    "// a\n1",
    "1 1",
  ])
    expect(scan(bad).valid, bad).toBe(false);
});

const where = (text: string) => scan(text).problems.at(-1);

test("a failure says where", () => {
  expect(where('{"a": tru}')).toMatchObject({ kind: "syntax", offset: 9 });
  expect(where('{"a":1')).toMatchObject({ message: "ends too early", offset: 6 });
  expect(where("[1] x")).toMatchObject({ message: "something follows the end of the document", offset: 4 });
  expect(where("\ufeff{}")).toMatchObject({ message: "starts with a byte order mark", offset: 0 });
});

test("bytes that are not UTF-8 are found where they stand", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom([0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x80]),
      (text, bad) => {
        const before = Buffer.from(JSON.stringify(text));
        const { valid, problems } = scanJson(Buffer.concat([before, Buffer.from(bad), Buffer.from(" ")]));
        expect(valid).toBe(false);
        expect(problems).toEqual([{ kind: "encoding", offset: before.length, message: "not UTF-8" }]);
      },
    ),
  );
});

const spelled = (key: string, escapes: boolean): string =>
  escapes ? `"${[...key].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"` : JSON.stringify(key);

test("a key is a duplicate when its decoded text was there before, few keys or many, escaped or not", () => {
  const key = fc.record({ text: fc.string({ unit: fc.constantFrom("a", "b", "é", "1"), maxLength: 4 }), escapes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 150 }), fc.boolean(), (keys, plain) => {
      const text = `{${keys.map(({ text: name, escapes }) => `${spelled(name, escapes && !plain)}:[{}]`).join(",")}}`;
      const duplicates = keys.length - new Set(keys.map(({ text: name }) => name)).size;
      expect(kinds(text)).toEqual(Array.from({ length: Math.min(duplicates, LIMITS.jsonProblems) }, () => "duplicate-key"));
    }),
  );
});

test("a duplicate names both places, at every level; the same key in two objects is none", () => {
  expect(scan(String.raw`[{"ab":1,"a\u0062":2}]`).problems).toEqual([
    { kind: "duplicate-key", offset: 9, first: 2, message: 'key "ab" given twice' },
  ]);
  expect(kinds('{"x":{"y":[{"z":1,"z":1}]}}')).toEqual(["duplicate-key"]);
  expect(kinds('[{"a":1},{"a":{"a":1}}]')).toEqual([]);
});

test("__proto__ is reported, in any spelling; constructor is a package like any other", () => {
  expect(kinds('{"__proto__":1}')).toEqual(["prototype-key"]);
  expect(kinds(String.raw`{"a":[{"__proto\u005f_":1}]}`)).toEqual(["prototype-key"]);
  expect(kinds('{"constructor":1,"toString":1,"__proto":1}')).toEqual([]);
});

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

test("nesting is reported beyond its ceiling and never overflows", () => {
  expect(kinds(nested(LIMITS.jsonDepth))).toEqual([]);
  expect(kinds(nested(LIMITS.jsonDepth + 1))).toEqual(["too-deep"]);
  expect(scan('{"a":'.repeat(300) + "1" + "}".repeat(300))).toMatchObject({ valid: true, problems: [{ kind: "too-deep" }] });
  expect(scan(nested(3_000_000)).valid).toBe(true);
  expect(scanJson(Buffer.alloc(10_000_000, "["))).toMatchObject({ valid: false });
});

test("an object of 100,000 keys is read, and its one duplicate found", () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `"${index}":0`).join(",");
  expect(kinds(`{${keys}}`)).toEqual([]);
  expect(kinds(`{${keys},"777":0}`)).toEqual(["duplicate-key"]);
});

test("an object with more keys than anybody needs is reported instead of remembered", () => {
  const keys = Array.from({ length: LIMITS.jsonKeys + 1 }, (_, index) => `"${index}":0`).join(",");
  expect(scan(`{${keys}}`)).toMatchObject({ valid: true, problems: [{ kind: "too-many-keys" }] });
});

test("offsets become lines and columns", () => {
  const text = Buffer.from('{\n  "é": 1,\n  "é": 2\n}');
  const [problem] = scanJson(text).problems;
  expect(jsonPosition(text, problem!.offset)).toEqual({ line: 3, column: 3 });
  expect(jsonPosition(text, problem!.first!)).toEqual({ line: 2, column: 3 });
  expect(jsonPosition(text, 8)).toEqual({ line: 2, column: 6 });
});
