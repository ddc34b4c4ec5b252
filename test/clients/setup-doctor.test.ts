/** `cordon setup` and `cordon doctor` with every real client: what setup wrote is proven by running the client, and undone to the byte. */
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DoctorReport } from "../../src/app/doctor.ts";
import { planSetup } from "../../src/core/client/setup.ts";
import { CLIENTS } from "../../src/core/client/table.ts";
import type { RunningGate } from "../../src/surface/gate/start.ts";
import { type Product, product, type Ran } from "../kit/app.ts";
import { testClock } from "../kit/clock.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { grow } from "../kit/tree.ts";
import { tempFolder } from "../kit/temp.ts";
import { availableClients, client, type TestClient } from "./clients.ts";

/** A file that shows which client the project uses. */
const MARK: Readonly<Record<TestClient["kind"], Record<string, unknown>>> = {
  npm: { "package-lock.json": { name: "site", lockfileVersion: 3, packages: {} } },
  pnpm: { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" },
  "yarn-classic": { "yarn.lock": "# yarn lockfile v1\n" },
  "yarn-berry": { ".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "__metadata:\n  version: 8\n" },
  bun: { "bunfig.toml": "[run]\nbun = true\n" },
  deno: { "deno.json": { nodeModulesDir: "auto" } },
};

type Env = Record<string, string | undefined>;
type Lab = {
  readonly client: TestClient;
  readonly registry: Fixture;
  readonly product: Product;
  readonly gate: RunningGate;
  readonly cwd: string;
  readonly home: string;
  setup(args?: readonly string[], env?: Env): Promise<Ran>;
  /** Its JSON report with the exit status. */
  doctor(env?: Env): Promise<DoctorReport & { readonly code: number }>;
};

/** A project of one client with a gate on this machine. Without `files` its client is pointed at the registry itself. */
async function lab(
  id: string,
  files?: Record<string, unknown>,
  options: { readonly requireTokens?: boolean; readonly config?: string } = {},
): Promise<Lab> {
  const one = client(id);
  const registry = await startFixture({ packages: ["axios"], at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => registry.stop());
  const cwd = tempFolder({ "package.json": { name: "site" }, ...MARK[one.kind], ...files });
  const made = await product({ fixture: registry, cwd, ...(options.config === undefined ? {} : { config: options.config }) });
  onTestFinished(() => made.stop());
  if (files === undefined) pointAt({ client: one, cwd }, registry);
  const gate = await made.gate({ announce: true, requireTokens: options.requireTokens ?? false });
  const run = (args: readonly string[], env: Env = {}) => made.cordon(args, { cwd, env: { ...one.env, ...env } });
  return {
    client: one,
    registry,
    product: made,
    gate,
    cwd,
    home: made.home,
    setup: (args = ["--yes"], env) => run(["setup", ...args], env),
    async doctor(env) {
      const ran = await run(["doctor", "--json"], env);
      expect(ran.stderr).toBe("");
      return { ...(JSON.parse(ran.stdout) as DoctorReport), code: ran.code };
    },
  };
}

function pointAt({ client, cwd }: Pick<Lab, "client" | "cwd">, { url }: Pick<Fixture, "url">): void {
  const { edits } = planSetup([client.kind], url, contents({ cwd }));
  grow(cwd, Object.fromEntries(edits.map(({ path, after }) => [path, after])));
}

function contents({ cwd }: Pick<Lab, "cwd">): Record<string, string> {
  return Object.fromEntries(readdirSync(cwd).map((name) => [name, readFileSync(join(cwd, name), "utf8")]));
}

const about = (report: DoctorReport, rule: string) => report.findings.filter((one) => one.rule === rule);

describe.each(availableClients().map((one) => [one.id, one] as const))("%s", (id, one) => {
  test("not active at another registry, active after setup, and every byte as it was after undo", async () => {
    const it = await lab(id);
    const before = contents(it);
    const elsewhere = await it.doctor();
    expect(elsewhere, JSON.stringify(elsewhere.clients)).toMatchObject({
      code: 1,
      clients: [{ client: one.kind, command: CLIENTS[one.kind].commands[0], verdict: "not-active" }],
    });
    expect(elsewhere.clients[0]!.evidence[0]).toContain(`sends it to ${it.registry.url}`);

    const set = await it.setup();
    expect(set, set.stdout + set.stderr).toMatchObject({ code: 0, stderr: "" });
    const after = contents(it);
    it.registry.log.clear();
    const report = await it.doctor();
    expect(report, JSON.stringify(report)).toMatchObject({
      code: 0,
      clients: [{ client: one.kind, version: one.version, verdict: "active" }],
    });
    expect(report.clients[0]!.evidence[0]).toContain("for site");
    expect(report.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
    // A trial leaves nothing in the project and asks nobody but the gate for its packages.
    expect(contents(it)).toEqual(after);
    expect(it.registry.log.entries.filter(({ url }) => url.includes("cordon-doctor"))).toEqual([]);

    expect(await it.setup(["undo"])).toMatchObject({ code: 0 });
    expect(contents(it)).toEqual(before);
  });
});

test("pnpm 11 with npm_config_registry alone never comes by, and is told which variable it reads", async () => {
  const it = await lab("pnpm-11", {});
  // Its own default is the public registry; nothing listens behind this proxy, so that the test asks nobody out there.
  const nowhere = { HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: undefined, NO_PROXY: "127.0.0.1,localhost" };
  const report = await it.doctor({ npm_config_registry: `${it.gate.url}p/site/npm/`, ...nowhere });
  expect(report).toMatchObject({ code: 1, gate: { where: "npm_config_registry" }, clients: [{ verdict: "not-active" }] });
  expect(report.clients[0]!.evidence[0]).toBe(
    "npm_config_registry names the gate, and pnpm 11 does not read it; it reads pnpm_config_registry",
  );
  expect(await it.doctor({ pnpm_config_registry: `${it.gate.url}p/site/npm/` })).toMatchObject({
    code: 0,
    clients: [{ verdict: "active" }],
  });
});

test.each(["npm-11", "pnpm-10", "bun-1"])("%s: a scope's registry of its own is named though the client is active", async (id) => {
  const it = await lab(id, { ".npmrc": "@acme:registry=https://npm.acme.test/\n" });
  await it.setup();
  const report = await it.doctor();
  expect(report).toMatchObject({ code: 1, clients: [{ verdict: "active" }] });
  expect(about(report, "scoped-registry")).toMatchObject([
    { severity: "bypass", where: ".npmrc:1", what: "@acme:registry=https://npm.acme.test/" },
  ]);
});

test("replace-registry-host=never is named where npm obeys it, and setup mends it", async () => {
  for (const [id, code] of [
    ["npm-11", 1],
    ["npm-12", 0],
  ] as const) {
    const it = await lab(id, { ".npmrc": "replace-registry-host=never\n" });
    const env = { npm_config_registry: `${it.gate.url}p/site/npm/` };
    const report = await it.doctor(env);
    expect(report, id).toMatchObject({ code, clients: [{ verdict: "active" }] });
    expect(about(report, "registry-host-kept").map(({ where }) => where)).toEqual(code === 1 ? [".npmrc:1"] : []);
    await it.setup();
    expect((await it.doctor()).code).toBe(0);
  }
});

test("yarn 1's lockfile keeps its hosts: active, and walked round all the same", async () => {
  const resolved = `https://cdn.test/left/-/left-1.0.0.tgz#${"a".repeat(40)}`;
  const it = await lab("yarn-1", { "yarn.lock": `# yarn lockfile v1\n\n\nleft@^1.0.0:\n  version "1.0.0"\n  resolved "${resolved}"\n` });
  await it.setup();
  const report = await it.doctor();
  expect(report).toMatchObject({ code: 1, clients: [{ verdict: "active" }] });
  expect(about(report, "foreign-source")).toMatchObject([
    { where: "yarn.lock:4", what: "left@1.0.0", why: "fetched from cdn.test, not from the gate" },
  ]);
});

test("yarn 1 on PATH hands over to the yarn the project brings along, and so it does in the trial", async () => {
  const four = client("yarn-4");
  const release = readFileSync(join(dirname(four.command[0]!), "../bin/yarn.js"), "utf8");
  const it = await lab("yarn-1", {
    ...MARK["yarn-berry"],
    ".yarnrc.yml": `yarnPath: .yarn/releases/yarn-${four.version}.cjs\n`,
    [`.yarn/releases/yarn-${four.version}.cjs`]: release,
  });
  expect(await it.setup()).toMatchObject({ code: 0 });
  expect(await it.doctor()).toMatchObject({ code: 0, clients: [{ client: "yarn-berry", version: four.version, verdict: "active" }] });
});

test("a client that does not know the project's packageManager proves nothing", async () => {
  const it = await lab("pnpm-10", { "package.json": { name: "site", packageManager: "yarn@1.22.22" }, ".npmrc": "" });
  pointAt(it, { url: `${it.gate.url}p/site/npm/` });
  const report = await it.doctor();
  const pnpm = report.clients.find((one) => one.client === "pnpm");
  expect(pnpm).toMatchObject({ verdict: "cannot-tell", why: "it ended before it asked anybody" });
  expect(report.code).toBe(3);
});

test("a gate that asks for a token: told when it is missing, active with it, and nobody is told the token", async () => {
  const it = await lab("npm-11", {}, { requireTokens: true });
  await it.setup();
  const secret = `cordon_${"s3cret".repeat(6)}`;
  expect(await it.doctor()).toMatchObject({ code: 3, clients: [{ verdict: "cannot-tell" }] });
  const made = await it.product.cordon(["token", "create", "--label", "ci", "--project", "site", "--json"], { cwd: it.cwd });
  const token = (JSON.parse(made.stdout) as { secret: string }).secret;
  const env = { CORDON_TOKEN: token };
  grow(it.home, { ".npmrc": `//${new URL(it.gate.url).host}/:_authToken=\${CORDON_TOKEN}\n` });
  const report = await it.doctor(env);
  expect(report, JSON.stringify(report)).toMatchObject({ code: 0, clients: [{ verdict: "active" }] });
  expect(JSON.stringify(report)).not.toContain(token);
  expect(JSON.stringify(await it.doctor({ CORDON_TOKEN: secret }))).not.toContain(secret);
});

test("a configured gate that is gone: nothing can be told, and none is started", async () => {
  const it = await lab("npm-11", {});
  await it.setup();
  await it.gate.close();
  const report = await it.doctor();
  expect(report).toMatchObject({ code: 3, gate: { where: ".npmrc:1", answers: false }, clients: [{ verdict: "cannot-tell" }] });
  expect(report.gate!.why).toContain("refuses connections");
});

test("monitor mode and a warm cache are worth knowing", async () => {
  const it = await lab("npm-11", {}, { config: "policy:\n  mode: { monitor: { owner: mara, expires: 2026-05-01 } }\n" });
  await it.setup();
  grow(it.home, { ".npm/_cacache/content-v2/sha512/aa": "x" });
  const report = await it.doctor();
  expect(report).toMatchObject({ code: 0, clients: [{ verdict: "active" }] });
  expect(about(report, "monitor-mode")).toMatchObject([{ severity: "note", what: "monitor mode until 2026-05-01T00:00:00.000Z, by mara" }]);
  expect(about(report, "warm-cache")).toMatchObject([{ severity: "note", where: join(it.home, ".npm/_cacache/content-v2") }]);
});

test("clocks apart are told, whosever is wrong", async () => {
  const it = await lab("npm-11", {});
  await it.setup();
  const late = testClock("2026-03-31T00:33:00Z");
  const elsewhere = await product({ fixture: { url: it.registry.url, clock: late }, cwd: it.cwd });
  const ran = await elsewhere.cordon(["doctor", "--json"], { env: it.client.env });
  expect(about(JSON.parse(ran.stdout) as DoctorReport, "clock-skew").map(({ what }) => what)).toEqual([
    "the gate's clock is 10 min ahead of this machine's",
  ]);
  expect(about(await it.doctor(), "clock-skew")).toEqual([]);
});

test("an upstream without publish times is named", async () => {
  const it = await lab("npm-11", { "package.json": { name: "site", dependencies: { axios: "^1.13.0" } } });
  it.registry.faults.add({ route: "packument" }, { noTime: true });
  await it.setup();
  expect(about(await it.doctor(), "upstream-without-time")).toMatchObject([
    { severity: "note", what: "the upstream gives no publish times" },
  ]);
});

test("--user sets up every client that is installed, as for a CI image; doctor proves it outside any project; undo gives the home back", async () => {
  // One of each kind; the two yarns share a command, so yarn 4 stands for both.
  const chosen = ["npm-11", "pnpm-10", "yarn-4", "bun-1", "deno-2"].map(client);
  const it = await lab("npm-11", {});
  grow(it.home, { ".npmrc": "audit=false\n" });
  const PATH = [...chosen.map(({ env }) => env["PATH"]!.split(delimiter)[0]), process.env["PATH"]].join(delimiter);
  const outside = { cwd: tempFolder(), env: { PATH } };
  const set = await it.product.cordon(["setup", "--user", "--project", "image", "--yes"], outside);
  expect(set, set.stdout + set.stderr).toMatchObject({ code: 0 });
  expect(set.stdout).toContain("wrote .npmrc, .yarnrc.yml, .bunfig.toml");
  const ran = await it.product.cordon(["doctor", "--json"], outside);
  const report = JSON.parse(ran.stdout) as DoctorReport;
  expect(report, ran.stdout).toMatchObject({ exit: 0, gate: { answers: true, where: `${join(it.home, ".npmrc")}:2` } });
  expect(report.clients.map(({ client, version, verdict }) => [client, version, verdict])).toEqual(
    chosen.map(({ kind, version }) => [kind, version, "active"]),
  );
  expect(report.clients[0]!.evidence[0]).toContain("for image");
  expect(await it.product.cordon(["setup", "undo", "--user"], outside)).toMatchObject({ code: 0 });
  expect(readFileSync(join(it.home, ".npmrc"), "utf8")).toBe("audit=false\n");
  expect(readdirSync(it.home)).not.toContain(".bunfig.toml");
});

test("for people: the verdict first, then what walks round, then the one next command", async () => {
  const it = await lab("npm-11", { ".npmrc": "@acme:registry=https://npm.acme.test/\n" });
  const { stdout, code } = await it.product.cordon(["doctor"], {
    cwd: it.cwd,
    env: { ...it.client.env, npm_config_registry: it.registry.url },
  });
  expect(code).toBe(1);
  expect(stdout.split("\n")[0]).toMatch(/^NOT ACTIVE {3}npm 11\.19\.1 {3}it never came by: it asked somebody else$/);
  expect(stdout).toContain("walks round the gate\n  .npmrc:1   @acme:registry=https://npm.acme.test/\n");
  expect(stdout).toContain("  point them at it   cordon setup\n");
});
