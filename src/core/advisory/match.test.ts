import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Advisory, RangeEvent } from "./advisory.ts";
import { type Match, matches, matchesBytes } from "./match.ts";
import { readOsv } from "./osv.ts";
import { comparePlaced, placed } from "./order.ts";

/** An advisory on `left-pad` from events written as `introduced 0, fixed 1.2.3`; several texts are several ranges. */
function onRanges(...ranges: readonly string[]): Advisory {
  return advisory([{ name: "left-pad", versions: [], ranges: ranges.map((range) => range.split(", ").map(eventOf)), integrities: [] }]);
}

function advisory(affected: Advisory["affected"], withdrawn?: Advisory["withdrawn"]): Advisory {
  return { id: "MAL-1", aliases: [], kind: "malware", origins: [], affected, ...(withdrawn === undefined ? {} : { withdrawn }) };
}

function eventOf(text: string): RangeEvent {
  const [kind, version] = text.split(" ") as [RangeEvent["kind"], string];
  return { kind, version };
}

const hits = (one: Advisory, version: string | undefined): Match["match"] | undefined => matches(one, "left-pad", version)?.match;

/** Which of the versions are hit. */
function hit(one: Advisory, versions: string): string {
  return versions
    .split(" ")
    .filter((version) => hits(one, version) !== undefined)
    .join(" ");
}

test("A.3.1: entries are OR-ed, and a name is the name: case and scope count", () => {
  const one = advisory([
    { name: "left-pad", versions: ["1.0.0"], ranges: [], integrities: [] },
    { name: "left-pad", versions: ["2.0.0"], ranges: [], integrities: [] },
    { name: "@a/left-pad", versions: ["3.0.0"], ranges: [], integrities: [] },
  ]);
  expect(hit(one, "1.0.0 2.0.0 3.0.0")).toBe("1.0.0 2.0.0");
  expect(matches(one, "Left-Pad", "1.0.0")).toBeUndefined();
  expect(matches(one, "@a/left-pad", "3.0.0")).toEqual({ match: "version", fixed: [] });
});

test("A.3.2: an exact version, or inside any range; the surest way is what is said", () => {
  const one = advisory([
    {
      name: "left-pad",
      versions: ["5.0.0"],
      ranges: [[eventOf("introduced 1.0.0"), eventOf("fixed 1.1.0")], [eventOf("introduced 4.0.0")]],
      integrities: [],
    },
  ]);
  expect(hit(one, "0.9.0 1.0.5 1.1.0 3.0.0 4.0.0 5.0.0")).toBe("1.0.5 4.0.0 5.0.0");
  expect(hits(one, "5.0.0")).toBe("version");
  expect(matches(one, "left-pad", "1.0.5")).toEqual({ match: "range", fixed: ["1.1.0"] });
});

test("A.3.3: pairs are a union of intervals, whatever order they are stored in", () => {
  const versions = "0.9.0 1.0.0 1.5.0 2.0.0 2.5.0 3.0.0 3.5.0 4.0.0";
  const affected = "1.0.0 1.5.0 3.0.0 3.5.0";
  expect(hit(onRanges("introduced 1.0.0, fixed 2.0.0, introduced 3.0.0, fixed 4.0.0"), versions)).toBe(affected);
  expect(hit(onRanges("fixed 4.0.0, introduced 3.0.0, fixed 2.0.0, introduced 1.0.0"), versions)).toBe(affected);
  expect(hit(onRanges("introduced 1.0.0, last_affected 2.0.0"), versions)).toBe("1.0.0 1.5.0 2.0.0");
  expect(hit(onRanges("introduced 0, limit 2.0.0, introduced 3.0.0"), versions)).toBe("0.9.0 1.0.0 1.5.0");
  expect(hit(onRanges("introduced 0, limit *"), versions)).toBe(versions);
  expect(hits(onRanges("introduced 0, limit *"), "1.0.0")).toBe("everything");
  expect(hit(onRanges("fixed 2.0.0"), versions)).toBe("");
});

test("A.3.4: prereleases count, by SemVer precedence", () => {
  expect(hit(onRanges("introduced 0, fixed 1.0.0"), "0.0.0-alpha 1.0.0-rc 1.0.0")).toBe("0.0.0-alpha 1.0.0-rc");
  expect(hit(onRanges("introduced 1.0.0"), "1.0.0-rc 1.0.0 1.0.1-0")).toBe("1.0.0 1.0.1-0");
  expect(hits(onRanges("introduced 0.0.0-0"), "1.0.0")).toBe("everything");
});

test("A.3.5: build metadata, a leading v or =, and versions that are no SemVer", () => {
  const one = onRanges("introduced 1.0.0, fixed 1.2.0");
  expect(hit(one, "1.1.0+build v1.1.0 =1.1.0 1.2.0+1 v1.2.0")).toBe("1.1.0+build v1.1.0 =1.1.0");
  const odd = [
    "0.0.0.1",
    "0",
    "1",
    "1.9.0b1",
    "1.9",
    "2.0.0-rc.1",
    "2.0.0rc2",
    "2",
    "2.64.9999999999",
    "2.64.10000000000",
    "3.0.RC3",
    "3",
    "13.0",
  ];
  const sorted = odd.toSorted((a, b) => comparePlaced(placed(a)!, placed(b)!));
  expect(sorted).toEqual(odd);
  expect(placed("latest")).toBeUndefined();
  expect(comparePlaced(placed("1.0.0-9")!, placed("1.0.0-10")!)).toBeLessThan(0);
  expect(comparePlaced(placed("1.0.0-10")!, placed("1.0.0-a")!)).toBeLessThan(0);
  expect(comparePlaced(placed("1.0.0-a")!, placed("1.0.0-a.0")!)).toBeLessThan(0);
  expect(comparePlaced(placed("1.02")!, placed("1.2.0")!)).toBe(0);
  // A number no double holds is still one more than the one before it.
  expect(comparePlaced(placed("1.0.9007199254740993")!, placed("1.0.9007199254740992")!)).toBeGreaterThan(0);
});

test("A.3.6: a version that is not known, or has no place in the order, is possible", () => {
  const one = onRanges("introduced 1.0.0, fixed 1.2.0");
  expect(hits(one, undefined)).toBe("possible");
  expect(hits(one, "")).toBe("possible");
  expect(hits(one, "next")).toBe("possible");
  const exact = advisory([{ name: "left-pad", versions: ["next"], ranges: [], integrities: [] }]);
  expect(hits(exact, "next")).toBe("version");
  expect(hits(exact, "other")).toBeUndefined();
  expect(hits(exact, undefined)).toBe("possible");
  expect(hits(advisory([{ name: "left-pad", versions: [], ranges: [], integrities: [] }]), undefined)).toBeUndefined();
});

test("A.3.8: a GIT range is skipped, and the one behind it counts", () => {
  const { advisory: read, problem } = readOsv(
    {
      id: "GHSA-x",
      affected: [
        {
          package: { ecosystem: "npm", name: "left-pad" },
          ranges: [
            { type: "GIT", repo: "https://git.test/x", events: [{ introduced: "0" }] },
            { type: "SEMVER", events: [{ introduced: "1.0.0" }] },
          ],
        },
      ],
    },
    "test",
  );
  expect(problem).toBeUndefined();
  expect(hit(read!, "0.9.0 1.0.0")).toBe("1.0.0");
});

test("A.3.9: fixed and last_affected in one range both count; a tie of fixed and introduced is affected", () => {
  expect(hit(onRanges("introduced 1.0.0, last_affected 1.5.0, fixed 2.0.0"), "1.5.0 1.6.0 2.0.0")).toBe("1.5.0");
  expect(hit(onRanges("introduced 1.0.0, fixed 1.5.0, last_affected 2.0.0"), "1.4.0 1.5.0 2.0.0")).toBe("1.4.0");
  for (const order of [
    "introduced 1.0.0, fixed 2.0.0, introduced 2.0.0, fixed 3.0.0",
    "introduced 2.0.0, fixed 3.0.0, introduced 1.0.0, fixed 2.0.0",
  ])
    expect(hit(onRanges(order), "1.9.0 2.0.0 3.0.0")).toBe("1.9.0 2.0.0");
});

test("A.3.10: bytes are matched under any name", () => {
  const integrity = "sha512-N/n4R+nD5SC0fYOpAp4ZnbwwxqGVodgEZ9D7Gm/VBocorU0aQimVyleDWSY6/axdO0/temub760n3hnMppZpUg==";
  const { advisory: read } = readOsv(
    {
      id: "MAL-2026-11524",
      affected: [
        {
          package: { ecosystem: "npm", name: "keyv" },
          versions: ["6.0.0"],
          database_specific: { indicators: { package_integrity: [{ filename: "keyv-6.0.0.tgz", hashes: { sha512_sri: integrity } }] } },
        },
      ],
    },
    "test",
  );
  expect(matchesBytes(read!, [integrity])).toEqual({ match: "integrity", fixed: [] });
  expect(matchesBytes(read!, ["sha512-other"])).toBeUndefined();
  expect(matchesBytes({ ...read!, withdrawn: 1 as Advisory["withdrawn"] & number }, [integrity])).toBeUndefined();
});

test("A.3.11: a record that was merged too broadly says both, and the exact version is the surer", () => {
  const one = advisory([
    {
      name: "left-pad",
      versions: ["4.1.1"],
      ranges: [[eventOf("introduced 0")], [eventOf("introduced 4.1.1"), eventOf("last_affected 4.1.2")]],
      integrities: [],
    },
  ]);
  expect([hits(one, "4.1.1"), hits(one, "4.1.2"), hits(one, "1.0.0")]).toEqual(["version", "range", "everything"]);
});

const version = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(2), fc.constantFrom("", "", "-rc.1", "-alpha", "b2", "+x"))
  .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`);
const event = fc.record({
  kind: fc.constantFrom("introduced", "introduced", "fixed", "last_affected", "limit"),
  version: fc.oneof(version, fc.constant("0")),
}) as fc.Arbitrary<RangeEvent>;
const range = fc.array(event, { minLength: 1, maxLength: 6 });

test("property: the order of events and of ranges makes no difference", () => {
  const shuffled = fc.array(range, { minLength: 1, maxLength: 3 }).chain((ranges) =>
    fc.tuple(
      fc.constant(ranges),
      fc
        .tuple(...ranges.map((one) => fc.shuffledSubarray(one, { minLength: one.length })))
        .chain((mixed) => fc.shuffledSubarray(mixed, { minLength: mixed.length })),
      version,
    ),
  );
  fc.assert(
    fc.property(shuffled, ([ranges, mixed, at]) => {
      const found = (given: readonly (readonly RangeEvent[])[]) =>
        matches(advisory([{ name: "left-pad", versions: [], ranges: given, integrities: [] }]), "left-pad", at);
      const [first, second] = [found(ranges), found(mixed)];
      expect(second?.match).toBe(first?.match);
      expect(second?.fixed.toSorted()).toEqual(first?.fixed.toSorted());
    }),
  );
});

/**
 * The same rules without events in a row: affected is what some `introduced` opens, unless something closes it between there and the
 * version. Versions are compared as lists of numbers and words, taken apart by hand.
 */
function naively(ranges: readonly (readonly RangeEvent[])[], version: string): boolean {
  return ranges.some((range) => {
    const at = (kind: RangeEvent["kind"]): readonly string[] => range.flatMap((one) => (one.kind === kind ? [one.version] : []));
    // "limit v≥limit → never on from here (* = none)"
    if (at("limit").some((limit) => limit !== "*" && before(limit, version) <= 0)) return false;
    return at("introduced").some((opened) => {
      const open = (text: string): number => (opened === "0" ? 1 : before(text, opened));
      if (opened !== "0" && before(version, opened) < 0) return false;
      // "fixed v≥e → off"; at the version where it opens, opening wins.
      const fixed = at("fixed").some((closed) => open(closed) > 0 && before(closed, version) <= 0);
      // "last_affected v>e → off"; one at the version where it opens leaves that version alone.
      const over = at("last_affected").some((closed) => open(closed) >= 0 && before(closed, version) < 0);
      return !fixed && !over;
    });
  });
}

/** Less than 0 when `a` comes before `b`. Knows versions as the generator below writes them, and bare numbers. */
function before(a: string, b: string): number {
  const parts = (text: string): readonly [number[], string[]] => {
    const [, numbers = "", rest = ""] = /^(\d+(?:\.\d+)*)(?:-?([a-z][a-z0-9.]*))?/.exec(text) ?? [];
    return [[...numbers.split(".").map(Number), 0, 0].slice(0, 3), rest === "" ? [] : rest.split(".")];
  };
  const [[x, inX], [y, inY]] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  if (inX.length === 0 || inY.length === 0) return inY.length - inX.length;
  for (let i = 0; i < Math.max(inX.length, inY.length); i++) {
    if (inX[i] === undefined || inY[i] === undefined) return inX.length - inY.length;
    if (inX[i] !== inY[i]) return inX[i]! < inY[i]! ? -1 : 1;
  }
  return 0;
}

test("property: equal to a reference that looks at each opening by itself", () => {
  let affected = 0;
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 3 }), version, (ranges, at) => {
      const found = matches(advisory([{ name: "left-pad", versions: [], ranges, integrities: [] }]), "left-pad", at) !== undefined;
      expect(found, `${at} in ${JSON.stringify(ranges)}`).toBe(naively(ranges, at));
      if (found) affected++;
    }),
    { numRuns: 2_000 },
  );
  expect(affected).toBeGreaterThan(20);
});

test("one version alone: introduced and last affected in it", () => {
  expect(hit(onRanges("introduced 1.0.0, last_affected 1.0.0"), "0.9.9 1.0.0 1.0.1 2.0.0")).toBe("1.0.0");
  expect(hit(onRanges("last_affected 1.0.0, introduced 1.0.0"), "1.0.0 1.0.1")).toBe("1.0.0");
  expect(hit(onRanges("introduced 0, last_affected 1.0.0, introduced 1.0.0, fixed 1.2.0"), "1.0.0 1.1.0 1.2.0")).toBe("1.0.0");
});

test("property: what is withdrawn never matches", () => {
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 3 }),
      fc.array(version, { maxLength: 3 }),
      fc.option(version, { nil: undefined }),
      (ranges, versions, at) => {
        const one = advisory([{ name: "left-pad", versions, ranges, integrities: [] }], 1 as NonNullable<Advisory["withdrawn"]>);
        expect(matches(one, "left-pad", at)).toBeUndefined();
      },
    ),
  );
});

test("property: precedence is a total order", () => {
  const text = fc.oneof(version, fc.stringMatching(/^[v=]?\d{1,20}(?:\.\d{1,3}){0,4}[-.a-z0-9+]{0,8}$/));
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      const [x, y, z] = [placed(a)!, placed(b)!, placed(c)!];
      expect(Math.sign(comparePlaced(x, y))).toBe(-Math.sign(comparePlaced(y, x)) + 0);
      if (comparePlaced(x, y) <= 0 && comparePlaced(y, z) <= 0) expect(comparePlaced(x, z)).toBeLessThanOrEqual(0);
    }),
  );
});
