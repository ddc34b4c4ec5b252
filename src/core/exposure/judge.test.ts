/** The ladder: one answer per place, the strongest evidence wins, and nothing missing ever reads as safe. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sri, time } from "../../../test/kit/packages.ts";
import { incidentPack } from "../../../test/samples/incident.ts";
import type { PackageRecord } from "../facts/history.ts";
import type { IncidentPack } from "../incident/pack.ts";
import { judge, worst } from "./judge.ts";
import { FORMS, type Form, LEVELS, type Level, type Sighting } from "./sighting.ts";

const BAD = sri("bad");
const pack = incidentPack({
  id: "test-2026",
  packages: [
    {
      name: "carrier",
      role: "carrier",
      versions: [{ version: "1.1.0", integrity: [BAD], published: "2026-03-31T00:00:00Z", removed: "2026-03-31T03:00:00Z" }],
    },
    { name: "payload", role: "payload", versions: [{ version: "4.2.1" }] },
    { name: "phantom", role: "payload", versions: [], everyVersion: true },
  ],
  decoys: [{ name: "payload", version: "4.2.0", note: "only ever a decoy" }],
  window: { from: "2026-03-31T00:00:00Z", until: "2026-03-31T03:00:00Z", precision: "minute" },
  tells: [{ kind: "folder-differs", name: "payload", locked: "4.2.1", folder: "4.2.0", says: "it ran" }],
  indicators: {
    files: [
      { path: "dropper.js", means: "executed", generic: true },
      { path: "own.bin", means: "executed" },
    ],
  },
});

const place = "/p";
const seen = (form: Form, name: string, version: string, integrity?: string): Sighting => ({
  kind: "package",
  place,
  form,
  file: "/p/x",
  name,
  version,
  ...(integrity !== undefined && { integrity }),
});
const looked: Sighting = { kind: "looked", place, what: "the lockfile names none of them" };
const missing: Sighting = { kind: "missing", place, what: "no permission" };
const artefact = (indicator: string): Sighting => ({ kind: "artefact", place, file: `/p/${indicator}`, indicator });
const level = (...sightings: Sighting[]): Level => judge(pack, place, sightings).level;

test.each(Object.keys(FORMS) as Form[])("a poisoned version seen as %s has the level of that form", (form) => {
  expect(level(seen(form, "payload", "4.2.1"), looked)).toBe(FORMS[form].level);
});

test("a folder that calls itself a poisoned version may be the known package's own source: somebody has to look", () => {
  const answer = judge(pack, place, [seen("unpacked", "carrier", "1.1.0"), looked]);
  expect(answer).toMatchObject({ level: "unknown", missing: [expect.stringContaining("calls itself carrier@1.1.0")] });
  expect(level(seen("unpacked", "carrier", "1.0.0"), looked)).toBe("not-exposed");
});

test("of a name that was never honest every version counts, and every range", () => {
  expect(level(seen("lockfile", "phantom", "7.0.0"), looked)).toBe("resolved");
  expect(level({ kind: "range", place, file: "/p/package.json", name: "phantom", range: "^9", by: "manifest" })).toBe("could-have");
  expect(level(seen("lockfile", "payload", "9.0.0"), looked)).toBe("not-exposed");
});

test("a command that names the payload's file says less than the file", () => {
  const started = (indicator: string): Sighting => ({ kind: "artefact", place, file: "/p/package.json", indicator, started: true });
  expect(level(started("own.bin"))).toBe("installed");
  expect(level(artefact("own.bin"))).toBe("executed");
  expect(level(started("dropper.js"), looked)).toBe("unknown");
});

test("nothing seen is an answer only where somebody looked, and only where nothing is missing", () => {
  expect(level(looked)).toBe("not-exposed");
  expect(judge(pack, place, [looked]).reasons).toEqual(["the lockfile names none of them"]);
  expect(level(looked, missing)).toBe("unknown");
  expect(level(missing)).toBe("unknown");
  expect(level()).toBe("unknown");
  expect(level(seen("lockfile", "carrier", "1.0.0"), looked)).toBe("not-exposed");
});

test("a pack that does not list everything rules nothing out", () => {
  const partial: IncidentPack = { ...pack, coverage: { kind: "partial" } };
  expect(judge(partial, place, [looked])).toMatchObject({ level: "unknown", missing: ["more was poisoned than this pack lists"] });
});

test("a record and a folder that disagree as the payload leaves them: it ran", () => {
  const folder = seen("folder", "payload", "4.2.0");
  expect(judge(pack, place, [seen("lockfile", "payload", "4.2.1"), folder]).evidence[0]).toMatchObject({
    level: "executed",
    text: "lockfile says payload 4.2.1, folder says 4.2.0: it ran",
  });
  // The folder alone is still a trace: nobody else ever asked for the decoy. In a lockfile it is harmless.
  expect(level(folder)).toBe("installed");
  expect(level(seen("lockfile", "payload", "4.2.0"), looked)).toBe("not-exposed");
  // Scripts were blocked: the folder is as the tarball had it.
  expect(level(seen("lockfile", "payload", "4.2.1"), seen("folder", "payload", "4.2.1"))).toBe("installed");
});

test("bytes count under any name; other bytes under the name are said", () => {
  const [renamed] = judge(pack, place, [seen("lockfile", "innocent", "1.0.0", BAD)]).evidence;
  expect(renamed?.text).toContain("the bytes of carrier@1.1.0 under another name");
  const [other] = judge(pack, place, [seen("lockfile", "carrier", "1.1.0", sri("other"))]).evidence;
  expect(other?.text).toContain("with other bytes than the poisoned ones");
});

test("a common file name proves nothing alone, and counts beside a hit", () => {
  expect(judge(pack, place, [artefact("dropper.js"), looked])).toMatchObject({ level: "unknown" });
  expect(level(artefact("dropper.js"), seen("lockfile", "carrier", "1.1.0"))).toBe("executed");
  expect(level(artefact("own.bin"))).toBe("executed");
  const range: Sighting = { kind: "range", place, file: "/p/package.json", name: "carrier", range: "^1.0.0", by: "manifest" };
  expect(level(artefact("dropper.js"), range)).toBe("could-have");
});

const record = (versions: PackageRecord["versions"], tags: PackageRecord["tags"] = {}): PackageRecord =>
  ({
    name: "carrier",
    upstream: "",
    firstSeen: time("2026-03-01T00:00:00Z"),
    lastAnswer: time("2026-04-01T00:00:00Z"),
    answers: 9,
    versions,
    tags,
    summary: undefined,
  }) as never;

test("a range is decided by what the registry answered then", () => {
  const range = (text: string): Sighting => ({
    kind: "range",
    place,
    file: "/p/package.json",
    name: "carrier",
    range: text,
    by: "manifest",
  });
  const at = (text: string, known?: PackageRecord): Level => judge(pack, place, [range(text), looked], () => known).level;
  expect(at("^1.0.0")).toBe("could-have");
  expect(at("~1.0.0")).toBe("not-exposed");
  expect(at("1.1.0")).toBe("could-have");
  expect(at("latest")).toBe("could-have");
  const seenAt = (when: string) => ({ firstSeen: time(when), claimed: time(when) });
  const stable = { "1.0.0": seenAt("2026-03-02T00:00:00Z") };
  const latest = (version: string) => ({ latest: [{ version, since: time("2026-03-02T00:00:00Z") }] });
  // `latest` stayed on 1.0.0, which the range accepts: nobody got 1.1.0.
  expect(at("^1.0.0", record(stable, latest("1.0.0")))).toBe("not-exposed");
  expect(at("^1.0.0", record({ ...stable, "1.1.0": seenAt("2026-03-31T00:00:00Z") }, latest("1.1.0")))).toBe("could-have");
  // A higher version that came while the poison was live hides it only from then on.
  const later = { ...stable, "1.2.0": seenAt("2026-03-31T01:00:00Z") };
  expect(at("^1.0.0", record(later, { latest: [{ version: "2.0.0", since: time("2026-03-02T00:00:00Z") }] }))).toBe("could-have");
  const before = { ...stable, "1.2.0": seenAt("2026-03-30T01:00:00Z") };
  expect(at("^1.0.0", record(before, { latest: [{ version: "2.0.0", since: time("2026-03-02T00:00:00Z") }] }))).toBe("not-exposed");
});

const sighting: fc.Arbitrary<Sighting> = fc.oneof(
  fc
    .record({
      form: fc.constantFrom(...(Object.keys(FORMS) as Form[])),
      name: fc.constantFrom("carrier", "payload", "innocent"),
      version: fc.constantFrom("1.0.0", "1.1.0", "4.2.0", "4.2.1"),
      integrity: fc.constantFrom(undefined, BAD, sri("other")),
    })
    .map(({ form, name, version, integrity }) => seen(form, name, version, integrity)),
  fc.constantFrom(looked, missing, artefact("dropper.js"), artefact("own.bin"), artefact("unrelated.js")),
  fc
    .constantFrom("^1.0.0", "2.0.0", "latest")
    .map((range): Sighting => ({ kind: "range", place, file: "/p/package.json", name: "carrier", range, by: "manifest" })),
);

/** As alarming as an answer is; `unknown` is more than "not exposed". */
const alarm = (one: Level): number => (one === "not-exposed" ? 0 : one === "unknown" ? 1 : 1 + LEVELS.length - LEVELS.indexOf(one));

test("one more sighting never makes an answer less alarming", () => {
  fc.assert(
    fc.property(fc.array(sighting, { maxLength: 12 }), sighting, (before, more) => {
      // Looking is what answers "nobody looked"; from then on nothing is taken back.
      const looking = [looked, ...before];
      expect(alarm(level(...looking, more))).toBeGreaterThanOrEqual(alarm(level(...looking)));
    }),
  );
});

test("what is missing never becomes `not exposed`, whatever else is seen", () => {
  fc.assert(
    fc.property(fc.array(sighting, { maxLength: 12 }), (others) => {
      const answer = judge(pack, place, [missing, ...others]);
      expect(answer.level).not.toBe("not-exposed");
      expect(answer.missing).toContain("no permission");
    }),
  );
});

test("the order of sightings does not matter", () => {
  fc.assert(
    fc.property(
      fc.array(sighting, { maxLength: 12 }).chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        expect(level(...shuffled)).toBe(level(...all));
      },
    ),
  );
});

test("the worst of several answers", () => {
  expect(worst(["not-exposed", "unknown", "resolved"])).toBe("resolved");
  expect(worst(["not-exposed", "unknown"])).toBe("unknown");
  expect(worst([])).toBe("not-exposed");
});
