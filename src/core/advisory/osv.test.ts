import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../base/time.ts";
import { readOsv } from "./osv.ts";

const AXIOS = {
  schema_version: "1.7.4",
  id: "MAL-2026-2307",
  modified: "2026-04-07T14:41:20Z",
  published: "2026-03-31T03:15:49Z",
  aliases: ["GHSA-fw8c-xr5c-95f9"],
  related: ["GHSA-not-an-alias"],
  upstream: ["CVE-2026-1"],
  summary: "Malicious code in axios (npm)\u001b[31m",
  affected: [{ package: { ecosystem: "npm", name: "axios" }, versions: ["0.30.4", "1.14.1"] }],
  database_specific: {
    "malicious-packages-origins": [
      { source: "ghsa-malware", versions: ["1.14.1"] },
      { source: "amazon-inspector", versions: ["1.14.1"] },
      { source: "ghsa-malware", versions: ["0.30.4"] },
    ],
  },
};

test("a record becomes what matching and weighing need, and nothing else", () => {
  expect(readOsv(JSON.stringify(AXIOS), "feed line 1")).toEqual({
    advisory: {
      id: "MAL-2026-2307",
      aliases: ["CVE-2026-1", "GHSA-fw8c-xr5c-95f9"],
      kind: "malware",
      origins: ["amazon-inspector", "ghsa-malware"],
      modified: instant(Date.parse("2026-04-07T14:41:20Z")),
      summary: "Malicious code in axios (npm)[31m",
      affected: [{ name: "axios", versions: ["0.30.4", "1.14.1"], ranges: [], integrities: [] }],
    },
  });
});

test("malware is what says so by id, alias or weakness, or what a feed is configured to claim", () => {
  const bare = { id: "X-1", affected: AXIOS.affected };
  const kind = (record: object, claims?: "malware") => readOsv(record, "feed", claims ? { claims } : {}).advisory?.kind;
  expect(kind(bare)).toBe("vulnerability");
  expect(kind(bare, "malware")).toBe("malware");
  expect(kind({ ...bare, aliases: ["MAL-2026-1"] })).toBe("malware");
  expect(kind({ ...bare, database_specific: { cwe_ids: ["CWE-79", "CWE-506"] } })).toBe("malware");
  expect(kind({ ...bare, affected: [{ ...AXIOS.affected[0], database_specific: { cwes: [{ cweId: "CWE-506" }] } }] })).toBe("malware");
  expect(readOsv({ ...bare, database_specific: { severity: "MEDIUM" } }, "feed").advisory?.severity).toBe("moderate");
});

test.each([
  ["", "it is not JSON"],
  ["{", "it is not JSON"],
  ['"text"', "it is no OSV record: not a JSON object"],
  ["[]", "it is no OSV record: not a JSON object"],
  ["{}", "it has no usable id"],
  ['{"id":"MAL 1"}', "it has no usable id"],
  ['{"id":"MAL-1"}', '"affected" is no list'],
  ['{"id":"MAL-1","affected":[{}]}', "an affected entry names no package"],
  ['{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm"}}]}', "an affected package has no usable name"],
  // A.3.6: a data error, not a match.
  ['{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":[],"ranges":[]}]}', "it names no version of a"],
])("%j is a problem that names the source: %s", (text, reason) => {
  const { advisory, problem } = readOsv(text, "feed.ndjson line 7");
  expect(advisory).toBeUndefined();
  expect(problem?.source).toBe("feed.ndjson line 7");
  expect(problem?.reason).toContain(reason);
});

test("a bad part is told, and the rest of the record counts", () => {
  const npm = (more: object) => ({ package: { ecosystem: "npm", name: "a" }, ...more });
  const { advisory, problem } = readOsv(
    {
      id: "MAL-1",
      withdrawn: "yesterday",
      affected: [
        npm({
          versions: ["1.0.0"],
          ranges: [
            { type: "SEMVER", events: [{ introduced: "abc" }] },
            { type: "ODD", events: [] },
          ],
        }),
      ],
    },
    "feed",
  );
  expect(advisory?.affected).toEqual([{ name: "a", versions: ["1.0.0"], ranges: [], integrities: [] }]);
  // A withdrawal that cannot be read lifts nothing.
  expect(advisory?.withdrawn).toBeUndefined();
  expect(problem).toEqual({ source: "feed", id: "MAL-1", reason: "a range of a cannot be read, and 2 more" });
});

test("other ecosystems are no mistake, and a suffix of npm's is npm", () => {
  const of = (ecosystem: string) => ({ id: "X-1", affected: [{ package: { ecosystem, name: "a" }, versions: ["1.0.0"] }] });
  expect(readOsv(of("PyPI"), "feed")).toEqual({});
  expect(readOsv(of("npm:alpha"), "feed").advisory?.id).toBe("X-1");
  expect(readOsv(of("NPM"), "feed")).toEqual({});
});

test("property: never throws, whatever it is given", () => {
  const odd = fc.jsonValue({ maxDepth: 4 });
  const keys = ["id", "aliases", "upstream", "withdrawn", "modified", "summary", "affected", "database_specific"] as const;
  const record = fc.record(Object.fromEntries(keys.map((key) => [key, odd])), { requiredKeys: [] });
  const shaped = fc.record({
    id: fc.constant("MAL-1"),
    affected: fc.array(
      fc.record(
        {
          package: fc.constant({ ecosystem: "npm", name: "a" }),
          versions: odd,
          ranges: fc.oneof(odd, fc.array(fc.record({ type: fc.constant("SEMVER"), events: odd }))),
          database_specific: odd,
        },
        { requiredKeys: [] },
      ),
    ),
    database_specific: odd,
  });
  fc.assert(
    fc.property(fc.oneof(record, shaped, fc.string(), odd), (value) => {
      const { advisory, problem } = readOsv(value, "feed");
      if (problem) expect(problem.source).toBe("feed");
      for (const { versions, ranges, integrities } of advisory?.affected ?? [])
        expect(versions.length + ranges.length + integrities.length).toBeGreaterThan(0);
    }),
  );
});
