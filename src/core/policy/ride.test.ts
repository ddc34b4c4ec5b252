/** What may leave early beside a fix: pinned exactly, built where it was, within the hour, and clean. */
import { expect, test } from "vitest";
import { BALANCED, NO_EXCEPTIONS, UPSTREAM, listing, time } from "../../../test/kit/packages.ts";
import type { Claim } from "../advisory/claim.ts";
import type { CodeDone } from "../analysis/code-facts.ts";
import type { BuildIdentity } from "../attest/attested.ts";
import { DAY, HOUR, instant, iso } from "../base/time.ts";
import type { PackageEvidence } from "../facts/evidence.ts";
import type { PackageRecord } from "../facts/history.ts";
import { observe } from "../facts/observe.ts";
import { judgePackage, judgeVersion } from "./judge.ts";
import type { Ride } from "./ride.ts";

const NOW = time("2026-03-31T00:00:00Z");
const BUILT: BuildIdentity = {
  issuer: "https://ci.test",
  repository: "https://github.com/acme/core",
  workflow: "https://github.com/acme/core/ci.yml",
};
const CLEAN: CodeDone = {
  state: "done",
  predecessor: "1.2.3",
  archive: [],
  chains: [],
  added: [],
  install: [],
  hosts: [],
  binaries: [],
  mismatches: [],
  unimported: [],
  unread: [],
  shrinkwrap: [],
};
const FIX: Claim = {
  id: "GHSA-1",
  aliases: ["GHSA-1"],
  kind: "vulnerability",
  feed: "osv",
  origins: ["osv"],
  firstSeen: instant(NOW - 2 * DAY),
  match: "range",
  fixed: ["1.2.4"],
};

/** 1.2.3 is old, 1.2.4 so young. */
function packageOf(name: string, age: number, requires: Readonly<Record<string, string>> = {}): PackageRecord {
  const listings = { "1.2.3": { time: iso(instant(NOW - 200 * DAY)) }, "1.2.4": { time: iso(instant(NOW - age)), requires } };
  const summary = listing(name, listings, { releases: { "1.2.3": {}, "1.2.4": {} } });
  return observe(undefined, { summary, upstream: UPSTREAM, at: NOW }).record;
}

function evidenceOf(identity: BuildIdentity, more: Partial<PackageEvidence> = {}, code: CodeDone = CLEAN): PackageEvidence {
  const absent = { state: "absent" } as const;
  const own = {
    signature: absent,
    publish: absent,
    provenance: { state: "valid", identity, predicateType: "https://slsa.dev/provenance/v1" },
  } as const;
  return { of: () => ({ code, attested: { own, recent: [], registrySigns: true } }), ...more };
}

const input = (evidence: PackageEvidence) => ({ policy: BALANCED, exceptions: NO_EXCEPTIONS, now: NOW, privateUpstream: false, evidence });

const CORE = packageOf("core", 7 * HOUR, { parser: "1.2.4", loose: "^1.2.0" });
const FIXED = evidenceOf(BUILT, {
  fixes: (version) => (version === "1.2.4" ? [FIX] : []),
  served: new Set(["1.2.3"]),
  claims: (version) => (version === "1.2.3" ? [FIX] : []),
});

function ridesWith(): readonly Ride[] {
  const { rides, admitted } = judgePackage(CORE, input(FIXED));
  expect(admitted).toContain("1.2.4");
  return rides;
}

test("an open lane takes along what is pinned exactly", () => {
  expect(ridesWith().map(({ name, version, by }) => `${name}@${version} with ${by}`)).toEqual(["parser@1.2.4 with core@1.2.4"]);
});

const LOUD: CodeDone = { ...CLEAN, mismatches: ["version: other"] };

test.each<[string, string, number, PackageEvidence, string]>([
  [
    "built there, within the hour, clean",
    "allow",
    7 * HOUR + 60_000,
    evidenceOf(BUILT),
    "let through early: core@1.2.4, which is let through early, pins it",
  ],
  [
    "built elsewhere",
    "hold",
    7 * HOUR,
    evidenceOf({ ...BUILT, repository: "https://github.com/mallory/core", workflow: "w" }),
    "published",
  ],
  ["two hours apart", "hold", 9 * HOUR, evidenceOf(BUILT), "published"],
  ["something was found", "review", 7 * HOUR, evidenceOf(BUILT, {}, LOUD), "published"],
])("a sibling %s: %s", (_what, action, age, evidence, title) => {
  const [ride] = ridesWith();
  const judged = judgeVersion(packageOf("parser", age), "1.2.4", input({ ...evidence, rides: () => ride }))!;
  expect(judged.verdict.action).toBe(action);
  expect(judged.signals.find(({ id }) => id === "young-release")!.title).toContain(title);
});

test("without the fix it waits", () => {
  expect(judgeVersion(packageOf("parser", 7 * HOUR), "1.2.4", input(evidenceOf(BUILT)))!.verdict.action).toBe("hold");
});
