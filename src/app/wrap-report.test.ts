/** Asked, withheld and installed compared: what a wrapped run must tell, and its exit status. */
import { expect, test } from "vitest";
import { BALANCED } from "../../test/kit/packages.ts";
import { instant } from "../core/base/time.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { DecidedEntry } from "./decide-entries.ts";
import { type WrapFacts, type Withheld, wrapReport } from "./wrap-report.ts";

const UNTIL = instant(Date.UTC(2026, 3, 3));

const HELD: Verdict = {
  action: "hold",
  until: UNTIL,
  review: false,
  reasons: [{ id: "young-release", effect: { kind: "hold", until: UNTIL }, title: "published 38 min ago", evidence: [] }],
  notes: [],
  waived: [],
  monitored: false,
  policy: BALANCED.digest,
};
const ALLOWED: Verdict = { ...HELD, action: "allow", reasons: [] };

const NOTHING: WrapFacts = {
  client: 0,
  stopped: [],
  installed: [],
  wanted: [],
  decided: [],
  undecided: [],
  withheld: [],
  pinned: [],
  tampered: [],
  optional: [],
  bypass: [],
  unreadable: [],
  notes: [],
  requests: 3,
  served: 0,
};

function report(facts: Partial<WrapFacts>) {
  return wrapReport({ ...NOTHING, ...facts });
}

function kept(id: string, more: Partial<Withheld> = {}): Withheld {
  const [, name = "", version] = /^(.+?)(?:@([^@]+))?$/.exec(id)!;
  return { name, ...(version === undefined ? {} : { version }), verdict: HELD, refused: false, tags: [], instead: [], ...more };
}

function installed(id: string, more: { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> } = {}) {
  const [name = "", version = ""] = id.split("@");
  return { name, version, path: `node_modules/${name}`, ...more };
}

function decided(id: string, more: Partial<DecidedEntry> = {}): DecidedEntry {
  const [name = "", version = ""] = id.split("@");
  return { name, version, verdict: ALLOWED, withheld: false, start: instant(0), instead: [], ...more };
}

const wants = (name: string, spec: string, by = "the project") => ({ name, spec, by });
const told = (list: readonly { name: string; version?: string; got?: readonly string[] }[]) =>
  list.map(({ name, version, got }) => [name, version, got?.join(" ")].filter(Boolean).join(" "));

const AXIOS = [
  kept("axios@1.14.1", { tags: ["latest"], instead: ["1.14.0"] }),
  kept("axios@0.30.4", { tags: ["legacy"], instead: ["0.30.3"] }),
];

test.each([
  ["a range", "^1.13.0", ["axios@1.14.0"], ["axios 1.14.1 1.14.0"]],
  ["a range of the old line", "^0.30.0", ["axios@0.30.3"], ["axios 0.30.4 0.30.3"]],
  ["no spec at all", "", ["axios@1.14.0"], ["axios 1.14.1 1.14.0"]],
  ["anything", "*", ["axios@1.14.0"], ["axios 1.14.1 1.14.0"]],
  ["a tag", "legacy", ["axios@0.30.3"], ["axios 0.30.4 0.30.3"]],
  ["a tag that was not moved", "next", ["axios@1.15.0-beta.1"], []],
  ["a range that takes neither", "~1.13.0", ["axios@1.13.6"], []],
  ["a range that something newer satisfies", "~0.30.0", ["axios@0.30.5"], []],
])("%s falls back to what it accepts", (_what, spec, here, expected) => {
  const { heldBack, refused, exit } = report({
    withheld: AXIOS,
    wanted: [wants("axios", spec)],
    installed: here.map((id) => installed(id)),
  });
  expect(told(heldBack)).toEqual(expected);
  expect(refused).toEqual([]);
  expect(exit).toBe(0);
});

test("an alias counts for what it stands for, and a dependency's spec as much as the project's", () => {
  const { heldBack } = report({
    withheld: AXIOS,
    wanted: [wants("http", "npm:axios@^1.0.0")],
    installed: [installed("axios@1.14.0"), installed("axios@0.30.3"), installed("kit@1.0.0", { dependencies: { axios: "^0.30.1" } })],
  });
  expect(told(heldBack)).toEqual(["axios 1.14.1 1.14.0", "axios 0.30.4 0.30.3"]);
});

test("a pin is refused with what to install instead; a range that could have fallen back is not blamed for a failed install", () => {
  const exact = report({ client: 1, withheld: AXIOS, wanted: [wants("axios", "1.14.1", "this command")] });
  expect(exact.refused).toMatchObject([{ name: "axios", version: "1.14.1", by: "this command", instead: ["1.14.0"] }]);
  expect(exact.leftOut).toEqual([]);
  const range = report({ client: 1, withheld: AXIOS, wanted: [wants("axios", "^1.13.0")] });
  expect(range.refused).toEqual([]);
  expect(told(range.leftOut)).toEqual(["axios 1.14.1", "axios 0.30.4"]);
  const only = report({ client: 1, withheld: AXIOS, wanted: [wants("axios", "^1.14.1")] });
  expect(told(only.refused)).toEqual(["axios 1.14.1"]);
});

test("a question is not answered with old releases that no client can read", () => {
  const verdict: Verdict = { ...HELD, reasons: HELD.reasons.map((reason) => ({ ...reason, id: "malformed-version" })) };
  const withheld = [kept("axios@0.1.0rc", { verdict }), kept("axios@2.0.0", { verdict, tags: ["latest"] }), ...AXIOS];
  expect(told(report({ withheld }).leftOut)).toEqual(["axios 2.0.0", "axios 1.14.1", "axios 0.30.4"]);
});

test("a package that is refused whole has no version to name", () => {
  const { refused, leftOut } = report({ client: 1, withheld: [kept("plain-crypto-js", { refused: true })] });
  expect(told(refused)).toEqual(["plain-crypto-js"]);
  expect(leftOut).toEqual([]);
});

test("what is installed although it is withheld is told once, with every place", () => {
  const places = [
    { ...installed("axios@1.14.1"), path: "node_modules/axios" },
    { ...installed("axios@1.14.1"), path: "node_modules/kit/node_modules/axios" },
  ];
  const { installedWithheld, heldBack, refused, exit } = report({
    installed: places,
    decided: [decided("axios@1.14.1", { withheld: true, verdict: HELD })],
    withheld: AXIOS,
    wanted: [wants("axios", "^1.0.0")],
  });
  expect(installedWithheld).toMatchObject([{ version: "1.14.1", paths: places.map(({ path }) => path) }]);
  expect([heldBack, refused]).toEqual([[], []]);
  expect(exit).toBe(1);
});

test("an optional package that dropped out is that, and not also refused", () => {
  const facts = {
    installed: [installed("fast@1.1.0", { optionalDependencies: { "fast-linux": "1.1.0", "fast-mac": "1.1.0" } })],
    optional: [{ name: "fast-linux", wantedBy: "fast@1.1.0" }],
    withheld: [kept("fast-linux@1.1.0", { refused: true }), kept("fast-mac@1.1.0")],
  };
  const { droppedOut, refused, exit } = report(facts);
  expect(told(droppedOut)).toEqual(["fast-linux"]);
  expect(told(refused)).toEqual(["fast-mac 1.1.0"]);
  expect(exit).toBe(1);
  // One that is not withheld left for reasons of its own.
  expect(report({ ...facts, withheld: [] })).toMatchObject({ droppedOut: [], exit: 0 });
});

test("pins: refused before the start, optional ones only when they dropped out", () => {
  const pin = { name: "axios", version: "1.14.1", verdict: HELD, instead: ["1.14.0"], lockfile: "package-lock.json", line: 12 };
  expect(report({ client: undefined, pinned: [pin] })).toMatchObject({ exit: 1, refused: [{ lockfile: "package-lock.json", line: 12 }] });
  const optional = [{ name: "axios", version: "1.14.1", wantedBy: "package-lock.json" }];
  expect(report({ pinned: [pin], optional })).toMatchObject({ exit: 1, refused: [], droppedOut: [{ name: "axios", verdict: HELD }] });
});

test.each<[string, Partial<WrapFacts>, number]>([
  ["nothing", {}, 0],
  ["a request past the gate", { bypass: [{ host: "registry.test", port: 443 }] }, 1],
  [
    "other bytes in the lockfile",
    { client: undefined, tampered: [{ name: "axios", version: "1.14.0", path: "package-lock.json:12", registry: "sha512-x" }] },
    1,
  ],
  ["other bytes installed", { decided: [decided("axios@1.14.0", { differs: "sha512-x" })] }, 1],
  ["a way round the gate", { client: undefined, stopped: [".npmrc:1   …"] }, 1],
  ["a folder that cannot be read", { unreadable: [{ path: "node_modules/x", why: "EACCES" }] }, 3],
  ["an installed version nobody knows", { undecided: [{ name: "ghost", version: "1.0.0", why: "unknown" }] }, 3],
  ["both", { undecided: [{ name: "ghost", version: "1.0.0", why: "unknown" }], bypass: [{ host: "registry.test", port: 443 }] }, 1],
  ["monitor mode", { decided: [decided("axios@1.14.1", { verdict: { ...HELD, monitored: true } })] }, 0],
])("exit status: %s", (_what, facts, exit) => {
  expect(report(facts).exit).toBe(exit);
});

test("one version is told once, however often it was left out and refused", () => {
  const { refused } = report({
    client: 1,
    withheld: [kept("axios@1.14.1", { tags: ["latest"], instead: ["1.14.0"] }), kept("axios@1.14.1", { refused: true }), ...AXIOS],
  });
  expect(refused).toMatchObject([{ name: "axios", version: "1.14.1", instead: ["1.14.0"] }]);
});
