/** Documents made to break a reader: a bad version is withheld and named while its siblings are served; a bad document is one clear refusal. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import type { Fault } from "../kit/fixture/faults.ts";
import { openGate } from "./open.ts";

const DIGEST = "sha512-kfCsuXEyvmC5rSzKTB7eHoBhDAxfTGLHOGJ/ES+wzsqNjt3dLVw8zbfh7rfOlRkFhfNHRzDeeHXIJtzdfHbjVA==";

/** A manifest as a registry would send it; `more` is laid over it. */
function manifest(version: string, more: Record<string, unknown> = {}): string {
  const dist = { integrity: DIGEST, tarball: `https://registry.test/bad/-/bad-${version}.tgz` };
  return JSON.stringify({ name: "bad", version, dist, ...more });
}

/** A packument as text, so that it can hold what no object can: repeated keys, `__proto__`, half a document. */
function packument(versions: readonly (readonly [key: string, json: string])[], more = ""): string {
  const all = [["1.0.0", manifest("1.0.0")] as const, ...versions];
  const members = all.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(",");
  const time = [...new Set(all.map(([key]) => `${JSON.stringify(key)}:"2025-01-01T00:00:00Z"`))].join(",");
  return `{"name":"bad","dist-tags":{"latest":${JSON.stringify(all.at(-1)![0])}},"versions":{${members}},"time":{${time}}${more}}`;
}

function nested(depth: number): string {
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
}

const BAD_VERSIONS: readonly (readonly [what: string, version: string, json: string, reason: RegExp])[] = [
  ["a version that is no SemVer", "1.2", manifest("1.2"), /not.*version/i],
  ["a version with a leading v", "v1.1.0", manifest("v1.1.0"), /not.*version/i],
  ["a version of 300 characters", `1.1.0-${"x".repeat(300)}`, manifest(`1.1.0-${"x".repeat(300)}`), /version|long/i],
  ["a version that is a path", "../1.1.0", manifest("../1.1.0"), /not.*version/i],
  ["a version called __proto__", "__proto__", manifest("__proto__"), /not.*version|proto/i],
  ["a key that is not its version", "1.1.0", manifest("1.2.0"), /version/],
  ["another package's name", "1.1.0", manifest("1.1.0", { name: "other" }), /name/],
  ["no name", "1.1.0", manifest("1.1.0", { name: undefined }), /name/],
  ["no dist", "1.1.0", manifest("1.1.0", { dist: undefined }), /dist|tarball|digest|integrity/],
  ["a dist that is a list", "1.1.0", manifest("1.1.0", { dist: [] }), /dist/],
  ["no digest", "1.1.0", manifest("1.1.0", { dist: { tarball: "https://registry.test/bad/-/bad-1.1.0.tgz" } }), /integrity|digest|shasum/],
  [
    "a digest that is a number",
    "1.1.0",
    manifest("1.1.0", { dist: { integrity: 5, tarball: "https://registry.test/bad/-/bad-1.1.0.tgz" } }),
    /integrity/,
  ],
  [
    "a digest that says nothing",
    "1.1.0",
    manifest("1.1.0", { dist: { integrity: "sha512-AAAA", tarball: "https://registry.test/bad/-/bad-1.1.0.tgz" } }),
    /integrity/,
  ],
  [
    "a tarball elsewhere in the tree",
    "1.1.0",
    manifest("1.1.0", { dist: { integrity: DIGEST, tarball: "https://registry.test/bad/-/..%2f..%2fx.tgz" } }),
    /tarball/,
  ],
  ["a tarball that is a file", "1.1.0", manifest("1.1.0", { dist: { integrity: DIGEST, tarball: "file:///etc/passwd" } }), /tarball/],
  [
    "a tarball with credentials",
    "1.1.0",
    manifest("1.1.0", { dist: { integrity: DIGEST, tarball: "https://a:b@registry.test/bad/-/bad-1.1.0.tgz" } }),
    /tarball/,
  ],
  [
    "a tarball name in another script",
    "1.1.0",
    manifest("1.1.0", { dist: { integrity: DIGEST, tarball: "https://registry.test/bad/-/bаd-1.1.0.tgz" } }),
    /tarball/,
  ],
  [
    "the tarball of its sibling",
    "1.1.0",
    manifest("1.1.0", { dist: { integrity: DIGEST, tarball: "https://registry.test/bad/-/bad-1.1.1.tgz" } }) +
      `,"1.1.1":${manifest("1.1.1")}`,
    /same tarball/,
  ],
  ["dependencies that are text", "1.1.0", manifest("1.1.0", { dependencies: "evil" }), /dependencies/],
  ["a dependency that is a number", "1.1.0", manifest("1.1.0", { dependencies: { evil: 5 } }), /dependenc/],
  ["dependencies on __proto__", "1.1.0", manifest("1.1.0").replace("{", '{"dependencies":{"__proto__":"1.0.0"},'), /proto|dependenc/],
  ["a manifest that is text", "1.1.0", '"hello"', /object/],
  ["a manifest that is null", "1.1.0", "null", /object/],
  ["two names", "1.1.0", manifest("1.1.0").replace("{", '{"name":"other",'), /twice|duplicate|repeated|given/i],
  ["two digests", "1.1.0", manifest("1.1.0").replace('"dist":{', '"dist":{"integrity":"sha512-other",'), /twice|duplicate|repeated|given/i],
  ["a key that an escape repeats", "1.1.0", manifest("1.1.0").replace("{", '{"\\u006eame":"other",'), /twice|duplicate|repeated|given/i],
  ["a manifest 1,000 levels deep", "1.1.0", manifest("1.1.0").replace("{", `{"deep":${nested(1_000)},`), /deep|nest/i],
  ["a manifest of 3 MB", "1.1.0", manifest("1.1.0", { readme: "x".repeat(3_000_000) }), /large|bytes/],
  ["itself twice", "1.1.0", `${manifest("1.1.0")},"1.1.0":${manifest("1.1.0")}`, /twice/],
];

const BAD_DOCUMENTS: readonly (readonly [what: string, fault: Fault, reason: RegExp])[] = [
  ["half a document", { body: packument([]).slice(0, 200) }, /cut|not JSON/],
  ["half a document that ends in a brace", { body: `${packument([]).slice(0, 120)}}` }, /not JSON/],
  ["nothing", { body: "" }, /no JSON object/],
  ["a list", { body: "[]" }, /no JSON object/],
  ["text", { body: '"bad"' }, /no JSON object/],
  ["a web page", { html: true }, /web page/],
  ["no versions", { body: '{"name":"bad"}' }, /no `versions`/],
  ["versions that are a list", { body: '{"name":"bad","versions":[]}' }, /`versions` is not an object/],
  ["versions twice", { body: packument([], ',"versions":{}') }, /`versions` is given twice/],
  ["tags that are text", { body: '{"name":"bad","versions":{},"dist-tags":"latest"}' }, /`dist-tags` is not an object/],
  ["a tag that is a number", { body: '{"name":"bad","versions":{},"dist-tags":{"latest":1}}' }, /not a string/],
  ["a tag twice", { body: '{"name":"bad","versions":{},"dist-tags":{"latest":"1.0.0","latest":"1.0.1"}}' }, /given twice/],
  ["a tag called __proto__", { body: '{"name":"bad","versions":{},"dist-tags":{"__proto__":"1.0.0"}}' }, /cannot be one/],
  ["times that are text", { body: packument([]).replace(/"time":\{[^}]*\}/, '"time":"now"') }, /`time` is not an object/],
  ["another package", { body: packument([]).replace('"name":"bad"', '"name":"good"') }, /it is about good, not bad/],
  ["a name that is a path", { body: packument([]).replace('"name":"bad"', '"name":"../bad"') }, /not a package name/],
  ["a name that is a list", { body: packument([]).replace('"name":"bad"', '"name":["bad"]') }, /not a package name/],
  [
    "bytes that are no UTF-8",
    { body: Buffer.concat([Buffer.from('{"name":"bad","x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]) },
    /UTF-8|not JSON/,
  ],
  ["100,000 versions", { body: manyVersions(100_000) }, /more than 50000 versions/],
  ["300 MB, announced", { body: "{}", noGzip: true, headers: { "content-length": "300000000" } }, /more than 200000000 bytes/],
  ["an encoding nobody asked for", { body: packument([]), noGzip: true, headers: { "content-encoding": "br" } }, /encoding br/],
];

function manyVersions(count: number): string {
  return packument(Array.from({ length: count }, (_, n) => [`1.0.${n + 1}`, "{}"] as const));
}

/** Cases that take their time: asked by one route only. */
const SLOW = /^half a document$|100,000/;

/** The texts above are about `bad`; each case has a package of its own, so that none inherits another's history. */
function renamed(text: string, name: string): string {
  return text.replaceAll(/\bbad\b/g, name);
}

// One gate for all cases of a test: what one document did must not show in the next.
test("a bad version is withheld and named, and its siblings are served", async () => {
  const { fixture, get, product } = await openGate();
  for (const [n, [what, version, json, reason]] of BAD_VERSIONS.entries()) {
    const name = `bad${n}`;
    // A tag too long to be one is another matter.
    const body = renamed(packument([[version, json]]), name).replace(/"latest":"[^"]{257,}"/, '"latest":"1.0.0"');
    fixture.faults.add({ route: "packument", name }, { body });
    const answer = await get(`/${name}`);
    expect(answer.status, what).toBe(200);
    const { versions, "dist-tags": tags } = JSON.parse(answer.body.toString()) as { versions: object; "dist-tags": object };
    expect(Object.keys(versions), what).toEqual(["1.0.0"]);
    expect(tags, what).toEqual({ latest: "1.0.0" });
    expect((await get(`/${name}/-/${name}-1.1.0.tgz`)).status, what).toBe(403);
    expect((await get(`/${name}/1.0.0`)).status, what).toBe(200);
    const told = await product.cordon(["why", `${name}@${version}`, "--json"]);
    const report = JSON.parse(told.stdout) as { schema: string; signals?: { id: string; evidence: { text: string }[] }[] };
    // A version that could not even be typed is not asked about by name.
    if (report.schema === "cordon.error/1") continue;
    const malformed = report.signals!.find(({ id }) => id === "malformed-version");
    expect(malformed?.evidence.map(({ text }) => text).join("; "), what).toMatch(reason);
  }
  // Old releases nobody can read are no news.
  expect((await product.cordon(["held"])).stdout).not.toContain("malformed-version left out");
});

test("a bad document is one clear refusal, nothing of it is kept, and a good one is served right after", async () => {
  const { fixture, gate, get, product } = await openGate();
  const stored = (): number =>
    readdirSync(join(product.data, "packuments"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".gz")).length;
  for (const [n, [what, fault, reason]] of BAD_DOCUMENTS.entries()) {
    const name = `bad${n}`;
    const before = stored();
    const { body } = fault;
    const mend = fixture.faults.add(
      { route: "packument", name },
      { ...fault, ...(typeof body === "string" ? { body: renamed(body, name) } : {}) },
    );
    const expected = new RegExp(renamed(reason.source, name), reason.flags);
    for (const path of [`/${name}`, `/${name}/-/${name}-1.0.0.tgz`, `/${name}/1.0.0`, `/-/package/${name}/dist-tags`].slice(
      0,
      SLOW.test(what) ? 1 : 4,
    )) {
      const answer = await get(path);
      // Half a document is tried again, and is then an outage; everything else will be no better in a minute, and clients must not try.
      expect(answer.status, `${what}: ${path}`).toBe(/^half a document$/.test(what) ? 503 : 403);
      expect(answer.body.toString(), `${what}: ${path}`).toMatch(expected);
      fixture.clock.advance("1m");
    }
    expect(stored(), what).toBe(before);
    expect(await gate.app.knowledge.recall(name), what).toBeUndefined();
    mend();
    const good = fixture.faults.add({ route: "packument", name }, { body: renamed(packument([]), name) });
    expect((await get(`/${name}`)).status, what).toBe(200);
    await expect.poll(stored).toBe(before + 1);
    good();
    fixture.clock.advance("1m");
  }
  const kinds = await gate.app.ledger.tail({ limit: 1_000, kinds: ["refuse"] });
  expect(kinds.every(({ entry }) => "signals" in entry && entry.signals.length > 0)).toBe(true);
});

test("a small answer that unpacks to 200 MB and more is given up at the ceiling", async () => {
  const { fixture, get } = await openGate();
  const bomb = gzipSync(Buffer.alloc(LIMITS.packumentBytes + 1_000_000, " "), { level: 1 });
  expect(bomb.byteLength).toBeLessThan(1_500_000);
  fixture.faults.add({ route: "packument", name: "bad" }, { body: bomb, noGzip: true, headers: { "content-encoding": "gzip" } });
  expect(await get("/bad")).toMatchObject({ status: 403, reason: expect.stringContaining("more than 200000000 bytes") });
  expect((await get("/axios")).status).toBe(200);
});

test("what a document says beside its versions is passed on only where every client reads it the same", async () => {
  const { fixture, get } = await openGate();
  const more = `,"readme":${nested(1_000)},"description":"one","description":"two","license":"MIT","policyRestrictions":{"message":"install evil instead","versions":{}},"stagedVersions":{"versions":{"9.9.9":{}}},"__proto__":{"license":"none"},"constructor":{"prototype":{}}`;
  fixture.faults.add({ route: "packument", name: "bad" }, { body: packument([], more) });
  const document = JSON.parse((await get("/bad")).body.toString()) as Record<string, unknown>;
  expect(Object.keys(document).sort()).toEqual(["dist-tags", "license", "name", "time", "versions"]);
});

test("text from a package never moves a cursor or splits a header", async () => {
  const { fixture, get, product } = await openGate();
  const evil = "gone\u001b[2J\u202e\r\nx-evil: 1";
  fixture.faults.add(
    { route: "packument", name: "bad" },
    {
      body: packument([["1.1.0", manifest("1.1.0", { deprecated: evil, dependencies: { [evil]: "1.0.0" } })]]).replace(
        '"1.1.0":"2025-01-01T00:00:00Z"',
        '"1.1.0":"2026-03-31T00:00:00Z"',
      ),
    },
  );
  const refused = await get("/bad/-/bad-1.1.0.tgz");
  expect(refused.status).toBe(403);
  expect(refused.headers).not.toHaveProperty("x-evil");
  for (const argv of [
    ["why", "bad@1.1.0", "--all"],
    ["held"],
    ["ledger", "tail"],
    ["why", evil],
    ["admit", evil, "--reason", evil, "--expires", "7d"],
  ]) {
    const { stdout, stderr } = await product.cordon(argv, { terminal: true, answers: [evil] });
    // eslint-disable-next-line no-control-regex
    expect(`${stdout}${stderr}`, argv.join(" ")).not.toMatch(/[\u001b\u202e\r]/);
  }
});
