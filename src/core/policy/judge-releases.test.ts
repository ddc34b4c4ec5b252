/** The cheap look agrees with the close one on releases too, whatever the packages; and a judgement does not loosen because time passes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { expectPlainAllowed } from "../../../test/kit/plain.ts";
import { BALANCED, type Listing, NO_EXCEPTIONS, UPSTREAM, listing, time } from "../../../test/kit/packages.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, instant, iso } from "../base/time.ts";
import type { PackageRecord } from "../facts/history.ts";
import { observe } from "../facts/observe.ts";
import type { Release } from "../npm/release.ts";
import type { PackageView } from "../signals/dependency-walk.ts";
import { type JudgeInput, judgePackage, judgeVersion, namesToCompare, namesToKnow, viewPackage } from "./judge.ts";
import { withheld } from "./verdict.ts";

const NOW = time("2026-04-01T00:00:00Z");
type Texts = Readonly<Record<string, string>>;

const release: fc.Arbitrary<Release> = fc.record(
  {
    publisher: fc.constantFrom(
      { name: "ci", trusted: { id: "github", config: "oidc:1" } },
      { name: "jason", email: "jason@example.test" },
      { name: "mallory", email: "mallory@example.test" },
    ),
    scripts: fc.constantFrom<Texts>({ postinstall: "node a" }, { install: "node-gyp rebuild" }),
    gypfile: fc.boolean(),
    dependencies: fc.constantFrom<Texts>({ lib: "^1.0.0" }, { lib: "^1.0.0", evil: "github:x/y" }, { other: "1.0.0" }),
    bytes: fc.constantFrom(10_000, 50_000, 200_000),
    repository: fc.constantFrom("github.com/a/b", "github.com/c/d"),
  },
  { requiredKeys: [] },
);
const entry = fc.record({
  version: fc.constantFrom("1.0.0", "1.0.1", "1.0.2", "1.1.0", "2.0.0", "2.0.1", "3.0.0-rc.1"),
  age: fc.integer({ min: 0, max: 500 }),
  read: fc.boolean(),
  release,
});
const packages = fc
  .tuple(fc.constantFrom("app", "crossenv"), fc.uniqueArray(entry, { selector: ({ version }) => version, minLength: 1, maxLength: 7 }))
  .map(([name, entries]): PackageRecord => {
    const stamp = (age: number): string => iso(instant(NOW - age * DAY));
    const listed = entries.map(({ version, age }): [string, Listing] => [version, { time: stamp(age) }]);
    const releases = Object.fromEntries(entries.flatMap((one) => (one.read ? [[one.version, one.release]] : [])));
    const summary = listing(name, Object.fromEntries(listed), { releases });
    return observe(undefined, { summary, upstream: UPSTREAM, at: NOW }).record;
  });

const LIB = observe(undefined, {
  summary: listing("lib", { "1.0.0": { time: iso(instant(NOW - 30 * DAY)) } }),
  upstream: UPSTREAM,
  at: NOW,
}).record;

function input(days: number, privateUpstream: boolean): JudgeInput {
  const base: JudgeInput = { policy: BALANCED, exceptions: NO_EXCEPTIONS, now: instant(NOW + days * DAY), privateUpstream };
  const views = new Map<string, PackageView>([["lib", viewPackage(LIB, base)]]);
  return { ...base, lookup: (name) => views.get(name) };
}

const later = fc.integer({ min: 0, max: 200 });

test("the cheap look and the close one agree on every release", () => {
  fc.assert(
    fc.property(packages, later, fc.boolean(), (record, days, privateUpstream) => {
      const given = input(days, privateUpstream);
      const { verdicts, admitted } = judgePackage(record, given);
      for (const { version } of record.summary.versions) {
        const close = judgeVersion(record, version, given)!.verdict;
        expect(verdicts.get(version) ?? { action: "allow", reasons: [] }).toMatchObject({ action: close.action, reasons: close.reasons });
        expect(admitted.includes(version)).toBe(!withheld(close));
      }
    }),
    { numRuns: 400 },
  );
});

test("what is served plainly is allowed by itself, with the digest it is judged by, and waits for no look at its bytes", () => {
  let plain = 0;
  fc.assert(
    fc.property(packages, later, fc.boolean(), (record, days, privateUpstream) => {
      const given = input(days, privateUpstream);
      plain += expectPlainAllowed(record, given);
    }),
    { numRuns: 400 },
  );
  expect(plain).toBeGreaterThan(0);
});

test("of more young versions than are read in detail, those left out are not called clean", () => {
  const stamp = (age: number): string => iso(instant(NOW - age * DAY));
  const flood = Array.from({ length: LIMITS.releases + 10 }, (_, n): [string, number] => [`1.0.${n}`, 20 - n / 10]);
  const listings = Object.fromEntries(flood.map(([version, age]): [string, Listing] => [version, { time: stamp(age) }]));
  const releases = Object.fromEntries(flood.slice(10).map(([version]) => [version, {}]));
  const { record } = observe(undefined, { summary: listing("app", listings, { releases }), upstream: UPSTREAM, at: NOW });
  const effect = (version: string, days: number) =>
    judgeVersion(record, version, input(days, false))!.signals.find(({ id }) => id === "not-checked:release")?.effect.kind;
  expect([effect("1.0.9", 0), effect("1.0.10", 0)]).toEqual(["note", undefined]);
  const sooner = Object.fromEntries(flood.map(([version, age]): [string, Listing] => [version, { time: stamp(age - 10) }]));
  const young = observe(undefined, { summary: listing("app", sooner, { releases }), upstream: UPSTREAM, at: NOW }).record;
  expect(
    judgePackage(young, input(0, false))
      .verdicts.get("1.0.9")
      ?.reasons.map(({ id }) => id),
  ).toEqual(["not-checked:release"]);
});

test("a review of a release does not end by waiting", () => {
  fc.assert(
    fc.property(packages, later, (record, days) => {
      for (const { version } of record.summary.versions) {
        const [now, then] = [0, days].map((after) => judgeVersion(record, version, input(after, false))!.verdict);
        expect(then!.review).toBe(now!.review);
      }
    }),
  );
});

test("the names whose age must be known are those some releases ask for and others do not", () => {
  const summary = listing(
    "app",
    { "1.0.0": { time: iso(instant(NOW - 60 * DAY)) }, "1.0.1": { time: iso(instant(NOW - 30 * DAY)) } },
    {
      releases: {
        "1.0.0": { dependencies: { a: "1", old: "1" } },
        "1.0.1": { dependencies: { a: "1", b: "npm:c@2", d: "git://x.test/y" } },
      },
    },
  );
  const { record } = observe(undefined, { summary, upstream: UPSTREAM, at: NOW });
  expect(namesToCompare(record)).toEqual(["old", "c"]);
  expect(namesToCompare(record, "1.0.1")).toEqual(["c"]);
  expect(namesToKnow(record, input(0, false))).toEqual(["old", "c"]);
});
