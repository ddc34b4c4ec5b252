/** Small estates on disk, read whole: what is found, where, and what is named as missing. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { sri, time } from "../../../test/kit/packages.ts";
import { tar } from "../../../test/kit/tarball.ts";
import { grow, link, tree, type Tree } from "../../../test/kit/tree.ts";
import { zip } from "../../../test/kit/zip.ts";
import { iso } from "../../core/base/time.ts";
import type { Sighting } from "../../core/exposure/sighting.ts";
import { watchFor } from "../../core/exposure/watch.ts";
import { packOfSpec } from "../../core/incident/made.ts";
import { PACK_SCHEMA } from "../../core/incident/pack.ts";
import { readEvidence } from "./read.ts";

const BYTES = sri("axios@1.14.1");
const WATCH = watchFor([
  {
    ...packOfSpec("axios", "1.14.1"),
    schema: PACK_SCHEMA,
    packages: [
      { name: "axios", role: "carrier", versions: [{ version: "1.14.1", integrity: [BYTES] }] },
      { name: "@acme/core-kit", role: "worm", versions: [{ version: "2.0.1" }] },
    ],
    indicators: { files: [{ path: "dropper.js", means: "executed" }], paths: [{ path: "~/.config/implant.service", means: "executed" }] },
  },
]);

const lock = (versions: Readonly<Record<string, string>>): object => ({
  name: "site",
  lockfileVersion: 3,
  packages: Object.fromEntries(
    Object.entries(versions).map(([name, version]) => [
      `node_modules/${name}`,
      { version, resolved: `https://registry.test/${name}/-/${name.split("/").at(-1)}-${version}.tgz` },
    ]),
  ),
});

/** One line for each sighting, with places and files relative to the estate. */
async function read(
  estate: string | Tree,
  { machine = false, paths = ["."], env = {} as Record<string, string> } = {},
): Promise<readonly string[]> {
  const root = typeof estate === "string" ? estate : tree(estate);
  const lines: string[] = [];
  const short = (text: string): string => text.replaceAll(`${root}/`, "").replaceAll(root, ".");
  const see = (one: Sighting): void => {
    if (one.kind === "package")
      lines.push(
        short(
          `${one.place}: ${one.form} ${one.name}@${one.version} in ${one.file}${one.line ? `:${one.line}` : ""}${one.note ? ` (${one.note})` : ""}`,
        ),
      );
    else if (one.kind === "artefact") lines.push(short(`${one.place}: artefact ${one.file}`));
    else if (one.kind === "range") lines.push(short(`${one.place}: ${one.by} ${one.name}@${one.range}`));
    else if (one.kind === "missing") lines.push(short(`${one.place}: MISSING ${one.what}`));
  };
  const surroundings = { env: { PATH: process.env["PATH"], HOME: root, ...env }, home: root, temporary: root, platform: "linux" as const };
  await readEvidence({ paths, machine, watch: WATCH, see, tell: () => undefined }, { surroundings, cwd: root });
  return lines;
}

test("lockfiles of several clients, each by its own reader; a shrinkwrap and a scoped name too", async () => {
  const found = await read({
    "npm/package-lock.json": lock({ axios: "1.14.1" }),
    "shrunk/npm-shrinkwrap.json": lock({ "@acme/core-kit": "2.0.1" }),
    "yarn/yarn.lock":
      '# yarn lockfile v1\n\n\naxios@^1.13.0:\n  version "1.14.1"\n  resolved "https://registry.test/axios/-/axios-1.14.1.tgz#2553649f2322049666871cea80a5d0d6adc700ca"\n',
    "pnpm/pnpm-lock.yaml": `lockfileVersion: '9.0'\n\npackages:\n\n  axios@1.14.1:\n    resolution: {integrity: ${BYTES}}\n\nsnapshots:\n\n  axios@1.14.1: {}\n`,
    "safe/package-lock.json": lock({ axios: "1.14.0" }),
    "broken/package-lock.json": '{"lockfileVersion": 3, "packages": {',
  });
  expect(found).toContain("npm: lockfile axios@1.14.1 in npm/package-lock.json:1");
  expect(found).toContain("shrunk: lockfile @acme/core-kit@2.0.1 in shrunk/npm-shrinkwrap.json:1");
  expect(found).toContain("yarn: lockfile axios@1.14.1 in yarn/yarn.lock:4");
  expect(found).toContain("pnpm: lockfile axios@1.14.1 in pnpm/pnpm-lock.yaml:5");
  expect(found.filter((line) => line.startsWith("safe"))).toEqual([]);
  expect(found.filter((line) => line.startsWith("broken"))).toEqual([expect.stringContaining("MISSING broken/package-lock.json")]);
});

test("a folder of this disk and a commit are not the registry's package, whatever they are called", async () => {
  const packages = {
    "node_modules/axios": { resolved: "packages/axios", link: true },
    "packages/axios": { name: "axios", version: "1.14.1" },
  };
  const git = {
    "node_modules/axios": { version: "1.14.1", resolved: "git+ssh://git@code.test/axios.git#0123456789012345678901234567890123456789" },
  };
  expect(
    await read({ "a/package-lock.json": { lockfileVersion: 3, packages }, "b/package-lock.json": { lockfileVersion: 3, packages: git } }),
  ).toEqual([]);
});

test("node_modules: an alias by its own name, and a record the folder contradicts", async () => {
  const found = await read({
    "package-lock.json": lock({}),
    "node_modules/.package-lock.json": lock({ axios: "1.14.1" }),
    "node_modules/axios/package.json": { name: "axios", version: "1.14.0" },
    "node_modules/http/package.json": { name: "axios", version: "1.14.1" },
    "node_modules/dep/node_modules/@acme/core-kit/package.json": { name: "@acme/core-kit", version: "2.0.1" },
    "node_modules/dep/package.json": { name: "dep", version: "1.0.0" },
  });
  expect(found).toContain(".: folder axios@1.14.1 in node_modules/http (installed as http)");
  expect(found).toContain(".: folder @acme/core-kit@2.0.1 in node_modules/dep/node_modules/@acme/core-kit");
  expect(found).toContain(`.: hidden-lockfile axios@1.14.1 in node_modules/axios (by node_modules/.package-lock.json)`);
});

test("no lockfile: ranges are said, aliases by what they stand for, and so is that nothing pins the rest", async () => {
  const found = await read({ "package.json": { dependencies: { axios: "^1.13.0", kit: "npm:@acme/core-kit@^2", "left-pad": "1.3.0" } } });
  expect(found).toEqual([
    ".: manifest axios@^1.13.0",
    ".: manifest @acme/core-kit@^2",
    ".: MISSING package.json has no lockfile: what its dependencies (3) resolved to is not recorded",
  ]);
});

test("an installed package named by its folder needs no lockfile when what it asks for lies in it", async () => {
  const files = {
    "node_modules/npm/package.json": { name: "npm", version: "11.0.0", dependencies: { dep: "^1" }, devDependencies: { axios: "^1" } },
    "node_modules/npm/node_modules/dep/package.json": { name: "dep", version: "1.0.0" },
    "node_modules/npm/node_modules/dep/node_modules/axios/package.json": { name: "axios", version: "1.14.1" },
  };
  const { "node_modules/npm/node_modules/dep/package.json": _gone, ...without } = files;
  const paths = ["node_modules/npm"];
  expect(await read(files, { paths })).toEqual([
    "node_modules/npm: folder axios@1.14.1 in node_modules/npm/node_modules/dep/node_modules/axios",
  ]);
  expect((await read(without, { paths })).join("\n")).toContain("no lockfile: what its dependencies (2) resolved to is not recorded");
});

test("no lockfile: peers that are installed, versions that are forced, addresses of archives", async () => {
  const found = await read({
    "peer/package.json": {
      peerDependencies: { axios: "^1", "@acme/core-kit": "^2" },
      peerDependenciesMeta: { "@acme/core-kit": { optional: true } },
    },
    "npm/package.json": { overrides: { left: { ".": "1.0.0", "axios@1": "1.14.1" } } },
    "yarn/package.json": { resolutions: { "left/**/@acme/core-kit": "2.0.1" } },
    "pnpm/package.json": { pnpm: { overrides: { "left@1>axios": "1.14.1" } } },
    "address/package.json": { dependencies: { http: "https://registry.test/axios/-/axios-1.14.1.tgz" } },
  });
  expect(found.filter((line) => line.includes(": manifest "))).toEqual(
    expect.arrayContaining([
      "peer: manifest axios@^1",
      "npm: manifest axios@1.14.1",
      "yarn: manifest @acme/core-kit@2.0.1",
      "pnpm: manifest axios@1.14.1",
      "address: manifest axios@1.14.1",
    ]),
  );
  expect(found.filter((line) => line.startsWith("peer: manifest"))).toHaveLength(1);
});

test("a manifest that calls itself a poisoned version, or starts what a payload leaves; a dropped file beside an honest version", async () => {
  const found = await read({
    "unpacked/package.json": { name: "axios", version: "1.14.1" },
    "wired/package.json": { scripts: { prepare: "node ./dropper.js && exit 1", lint: "node other-dropper.js" } },
    "hooked/.claude/settings.json": { hooks: { SessionStart: [{ hooks: [{ type: "command", command: "node .claude/dropper.js" }] }] } },
    "quoted/.claude/settings.json": { permissions: { deny: ["Bash(node dropper.js)"] } },
    "beside/node_modules/axios/package.json": { name: "axios", version: "1.14.0" },
    "beside/node_modules/axios/dropper.js": "",
    "beside/node_modules/other/package.json": { name: "other", version: "1.0.0" },
    "beside/node_modules/other/dropper.js": "",
  });
  expect(found).toContain("unpacked: unpacked axios@1.14.1 in unpacked/package.json");
  expect(found.filter((line) => line.includes(": artefact "))).toEqual(
    expect.arrayContaining([
      "wired: artefact wired/package.json",
      "hooked: artefact hooked/.claude/settings.json",
      "beside: artefact beside/node_modules/axios/dropper.js",
    ]),
  );
  expect(found.filter((line) => line.includes(": artefact "))).toHaveLength(3);
});

function git(folder: string, at: string, ...args: string[]): string {
  const who = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@mail.test", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@mail.test" };
  const env = { PATH: process.env["PATH"], HOME: folder, GIT_CONFIG_NOSYSTEM: "1", GIT_COMMITTER_DATE: at, GIT_AUTHOR_DATE: at, ...who };
  return execFileSync("git", ["-C", folder, ...args], { env, encoding: "utf8" }).trim();
}

/** A repository whose lockfile was poisoned on a branch, healed there, and once more only in a stash. */
function poisonedRepository(): string {
  const root = tree({ "package-lock.json": lock({ axios: "1.14.0" }) });
  git(root, "2026-03-30T10:00:00Z", "init", "-q", "-b", "main");
  git(root, "2026-03-30T10:00:00Z", "add", ".");
  git(root, "2026-03-30T10:00:00Z", "commit", "-qm", "one");
  git(root, "2026-03-30T10:00:00Z", "checkout", "-qb", "dump");
  grow(root, { "package-lock.json": lock({ axios: "1.14.1" }) });
  git(root, "2026-03-31T00:52:00Z", "commit", "-qam", "two");
  git(root, "2026-03-31T09:10:00Z", "checkout", "-q", "main", "--", "package-lock.json");
  git(root, "2026-03-31T09:10:00Z", "commit", "-qam", "three");
  git(root, "2026-03-31T09:10:00Z", "checkout", "-q", "main");
  grow(root, { "package-lock.json": lock({ axios: "1.14.0", "@acme/core-kit": "2.0.1" }) });
  git(root, "2026-04-01T08:00:00Z", "stash", "-q");
  return root;
}

test("git remembers: the stretch a poisoned state was live, its branch, and a stash", async () => {
  const root = poisonedRepository();
  const [start, end] = [git(root, "", "rev-parse", "--short=7", "dump~1"), git(root, "", "rev-parse", "--short=7", "dump")];
  const found = await read(root);
  expect(found[0]).toBe(
    `.: history axios@1.14.1 in package-lock.json (dump, never on main, from ${start} to ${end} (2026-03-31 00:52 – 2026-03-31 09:10))`,
  );
  expect(found.find((line) => line.includes("@acme/core-kit"))).toMatch(/in a stash, from \w{7} \(2026-04-01 08:00\)/);
  expect(found.filter((line) => line.includes("MISSING"))).toEqual([]);
});

test("a deleted branch is still in the reflog; a shallow clone says what it cannot know", async () => {
  const root = poisonedRepository();
  git(root, "", "branch", "-qD", "dump");
  expect((await read(root)).find((line) => line.includes("axios@1.14.1"))).toContain("on no branch any more, only in the reflog");
  const shallow = join(tree(), "clone");
  execFileSync("git", ["clone", "-q", "--depth", "1", `file://${root}`, shallow], { env: { PATH: process.env["PATH"], HOME: root } });
  expect(await read(shallow)).toContain(".: MISSING shallow clone: nothing before 2026-03-30 to look at");
});

test("a repository that names programs in its configuration gets none of them run", async () => {
  const root = poisonedRepository();
  const trap = join(root, "trap.sh");
  grow(root, { "trap.sh": `#!/bin/sh\ntouch ${root}/sprung\ncat "$@"\n`, ".gitattributes": "* diff=trap filter=trap\n" });
  chmodSync(trap, 0o755);
  for (const [key, value] of [
    ["diff.external", trap],
    ["diff.trap.textconv", trap],
    ["filter.trap.smudge", trap],
    ["core.fsmonitor", trap],
    ["core.pager", trap],
    ["gpg.program", trap],
    ["log.showSignature", "true"],
  ])
    git(root, "", "config", key!, value!);
  const found = await read(root);
  expect(found.some((line) => line.includes("history axios@1.14.1"))).toBe(true);
  expect(existsSync(join(root, "sprung"))).toBe(false);
});

function indexEntry(value: object): string {
  const json = JSON.stringify(value);
  return `\n${createHash("sha1").update(json).digest("hex")}\t${json}`;
}

test("npm's cache: what was fetched and when, deleted entries too; a damaged entry is missing evidence", async () => {
  const key = "make-fetch-happen:request-cache:https://registry.test/axios/-/axios-1.14.1.tgz";
  const fetched = indexEntry({ key, integrity: BYTES, time: time("2026-03-31T01:07:12Z"), size: 1 });
  const deleted = indexEntry({ key, integrity: null, time: time("2026-04-02T00:00:00Z"), size: 0 });
  const found = await read({
    "_cacache/content-v2/sha512/.keep": "",
    "_cacache/index-v5/aa/bb/one": fetched + deleted,
    "_cacache/index-v5/aa/bc/two": fetched.replace("axios-1.14.1", "axios-1.14.2"),
    "_cacache/index-v5/aa/bd/three": indexEntry({ key: "pacote:tarball:file:x", integrity: BYTES, time: 1_774_919_232_000 }),
  });
  expect(found).toContain("_cacache: cache axios@1.14.1 in _cacache/index-v5/aa/bb/one");
  expect(found).toContain("_cacache: cache axios@1.14.1 in _cacache/index-v5/aa/bb/one (the entry was deleted since)");
  expect(found).toContain("_cacache: MISSING _cacache/index-v5/aa/bc/two: a damaged index entry");
  // Known by its bytes alone, as after `npm install ./axios.tgz`.
  expect(found).toContain("_cacache: cache (unnamed)@ in _cacache/index-v5/aa/bd/three");
});

test("the stores of pnpm, yarn, bun and deno", async () => {
  const hex = Buffer.from(BYTES.slice(7), "base64").toString("hex");
  const database = Buffer.concat([
    Buffer.from("SQLite format 3\0"),
    Buffer.alloc(5_000, 7),
    Buffer.from(`${BYTES}\taxios@1.14.1`),
    Buffer.from([0xd4, 0x72]),
    Buffer.alloc(5_000),
  ]);
  const found = await read({
    "store/v11/index.db": database,
    "store/v11/files/.keep": "",
    "store/v10/files/.keep": "",
    [`store/v10/index/${hex.slice(0, 2)}/${hex.slice(2, 64)}-@acme+core-kit@2.0.1.json`]: {},
    [`store/v3/files/${hex.slice(0, 2)}/${hex.slice(2)}-index.json`]: { files: {} },
    "store/v4/files/.keep": "",
    "yarn/v6/npm-@acme-core-kit-2.0.1-2553649f2322049666871cea80a5d0d6adc700ca-integrity/node_modules/x/package.json": {},
    "berry/cache/axios-npm-1.14.1-75015f2db9-10c0.zip": "",
    "berry/cache/@acme-core-kit-npm-2.0.1-75015f2db9-10c0.zip": "",
    "bun/axios@1.14.1@@registry.test@@@1/package.json": { name: "axios", version: "1.14.1" },
    "bun/@acme/core-kit@2.0.1@@registry.test@@@1/package.json": { name: "@acme/core-kit", version: "2.0.1" },
    "deno/npm/registry.test/axios/registry.json": {},
    "deno/npm/registry.test/axios/1.14.1/package.json": {},
    "deno/npm/registry.test/@acme/core-kit/registry.json": {},
    "deno/npm/registry.test/@acme/core-kit/2.0.1/package.json": {},
  });
  expect(found.map((line) => line.replace(/ in .*/, "")).toSorted()).toEqual([
    "berry/cache: store @acme/core-kit@2.0.1",
    "berry/cache: store axios@1.14.1",
    "bun: store @acme/core-kit@2.0.1",
    "bun: store axios@1.14.1",
    "deno/npm: store @acme/core-kit@2.0.1",
    "deno/npm: store axios@1.14.1",
    "store/v10: store @acme/core-kit@2.0.1",
    "store/v11: store axios@1.14.1",
    "store/v3: store (unnamed)@",
    "store/v4: MISSING a pnpm store of a layout cordon does not know (v4)",
    "yarn/v6: store @acme/core-kit@2.0.1",
  ]);
});

test("logs: npm's own with the moment in the name, a CI job's text, and a folder of them", async () => {
  const found = await read({
    "_logs/2026-03-31T01_07_12_345Z-debug-0.log": "0 verbose cli\n19 info run axios@1.14.1 postinstall node_modules/axios node x\n",
    "ci/build.log": "2026-03-31T01:40:00.0Z npm ci\n2026-03-31T01:40:12.1Z + axios@1.14.1\n",
    "project/package.json": {},
    "project/server.log": "+ axios@1.14.1\n",
    "project/3_Install.txt": "npm http fetch GET 200 https://registry.test/axios/-/axios-1.14.1.tgz 12ms\n",
  });
  expect(found).toEqual(
    expect.arrayContaining([
      "_logs: script-log axios@1.14.1 in _logs/2026-03-31T01_07_12_345Z-debug-0.log:2",
      "ci: install-log axios@1.14.1 in ci/build.log:2",
      "project: fetch-log axios@1.14.1 in project/3_Install.txt:1",
    ]),
  );
  expect(found).toHaveLength(3);
});

test("the zip a CI system hands out: a log for each job and step, and one without any is missing evidence", async () => {
  const logs = zip({ "build/3_Install.txt": "2026-03-31T01:40:12.1Z > axios@1.14.1 postinstall\n", "build/4_Test.txt": "ok\n" });
  const root = tree({ "logs_4711.zip": logs, "empty.zip": zip({ "readme.md": "+ axios@1.14.1" }), "cut.zip": logs.subarray(0, 60) });
  expect(await read(root, { paths: ["logs_4711.zip", "empty.zip", "cut.zip"] })).toEqual([
    "logs_4711.zip: script-log axios@1.14.1 in logs_4711.zip!build/3_Install.txt:1",
    "empty.zip: MISSING empty.zip: a zip archive without logs",
    "cut.zip: MISSING cut.zip: not a zip archive that can be read",
    "cut.zip: MISSING cut.zip: a zip archive without logs",
  ]);
});

test("a bare repository is history alone; git's own variables lead nowhere else", async () => {
  const root = poisonedRepository();
  const bare = join(tree(), "mirror.git");
  execFileSync("git", ["clone", "-q", "--mirror", root, bare], { env: { PATH: process.env["PATH"], HOME: root } });
  expect((await read(bare))[0]).toMatch(/^\.: history axios@1\.14\.1 in package-lock\.json/);
  const elsewhere = { GIT_DIR: join(tree(), "nowhere") };
  expect((await read(root, { env: elsewhere }))[0]).toMatch(/^\.: history axios@1\.14\.1 in package-lock\.json/);
});

test("a worktree whose repository is elsewhere: said, unless it is read anyway", async () => {
  const root = poisonedRepository();
  const beside = join(tree(), "beside");
  git(root, "", "worktree", "add", "-q", beside, "dump");
  expect((await read(beside)).join()).toContain("MISSING its history is kept in");
  expect((await read(beside, { paths: [".", root] })).join()).not.toContain("MISSING");
});

const layer = (files: Readonly<Record<string, string>>): Uint8Array =>
  tar(Object.entries(files).map(([path, text]) => ({ path, body: text })));

test("a container image: every layer, also what a later one deletes; docker-save and OCI; a damaged one is missing evidence", async () => {
  const poisoned = JSON.stringify({ name: "axios", version: "1.14.1" });
  const layers = [
    layer({ "app/node_modules/axios/package.json": poisoned, "app/package-lock.json": JSON.stringify(lock({ axios: "1.14.1" })) }),
    layer({ "app/.wh.node_modules": "" }),
  ];
  const docker = tar([
    { path: "a/layer.tar", body: Buffer.from(layers[0]!) },
    { path: "b/layer.tar", body: Buffer.from(layers[1]!) },
    { path: "manifest.json", body: Buffer.from(JSON.stringify([{ Layers: ["a/layer.tar", "b/layer.tar"] }])) },
  ]);
  const packed = gzipSync(layers[0]!);
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const manifest = Buffer.from(
    JSON.stringify({ layers: [{ digest: `sha256:${digest(packed)}` }, { digest: `sha256:${"0".repeat(64)}` }] }),
  );
  const oci = tar([
    { path: "oci-layout", body: Buffer.from("{}") },
    { path: `blobs/sha256/${digest(packed)}`, body: packed },
    { path: `blobs/sha256/${digest(manifest)}`, body: manifest },
    { path: "index.json", body: Buffer.from(JSON.stringify({ manifests: [{ digest: `sha256:${digest(manifest)}` }] })) },
  ]);
  const root = tree({ "docker.tar": docker, "oci.tar": oci, "cut.tar": docker.subarray(0, 2_000), "other.tar": layers[0]! });
  const found = await read(root, { paths: ["docker.tar", "oci.tar", "cut.tar", "other.tar"] });
  expect(found).toEqual([
    "docker.tar: image-file axios@1.14.1 in docker.tar!app/node_modules/axios (layer 1, deleted by layer 2)",
    "docker.tar: lockfile axios@1.14.1 in docker.tar!app/package-lock.json:1 (layer 1)",
    `oci.tar: MISSING layer 2 (${"0".repeat(12)}…): not there`,
    "oci.tar: image-file axios@1.14.1 in oci.tar!app/node_modules/axios (layer 1)",
    "oci.tar: lockfile axios@1.14.1 in oci.tar!app/package-lock.json:1 (layer 1)",
    "cut.tar: MISSING cut.tar: it ends in the middle",
    "other.tar: MISSING other.tar: it names no layers of a container image",
  ]);
});

test("a bill of materials, by its name in a project or named itself", async () => {
  const bom = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [{ type: "library", name: "axios", version: "1.14.1", purl: "pkg:npm/axios@1.14.1" }],
  };
  const root = tree({ "app/bom.json": bom, "named.json": bom });
  expect(await read(root, { paths: ["app", "named.json"] })).toEqual([
    "app: sbom axios@1.14.1 in app/bom.json",
    "named.json: sbom axios@1.14.1 in named.json",
  ]);
});

test("this machine: npx folders, logs, settings of editors, what a payload leaves; a payload's file in a project", async () => {
  const found = await read(
    {
      ".npm/_npx/8b1/package-lock.json": lock({ axios: "1.14.1" }),
      ".config/implant.service": "",
      ".claude.json": '{ // comments are allowed\n "mcpServers": { "x": { "command": "npx", "args": ["-y", "@acme/core-kit@latest"] } }, }',
      "code/.git-is-elsewhere": "",
      "code/package.json": {},
      ".bun/install/cache/axios@1.14.0@@registry.test@@@1/package.json": { name: "axios", version: "1.14.0" },
      ".bun/install/cache/.bunx-0/kit@latest/node_modules/axios/package.json": { name: "axios", version: "1.14.1" },
      "bunx-0-old@@@/node_modules/axios/package.json": { name: "axios", version: "1.14.1" },
      "code/src/dropper.js": "",
      "code/.vscode/tasks.json": { tasks: [{ command: "npx axios@^1 --help" }] },
    },
    { machine: true, paths: ["code"] },
  );
  expect(found).toEqual(
    expect.arrayContaining([
      "this machine: artefact .config/implant.service",
      "this machine: launcher @acme/core-kit@latest",
      "code: artefact code/src/dropper.js",
      "code: launcher axios@^1",
      ".bun/install/cache/.bunx-0/kit@latest: folder axios@1.14.1 in .bun/install/cache/.bunx-0/kit@latest/node_modules/axios",
      "bunx-0-old@@@: folder axios@1.14.1 in bunx-0-old@@@/node_modules/axios",
      ".npm/_npx/8b1: lockfile axios@1.14.1 in .npm/_npx/8b1/package-lock.json:1",
    ]),
  );
});

test("places that the user's own settings name; settings that cannot be read are missing evidence", async () => {
  const root = tree({
    "project/package.json": {},
    "moved/_npx/1/package-lock.json": lock({ axios: "1.14.1" }),
    ".config/pnpm/rc/folder": "",
  });
  grow(root, { ".npmrc": `cache=${root}/moved\n` });
  expect(await read(root, { machine: true, paths: ["project"] })).toEqual([
    "this machine: MISSING .config/pnpm/rc: not a regular file",
    "moved/_npx/1: lockfile axios@1.14.1 in moved/_npx/1/package-lock.json:1",
  ]);
});

test("links are not followed, a root that is one is; what may not be read and what does not exist are said", async () => {
  const outside = tree({ "package-lock.json": lock({ axios: "1.14.1" }) });
  const root = tree({
    "a/out": link(outside),
    "a/package.json": {},
    "b/package.json": {},
    "b/node_modules": link(outside),
    "c/package-lock.json": link(`${outside}/package-lock.json`),
    "_logs/x.log": link(`${outside}/package-lock.json`),
    named: link(outside),
  });
  expect(await read(root, { paths: ["a", "b", "c", "_logs"] })).toEqual([
    "b: MISSING b/node_modules: a link, not followed",
    "c: MISSING c/package-lock.json: a link, not followed",
    "_logs: MISSING _logs/x.log: a link, not followed",
  ]);
  expect(await read(root, { paths: ["named"] })).toEqual([`${outside}: lockfile axios@1.14.1 in ${outside}/package-lock.json:1`]);
  await expect(read(root, { paths: ["absent"] })).rejects.toThrow(/absent: ENOENT/);
});

test("a package that lies too deep to be looked into is missing evidence, not the end of the answer", async () => {
  // Longer paths the system refuses, whoever asks; as a folder without permission it does for everybody but root.
  const longest = (process.platform === "linux" ? 4_095 : 1_023) - 5;
  const root = tree({ "node_modules/axios/package.json": { name: "axios", version: "1.14.1" } });
  let folder = root;
  while (longest - folder.length > 400) folder = join(folder, "node_modules", "deep".repeat(30));
  const rest = longest - join(folder, "node_modules").length - 1;
  const last = rest > 250 ? [`@${"s".repeat(rest - 202)}`, "x".repeat(200)] : ["x".repeat(rest)];
  mkdirSync(join(folder, "node_modules", ...last), { recursive: true });
  const found = await read(root);
  expect(found).toContain(".: folder axios@1.14.1 in node_modules/axios");
  expect(found.filter((line) => line.includes("MISSING") && line.includes("ENAMETOOLONG")).length).toBeGreaterThan(0);
});

test("a folder with nothing of npm in it is not said to be clean: perhaps another one was meant", async () => {
  const seen: Sighting[] = [];
  const root = tree({ "docs/readme.md": "" });
  await readEvidence(
    { paths: [root], machine: false, watch: WATCH, see: (one) => void seen.push(one), tell: () => undefined },
    { surroundings: { env: {}, home: root, temporary: root, platform: "linux" }, cwd: root },
  );
  expect(seen).toEqual([expect.objectContaining({ kind: "missing", place: root })]);
});

test("times are told as they stand in what was read", async () => {
  const seen: Sighting[] = [];
  const root = tree({ "_logs/2026-03-31T01_07_12_345Z-debug-0.log": "+ axios@1.14.1\n" });
  await readEvidence(
    { paths: [root], machine: false, watch: WATCH, see: (one) => void seen.push(one), tell: () => undefined },
    { surroundings: { env: {}, home: root, temporary: root, platform: "linux" }, cwd: root },
  );
  expect(seen.flatMap((one) => (one.kind === "package" && one.at ? [iso(one.at)] : []))).toEqual(["2026-03-31T01:07:12.345Z"]);
});

test("logs as they lie about: packed, from Windows, with progress bars; their lines are counted as editors count them", async () => {
  const found = await read({
    "a/ci.log.gz": gzipSync("one\n+ axios@1.14.1\n"),
    "b/build-output.txt": Buffer.from("\ufeffone\r\ntwo\r\n+ axios@1.14.1\r\n", "utf16le"),
    "c/consoleText": "one\r\n10%\r20%\r+ axios@1.14.1\r\n",
    "d/far.log": `${"x\r\n".repeat(40_000)}+ axios@1.14.1\n`,
    "e/app.log.1": "+ axios@1.14.1",
    "f/notes.txt": "+ axios@1.14.1\n",
    "site/package.json": {},
    "site/logs/run.log": "+ axios@1.14.1\n",
    "site/npm-install.log": "+ axios@1.14.1\n",
    "site/server.log": "+ axios@1.14.1\n",
  });
  expect(found.toSorted()).toEqual([
    "a: install-log axios@1.14.1 in a/ci.log.gz:2",
    "b: install-log axios@1.14.1 in b/build-output.txt:3",
    "c: install-log axios@1.14.1 in c/consoleText:2",
    "d: install-log axios@1.14.1 in d/far.log:40001",
    "e: install-log axios@1.14.1 in e/app.log.1:1",
    "site: install-log axios@1.14.1 in site/logs/run.log:1",
    "site: install-log axios@1.14.1 in site/npm-install.log:1",
  ]);
});

test("a file that is named is known by what lies in it: a lockfile under another name, an archive of a package", async () => {
  const root = tree({
    "before.json": lock({ axios: "1.14.1" }),
    "yarn.lock.orig": '# yarn lockfile v1\n\n\naxios@^1.13.0:\n  version "1.14.1"\n',
    "pnpm.bak": `lockfileVersion: '9.0'\n\npackages:\n\n  axios@1.14.1:\n    resolution: {integrity: ${BYTES}}\n`,
    "axios-1.14.1.tgz": gzipSync(tar([{ path: "package/package.json", body: "{}" }])),
    "axios-1.14.0.tgz": gzipSync(tar([{ path: "package/package.json", body: "{}" }])),
    "renamed.tgz": "axios@1.14.1",
    "core.bin": Buffer.from([1, 0, 2]),
  });
  expect(await read(root, { paths: ["before.json", "yarn.lock.orig", "pnpm.bak"] })).toEqual([
    "before.json: lockfile axios@1.14.1 in before.json:1",
    "yarn.lock.orig: lockfile axios@1.14.1 in yarn.lock.orig:4",
    "pnpm.bak: lockfile axios@1.14.1 in pnpm.bak:5",
  ]);
  expect(await read(root, { paths: ["axios-1.14.1.tgz", "axios-1.14.0.tgz", "renamed.tgz", "core.bin"] })).toEqual([
    "axios-1.14.1.tgz: archive axios@1.14.1 in axios-1.14.1.tgz",
    // By its bytes alone.
    "renamed.tgz: archive (unnamed)@ in renamed.tgz",
    "core.bin: MISSING core.bin: no kind of file cordon knows how to read",
  ]);
});
