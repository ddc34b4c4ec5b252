/** `cordon setup` as a person and a script meet it: on real files, before a real gate, without any client. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { product } from "../../../test/kit/app.ts";
import { startFixture } from "../../../test/kit/fixture.ts";
import { grow, link, tree, type Tree } from "../../../test/kit/tree.ts";

async function project(files: Tree, { gate: withGate = true, requireTokens = false } = {}) {
  const registry = await startFixture({ packages: ["cases"], at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => registry.stop());
  const cwd = tree({ "package.json": { name: "@acme/site" }, ...files });
  const made = await product({ fixture: registry, cwd });
  onTestFinished(() => made.stop());
  const gate = withGate ? await made.gate({ announce: true, requireTokens }) : undefined;
  return {
    cwd,
    url: gate?.url ?? "http://127.0.0.1:1/",
    data: made.data,
    read: (name: string) => readFileSync(join(cwd, name), "utf8"),
    has: (name: string) => existsSync(join(cwd, name)),
    setup: (args: readonly string[] = [], how: Parameters<typeof made.cordon>[1] = {}) => made.cordon(["setup", ...args], how),
  };
}

test("the change is shown, asked about, written, and told how to take it back", async () => {
  const it = await project({ ".npmrc": "audit=false\r\n//npm.corp.test/:_authToken=s3cret-value\r\n", "package-lock.json": {} });
  const ran = await it.setup([], { terminal: true, answers: ["y"] });
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout).toContain(`cordon setup · ${it.url}p/acme-site/npm/\n  npm   by package-lock.json\n`);
  expect(ran.stdout).toContain(
    `--- .npmrc\n+++ .npmrc\n@@ -1,2 +1,4 @@\n audit=false\n //npm.corp.test/:_authToken=[secret]\n+registry=${it.url}p/acme-site/npm/\n+replace-registry-host=npmjs\n`,
  );
  expect(ran.stdout).toContain("wrote .npmrc");
  expect(ran.stdout).not.toContain("s3cret");
  expect(it.read(".npmrc")).toBe(
    `audit=false\r\n//npm.corp.test/:_authToken=s3cret-value\r\nregistry=${it.url}p/acme-site/npm/\r\nreplace-registry-host=npmjs\r\n`,
  );

  const again = await it.setup([], { terminal: true });
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toContain("every client here is pointed at the gate already");

  expect(await it.setup(["undo"])).toMatchObject({ code: 0, stdout: "restored .npmrc\n" });
  expect(it.read(".npmrc")).toBe("audit=false\r\n//npm.corp.test/:_authToken=s3cret-value\r\n");
  expect((await it.setup(["undo"])).stdout).toContain("nothing to take back");
});

test("without a yes nothing is written: at a terminal, and without one", async () => {
  const it = await project({ "bun.lock": "" });
  const declined = await it.setup([], { terminal: true, answers: [""] });
  expect(declined).toMatchObject({ code: 1 });
  expect(declined.stdout).toContain("nothing was written: you did not say yes");
  const alone = await it.setup();
  expect(alone).toMatchObject({ code: 1 });
  expect(alone.stdout).toContain('+registry = "');
  expect(alone.stdout).toContain("nothing was written: there is no terminal to ask at; --yes writes without asking");
  expect(it.has("bunfig.toml")).toBe(false);
});

test("a gate that does not answer is said, and only --yes writes all the same", async () => {
  const it = await project({}, { gate: false });
  const asked = await it.setup(["--gate", it.url, "--project", "shop"], { terminal: true, answers: ["y"] });
  expect(asked).toMatchObject({ code: 1 });
  expect(asked.stdout).toContain("the gate does not answer: 127.0.0.1:1 refuses connections");
  expect(it.has(".npmrc")).toBe(false);
  const forced = await it.setup(["--gate", it.url, "--project", "shop", "--yes"]);
  expect(forced).toMatchObject({ code: 0 });
  expect(forced.stdout).toContain("the gate does not answer");
  expect(it.read(".npmrc")).toContain("registry=http://127.0.0.1:1/p/shop/npm/\n");
});

test("a registry that is no gate is not taken for one", async () => {
  const registry = await startFixture({ packages: ["cases"], at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => registry.stop());
  const it = await project({});
  const ran = await it.setup(["--gate", registry.url], { terminal: true, answers: ["y"] });
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stdout).toContain("is no cordon gate");
});

test("one JSON document, with the change and without secrets", async () => {
  const it = await project({ ".npmrc": "_authToken=s3cret-value\n", ".yarnrc.yml": "a: [\n" });
  const ran = await it.setup(["--json", "--yes"]);
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    schema: "cordon.setup/1",
    registry: `${it.url}p/acme-site/npm/`,
    gate: { answers: true, tokenNeeded: false },
    clients: [{ client: "yarn-berry", because: ".yarnrc.yml" }],
    changes: [],
    problems: [{ path: ".yarnrc.yml" }],
    written: false,
  });
  const npm = await project({ ".npmrc": "_authToken=s3cret-value\n" });
  const document = JSON.parse((await npm.setup(["--json", "--yes"])).stdout) as { changes: unknown[] };
  expect(document).toMatchObject({ written: true, changes: [{ path: ".npmrc", created: false }] });
  expect(JSON.stringify(document)).not.toContain("s3cret");
  expect(JSON.parse((await npm.setup(["undo", "--json"])).stdout)).toMatchObject({
    schema: "cordon.setup/1",
    restored: [{ path: ".npmrc", removed: false }],
    changed: [],
  });
});

test("a file edited since is shown and left, the others are restored, and the status says so", async () => {
  const it = await project({ "package-lock.json": {}, "bun.lock": "" });
  await it.setup(["--yes"]);
  const mine = `${it.read(".npmrc")}fund=false\n`;
  writeFileSync(join(it.cwd, ".npmrc"), mine);
  const ran = await it.setup(["undo"]);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain("removed bunfig.toml\n");
  expect(ran.stdout).toContain("+fund=false\n");
  expect(ran.stderr).toContain(".npmrc changed after cordon wrote it");
  expect(it.read(".npmrc")).toBe(mine);
  expect(it.has("bunfig.toml")).toBe(false);
});

test("a gate that asks for a token: the way to give it one is told, and no secret is written", async () => {
  const it = await project({}, { requireTokens: true });
  const ran = await it.setup(["--yes"]);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain(`//${new URL(it.url).host}/p/acme-site/npm/:_authToken=\${CORDON_TOKEN}`);
  expect(it.read(".npmrc")).not.toContain("_authToken");
});

test("modes stay, links within the project stay links, and a link out of it is not followed", async () => {
  const outside = tree({ npmrc: "mine=1\n" });
  const it = await project({ "bun.lock": "", "bunfig.toml": link("config/bunfig.toml"), "config/bunfig.toml": "[run]\n" });
  chmodSync(join(it.cwd, "config/bunfig.toml"), 0o600);
  grow(it.cwd, { ".npmrc": link(join(outside, "npmrc")), "package-lock.json": {} });
  const ran = await it.setup(["--yes"]);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain("left alone .npmrc: a link out of the project");
  expect(readFileSync(join(outside, "npmrc"), "utf8")).toBe("mine=1\n");
  expect(lstatSync(join(it.cwd, "bunfig.toml")).isSymbolicLink()).toBe(true);
  expect(it.read("config/bunfig.toml")).toContain("registry = ");
  expect(statSync(join(it.cwd, "config/bunfig.toml")).mode & 0o777).toBe(0o600);
});

test("a file that is no text is left alone and never made anew", async () => {
  const it = await project({ ".npmrc": new Uint8Array([0xff, 0xfe, 0x72]) });
  const ran = await it.setup(["--yes"]);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain("left alone .npmrc: not UTF-8");
  mkdirSync(join(it.cwd, "bunfig.toml"));
  grow(it.cwd, { "bun.lock": "" });
  expect((await it.setup(["--yes"])).stdout).toContain("left alone bunfig.toml: not a regular file");
});

test("what is kept to take it back can be read by its owner alone", async () => {
  const it = await project({ ".npmrc": "//npm.corp.test/:_authToken=s3cret-value\n" });
  await it.setup(["--yes"]);
  const folder = join(it.data, "journal");
  const [journal] = readdirSync(folder);
  expect([folder, join(folder, journal!)].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
});

test.each([
  [["--gate", "https://user:pass@gate.test/"], "--gate https://[secret]@gate.test/: write an http(s) URL without credentials"],
  [["--gate", "gate"], "--gate gate: write an http(s) URL"],
  [["--project", "my shop"], "--project my shop: write letters, digits"],
  [["redo"], "say cordon setup, or cordon setup undo"],
])("%j is refused", async (args, message) => {
  const it = await project({}, { gate: false });
  const ran = await it.setup(args);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(message);
});

test("what one project's set-up wrote is not another's to undo", async () => {
  const it = await project({});
  await it.setup(["--yes"]);
  const other = tree({ "package.json": { name: "other" } });
  expect((await it.setup(["undo"], { cwd: other })).stdout).toContain("nothing to take back");
  expect(it.has(".npmrc")).toBe(true);
});

test("outside a project it says so", async () => {
  const it = await project({}, { gate: false });
  const ran = await it.setup([], { cwd: tree() });
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("is no project");
});
