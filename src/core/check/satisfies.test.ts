import * as fc from "fast-check";
import semver from "semver";
import { expect, test } from "vitest";
import { openAsked, quickly } from "./satisfies.ts";

const number = fc.oneof(fc.nat(3), fc.constantFrom(10, 12, 2147483647));
const version = fc
  .tuple(number, number, number, fc.constantFrom("", "", "", "-rc.1", "-rc.2", "-rc.10", "-rc.01", "-rc.1.1", "-1", "+b"))
  .map(([a, b, c, rest]) => `${a}.${b}.${c}${rest}`);
const range = fc
  .tuple(fc.constantFrom("", "^", "~", ">=", "<", ">", "=", "^ "), version, fc.constantFrom("", "", "", " || 3.0.0", " <3"))
  .map(([sign, from, rest]) => `${sign}${from}${rest}`);
const part = fc.oneof(number.map(String), fc.constantFrom("x", "X", "*"));
const partial = fc.oneof(
  number.map(String),
  fc.tuple(number, part).map((parts) => parts.join(".")),
  fc.tuple(number, part, part).map((parts) => parts.join(".")),
);
const compared = fc
  .tuple(fc.constantFrom("", "^", "~", ">=", "<", ">", "<=", "=", "^ ", ">= ", "~>", "!"), fc.oneof(version, partial))
  .map((parts) => parts.join(""));
/** Prereleases of few versions, so that they meet. */
const numbered = fc
  .tuple(fc.constantFrom("1.2.3", "0.0.1"), fc.constantFrom("rc", "x"), fc.constantFrom("0", "1", "2", "10", "01", "1.1"))
  .map(([triple, word, count]) => `${triple}-${word}.${count}`);
const joined = fc
  .tuple(compared, fc.array(fc.tuple(fc.constantFrom(" ", "  ", " || ", "||", " | ", " - ", ","), compared), { maxLength: 3 }))
  .map(([one, others]) => one + others.flat().join(""));
const odd = fc.constantFrom("*", "", "x", "1", "1.2", "1.x", "latest", "01.2.3", "^01.2.3", "1.2.3.4", "^1.2", "v1.2.3", ">=1", "1.2.-3");

test("property: what is decided quickly is what semver decides", () => {
  let decided = 0;
  fc.assert(
    fc.property(fc.oneof(range, joined, odd), fc.oneof(version, odd), (asked, has) => {
      const quick = quickly(asked, has);
      if (quick === undefined) return;
      decided++;
      expect(quick, `${has} in ${asked}`).toBe(semver.satisfies(has, asked, { loose: true }));
    }),
    { numRuns: 10_000 },
  );
  expect(decided).toBeGreaterThan(200);
});

test("property: so it is among prereleases of one version", () => {
  let decided = 0;
  fc.assert(
    fc.property(fc.constantFrom("", "^", "~", "=", ">="), numbered, numbered, (sign, from, has) => {
      const quick = quickly(`${sign}${from}`, has);
      if (quick === undefined) return;
      decided++;
      expect(quick, `${has} in ${sign}${from}`).toBe(semver.satisfies(has, `${sign}${from}`, { loose: true }));
    }),
    { numRuns: 5_000 },
  );
  expect(decided).toBeGreaterThan(50);
});

test("property: a version is in the range that names it, unless it is no version", () => {
  const { holds } = openAsked();
  fc.assert(
    fc.property(fc.oneof(version, odd), fc.constantFrom("", "^", "~"), (has, sign) => {
      const asked = `${sign}${has}`;
      const known = semver.validRange(asked, { loose: true }) === null || semver.valid(has, { loose: true }) === null;
      expect(holds(asked, has), asked).toBe(known || has === "*" || semver.satisfies(has, asked, { loose: true }));
    }),
  );
});

test("a tag holds for any version, a star for prereleases too, and anything else as semver says", () => {
  const { holds } = openAsked();
  expect([holds("latest", "1.0.0"), holds("*", "1.0.0-rc.1"), holds("", "1.0.0-rc.1")]).toEqual([true, true, true]);
  expect([holds("1.x || >=3", "2.0.0"), holds("1.x || >=3", "3.1.0"), holds("^1.0.0", "1.2.0-rc.1")]).toEqual([false, true, false]);
});
