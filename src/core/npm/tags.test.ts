import * as fc from "fast-check";
import semver from "semver";
import { expect, test } from "vitest";
import { DAY, HOUR, type Instant, instant } from "../base/time.ts";
import { repairTags } from "./tags.ts";

const NOW = instant(Date.UTC(2026, 3, 1));
const ago = (milliseconds: number): Instant => instant(NOW - milliseconds);

/** `served` are the admitted versions, `old` the deprecated ones among all. */
function repaired(
  tags: Record<string, string>,
  served: readonly string[],
  more: { old?: readonly string[]; history?: Parameters<typeof repairTags>[0]["history"] } = {},
) {
  const { old = [], history = {} } = more;
  return repairTags({
    tags,
    versions: old.map((version) => ({ version, deprecated: "old" })),
    admitted: new Set(served),
    history,
    now: NOW,
  });
}

test("a tag on a served version stays, whatever its history", () => {
  const history = { latest: [{ version: "1.0.0", since: ago(9 * DAY) }] };
  expect(repaired({ latest: "2.0.0", next: "3.0.0-beta.1" }, ["1.0.0", "2.0.0", "3.0.0-beta.1"], { history })).toEqual({
    tags: { latest: "2.0.0", next: "3.0.0-beta.1" },
    changes: [],
  });
});

test("latest goes back by version, not by date: 2.0.1 is young, 1.9.9 was published after 2.0.0", () => {
  expect(repaired({ latest: "2.0.1" }, ["1.9.9", "2.0.0"])).toEqual({
    tags: { latest: "2.0.0" },
    changes: [{ tag: "latest", from: "2.0.1", to: "2.0.0", why: "same-major" }],
  });
});

test("the version of next never becomes latest, however much higher it is", () => {
  const { tags } = repaired({ latest: "2.0.1", next: "3.0.0-rc.1" }, ["2.0.0", "2.0.1-rc.1", "3.0.0-rc.1"]);
  expect(tags).toEqual({ latest: "2.0.0", next: "3.0.0-rc.1" });
});

test("a value that stood a day is returned to, even when another admitted version is higher", () => {
  const history = {
    latest: [
      { version: "1.13.0", since: ago(90 * DAY), until: ago(30 * DAY) },
      { version: "1.14.0", since: ago(30 * DAY), until: ago(2 * HOUR) },
      { version: "1.14.1", since: ago(2 * HOUR) },
    ],
  };
  expect(repaired({ latest: "1.14.1" }, ["1.13.0", "1.14.0", "1.14.0-x"], { history }).changes).toEqual([
    { tag: "latest", from: "1.14.1", to: "1.14.0", why: "history" },
  ]);
  // A thief moved latest to an old line: history brings it back up.
  expect(repaired({ latest: "0.30.4" }, ["0.30.3", "1.14.0"], { history }).tags).toEqual({ latest: "1.14.0" });
});

test("a value that stood less than a day is no history", () => {
  const history = {
    latest: [
      { version: "1.5.0", since: ago(20 * HOUR), until: ago(HOUR) },
      { version: "1.6.0", since: ago(HOUR) },
    ],
  };
  expect(repaired({ latest: "1.6.0" }, ["1.4.0", "1.5.0", "1.5.1"], { history }).changes[0]).toMatchObject({
    to: "1.5.1",
    why: "same-major",
  });
});

test("a value that stood a day but is withheld now is passed over", () => {
  const history = {
    latest: [
      { version: "1.3.0", since: ago(50 * DAY), until: ago(9 * DAY) },
      { version: "1.4.0", since: ago(9 * DAY), until: ago(DAY) },
    ],
  };
  expect(repaired({ latest: "1.6.0" }, ["1.3.0", "1.5.0"], { history }).changes[0]).toMatchObject({ to: "1.3.0", why: "history" });
});

test("legacy goes back inside its own line", () => {
  expect(repaired({ latest: "1.14.0", legacy: "0.30.4" }, ["0.29.0", "0.30.3", "1.14.0"]).changes).toEqual([
    { tag: "legacy", from: "0.30.4", to: "0.30.3", why: "same-major" },
  ]);
});

test("versions listed by date are looked at by version: the axios lines, published in turn", () => {
  const listing = ["1.7.9", "1.8.4", "0.30.0", "1.12.2", "0.30.2", "1.13.6", "0.30.3", "1.14.0"];
  expect(repaired({ latest: "1.14.1", legacy: "0.30.4" }, listing).tags).toEqual({ latest: "1.14.0", legacy: "0.30.3" });
});

test("a deprecated version answers only when nothing else fits", () => {
  expect(repaired({ latest: "1.3.0" }, ["1.1.0", "1.2.0"], { old: ["1.2.0"] }).tags).toEqual({ latest: "1.1.0" });
  expect(repaired({ latest: "2.0.0" }, ["1.1.0", "1.2.0"], { old: ["1.1.0", "1.2.0"] }).tags).toEqual({ latest: "1.2.0" });
  const history = { latest: [{ version: "1.2.0", since: ago(9 * DAY), until: ago(DAY) }] };
  expect(repaired({ latest: "1.3.0" }, ["1.1.0", "1.2.0"], { old: ["1.2.0"], history }).tags).toEqual({ latest: "1.1.0" });
  expect(repaired({ latest: "1.3.0" }, ["1.1.0", "1.2.0"], { old: ["1.1.0", "1.2.0"], history }).changes[0]).toMatchObject({
    to: "1.2.0",
    why: "history",
  });
});

test("a prerelease goes to the newest admitted one of its kind, not above it; else to a stable version below", () => {
  const served = ["1.0.0", "2.0.0-alpha.9", "2.0.0-beta.2", "2.0.0-beta.10", "2.0.0-rc.1", "3.0.0-beta.1"];
  expect(repaired({ latest: "1.0.0", beta: "2.0.0-beta.11" }, served).changes).toEqual([
    { tag: "beta", from: "2.0.0-beta.11", to: "2.0.0-beta.10", why: "prerelease" },
  ]);
  expect(repaired({ latest: "1.0.0", rc: "2.0.0-rc2" }, [...served, "2.0.0-rc1"]).tags["rc"]).toBe("2.0.0-rc1");
  expect(repaired({ latest: "1.0.0", canary: "2.0.0-canary.1" }, served).changes).toEqual([
    { tag: "canary", from: "2.0.0-canary.1", to: "1.0.0", why: "lower" },
  ]);
});

test("a stable tag never goes to a prerelease, numbered ones included", () => {
  expect(repaired({ latest: "1.0.0", v2: "2.0.0" }, ["1.0.0", "2.0.0-0", "2.0.0-beta.1"]).tags["v2"]).toBe("1.0.0");
});

test("another tag with nothing below is removed; latest exists while any stable version is served", () => {
  expect(repaired({ latest: "1.0.0", old: "0.1.0" }, ["1.1.0", "1.2.0", "2.0.0-rc.1"])).toEqual({
    tags: { latest: "1.1.0" },
    changes: [
      { tag: "latest", from: "1.0.0", to: "1.1.0", why: "only-stable" },
      { tag: "old", from: "0.1.0", why: "removed" },
    ],
  });
  expect(repaired({ latest: "1.0.0" }, ["1.1.0", "1.2.0"], { old: ["1.1.0"] }).tags).toEqual({ latest: "1.2.0" });
  expect(repaired({ latest: "1.0.0" }, ["1.1.0"], { old: ["1.1.0"] }).tags).toEqual({ latest: "1.1.0" });
});

test("a latest that is missing or names no version becomes the highest stable one", () => {
  expect(repaired({}, ["1.0.0", "2.0.0", "3.0.0-rc.1"])).toEqual({
    tags: { latest: "2.0.0" },
    changes: [{ tag: "latest", to: "2.0.0", why: "only-stable" }],
  });
  expect(repaired({ latest: "newest" }, ["1.0.0", "2.0.0"]).tags).toEqual({ latest: "2.0.0" });
  expect(repaired({}, ["3.0.0-rc.1"])).toEqual({ tags: {}, changes: [] });
});

test("nothing served: every tag is removed", () => {
  expect(repaired({ latest: "1.0.0", next: "2.0.0-rc.1" }, []).changes).toEqual([
    { tag: "latest", from: "1.0.0", why: "removed" },
    { tag: "next", from: "2.0.0-rc.1", why: "removed" },
  ]);
});

const version = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom("", "", "-beta.1", "-beta.2", "-rc.1", "-0"))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`);

test("whatever is asked: tags lead to served versions, latest is there, and without history nothing goes up or to a prerelease", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("latest", "next", "beta", "legacy"), fc.oneof(version, fc.constant("nonsense"))),
      fc.uniqueArray(version, { maxLength: 20 }),
      fc.array(version),
      (tags, served, old) => {
        const result = repaired(tags, served, { old });
        const stable = served.some((one) => semver.prerelease(one) === null);
        for (const answer of Object.values(result.tags)) expect(served).toContain(answer);
        if (stable) expect(result.tags).toHaveProperty("latest");
        for (const tag of Object.keys(tags)) {
          const change = result.changes.find((one) => one.tag === tag);
          expect(result.tags[tag]).toBe(change ? change.to : tags[tag]);
          if (change?.to === undefined || change.from === undefined || !semver.valid(change.from) || change.why === "only-stable") continue;
          expect(semver.lte(change.to, change.from)).toBe(true);
          if (semver.prerelease(change.from) === null) expect(semver.prerelease(change.to)).toBeNull();
        }
      },
    ),
  );
});
