/** Files in the middle of a merge: each side whole, on the lines it stands on. */
import { expect, test } from "vitest";
import { mergeSides } from "./merge-sides.ts";

test("both sides, their lines where they were", () => {
  const text = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\nd\n";
  expect(mergeSides(text)).toEqual(["a\n\nb\n\n\n\nd\n", "a\n\n\n\nc\n\nd\n"]);
});

test("what both came from is neither side; one conflict after the other; Windows line ends", () => {
  const text = "<<<<<<< x\r\na\r\n||||||| o\r\nb\r\n=======\r\nc\r\n>>>>>>> y\r\n<<<<<<< x\r\nd\r\n=======\r\n>>>>>>> y\r\n";
  const lines = (side: string): readonly string[] => side.split(/\r?\n/).filter((line) => line !== "");
  expect(mergeSides(text)?.map(lines)).toEqual([["a", "d"], ["c"]]);
});

test("no conflict, or half of one", () => {
  expect(mergeSides("=======\n>>>>>>> main\n")).toBeUndefined();
  expect(mergeSides("<<<<<<< HEAD\n=======\n")).toBeUndefined();
});
