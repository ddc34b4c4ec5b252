import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DAY, HOUR, type Instant, instant } from "../base/time.ts";
import type { Claim } from "./claim.ts";
import { type ClaimSubject, inForce, nextWeightChange, weigh } from "./contested.ts";

const NOW = instant(Date.UTC(2026, 3, 1));
const OLD: ClaimSubject = { start: instant(NOW - 400 * DAY), established: true, served: true };
const YOUNG: ClaimSubject = { ...OLD, start: instant(NOW - DAY) };

function claim(more: Partial<Claim> = {}): Claim {
  return {
    id: "MAL-1",
    aliases: [more.id ?? "MAL-1"],
    kind: "malware",
    feed: "osv",
    origins: ["ghsa-malware"],
    firstSeen: instant(NOW - DAY),
    match: "version",
    fixed: [],
    ...more,
  };
}

test.each<[string, Partial<Claim>[], Partial<ClaimSubject>, ReturnType<typeof weigh>]>([
  ["nothing is said", [], {}, undefined],
  ["an explicit version nobody here has", [{}], { served: false }, "deny"],
  ["a lone origin on an old version already served", [{}], {}, "contested"],
  ["two origins on it", [{ origins: ["ghsa-malware", "amazon-inspector"] }], {}, "deny"],
  ["two feeds that pass on one finding", [{}, { id: "GHSA-1", feed: "ghsa" }], {}, "contested"],
  ["two feeds with findings of their own", [{}, { id: "X-1", feed: "own", origins: ["feed own"] }], {}, "deny"],
  ["its very bytes", [{ match: "integrity" }], {}, "deny"],
  ["everything, of an established package", [{ match: "everything", origins: ["a", "b"] }], { served: false }, "contested"],
  ["everything, of a package that is not", [{ match: "everything" }], { established: false, served: false }, "deny"],
  [
    "everything does not agree with a lone claim on this version",
    [{ match: "everything", origins: ["a"] }, { origins: ["b"] }],
    {},
    "contested",
  ],
  ["a sync that denied many names", [{ mass: true, origins: ["a", "b"] }], { served: false }, "contested"],
  ["only perhaps this version", [{ match: "possible" }], {}, "possible"],
])("%s: %s", (_what, claims, subject, weight) => {
  expect(weigh(claims.map(claim), { ...OLD, ...subject }, NOW)).toBe(weight);
  // Design §4: "Young versions are denied at once."
  const sure = claims.some(({ match }) => match !== "possible");
  if (sure) expect(weigh(claims.map(claim), { ...YOUNG, ...subject }, NOW)).toBe("deny");
});

test("a withdrawal lifts its own origin's claim only, after a day or when another feed takes it back too", () => {
  const seen = instant(NOW - HOUR);
  const lone = claim({ withdrawn: seen, withdrawnSeen: seen });
  const other = claim({ id: "X-1", feed: "own", aliases: ["MAL-1", "X-1"] });
  expect(inForce([lone, other], NOW)).toEqual([lone, other]);
  expect(inForce([lone, other], instant(seen + DAY))).toEqual([other]);
  expect(inForce([lone, { ...other, withdrawn: seen, withdrawnSeen: seen }], NOW)).toEqual([]);
  // Taken back by the same feed under another id confirms nothing.
  expect(inForce([lone, { ...other, feed: "osv", withdrawn: seen, withdrawnSeen: seen }], NOW)).toHaveLength(2);
  // Withdrawn before we ever saw it: A.3.7, never a finding.
  expect(inForce([claim({ withdrawn: seen })], NOW)).toEqual([]);
});

test("when time changes what claims weigh is known beforehand", () => {
  const seen = instant(NOW - HOUR);
  expect(nextWeightChange([], YOUNG, NOW)).toBeUndefined();
  expect(nextWeightChange([claim()], OLD, NOW)).toBeUndefined();
  expect(nextWeightChange([claim({ withdrawn: seen, withdrawnSeen: seen })], OLD, NOW)).toBe(seen + DAY);
  const moment = nextWeightChange([claim()], YOUNG, NOW)!;
  expect(weigh([claim()], YOUNG, instant(moment - 1))).toBe("deny");
  expect(weigh([claim()], YOUNG, moment)).toBe("contested");
});

const anyClaim: fc.Arbitrary<Claim> = fc
  .record({
    match: fc.constantFrom<Claim["match"]>("version", "range", "everything", "integrity", "possible"),
    origins: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
    id: fc.constantFrom("1", "2", "3"),
    feed: fc.constantFrom("osv", "own"),
    mass: fc.boolean(),
  })
  .map(({ mass, ...more }) => claim({ ...more, ...(mass ? { mass: true as const } : {}) }));
const anySubject: fc.Arbitrary<ClaimSubject> = fc.record({
  start: fc.integer({ min: NOW - 60 * DAY, max: NOW }) as fc.Arbitrary<number> as fc.Arbitrary<Instant>,
  established: fc.boolean(),
  served: fc.boolean(),
});

test("property: one more claim never loosens, and their order makes no difference", () => {
  const rank = { none: 0, possible: 1, contested: 2, deny: 3 } as const;
  fc.assert(
    fc.property(fc.array(anyClaim, { maxLength: 4 }), anyClaim, anySubject, (claims, more, subject) => {
      const before = weigh(claims, subject, NOW) ?? "none";
      const after = weigh([...claims, more], subject, NOW) ?? "none";
      expect(rank[after]).toBeGreaterThanOrEqual(rank[before]);
      expect(weigh([more, ...claims.toReversed()], subject, NOW) ?? "none").toBe(after);
    }),
  );
});
