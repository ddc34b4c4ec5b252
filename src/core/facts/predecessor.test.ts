/** What a version is compared with: never what only just came, nor what is suspect itself. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DAY, instant } from "../base/time.ts";
import { type Compared, candidatesOf, compareWith, isBefore } from "./predecessor.ts";

const NOW = 1_000 * DAY;
const one = (version: string, days: number): Compared => ({ version, start: instant(NOW - days * DAY), release: {} });

function compared(own: string, earlier: readonly (readonly [string, number])[], suspects: readonly string[] = []) {
  const candidates = candidatesOf([one(own, 0), ...earlier.map(([version, days]) => one(version, days))]);
  const found = compareWith(candidates.length - 1, candidates, { hold: 3 * DAY, trusted: (version) => !suspects.includes(version) });
  return {
    predecessor: found.predecessor?.version,
    mature: found.mature?.version,
    recent: found.recent.map(({ version }) => version),
    settled: found.settled.map(({ version }) => version),
  };
}

test("the highest earlier version of its line", () => {
  const earlier = [
    ["0.30.3", 27],
    ["1.13.6", 40],
    ["1.14.0", 10],
    ["2.0.0", 5],
    ["1.13.7", 4],
  ] as const;
  expect(compared("1.14.1", earlier).predecessor).toBe("1.14.0");
  expect(compared("0.30.4", earlier).predecessor).toBe("0.30.3");
  // A new line begins where the highest one below it stands.
  expect(compared("3.0.0", earlier).predecessor).toBe("2.0.0");
  expect(compared("0.1.0", earlier).predecessor).toBeUndefined();
});

test("neither one that only just came nor a suspect one", () => {
  const earlier = [
    ["1.0.0", 200],
    ["1.0.1", 20],
    ["1.0.2", 2],
  ] as const;
  expect(compared("1.0.3", earlier)).toEqual({
    predecessor: "1.0.1",
    mature: "1.0.0",
    recent: ["1.0.2", "1.0.1", "1.0.0"],
    settled: ["1.0.1", "1.0.0"],
  });
  expect(compared("1.0.3", earlier, ["1.0.1"])).toMatchObject({ predecessor: "1.0.0", settled: ["1.0.0"] });
  expect(compared("1.0.3", earlier, ["1.0.0", "1.0.1"])).toMatchObject({ predecessor: undefined, mature: undefined, settled: [] });
});

test("stable versions beside stable ones, prereleases beside their own kind, the first of a kind beside stable ones", () => {
  const earlier = [
    ["1.0.0", 50],
    ["1.1.0-canary.1", 9],
    ["1.1.0-canary.2", 8],
    ["1.1.0-rc.1", 7],
  ] as const;
  expect(compared("1.0.1", earlier).recent).toEqual(["1.0.0"]);
  expect(compared("1.2.0-canary.3", earlier).predecessor).toBe("1.1.0-canary.2");
  expect(compared("1.2.0-beta.1", earlier).predecessor).toBe("1.0.0");
});

test("the order is total, so that judging by earlier versions ends", () => {
  const any = fc
    .tuple(fc.constantFrom("1.0.0", "1.0.0+a", "1.0.0-rc.1", "1.0.1", "0.9.0"), fc.integer({ min: 0, max: 2 }))
    .map(([version, days]) => one(version, days));
  fc.assert(
    fc.property(any, any, any, (a, b, c) => {
      if (a.version !== b.version) expect(isBefore(a, b)).toBe(!isBefore(b, a));
      if (isBefore(a, b) && isBefore(b, c) && a.version !== c.version) expect(isBefore(a, c)).toBe(true);
    }),
  );
});
