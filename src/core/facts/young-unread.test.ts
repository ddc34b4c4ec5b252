/** What a document calls old and this gate has known for a day only. */
import { expect, test } from "vitest";
import { type Listing, UPSTREAM, listing, time } from "../../../test/kit/packages.ts";
import { DAY, instant } from "../base/time.ts";
import type { PackageRecord } from "./history.ts";
import { observe } from "./observe.ts";
import { youngUnread } from "./young-unread.ts";

const NOW = time("2026-03-31T00:43:00Z");
const OLD: Listing = { time: "2020-01-01T00:00:00Z" };

/** The package in these answers, a day apart. */
function seen(...answers: readonly Parameters<typeof listing>[1][]): PackageRecord {
  return answers.reduce<PackageRecord | undefined>(
    (before, entries, day) =>
      observe(before, { summary: listing("widget", entries), upstream: UPSTREAM, at: instant(NOW + day * DAY) }).record,
    undefined,
  )!;
}

test("a version that appeared with an old time, and one that came back", () => {
  const first = { "1.0.0": OLD, "1.0.1": OLD };
  expect(youngUnread(seen(first))).toEqual([]);
  expect(youngUnread(seen(first, { ...first, "1.0.2": OLD }))).toEqual(["1.0.2"]);
  expect(youngUnread(seen(first, { "1.0.0": OLD }, { "1.0.0": OLD, "1.0.2": OLD }, first))).toEqual(["1.0.1"]);
});

test("a version that its time calls young too is read without being asked for", () => {
  const first = { "1.0.0": OLD };
  expect(youngUnread(seen(first, { ...first, "1.0.1": { time: "2026-03-31T12:00:00Z" } }))).toEqual([]);
});

test("it is forgotten when it is no longer young", () => {
  const first = { "1.0.0": OLD };
  const both = { ...first, "1.0.1": OLD };
  const late = observe(seen(first, both), { summary: listing("widget", both), upstream: UPSTREAM, at: instant(NOW + 200 * DAY) }).record;
  expect(youngUnread(late)).toEqual([]);
});
