/** Each signal at its edges, and a check that cannot run. */
import { expect, test } from "vitest";
import { BALANCED, NO_EXCEPTIONS, sri, time } from "../../../test/kit/packages.ts";
import { DAY, HOUR, MINUTE, instant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import { makeDeny } from "../policy/deny.ts";
import { makeFreeze } from "../policy/freeze.ts";
import type { Exceptions, Policy } from "../policy/policy.ts";
import type { Signal } from "../policy/verdict.ts";
import type { SignalInput } from "./check.ts";
import { CHECKS, evaluate } from "./evaluate.ts";
import { SIGNALS } from "./table.ts";

const NOW = time("2026-04-01T00:00:00Z");
const ago = (milliseconds: number) => instant(NOW - milliseconds);

const OLD: Facts = {
  name: "widget",
  version: "1.0.0",
  integrity: sri("widget"),
  digests: [sri("widget")],
  listed: true,
  firstSeen: ago(400 * DAY),
  lastListed: NOW,
  start: ago(400 * DAY),
  basis: "registry-time",
  claimed: ago(400 * DAY),
  claim: "ok",
  established: true,
  timeless: false,
  securityHolding: false,
  served: false,
  requires: {},
  privateUpstream: false,
};

type Change = { facts?: Partial<Facts>; policy?: Partial<Policy>; exceptions?: Partial<Exceptions> } & Partial<
  Pick<SignalInput, "publicTwin" | "dependencies">
>;

function signals({ facts, policy, exceptions, ...more }: Change): readonly Signal[] {
  return evaluate({
    facts: { ...OLD, ...facts },
    policy: { ...BALANCED, ...policy },
    exceptions: { ...NO_EXCEPTIONS, ...exceptions },
    now: NOW,
    ...more,
  });
}

/** `id effect` of each. */
function heard(change: Change): readonly string[] {
  return signals(change).map(({ id, effect }) => `${id} ${effect.kind}${"pins" in effect ? " pins" : ""}`);
}

const owned = { owner: "mara", reason: "incident", now: ago(HOUR) };
const gone = (lived: number, confirmed = true) => ({ listed: false, start: ago(lived + HOUR), gone: { since: ago(HOUR), confirmed } });

test.each<[string, Change, readonly string[]]>([
  ["an old listed version says nothing", {}, []],
  ["young until the hold is over", { facts: { start: ago(3 * DAY - 1) } }, ["young-release hold"]],
  ["and not a moment longer", { facts: { start: ago(3 * DAY) } }, []],
  ["over, but last listed before the end", { facts: { start: ago(4 * DAY), lastListed: ago(DAY + 1) } }, ["not-reconfirmed hold"]],
  ["over, and listed at the end", { facts: { start: ago(4 * DAY), lastListed: ago(DAY) } }, []],
  ["changed bytes", { facts: { changed: { from: "a", to: "b", at: NOW } } }, ["integrity-changed deny"]],
  ["gone within 30 days", { facts: gone(30 * DAY) }, ["withdrawn-upstream deny"]],
  ["gone later, never served", { facts: gone(31 * DAY) }, ["withdrawn-upstream review"]],
  ["gone later, served before", { facts: { ...gone(31 * DAY), served: true } }, ["withdrawn-upstream review pins"]],
  ["replaced by a placeholder", { facts: { ...gone(900 * DAY), served: true, securityHolding: true } }, ["withdrawn-upstream deny"]],
  ["missing once, young", { facts: gone(20 * DAY, false) }, ["withdrawn-upstream hold"]],
  ["missing once, old", { facts: gone(200 * DAY, false) }, ["withdrawn-upstream note"]],
  ["not on the list", { policy: { allow: ["react"] } }, ["name-not-allowed review"]],
  ["on the list", { policy: { allow: ["wid*"] } }, []],
  ["no list, but strict", { policy: { preset: "strict" } }, ["name-not-allowed review"]],
  ["strict, from a private upstream", { policy: { preset: "strict" }, facts: { privateUpstream: true } }, []],
  ["malformed", { facts: { listed: false, problem: "no dist" } }, ["malformed-version deny"]],
  ["dated before we looked", { facts: { claim: "back-dated" } }, ["time-contradicted note"]],
  ["dated after we saw it", { facts: { claim: "future" } }, ["time-contradicted note"]],
  ["re-dated", { facts: { claim: "moved", claimedNow: NOW } }, ["time-contradicted note"]],
  ["no date", { facts: { claim: "missing" } }, []],
  ["a private name from a private upstream", { facts: { privateUpstream: true }, policy: { private: ["widget"] } }, []],
  ["a private name left from a public one", { policy: { private: ["widget"] } }, ["private-name-collision deny"]],
  [
    "a private name that is public too",
    { facts: { privateUpstream: true }, publicTwin: { upstream: "https://public.test/", seen: NOW } },
    ["private-name-collision note"],
  ],
])("%s", (_what, change, expected) => expect(heard(change)).toEqual(expected));

test("a deny stops a version, a name, or bytes under any name, until it is removed", () => {
  const denied = (request: Parameters<typeof makeDeny>[0]) => heard({ exceptions: { denies: [makeDeny(request)] } });
  expect(denied({ ...owned, name: "widget", version: "1.0.0" })).toEqual(["denied-by-policy deny"]);
  expect(denied({ ...owned, name: "widget" })).toEqual(["denied-by-policy deny"]);
  expect(denied({ ...owned, integrity: sri("widget") })).toEqual(["denied-by-policy deny"]);
  expect(denied({ ...owned, name: "widget", version: "1.0.1" })).toEqual([]);
  expect(denied({ ...owned, name: "gadget", version: "1.0.0", integrity: sri("gadget") })).toEqual([]);
  const removed = { ...makeDeny({ ...owned, name: "widget" }), removed: { at: NOW, by: "mara" } };
  expect(heard({ exceptions: { denies: [removed] } })).toEqual([]);
  expect(signals({ exceptions: { denies: [makeDeny({ ...owned, name: "widget" })] } })[0]!.evidence[0]!.text).toContain(
    "incident (mara, 2026-03-31, d-",
  );
});

test("a freeze counts from the start of age, ends by itself, and lets through pins it found in use", () => {
  const freeze = makeFreeze({ ...owned, before: ago(10 * DAY), expires: instant(NOW + DAY) });
  const during = (facts: Partial<Facts>, active = freeze) => heard({ facts, exceptions: { freezes: [active] } });
  expect(during({ start: ago(10 * DAY) })).toEqual(["frozen hold"]);
  expect(during({ start: ago(10 * DAY + 1) })).toEqual([]);
  expect(during({ start: ago(9 * DAY), served: true, servedSince: ago(2 * HOUR) })).toEqual(["frozen hold pins"]);
  expect(during({ start: ago(9 * DAY), served: true, servedSince: ago(MINUTE) })).toEqual(["frozen hold"]);
  expect(during({ start: ago(9 * DAY) }, { ...freeze, lifted: { at: NOW, by: "mara" } })).toEqual([]);
  expect(during({ start: ago(9 * DAY) }, { ...freeze, expires: NOW })).toEqual([]);
  expect(signals({ facts: { start: ago(9 * DAY) }, exceptions: { freezes: [freeze] } })[0]!.effect).toEqual({
    kind: "hold",
    until: freeze.expires,
  });
});

const titleOf = (facts: Partial<Facts>) => signals({ facts })[0]!.title;

test("titles say what happened and when", () => {
  expect(titleOf({ start: ago(38 * MINUTE) })).toBe("published 38 min ago");
  expect(titleOf({ start: ago(HOUR), basis: "first-seen" })).toBe("first seen 1 h ago");
  expect(titleOf({ start: ago(HOUR), basis: "returned" })).toBe("came back 1 h ago");
  expect(titleOf(gone(10 * DAY))).toBe("removed from the registry 2026-03-31T23:00Z");
});

test("evidence of age stands still while time passes: waivers are pinned to it", () => {
  const at = (now: number) =>
    evaluate({ facts: { ...OLD, start: ago(HOUR), firstSeen: ago(HOUR) }, policy: BALANCED, exceptions: NO_EXCEPTIONS, now: instant(now) });
  expect(at(NOW)[0]!.evidence).toEqual(at(NOW + DAY)[0]!.evidence);
  const late = evaluate({
    facts: { ...OLD, start: ago(HOUR), firstSeen: ago(HOUR) },
    policy: BALANCED,
    exceptions: NO_EXCEPTIONS,
    now: instant(NOW + 9 * DAY),
  });
  expect(late[0]).toMatchObject({ id: "not-reconfirmed", evidence: at(NOW)[0]!.evidence });
});

test("an upstream without times is named as the reason, with the way out", () => {
  const evidence = signals({ facts: { start: ago(HOUR), basis: "first-seen", claim: "missing", timeless: true } })[0]!.evidence.map(
    ({ text }) => text,
  );
  expect(evidence.join("\n")).toContain("policy.baseline");
});

test("dependencies: a note for what was not looked at, a hold with an end, a review without one", () => {
  const unseen = [{ name: "x", spec: "^1", why: "this gate has not seen the package yet" }];
  const ends = { name: "y", spec: "^1", until: instant(NOW + DAY), review: false, candidates: ["1.0.0 held"] };
  expect(heard({ dependencies: { blocked: [], unseen } })).toEqual(["dependency-withheld note"]);
  expect(signals({ dependencies: { blocked: [ends], unseen } })[0]!.effect).toEqual({ kind: "hold", until: NOW + DAY });
  expect(heard({ dependencies: { blocked: [ends, { name: "z", spec: "^2", review: true, candidates: [] }], unseen } })).toEqual([
    "dependency-withheld review",
  ]);
  expect(
    signals({ dependencies: { blocked: [ends, { name: "z", spec: "^2", review: false, candidates: [] }], unseen } })[0]!.effect,
  ).toEqual({
    kind: "hold",
  });
  expect(heard({ dependencies: { blocked: [], unseen: [] } })).toEqual([]);
});

test("a check that throws is a signal: a hold for the young, a note for the old; the others still run", () => {
  const checks = {
    ...CHECKS,
    "integrity-changed": () => {
      throw new Error("boom\u001b[2J");
    },
  };
  const run = (start: number) =>
    evaluate(
      { facts: { ...OLD, start: instant(start), problem: "no dist" }, policy: BALANCED, exceptions: NO_EXCEPTIONS, now: NOW },
      checks,
    );
  expect(run(ago(14 * DAY - 1)).map(({ id, effect }) => `${id} ${effect.kind}`)).toEqual([
    "not-checked:integrity-changed hold",
    "malformed-version deny",
  ]);
  expect(run(ago(14 * DAY))[0]).toMatchObject({ effect: { kind: "note" }, evidence: [{ text: "boom[2J" }] });
});

test("every signal of the table has its check, in the same order", () => {
  expect(Object.keys(CHECKS)).toEqual(Object.keys(SIGNALS));
});

test("text from outside reaches people on one printable line", () => {
  const [signal] = signals({ facts: { listed: false, problem: `a\u202eb\n${"x".repeat(10_000)}` } });
  expect(signal!.evidence[0]!.text).toMatch(/^abx+…$/);
  expect(signal!.evidence[0]!.text).toHaveLength(500);
});
