/** Details outlive the answer they were read in, and the version they are about does not outlive its digest. */
import { expect, test } from "vitest";
import { listing, sri, UPSTREAM } from "../../../test/kit/packages.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, instant } from "../base/time.ts";
import { observe } from "./observe.ts";

const AT = instant(Date.parse("2026-01-01T00:00:00Z"));
const SCRIPT = { scripts: { postinstall: "node x" } };

function after(second: Parameters<typeof listing>[1], releases?: Record<string, object>, upstream = UPSTREAM) {
  const first = observe(undefined, {
    summary: listing("app", { "1.0.0": {}, "1.0.1": {} }, { releases: { "1.0.0": {}, "1.0.1": SCRIPT } }),
    upstream: UPSTREAM,
    at: AT,
  }).record;
  const summary = listing("app", second, releases === undefined ? {} : { releases });
  return observe(first, { summary, upstream, at: instant(AT + 200 * DAY) }).record.summary.releases;
}

test("what was read of a version that is still listed is kept, what is read anew counts", () => {
  expect(after({ "1.0.0": {}, "1.0.1": {}, "1.0.2": {} })).toEqual({ "1.0.0": {}, "1.0.1": SCRIPT });
  expect(after({ "1.0.1": {}, "1.0.2": {} }, { "1.0.2": {}, "1.0.1": { gypfile: true } })).toEqual({
    "1.0.1": { gypfile: true },
    "1.0.2": {},
  });
});

test("nothing is kept of other bytes, or of another upstream", () => {
  expect(after({ "1.0.1": { integrity: sri("other") } })).toBeUndefined();
  expect(after({ "1.0.1": {} }, undefined, "https://other.test/")).toBeUndefined();
});

test("no more is kept than is read", () => {
  const many = Object.fromEntries(Array.from({ length: LIMITS.releases }, (_, n) => [`2.0.${n}`, {}]));
  expect(Object.keys(after({ "1.0.1": {}, ...many }, many)!)).toHaveLength(LIMITS.releases);
});
