/** Whole packages: the axios case, dependencies, what time alone changes, and that the cheap look agrees with the close one. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { expectPlainAllowed } from "../../../test/kit/plain.ts";
import { BALANCED, type Listing, NO_EXCEPTIONS, UPSTREAM, listing, sri, time } from "../../../test/kit/packages.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, HOUR, MINUTE, type Instant, instant, iso } from "../base/time.ts";
import type { PackageRecord } from "../facts/history.ts";
import { markServed, observe, reconfirm } from "../facts/observe.ts";
import type { PackageView } from "../signals/dependency-walk.ts";
import { makeDeny } from "./deny.ts";
import { makeFreeze } from "./freeze.ts";
import { type JudgeInput, type Judgement, judgePackage, judgeVersion, namesToKnow, verdictForPin, viewPackage } from "./judge.ts";
import type { Policy } from "./policy.ts";
import { withheld } from "./verdict.ts";
import { makeWaiver } from "./waiver.ts";

const OLD = "2025-06-01T00:00:00Z";
const owned = { owner: "mara", reason: "incident" };

type World = ReadonlyMap<string, PackageRecord>;

function world(at: Instant, packages: Readonly<Record<string, Readonly<Record<string, Listing>>>>): World {
  return new Map(
    Object.entries(packages).map(([name, entries]) => [
      name,
      observe(undefined, { summary: listing(name, entries), upstream: UPSTREAM, at }).record,
    ]),
  );
}

function input(now: Instant, among: World = new Map(), more: Partial<JudgeInput> = {}): JudgeInput {
  const base: JudgeInput = { policy: BALANCED, exceptions: NO_EXCEPTIONS, now, privateUpstream: false, ...more };
  const views = new Map<string, PackageView>();
  const lookup = (name: string) => {
    const record = among.get(name);
    if (record && !views.has(name)) views.set(name, viewPackage(record, base));
    return views.get(name);
  };
  return { ...base, lookup };
}

function judged(among: World, name: string, now: Instant, more: Partial<JudgeInput> = {}) {
  return judgePackage(among.get(name)!, input(now, among, more));
}

/** `version action[ until]: ids` of everything that is not plainly allowed. */
function lines(among: World, name: string, now: Instant, more: Partial<JudgeInput> = {}): readonly string[] {
  return [...judged(among, name, now, more).verdicts].map(
    ([version, { action, until, reasons }]) =>
      `${version} ${action}${until === undefined ? "" : ` until ${iso(until).slice(0, 16)}`}: ${reasons.map(({ id }) => id).join(", ")}`,
  );
}

const PUBLISHED = "2026-03-31T00:21:00Z";
const DEPENDENCY = "2026-03-30T23:59:12Z";

function axios(at: Instant): World {
  return world(at, {
    axios: {
      "0.30.3": { time: "2026-02-20T00:00:00Z", requires: { "follow-redirects": "^1.15.0" } },
      "1.14.0": { time: "2026-03-01T00:00:00Z", requires: { "follow-redirects": "^1.15.0" } },
      "1.14.1": { time: PUBLISHED, requires: { "follow-redirects": "^1.15.0", "plain-crypto-js": "^4.2.1" } },
    },
    "plain-crypto-js": { "4.2.0": { time: "2026-03-30T05:57:00Z" }, "4.2.1": { time: DEPENDENCY } },
    "follow-redirects": { "1.15.9": { time: OLD } },
  });
}

test("axios 1.14.1: held with the dependency it was published for, and admitted 72 hours later on a fresh look", () => {
  const saw = time("2026-03-31T00:59:00Z");
  const then = axios(saw);
  expect(lines(then, "axios", saw)).toEqual(["1.14.1 hold until 2026-04-03T00:21: young-release, dependency-withheld"]);
  expect(judged(then, "axios", saw)).toMatchObject({ admitted: ["0.30.3", "1.14.0"], nextChange: time("2026-04-02T23:59:12Z") });
  const { facts, signals } = judgeVersion(then.get("axios")!, "1.14.1", input(saw, then))!;
  expect(facts.start).toBe(time(PUBLISHED));
  expect(signals.map(({ title }) => title)).toEqual(["published 38 min ago", "requires plain-crypto-js ^4.2.1, which is withheld"]);
  expect(signals[1]!.evidence[0]!.text).toBe("plain-crypto-js ^4.2.1: 4.2.1 held until 2026-04-02T23:59Z (young-release)");

  // Three days later nobody has asked the registry again: what we remember is no evidence that it still stands.
  const late = time("2026-04-03T00:21:00Z");
  expect(lines(then, "axios", late)).toEqual(["1.14.1 hold: not-reconfirmed"]);
  // Its dependency need not be confirmed first: it is asked for, and judged, when a client wants it.
  const half = new Map([...then, ["axios", reconfirm(then.get("axios")!, late).record]]);
  expect(lines(half, "axios", late)).toEqual([]);
  expect(lines(half, "plain-crypto-js", late)).toEqual(["4.2.0 hold: not-reconfirmed", "4.2.1 hold: not-reconfirmed"]);
  const fresh = new Map([...then].map(([name, record]) => [name, reconfirm(record, late).record]));
  expect(lines(fresh, "axios", instant(late - 1))).toHaveLength(1);
  expect(judged(fresh, "axios", late)).toMatchObject({ verdicts: new Map(), admitted: ["0.30.3", "1.14.0", "1.14.1"] });
});

test("axios 1.14.1 taken down while it waits: denied, with its dependency, and never admitted by time", () => {
  const saw = time("2026-03-31T00:59:00Z");
  const taken = time("2026-03-31T03:40:00Z");
  let axiosRecord = axios(saw).get("axios")!;
  const without = listing("axios", { "0.30.3": { time: "2026-02-20T00:00:00Z" }, "1.14.0": { time: "2026-03-01T00:00:00Z" } });
  for (const at of [taken, instant(taken + 10 * MINUTE)])
    axiosRecord = observe(axiosRecord, { summary: without, upstream: UPSTREAM, at }).record;
  expect(judgePackage(axiosRecord, input(taken)).admitted).toEqual(["0.30.3", "1.14.0"]);
  const verdict = judgeVersion(axiosRecord, "1.14.1", input(instant(taken + 90 * DAY)))!.verdict;
  expect(verdict).toMatchObject({ action: "deny", reasons: [{ id: "withdrawn-upstream" }, { id: "not-reconfirmed" }] });
});

const NOW = time("2026-04-01T00:00:00Z");
const ago = (milliseconds: number) => iso(instant(NOW - milliseconds));

test("any admitted version that matches is enough", () => {
  const among = world(NOW, {
    app: { "1.0.0": { time: ago(HOUR), requires: { lib: "^1.0.0", tagged: "latest", whatever: "" } } },
    lib: { "1.0.0": { time: OLD }, "1.0.1": { time: ago(HOUR) } },
    tagged: { "1.0.0": { time: OLD }, "1.1.0": { time: ago(HOUR) } },
    whatever: { "1.0.0": { time: OLD } },
  });
  expect(lines(among, "app", NOW)).toEqual(["1.0.0 hold until 2026-04-03T23:00: young-release"]);
});

test("the wait for dependencies is the latest of the holds needed, through any number of them, and the earliest choice among versions", () => {
  const among = world(NOW, {
    app: { "1.0.0": { time: ago(4 * DAY), requires: { mid: "^1.0.0" } } },
    mid: { "1.0.0": { time: ago(4 * DAY), requires: { deep: "1.0.0" } }, "1.0.1": { time: ago(4 * DAY), requires: { deep: "1.0.1" } } },
    deep: { "1.0.0": { time: ago(2 * DAY) }, "1.0.1": { time: ago(DAY) } },
  });
  expect(lines(among, "app", NOW)).toEqual(["1.0.0 hold until 2026-04-02T00:00: dependency-withheld"]);
  expect(lines(among, "mid", NOW)).toEqual([
    "1.0.0 hold until 2026-04-02T00:00: dependency-withheld",
    "1.0.1 hold until 2026-04-03T00:00: dependency-withheld",
  ]);
});

test("cycles hold nothing by themselves, and pass on what is held in them", () => {
  const cycle = (b: string) =>
    world(NOW, {
      a: { "1.0.0": { time: ago(4 * DAY), requires: { b: "1.0.0" } } },
      b: { "1.0.0": { time: b, requires: { a: "1.0.0", b: "^1.0.0" } } },
    });
  expect(lines(cycle(ago(5 * DAY)), "a", NOW)).toEqual([]);
  expect(lines(cycle(ago(DAY)), "a", NOW)).toEqual(["1.0.0 hold until 2026-04-03T00:00: dependency-withheld"]);
});

test("a package that requires itself is known to itself", () => {
  const among = world(NOW, { app: { "1.0.0": { time: ago(DAY), requires: { app: "^1.0.0" } } } });
  const { verdicts } = judgePackage(among.get("app")!, { ...input(NOW), lookup: () => undefined });
  expect(verdicts.get("1.0.0")!.reasons.map(({ id }) => id)).toEqual(["young-release", "dependency-withheld"]);
});

test("a requirement without an end is a review; one we know nothing of is a note", () => {
  const among = world(NOW, {
    app: {
      "1.0.0": { time: ago(4 * DAY), requires: { bad: "^1.0.0", alias: "npm:bad@1.0.0" } },
      "1.0.1": { time: ago(4 * DAY), requires: { unseen: "^1.0.0", g: "github:a/b", none: "^9.0.0" } },
    },
    bad: { "1.0.0": { time: OLD } },
    none: { "1.0.0": { time: OLD } },
  });
  const denied = { exceptions: { ...NO_EXCEPTIONS, denies: [makeDeny({ ...owned, name: "bad", version: "1.0.0", now: NOW })] } };
  expect(lines(among, "app", NOW, denied)).toEqual(["1.0.0 review: dependency-withheld"]);
  const { verdict } = judgeVersion(among.get("app")!, "1.0.1", input(NOW, among))!;
  expect(verdict.action).toBe("allow");
  expect(verdict.notes[0]!.evidence.map(({ text }) => text)).toEqual([
    "unseen ^1.0.0: not looked at, this gate has not seen the package yet",
    "g github:a/b: not looked at, it does not come from a registry",
    "none ^9.0.0: not looked at, the registry lists no matching version",
  ]);
  expect(namesToKnow(among.get("app")!, input(NOW))).toEqual(["bad", "unseen", "none"]);
});

test("an old version is judged by its dependencies when one of them carries a deny", () => {
  const among = world(NOW, { app: { "1.0.0": { time: OLD, requires: { bad: "1.0.0" } } }, bad: { "1.0.0": { time: OLD } } });
  const exceptions = { ...NO_EXCEPTIONS, denies: [makeDeny({ ...owned, name: "bad", now: NOW })] };
  expect(lines(among, "app", NOW)).toEqual([]);
  expect(lines(among, "app", NOW, { exceptions })).toEqual(["1.0.0 review: dependency-withheld"]);
  const byBytes = { ...NO_EXCEPTIONS, denies: [makeDeny({ ...owned, integrity: sri("bad@1.0.0"), now: NOW })] };
  expect(lines(among, "app", NOW, { exceptions: byBytes, denied: new Set(["bad"]) })).toEqual(["1.0.0 review: dependency-withheld"]);
});

test("a requirement whose only match was withdrawn is a review", () => {
  const first = world(NOW, {
    app: { "1.0.0": { time: ago(4 * DAY), requires: { lib: "1.0.1" } } },
    lib: { "1.0.0": { time: OLD }, "1.0.1": { time: ago(4 * DAY) } },
  });
  const gone = observe(first.get("lib"), {
    summary: listing("lib", { "1.0.0": { time: OLD } }),
    upstream: UPSTREAM,
    at: instant(NOW + HOUR),
  }).record;
  expect(lines(new Map([...first, ["lib", gone]]), "app", instant(NOW + HOUR))).toEqual(["1.0.0 review: dependency-withheld"]);
});

test("a huge young graph is cut off with a note, not walked for ever", () => {
  const names = Array.from({ length: LIMITS.dependencyWalk + 5 }, (_, n) => `p${n}`);
  const among = world(
    NOW,
    Object.fromEntries(names.map((name, n) => [name, { "1.0.0": { time: ago(4 * DAY), requires: { [`p${n + 1}`]: "1.0.0" } } }])),
  );
  expect(lines(among, "p0", NOW)).toEqual([]);
});

test("time alone changes verdicts at the ends of holds, waivers, freezes and monitor mode", () => {
  const among = world(NOW, { app: { "1.0.0": { time: OLD }, "1.0.1": { time: ago(DAY) }, "1.0.2": { time: ago(HOUR) } } });
  const record = among.get("app")!;
  expect(judged(among, "app", NOW).nextChange).toBe(NOW + 2 * DAY);
  const freeze = makeFreeze({ ...owned, before: instant(NOW - 2 * DAY), expires: instant(NOW + DAY), now: NOW });
  expect(judged(among, "app", NOW, { exceptions: { ...NO_EXCEPTIONS, freezes: [freeze] } }).nextChange).toBe(NOW + DAY);
  const young = judgeVersion(record, "1.0.1", input(NOW))!;
  const waiver = makeWaiver({
    name: "app",
    version: "1.0.1",
    integrity: young.facts.integrity,
    signals: young.verdict.reasons,
    ...owned,
    expires: instant(NOW + HOUR),
    now: NOW,
  });
  const waived = judged(among, "app", NOW, { exceptions: { ...NO_EXCEPTIONS, waivers: [waiver] } });
  expect(waived).toMatchObject({ nextChange: NOW + HOUR, admitted: ["1.0.0", "1.0.1"] });
  expect(waived.verdicts.get("1.0.1")).toMatchObject({ action: "allow", waived: [{ waiver: waiver.id }] });
  const monitor: Policy = { ...BALANCED, mode: { kind: "monitor", owner: "mara", expires: instant(NOW + 90 * MINUTE) } };
  expect(judged(among, "app", NOW, { policy: monitor })).toMatchObject({
    nextChange: NOW + 90 * MINUTE,
    admitted: ["1.0.0", "1.0.1", "1.0.2"],
  });
});

test("malformed versions have a verdict and are not admitted", () => {
  const summary = listing("app", { "1.0.0": { time: OLD } }, { problems: [{ version: "1.0.1", reason: "no dist" }] });
  const { record } = observe(undefined, { summary, upstream: UPSTREAM, at: NOW });
  const { verdicts, admitted } = judgePackage(record, input(NOW));
  expect([...verdicts.keys()]).toEqual(["1.0.1"]);
  expect(admitted).toEqual(["1.0.0"]);
});

test("pins of bytes already served outlive a withdrawal and a freeze, with an alert; nothing else does", () => {
  const both = listing("app", { "1.0.0": { time: OLD }, "1.0.1": { time: OLD } });
  const served = markServed(observe(undefined, { summary: both, upstream: UPSTREAM, at: NOW }).record, "1.0.1", NOW);
  let record = served;
  for (const at of [HOUR, 2 * HOUR])
    record = observe(record, { summary: listing("app", { "1.0.0": { time: OLD } }), upstream: UPSTREAM, at: instant(NOW + at) }).record;
  const later = instant(NOW + DAY);
  const pin = (of: PackageRecord, more: Partial<JudgeInput> = {}) =>
    verdictForPin(judgeVersion(of, "1.0.1", input(later, new Map(), more)) as Judgement);
  expect(pin(record)).toMatchObject({
    verdict: { action: "allow" },
    alert: expect.stringContaining("withdrawn-upstream, removed from the registry"),
  });
  const denied = { exceptions: { ...NO_EXCEPTIONS, denies: [makeDeny({ ...owned, name: "app", version: "1.0.1", now: NOW })] } };
  expect(withheld(pin(record, denied).verdict)).toBe(true);
  const freeze = makeFreeze({ ...owned, before: time("2025-01-01T00:00:00Z"), expires: instant(NOW + 9 * DAY), now: instant(NOW + HOUR) });
  const frozen = { exceptions: { ...NO_EXCEPTIONS, freezes: [freeze] } };
  expect(pin(served, frozen)).toMatchObject({ verdict: { action: "allow" }, alert: expect.stringContaining("frozen") });
  expect(judgePackage(served, input(later, new Map(), frozen)).admitted).toEqual([]);
  const unserved = observe(undefined, { summary: both, upstream: UPSTREAM, at: NOW }).record;
  expect(withheld(pin(unserved, frozen).verdict)).toBe(true);
});

// Packages as they come: any age, gone, returned, changed, timeless, with young dependencies and every kind of exception.
const days = fc.integer({ min: 0, max: 120 });
const entry = fc.record({
  age: days,
  timed: fc.boolean(),
  requires: fc.option(fc.constantFrom("lib", "app"), { nil: undefined }),
  bytes: fc.constantFrom("a", "b", "c"),
  listed: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
});
const anyPackage = fc.array(entry, { minLength: 1, maxLength: 6 }).map((entries) => {
  let record: PackageRecord | undefined;
  for (const [turn, offset] of [-40, -20, -2, 0].entries()) {
    const at = instant(NOW + offset * DAY);
    const listed = entries.flatMap(({ age, timed, requires, bytes, listed: when }, n) => {
      if (!when[turn] || NOW - age * DAY > at) return [];
      const stamp = timed ? { time: iso(instant(NOW - age * DAY)) } : {};
      return [
        [
          `1.0.${n}`,
          { ...stamp, integrity: sri(turn === 3 ? bytes : "a"), ...(requires === undefined ? {} : { requires: { [requires]: "^1.0.0" } }) },
        ] as const,
      ];
    });
    ({ record } = observe(record, { summary: listing("app", Object.fromEntries(listed)), upstream: UPSTREAM, at }));
  }
  return record!;
});
const anyInput = fc
  .record({
    hold: fc.constantFrom(0, 3 * DAY, 30 * DAY),
    allow: fc.constantFrom([], ["app"], ["other"]),
    own: fc.constantFrom([], ["app"]),
    baseline: fc.boolean(),
    privateUpstream: fc.boolean(),
    deny: fc.constantFrom(undefined, { name: "app" }, { name: "app", version: "1.0.1" }, { integrity: sri("b") }, { name: "lib" }),
    freeze: fc.option(days, { nil: undefined }),
    libAge: days,
    later: fc.integer({ min: 0, max: 40 }),
  })
  .map(({ hold, allow, own, baseline, privateUpstream, deny, freeze, libAge, later }) => {
    const now = instant(NOW + later * DAY);
    const policy: Policy = { ...BALANCED, hold, allow, private: own, ...(baseline ? { baseline: { owner: "mara", accepted: NOW } } : {}) };
    const exceptions = {
      ...NO_EXCEPTIONS,
      denies: deny === undefined ? [] : [makeDeny({ ...owned, ...deny, now: NOW })],
      freezes:
        freeze === undefined
          ? []
          : [makeFreeze({ ...owned, before: instant(NOW - freeze * DAY), expires: instant(NOW + 10 * DAY), now: NOW })],
    };
    const lib = world(NOW, { lib: { "1.0.0": { time: iso(instant(NOW - libAge * DAY)) } } });
    return input(now, lib, { policy, exceptions, privateUpstream });
  });

test("the cheap look and the close one agree on every version", () => {
  fc.assert(
    fc.property(anyPackage, anyInput, (record, given) => {
      const { verdicts, admitted } = judgePackage(record, given);
      for (const { version } of record.summary.versions) {
        const close = judgeVersion(record, version, given)!.verdict;
        expect(verdicts.get(version) ?? { action: "allow", reasons: [] }).toMatchObject({ action: close.action, reasons: close.reasons });
        expect(admitted.includes(version)).toBe(!withheld(close));
      }
    }),
    { numRuns: 300 },
  );
});

test("what is served plainly is allowed by itself, with the digest it is judged by, and waits for no look at its bytes", () => {
  let plain = 0;
  fc.assert(
    fc.property(anyPackage, anyInput, (record, given) => {
      plain += expectPlainAllowed(record, given);
    }),
    { numRuns: 300 },
  );
  expect(plain).toBeGreaterThan(0);
});

test("nothing changes by time alone before the moment that was named", () => {
  fc.assert(
    fc.property(anyPackage, anyInput, (record, given) => {
      const { admitted, nextChange } = judgePackage(record, given);
      const just = instant(Math.min(nextChange ?? given.now + 400 * DAY, given.now + 400 * DAY) - 1);
      expect(judgePackage(record, { ...given, now: just }).admitted).toEqual(admitted);
    }),
    { numRuns: 300 },
  );
});
