/** What the packument's releases give away: the shapes of real incidents, and of ordinary releases beside them. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BALANCED, type Listing, NO_EXCEPTIONS, UPSTREAM, listing, time } from "../../../test/kit/packages.ts";
import type { CodeDone } from "../analysis/code-facts.ts";
import { DAY, HOUR, type Instant, MINUTE, instant, iso } from "../base/time.ts";
import type { PackageRecord } from "../facts/history.ts";
import { observe, reconfirm } from "../facts/observe.ts";
import type { Publisher, Release } from "../npm/release.ts";
import { type JudgeInput, judgeVersion } from "../policy/judge.ts";
import type { Effect, Signal } from "../policy/verdict.ts";

const NOW = time("2026-03-31T00:43:00Z");
const ago = (milliseconds: number): string => iso(instant(NOW - milliseconds));

const CI: Publisher = { name: "GitHub Actions", email: "ci@registry.test", trusted: { id: "github", config: "oidc:1" } };
const JASON: Publisher = { name: "jason", email: "jason@example.test" };
const MOVED: Publisher = { name: "jason", email: "jason@elsewhere.test" };
const MALLORY: Publisher = { name: "mallory", email: "mallory@example.test" };

type Published = Release & { readonly at: string };

/** A package first seen now: version → when and how it was released. */
function packageOf(name: string, versions: Readonly<Record<string, Published>>, at: Instant = NOW): PackageRecord {
  const entries = Object.entries(versions);
  const releases = Object.fromEntries(entries.map(([version, { at: _at, ...release }]) => [version, release]));
  const listings = Object.fromEntries(entries.map(([version, { at: published }]): [string, Listing] => [version, { time: published }]));
  return observe(undefined, { summary: listing(name, listings, { releases }), upstream: UPSTREAM, at }).record;
}

const AGE = new Set<string>(["young-release", "not-reconfirmed", "dependency-withheld"]);

function signalsOf(record: PackageRecord, version: string, others: readonly PackageRecord[] = [], more: Partial<JudgeInput> = {}) {
  const records = new Map(others.map((one) => [one.name, one]));
  const input = inputAt({ records: (name) => records.get(name), ...more });
  return judgeVersion(record, version, input)!.signals.filter(({ id }) => !AGE.has(id));
}

function inputAt(more: Partial<JudgeInput>): JudgeInput {
  return { policy: BALANCED, exceptions: NO_EXCEPTIONS, now: NOW, privateUpstream: false, ...more };
}

/** `id effect` of everything the release itself gives away. */
function said(...given: Parameters<typeof signalsOf>): readonly string[] {
  return signalsOf(...given).map(({ id, effect }) => `${id} ${effect.kind}`);
}

function only(id: Signal["id"], signals: readonly Signal[]): Signal {
  const found = signals.find((one) => one.id === id);
  if (!found) throw new Error(`${id} is not among ${signals.map((one) => one.id).join(", ")}`);
  return found;
}

const base = { dependencies: { "follow-redirects": "^1.15.0" }, repository: "github.com/axios/axios", bytes: 2_400_000 };
const AXIOS: Readonly<Record<string, Published>> = {
  "0.30.2": { ...base, publisher: JASON, at: ago(180 * DAY) },
  "1.13.5": { ...base, publisher: CI, at: ago(60 * DAY) },
  "1.13.6": { ...base, publisher: CI, at: ago(32 * DAY) },
  "0.30.3": { ...base, publisher: JASON, at: ago(27 * DAY) },
  "1.14.0": { ...base, publisher: CI, at: ago(3 * DAY + 3 * HOUR) },
};
const POISONED = { ...base.dependencies, "plain-crypto-js": "^4.2.1" };
const PLAIN_CRYPTO = packageOf("plain-crypto-js", {
  "4.2.0": { publisher: MALLORY, at: ago(19 * HOUR) },
  "4.2.1": { publisher: MALLORY, scripts: { postinstall: "node setup.js" }, at: ago(44 * MINUTE) },
});

test("axios 1.14.1: a person instead of the workflow, from a new address, with a dependency 18 hours old", () => {
  const record = packageOf("axios", { ...AXIOS, "1.14.1": { ...base, dependencies: POISONED, publisher: MOVED, at: ago(22 * MINUTE) } });
  const signals = signalsOf(record, "1.14.1", [PLAIN_CRYPTO]);
  expect(signals.map(({ id, effect }) => `${id} ${effect.kind}`)).toEqual([
    "trusted-publisher-dropped review",
    "new-young-dependency review",
    "odd-release hold",
    "publisher-changed note",
  ]);
  expect(only("trusted-publisher-dropped", signals).title).toBe(
    "1.14.0 came from github without a token; this one from jason <jason@elsewhere.test>",
  );
  expect(only("new-young-dependency", signals).title).toBe(
    "new: requires plain-crypto-js ^4.2.1, a package 18 h 38 min old when this was published",
  );
  expect(only("publisher-changed", signals).title).toBe("jason published it from a new e-mail address");
  // Nothing of it ends by waiting, and nothing depends on when the gate asks.
  const later = signalsOf(record, "1.14.1", [PLAIN_CRYPTO], { now: instant(NOW + 400 * DAY) });
  expect(only("trusted-publisher-dropped", later).effect).toEqual({ kind: "review" });
  expect(only("new-young-dependency", later).effect).toEqual({ kind: "review" });
});

test("axios 0.30.4: the old line was always published by hand, but not from there; 0.30.3 was ordinary", () => {
  const record = packageOf("axios", {
    ...AXIOS,
    "1.14.1": { ...base, dependencies: POISONED, publisher: MOVED, at: ago(22 * MINUTE) },
    "0.30.4": { ...base, dependencies: POISONED, publisher: MOVED, at: ago(2 * MINUTE) },
  });
  expect(said(record, "0.30.4", [PLAIN_CRYPTO])).toEqual([
    "trusted-publisher-dropped review",
    "new-young-dependency review",
    "odd-release hold",
    "publisher-changed note",
    "old-line-publish note",
  ]);
  expect(said(record, "0.30.3")).toEqual(["old-line-publish note"]);
  expect(said(record, "1.14.0")).toEqual([]);
});

test("a payload dependency with a clean decoy published the day before: its script is new", () => {
  expect(said(PLAIN_CRYPTO, "4.2.0")).toEqual([]);
  const [added] = signalsOf(PLAIN_CRYPTO, "4.2.1");
  expect(added).toMatchObject({
    id: "install-execution-added",
    effect: { kind: "review" },
    evidence: [{ text: "postinstall: node setup.js" }],
  });
});

const UA = { publisher: { name: "faisal", email: "f@example.test" }, bytes: 300_000, repository: "github.com/faisalman/ua-parser-js" };

test.each<[string, Release, string]>([
  ["ua-parser-js: preinstall", { scripts: { preinstall: "start /B node preinstall.js" } }, "preinstall: start /B node preinstall.js"],
  ["a gyp file without any script", { gypfile: true }, "install: node-gyp rebuild"],
  ["an abbreviated document", { installs: true }, "an install script: not shown in this registry's document"],
])("%s, where the release before ran nothing, is a review", (_what, added, evidence) => {
  const record = packageOf("ua-parser-js", {
    "0.7.28": { ...UA, at: ago(100 * DAY) },
    "0.7.29": { ...UA, ...added, at: ago(HOUR) },
  });
  const [first, ...rest] = signalsOf(record, "0.7.29");
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ id: "install-execution-added", effect: { kind: "review" }, evidence: [{ text: evidence }] });
});

test.each([
  ["github.com/jane/left-parser", ["repository-changed note"]],
  ["gitlab.com/faisalman/ua-parser-js", ["repository-changed note"]],
  ["github.com/ua-parser/ua-parser-js", []],
  ["github.com/faisalman/parsers", []],
])("a repository of another owner and name is told, a project that moves is not: %s", (repository, expected) => {
  const record = packageOf("ua-parser-js", {
    "0.7.28": { ...UA, at: ago(100 * DAY) },
    "0.7.29": { ...UA, repository, at: ago(HOUR) },
  });
  expect(said(record, "0.7.29")).toEqual(expected);
});

test("a policy without a hold still compares with what stood for a while, not with the thief's first version", () => {
  const record = packageOf("ua-parser-js", {
    "0.7.28": { ...UA, at: ago(100 * DAY) },
    "0.7.29": { ...UA, publisher: MALLORY, at: ago(HOUR) },
    "0.7.30": { ...UA, publisher: MALLORY, at: ago(MINUTE) },
  });
  expect(said(record, "0.7.30", [], { policy: { ...BALANCED, hold: 0 } })).toEqual(["publisher-changed note"]);
});

test("@solana/web3.js: another publisher, and code that talks to the network for the first time", () => {
  const record = packageOf("ua-parser-js", {
    "0.7.28": { ...UA, at: ago(100 * DAY) },
    "0.7.29": { ...UA, publisher: MALLORY, at: ago(HOUR) },
  });
  const where = [{ path: "lib/index.js", line: 9, code: "https.request(options)" }];
  const same = {
    chains: [],
    install: [],
    hosts: [],
    binaries: [],
    mismatches: [],
    unimported: [],
    unread: [],
    shrinkwrap: [],
    archive: [],
  };
  const code = (added: CodeDone["added"]): CodeDone => ({ state: "done", predecessor: "0.7.28", added, ...same });
  const looked = (added: CodeDone["added"]) => ({ evidence: { of: () => ({ code: code(added) }) } });
  expect(said(record, "0.7.29", [], looked([{ id: "network", where }]))).toEqual([
    "odd-release hold",
    "publisher-changed note",
    "capability-added note",
  ]);
  expect(said(record, "0.7.29", [], looked([]))).toEqual(["publisher-changed note"]);
});

test("a script that was always there is nothing; one that now does something else is told", () => {
  const build = { ...UA, scripts: { install: "node-gyp rebuild" }, gypfile: true };
  const record = packageOf("native", {
    "1.0.0": { ...build, at: ago(100 * DAY) },
    "1.0.1": { ...build, at: ago(10 * DAY) },
    "1.0.2": { ...build, scripts: { install: "node bundle.js" }, at: ago(HOUR) },
  });
  expect(said(record, "1.0.1")).toEqual([]);
  expect(said(record, "1.0.2")).toEqual(["install-execution-added note"]);
});

const ROUTER = { publisher: CI, dependencies: { "@tanstack/history": "1.0.0" }, bytes: 900_000 };
const ORPHAN = "github:tanstack/router#79ac49eedf774dd4b0cfa308722bc463cfe5885c";

test("TanStack: an optional dependency on a full commit is new; the same one again is no news once it was accepted long ago", () => {
  const setup = { optionalDependencies: { "@tanstack/setup": ORPHAN } };
  const record = packageOf("@tanstack/react-router", {
    "1.169.4": { ...ROUTER, at: ago(9 * DAY) },
    "1.169.5": { ...ROUTER, ...setup, at: ago(HOUR) },
    "1.169.8": { ...ROUTER, ...setup, at: ago(MINUTE) },
  });
  // The second one is compared with what came before both.
  for (const version of ["1.169.5", "1.169.8"]) expect(said(record, version)).toEqual(["exotic-dependency review"]);
  expect(signalsOf(record, "1.169.5")[0]!.evidence[0]!.text).toBe(`@tanstack/setup: ${ORPHAN}`);
  const old = packageOf("@tanstack/react-router", {
    "1.0.0": { ...ROUTER, ...setup, at: ago(200 * DAY) },
    "1.0.1": { ...ROUTER, ...setup, at: ago(9 * DAY) },
  });
  expect(said(old, "1.0.1")).toEqual([]);
});

test("an old dependency on a branch is told", () => {
  const branch = { publisher: JASON, dependencies: { helper: "github:acme/helper#main" } };
  const record = packageOf("app", { "1.0.0": { ...branch, at: ago(200 * DAY) }, "1.0.1": { ...branch, at: ago(HOUR) } });
  expect(said(record, "1.0.1")).toEqual(["exotic-dependency note"]);
});

test("a suspect release never becomes what the next one is compared with", () => {
  const evil = { ...UA, scripts: { preinstall: "node x" } };
  const record = packageOf("app", {
    "1.0.0": { ...UA, at: ago(100 * DAY) },
    "1.0.1": { ...evil, at: ago(30 * DAY) },
    "1.0.2": { ...evil, at: ago(20 * DAY) },
    "1.0.3": { ...evil, at: ago(HOUR) },
  });
  for (const version of ["1.0.1", "1.0.2", "1.0.3"]) expect(said(record, version)).toEqual(["install-execution-added review"]);
});

test("from a person to a trusted publisher is no change; another configuration of one is", () => {
  const other: Publisher = { ...CI, trusted: { id: "github", config: "oidc:2" } };
  const record = packageOf("app", {
    "1.0.0": { publisher: JASON, at: ago(100 * DAY) },
    "1.0.1": { publisher: CI, at: ago(40 * DAY) },
    "1.0.2": { publisher: other, at: ago(HOUR) },
  });
  expect(said(record, "1.0.1")).toEqual([]);
  expect(said(record, "1.0.2")).toEqual(["publisher-changed note"]);
});

test("a staged release that a person approved is told, not stopped", () => {
  const record = packageOf("app", {
    "1.0.0": { publisher: CI, at: ago(100 * DAY) },
    "1.0.1": { publisher: { ...JASON, approver: "jason" }, at: ago(HOUR) },
  });
  expect(said(record, "1.0.1")).toContain("trusted-publisher-dropped note");
});

test("an upstream that says nothing about a release lets nothing be said of it", () => {
  const record = packageOf("app", { "1.0.0": { publisher: CI, at: ago(100 * DAY) }, "1.0.1": { at: ago(HOUR) } });
  expect(said(record, "1.0.1")).toEqual([]);
});

test("one oddity is a note, two hold for seven days, one beside a new dependency too; a sibling is no new dependency", () => {
  const of = (last: Release) =>
    packageOf("quiet", {
      "1.0.0": { publisher: JASON, bytes: 20_000, at: ago(900 * DAY) },
      "1.0.1": { publisher: JASON, bytes: 20_000, at: ago(800 * DAY) },
      "1.0.2": { publisher: JASON, bytes: 20_000, ...last, at: ago(HOUR) },
    });
  expect(said(of({}), "1.0.2")).toEqual(["dormant-revived note"]);
  const held = "odd-release hold";
  expect(said(of({ bytes: 60_000 }), "1.0.2")).toEqual([held, "dormant-revived note", "size-jump note"]);
  expect(said(of({ publisher: MALLORY }), "1.0.2")).toEqual([held, "publisher-changed note", "dormant-revived note"]);
  expect(said(of({ dependencies: { debug: "^4.0.0" } }), "1.0.2")).toEqual([held, "dormant-revived note"]);
  expect(said(of({ dependencies: { "@quiet/linux-x64": "1.0.2" } }), "1.0.2")).toEqual(["dormant-revived note"]);
  expect(only("odd-release", signalsOf(of({ bytes: 60_000 }), "1.0.2")).effect).toEqual({
    kind: "hold",
    until: instant(NOW - HOUR + 7 * DAY),
  });
  // The seven days end on an answer newer than their end, not by themselves.
  const record = of({ bytes: 60_000 });
  const eighth = { now: instant(NOW + 8 * DAY) };
  expect(only("odd-release", signalsOf(record, "1.0.2", [], eighth)).effect).toEqual({ kind: "hold" });
  expect(judgeVersion(record, "1.0.2", inputAt(eighth))!.verdict.action).toBe("hold");
  expect(judgeVersion(reconfirm(record, eighth.now).record, "1.0.2", inputAt(eighth))!.verdict.action).toBe("allow");
  expect(said(of({ publisher: MALLORY }), "1.0.2", [], { privateUpstream: true })).toContain("odd-release note");
});

test("a burst is more than the package is used to", () => {
  const versions = (minutes: number, day: number, minor: number) =>
    Object.fromEntries(
      Array.from({ length: 5 }, (_, patch): [string, Published] => [
        `1.${minor}.${patch}`,
        { at: ago(day * DAY - patch * minutes * MINUTE) },
      ]),
    );
  expect(said(packageOf("calm", { ...versions(2_000, 40, 0), ...versions(5, 1, 1) }), "1.1.4")).toEqual(["publish-burst note"]);
  expect(said(packageOf("busy", { ...versions(5, 40, 0), ...versions(5, 1, 1) }), "1.1.4")).toEqual([]);
});

test("differences are notes for versions that were 90 days old when this gate first saw them", () => {
  const record = packageOf("ua-parser-js", {
    "0.7.28": { ...UA, at: ago(300 * DAY) },
    "0.7.29": { ...UA, scripts: { preinstall: "node x" }, at: ago(91 * DAY) },
  });
  expect(said(record, "0.7.29")).toEqual(["install-execution-added note"]);
});

test("times that a mirror wrote are no order of releases: differences are told and hold nothing", () => {
  const order = ["1.2.3", "1.2.1", "1.1.0", "1.2.0", "1.0.1", "1.0.0"];
  const copied = Object.fromEntries(order.map((version, n): [string, Published] => [version, { ...UA, at: ago((60 - n) * DAY) }]));
  const record = packageOf("copied", { ...copied, "1.2.4": { ...UA, scripts: { install: "node build.js" }, at: ago(HOUR) } });
  expect(said(record, "1.2.4")).toEqual(["install-execution-added note"]);
});

test("a dependency nobody here has seen, an old one, and a young version of an old name", () => {
  const of = (spec: string) =>
    packageOf("app", {
      "1.0.0": { publisher: JASON, at: ago(100 * DAY) },
      "1.0.1": { publisher: MALLORY, dependencies: { helper: spec }, at: ago(HOUR) },
    });
  const helper = packageOf("helper", { "1.0.0": { at: ago(900 * DAY) }, "1.0.1": { at: ago(2 * DAY) } });
  const odd = ["odd-release hold", "publisher-changed note"];
  expect(said(of("^1.0.0"), "1.0.1")).toEqual(odd);
  expect(said(of("^1.0.0"), "1.0.1", [helper])).toEqual(odd);
  expect(said(of("^1.0.1"), "1.0.1", [helper])).toEqual(["new-young-dependency review", ...odd]);
});

test("a young dependency in an otherwise ordinary release is a note", () => {
  const record = packageOf("app", {
    "1.0.0": { publisher: JASON, at: ago(100 * DAY) },
    "1.0.1": { publisher: JASON, dependencies: { "plain-crypto-js": "^4.2.1" }, at: ago(HOUR) },
  });
  expect(said(record, "1.0.1", [PLAIN_CRYPTO])).toEqual(["new-young-dependency note"]);
});

test("a new name like a well-known one waits seven days; an old one, or the well-known one itself, does not", () => {
  const of = (name: string, age: number, release: Release = {}) =>
    said(packageOf(name, { "1.0.0": { ...release, at: ago(age) } }), "1.0.0");
  for (const name of ["crossenv", "loadsh", "axois", "expres", "chaIk", "babel-traverse", "@bable/core"])
    expect([name, ...of(name, HOUR)]).toEqual([name, "name-lookalike hold"]);
  for (const name of ["cross-env", "preact", "nuxt", "acme-widget", "@acme/lodash", "vuex"])
    expect([name, ...of(name, HOUR)]).toEqual([name]);
  expect(of("crossenv", 100 * DAY)).toEqual([]);
  expect(of("leftbox", HOUR, { dependencies: { "left-box": "1.0.0" } })).toEqual(["name-lookalike hold"]);
});

const STRICTNESS: Readonly<Record<Effect["kind"], number>> = { note: 1, hold: 2, review: 3, deny: 4 };

test("one more thing in a release never makes less of it", () => {
  const publisher = fc.constantFrom(CI, JASON, MALLORY);
  type Map = Readonly<Record<string, string>>;
  const release = fc.record(
    {
      publisher,
      scripts: fc.constantFrom<Map>({ postinstall: "node a" }, { preinstall: "node b" }),
      gypfile: fc.boolean(),
      dependencies: fc.constantFrom<Map>({ a: "1.0.0" }, { a: "1.0.0", b: "github:x/y" }, { "plain-crypto-js": "^4.2.1" }),
      bytes: fc.constantFrom(10_000, 100_000),
    },
    { requiredKeys: [] },
  );
  const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), release), { minLength: 1, maxLength: 6 });
  const extra = fc.constantFrom<Release>(
    { scripts: { preinstall: "node b", postinstall: "node c" } },
    { optionalDependencies: { evil: "https://evil.test/x.tgz" } },
    { optionalDependencies: { "plain-crypto-js": "4.2.1" } },
  );
  fc.assert(
    fc.property(history, release, extra, (before, last, more) => {
      const of = (own: Release) =>
        packageOf("app", {
          ...Object.fromEntries(before.map(([age, one], n) => [`1.0.${n}`, { ...one, at: ago((1 + age) * DAY) }])),
          "1.1.0": { ...own, at: ago(HOUR) },
        });
      const plain = signalsOf(of(last), "1.1.0", [PLAIN_CRYPTO]);
      const stricter = signalsOf(of({ ...last, ...more }), "1.1.0", [PLAIN_CRYPTO]);
      const worst = (signals: readonly Signal[]) => Math.max(0, ...signals.map(({ effect }) => STRICTNESS[effect.kind]));
      expect(worst(stricter)).toBeGreaterThanOrEqual(worst(plain));
    }),
  );
});

test.each<[string, Release, Release, string]>([
  ["a new command", {}, { bin: { tool: "./cli.js" } }, "bin-changed: it adds the command tool, which runs cli.js"],
  [
    "another file",
    { bin: { tool: "cli.js" } },
    { bin: { tool: "bin/cli.js" } },
    "bin-changed: its command tool runs bin/cli.js now, before cli.js",
  ],
  [
    "another runtime",
    { engines: { node: ">=18" } },
    { engines: { node: ">=22", bun: "*" } },
    "engines-changed: it asks for another runtime than 1.0.0",
  ],
  [
    "a dependency less",
    { dependencies: { a: "^1.0.0", b: "^1.0.0" } },
    { dependencies: { b: "^1.0.0" } },
    "dependency-removed: it no longer requires a",
  ],
])("%s is told, and holds nothing", (_what, before, own, expected) => {
  const record = packageOf("app", {
    "1.0.0": { publisher: JASON, ...before, at: ago(100 * DAY) },
    "1.0.1": { publisher: JASON, ...own, at: ago(HOUR) },
  });
  const signals = signalsOf(record, "1.0.1");
  expect(signals.map(({ id, title, effect }) => `${id}: ${title} ${effect.kind}`)).toEqual([`${expected} note`]);
});

test("what moves inside a package without changing what runs is not told", () => {
  const record = packageOf("app", {
    "1.0.0": { bin: { tool: "./cli.js" }, dependencies: { a: "^1.0.0" }, engines: { node: ">=18" }, at: ago(100 * DAY) },
    "1.0.1": { bin: { tool: "cli.js" }, optionalDependencies: { a: "^1.1.0" }, engines: { node: ">=18" }, at: ago(HOUR) },
  });
  expect(said(record, "1.0.1")).toEqual([]);
});

test.each([
  ["5.5.3", "6.6.6", "the first of its major version after 5.5.3, and no x.0.0"],
  ["1.2.3", "9.0.0", "its number skips a major version after 1.2.3"],
  ["1.2.3", "1.2.1", "published after 1.2.3, which is a higher patch of the same minor version"],
  ["1.2.3", "2.0.0", undefined],
  ["1.2.3", "1.9.0", undefined],
  ["1.2.3", "1.1.9", undefined],
  ["1.2.3", "2.0.1-rc.1", undefined],
  ["2024.1.0", "2026.3.1", undefined],
])("after %s comes %s: %s", (before, own, expected) => {
  const record = packageOf("app", { [before]: { at: ago(100 * DAY) }, [own]: { at: ago(HOUR) } });
  expect(signalsOf(record, own).find(({ id }) => id === "version-odd")?.title).toBe(expected);
});

/** The same package in two answers, a day apart; the second one is asked about an hour later. */
function answers(before: Parameters<typeof listing>, after: Parameters<typeof listing>): PackageRecord {
  const first = observe(undefined, { summary: listing(...before), upstream: UPSTREAM, at: instant(NOW - DAY) }).record;
  return observe(first, { summary: listing(...after), upstream: UPSTREAM, at: instant(NOW - HOUR) }).record;
}

test("a text that deprecates a version is told while it is new, unless it was there from the start", () => {
  const old = { time: ago(400 * DAY) };
  const stopped = { ...old, deprecated: "critical hole, use 2.0.0" };
  const record = answers(["app", { "1.0.0": old, "0.9.0": stopped }], ["app", { "1.0.0": stopped, "0.9.0": stopped }]);
  expect(only("deprecation-text-new", signalsOf(record, "1.0.0"))).toMatchObject({
    effect: { kind: "note" },
    title: "deprecated lately: critical hole, use 2.0.0",
  });
  expect(said(record, "0.9.0")).toEqual([]);
  expect(said(record, "1.0.0", [], { now: instant(NOW + 3 * DAY) })).toEqual([]);
  const agreed: JudgeInput["evidence"] = {
    of: () => undefined,
    claims: () => [
      {
        id: "GHSA-1",
        aliases: ["GHSA-1"],
        feed: "own",
        origins: ["own"],
        kind: "vulnerability",
        match: "version",
        fixed: [],
        firstSeen: instant(NOW - DAY),
      },
    ],
  };
  expect(said(record, "1.0.0", [], { evidence: agreed })).toEqual(["vulnerability-report note"]);
});

test("a tag that goes back to less is told while that is new", () => {
  const listed = { "1.0.0": { time: ago(400 * DAY) }, "2.0.0": { time: ago(200 * DAY) }, "3.0.0-rc.1": { time: ago(100 * DAY) } };
  const tagged = (tags: Readonly<Record<string, string>>): Parameters<typeof listing> => ["app", listed, { tags }];
  const moved = (to: Readonly<Record<string, string>>) => answers(tagged({ latest: "2.0.0", next: "2.0.0" }), tagged(to));
  const back = moved({ latest: "1.0.0", next: "3.0.0-rc.1" });
  expect(only("tag-moved-back", signalsOf(back, "1.0.0")).title).toBe("the tag latest was moved back to it from 2.0.0");
  expect(said(back, "3.0.0-rc.1")).toEqual([]);
  expect(said(back, "1.0.0", [], { now: instant(NOW + 3 * DAY) })).toEqual([]);
  expect(said(moved({ latest: "3.0.0-rc.1" }), "3.0.0-rc.1")).toEqual(["tag-moved-back note"]);
  const { "2.0.0": _gone, ...left } = listed;
  const withdrawn = answers(tagged({ latest: "2.0.0" }), ["app", left, { tags: { latest: "1.0.0" } }]);
  expect(said(withdrawn, "1.0.0")).toEqual([]);
});
