/** A bad version is a problem and its siblings live; a bad document is unreadable; nothing is dropped silently and nothing throws. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, dist, type Json, manifest, packument } from "../../../test/samples/packument.ts";
import { LIMITS } from "../base/limits.ts";
import { readPackument } from "./packument.ts";
import type { PackumentSummary } from "./summary.ts";

function summary(document: Buffer, name = "axios"): PackumentSummary {
  const reading = readPackument(name, document);
  if (reading.kind === "unreadable") throw new Error(`${reading.reason} at ${reading.offset}`);
  return reading.summary;
}

/** axios 1.0.0 is fine; 1.0.1 is what the test makes of it. */
function beside(bad: Json, version = "1.0.1"): PackumentSummary {
  const document = packument("axios", [manifest("axios", "1.0.0")]);
  return summary(bytes({ ...document, versions: { ...(document["versions"] as Record<string, Json>), [version]: bad } }));
}

test("a packument becomes a summary: claims as written, nothing more", () => {
  const document = bytes(
    packument("axios", [
      manifest("axios", "1.13.0", { deprecated: "use 1.14" }),
      manifest("axios", "1.14.0", {
        dependencies: { "follow-redirects": "^1.15.0" },
        scripts: { postinstall: "node x" },
        deprecated: false,
      }),
    ]),
  );
  const { integrity, shasum, tarball } = dist("axios", "1.14.0");
  expect(summary(document)).toEqual({
    name: "axios",
    digest: createHash("sha256").update(document).digest("base64url"),
    bytes: document.length,
    tags: { latest: "1.14.0" },
    versions: [
      { ...dist("axios", "1.13.0"), version: "1.13.0", time: "2020-01-01T00:00:00.000Z", deprecated: "use 1.14" },
      {
        version: "1.14.0",
        integrity,
        shasum,
        tarball,
        time: "2020-01-02T00:00:00.000Z",
        requires: { "follow-redirects": "^1.15.0" },
        scripts: true,
      },
    ],
    problems: [],
    timed: true,
  });
});

const good = manifest("axios", "1.0.1");
const deep = JSON.parse(`${"[".repeat(LIMITS.jsonDepth)}1${"]".repeat(LIMITS.jsonDepth)}`) as Json;
const BAD_MANIFESTS: readonly (readonly [what: string, manifest: Json, reason: RegExp])[] = [
  ["not an object", 7, /not an object/],
  ["a list", [], /not an object/],
  ["null", null, /not an object/],
  ["another package's name", { ...good, name: "plain-crypto-js" }, /`name`/],
  ["no name", { version: "1.0.1", dist: good["dist"]! }, /`name`/],
  ["a name that is no string", { ...good, name: ["axios"] }, /`name` is not a string/],
  ["another version inside", { ...good, version: "1.0.0" }, /`version`/],
  ["no dist", { name: "axios", version: "1.0.1" }, /no `dist.tarball`/],
  ["a dist that is no object", { ...good, dist: "x" }, /`dist` is not an object/],
  ["no tarball", { ...good, dist: { shasum: "0".repeat(40) } }, /no `dist.tarball`/],
  ["a tarball that is no string", { ...good, dist: dist("axios", "1.0.1", { tarball: 1 }) }, /`dist.tarball` is not a string/],
  ["a tarball without http", { ...good, dist: dist("axios", "1.0.1", { tarball: "file:///x.tgz" }) }, /not an http/],
  [
    "a tarball name with an encoded slash",
    { ...good, dist: dist("axios", "1.0.1", { tarball: "https://r.test/axios/-/a%2fx.tgz" }) },
    /plain file name/,
  ],
  ["no digest at all", { ...good, dist: { tarball: "https://r.test/axios/-/x.tgz" } }, /neither/],
  ["an empty digest", { ...good, dist: dist("axios", "1.0.1", { integrity: "", shasum: "" }) }, /neither/],
  ["a broken shasum", { ...good, dist: dist("axios", "1.0.1", { shasum: "a" }) }, /40 hexadecimal/],
  ["a broken integrity", { ...good, dist: dist("axios", "1.0.1", { integrity: "sha512-abc" }) }, /malformed/],
  ["an unknown algorithm only", { ...good, dist: { tarball: "https://r.test/x.tgz", integrity: "md5-AAAA" } }, /no known algorithm/],
  [
    "two digests of one algorithm",
    {
      ...good,
      dist: dist("axios", "1.0.1", {
        integrity: `${String(dist("axios", "1.0.1")["integrity"])} ${String(dist("axios", "9.9.9")["integrity"])}`,
      }),
    },
    /two digests/,
  ],
  [
    "sha1 digests that disagree",
    { ...good, dist: dist("axios", "1.0.1", { integrity: `sha1-${Buffer.alloc(20).toString("base64")}` }) },
    /different sha1/,
  ],
  ["attestations that are no object", { ...good, dist: dist("axios", "1.0.1", { attestations: "x" }) }, /attestations/],
  ["an attestation URL that is no string", { ...good, dist: dist("axios", "1.0.1", { attestations: { url: {} } }) }, /attestations.url/],
  ["dependencies that are a list", { ...good, dependencies: ["x"] }, /`dependencies` is not an object/],
  ["a dependency that is no string", { ...good, dependencies: { x: { version: "1" } } }, /`dependencies` is not a map/],
  ["optional dependencies that are text", { ...good, optionalDependencies: "x" }, /`optionalDependencies`/],
  ["a peer that is a number", { ...good, peerDependencies: { x: 1 } }, /`peerDependencies`/],
  ["a deprecation that is an object", { ...good, deprecated: {} }, /`deprecated`/],
  ["too deep", { ...good, x: deep }, /nested more than 200 deep/],
  ["too large", { ...good, x: "x".repeat(LIMITS.manifestBytes) }, /larger than 2000000 bytes/],
];
for (const [what, bad, reason] of BAD_MANIFESTS)
  test(`a version with ${what} is a problem; its sibling lives`, () => {
    const { versions, problems } = beside(bad);
    expect(versions.map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(problems).toEqual([{ version: "1.0.1", reason: expect.stringMatching(reason) as string }]);
  });

test("a key that is not SemVer is a problem", () => {
  for (const key of ["latest", "v1.0.1", "1.0", "01.0.1", "constructor", "", " 1.0.1", "../1.0.1", `1.0.1-${"x".repeat(300)}`])
    expect(beside({ ...good, version: key }, key).problems, key).toEqual([{ version: key, reason: "its key is not a SemVer version" }]);
});

/** Bytes `JSON.stringify` cannot write. */
function written(versions: string, rest = `"dist-tags":{"latest":"1.0.0"}`): Buffer {
  return Buffer.from(`{"name":"axios",${rest},"versions":{"1.0.0":${JSON.stringify(manifest("axios", "1.0.0"))},${versions}}}`);
}
const goodText = JSON.stringify(good);

test("keys given twice inside a manifest, in any spelling, are that version's problem", () => {
  for (const [twice, key] of [
    [goodText.replace('{"name"', '{"name":"x","name"'), "name"],
    [goodText.replace('"dist"', String.raw`"dis\u0074":{},"dist"`), "dist"],
    [goodText.replace('"tarball"', '"tarball":"https://evil.test/x.tgz","tarball"'), "tarball"],
    [goodText.replace('"dist"', '"x":[{"y":1,"y":2}],"dist"'), "y"],
  ] as const)
    expect(summary(written(`"1.0.1":${twice}`)).problems, key).toEqual([
      { version: "1.0.1", reason: `key "${key}" given twice in its manifest` },
    ]);
});

test("__proto__ is a problem as a version and inside one", () => {
  expect(summary(written(`"__proto__":${goodText}`)).problems).toEqual([
    { version: "__proto__", reason: "its key is not a SemVer version" },
  ]);
  const inside = goodText.replace('"dist"', '"dependencies":{"__proto__":"1"},"dist"');
  expect(summary(written(`"1.0.1":${inside}`)).problems).toEqual([{ version: "1.0.1", reason: 'key "__proto__" in its manifest' }]);
});

test("a version listed twice is a problem once, and its sibling lives", () => {
  const { versions, problems } = summary(written(String.raw`"1.0.1":${goodText},"1.0.\u0031":${goodText}`));
  expect(problems).toEqual([{ version: "1.0.1", reason: "it is listed twice" }]);
  expect(versions).toHaveLength(1);
});

test("a publish time given twice makes its version a problem", () => {
  const { problems } = summary(written(`"1.0.1":${goodText}`, `"time":{"1.0.1":"2020-01-01T00:00:00Z","1.0.1":"2019-01-01T00:00:00Z"}`));
  expect(problems).toEqual([{ version: "1.0.1", reason: "its publish time is given twice" }]);
});

test("two versions that claim one tarball file are both problems", () => {
  const shared = dist("axios", "1.0.1", { tarball: "https://other.test/axios-1.0.0.tgz" });
  const { versions, problems } = beside({ ...good, dist: shared });
  expect(versions).toEqual([]);
  expect(problems.map(({ version }) => version)).toEqual(["1.0.0", "1.0.1"]);
});

test("a document that cannot be trusted as a whole is unreadable, and says why and where", () => {
  const whole = bytes(packument("axios", [manifest("axios", "1.0.0")])).toString();
  const cases: Record<string, readonly [document: string | Buffer, reason: RegExp, offset?: number]> = {
    empty: ["", /ends too early/, 0],
    "cut short": [whole.slice(0, 40), /ends too early/, 40],
    "not JSON": ["<html>", /expected a value/, 0],
    "with something behind": [`${whole}x`, /something follows/, whole.length],
    "not UTF-8": [Buffer.concat([Buffer.from(whole.slice(0, -1)), Buffer.from([0xff, 0x7d])]), /not UTF-8/, whole.length - 1],
    "with a byte order mark": [`\ufeff${whole}`, /byte order mark/, 0],
    "a list": ["[]", /not a JSON object/, 0],
    null: ["null", /not a JSON object/, 0],
    "another package": [whole.replace('"axios"', '"axi0s"'), /about axi0s, not axios/],
    nameless: [whole.replace('"name":"axios",', ""), /`name` is missing/],
    "with a name that is none": [whole.replace('"name":"axios"', '"name":"../axios"'), /`name`/],
    "without versions": ['{"name":"axios"}', /no `versions`/],
    "with versions as a list": ['{"name":"axios","versions":[]}', /`versions` is not an object/, 27],
    "with tags as text": ['{"name":"axios","dist-tags":"x","versions":{}}', /`dist-tags` is not an object/],
    "with time as a list": ['{"name":"axios","time":[],"versions":{}}', /`time` is not an object/],
    "with a tag that is no text": ['{"name":"axios","dist-tags":{"latest":1},"versions":{}}', /dist-tag "latest" is not a string/],
    "with a tag twice": ['{"name":"axios","dist-tags":{"a":"1","a":"2"},"versions":{}}', /dist-tag "a" is given twice/],
    "with a tag named __proto__": ['{"name":"axios","dist-tags":{"__proto__":"1"},"versions":{}}', /cannot be one/],
    "with two names": ['{"name":"axios","versions":{},"name":"axios"}', /`name` is given twice/, 30],
    "with two versions fields": [String.raw`{"name":"axios","versions":{},"version\u0073":{}}`, /`versions` is given twice/],
  };
  for (const [what, [document, reason, offset]] of Object.entries(cases)) {
    const reading = readPackument("axios", Buffer.from(document as string));
    expect(reading, what).toMatchObject({ kind: "unreadable", reason: expect.stringMatching(reason) as string });
    if (offset !== undefined) expect(reading, what).toMatchObject({ offset });
  }
});

test("every ceiling refuses the document", () => {
  const document = bytes(
    packument("axios", [manifest("axios", "1.0.0"), manifest("axios", "1.0.1")], { "dist-tags": { latest: "1.0.1", next: "1.0.1" } }),
  );
  const limits = { packumentBytes: document.length, packumentVersions: 2, packumentTags: 2 };
  expect(readPackument("axios", document, limits).kind).toBe("packument");
  for (const [limit, reason] of [
    ["packumentBytes", /larger than/],
    ["packumentVersions", /more than 1 versions/],
    ["packumentTags", /more than 1 dist-tags/],
  ] as const)
    expect(readPackument("axios", document, { ...limits, [limit]: limits[limit] - 1 })).toMatchObject({
      kind: "unreadable",
      reason: expect.stringMatching(reason) as string,
    });
});

test("200 MB are refused unread, 100,000 versions and 10 MB of nesting as soon as they are seen", () => {
  expect(readPackument("axios", Buffer.allocUnsafe(LIMITS.packumentBytes + 1))).toMatchObject({ reason: "larger than 200000000 bytes" });
  const many = Array.from({ length: 100_000 }, (_, index) => `"0.0.${index}":{}`).join(",");
  expect(readPackument("axios", Buffer.from(`{"name":"axios","versions":{${many}}}`))).toMatchObject({
    reason: "more than 50000 versions",
  });
  expect(readPackument("axios", Buffer.alloc(10_000_000, "["))).toMatchObject({ kind: "unreadable" });
});

test("one version nested a million deep is a problem, and its sibling lives", () => {
  const { versions, problems } = summary(written(`"1.0.1":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`));
  expect(problems).toHaveLength(1);
  expect(versions).toHaveLength(1);
});

test("a tag on a version that is not listed, or on a problem, stays as claimed", () => {
  const document = packument("axios", [manifest("axios", "1.0.0")], { "dist-tags": { latest: "9.9.9", odd: "not a version" } });
  expect(summary(bytes(document)).tags).toEqual({ latest: "9.9.9", odd: "not a version" });
});

test("mirrors' times are kept as written, whatever they are", () => {
  const time = { created: "x", "1.0.0": "2026-03-29T08:50:05.148000+00:00", "1.0.1": 1_700_000_000 };
  const read = summary(bytes(packument("axios", [manifest("axios", "1.0.0"), good, manifest("axios", "1.0.2")], { time })));
  expect(read.versions.map((version) => version.time)).toEqual(["2026-03-29T08:50:05.148000+00:00", "1700000000", undefined]);
  expect(read.timed).toBe(true);
});

test("a document whose times are missing or unusable says that it has none", () => {
  for (const time of [{}, { created: "2020-01-01T00:00:00Z" }, { "1.0.0": "yesterday" }, { "9.9.9": "2020-01-01T00:00:00Z" }])
    expect(summary(bytes(packument("axios", [manifest("axios", "1.0.0")], { time }))).timed, JSON.stringify(time)).toBe(false);
});

test("an unpublished package is a summary that says so", () => {
  const time = {
    created: "2015-07-31T03:43:17.076Z",
    "1.0.4": "2015-07-31T03:43:17.076Z",
    unpublished: { name: "n", time: "2015-07-31T03:52:16.267Z", versions: ["1.0.4"] },
  };
  expect(summary(bytes({ name: "axios", time }))).toMatchObject({ versions: [], unpublished: "2015-07-31T03:52:16.267Z" });
  expect(summary(bytes(packument("axios", [manifest("axios", "1.0.0")], { time })))).not.toHaveProperty("unpublished");
});

/** What `requires` says of a manifest with these maps. */
function requires(maps: Record<string, Json>): unknown {
  return summary(bytes(packument("axios", [manifest("axios", "1.0.0", maps)]))).versions[0]!.requires;
}

test("an install needs dependencies, exact optional ones and peers not marked optional, less what is bundled", () => {
  expect(
    requires({
      dependencies: { a: "^1", b: "~2", bundled: "1", opt: "^1" },
      optionalDependencies: { opt: "^1", exact: "1.0.0", "@s/exact": "npm:real@2.0.0" },
      peerDependencies: { peer: ">=1", maybe: "1", a: "2" },
      peerDependenciesMeta: { maybe: { optional: true } },
      devDependencies: { dev: "1" },
      bundleDependencies: ["bundled"],
    }),
  ).toEqual({ a: "^1", b: "~2", exact: "1.0.0", real: "2.0.0", peer: ">=1" });
  expect(requires({ dependencies: { a: "1" }, bundledDependencies: true })).toBeUndefined();
  expect(requires({ dependencies: null, peerDependencies: {} })).toBeUndefined();
});

test("specs no registry answers stay as given; an alias requires its target, and none is lost when both are needed", () => {
  const specs = { g: "github:u/r", u: "https://h.test/x.tgz", f: "file:../x", w: "workspace:*", constructor: "^1" };
  expect(requires({ dependencies: specs })).toEqual(specs);
  const both = requires({ dependencies: { "width-cjs": "npm:width@^4", width: "^5", old: "npm:other@1" } });
  expect(both).toEqual({ width: "^5", "width-cjs": "npm:width@^4", other: "1" });
});

const runs = (extra: Record<string, Json>) => summary(bytes(packument("axios", [manifest("axios", "1.0.0", extra)]))).versions[0]!.scripts;

test("whatever runs at install is seen, whatever does not is not", () => {
  for (const extra of [
    { scripts: { preinstall: "x" } },
    { scripts: { install: "x" } },
    { gypfile: true },
    { hasInstallScript: true },
    { hasInstallScript: 1 },
  ])
    expect(runs(extra), JSON.stringify(extra)).toBe(true);
  for (const extra of [
    { scripts: { test: "x", prepare: "x" } },
    { scripts: { install: "" } },
    { scripts: [] },
    { gypfile: false },
    { hasInstallScript: null },
  ])
    expect(runs(extra), JSON.stringify(extra)).toBeUndefined();
});

test("a damaged packument never throws, and every version it still lists is a version or a problem", () => {
  const manifests = ["1.0.0", "1.0.1", "2.0.0-beta.1"].map((version) =>
    manifest("axios", version, { dependencies: { a: "^1" }, bin: { x: "y" }, _npmUser: { name: "n" }, engines: null }),
  );
  const document = bytes(packument("axios", manifests, { readme: "# axios", maintainers: [{ name: "m" }] }));
  const edit = fc.record({
    at: fc.nat(document.length),
    drop: fc.nat(12),
    put: fc.oneof(fc.constantFrom('"', "{", "}", ",", "null", "1", "[]", '"x":1,'), fc.string()),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let damaged: Buffer = document;
      for (const { at, drop, put } of edits)
        damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from(put), damaged.subarray(at + drop)]);
      const reading = readPackument("axios", damaged);
      if (reading.kind === "unreadable") return;
      const listed = Object.keys((JSON.parse(damaged.toString()) as { versions: object }).versions);
      const { versions, problems } = reading.summary;
      expect([...versions, ...problems].map(({ version }) => version).sort()).toEqual(listed.sort());
    }),
    { numRuns: 3_000 },
  );
});

test("any JSON in place of any field is a reading, never an exception", () => {
  const fields = [
    "name",
    "version",
    "dist",
    "dependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bundleDependencies",
    "scripts",
    "deprecated",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
      const { versions, problems } = beside({ ...good, [field]: value as Json });
      expect(versions.length + problems.length).toBe(2);
      expect(versions[0]!.version).toBe("1.0.0");
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom("name", "versions", "time", "dist-tags", "readme", "_id"), fc.jsonValue(), (field, value) => {
      const reading = readPackument("axios", bytes({ ...packument("axios", [manifest("axios", "1.0.0")]), [field]: value as Json }));
      expect(["packument", "unreadable"]).toContain(reading.kind);
    }),
  );
});
