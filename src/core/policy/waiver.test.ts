/** What a waiver covers, and what it never does. */
import { expect, test } from "vitest";
import { BALANCED, sri, time } from "../../../test/kit/packages.ts";
import { Fault } from "../base/fault.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, HOUR, instant } from "../base/time.ts";
import { decide } from "./decide.ts";
import { makeDeny } from "./deny.ts";
import { makeFreeze } from "./freeze.ts";
import type { Signal } from "./verdict.ts";
import { type WaiverRequest, covers, makeWaiver, pruneReason } from "./waiver.ts";

const NOW = time("2026-04-01T00:00:00Z");
const SUBJECT = { name: "widget", version: "1.0.0", integrity: sri("widget") };
const YOUNG: Signal = {
  id: "young-release",
  effect: { kind: "hold", until: instant(NOW + DAY) },
  title: "published 1 h ago",
  evidence: [{ text: "published", source: "registry", at: instant(NOW - HOUR) }],
};
const REQUEST: WaiverRequest = {
  ...SUBJECT,
  signals: [YOUNG],
  owner: "mara",
  reason: "fixes our outage",
  expires: instant(NOW + 7 * DAY),
  now: NOW,
};
const WAIVER = makeWaiver(REQUEST);

test("it covers the signal with the evidence it had, whatever the minute", () => {
  expect(covers(WAIVER, SUBJECT, YOUNG, NOW)).toBe(true);
  expect(
    covers(
      WAIVER,
      SUBJECT,
      { ...YOUNG, title: "published 3 h ago", effect: { kind: "hold", until: instant(NOW + 9 * DAY) } },
      instant(NOW + 2 * HOUR),
    ),
  ).toBe(true);
});

test("it covers nothing else", () => {
  const elsewhere: [string, typeof SUBJECT, Signal][] = [
    ["another version", { ...SUBJECT, version: "1.0.1" }, YOUNG],
    ["another name", { ...SUBJECT, name: "gadget" }, YOUNG],
    ["other bytes", { ...SUBJECT, integrity: sri("other") }, YOUNG],
    ["another signal", SUBJECT, { ...YOUNG, id: "withdrawn-upstream" }],
    ["new evidence", SUBJECT, { ...YOUNG, evidence: [...YOUNG.evidence, { text: "and more", source: "registry" }] }],
  ];
  for (const [what, subject, signal] of elsewhere) expect(covers(WAIVER, subject, signal, NOW), what).toBe(false);
  expect(covers(WAIVER, { name: "widget", version: "1.0.0" }, YOUNG, NOW)).toBe(false);
});

test("a waived hold does not come back as not-reconfirmed when it ends", () => {
  expect(covers(WAIVER, SUBJECT, { ...YOUNG, id: "not-reconfirmed", effect: { kind: "hold" } }, NOW)).toBe(true);
  expect(covers(makeWaiver({ ...REQUEST, signals: [{ ...YOUNG, id: "not-reconfirmed" }] }), SUBJECT, YOUNG, NOW)).toBe(false);
});

test("of several signals each is covered by itself", () => {
  const other: Signal = {
    id: "dependency-withheld",
    effect: { kind: "review" },
    title: "requires x",
    evidence: [{ text: "x ^1: 1.0.0 denied", source: "registry" }],
  };
  const both = makeWaiver({ ...REQUEST, signals: [other, YOUNG] });
  expect(covers(both, SUBJECT, YOUNG, NOW) && covers(both, SUBJECT, other, NOW)).toBe(true);
  expect(covers(both, SUBJECT, { ...other, evidence: [] }, NOW)).toBe(false);
});

test("a stored waiver of something unwaivable covers nothing", () => {
  const changed: Signal = { ...YOUNG, id: "integrity-changed", effect: { kind: "deny" } };
  const forged = { ...WAIVER, signals: ["integrity-changed"], evidence: WAIVER.evidence.replace("young-release", "integrity-changed") };
  expect(covers(forged, SUBJECT, changed, NOW)).toBe(false);
});

test.each<[string, Partial<WaiverRequest>, string]>([
  ["no owner", { owner: " " }, "the owner is missing"],
  ["no reason", { reason: "" }, "the reason is missing"],
  ["a reason that moves the cursor", { reason: "a\u001b[2Jb" }, "control characters"],
  ["no future", { expires: NOW }, "not in the future"],
  ["too long", { expires: instant(NOW + LIMITS.waiverMs + 1) }, "90 days"],
  ["no expiry at all", { expires: instant(Number.NaN) }, "not a time"],
  ["nothing to waive", { signals: [] }, "nothing to waive"],
  ["no digest", { integrity: undefined }, "no integrity"],
  [
    "an unwaivable signal",
    { signals: [YOUNG, { ...YOUNG, id: "integrity-changed" }] },
    "integrity-changed of widget@1.0.0 cannot be waived",
  ],
])("refused: %s", (_what, change, message) => {
  expect(() => makeWaiver({ ...REQUEST, ...change })).toThrow(
    expect.objectContaining({ code: "USAGE", message: expect.stringContaining(message) }),
  );
});

test("it is pruned when it expired, was revoked, went unused, or the version no longer needs it", () => {
  const held = decide({
    ...SUBJECT,
    signals: [YOUNG],
    context: { established: false, privateUpstream: false },
    waivers: [],
    policy: BALANCED,
    now: NOW,
  });
  const free = { ...held, action: "allow" as const, reasons: [] };
  expect(pruneReason(WAIVER, NOW, held)).toBeUndefined();
  expect(pruneReason(WAIVER, NOW, undefined)).toBeUndefined();
  expect(pruneReason(WAIVER, NOW, free)).toBe("outlived");
  expect(pruneReason(WAIVER, WAIVER.expires, held)).toBe("expired");
  expect(pruneReason({ ...WAIVER, revoked: { at: NOW, by: "mara" } }, NOW, held)).toBe("revoked");
  const long = { ...WAIVER, expires: instant(NOW + 80 * DAY) };
  expect(pruneReason(long, instant(NOW + 30 * DAY), held)).toBe("unused");
  expect(pruneReason({ ...long, used: instant(NOW + 20 * DAY) }, instant(NOW + 30 * DAY), held)).toBeUndefined();
});

const code = (run: () => unknown) => {
  try {
    run();
    return "made";
  } catch (error) {
    return error instanceof Fault ? error.code : error;
  }
};

test("denies and freezes have owners and reasons too, and name something real", () => {
  const owned = { owner: "mara", reason: "incident", now: NOW };
  expect(code(() => makeDeny({ ...owned, name: "widget", version: "1.0.0" }))).toBe("made");
  expect(code(() => makeDeny(owned))).toBe("USAGE");
  expect(code(() => makeDeny({ ...owned, name: "../etc" }))).toBe("NAME_INVALID");
  expect(code(() => makeDeny({ ...owned, name: "widget", version: "^1.0.0" }))).toBe("USAGE");
  expect(code(() => makeDeny({ ...owned, version: "1.0.0", integrity: sri("x") }))).toBe("USAGE");
  expect(code(() => makeDeny({ ...owned, integrity: "sha512-x" }))).toBe("USAGE");
  expect(code(() => makeFreeze({ ...owned, before: NOW, expires: instant(NOW + DAY) }))).toBe("made");
  expect(code(() => makeFreeze({ ...owned, before: instant(NOW + 1), expires: instant(NOW + DAY) }))).toBe("USAGE");
  expect(code(() => makeFreeze({ ...owned, before: NOW, expires: NOW }))).toBe("USAGE");
});
