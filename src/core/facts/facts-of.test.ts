/** The age cases of design §4. */
import { expect, test } from "vitest";
import { type Listing, UPSTREAM, listing, sri, time } from "../../../test/kit/packages.ts";
import { DAY, HOUR, type Instant, instant } from "../base/time.ts";
import type { PackumentSummary } from "../npm/summary.ts";
import { factsDigest, factsOf } from "./facts-of.ts";
import type { PackageRecord } from "./history.ts";
import { observe, reconfirm } from "./observe.ts";

const LOOK1 = time("2026-03-01T00:00:00Z");
const LOOK2 = time("2026-03-10T00:00:00Z");
const PUBLIC = { privateUpstream: false };

function seen(...answers: readonly (readonly [Instant, PackumentSummary, string?])[]): PackageRecord {
  let record: PackageRecord | undefined;
  for (const [at, summary, upstream = UPSTREAM] of answers) ({ record } = observe(record, { summary, upstream, at }));
  return record!;
}

function widget(entries: Readonly<Record<string, Listing>>): PackumentSummary {
  return listing("widget", entries);
}

test("an old version first asked for today is as old as the registry says", () => {
  const record = seen([LOOK1, widget({ "1.0.0": { time: "2020-05-01T00:00:00Z" } })]);
  expect(factsOf(record, "1.0.0", LOOK1, PUBLIC)).toMatchObject({
    start: time("2020-05-01T00:00:00Z"),
    basis: "registry-time",
    claim: "ok",
    listed: true,
  });
});

const SECOND_LOOK: readonly [string, string | undefined, Partial<ReturnType<typeof factsOf>>][] = [
  ["published between two looks", "2026-03-05T00:00:00Z", { start: time("2026-03-05T00:00:00Z"), basis: "registry-time", claim: "ok" }],
  [
    "back-dated: dated before a look that did not find it",
    "2024-01-01T00:00:00Z",
    { start: LOOK1, basis: "absent-before", claim: "back-dated" },
  ],
  ["dated minutes before a look, which a cache explains", "2026-02-28T23:55:00Z", { start: LOOK1, basis: "absent-before", claim: "ok" }],
  ["in the future", "2027-01-01T00:00:00Z", { start: LOOK2, basis: "first-seen", claim: "future" }],
  ["seconds ahead, which clocks explain", "2026-03-10T00:00:20Z", { start: LOOK2, basis: "first-seen", claim: "ok" }],
  ["unreadable", "yesterday", { start: LOOK2, basis: "first-seen", claim: "unreadable" }],
  ["missing", undefined, { start: LOOK2, basis: "first-seen", claim: "missing" }],
];

test.each(SECOND_LOOK)("a version at the second look, its time %s", (_what, stamp, expected) => {
  const old = { time: "2020-05-01T00:00:00Z" };
  const record = seen(
    [LOOK1, widget({ "1.0.0": old })],
    [LOOK2, widget({ "1.0.0": old, "1.0.1": stamp === undefined ? {} : { time: stamp } })],
  );
  expect(factsOf(record, "1.0.1", LOOK2, PUBLIC)).toMatchObject(expected!);
});

test("a time the registry changes afterwards changes nothing, and is said", () => {
  const record = seen(
    [LOOK1, widget({ "1.0.0": { time: "2026-02-27T00:00:00Z" } })],
    [LOOK2, widget({ "1.0.0": { time: "2019-01-01T00:00:00Z" } })],
  );
  expect(factsOf(record, "1.0.0", LOOK2, PUBLIC)).toMatchObject({
    start: time("2026-02-27T00:00:00Z"),
    claim: "moved",
    claimed: time("2026-02-27T00:00:00Z"),
    claimedNow: time("2019-01-01T00:00:00Z"),
  });
});

test("a mirror without time: first sight, unless its first listing was accepted as old", () => {
  const baseline = { owner: "mara", accepted: LOOK1 };
  const record = seen([LOOK1, widget({ "1.0.0": {} })], [LOOK2, widget({ "1.0.0": {}, "1.0.1": {} })]);
  expect(factsOf(record, "1.0.0", LOOK2, PUBLIC)).toMatchObject({ start: LOOK1, basis: "first-seen", timeless: true });
  expect(factsOf(record, "1.0.0", LOOK2, { ...PUBLIC, baseline })).toMatchObject({ start: instant(LOOK1 - 90 * DAY), basis: "baseline" });
  expect(factsOf(record, "1.0.1", LOOK2, { ...PUBLIC, baseline })).toMatchObject({ start: LOOK2, basis: "first-seen" });

  // The baseline is for an upstream without times, not for one entry without.
  const timed = seen([LOOK1, widget({ "1.0.0": { time: "2020-01-01T00:00:00Z" }, "1.0.1": {} })]);
  expect(factsOf(timed, "1.0.1", LOOK1, { ...PUBLIC, baseline })).toMatchObject({ start: LOOK1, basis: "first-seen" });
});

test("after a mirror without time, the first times given count", () => {
  const record = seen(
    [LOOK1, widget({ "1.0.0": {} })],
    [LOOK2, widget({ "1.0.0": { time: "2020-01-01T00:00:00Z" } }), "https://other.test/"],
  );
  expect(factsOf(record, "1.0.0", LOOK2, PUBLIC)).toMatchObject({
    start: time("2020-01-01T00:00:00Z"),
    basis: "registry-time",
    timeless: false,
  });
});

test("gone versions keep their facts, malformed ones have as many as can be had, unknown ones none", () => {
  const old = { time: "2020-05-01T00:00:00Z" };
  const problems = [{ version: "1.0.2", reason: "its name is another's" }];
  const record = seen([LOOK1, widget({ "1.0.0": old, "1.0.1": old })], [LOOK2, listing("widget", { "1.0.0": old }, { problems })]);
  expect(factsOf(record, "1.0.1", LOOK2, PUBLIC)).toMatchObject({
    listed: false,
    gone: { since: LOOK2, confirmed: false },
    integrity: sri("widget@1.0.1"),
    lastListed: LOOK1,
  });
  expect(factsOf(record, "1.0.2", LOOK2, PUBLIC)).toMatchObject({ listed: false, problem: "its name is another's", start: LOOK2 });
  expect(factsOf(record, "1.0.3", LOOK2, PUBLIC)).toBeUndefined();
});

test("the integrity is the stronger of listing and history, and every digest seen is known", () => {
  const record = seen(
    [LOOK1, widget({ "1.0.0": { shasum: "a".repeat(40) } })],
    [LOOK2, widget({ "1.0.0": { integrity: undefined as never, shasum: "a".repeat(40) } })],
  );
  const facts = factsOf(record, "1.0.0", LOOK2, PUBLIC)!;
  expect(facts.integrity).toBe(sri("widget@1.0.0"));
  expect(facts.digests).toContain("sha1-qqqqqqqqqqqqqqqqqqqqqqqqqqo=");
});

test("established: 90 days and five stable versions that are 14 days old", () => {
  const ages = (...days: readonly number[]) =>
    Object.fromEntries(days.map((age, n) => [`1.0.${n}`, { time: new Date(LOOK1 - age * DAY).toISOString() }]));
  const established = (summary: PackumentSummary, at = LOOK1) =>
    factsOf(seen([at, summary]), summary.versions[0]!.version, at, PUBLIC)!.established;
  expect(established(widget(ages(100, 80, 60, 40, 20)))).toBe(true);
  expect(established(widget(ages(89, 80, 60, 40, 20)))).toBe(false);
  expect(established(widget(ages(400, 300, 200, 100)))).toBe(false);
  // Four versions published by a thief in a day do not count.
  expect(established(widget(ages(400, 1, 1, 1, 1)))).toBe(false);
  expect(established(widget({ ...ages(400, 300, 200, 100), "1.0.9-beta.1": { time: "2020-01-01T00:00:00Z" } }))).toBe(false);
  // Nor do versions the registry dates back.
  const backDated = seen([LOOK1, widget(ages(400))], [instant(LOOK1 + HOUR), widget(ages(400, 300, 200, 100, 90))]);
  expect(factsOf(backDated, "1.0.0", instant(LOOK1 + HOUR), PUBLIC)!.established).toBe(false);
});

const digest = (of: PackageRecord, now: Instant) => factsDigest(factsOf(of, "1.0.0", now, PUBLIC)!);

test("equal facts have equal digests; a minute later they are the same", () => {
  const record = seen([LOOK1, widget({ "1.0.0": { time: "2020-05-01T00:00:00Z" } })]);
  expect(digest(record, LOOK1)).toBe(digest(record, instant(LOOK1 + 60_000)));
  expect(digest(reconfirm(record, LOOK2).record, LOOK2)).not.toBe(digest(record, LOOK2));
});
