/** One text for one value, and no text for what could be read in two ways. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { tufCanonical } from "./canonical.ts";

test.each<[unknown, string]>([
  [{ b: 1, a: [true, null, "x"] }, '{"a":[true,null,"x"],"b":1}'],
  // Only quotes and backslashes are escaped: a line end stands as it is.
  ['a"b\\c\nd\u0001é', '"a\\"b\\\\c\nd\u0001é"'],
  [{ "\u{1f600}": 1, "\uffee": 2 }, '{"\uffee":2,"\u{1f600}":1}'],
  [JSON.parse('{"__proto__":1,"a":-0}'), '{"__proto__":1,"a":0}'],
])("%j", (value, text) => expect(tufCanonical(value)).toBe(text));

test.each([1.5, Number.NaN, 2 ** 53, "\ud800", { "\udfff": 1 }, [undefined], [1, [2.5]], { a: () => 1 }])("%j has none", (value) =>
  expect(tufCanonical(value)).toBeUndefined(),
);

test("two values have one text only if they are one", () => {
  const value = fc.jsonValue({ maxDepth: 3 }).filter((one) => tufCanonical(one) !== undefined);
  const plain = (one: unknown): unknown => JSON.parse(JSON.stringify(one));
  fc.assert(
    fc.property(value, value, (a, b) => {
      if (tufCanonical(a) === tufCanonical(b)) expect(plain(a)).toEqual(plain(b));
      expect(tufCanonical(plain(a))).toBe(tufCanonical(a));
    }),
  );
});

test("the order members were written in does not matter", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).toReversed());
      expect(tufCanonical(turned)).toBe(tufCanonical(value));
    }),
  );
});
