import * as fc from "fast-check";
import { expect, test } from "vitest";
import { unifiedDiff } from "./diff.ts";

test("a changed line with three lines around it", () => {
  const text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  expect(unifiedDiff(".npmrc", text, text.replace("5", "five"))).toEqual([
    "--- .npmrc",
    "+++ .npmrc",
    "@@ -2,7 +2,7 @@",
    " 2",
    " 3",
    " 4",
    "-5",
    "+five",
    " 6",
    " 7",
    " 8",
  ]);
});

test("changes far apart stand in two hunks, near ones in one", () => {
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  const changed = (...at: number[]) => `${lines.map((line, index) => (at.includes(index) ? "new" : line)).join("\n")}\n`;
  const heads = (after: string) => unifiedDiff("f", changed(), after).filter((line) => line.startsWith("@@"));
  expect(heads(changed(2, 9))).toEqual(["@@ -1,13 +1,13 @@"]);
  expect(heads(changed(2, 10))).toEqual(["@@ -1,6 +1,6 @@", "@@ -8,7 +8,7 @@"]);
});

test("files that appear, vanish, or lack the last line's end", () => {
  expect(unifiedDiff("f", undefined, "a\nb\n")).toEqual(["--- /dev/null", "+++ f", "@@ -0,0 +1,2 @@", "+a", "+b"]);
  expect(unifiedDiff("f", "a\n", undefined)).toEqual(["--- f", "+++ /dev/null", "@@ -1 +0,0 @@", "-a"]);
  expect(unifiedDiff("f", "a", "a\n")).toEqual(["--- f", "+++ f", "@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a"]);
  expect(unifiedDiff("f", "a\n", "a\n")).toEqual([]);
});

test("applying the diff to one side gives the other", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "c", "", "d"), { maxLength: 30 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  fc.assert(
    fc.property(text, text, (before, after) => {
      expect(patched(before, unifiedDiff("f", before, after))).toBe(after);
    }),
  );
});

/** A reader of its own for the format `patch` takes. */
function patched(before: string, diff: readonly string[]): string {
  const old = before.split("\n").slice(0, -1);
  const result: string[] = [];
  let at = 0;
  for (const line of diff.slice(2)) {
    const hunk = /^@@ -(\d+)(?:,(\d+))? /.exec(line);
    if (hunk) {
      const start = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
      result.push(...old.slice(at, start));
      at = start;
      continue;
    }
    if (line[0] !== "+") {
      expect(old[at]).toBe(line.slice(1));
      at += 1;
    }
    if (line[0] !== "-") result.push(line.slice(1));
  }
  return [...result, ...old.slice(at)].map((line) => `${line}\n`).join("");
}
