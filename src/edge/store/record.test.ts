/** What is stored is what comes back, whatever an upstream wrote into it. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Fault } from "../../core/base/fault.ts";
import { present } from "../../core/base/present.ts";
import { instant } from "../../core/base/time.ts";
import type { PackageRecord } from "../../core/facts/history.ts";
import type { Release } from "../../core/npm/release.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const at = fc.integer({ min: 1_262_304_000_000, max: 4_102_444_800_000 }).map(instant);
const text = fc.oneof(fc.constantFrom("", "__proto__", "constructor", "0", "null"), fc.string({ maxLength: 12, unit: "binary" }));
const version = fc.constantFrom("1.0.0", "1.0.1", "2.0.0-rc.1", "__proto__", "constructor", "");
const sri = fc.constantFrom("sha512-AAAA", "sha512-BBBB", "sha1-ERERERERERERERERERERERERERE=", "");

const claims = fc.record({
  integrity: maybe(sri),
  shasum: maybe(fc.constantFrom("1".repeat(40), "not hex", "")),
  tarball: maybe(fc.constantFrom("usual", "elsewhere", "")),
  time: maybe(fc.constantFrom("2026-03-29T08:50:05.148Z", "yesterday", "")),
  deprecated: maybe(text),
  requires: maybe(fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true })),
  scripts: maybe(fc.boolean()),
});
const history = fc.record({
  firstSeen: at,
  lastListed: maybe(at),
  integrity: maybe(sri),
  changed: maybe(fc.record({ integrity: sri, at }, { noNullPrototype: true })),
  fetched: maybe(sri),
  claimed: maybe(at),
  absentBefore: maybe(at),
  goneSince: maybe(at),
  gone: maybe(fc.boolean()),
  returned: maybe(at),
  deprecatedSince: maybe(at),
  served: maybe(at),
});
const release: fc.Arbitrary<Release> = fc.record(
  {
    publisher: fc.record({ name: text }, { noNullPrototype: true }),
    scripts: fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true }),
    bytes: fc.nat(),
    gypfile: fc.boolean(),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const digest = (n: number) => `sha512-${String(n).padStart(86, "x")}==`;
const tagValues = fc.array(fc.record({ version, since: at, until: maybe(at) }).map(present), { maxLength: 3 });

const record = fc
  .record({
    listed: fc.uniqueArray(fc.tuple(version, claims), { selector: ([name]) => name }),
    versions: fc.dictionary(version, history.map(present)),
    tags: fc.dictionary(text, tagValues, { maxKeys: 3 }),
    summaryTags: fc.dictionary(text, version, { maxKeys: 3, noNullPrototype: true }),
    problems: fc.array(fc.record({ version, reason: text }, { noNullPrototype: true }), { maxLength: 2 }),
    times: fc.tuple(at, at),
    etag: maybe(text),
    unpublished: maybe(text),
    releases: maybe(fc.dictionary(version, release, { maxKeys: 3, noNullPrototype: true })),
    timed: fc.boolean(),
  })
  .map(({ listed, versions, tags, times: [firstSeen, lastAnswer], ...rest }): PackageRecord => {
    const entries = listed.map(([name, { tarball, ...claim }]) =>
      present({ version: name, ...claim, tarball: tarball === "usual" ? `https://registry.test/widget/-/widget-${name}.tgz` : tarball }),
    );
    const summary = {
      ...(rest.releases === undefined ? {} : { releases: rest.releases }),
      name: "widget",
      digest: "d",
      bytes: 7,
      tags: rest.summaryTags,
      versions: entries,
      problems: rest.problems,
      timed: rest.timed,
    };
    return present({
      name: "widget",
      upstream: "https://registry.test/",
      firstSeen,
      lastAnswer,
      answers: 3,
      versions,
      tags,
      summary: rest.unpublished === undefined ? summary : { ...summary, unpublished: rest.unpublished },
      etag: rest.etag,
      timelessSince: rest.timed ? undefined : firstSeen,
    });
  });

test("a record comes back as it was stored", () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(decodeRecord("widget", encodeRecord(one))).toEqual(one);
    }),
    { numRuns: 500 },
  );
});

test("names an upstream chose are keys and nothing more", () => {
  fc.assert(
    fc.property(record, (one) => {
      const back = decodeRecord("widget", encodeRecord(one));
      expect(Object.keys(back.versions).sort()).toEqual(Object.keys(one.versions).sort());
      for (const [index, entry] of back.summary.versions.entries()) {
        expect(Object.entries(entry.requires ?? {})).toEqual(Object.entries(one.summary.versions[index]!.requires ?? {}));
        expect(Object.getPrototypeOf(entry.requires ?? {})).toBe(Object.prototype);
      }
    }),
  );
});

test("the same record is the same text, and a confirmation changes only its head", () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(encodeRecord(decodeRecord("widget", encodeRecord(one)))).toEqual(encodeRecord(one));
      expect(encodeRecord({ ...one, lastAnswer: instant(one.lastAnswer + 1), answers: 4 }).body).toBe(encodeRecord(one).body);
    }),
  );
});

test("3,500 versions need less than 300 bytes each", () => {
  const names = Array.from({ length: 3_500 }, (_, n) => `1.${Math.floor(n / 100)}.${n % 100}`);
  const large: PackageRecord = {
    name: "widget",
    upstream: "https://registry.test/",
    firstSeen: instant(1.7e12),
    lastAnswer: instant(1.8e12),
    answers: 9,
    versions: Object.fromEntries(
      names.map((name, n) => [name, { firstSeen: instant(1.7e12), integrity: digest(n), claimed: instant(1.6e12 + n) }]),
    ),
    tags: {},
    summary: {
      name: "widget",
      digest: "d",
      bytes: 11_000_000,
      tags: {},
      problems: [],
      timed: true,
      versions: names.map((name, n) => ({
        version: name,
        integrity: digest(n),
        shasum: String(n).padStart(40, "0"),
        tarball: `https://registry.test/widget/-/widget-${name}.tgz`,
        time: new Date(1.6e12 + n).toISOString(),
        requires: { "plain-helper": `^2.${n >> 6}.0`, "other-helper": "~1.0.0" },
      })),
    },
  };
  const stored = encodeRecord(large);
  expect(stored.body.length).toBeLessThan(300 * 3_500);
  expect(decodeRecord("widget", stored)).toEqual(large);
});

test("releases of one package say mostly the same, and are stored so", () => {
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, n) => [
      `1.0.${n}`,
      { publisher: { name: "mara", email: "mara@example.test" }, repository: "github.com/acme/widget", bytes: 1_000 + n, files: 9 },
    ]),
  );
  const summary = { name: "widget", digest: "d", bytes: 7, tags: {}, versions: [], problems: [], timed: true, releases: many };
  const { body } = encodeRecord({
    name: "widget",
    upstream: "https://registry.test/",
    firstSeen: instant(1.7e12),
    lastAnswer: instant(1.8e12),
    answers: 9,
    versions: {},
    tags: {},
    summary,
  });
  expect(body.length).toBeLessThan(60 * 100);
  expect(decodeRecord("widget", { head: "{}", body }).summary).toEqual(summary);
});

test("a damaged record is a broken store, not an unknown package", () => {
  expect(() => decodeRecord("widget", { head: "{}", body: '{"format":1,' })).toThrow(Fault);
});
