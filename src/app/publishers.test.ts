/** A wave of packages of one publisher is seen when enough of it has passed, also for those that passed first. */
import { expect, test } from "vitest";
import { BALANCED, NO_EXCEPTIONS, UPSTREAM, listing, time } from "../../test/kit/packages.ts";
import { DAY, HOUR, MINUTE, instant, iso } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { observe } from "../core/facts/observe.ts";
import type { Publisher } from "../core/npm/release.ts";
import { judgeVersion } from "../core/policy/judge.ts";
import { openPublishers } from "./publishers.ts";

const NOW = time("2026-03-31T00:59:00Z");
const QIX: Publisher = { name: "qix", email: "qix@example.test" };
const CI: Publisher = { name: "GitHub Actions", trusted: { id: "github" } };

/** A package with these releases: version → how long ago. */
function packageOf(name: string, versions: Readonly<Record<string, number>>, publisher: Publisher = QIX): PackageRecord {
  const times = Object.entries(versions);
  const listings = Object.fromEntries(times.map(([version, age]) => [version, { time: iso(instant(NOW - age)) }]));
  const releases = Object.fromEntries(times.map(([version]) => [version, { publisher }]));
  return observe(undefined, { summary: listing(name, listings, { releases }), upstream: UPSTREAM, at: NOW }).record;
}

function world() {
  const touched: string[] = [];
  const publishers = openPublishers((name) => touched.push(name));
  const burst = (record: PackageRecord, version: string) => {
    const evidence = { of: () => undefined, publishedBy: publishers.publishedBy };
    const input = { policy: BALANCED, exceptions: NO_EXCEPTIONS, now: NOW, privateUpstream: false, evidence };
    return judgeVersion(record, version, input)!.signals.find(({ id }) => id === "publish-burst")?.title;
  };
  return { publishers, touched, burst };
}

const WAVE = ["chalk", "debug", "ansi-styles", "color-name"].map((name, n) =>
  packageOf(name, { "5.6.0": (40 + n) * DAY, "5.6.1": HOUR + n * MINUTE }),
);

test("four packages within an hour are a burst, and those that came first are judged anew", () => {
  const { publishers, touched, burst } = world();
  for (const record of WAVE.slice(0, 3)) publishers.note(record);
  expect([burst(WAVE[0]!, "5.6.1"), touched]).toEqual([undefined, []]);
  publishers.note(WAVE[3]!);
  expect(touched.toSorted()).toEqual(["ansi-styles", "chalk", "debug"]);
  for (const record of WAVE) {
    expect(burst(record, "5.6.1")).toBe("qix published several packages at once");
    expect(burst(record, "5.6.0")).toBeUndefined();
  }
  for (const record of WAVE) publishers.note(record);
  expect(touched).toHaveLength(3);
});

test("who always publishes so many, and CI jobs, which share a name, are no news", () => {
  const monorepo = (publisher: Publisher) =>
    ["a", "b", "c", "d", "e"].map((name) => packageOf(name, { "1.0.0": 120 * DAY, "1.1.0": 30 * DAY, "1.2.0": HOUR }, publisher));
  const { publishers, burst } = world();
  const usual = monorepo(QIX);
  for (const record of usual) publishers.note(record);
  expect(burst(usual[0]!, "1.2.0")).toBeUndefined();
  const other = world();
  const jobs = WAVE.map(({ name }) => packageOf(name, { "1.0.0": HOUR }, CI));
  for (const record of jobs) other.publishers.note(record);
  expect(other.burst(jobs[0]!, "1.0.0")).toBeUndefined();
});
