/** The lattice of design §4, as properties. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BALANCED, sri, time } from "../../../test/kit/packages.ts";
import { DAY, HOUR, type Instant, instant } from "../base/time.ts";
import { SIGNALS } from "../signals/table.ts";
import { type Case, decide } from "./decide.ts";
import type { Policy } from "./policy.ts";
import { type Action, type Effect, type Signal, type Waiver, withheld } from "./verdict.ts";
import { makeWaiver } from "./waiver.ts";

const NOW = time("2026-04-01T00:00:00Z");
const RANK: Readonly<Record<Action, number>> = { allow: 0, hold: 1, review: 2, deny: 3 };
const SUBJECT = { name: "widget", version: "1.0.0", integrity: sri("widget") };
const CONTEXT = { established: false, privateUpstream: false };
const MONITOR: Policy = { ...BALANCED, mode: { kind: "monitor", owner: "mara", expires: instant(NOW + DAY) } };

const moment = fc.integer({ min: -5 * DAY, max: 5 * DAY }).map((offset) => instant(NOW + offset));
const effect: fc.Arbitrary<Effect> = fc.oneof(
  fc.constant<Effect>({ kind: "note" }),
  fc.constant<Effect>({ kind: "hold" }),
  moment.map((until): Effect => ({ kind: "hold", until })),
  fc.constant<Effect>({ kind: "review" }),
  fc.constant<Effect>({ kind: "deny" }),
);
const signal: fc.Arbitrary<Signal> = fc.record({
  id: fc.constantFrom(...(Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]), "not-checked:x" as const),
  effect,
  title: fc.constantFrom("a", "b"),
  evidence: fc.array(fc.record({ text: fc.constantFrom("x", "y"), source: fc.constant("registry") }), { maxLength: 2 }),
});
const signals = fc.array(signal, { maxLength: 6 });
const policy = fc.constantFrom(BALANCED, MONITOR);
const context = fc.record({ established: fc.boolean(), privateUpstream: fc.boolean() });

/** Waivers as people make them, of some of the signals; those that cannot be made are left out. */
function waiversOf(from: readonly Signal[], expires: Instant, now: Instant): readonly Waiver[] {
  return from.flatMap((each) => {
    try {
      return [makeWaiver({ ...SUBJECT, signals: [each], owner: "mara", reason: "needed", expires, now })];
    } catch {
      return [];
    }
  });
}

function verdict(given: readonly Signal[], more: Partial<Case> = {}) {
  return decide({ ...SUBJECT, signals: given, context: CONTEXT, waivers: [], policy: BALANCED, now: NOW, ...more });
}

test("total: every set of signals has a verdict, and nothing gets lost", () => {
  fc.assert(
    fc.property(signals, context, policy, (given, around, by) => {
      const found = verdict(given, { context: around, policy: by, waivers: waiversOf(given.slice(0, 2), instant(NOW + DAY), NOW) });
      expect(found.reasons.length + found.notes.length + found.waived.length).toBe(given.length);
      expect(found.action === "allow").toBe(found.reasons.length === 0);
    }),
  );
});

test("the order of signals leaves no trace", () => {
  fc.assert(
    fc.property(
      signals.chain((given) => fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length }))),
      ([given, shuffled]) => {
        const waivers = waiversOf(given.slice(0, 2), instant(NOW + DAY), NOW);
        expect(verdict(shuffled, { waivers: waivers.toReversed() })).toEqual(verdict(given, { waivers }));
      },
    ),
  );
});

test("one more signal never loosens", () => {
  fc.assert(
    fc.property(signals, signal, context, policy, fc.boolean(), (given, extra, around, by, waive) => {
      const more = { context: around, policy: by, waivers: waive ? waiversOf(given, instant(NOW + DAY), NOW) : [] };
      const [before, after] = [verdict(given, more), verdict([...given, extra], more)];
      expect(RANK[after.action]).toBeGreaterThanOrEqual(RANK[before.action]);
      if (withheld(before)) expect(withheld(after)).toBe(true);
      if (before.action === "hold" && after.action === "hold")
        expect(after.until ?? Infinity).toBeGreaterThanOrEqual(before.until ?? Infinity);
      if (before.review) expect(after.review).toBe(true);
    }),
  );
});

test("an expired waiver is no waiver, and so is a revoked one and one nobody used for 30 days", () => {
  fc.assert(
    fc.property(signals, (given) => {
      const [made] = waiversOf(given, instant(NOW + DAY), NOW);
      fc.pre(made !== undefined);
      const none = verdict(given);
      expect(verdict(given, { waivers: [{ ...made, expires: NOW }] })).toEqual(none);
      expect(verdict(given, { waivers: [{ ...made, revoked: { at: NOW, by: "mara" } }] })).toEqual(none);
      expect(verdict(given, { waivers: [{ ...made, created: instant(NOW - 30 * DAY) }] })).toEqual(none);
      expect(RANK[verdict(given, { waivers: [made] }).action]).toBeLessThanOrEqual(RANK[none.action]);
    }),
  );
});

test("waiting ends holds that have an end, and nothing else", () => {
  fc.assert(
    fc.property(signals, fc.integer({ min: 0, max: 10 * DAY }), (given, wait) => {
      const later = verdict(given, { now: instant(NOW + wait) });
      const lasting = given.filter(({ effect: each }) => each.kind !== "hold" || each.until === undefined || each.until > NOW + wait);
      expect(later.reasons).toEqual(verdict(lasting, { now: instant(NOW + wait) }).reasons);
    }),
  );
});

const held = (until?: number): Signal => ({
  id: "young-release",
  effect: until === undefined ? { kind: "hold" } : { kind: "hold", until: instant(until) },
  title: "young",
  evidence: [],
});
const reviewed: Signal = { id: "name-not-allowed", effect: { kind: "review" }, title: "new", evidence: [] };
const denied: Signal = { id: "denied-by-policy", effect: { kind: "deny" }, title: "denied", evidence: [] };
const frozen: Signal = { id: "frozen", effect: { kind: "hold", until: instant(NOW + HOUR) }, title: "frozen", evidence: [] };

test("a hold ends at its end, and is then a note", () => {
  expect(verdict([held(NOW)])).toMatchObject({ action: "allow", notes: [{ id: "young-release", effect: { kind: "note" } }] });
  expect(verdict([held(NOW + 1)]).action).toBe("hold");
});

test("several holds end at the latest, and one without an end leaves none", () => {
  expect(verdict([held(NOW + HOUR), held(NOW + DAY)])).toMatchObject({ action: "hold", until: NOW + DAY, review: false });
  expect(verdict([held(NOW + HOUR), held()])).not.toHaveProperty("until");
});

test("a review beside a hold needs both; a deny has no end", () => {
  expect(verdict([held(NOW + HOUR), reviewed])).toMatchObject({ action: "review", until: NOW + HOUR, review: true });
  expect(verdict([held(NOW + HOUR), reviewed, denied])).toMatchObject({ action: "deny", review: true });
  expect(verdict([held(NOW + HOUR), denied])).not.toHaveProperty("until");
});

test("monitor mode withholds what is denied or frozen, and nothing once it has expired", () => {
  expect(withheld(verdict([held(NOW + HOUR), reviewed], { policy: MONITOR }))).toBe(false);
  expect(withheld(verdict([denied], { policy: MONITOR }))).toBe(true);
  expect(withheld(verdict([frozen], { policy: MONITOR }))).toBe(true);
  expect(withheld(verdict([reviewed], { policy: MONITOR, now: instant(NOW + DAY) }))).toBe(true);
  expect(verdict([], { policy: MONITOR }).monitored).toBe(false);
});

test("a private upstream's word on age is enough; on anything else it is not", () => {
  const around = { context: { established: false, privateUpstream: true } };
  expect(verdict([held(NOW + HOUR)], around)).toMatchObject({
    action: "allow",
    notes: [{ id: "young-release", effect: { kind: "note" } }],
  });
  expect(verdict([denied], around).action).toBe("deny");
});
