import { readFileSync, readdirSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openReader } from "./document.ts";
import type { Reader } from "./document.ts";
import { afterOf, atOf, endOf, hasKey, isPlain, keyOf, kindOf, openTape, startOf, valueOf } from "./tape.ts";
import type { Tape } from "./tape.ts";
import { readPlainYaml } from "./yaml-plain.ts";
import { readAnyYaml, readYaml } from "./yaml.ts";

const SAMPLES = new URL("samples/", import.meta.url);
const samples = readdirSync(SAMPLES)
  .filter((file) => /^pnpm|^yarn-(?:4|10)/.test(file))
  .map((file) => readFileSync(new URL(file, SAMPLES), "utf8"));

/** Everything a format reader can see of a tape. */
function seen(tape: Tape): unknown[] {
  return Array.from({ length: tape.size }, (_, id) => {
    const kind = kindOf(tape, id);
    const container = kind === "map" || kind === "list";
    const key = hasKey(tape, id) ? keyOf(tape, id) : undefined;
    const value = container ? undefined : [valueOf(tape, id), isPlain(tape, id), atOf(tape, id), kind === "null" ? 0 : endOf(tape, id)];
    return [kind, key, afterOf(tape, id), startOf(tape, id), value];
  });
}

function byLibrary(text: string): Reader {
  const reader = openReader("pnpm", "", text);
  readAnyYaml(reader);
  return reader;
}

/** The rule that makes the fast reader safe: what it takes, the library reads the same. */
function agree(text: string): boolean {
  const fast = openTape(text);
  if (!readPlainYaml(fast)) return false;
  const { tape, complete } = byLibrary(text);
  expect(complete, text).toBe(true);
  expect(seen(fast)).toEqual(seen(tape));
  expect(fast.roots).toEqual(tape.roots);
  return true;
}

test("what pnpm and yarn write is read fast, and as the library reads it", () => {
  for (const text of samples) {
    expect(agree(text)).toBe(true);
    expect(agree(text.replaceAll("\n", "\r\n"))).toBe(true);
  }
});

test("whatever is done to such a file, the fast reader gives up or agrees", () => {
  const scraps = [
    "\n",
    " ",
    "  ",
    ": ",
    ":",
    "- ",
    "-",
    "#",
    " #",
    "'",
    '"',
    "''",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ",",
    "|",
    "|-",
    ">",
    "&a ",
    "*a",
    "!",
    "?",
    "? ",
    "%",
    "@",
    "`",
    "<<",
    "~",
    "null",
    "true",
    "1",
    "1.0",
    "0x1",
    "---",
    "...",
    "... ",
    "\t",
    "\r",
    "a",
    "\u00e9",
    "\ufeff",
  ];
  const edit = fc.record({ place: fc.nat(), cut: fc.nat({ max: 3 }), scrap: fc.constantFrom(...scraps) });
  let agreed = 0;
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
      let mutated = text;
      for (const { place, cut, scrap } of edits) {
        const at = place % mutated.length;
        mutated = mutated.slice(0, at) + scrap + mutated.slice(at + cut);
      }
      if (agree(mutated)) agreed++;
    }),
    { numRuns: 400 },
  );
  // Otherwise the test would say nothing about agreement.
  expect(agreed).toBeGreaterThan(20);
});

test.each([
  ["anchors", "a: &x 1\nb: *x\n"],
  ["a merge key", "a:\n  <<: {b: 1}\n"],
  ["a tag", "a: !!binary aGk=\n"],
  ["a folded block", "a: >-\n  b\n  c\n"],
  ["a plain scalar over two lines", "a: b\n  c\n"],
  ["a tab", "a:\tb\n"],
  ["a double-quoted escape", 'a: "b\\nc"\n'],
  ["a list of lists", "a:\n  - - b\n"],
  ["a document end mark", "a: b\n...\n"],
  ["a document end mark with more on its line", "a: b\n... c: d\n"],
])("%s is left to the library", (_what, text) => {
  expect(readPlainYaml(openTape(text))).toBe(false);
});

test("the library's errors carry a place; aliases, anchors and tags are errors", () => {
  const broken = openReader("pnpm", "", "a: 1\nb: [1,\n");
  readYaml(broken);
  expect(broken).toMatchObject({ complete: false, problems: [{ code: "truncated" }] });
  for (const text of ["a: &x 1\n", "a: 1\nb: *a\n", "a: !!foo 1\n", "? [a]\n: 1\n"]) {
    const reader = openReader("pnpm", "", text);
    readYaml(reader);
    expect(reader.complete, text).toBe(false);
    expect(reader.problems[0]).toMatchObject({ code: "syntax" });
  }
});

test("duplicate keys are reported by both readers", () => {
  for (const text of ["a: 1\nb: 2\na: 3\n", "a: 1\nb: >-\n  2\na: 3\n"]) {
    const reader = openReader("pnpm", "", text);
    readYaml(reader);
    expect(reader.problems).toMatchObject([{ code: "duplicate-key", column: 1 }]);
  }
});

test("hostile nesting is an error, not a crash", () => {
  for (const text of [`a: ${"[".repeat(20_000)}`, Array.from({ length: 3_000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")]) {
    const reader = openReader("pnpm", "", text);
    readYaml(reader);
    expect(reader.complete).toBe(false);
  }
});
