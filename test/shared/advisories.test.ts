/**
 * The advisories of the shared collection: 23,131 OSV records and a second feed of compromised versions, read whole, indexed, and looked
 * up against direct matching. The collection is not part of this repository: without it these tests say so and pass nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import semver from "semver";
import { describe, expect, test } from "vitest";
import type { Advisory, AdvisoryProblem, HeldAdvisory } from "../../src/core/advisory/advisory.ts";
import { buildIndex } from "../../src/core/advisory/index-build.ts";
import { openIndex } from "../../src/core/advisory/index-file.ts";
import { matches } from "../../src/core/advisory/match.ts";
import { readOsv } from "../../src/core/advisory/osv.ts";
import { readSource } from "../../src/edge/feeds/source.ts";
import { instant } from "../../src/core/base/time.ts";

const FOLDER = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const FILES = { osv: "osv-npm.ndjson.gz", compromised: "compromised-npm-feed.osv.ndjson.gz" } as const;
const present = Object.values(FILES).every((file) => existsSync(`${FOLDER}${file}`));
if (!present) console.error(`NOT RUN: no advisories at ${FOLDER}; nothing is shown about real ones`);

const AT = instant(Date.UTC(2026, 8, 1));

async function read(
  feed: keyof typeof FILES,
): Promise<{ readonly advisories: readonly Advisory[]; readonly problems: readonly AdvisoryProblem[] }> {
  const advisories: Advisory[] = [];
  const problems: AdvisoryProblem[] = [];
  const claims = feed === "compromised" ? "malware" : "vulnerability";
  for await (const { advisory, problem } of readSource({ path: `${FOLDER}${FILES[feed]}`, called: FILES[feed], kind: "osv", claims })) {
    if (advisory) advisories.push(advisory);
    if (problem) problems.push(problem);
  }
  return { advisories, problems };
}

const feeds = present ? { osv: await read("osv"), compromised: await read("compromised") } : undefined;
const held: readonly HeldAdvisory[] = feeds
  ? (["osv", "compromised"] as const).flatMap((feed) => feeds[feed].advisories.map((advisory) => ({ advisory, feed, firstSeen: AT })))
  : [];
const index = feeds && openIndex(buildIndex(held, ["osv", "compromised"]));

const raw = (): readonly string[] =>
  gunzipSync(readFileSync(`${FOLDER}${FILES.osv}`))
    .toString()
    .trimEnd()
    .split("\n");

type RawEntry = {
  readonly package: { readonly name: string };
  readonly ranges?: readonly { readonly events: readonly Readonly<Record<string, string>>[] }[];
  /** The collection keeps npm's own range beside the converted one. */
  readonly database_specific?: { readonly npm_vulnerable_versions?: string };
};

/** Every nth. */
const sample = <T>(list: readonly T[], nth: number): readonly T[] => list.filter((_, at) => at % nth === 0);

describe.runIf(present)("real advisories", () => {
  test("every record is read, and what cannot be used is named", () => {
    const { osv, compromised } = feeds!;
    expect(osv.advisories).toHaveLength(23_131);
    expect(osv.problems).toEqual([]);
    expect(osv.advisories.filter(({ kind }) => kind === "malware").length).toBeGreaterThanOrEqual(22_301);
    expect(osv.advisories.filter(({ withdrawn }) => withdrawn !== undefined)).toHaveLength(55);
    expect(compromised.problems).toEqual([]);
    expect(compromised.advisories.flatMap(({ affected }) => affected.flatMap(({ versions }) => versions))).toHaveLength(5_644);
    expect(compromised.advisories.every(({ kind }) => kind === "malware")).toBe(true);
  });

  test("known hijacks are found by what their records say", () => {
    const ids = (name: string, version: string) => index!.claims(name, version).map(({ id, match }) => `${id} ${match}`);
    expect(ids("axios", "1.14.1")).toContain("MAL-2026-2307 version");
    expect(ids("axios", "1.14.0").filter((id) => id.startsWith("MAL"))).toEqual([]);
    expect(
      index!
        .claims("renamed", "6.0.0", ["sha512-N/n4R+nD5SC0fYOpAp4ZnbwwxqGVodgEZ9D7Gm/VBocorU0aQimVyleDWSY6/axdO0/temub760n3hnMppZpUg=="])
        .map(({ id }) => id),
    ).toEqual(["MAL-2026-11524"]);
    // A record that was merged too broadly: it names every version, and two of them for sure.
    expect(new Set(index!.claims("@ctrl/tinycolor", "1.0.0").map(({ match }) => match))).toContain("everything");
  });

  test("the index says what direct matching says, on every name of a sample at every version its records name and beside them", () => {
    const byName = new Map<string, HeldAdvisory[]>();
    for (const one of held) for (const { name } of one.advisory.affected) byName.set(name, [...(byName.get(name) ?? []), one]);
    let asked = 0;
    for (const [name, records] of sample([...byName], 7)) {
      const named = records.flatMap(({ advisory }) =>
        advisory.affected.flatMap(({ versions, ranges }) => [...versions, ...ranges.flat().map(({ version }) => version)]),
      );
      for (const version of new Set([...named, "0.0.0-alpha.1", "1.0.0", "9999.0.0"])) {
        const live = index!.claims(name, version).filter(({ withdrawn }) => withdrawn === undefined);
        const direct = [...new Set(records)].flatMap(({ advisory, feed }) => {
          const match = matches(advisory, name, version);
          return match ? [`${feed} ${advisory.id} ${match.match}`] : [];
        });
        expect(live.map(({ feed, id, match }) => `${feed} ${id} ${match}`).toSorted(), `${name}@${version}`).toEqual(direct.toSorted());
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThan(10_000);
  });

  test("ranges agree with npm's own ones at every boundary", () => {
    const differing: string[] = [];
    let asked = 0;
    for (const text of raw()) {
      const { id, affected } = JSON.parse(text) as { id: string; affected: readonly RawEntry[] };
      for (const {
        package: { name },
        ranges = [],
        database_specific: specific,
      } of affected) {
        const npm = specific?.npm_vulnerable_versions;
        if (npm === undefined || affected.length > 1 || semver.validRange(npm, true) === null) continue;
        const { advisory } = readOsv(text, id);
        const boundaries = ranges
          .flatMap(({ events }) => events.flatMap((event) => Object.values(event)))
          .map((one) => semver.coerce(one)?.version ?? "0.0.0");
        for (const version of boundaries.flatMap((at) => [at, `${at}-0`, semver.inc(at, "patch")!])) {
          asked += 1;
          const ours = matches(advisory!, name, version) !== undefined;
          // npm counts a prerelease only beside its own release; in order of precedence it is in the range or not.
          if (ours !== semver.satisfies(version, npm, { loose: true, includePrerelease: true }))
            differing.push(`${id} ${name}@${version} ${npm}`);
        }
      }
    }
    expect(asked).toBeGreaterThan(3_000);
    // Each difference is npm's way of writing: `>=0.0.0` leaves out 0.0.0-0, and a part of a version (`1.0`, `3.11`) stands for all below it.
    expect(differing).toEqual([
      "NPM-1168 subtext@0.0.0-0 >=0.0.0",
      "NPM-1479 subtext@0.0.0-0 >=0.0.0",
      "NSWG-ECO-107 dojo@1.0.1 <= 1.0",
      "NSWG-ECO-8 express@3.11.0-0 <3.11 || >= 4 <4.5",
      "NSWG-ECO-8 express@4.0.0-0 <3.11 || >= 4 <4.5",
      "NSWG-ECO-8 express@4.5.0-0 <3.11 || >= 4 <4.5",
    ]);
  });

  test("an advisory is known by every id it has", () => {
    const { aliases } = index!.claims("axios", "1.14.1").find(({ id }) => id === "MAL-2026-2307")!;
    expect(aliases).toContain("GHSA-fw8c-xr5c-95f9");
  });

  test("no part of a real record makes the reader throw when it is cut short", () => {
    const texts = sample(raw(), 500);
    for (const text of texts)
      for (let length = 0; length < text.length; length += 97)
        expect(readOsv(text.slice(0, length), "cut").advisory, text.slice(0, length)).toBeUndefined();
  });
});
