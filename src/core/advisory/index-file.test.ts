import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Fault } from "../base/fault.ts";
import { instant } from "../base/time.ts";
import type { Advisory, Affected, HeldAdvisory, RangeEvent } from "./advisory.ts";
import { aliasTies } from "./aliases.ts";
import { buildIndex } from "./index-build.ts";
import { changedSince, openIndex } from "./index-file.ts";
import { matches } from "./match.ts";

const AT = instant(Date.UTC(2026, 2, 31));

function held(
  id: string,
  affected: readonly Partial<Affected>[],
  more: Partial<Advisory & Pick<HeldAdvisory, "feed" | "withdrawnSeen">> = {},
): HeldAdvisory {
  const { feed = "osv", withdrawnSeen, ...advisory } = more;
  return {
    feed,
    firstSeen: AT,
    ...(withdrawnSeen === undefined ? {} : { withdrawnSeen }),
    advisory: {
      id,
      aliases: [],
      kind: "malware",
      origins: [],
      ...advisory,
      affected: affected.map((entry) => ({ name: "a", versions: [], ranges: [], integrities: [], ...entry })),
    },
  };
}

const open = (advisories: readonly HeldAdvisory[], seed?: number) => openIndex(buildIndex(advisories, ["osv", "own"], seed));

test("a claim carries everything its record said", () => {
  const index = open([
    held(
      "MAL-1",
      [
        {
          name: "axios",
          versions: ["1.14.1"],
          ranges: [
            [
              { kind: "introduced", version: "0" },
              { kind: "fixed", version: "1.14.2" },
            ],
          ],
          integrities: ["sha512-x"],
        },
      ],
      {
        aliases: ["GHSA-1"],
        origins: ["ghsa-malware"],
        modified: AT,
        withdrawn: instant(AT + 1),
        withdrawnSeen: instant(AT + 2),
        severity: "critical",
        summary: "a stolen session",
      },
    ),
    held("OWN-1", [{ name: "axios", versions: ["1.14.1"] }], {
      feed: "own",
      kind: "vulnerability",
      aliases: ["GHSA-1"],
      summary: "Malicious code in axios (npm)",
    }),
  ]);
  expect([index.size, index.names, index.feeds]).toEqual([2, 1, ["osv", "own"]]);
  const aliases = ["GHSA-1", "MAL-1", "OWN-1"];
  const first = {
    id: "MAL-1",
    aliases,
    kind: "malware",
    feed: "osv",
    origins: ["ghsa-malware"],
    firstSeen: AT,
    modified: AT,
    withdrawn: AT + 1,
    withdrawnSeen: AT + 2,
    severity: "critical",
    summary: "a stolen session",
    match: "version",
    fixed: ["1.14.2"],
  };
  const second = {
    id: "OWN-1",
    aliases,
    kind: "vulnerability",
    feed: "own",
    origins: ["feed own"],
    firstSeen: AT,
    match: "version",
    fixed: [],
  };
  expect(index.claims("axios", "1.14.1")).toEqual([first, second]);
  expect(index.claims("axios", "1.0.0")).toEqual([{ ...first, match: "range" }]);
  expect(index.claims("axios", "1.14.2")).toEqual([]);
  expect(index.claims("other", "9.9.9", ["sha512-x"])).toEqual([{ ...first, match: "integrity", fixed: [] }]);
  expect(index.byIntegrity("sha512-x")).toHaveLength(1);
  expect(index.byIntegrity("sha512-y")).toEqual([]);
  expect(index.fixedBy("axios", "1.14.2").map(({ id }) => id)).toEqual(["MAL-1"]);
  expect(index.fixedBy("axios", "1.14.1")).toEqual([]);
});

/** Everything an index can be asked here, so that damage anywhere is met. */
function askAll(bytes: Uint8Array): unknown {
  const index = openIndex(bytes);
  const asked = ["a", "b", "nobody"].map((name) => [index.claims(name, "1.0.0"), index.fixedBy(name, "1.0.0")]);
  return [asked, index.byIntegrity("sha512-x"), index.byIntegrity("sha512-y"), [...index.lines("names")], [...index.lines("integrities")]];
}

test("damage anywhere is an error, never a miss", () => {
  const bytes = buildIndex([held("MAL-1", [{ versions: ["1.0.0"], integrities: ["sha512-x"] }]), held("MAL-2", [{ name: "b" }])], ["osv"]);
  const broken = (change: (copy: Uint8Array) => Uint8Array) => () => askAll(change(Uint8Array.from(bytes)));
  for (let at = 0; at < bytes.length; at++)
    for (const bit of [1, 128]) {
      const flipped = broken((copy) => (copy.set([copy[at]! ^ bit], at), copy));
      expect(flipped, `byte ${at}`).toThrow(Fault);
      expect(flipped, `byte ${at}`).toThrow(/the advisory index is damaged/);
    }
  expect(broken((copy) => copy.subarray(0, copy.length - 1))).toThrow(`${bytes.length - 1} bytes of ${bytes.length}`);
  expect(broken(() => new Uint8Array())).toThrow("it does not begin as one");
});

test("opening reads the head alone, a look-up a page and on a hit a line", () => {
  const many = Array.from({ length: 5_000 }, (_, at) => held(`MAL-${at}`, [{ name: `name-${at}`, versions: ["1.0.0"] }]));
  const bytes = buildIndex(many, ["osv"]);
  let readBytes = 0;
  const index = openIndex({
    size: bytes.length,
    read(at, length) {
      readBytes += Math.min(length, bytes.length - at);
      return bytes.subarray(at, at + length);
    },
  });
  expect(readBytes).toBeLessThan(400);
  expect(index.claims("name-7", "1.0.0")).toHaveLength(1);
  expect(index.claims("nobody", "1.0.0")).toEqual([]);
  expect(readBytes).toBeLessThan(16_000);
  expect([...index.lines("names")]).toHaveLength(5_000);
});

test("a line longer than any usual one is read whole", () => {
  const versions = Array.from({ length: 200_000 }, (_, at) => `1.0.${at}`);
  const index = open([held("MAL-1", [{ versions }]), held("MAL-2", [{ name: "b", versions: ["1.0.0"] }])]);
  expect(index.claims("a", "1.0.199999")).toHaveLength(1);
  expect([...index.lines("names")].map((line) => line.length > 1_000_000)).toEqual([true, false]);
});

test("an index opens wherever its bytes lie in memory", () => {
  const bytes = buildIndex([held("MAL-1", [{ versions: ["1.0.0"] }])], ["osv"]);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(openIndex(shifted.subarray(1)).claims("a", "1.0.0")).toHaveLength(1);
});

test("nothing in it is an index too", () => {
  const index = open([]);
  expect([index.size, index.claims("a", "1.0.0"), index.byIntegrity("sha512-x")]).toEqual([0, [], []]);
});

test("two indexes are compared by what they say: only the names that changed", () => {
  const before = open([
    held("MAL-1", [{ name: "a", versions: ["1.0.0"] }]),
    held("MAL-2", [{ name: "b", versions: ["1.0.0"] }]),
    held("MAL-4", [{ name: "d", versions: ["1.0.0"] }]),
  ]);
  const records = [
    held("MAL-1", [{ name: "a", versions: ["1.0.0"] }]),
    held("MAL-2", [{ name: "b", versions: ["1.0.0", "1.0.1"] }]),
    held("MAL-3", [{ name: "c", versions: ["1.0.0"], integrities: ["sha512-x"] }]),
  ];
  expect(changedSince(before, open(records))).toEqual({ names: new Set(["b", "c", "d"]), integrities: new Set(["sha512-x"]) });
  expect(changedSince(before, before).names.size).toBe(0);
  expect(changedSince(undefined, before).names).toEqual(new Set(["a", "b", "d"]));
  // The salt is of no account.
  expect(changedSince(before, open(records, 7)).names).toEqual(new Set(["b", "c", "d"]));
});

function classesOf(records: readonly { readonly id: string; readonly aliases: readonly string[] }[]) {
  const ties = aliasTies();
  for (const record of records) ties.tie(record);
  return ties.classOf;
}

test("classes of aliases are closed over all records, and cut where somebody ties the world together", () => {
  const classOf = classesOf([
    { id: "MAL-1", aliases: ["GHSA-1"] },
    { id: "GHSA-1", aliases: ["CVE-1"] },
    { id: "X-1", aliases: ["CVE-1"] },
    { id: "MAL-2", aliases: [] },
  ]);
  expect(classOf("X-1")).toEqual(["CVE-1", "GHSA-1", "MAL-1", "X-1"]);
  expect(classOf("MAL-1")).toEqual(classOf("CVE-1"));
  expect(classOf("MAL-2")).toEqual(["MAL-2"]);
  const world = classesOf(Array.from({ length: 5_000 }, (_, index) => ({ id: `Z-${index}`, aliases: ["Z-0"] })));
  expect(world("Z-4999")).toContain("Z-4999");
  expect(world("Z-4999").length).toBeLessThan(60);
});

const name = fc.constantFrom("a", "b", "@s/a", "A", "__proto__", "constructor");
const version = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)).map((parts) => parts.join("."));
const event = fc.record({ kind: fc.constantFrom("introduced", "fixed", "last_affected", "limit"), version }) as fc.Arbitrary<RangeEvent>;
const affected = fc.record({
  name,
  versions: fc.uniqueArray(version, { maxLength: 2 }),
  ranges: fc.array(fc.array(event, { minLength: 1, maxLength: 4 }), { maxLength: 2 }),
});

test("property: the index says what direct matching says", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(affected, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
      name,
      fc.option(version, { nil: undefined }),
      fc.integer(),
      (records, asked, at, seed) => {
        const advisories = records.map((entries, index) => held(`MAL-${index}`, entries));
        const found = open(advisories, seed).claims(asked, at);
        const direct = advisories.flatMap(({ advisory }) => {
          const match = matches(advisory, asked, at);
          return match ? [{ id: advisory.id, match: match.match, fixed: match.fixed.toSorted() }] : [];
        });
        expect(found.map(({ id, match, fixed }) => ({ id, match, fixed: fixed.toSorted() }))).toEqual(direct);
      },
    ),
  );
});
