/** Refusals and explanations, word by word. */
import { expect, test } from "vitest";
import { BALANCED, NO_EXCEPTIONS, UPSTREAM, listing, time } from "../../../test/kit/packages.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, instant } from "../base/time.ts";
import { observe } from "../facts/observe.ts";
import { alternatives } from "./alternatives.ts";
import { explain, refusalLine, refusalPhrase } from "./explain.ts";
import { judgePackage, judgeVersion } from "./judge.ts";
import type { Verdict } from "./verdict.ts";

const NOW = time("2026-03-31T00:59:00Z");
const OLD = { time: "2025-06-01T00:00:00Z" };
const AXIOS = observe(undefined, {
  summary: listing("axios", { "1.14.0": OLD, "1.14.1": { time: "2026-03-31T00:21:00Z" } }),
  upstream: UPSTREAM,
  at: NOW,
}).record;
const INPUT = { policy: BALANCED, exceptions: NO_EXCEPTIONS, now: NOW, privateUpstream: false };
const YOUNG = judgeVersion(AXIOS, "1.14.1", INPUT)!;

const signal = (id: "young-release" | "integrity-changed" | "malformed-version" | "denied-by-policy" | "name-not-allowed") => ({
  id,
  effect: { kind: "deny" as const },
  title: id,
  evidence: [],
});
const verdict = (more: Partial<Verdict>): Verdict => ({ ...YOUNG.verdict, ...more });

test("the line of a refusal", () => {
  expect(refusalLine("axios", "1.14.1", YOUNG.verdict)).toBe(
    "cordon holds axios@1.14.1: young-release, until 2026-04-03T00:21Z · cordon why axios@1.14.1",
  );
  const { until: _until, ...open } = YOUNG.verdict;
  expect(refusalLine("axios", "1.14.1", open)).toContain("young-release, until the registry answers again");
  expect(refusalLine("axios", "1.14.1", verdict({ action: "review", review: true }))).toContain(
    "young-release, until 2026-04-03T00:21Z and until reviewed",
  );
  expect(refusalLine("axios", "1.14.1", { ...open, action: "review", review: true })).toContain("young-release, until reviewed");
  const denies = {
    ...open,
    action: "deny" as const,
    reasons: [signal("integrity-changed"), signal("malformed-version"), signal("denied-by-policy"), signal("name-not-allowed")],
  };
  expect(refusalLine("axios", "1.14.1", denies)).toBe(
    "cordon denies axios@1.14.1: integrity-changed, malformed-version, denied-by-policy, 1 more · cordon why axios@1.14.1",
  );
});

test("the phrase is ASCII, short, and keeps the rule", () => {
  expect(refusalPhrase("axios", "1.14.1", YOUNG.verdict)).toBe(
    "cordon holds axios@1.14.1: young-release, until 2026-04-03T00:21Z - cordon why axios@1.14.1",
  );
  const long = refusalPhrase(`@acme/${"x".repeat(200)}`, "1.0.0", YOUNG.verdict);
  expect(long).toMatch(/^cordon holds @acme\/x+\.\.\.: young-release, until 2026-04-03T00:21Z$/);
  expect(long).toHaveLength(LIMITS.phraseChars);
});

test("an explanation: what, since when, why, until when, what instead", () => {
  const { admitted } = judgePackage(AXIOS, INPUT);
  expect(explain(YOUNG, alternatives(AXIOS, admitted, "1.14.1"), NOW)).toMatchObject({
    headline: "axios@1.14.1 is held until 2026-04-03T00:21Z: young-release",
    age: "its age counts from 2026-03-31T00:21Z (38 min ago): the registry's publish time, which nothing seen here contradicts",
    reasons: [{ id: "young-release", effect: "hold", title: "published 38 min ago", ends: "opens 2026-04-03T00:21Z (in 2 d 23 h)" }],
    ends: ["opens 2026-04-03T00:21Z (in 2 d 23 h)"],
    instead: [{ version: "1.14.0", why: "the newest admitted 1.x before it" }],
  });
  const old = judgeVersion(AXIOS, "1.14.0", INPUT)!;
  expect(explain(old, [], NOW)).toMatchObject({ headline: "axios@1.14.0 is allowed", reasons: [], ends: [], instead: [] });
  const monitored = { ...YOUNG, verdict: verdict({ monitored: true }) };
  expect(explain(monitored, [], NOW).headline).toBe(
    "axios@1.14.1 is held until 2026-04-03T00:21Z in enforce mode; monitor mode lets it pass: young-release",
  );
});

function instead(admitted: readonly string[], asked: string, deprecated: readonly string[] = []): readonly string[] {
  const summary = listing(
    "widget",
    Object.fromEntries(admitted.map((version) => [version, deprecated.includes(version) ? { ...OLD, deprecated: "x" } : OLD])),
  );
  return alternatives(observe(undefined, { summary, upstream: UPSTREAM, at: instant(NOW + DAY) }).record, admitted, asked).map(
    ({ version }) => version,
  );
}

test("instead: below in the same major, else below; then the next above; never a prerelease for a release", () => {
  expect(instead(["1.13.0", "1.14.0", "1.15.0-beta.1", "0.30.3", "1.14.3", "1.14.2"], "1.14.1")).toEqual(["1.14.0", "1.14.2"]);
  expect(instead(["0.30.3", "0.29.0", "1.14.0"], "0.30.4")).toEqual(["0.30.3"]);
  expect(instead(["1.9.0", "1.8.0"], "2.0.0")).toEqual(["1.9.0"]);
  expect(instead(["1.9.0", "1.8.0"], "2.0.0", ["1.9.0"])).toEqual(["1.8.0"]);
  expect(instead(["1.9.0"], "2.0.0", ["1.9.0"])).toEqual(["1.9.0"]);
  expect(instead(["2.0.0-beta.1", "2.0.0-rc.1", "1.9.0"], "2.0.0-beta.2")).toEqual(["2.0.0-beta.1", "1.9.0"]);
  expect(instead([], "1.0.0")).toEqual([]);
  expect(instead(["1.0.0"], "not a version")).toEqual([]);
});
