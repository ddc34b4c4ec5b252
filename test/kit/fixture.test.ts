/** The fixture registry keeps its own promises; every other suite rests on them. */
import { createHash, createPublicKey, verify } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { onTestFinished, expect, test } from "vitest";
import { openAttestor } from "../../src/edge/trust/trust.ts";
import { npmOnPath, pointedAt, runClient } from "../clients/clients.ts";
import { type Fixture, type FixtureOptions, startFixture } from "./fixture.ts";
import { tempFolder } from "./temp.ts";

const REPLAY = "2026-03-31T00:43:00Z";
const ABBREVIATED = { accept: "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*" };

async function open(options: Partial<FixtureOptions> = {}): Promise<Fixture> {
  const registry = await startFixture({ packages: ["axios", "cases"], at: REPLAY, ...options });
  onTestFinished(() => registry.stop());
  return registry;
}

type Version = {
  dist: { integrity: string; shasum: string; tarball: string; signatures?: { keyid: string; sig: string }[]; attestations?: unknown };
} & Record<string, unknown>;
type Packument = { "dist-tags": Record<string, string>; versions: Record<string, Version>; time: Record<string, string> } & Record<
  string,
  unknown
>;

async function packument(registry: Fixture, name: string, headers: Record<string, string> = {}): Promise<Packument> {
  return (await (await fetch(registry.url + name, { headers })).json()) as Packument;
}

async function bytes(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

const widget = (version: string, header = `published now`, code = "") =>
  `${header}\n-- package.json --\n{"name":"widget","version":"${version}"}\n-- index.js --\nexports.it = "${version}";${code}\n`;

// ---- texts and bytes

test("the same text gives the same integrity, here and on any machine", async () => {
  const [one, two] = [await open(), await open()];
  expect(one.integrity("axios", "1.14.1")).toBe(two.integrity("axios", "1.14.1"));
  expect(one.integrity("p", "0.1.0")).toMatchInlineSnapshot(
    `"sha512-cNpJ/ErJgr0k8oBVvQZdaYxD0gCKvilr8HgDoMDDVCE8hQZ3d/C310JpWnk6O4AidrvSY9Js6VA3ARju7DJZUg=="`,
  );
});

test("packuments are the same bytes in every run, signatures included", async () => {
  const [one, two] = [await open(), await open()];
  const bodies = await Promise.all([one, two].map(async ({ url }) => (await (await fetch(`${url}axios`)).text()).replaceAll(url, "/")));
  expect(bodies[0]).toBe(bodies[1]);
});

test("a mistake in a text names its place", async () => {
  for (const [text, complaint] of [
    ["tagg latest\n-- package.json --\n{}\n", 'unknown header "tagg latest"'],
    ["published yesterday\n-- package.json --\n{}\n", '"yesterday" is not a moment'],
    ["tag latest\n-- package.json --\n{}\n", "no `published` line"],
    ["published now\n-- index.js --\n\n", "no package.json"],
    ["published now\n-- package.json --\n{}\n-- @manifst.json --\n{}\n", "unknown special file @manifst.json"],
    ["published now\n-- package.json --\n{}\n", "needs a name and a version"],
  ] as const)
    await expect(startFixture({ packages: [text], at: REPLAY }), text).rejects.toThrow(complaint);
  await expect(startFixture({ packages: [widget("1.0.0"), widget("1.0.0")], at: REPLAY })).rejects.toThrow("widget@1.0.0 exists already");
});

test("a manifest is normalised as publishing does, and may differ from the tarball's when the text says so", async () => {
  const registry = await open({
    packages: [
      'published 2026-01-01T00:00:00Z\n-- package.json --\n{"name":"@acme/tool","version":"1.0.0","bin":"cli.js"}\n-- binding.gyp --\n{}\n',
      "cases",
    ],
  });
  const tool = (await packument(registry, "@acme%2ftool")).versions["1.0.0"]!;
  expect(tool).toMatchObject({ bin: { tool: "cli.js" }, gypfile: true, scripts: { install: "node-gyp rebuild" } });
  expect((await packument(registry, "@acme%2ftool", ABBREVIATED)).versions["1.0.0"]).toMatchObject({ hasInstallScript: true });
  expect((await packument(registry, "two-faced")).versions["1.0.1"]).not.toHaveProperty("dependencies");
});

// ---- time

test("a version and its tag appear when the clock passes its publish moment", async () => {
  const registry = await open({ at: "2026-03-31T00:20:59Z" });
  const seen = async () => {
    const { "dist-tags": tags, versions, time } = await packument(registry, "axios");
    return { tags, poisoned: ["1.14.1", "0.30.4"].filter((version) => version in versions || version in time) };
  };
  expect(await seen()).toEqual({ tags: { latest: "1.14.0", legacy: "0.30.3" }, poisoned: [] });
  registry.clock.advance("1s");
  expect(await seen()).toEqual({ tags: { latest: "1.14.1", legacy: "0.30.3" }, poisoned: ["1.14.1"] });
  registry.clock.set("2026-03-31T01:00:00Z");
  expect(await seen()).toEqual({ tags: { latest: "1.14.1", legacy: "0.30.4" }, poisoned: ["1.14.1", "0.30.4"] });
  registry.clock.set("2020-01-01T00:00:00Z");
  expect((await fetch(`${registry.url}axios`)).status).toBe(404);
});

test("the hijacked axios has the shape of the incident", async () => {
  const registry = await open();
  registry.publish(readFileSync(new URL("../registry/axios-hijack/1.14.1.txt", import.meta.url), "utf8"), { replace: true });
  const { versions, time } = await packument(registry, "axios");
  expect(versions["1.14.0"]).toMatchObject({
    _npmUser: { name: "GitHub Actions", trustedPublisher: { id: "github" } },
    gitHead: expect.any(String),
  });
  expect(versions["1.14.1"]!["_npmUser"]).toEqual({ name: "jasonsaayman", email: "changed@example.test" });
  expect(versions["1.14.1"]!["dependencies"]).toEqual({ ...(versions["1.14.0"]!["dependencies"] as object), "plain-crypto-js": "^4.2.1" });
  const payload = await packument(registry, "plain-crypto-js");
  expect(Math.round((Date.parse(time["1.14.1"]!) - Date.parse(payload.time["4.2.1"]!)) / 60_000)).toBe(22);
  for (const document of [versions, payload.versions])
    for (const version of Object.values(document)) expect(version).not.toHaveProperty("scripts");
});

test("a tag that was moved by hand follows its own history", async () => {
  const registry = await open({ at: "2026-01-05T00:00:00Z" });
  const latest = async () => (await packument(registry, "tag-history"))["dist-tags"]["latest"];
  expect(await latest()).toBe("1.2.0");
  registry.clock.set("2026-01-10T00:00:00Z");
  expect(await latest()).toBe("1.1.0");
  registry.tag("tag-history", "latest", "1.0.0");
  registry.tag("tag-history", "old", "1.0.0");
  expect((await packument(registry, "tag-history"))["dist-tags"]).toEqual({ latest: "1.0.0", old: "1.0.0" });
  registry.tag("tag-history", "old");
  expect(await (await fetch(`${registry.url}-/package/tag-history/dist-tags`)).json()).toEqual({ latest: "1.0.0" });
});

test("a withdrawn version leaves `versions`, stays in `time`, and gives its tag back", async () => {
  const registry = await open();
  registry.withdraw("axios", "1.14.1");
  const { versions, time, "dist-tags": tags } = await packument(registry, "axios");
  expect(versions).not.toHaveProperty(["1.14.1"]);
  expect(time["1.14.1"]).toBe("2026-03-31T00:21:00.000Z");
  expect(tags["latest"]).toBe("1.14.0");
  expect((await fetch(`${registry.url}axios/-/axios-1.14.1.tgz`)).status).toBe(404);
  registry.restore("axios", "1.14.1");
  expect((await packument(registry, "axios"))["dist-tags"]["latest"]).toBe("1.14.1");
});

test("a security holding replaces everything; a package without versions says it was unpublished", async () => {
  const registry = await open();
  registry.securityHolding("plain-crypto-js");
  const held = await packument(registry, "plain-crypto-js");
  expect(Object.keys(held.versions)).toEqual(["0.0.1-security"]);
  expect(held["dist-tags"]).toEqual({ latest: "0.0.1-security" });
  registry.withdraw("only-young", "1.0.0");
  const gone = await packument(registry, "only-young");
  expect(gone.versions).toBeUndefined();
  expect(gone.time["unpublished"]).toMatchObject({ versions: ["1.0.0"] });
});

test("publishing happens at the present moment, and other bytes under one version only when asked for", async () => {
  const registry = await open();
  registry.publish(widget("1.0.0"));
  const before = (await packument(registry, "widget")).versions["1.0.0"]!.dist.integrity;
  expect((await packument(registry, "widget")).time["1.0.0"]).toBe("2026-03-31T00:43:00.000Z");
  expect(() => registry.publish(widget("1.0.0", undefined, "// more"))).toThrow("exists already");
  registry.publish(widget("1.0.0", undefined, "// more"), { replace: true });
  expect((await packument(registry, "widget")).versions["1.0.0"]!.dist.integrity).not.toBe(before);
  registry.deprecate("widget", "1.0.0", "no longer needed");
  expect((await packument(registry, "widget")).versions["1.0.0"]!["deprecated"]).toBe("no longer needed");
});

// ---- documents

test("the abbreviated form has npm's fields and no others, under its own content type", async () => {
  const registry = await open();
  const answer = await fetch(`${registry.url}fast-thing`, { headers: ABBREVIATED });
  expect(answer.headers.get("content-type")).toBe("application/vnd.npm.install-v1+json");
  const document = (await answer.json()) as Packument;
  expect(Object.keys(document).sort()).toEqual(["dist-tags", "modified", "name", "versions"]);
  expect(Object.keys(document.versions["1.1.0"]!).sort()).toEqual([
    "_hasShrinkwrap",
    "directories",
    "dist",
    "name",
    "optionalDependencies",
    "version",
  ]);
});

test("every spelling of a scoped name is the same package", async () => {
  const registry = await open();
  const answers = await Promise.all(
    ["@acme/widget", "@acme%2fwidget", "@acme%2Fwidget"].map(async (path) => (await fetch(registry.url + path)).text()),
  );
  expect(new Set(answers).size).toBe(1);
  for (const path of ["@acme/widget/-/widget-1.0.0.tgz", "@acme%2fwidget/-/widget-1.0.0.tgz"])
    expect((await fetch(registry.url + path)).status, path).toBe(200);
  expect(registry.log.find({ route: "tarball", name: "@acme/widget", version: "1.0.0" })).toHaveLength(2);
});

test("one version, by number or by tag; what is not there is 404", async () => {
  const registry = await open();
  const one = async (path: string) => ((await (await fetch(registry.url + path)).json()) as Version)["version"];
  expect(await one("axios/1.14.0")).toBe("1.14.0");
  expect(await one("axios/legacy")).toBe("0.30.3");
  for (const path of ["axios/9.9.9", "nothing", "axios/-/other-1.14.0.tgz", "axios/-/axios-9.9.9.tgz", "-/whoami"])
    expect((await fetch(registry.url + path)).status, path).toBe(404);
});

test("signatures verify with the listed key exactly when the text says they should", async () => {
  const registry = await open();
  const { keys } = (await (await fetch(`${registry.url}-/npm/v1/keys`)).json()) as { keys: { keyid: string; key: string }[] };
  const { versions } = await packument(registry, "signatures");
  const state = (version: string) => {
    const [signature] = versions[version]!.dist.signatures ?? [];
    const key = keys.find(({ keyid }) => keyid === signature?.keyid);
    if (!signature) return "none";
    if (!key) return "unknown key";
    const publicKey = createPublicKey({ key: Buffer.from(key.key, "base64"), format: "der", type: "spki" });
    return verify(
      "sha256",
      Buffer.from(`signatures@${version}:${versions[version]!.dist.integrity}`),
      publicKey,
      Buffer.from(signature.sig, "base64"),
    );
  };
  expect(["1.0.0", "1.1.0", "1.2.0", "1.3.0"].map(state)).toEqual([true, "none", false, "unknown key"]);
  // registry.md §2.1: the id is the digest of the key's OpenSSH wire form.
  for (const { keyid, key } of keys) {
    const point = Buffer.from(key, "base64").subarray(-65);
    const parts = ["ecdsa-sha2-nistp256", "nistp256", point].map((part) => Buffer.from(part as string));
    const wire = Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part]));
    expect(keyid).toBe(`SHA256:${createHash("sha256").update(wire).digest("base64").replace(/=$/, "")}`);
  }
});

test("a thousand signatures of the deterministic signer all verify", async () => {
  const { registryKey } = await import("./fixture/key.ts");
  const key = registryKey("any word");
  const publicKey = createPublicKey({ key: Buffer.from(key.key, "base64"), format: "der", type: "spki" });
  const failed = Array.from({ length: 1000 }, (_, n) => `message ${n}`).filter(
    (message) => !verify("sha256", Buffer.from(message), publicKey, Buffer.from(key.sign(message), "base64")),
  );
  expect(failed).toEqual([]);
});

test("a package that says who built it carries attestations the fixture's own trust verifies", async () => {
  const text = `published 2026-03-30T12:00:00Z
provenance github:acme/built:release.yml ref=refs/heads/main id=7
-- package.json --
{ "name": "@acme/built", "version": "2.0.0" }
`;
  const registry = await open({ packages: [text] });
  const { dist } = (await packument(registry, "@acme/built")).versions["2.0.0"]!;
  expect(dist.attestations).toEqual({
    url: `${registry.url}-/npm/v1/attestations/@acme%2fbuilt@2.0.0`,
    provenance: { predicateType: "https://slsa.dev/provenance/v1" },
  });
  const answer = await fetch((dist.attestations as { url: string }).url);
  const attest = openAttestor(() => Promise.resolve(registry.trust));
  const { integrity, signatures } = dist;
  const release = { name: "@acme/built", version: "2.0.0", integrity, signatures: signatures! };
  expect(await attest({ ...release, attestations: new Uint8Array(await answer.arrayBuffer()) })).toMatchObject({
    signature: { state: "valid", keyid: registry.keys[1]!.keyid },
    publish: { state: "valid", at: Date.parse("2026-03-30T12:00:00Z") },
    provenance: {
      state: "valid",
      identity: { repository: "https://github.com/acme/built", repositoryId: "7", ref: "refs/heads/main", runner: "github-hosted" },
    },
  });
});

test("attestations are answered where they were given", async () => {
  const registry = await open();
  const path = "-/npm/v1/attestations/@acme%2fwidget@1.0.0";
  expect((await fetch(registry.url + path)).status).toBe(404);
  registry.attest("@acme/widget", "1.0.0", { attestations: [] });
  expect(await (await fetch(registry.url + path)).json()).toEqual({ attestations: [] });
  expect((await packument(registry, "@acme/widget")).versions["1.0.0"]!.dist.attestations).toMatchObject({ url: registry.url + path });
});

test("search, ping and the audit of what was known by then", async () => {
  const registry = await open({ packages: ["axios", "axios-after", "cases"] });
  expect(await (await fetch(`${registry.url}-/ping`)).json()).toEqual({});
  const found = (await (await fetch(`${registry.url}-/v1/search?text=http%20client&size=5`)).json()) as {
    objects: { package: { name: string } }[];
  };
  expect(found.objects.map((hit) => hit.package.name)).toEqual(["axios"]);

  const audit = async (body: unknown, path = "advisories/bulk") =>
    fetch(`${registry.url}-/npm/v1/security/${path}`, {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify(body)),
    });
  const installed = { axios: ["1.14.1"], leaky: ["1.0.0"], host: ["1.0.0"] };
  expect(Object.keys((await (await audit(installed)).json()) as object)).toEqual(["leaky"]);
  registry.clock.set("2026-03-31T03:15:49Z");
  expect(Object.keys((await (await audit(installed)).json()) as object)).toEqual(["axios", "leaky"]);
  expect((await audit(installed, "audits/quick")).status).toBe(410);
  expect(JSON.parse(registry.log.find({ route: "audit" })[0]!.body)).toEqual(installed);
});

// ---- transport

test("an unchanged document is 304, by entity tag or by date, and changes when the package does", async () => {
  const registry = await open();
  const first = await fetch(`${registry.url}axios`);
  const [etag, modified] = [first.headers.get("etag")!, first.headers.get("last-modified")!];
  const again = (headers: Record<string, string>) => fetch(`${registry.url}axios`, { headers }).then(({ status }) => status);
  expect(await again({ "if-none-match": etag })).toBe(304);
  expect(await again({ "if-modified-since": modified })).toBe(304);
  expect(await again({ "if-none-match": '"other"', "if-modified-since": modified })).toBe(200);
  registry.clock.set("2026-03-31T01:00:00Z");
  expect(await again({ "if-none-match": etag })).toBe(200);
  registry.faults.add({}, { noEtag: true });
  const bare = await fetch(`${registry.url}axios`);
  expect([bare.headers.get("etag"), bare.headers.get("last-modified")]).toEqual([null, null]);
});

test("gzip by default, and only for documents", async () => {
  const registry = await open();
  const encoding = async (path: string) => (await fetch(registry.url + path)).headers.get("content-encoding");
  expect(await encoding("axios")).toBe("gzip");
  expect(await encoding("axios/-/axios-1.14.0.tgz")).toBeNull();
  registry.faults.add({}, { noGzip: true });
  expect(await encoding("axios")).toBeNull();
});

test("the log has every request, what left, and no credential", async () => {
  const registry = await open();
  const answer = await fetch(`${registry.url}axios/-/axios-1.14.0.tgz`, { headers: { authorization: "Bearer hunter2" } });
  const { byteLength: length } = await answer.arrayBuffer();
  expect(registry.log.lines()).toEqual(["GET /axios/-/axios-1.14.0.tgz 200"]);
  const [entry] = registry.log.entries;
  expect(entry).toMatchObject({ bytes: length, complete: true, headers: { authorization: "[present]" }, at: registry.clock.now() });
  expect(JSON.stringify(registry.log.entries)).not.toContain("hunter2");
  expect(registry.log.tarballBytes("axios", "1.14.0")).toBe(length);
  expect(registry.log.tarballBytes("axios", "1.14.1")).toBe(0);
});

test("a token, a path below the root, and HEAD", async () => {
  const registry = await open({ token: "s3cret", path: "/api/npm/main/" });
  expect((await fetch(`${registry.url}axios`)).status).toBe(401);
  const headers = { authorization: "Bearer s3cret" };
  const { versions } = await packument(registry, "axios", headers);
  expect(versions["1.14.0"]!.dist.tarball).toBe(`${registry.url}axios/-/axios-1.14.0.tgz`);
  const head = await fetch(`${registry.url}axios`, { method: "HEAD", headers });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect((await fetch(new URL("/axios", registry.url), { headers })).status).toBe(404);
});

test("publishing over HTTP is refused, so a forwarded credential would show in the log", async () => {
  const registry = await open();
  expect((await fetch(`${registry.url}axios`, { method: "PUT", body: "{}" })).status).toBe(401);
  expect(registry.log.find({ method: "PUT" })).toHaveLength(1);
});

// ---- faults

test("faults meet the requests they name and end when told", async () => {
  const registry = await open();
  const status = async (path: string) => (await fetch(registry.url + path)).status;
  const end = registry.faults.add({ route: "packument", name: "axios" }, { status: 503 });
  expect([await status("axios"), await status("host"), await status("axios/1.14.0")]).toEqual([503, 200, 200]);
  end();
  expect(await status("axios")).toBe(200);
  registry.faults.add({ route: "packument" }, { status: 500, times: 1 });
  expect([await status("axios"), await status("axios")]).toEqual([500, 200]);
  registry.faults.poorMirror();
  expect([await status("-/npm/v1/keys"), await status("-/ping"), await status("axios"), await status("axios/-/axios-1.14.0.tgz")]).toEqual([
    404, 404, 200, 200,
  ]);
  registry.faults.clear();
  expect(await status("-/ping")).toBe(200);
});

test("documents without time, or changed in any way; answers that are no documents", async () => {
  const registry = await open();
  registry.faults.add({ name: "axios" }, { noTime: true });
  expect(await packument(registry, "axios")).not.toHaveProperty("time");
  expect((await packument(registry, "untimed")).time).not.toHaveProperty(["1.1.0"]);
  registry.faults.add(
    { name: "axios" },
    { edit: (document) => void ((document as Packument).versions["1.14.0"]!.dist.integrity = "sha512-AAAA") },
  );
  expect((await packument(registry, "axios")).versions["1.14.0"]!.dist.integrity).toBe("sha512-AAAA");
  registry.faults.add({ name: "host" }, { html: true });
  const page = await fetch(`${registry.url}host`);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html"]);
  registry.faults.add({ name: "p" }, { body: '{"name": "p"', headers: { "retry-after": "1", vary: "" } });
  const odd = await fetch(`${registry.url}p`);
  expect([await odd.text(), odd.headers.get("retry-after"), odd.headers.get("vary")]).toEqual(['{"name": "p"', "1", null]);
  registry.faults.add({ name: "metrics" }, { redirect: "http://other.test/" });
  const moved = await fetch(`${registry.url}metrics`, { redirect: "manual" });
  expect([moved.status, moved.headers.get("location")]).toEqual([302, "http://other.test/metrics"]);
});

test("bodies that are wrong, cut short, or break off, and what of them was sent", async () => {
  const registry = await open();
  const url = `${registry.url}axios/-/axios-1.14.0.tgz`;
  const digest = async () =>
    `sha512-${createHash("sha512")
      .update(await bytes(url))
      .digest("base64")}`;
  const good = registry.integrity("axios", "1.14.0");
  expect(await digest()).toBe(good);
  registry.faults.add({ route: "tarball" }, { wrongBytes: true });
  expect(await digest()).not.toBe(good);
  registry.faults.clear();
  registry.faults.add({ route: "tarball" }, { cut: 100 });
  expect((await bytes(url)).length).toBe(100);
  registry.faults.clear();
  registry.log.clear();
  registry.faults.add({ route: "tarball" }, { truncate: 100 });
  await expect(bytes(url)).rejects.toThrow();
  expect(registry.log.entries[0]).toMatchObject({ status: 200, bytes: 100, complete: false });
  registry.faults.clear();
  registry.faults.add({}, { reset: true });
  await expect(fetch(url)).rejects.toThrow();
  registry.faults.clear();
  registry.faults.add({}, { chunked: true, drip: { bytes: 200, ms: 1 } });
  const dripped = await fetch(url);
  expect(dripped.headers.get("content-length")).toBeNull();
  expect((await dripped.arrayBuffer()).byteLength).toBe(registry.log.entries.at(-1)!.bytes);
});

test("an answer can be held until the test lets it go", async () => {
  const registry = await open();
  const gate = new EventEmitter();
  registry.faults.add({ name: "axios" }, { until: once(gate, "open") });
  let answered = false;
  const asked = fetch(`${registry.url}axios`).then(() => (answered = true));
  await fetch(`${registry.url}host`);
  await expect.poll(() => registry.log.find({ name: "axios" }).length).toBe(1);
  expect(answered).toBe(false);
  gate.emit("open");
  expect(await asked).toBe(true);
});

test("a client that goes away ends its answer, which stays marked as incomplete", async () => {
  const registry = await open();
  registry.faults.add({ route: "tarball" }, { drip: { bytes: 1, ms: 1 } });
  const giveUp = new AbortController();
  const answer = await fetch(`${registry.url}axios/-/axios-1.14.0.tgz`, { signal: giveUp.signal });
  giveUp.abort();
  await expect(answer.arrayBuffer()).rejects.toThrow("aborted");
  expect((await fetch(`${registry.url}-/ping`)).status).toBe(200);
  expect(registry.log.find({ route: "tarball" })).toMatchObject([{ status: 200, complete: false }]);
});

test("down refuses connections, up is the same registry on the same port", async () => {
  const registry = await open();
  await registry.down();
  await expect(fetch(`${registry.url}-/ping`)).rejects.toThrow();
  await registry.up();
  expect((await fetch(`${registry.url}-/ping`)).status).toBe(200);
  expect(registry.connections()).toBe(1);
});

// ---- a real client

test("the npm on PATH installs from it with an empty home", async () => {
  const registry = await open();
  const home = tempFolder();
  const project = tempFolder({
    "package.json": {
      name: "project",
      private: true,
      dependencies: {
        axios: "^1.13.0",
        "@acme/widget": "^1.0.0",
        "alias-user": "1.0.0",
        plugin: "1.0.0",
        host: "^1.0.0",
        "fast-thing": "^1.0.0",
      },
    },
  });
  const run = await runClient(npmOnPath(), ["install"], { cwd: project, home, env: pointedAt("npm", registry.url) });
  expect(run, run.stderr).toMatchObject({ code: 0, timedOut: false });
  const installed = (path: string) =>
    (JSON.parse(readFileSync(join(project, "node_modules", path, "package.json"), "utf8")) as Version)["version"];
  expect(["axios", "plain-crypto-js", "@acme/widget", "widget-one", "host"].map(installed)).toEqual([
    "1.14.1",
    "4.2.1",
    "1.1.0",
    "1.0.0",
    "1.2.0",
  ]);
  expect(registry.log.find({ route: "tarball", name: "axios" }).map(({ version, status }) => [version, status])).toEqual([["1.14.1", 200]]);
  expect(registry.log.find({ route: "audit" })).toHaveLength(1);
  expect(registry.log.find({ route: "other" })).toEqual([]);
});
