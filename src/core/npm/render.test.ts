/** The answer lists what the plan serves and nothing else, and what it lists is the upstream's bytes. */
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, dist, type Json, manifest, packument } from "../../../test/samples/packument.ts";
import { indexPackument, type PackumentIndex } from "./packument.ts";
import { renderManifest, renderPackument } from "./render.ts";
import type { RenderPlan } from "./summary.ts";

const PLAN: RenderPlan = {
  form: "full",
  withheld: [],
  tags: { latest: "1.0.0" },
  time: { "1.0.0": "2020-01-01T00:00:00.000Z" },
  tarballBase: "http://localhost:4870/p/site/npm/",
  attestationsBase: "http://localhost:4870/p/site/npm/",
};

function indexed(document: Buffer): PackumentIndex {
  const { index, reading } = indexPackument(document);
  if (!index) throw new Error(reading.kind === "unreadable" ? reading.reason : "no index");
  return index;
}

function body(index: PackumentIndex, plan: RenderPlan): string {
  const rendered = renderPackument(index, plan);
  const text = gunzipSync(rendered.gzip).toString();
  expect(rendered.length).toBe(Buffer.byteLength(text));
  return text;
}

// Spelled as no serialiser would, to show which bytes pass untouched: spacing, escapes, number forms, key order.
const SHA = dist("@s/n", "1.0.0");
const UPSTREAM = `{
  "_id": "@s/n", "_rev": "7-x", "name": "@s/n",
  "policyRestrictions": {"message": "not ours"}, "stagedVersions": {}, "_attachments": {},
  "dist-tags": {"latest": "1.0.1", "next": "9.9.9"},
  "versions": {
    "1.0.0": { "dist" : {"signatures":[{"sig":"MEU=","keyid":"SHA256:x"}], "tarball" :  "https:\\/\\/registry.test/@s/n/-/n-1.0.0.tgz",
      "unpackedSize": 1.20e3, "attestations":{"url":"https://registry.test/-/npm/v1/attestations/@s%2fn@1.0.0","provenance":{"predicateType":"p"}},
      "integrity":"${String(SHA["integrity"])}" },
      "version":"1.0.0", "name": "\\u0040s/n", "gypfile":true, "scripts": {"test": "x"}, "hasInstallScript": false,
      "_npmUser" : {"name":"m"}, "os":["linux"],"description":"\\u00e9é" },
    "1.0.1": ${JSON.stringify(manifest("@s/n", "1.0.1"))}
  },
  "readme": "# caf\\u00e9", "users": {"a": true, "a": false},
  "time": {"created": "2019-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "1.0.0": "2020-01-01T00:00:00Z", "1.0.1": "2026-01-01T00:00:00Z"}
}`;
const HELD: RenderPlan = {
  ...PLAN,
  withheld: ["1.0.1"],
  restrictions: { message: "cordon holds 1.0.1: young-release", versions: ["1.0.1"] },
};
const MANIFEST = `{ "dist" : {"signatures":[{"sig":"MEU=","keyid":"SHA256:x"}], "tarball" :  "http://localhost:4870/p/site/npm/@s/n/-/n-1.0.0.tgz",
      "unpackedSize": 1.20e3, "attestations":{"url":"http://localhost:4870/p/site/npm/-/npm/v1/attestations/@s%2fn@1.0.0","provenance":{"predicateType":"p"}},
      "integrity":"${String(SHA["integrity"])}" }`;
const REST = `"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":`;
const TIME = `"time":{"created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","1.0.0":"2020-01-01T00:00:00.000Z"}`;
const RESTRICTED = `"policyRestrictions":{"message":"cordon holds 1.0.1: young-release","versions":{"1.0.1":{"name":"@s/n","version":"1.0.1"}}}`;

test("the full form is the upstream's bytes, less what is withheld, with our URLs, times and restrictions", () => {
  expect(body(indexed(Buffer.from(UPSTREAM)), HELD)).toBe(
    `{"name":"@s/n","_id":"@s/n","_rev":"7-x","readme":"# caf\\u00e9",${REST}${MANIFEST},
      "version":"1.0.0", "name": "\\u0040s/n", "gypfile":true, "scripts": {"test": "x"}, "hasInstallScript": false,
      "_npmUser" : {"name":"m"}, "os":["linux"],"description":"\\u00e9é" }},${TIME},${RESTRICTED}}`,
  );
});

test("the abbreviated form keeps the documented fields and the publisher, and derives hasInstallScript", () => {
  expect(body(indexed(Buffer.from(UPSTREAM)), { ...HELD, form: "abbreviated" })).toBe(
    `{"name":"@s/n","modified":"2020-01-01T00:00:00.000Z",${REST}{${MANIFEST.slice(2)},"version":"1.0.0","name": "\\u0040s/n",` +
      `"_npmUser" : {"name":"m"},"os":["linux"],"hasInstallScript":true}},${TIME},${RESTRICTED}}`,
  );
});

test("npm's own picker falls back for a range and gives our reason for an exact pin", () => {
  const arborist = createRequire(createRequire(import.meta.url).resolve("@npmcli/arborist"));
  const pick = arborist("npm-pick-manifest") as (packument: unknown, wanted: string) => { version: string };
  for (const form of ["full", "abbreviated"] as const) {
    const answer: unknown = JSON.parse(body(indexed(Buffer.from(UPSTREAM)), { ...HELD, form }));
    for (const range of ["^1.0.0", "latest", "*", ">=1.0.0"]) expect(pick(answer, range).version, range).toBe("1.0.0");
    expect(() => pick(answer, "1.0.1")).toThrow("cordon holds 1.0.1: young-release");
    expect(() => pick(answer, "9.9.9")).toThrow("No matching version");
  }
});

test("one manifest is rendered alone; a problem or unknown version is not", () => {
  const broken = { ...manifest("@s/n", "1.0.2"), name: "other" };
  const index = indexed(Buffer.from(UPSTREAM.replace('"1.0.1":', `"1.0.2":${JSON.stringify(broken)},"1.0.1":`)));
  const json = Buffer.from(renderManifest(index, "1.0.0", PLAN)!).toString();
  expect(json.startsWith(MANIFEST)).toBe(true);
  expect(JSON.parse(json)).toMatchObject({ name: "@s/n", version: "1.0.0" });
  expect(renderManifest(index, "1.0.2", PLAN)).toBeUndefined();
  expect(renderManifest(index, "9.9.9", PLAN)).toBeUndefined();
});

test("the entity tag changes with the body and with nothing else", () => {
  const index = indexed(Buffer.from(UPSTREAM));
  const again = indexed(Buffer.from(UPSTREAM));
  const tag = (plan: RenderPlan, of = index): string => renderPackument(of, plan).etag;
  expect(tag(PLAN)).toMatch(/^"[\w-]{43}"$/);
  expect(tag(PLAN, again)).toBe(tag(PLAN));
  expect(renderPackument(again, PLAN).gzip).toEqual(renderPackument(index, PLAN).gzip);
  expect(tag({ ...PLAN, withheld: ["9.9.9"] })).toBe(tag(PLAN));
  for (const other of [
    { form: "abbreviated" },
    { tarballBase: "http://x.test/" },
    { time: { "1.0.0": "2020-01-02T00:00:00.000Z" } },
    { tags: {} },
  ] as const)
    expect(tag({ ...PLAN, ...other }), JSON.stringify(other)).not.toBe(tag(PLAN));
});

test("created and modified are the oldest and newest time served, so no withheld publish shows and none looks older than it is", () => {
  const document = packument(
    "n",
    ["1.0.0", "1.0.1", "1.0.2"].map((version) => manifest("n", version)),
  );
  const time = { "1.0.0": "2024-05-01T00:00:00.000Z", "1.0.1": "2021-01-01T00:00:00.000Z", "1.0.2": "2026-01-01T00:00:00.000Z" };
  const text = body(indexed(bytes(document)), { ...PLAN, withheld: ["1.0.2"], time, form: "abbreviated" });
  expect(JSON.parse(text)).toMatchObject({
    modified: "2024-05-01T00:00:00.000Z",
    time: { created: "2021-01-01T00:00:00.000Z", modified: "2024-05-01T00:00:00.000Z" },
  });
  expect(JSON.parse(body(indexed(bytes(document)), { ...PLAN, time: {} }))).toMatchObject({ versions: {}, time: {}, "dist-tags": {} });
});

test("any plan: versions, times and tags are exactly what is served, in both forms, with the upstream's digests", () => {
  const listed = ["0.9.0", "1.0.0", "1.0.1", "2.0.0-beta.1", "2.0.0", "3.0.0+build"];
  const document = packument(
    "@s/n",
    listed.map((version, at) => manifest("@s/n", version, { extra: "é".repeat(at), dist: dist("@s/n", version, { fileCount: at }) })),
    { readme: "x", description: { any: [1] } },
  );
  const upstream = document["versions"] as Record<string, { dist: Record<string, Json> }>;
  const index = indexed(bytes(document));
  const version = fc.constantFrom(...listed, "9.9.9");
  const plan = fc.record({
    form: fc.constantFrom("full" as const, "abbreviated" as const),
    withheld: fc.array(version),
    tags: fc.dictionary(fc.constantFrom("latest", "next", "constructor"), version),
    time: fc.dictionary(
      version,
      fc.date({ min: new Date(1.3e12), max: new Date(1.8e12), noInvalidDate: true }).map((date) => date.toISOString()),
    ),
    tarballBase: fc.webUrl().map((url) => `${url.replace(/\/$/, "")}/`),
    attestationsBase: fc.constant("http://a.test/"),
  });
  fc.assert(
    fc.property(plan, (any) => {
      const answer = JSON.parse(body(index, any)) as {
        versions: Record<string, { dist: Record<string, Json> }>;
        time: Record<string, string>;
        "dist-tags": Record<string, string>;
      };
      const served = listed.filter((one) => !any.withheld.includes(one) && Object.hasOwn(any.time, one));
      expect(Object.keys(answer.versions)).toEqual(served);
      const { created: _created, modified: _modified, ...times } = answer.time;
      expect(times).toEqual(Object.fromEntries(served.map((one) => [one, any.time[one]])));
      expect(answer["dist-tags"]).toEqual(Object.fromEntries(Object.entries(any.tags).filter(([, one]) => served.includes(one))));
      for (const one of served)
        expect(answer.versions[one]!.dist).toEqual({ ...upstream[one]!.dist, tarball: `${any.tarballBase}@s/n/-/n-${one}.tgz` });
    }),
  );
});
