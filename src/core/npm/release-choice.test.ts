/** Few versions are read in detail: the young, and those they are compared with. */
import { expect, test } from "vitest";
import { LIMITS } from "../base/limits.ts";
import { DAY, instant, iso } from "../base/time.ts";
import { isPrerelease, lineOf } from "./line.ts";
import { chooseReleases } from "./release-choice.ts";

const NOW = instant(Date.parse("2026-04-01T00:00:00Z"));
const aged = (version: string, days: number) => ({ version, time: iso(instant(NOW - days * DAY)) });

function chosen(...versions: readonly { readonly version: string; readonly time?: string }[]): readonly string[] {
  return [...chooseReleases(versions, NOW)].toSorted();
}

test("lines", () => {
  expect(["1.14.1", "0.30.4", "1.0.0+b", "15.0.0-canary.3", "0.0.0-experimental-abc-20260101", "1.0.0-0", "x"].map(lineOf)).toEqual([
    "1",
    "0.30",
    "1",
    "-canary",
    "-experimental",
    "-",
    "",
  ]);
  expect(isPrerelease("1.0.0-rc.1")).toBe(true);
  expect(isPrerelease("1.0.0+rc.1")).toBe(false);
});

test("nothing of a package whose versions are all old", () => {
  expect(chosen(aged("1.0.0", 400), aged("1.0.1", 200))).toEqual([]);
});

test("the young one, the five before it, those of its line, and one 90 days older", () => {
  const others = Array.from({ length: 20 }, (_, n) => aged(`2.0.${n}`, 300 - n));
  const given = [aged("1.0.0", 900), aged("1.0.1", 800), ...others, aged("1.0.2", 1)];
  expect(chosen(...given)).toEqual(["1.0.0", "1.0.1", "1.0.2", "2.0.14", "2.0.15", "2.0.16", "2.0.17", "2.0.18", "2.0.19"].toSorted());
});

test("the versions right below it, however many of its line are newer", () => {
  const others = Array.from({ length: 20 }, (_, n) => aged(`1.${n + 1}.0`, 300 - n));
  const read = chosen(
    aged("0.9.0", 950),
    aged("1.0.0", 900),
    aged("1.0.20200101", 800),
    ...others,
    aged("1.0.20200102", 1),
    aged("1.1.1", 1),
  );
  expect(read).toEqual(expect.arrayContaining(["1.0.0", "1.0.20200101", "1.1.0"]));
  expect(read).not.toContain("1.9.0");
});

test("without times the last ones of the document", () => {
  const names = Array.from({ length: 40 }, (_, n) => ({ version: `1.0.${n}` }));
  expect(chosen(...names)).toContain("1.0.39");
  expect(chosen(...names)).not.toContain("1.0.1");
});

test("a version without a time beside others that have one is young", () => {
  expect(chosen(aged("1.0.0", 400), { version: "1.0.1" })).toEqual(["1.0.0", "1.0.1"]);
});

test("a flood is read up to the ceiling, newest first", () => {
  const flood = Array.from({ length: 5_000 }, (_, n) => aged(`1.0.${n}`, 90 - n / 100));
  const read = chooseReleases(flood, NOW);
  expect(read.size).toBe(LIMITS.releases);
  expect(read.has("1.0.4999")).toBe(true);
});

test("what is young by a history of our own is read whatever its time says, with what it is compared with", () => {
  const given = [aged("1.0.0", 900), aged("1.0.1", 800), aged("1.0.2", 500)];
  expect([...chooseReleases(given, NOW, new Set(["1.0.2"]))].toSorted()).toEqual(["1.0.0", "1.0.1", "1.0.2"]);
  const untimed = Array.from({ length: 40 }, (_, n) => ({ version: `1.0.${n}` }));
  expect(chooseReleases(untimed, NOW, new Set(["1.0.3"])).has("1.0.3")).toBe(true);
});
