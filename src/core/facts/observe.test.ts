/** What an upstream can make us believe, answer by answer. */
import { expect, test } from "vitest";
import { type Listing, UPSTREAM, listing, shasum, sri, time } from "../../../test/kit/packages.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, HOUR, MINUTE, type Instant, instant } from "../base/time.ts";
import type { PackumentSummary } from "../npm/summary.ts";
import { factsOf } from "./facts-of.ts";
import { type PackageRecord, lastListed } from "./history.ts";
import { type Answer, type HistoryEvent, markFetched, markServed, observe, observeAbsence, reconfirm } from "./observe.ts";

const T0 = time("2026-03-01T00:00:00Z");
const after = (milliseconds: number): Instant => instant(T0 + milliseconds);

type Entries = Readonly<Record<string, Listing>>;
type Step = readonly [at: Instant, entries: Entries | PackumentSummary, more?: Partial<Answer>];

/** Observes answers in turn. */
function history(...steps: readonly Step[]): { record: PackageRecord; events: readonly HistoryEvent[] } {
  let record: PackageRecord | undefined;
  let events: readonly HistoryEvent[] = [];
  for (const [at, entries, more] of steps) {
    const summary = "digest" in entries && "versions" in entries ? (entries as PackumentSummary) : listing("widget", entries as Entries);
    ({ record, events } = observe(record, { summary, upstream: UPSTREAM, at, ...more }));
  }
  return { record: record!, events };
}

const OLD = { time: "2025-01-01T00:00:00Z" };

test("the first answer is taken as it is and reports no changes", () => {
  const { record, events } = history([
    T0,
    { "1.0.0": OLD, "1.0.1": { shasum: shasum("x"), integrity: undefined as never } },
    { etag: '"1"' },
  ]);
  expect(events).toEqual([]);
  expect(record.versions["1.0.0"]).toEqual({ firstSeen: T0, integrity: sri("widget@1.0.0"), claimed: time("2025-01-01T00:00:00Z") });
  expect(record.versions["1.0.1"]!.integrity).toMatch(/^sha1-/);
  expect(record).toMatchObject({ answers: 1, etag: '"1"', tags: { latest: [{ version: "1.0.1", since: T0 }] } });
});

test("a version new to a known package was absent from the answer before", () => {
  const { record, events } = history([T0, { "1.0.0": OLD }], [after(HOUR), { "1.0.0": OLD, "1.0.1": { time: "2026-03-01T00:30:00Z" } }]);
  expect(record.versions["1.0.1"]).toMatchObject({ firstSeen: after(HOUR), absentBefore: T0 });
  expect(events).toContainEqual({ kind: "version-added", version: "1.0.1" });
  expect(events).toContainEqual({ kind: "tag-moved", tag: "latest", from: "1.0.0", to: "1.0.1" });
});

test("another upstream's silence proves no absence", () => {
  const { record } = history([T0, { "1.0.0": OLD }], [after(HOUR), { "1.0.0": OLD, "0.9.0": OLD }, { upstream: "https://mirror.test/" }]);
  expect(record.versions["0.9.0"]!.absentBefore).toBeUndefined();
});

test("a version whose entry could not be read counts as absent until it can", () => {
  const broken = listing("widget", { "1.0.0": OLD }, { problems: [{ version: "1.0.1", reason: "dist is not an object" }] });
  const { record } = history([T0, broken], [after(HOUR), { "1.0.0": OLD, "1.0.1": OLD }]);
  expect(record.versions["1.0.1"]!.absentBefore).toBe(T0);
  const back = history([T0, { "1.0.0": OLD, "1.0.1": OLD }], [after(HOUR), broken], [after(2 * HOUR), broken]);
  expect(back.record.versions["1.0.1"]).toMatchObject({ lastListed: T0 });
  expect(back.record.versions["1.0.1"]!.goneSince).toBeUndefined();
});

test("absence counts after two answers ten minutes apart, and never makes a version younger", () => {
  const both = { "1.0.0": OLD, "1.0.1": OLD };
  const without = { "1.0.0": OLD };
  const once = history([T0, both], [after(HOUR), without]);
  expect(once.events).toContainEqual({ kind: "version-missing", version: "1.0.1" });
  expect(once.record.versions["1.0.1"]).toMatchObject({ goneSince: after(HOUR), lastListed: T0 });
  expect(once.record.versions["1.0.1"]!.gone).toBeUndefined();

  const early = reconfirm(once.record, after(HOUR + 9 * MINUTE));
  expect(early.record.versions["1.0.1"]!.gone).toBeUndefined();
  const confirmed = reconfirm(early.record, after(HOUR + LIMITS.absenceMs));
  expect(confirmed.record.versions["1.0.1"]!.gone).toBe(true);
  expect(confirmed.events).toEqual([{ kind: "version-withdrawn", version: "1.0.1", served: false }]);

  const flicker = history([T0, both], [after(HOUR), without], [after(2 * HOUR), both]);
  expect(flicker.record.versions["1.0.1"]).toEqual({ firstSeen: T0, integrity: sri("widget@1.0.1"), claimed: time(OLD.time) });
});

test("another upstream starts counting absence anew", () => {
  const { record } = history(
    [T0, { "1.0.0": OLD, "1.0.1": OLD }],
    [after(HOUR), { "1.0.0": OLD }],
    [after(2 * HOUR), { "1.0.0": OLD }, { upstream: "https://mirror.test/" }],
  );
  expect(record.versions["1.0.1"]).toMatchObject({ goneSince: after(2 * HOUR) });
  expect(record.versions["1.0.1"]!.gone).toBeUndefined();
});

test("what comes back after it was gone starts a fresh hold", () => {
  const both = { "1.0.0": OLD, "1.0.1": OLD };
  const { record, events } = history(
    [T0, both],
    [after(HOUR), { "1.0.0": OLD }],
    [after(2 * HOUR), { "1.0.0": { ...OLD, deprecated: "x" } }],
    [after(9 * HOUR), both],
  );
  expect(events).toContainEqual({ kind: "version-returned", version: "1.0.1" });
  expect(record.versions["1.0.1"]).toMatchObject({ firstSeen: T0, returned: after(9 * HOUR) });
  expect(record.versions["1.0.1"]).not.toHaveProperty("goneSince");
  expect(factsOf(record, "1.0.1", after(9 * HOUR), { privateUpstream: false })).toMatchObject({
    start: after(9 * HOUR),
    basis: "returned",
  });
});

test("a package the registry took down needs no second look", () => {
  const holding = listing("widget", { "0.0.1-security": { time: "2026-03-01T02:00:00Z" } });
  const replaced = history([T0, { "1.0.0": OLD }], [after(3 * HOUR), holding]);
  expect(replaced.record.versions["1.0.0"]).toMatchObject({ goneSince: after(3 * HOUR), gone: true });
  expect(factsOf(replaced.record, "1.0.0", after(3 * HOUR), { privateUpstream: false })!.securityHolding).toBe(true);
  const unpublished = history([T0, { "1.0.0": OLD }], [after(3 * HOUR), listing("widget", {}, { unpublished: "2026-03-01T02:00:00Z" })]);
  expect(unpublished.events).toContainEqual({ kind: "version-withdrawn", version: "1.0.0", served: false });
});

test("answers that arrive late or come from a lagging cache change nothing", () => {
  const both = { "1.0.0": OLD, "1.0.1": OLD };
  const known = history([T0, both, { lastModified: "Sun, 01 Mar 2026 00:00:00 GMT" }]).record;
  const late = { summary: listing("widget", { "1.0.0": OLD }), upstream: UPSTREAM, at: instant(T0 - 1) };
  expect(observe(known, late).record).toBe(known);
  const lagging = { ...late, at: after(HOUR), lastModified: "Sat, 28 Feb 2026 23:00:00 GMT" };
  expect(observe(known, lagging)).toEqual({ record: known, events: [] });
  expect(observe(known, { ...lagging, at: after(2 * DAY) }).record.lastAnswer).toBe(after(2 * DAY));
  // A date in the future must not shut out every later answer.
  const bogus = history([T0, both, { lastModified: "Sun, 01 Mar 2099 00:00:00 GMT" }]).record;
  expect(observe(bogus, lagging).record.lastAnswer).toBe(after(HOUR));
});

test("a different digest stays marked, whatever is listed later", () => {
  const good = { "1.0.0": OLD };
  const { record, events } = history([T0, good], [after(HOUR), { "1.0.0": { ...OLD, integrity: sri("evil") } }]);
  expect(events).toEqual([{ kind: "integrity-changed", version: "1.0.0", from: sri("widget@1.0.0"), to: sri("evil") }]);
  expect(record.versions["1.0.0"]).toMatchObject({
    integrity: sri("widget@1.0.0"),
    changed: { integrity: sri("evil"), at: after(HOUR) },
    lastListed: T0,
  });
  const back = observe(record, { summary: listing("widget", good), upstream: UPSTREAM, at: after(2 * HOUR) }).record;
  expect(back.versions["1.0.0"]!.changed).toEqual({ integrity: sri("evil"), at: after(HOUR) });
  expect(lastListed(back, back.versions["1.0.0"]!)).toBe(after(2 * HOUR));
});

test.each<[string, Listing, Listing, boolean]>([
  [
    "a sha512 beside an equal shasum is no change",
    { integrity: undefined as never, shasum: shasum("a") },
    { integrity: sri("a"), shasum: shasum("a") },
    false,
  ],
  [
    "a sha512 with another shasum is",
    { integrity: undefined as never, shasum: shasum("a") },
    { integrity: sri("a"), shasum: shasum("b") },
    true,
  ],
  [
    "a lost sha512 with an equal shasum is no change",
    { integrity: sri("a"), shasum: shasum("a") },
    { integrity: undefined as never, shasum: shasum("a") },
    false,
  ],
  ["a list that loses an entry is no change", { integrity: `${sri("a")} ${sri("b")}` }, { integrity: sri("b") }, false],
  ["a list that gains one is: clients would accept either", { integrity: sri("a") }, { integrity: `${sri("a")} ${sri("b")}` }, true],
  ["options are no digest", { integrity: sri("a") }, { integrity: `${sri("a")}?foo` }, false],
  ["a listing without any digest is no evidence", { integrity: sri("a") }, { integrity: undefined as never }, false],
])("%s", (_what, first, second, changes) => {
  const { record } = history([T0, { "1.0.0": { ...OLD, ...first } }], [after(HOUR), { "1.0.0": { ...OLD, ...second } }]);
  expect(record.versions["1.0.0"]!.changed !== undefined).toBe(changes);
});

test("a sha1 once joined by a sha512 is held to the sha512", () => {
  const sha1 = { ...OLD, integrity: undefined as never, shasum: shasum("a") };
  const { record } = history(
    [T0, { "1.0.0": sha1 }],
    [after(HOUR), { "1.0.0": { ...sha1, integrity: sri("a") } }],
    [after(2 * HOUR), { "1.0.0": sha1 }],
    [after(3 * HOUR), { "1.0.0": { ...sha1, integrity: sri("b") } }],
  );
  expect(record.versions["1.0.0"]).toMatchObject({ integrity: sri("a"), changed: { at: after(3 * HOUR) } });
});

test("bytes we fetched are held against later listings and later bytes", () => {
  const { record } = history([T0, { "1.0.0": { ...OLD, integrity: undefined as never, shasum: shasum("a") } }]);
  const fetched = markFetched(record, "1.0.0", sri("a"), after(MINUTE));
  expect(fetched).toMatchObject({ events: [], record: { versions: { "1.0.0": { fetched: sri("a") } } } });
  expect(markFetched(fetched.record, "1.0.0", sri("b"), after(HOUR)).events).toHaveLength(1);
  const listed = {
    summary: listing("widget", { "1.0.0": { ...OLD, integrity: sri("b"), shasum: shasum("a") } }),
    upstream: UPSTREAM,
    at: after(HOUR),
  };
  expect(observe(fetched.record, listed).record.versions["1.0.0"]!.changed).toBeDefined();
  expect(markServed(record, "1.0.0", after(HOUR)).versions["1.0.0"]!.served).toBe(after(HOUR));
  expect(markServed(record, "constructor", after(HOUR))).toBe(record);
});

test("a confirmation renews every listing by one instant and keeps the history as it is", () => {
  const { record } = history([T0, { "1.0.0": OLD, "1.0.1": OLD }, { etag: '"1"' }]);
  const again = reconfirm(record, after(HOUR)).record;
  expect(again.versions).toBe(record.versions);
  expect(lastListed(again, again.versions["1.0.1"]!)).toBe(after(HOUR));
  const same = observe(record, { summary: record.summary, upstream: UPSTREAM, at: after(HOUR), etag: '"2"' }).record;
  expect(same).toMatchObject({ lastAnswer: after(HOUR), answers: 2, etag: '"2"' });
  expect(reconfirm(record, instant(T0 - 1)).record).toBe(record);
});

test("texts of deprecation and tags have ages of their own", () => {
  const { record, events } = history(
    [T0, { "1.0.0": { ...OLD, deprecated: "old" } }],
    [after(HOUR), listing("widget", { "1.0.0": { ...OLD, deprecated: "new" }, "1.0.1": OLD }, { tags: { next: "1.0.1" } })],
  );
  expect(record.versions["1.0.0"]!.deprecatedSince).toBe(after(HOUR));
  expect(events).toContainEqual({ kind: "deprecation-changed", version: "1.0.0", text: "new" });
  expect(record.tags).toEqual({
    latest: [{ version: "1.0.0", since: T0, until: after(HOUR) }],
    next: [{ version: "1.0.1", since: after(HOUR) }],
  });
  const taken = observe(record, { summary: listing("widget", { "1.0.0": OLD }), upstream: UPSTREAM, at: after(2 * HOUR) });
  expect(taken.record.versions["1.0.0"]).not.toHaveProperty("deprecatedSince");
  expect(taken.record.tags["latest"]).toHaveLength(2);
});

test("names that are members of every object are names", () => {
  const tags = JSON.parse('{"__proto__": "1.0.0", "constructor": "1.0.0"}') as Record<string, string>;
  const { record } = history(
    [T0, listing("widget", { "1.0.0": OLD }, { tags })],
    [after(HOUR), listing("widget", { "1.0.0": OLD, "1.0.1": OLD }, { tags })],
  );
  expect(Object.keys(record.tags)).toEqual(["__proto__", "constructor"]);
  expect(factsOf(record, "constructor", T0, { privateUpstream: false })).toBeUndefined();
});

test("tag histories and forgotten versions have ceilings", () => {
  let record = history([T0, { "1.0.0": OLD, "1.0.1": OLD }]).record;
  for (let hour = 1; hour <= LIMITS.tagHistory + 10; hour++) {
    const summary = listing("widget", { "1.0.0": OLD, "1.0.1": OLD }, { tags: { latest: hour % 2 ? "1.0.0" : "1.0.1" } });
    record = observe(record, { summary, upstream: UPSTREAM, at: after(hour * HOUR) }).record;
  }
  expect(record.tags["latest"]).toHaveLength(LIMITS.tagHistory);

  const many = Object.fromEntries(Array.from({ length: LIMITS.packumentVersions }, (_, n) => [`0.0.${n}`, { firstSeen: instant(n) }]));
  const kept = observe(
    { ...record, versions: { ...many, "0.0.0": { firstSeen: instant(0), served: T0 } } },
    { summary: listing("widget", { "2.0.0": OLD }), upstream: UPSTREAM, at: after(DAY * 9) },
  ).record;
  expect(Object.keys(kept.versions)).toHaveLength(LIMITS.packumentVersions);
  expect(kept.versions).toHaveProperty(["0.0.0"]);
  expect(kept.versions).not.toHaveProperty(["0.0.1"]);
});

test("a listing that could not be compared does not vouch for the next one against bytes we fetched", () => {
  const sha1 = { ...OLD, shasum: shasum("x"), integrity: undefined as never };
  const steps = history(
    [T0, { "1.0.0": sha1 }],
    [after(HOUR), { "1.0.0": { ...OLD, integrity: sri("other"), shasum: undefined as never } }],
  );
  const fetched = markFetched(steps.record, "1.0.0", sri("ours"), after(2 * HOUR)).record;
  const summary = listing("widget", { "1.0.0": { ...OLD, shasum: shasum("x"), integrity: sri("other") } });
  const { record, events } = observe(fetched, { summary, upstream: UPSTREAM, at: after(3 * HOUR) });
  expect(record.versions["1.0.0"]!.changed).toMatchObject({ at: after(3 * HOUR) });
  expect(events.map((event) => event.kind)).toContain("integrity-changed");
});

test("a package that is answered with 404 twice, ten minutes apart, is withdrawn; coming back starts a fresh hold", () => {
  const { record } = history([T0, { "1.0.0": OLD, "1.0.1": OLD }, { etag: '"1"' }]);
  const once = observeAbsence(record, after(HOUR));
  expect(once.record.versions["1.0.1"]).toMatchObject({ goneSince: after(HOUR) });
  expect(once.record.etag).toBeUndefined();
  expect(factsOf(once.record, "1.0.1", after(HOUR), { privateUpstream: false })!.gone).toMatchObject({ confirmed: false });
  expect(observeAbsence(once.record, after(HOUR + MINUTE)).events).toEqual([]);
  const twice = observeAbsence(once.record, after(HOUR + 11 * MINUTE));
  expect(twice.events.map((event) => event.kind)).toEqual(["version-withdrawn", "version-withdrawn"]);
  expect(factsOf(twice.record, "1.0.1", after(2 * HOUR), { privateUpstream: false })!.gone).toMatchObject({ confirmed: true });
  const same = { summary: record.summary, upstream: UPSTREAM, at: after(DAY) };
  expect(observe(once.record, same).record.versions["1.0.1"]!.goneSince).toBeUndefined();
  const back = observe(twice.record, same);
  expect(back.record.versions["1.0.1"]).toMatchObject({ returned: after(DAY) });
  expect(back.events.map((event) => event.kind)).toContain("version-returned");
});
