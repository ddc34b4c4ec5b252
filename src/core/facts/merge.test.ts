/** Two processes saw the same package: whatever the order of their writes, the same evidence is kept. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonical, sha256 } from "../base/digest.ts";
import { present } from "../base/present.ts";
import { HOUR, instant, iso, MINUTE } from "../base/time.ts";
import type { PackumentSummary } from "../npm/summary.ts";
import { historyOf, lastListed, type PackageRecord, type VersionHistory } from "./history.ts";
import { mergeRecords } from "./merge.ts";
import { markFetched, markServed, observe } from "./observe.ts";

const START = Date.UTC(2026, 2, 1);
const SHA512 = (fill: string) => `sha512-${fill.repeat(86)}==`;
const SHA1 = "1".repeat(40);
const at = (hours: number) => instant(START + hours * HOUR);

function record(fields: Partial<PackageRecord> & { readonly lastAnswer: PackageRecord["lastAnswer"] }): PackageRecord {
  const { versions = {}, tags = {}, lastAnswer } = fields;
  return {
    name: "widget",
    upstream: "https://registry.test/",
    firstSeen: at(0),
    answers: 1,
    versions,
    tags,
    summary: {
      name: "widget",
      digest: `digest-${lastAnswer}`,
      bytes: 100,
      tags: Object.fromEntries(Object.entries(tags).map(([tag, values]) => [tag, values.at(-1)!.version])),
      versions: Object.keys(versions).map((version) => ({ version })),
      problems: [],
      timed: true,
    },
    ...fields,
  };
}

test("the earlier first sight wins, with the integrity and the claimed time of that sight", () => {
  const early = record({
    lastAnswer: at(5),
    versions: { "1.0.0": { firstSeen: at(2), lastListed: at(5), integrity: SHA512("A"), claimed: at(1) } },
  });
  const late = record({
    lastAnswer: at(9),
    versions: { "1.0.0": { firstSeen: at(7), lastListed: at(9), integrity: SHA512("A"), claimed: at(6), served: at(8) } },
  });
  expect(mergeRecords(early, late).versions["1.0.0"]).toEqual({
    firstSeen: at(2),
    lastListed: at(9),
    integrity: SHA512("A"),
    claimed: at(1),
    served: at(8),
  });
});

test("two first sights of different bytes are a change of integrity, for good", () => {
  const one = record({ lastAnswer: at(5), versions: { "1.0.0": { firstSeen: at(2), lastListed: at(5), integrity: SHA512("A") } } });
  const other = record({ lastAnswer: at(9), versions: { "1.0.0": { firstSeen: at(7), lastListed: at(9), integrity: SHA512("Q") } } });
  const merged = mergeRecords(one, other);
  expect(merged.versions["1.0.0"]).toMatchObject({ integrity: SHA512("A"), changed: { integrity: SHA512("Q"), at: at(7) } });
  const later = record({ lastAnswer: at(20), versions: { "1.0.0": { firstSeen: at(2), lastListed: at(20), integrity: SHA512("A") } } });
  expect(mergeRecords(merged, later).versions["1.0.0"]!.changed).toEqual({ integrity: SHA512("Q"), at: at(7) });
});

test("two processes that fetched different bytes for one sha1 have seen a change", () => {
  const fetched = (sri: string): Record<string, VersionHistory> => ({
    "1.0.0": { firstSeen: at(2), integrity: `sha1-${"A".repeat(27)}=`, fetched: sri },
  });
  const merged = mergeRecords(
    record({ lastAnswer: at(5), versions: fetched(SHA512("Q")) }),
    record({ lastAnswer: at(6), versions: fetched(SHA512("A")) }),
  );
  expect(merged.versions["1.0.0"]).toMatchObject({ fetched: SHA512("A"), changed: { integrity: SHA512("Q"), at: at(6) } });
});

test("a sha1 seen by one process does not contradict the sha512 seen by another", () => {
  const one = record({
    lastAnswer: at(5),
    versions: { "1.0.0": { firstSeen: at(2), lastListed: at(5), integrity: `sha1-${"A".repeat(27)}=` } },
  });
  const other = record({ lastAnswer: at(9), versions: { "1.0.0": { firstSeen: at(7), lastListed: at(9), integrity: SHA512("Q") } } });
  expect(mergeRecords(one, other).versions["1.0.0"]!.changed).toBeUndefined();
});

test("an answer without the version, seen by the other process before the first sight, makes it younger", () => {
  const without = record({ lastAnswer: at(6) });
  const withIt = record({ lastAnswer: at(9), versions: { "1.0.1": { firstSeen: at(9), lastListed: at(9), absentBefore: at(1) } } });
  expect(mergeRecords(without, withIt).versions["1.0.1"]!.absentBefore).toBe(at(6));
  const elsewhere = { ...without, upstream: "https://mirror.test/" };
  expect(mergeRecords(elsewhere, withIt).versions["1.0.1"]!.absentBefore).toBe(at(1));
});

test("a confirmed absence that another process did not notice leaves a return behind when the version is listed again", () => {
  const gone = record({
    lastAnswer: at(15),
    versions: { "1.0.0": { firstSeen: at(1), lastListed: at(5), goneSince: at(10), gone: true } },
  });
  const listing = record({ lastAnswer: at(20), versions: { "1.0.0": { firstSeen: at(1), lastListed: at(20) } } });
  expect(mergeRecords(gone, listing).versions["1.0.0"]).toEqual({ firstSeen: at(1), lastListed: at(20), returned: at(20) });
});

test("the same absence seen by both began when the first of them saw it", () => {
  const versions = (goneSince: number, gone: boolean): Record<string, VersionHistory> => ({
    "1.0.0": { firstSeen: at(1), lastListed: at(5), goneSince: at(goneSince), ...(gone ? { gone } : {}) },
  });
  const merged = mergeRecords(
    record({ lastAnswer: at(15), versions: versions(10, true) }),
    record({ lastAnswer: at(20), versions: versions(12, false) }),
  );
  expect(merged.versions["1.0.0"]).toMatchObject({ goneSince: at(10), gone: true });
});

test("moves of a tag that each process saw only in part are put in order, and the newer answer says where it stands", () => {
  const full = record({
    lastAnswer: at(25),
    tags: {
      latest: [
        { version: "1.0.0", since: at(1), until: at(10) },
        { version: "1.1.0", since: at(10), until: at(20) },
        { version: "1.0.0", since: at(20) },
      ],
    },
  });
  const sleepy = record({
    lastAnswer: at(30),
    tags: { latest: [{ version: "1.0.0", since: at(1) }], next: [{ version: "2.0.0-0", since: at(30) }] },
  });
  const merged = mergeRecords(full, sleepy);
  expect(merged.tags["latest"]).toEqual(full.tags["latest"]);
  expect(merged.tags["next"]).toEqual(sleepy.tags["next"]);
  const moved = record({
    lastAnswer: at(40),
    tags: {
      latest: [
        { version: "1.0.0", since: at(1), until: at(38) },
        { version: "1.2.0", since: at(38) },
      ],
    },
  });
  expect(mergeRecords(merged, moved).tags["latest"]!.map((value) => value.version)).toEqual(["1.0.0", "1.1.0", "1.0.0", "1.2.0"]);
  expect(mergeRecords(merged, moved).tags["next"]).toEqual([{ version: "2.0.0-0", since: at(30), until: at(40) }]);
});

// One upstream (sometimes two) as two processes saw it: each answer reached one of them, the other, or both.
const listing = fc.record({
  integrity: fc.constantFrom(SHA512("A"), SHA512("A"), SHA512("A"), SHA512("Q"), undefined),
  shasum: fc.constantFrom(SHA1, undefined),
  time: fc.constantFrom(iso(at(-5)), undefined),
  deprecated: fc.constantFrom(undefined, undefined, "do not use", "really not"),
});
const versionName = fc.constantFrom("1.0.0", "1.0.1", "2.0.0", "__proto__");

const answer = fc
  .record({
    listings: fc.dictionary(versionName, listing, { maxKeys: 4 }),
    tags: fc.dictionary(fc.constantFrom("latest", "next", "__proto__"), versionName, { maxKeys: 2 }),
    broken: fc.option(versionName, { nil: undefined }),
    timed: fc.boolean(),
    upstream: fc.constantFrom("https://registry.test/", "https://registry.test/", "https://mirror.test/"),
    seenBy: fc.constantFrom("one", "other", "both"),
    wait: fc.constantFrom(1, 1, 20),
    note: fc.constantFrom("nothing", "served", "fetched"),
    noted: versionName,
  })
  .map(({ listings, broken, ...rest }) => {
    const versions = Object.entries(listings)
      .filter(([version]) => version !== broken)
      .map(([version, claims]) => present({ version, ...claims, time: rest.timed ? claims.time : undefined }));
    const problems = broken === undefined ? [] : [{ version: broken, reason: "no tarball" }];
    const body = { versions, problems, tags: rest.tags, timed: rest.timed };
    return { step: rest, summary: { name: "widget", bytes: 100, digest: sha256(canonical(body)), ...body } satisfies PackumentSummary };
  });

/** Both processes began with the record the other of them had stored; `stored` holds every record in the order it came to be. */
const twoProcesses = fc.array(answer, { minLength: 2, maxLength: 12 }).map((answers) => {
  let clock = 0;
  let [one, other]: (PackageRecord | undefined)[] = [];
  const steps: { before: PackageRecord | undefined; after: PackageRecord }[] = [];
  for (const { summary, step } of answers) {
    const { upstream, seenBy, wait, note, noted } = step;
    clock += wait;
    const now = instant(START + clock * MINUTE);
    const see = (before: PackageRecord | undefined): PackageRecord => {
      const seen = observe(before, { summary, upstream, at: now }).record;
      const after =
        note === "served" ? markServed(seen, noted, now) : note === "fetched" ? markFetched(seen, noted, SHA512("Q"), now).record : seen;
      steps.push({ before, after });
      return after;
    };
    const shared: PackageRecord | undefined = one === undefined || other === undefined ? see(undefined) : undefined;
    if (shared) [one, other] = [shared, shared];
    else {
      if (seenBy !== "other") one = see(one);
      if (seenBy !== "one") other = see(other);
    }
  }
  return { one: one!, other: other!, steps };
});

test("a record that was observed on top of another joins with it to itself", () => {
  fc.assert(
    fc.property(twoProcesses, ({ steps }) => {
      for (const { before, after } of steps) if (before) expect(mergeRecords(before, after)).toEqual(after);
    }),
    { numRuns: 300 },
  );
});

test("the join is commutative", () => {
  fc.assert(
    fc.property(twoProcesses, ({ one, other }) => {
      expect(mergeRecords(one, other)).toEqual(mergeRecords(other, one));
    }),
    { numRuns: 300 },
  );
});

test("the join is idempotent: with itself, and with either side again", () => {
  fc.assert(
    fc.property(twoProcesses, ({ one, other }) => {
      expect(mergeRecords(one, structuredClone(one))).toEqual(one);
      const merged = mergeRecords(one, other);
      expect(mergeRecords(merged, one)).toEqual(merged);
      expect(mergeRecords(merged, other)).toEqual(merged);
    }),
    { numRuns: 300 },
  );
});

test("no evidence against a version is lost by a join", () => {
  fc.assert(
    fc.property(twoProcesses, ({ one, other }) => {
      const merged = mergeRecords(one, other);
      for (const side of [one, other]) {
        for (const [version, mine] of Object.entries(side.versions)) {
          const both = historyOf(merged, version)!;
          expect(both.firstSeen).toBeLessThanOrEqual(mine.firstSeen);
          expect(lastListed(merged, both)).toBeGreaterThanOrEqual(lastListed(side, mine));
          expect(both.returned ?? 0).toBeGreaterThanOrEqual(mine.returned ?? 0);
          expect(both.served ?? Infinity).toBeLessThanOrEqual(mine.served ?? Infinity);
          if (mine.changed) expect(both.changed).toBeDefined();
          if (mine.absentBefore !== undefined && mine.absentBefore < both.firstSeen) {
            expect(both.absentBefore!).toBeGreaterThanOrEqual(mine.absentBefore);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
