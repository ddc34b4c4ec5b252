import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../base/limits.ts";
import { openReader } from "./document.ts";
import { readJson } from "./json.ts";
import { childrenOf, endOf, keyOf, kindOf, startOf, valueOf } from "./tape.ts";
import type { NodeId, Tape } from "./tape.ts";

function read(text: string, relaxed = false): ReturnType<typeof openReader> {
  const reader = openReader("package-lock", "", text);
  readJson(reader, relaxed);
  return reader;
}

/** The tape as `JSON.parse` would have it. */
function build(tape: Tape, id: NodeId): unknown {
  const kind = kindOf(tape, id);
  if (kind === "list") return childrenOf(tape, id).map((child) => build(tape, child));
  if (kind === "map") return Object.fromEntries(childrenOf(tape, id).map((child) => [keyOf(tape, child), build(tape, child)]));
  return kind === "text" ? valueOf(tape, id) : JSON.parse(valueOf(tape, id));
}

test("any JSON reads as JSON.parse reads it, however it is laid out", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2, "\t"), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const { tape, problems } = read(text);
      expect(problems).toEqual([]);
      expect(build(tape, tape.roots[0]!)).toEqual(JSON.parse(text));
    }),
  );
});

test("what JSON.parse refuses is refused, what it takes is taken", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    '"a"',
    '"b\\n"',
    "\\",
    "\\u12",
    "1",
    "-",
    "0.5",
    "01",
    "1e",
    "true",
    "nul",
    " ",
    "\n",
    "\t",
    "//",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let parsed = true;
      try {
        JSON.parse(text);
      } catch {
        parsed = false;
      }
      expect(read(text).complete, text).toBe(parsed);
    }),
    { numRuns: 3_000 },
  );
});

test("a key that stands twice is reported where it stands again, and the last value counts", () => {
  const { tape, problems } = read('{\n  "a": 1,\n  "b": {},\n  "a": 2\n}');
  expect(problems).toMatchObject([{ code: "duplicate-key", line: 4, column: 3 }]);
  expect(build(tape, 0)).toEqual({ a: 2, b: {} });
});

test("keys are compared as meant, among few and among many", () => {
  expect(read('{"a":1,"\\u0061":2}').problems).toMatchObject([{ code: "duplicate-key", column: 8 }]);
  const many = Array.from({ length: 300 }, (_, i) => `"k${i}":0`);
  expect(read(`{${many.join(",")}}`).problems).toEqual([]);
  expect(read(`{${[...many, '"k7":1'].join(",")}}`).problems).toMatchObject([{ code: "duplicate-key" }]);
});

test("positions point at keys and values", () => {
  const text = '{\n  "a": {"b": "c"},\n  "é": [1]\n}';
  const { tape } = read(text);
  const at = [...Array(tape.size).keys()].map((id) => text.slice(startOf(tape, id), endOf(tape, id)));
  expect(at.slice(1)).toEqual(['"a": {"b": "c"}', '"b": "c"', '"é": [1]', "1"]);
});

test("bun's JSON: comments and commas before the end", () => {
  const { tape, problems } = read('// made by bun\n{ "a": [1, 2,], /* so */ "b": {}, }', true);
  expect(problems).toEqual([]);
  expect(build(tape, 0)).toEqual({ a: [1, 2], b: {} });
  expect(read('{"a": 1,}').complete).toBe(false);
  expect(read("[,]", true).complete).toBe(false);
});

test("a cut file says so, and keeps what came before the cut", () => {
  const { tape, problems } = read('{"packages": {"a": {"version": "1.0.0"}, "b": {"ver');
  expect(problems).toMatchObject([{ code: "truncated", line: 1 }]);
  expect(build(tape, 0)).toEqual({ packages: { a: { version: "1.0.0" }, b: {} } });
});

test("nesting has a ceiling", () => {
  const depth = LIMITS.jsonDepth + 2;
  expect(read("[".repeat(depth) + "]".repeat(depth)).problems).toMatchObject([{ code: "syntax" }]);
});
