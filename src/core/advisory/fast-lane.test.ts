import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BALANCED } from "../../../test/kit/packages.ts";
import { DAY, HOUR, instant } from "../base/time.ts";
import { decide } from "../policy/decide.ts";
import type { Effect, Signal } from "../policy/verdict.ts";
import { SIGNALS, type SignalId } from "../signals/table.ts";
import type { Claim } from "./claim.ts";
import { type FastLaneCase, fastLane, openLane } from "./fast-lane.ts";

const NOW = instant(Date.UTC(2026, 3, 1));
const FIX: Claim = {
  id: "GHSA-1",
  aliases: ["CVE-1", "GHSA-1"],
  kind: "vulnerability",
  feed: "osv",
  origins: ["ghsa-malware"],
  firstSeen: instant(NOW - 25 * HOUR),
  match: "range",
  fixed: ["1.2.4"],
};
const OPEN: FastLaneCase = {
  version: "1.2.4",
  start: instant(NOW - 7 * HOUR),
  claims: [FIX],
  against: [],
  clean: true,
  sameIdentity: true,
  affectedInUse: ["1.2.3"],
  now: NOW,
};

test("everything the design asks for opens it, and it says why", () => {
  expect(fastLane(OPEN)).toEqual({ open: true, because: "it fixes GHSA-1 in 1.2.3, which is in use here", advisories: ["GHSA-1"] });
});

test.each<[string, Partial<FastLaneCase>, string]>([
  ["no advisory", { claims: [] }, "no advisory names 1.2.4 as its fix"],
  ["another version is the fix", { claims: [{ ...FIX, fixed: ["1.2.5"] }] }, "no advisory names 1.2.4 as its fix"],
  ["a withdrawn one", { claims: [{ ...FIX, withdrawn: NOW, withdrawnSeen: NOW }] }, "no advisory names 1.2.4 as its fix"],
  ["seen just now", { claims: [{ ...FIX, firstSeen: NOW }] }, "less than 24 h ago, and one origin stands alone"],
  ["too young", { start: instant(NOW - 5 * HOUR) }, "the version is younger than 6 h"],
  ["reported itself", { against: [{ ...FIX, kind: "malware" }] }, "the version is itself reported"],
  ["not analysed", { clean: undefined }, "its analysis has not run"],
  ["analysed and dirty", { clean: false }, "its analysis found something"],
  ["another identity", { sameIdentity: false }, "its provenance names another source than its predecessor's"],
  ["identity not compared", { sameIdentity: undefined }, "its provenance was not compared"],
  ["nobody needs it", { affectedInUse: [] }, "nobody here is known to use an affected version"],
])("%s keeps it closed, and it says what is missing", (_what, change, missing) => {
  const lane = fastLane({ ...OPEN, ...change });
  expect(lane.open ? "open" : lane.missing.join("; ")).toContain(missing);
});

test("two origins that agree after aliases are closed need not be a day old", () => {
  const now = { ...FIX, firstSeen: NOW };
  const agrees = { ...now, id: "CVE-1", feed: "own", origins: ["feed own"] };
  expect(fastLane({ ...OPEN, claims: [now, agrees] }).open).toBe(true);
  expect(fastLane({ ...OPEN, claims: [now, { ...agrees, aliases: ["CVE-2"] }] }).open).toBe(false);
  expect(fastLane({ ...OPEN, claims: [now, { ...agrees, origins: now.origins }] }).open).toBe(false);
});

const effect: fc.Arbitrary<Effect> = fc.oneof(
  fc.constant<Effect>({ kind: "note" }),
  fc.integer({ min: -3, max: 5 }).map((days): Effect => ({ kind: "hold", until: instant(NOW + days * DAY) })),
  fc.constant<Effect>({ kind: "hold" }),
  fc.constant<Effect>({ kind: "review" }),
  fc.constant<Effect>({ kind: "deny" }),
);
const signal: fc.Arbitrary<Signal> = fc.record({
  id: fc.constantFrom<Signal["id"]>(...(Object.keys(SIGNALS) as SignalId[]), "not-checked:x"),
  effect,
  title: fc.constant("because"),
  evidence: fc.constant([]),
});

test("property: an open lane takes away young-release and nothing else", () => {
  fc.assert(
    fc.property(fc.array(signal, { maxLength: 6 }), (signals) => {
      const judged = (given: readonly Signal[]) =>
        decide({
          name: "a",
          version: "1.2.4",
          signals: given,
          context: { established: true, privateUpstream: false },
          waivers: [],
          policy: BALANCED,
          now: NOW,
        });
      const through = judged(openLane(signals, fastLane(OPEN)));
      const without = judged(signals.filter(({ id }) => id !== "young-release"));
      expect({ ...through, notes: [] }).toEqual({ ...without, notes: [] });
      expect(openLane(signals, fastLane({ ...OPEN, clean: undefined }))).toEqual(signals);
    }),
  );
});
