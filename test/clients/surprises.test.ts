/**
 * The list "Surprises worth tests in the product" of client-contract.md §9, line by line, with real clients. Line 2, a lockfile of yarn 1
 * that names the public host, is in lockfiles.test.ts with every other client's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { NPM_REGISTRY_HOST } from "../../src/core/config/constants.ts";
import { openGuard } from "../../src/edge/guard/connect-proxy.ts";
import { readProxies } from "../../src/edge/upstream/proxies.ts";
import type { Ran } from "../kit/app.ts";
import { availableClients, missingClients, pointedAt } from "./clients.ts";
import { ADD, all, BEFORE, FROZEN, LOCKFILE, pastTheGate, type Stage, stage } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

const only = (...ids: readonly string[]) => availableClients().filter(({ id }) => ids.includes(id));

for (const client of only("pnpm-11", "pnpm-12"))
  test(`1. ${client.id}: npm_config_registry alone leads past the gate; the wrapper says it in pnpm's own words`, async () => {
    const project = await stage(client, { dependencies: { axios: "^1.13.0" } });
    const gate = await project.product.gate();
    const guard = await openGuard({ refuse: [NPM_REGISTRY_HOST], allow: [], proxies: readProxies({}), clock: project.registry.clock });
    onTestFinished(() => guard.close());
    const env = {
      npm_config_registry: gate.url,
      pnpm_config_registry: undefined,
      HTTPS_PROXY: guard.url,
      https_proxy: guard.url,
      pnpm_config_fetch_retries: "0",
    };
    const alone = await project.bare(["install"], { env, home: `${project.home}-alone` });
    expect(alone.code, all(alone)).not.toBe(0);
    expect(guard.attempts().map(({ host }) => host)).toContain(NPM_REGISTRY_HOST);
    expect(project.registry.log.entries).toEqual([]);

    const wrapped = await project.cordon(["install"], { env: { npm_config_registry: "http://127.0.0.1:9/" } });
    expect(wrapped, all(wrapped)).toMatchObject({ code: 0 });
    expect(project.installed("axios")).toBe("1.14.0");
    expect(pastTheGate(project.registry)).toEqual([]);
  });

for (const client of availableClients()) {
  test(`3. ${client.id}: an optional dependency of this platform that is withheld does not vanish unseen`, async () => {
    // fast-thing 1.1.0 is three weeks old, its part for Linux an hour.
    const project = await stage(client, { dependencies: { "fast-thing": "1.1.0" } });
    const run = await project.cordon(["install"]);
    expect(run.code, all(run)).not.toBe(0);
    expect(project.installed("@fast-thing/linux-x64")).toBeUndefined();
    expect(run.report).toContain("@fast-thing/linux-x64");
    expect(run.report).toMatch(/young-release +published 1 h ago · opens 2 Apr 23:43 UTC/);
    expect(project.registry.log.tarballBytes("@fast-thing/linux-x64", "1.1.0")).toBe(0);
    if (project.installed("fast-thing") !== undefined) {
      expect(run.code).toBe(1);
      expect(run.report).toContain("1 optional dependency for this platform dropped out without a word from the client");
      expect(run.report).not.toMatch(/darwin|win32/);
    }
  });

  test(`3. ${client.id}: the same, pinned in a lockfile`, async () => {
    const project = await stage(client, { dependencies: { "fast-thing": "1.1.0" } });
    await careless(project);
    const run = await project.cordon(FROZEN[client.kind]);
    expect(run.code, all(run)).not.toBe(0);
    expect(run.report).toMatch(/@fast-thing\/linux-x64 1\.1\.0/);
    expect(run.report).toMatch(/young-release +published 1 h ago · opens 2 Apr 23:43 UTC/);
    expect(project.registry.log.tarballBytes("@fast-thing/linux-x64", "1.1.0")).toBe(0);
  });

  test(`5. ${client.id}: what a warm cache would install is refused before the start, or found afterwards`, async () => {
    const project = await stage(client, { at: "2026-04-03T01:05:00Z", dependencies: { axios: "^1.13.0" } });
    const gate = await project.product.gate({ announce: true });
    const lockfile = LOCKFILE[client.kind];
    expect(await project.cordon(["install"])).toMatchObject({ code: 0 });
    expect(project.installed("axios")).toBe("1.14.1");
    // The client now has it in its cache; the gate learns better.
    const typed = { terminal: true, answers: ["axios@1.14.1"] };
    const denied = await project.product.cordon(["deny", "add", "axios@1.14.1", "--reason", "incident"], typed);
    expect(denied, all(denied)).toMatchObject({ code: 0 });
    await heard(gate.url);
    const pinned = project.read(lockfile);

    project.remove("node_modules");
    const locked = await project.cordon(FROZEN[client.kind]);
    expect(locked, all(locked)).toMatchObject({ code: 1, stdout: "" });
    expect(locked.report).toMatch(/refused 1 version that .+ pins\n {2}axios 1\.14\.1 \(line \d+\)\n {4}denied-by-policy/);
    expect(project.installed("axios")).toBeUndefined();

    // A command that changes the project is not stopped: it may be the way out. What it leaves is told.
    const added = await project.cordon(ADD[client.kind]("p@0.1.0"));
    outcome(project, added);

    project.remove("node_modules", lockfile);
    project.depend({ axios: "^1.13.0" });
    const anew = await project.cordon(["install"]);
    expect(["1.14.0", "1.14.1"]).toContain(project.installed("axios"));
    outcome(project, anew);
    expect(pinned).toContain("1.14.1");
  });
}

for (const client of only("npm-11"))
  test(`4. ${client.id}: an upstream without times cannot be enforced, and once it is accepted the client's own age gate has times to go by`, async () => {
    const strict = await stage(client, { at: BEFORE, dependencies: { axios: "1.14.0" } });
    strict.registry.faults.add({ route: "packument" }, { noTime: true });
    const ancient = ["install", "--before=2020-01-01"];
    const failsOpen = await strict.bare(ancient, { home: `${strict.home}-alone` });
    expect(failsOpen, "without cordon npm installs a version of 2026").toMatchObject({ code: 0 });
    strict.remove("node_modules", "package-lock.json");
    const refused = await strict.cordon(["install"]);
    expect(refused.code, all(refused)).not.toBe(0);
    expect(refused.report).toContain("axios");

    const accepted = await stage(client, {
      at: BEFORE,
      dependencies: { axios: "1.14.0" },
      config: "policy:\n  baseline: { accept: { owner: mara, date: 2026-03-31 } }\n",
    });
    accepted.registry.faults.add({ route: "packument" }, { noTime: true });
    const closed = await accepted.cordon(ancient);
    expect(closed.code, all(closed)).not.toBe(0);
    expect(closed.stderr).toMatch(/ETARGET|ENOVERSIONS/);
    const open = await accepted.cordon(["install"]);
    expect(open, all(open)).toMatchObject({ code: 0 });
    expect(accepted.installed("axios")).toBe("1.14.0");
  });

for (const client of only("npm-12"))
  test(`6. ${client.id}: every spelling of the gate's address is answered in that spelling`, async () => {
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "^1.13.0", "@acme/widget": "1.0.0" } });
    const gate = await project.product.gate();
    const { port } = new URL(gate.url);
    for (const base of [
      `http://localhost:${port}/`,
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}/p/site/npm`,
      `http://127.0.0.1:${port}/p/site/npm/`,
    ]) {
      project.remove("node_modules", "package-lock.json");
      const fresh = await project.bare(["install"], { env: pointedAt("npm", base) });
      expect(fresh, `${base}\n${all(fresh)}`).toMatchObject({ code: 0 });
      expect(project.read("package-lock.json")).toContain(`"resolved": "${base.replace(/\/?$/, "/")}axios/-/axios-1.14.0.tgz"`);
    }
    expect(pastTheGate(project.registry)).toEqual([]);
  });

for (const client of only("yarn-4"))
  test(`7. ${client.id}: known by no name and asking for no form, it is told the times it needs`, async () => {
    const project = await stage(client, { dependencies: { axios: "^1.13.0" } });
    const gate = await project.product.gate({ start: { logRequests: true } });
    // With an age gate of its own yarn refuses versions without a time as quarantined.
    const env = { ...pointedAt("yarn-berry", gate.url), YARN_NPM_MINIMAL_AGE_GATE: "1d" };
    const run = await project.bare(["install"], { env });
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(project.installed("axios")).toBe("1.14.0");
    const clients = new Set(project.product.log.filter(({ what }) => what === "request").map(({ fields }) => fields["client"]));
    expect([...clients].join()).toMatch(/^got/);
  });

for (const client of availableClients())
  test(`8. ${client.id}: a refusal is answered 403, once, and quickly`, async () => {
    const project = await stage(client, { dependencies: { axios: "1.14.1" } });
    await careless(project);
    const gate = await project.product.gate({ start: { logRequests: true } });
    project.write({ [LOCKFILE[client.kind]]: project.read(LOCKFILE[client.kind])!.replaceAll(project.registry.url, gate.url) });
    const run = await project.bare(FROZEN[client.kind], { env: pointedAt(client.kind, gate.url), home: `${project.home}-direct` });
    expect(run.code, all(run)).toBeGreaterThan(0);
    const asked = project.product.log
      .filter(({ what }) => what === "request")
      .map(({ fields }) => ({ path: String(fields["path"]), status: Number(fields["status"]) }));
    const refused = asked.filter(({ status }) => status >= 400);
    expect(refused.map(({ status }) => status)).toContain(403);
    // pnpm also asks for attestations, of which there are none, and for itself, which this registry does not have (client-contract.md §4, §6).
    expect(refused.filter(({ path, status }) => status !== 403 && !(status === 404 && /\/attestations\/|^\/pnpm$/.test(path)))).toEqual([]);
    // deno tries four times whatever the status (client-contract.md §3); npm asks for a packument twice, pnpm 12 once for each purpose: to
    // resolve, for its times, and to compare the lockfile with it.
    const paths = refused.filter(({ status }) => status === 403).map(({ path }) => path);
    const most = Math.max(...paths.map((path) => paths.filter((one) => one === path).length));
    expect(most, paths.join(" ")).toBeLessThanOrEqual(client.kind === "deno" ? 4 : client.id === "pnpm-12" ? 3 : 2);
  });

for (const client of only("npm-10", "npm-11", "npm-12"))
  test(`9. ${client.id}: the tree it reports is kept, and a lockfile of other bytes is refused`, async () => {
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "1.14.0" } });
    const { registry, product } = project;
    const gate = await product.gate({ announce: true });
    expect(await project.cordon(["install"])).toMatchObject({ code: 0 });
    const rows = async () =>
      JSON.parse((await product.cordon(["ledger", "tail", "--json"])).stdout) as { rows: { entry: Record<string, unknown> }[] };
    const trees = (await rows()).rows.filter(({ entry }) => entry["kind"] === "tree");
    expect(trees.map(({ entry }) => entry["packages"])).toEqual([4]);

    const other = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
    project.write({ "package-lock.json": project.read("package-lock.json")!.replace(registry.integrity("form-data", "4.0.5"), other) });
    project.remove("node_modules");
    project.emptyCaches();
    const stopped = await project.cordon(["ci"]);
    expect(stopped, all(stopped)).toMatchObject({ code: 1, stdout: "" });
    expect(stopped.report).toMatch(
      /1 package whose recorded digest is not the registry's\n {2}form-data 4\.0\.5 +package-lock\.json:\d+ +registry: sha512-/,
    );

    // Without the wrapper the gate sees what npm expects, and does not serve it other bytes.
    project.write({ "package-lock.json": project.read("package-lock.json")!.replaceAll(registry.url, gate.url) });
    const direct = await project.bare(["ci"], { env: pointedAt("npm", gate.url) });
    expect(direct.code, all(direct)).not.toBe(0);
    expect(direct.stderr).toMatch(/403 cordon refuses form-data@4\.0\.5 to this lockfile/);
    expect((await rows()).rows.map(({ entry }) => `${entry["kind"]} ${entry["name"]}`)).toContain("mismatch form-data");
  });

/** A lockfile made without cordon, when nobody was there to hold anything back; nothing installed, nothing in a cache. */
async function careless(project: Stage): Promise<void> {
  const made = await project.bare(["install"], { home: `${project.home}-careless` });
  expect(made, all(made)).toMatchObject({ code: 0 });
  project.remove("node_modules");
  project.registry.log.clear();
}

/** From a warm cache comes the denied version, which is told, or its predecessor, which is told too, or nothing. */
function outcome(project: Stage, run: Ran): void {
  const version = project.installed("axios");
  expect(run.code === 0, all(run)).toBe(version === "1.14.0");
  expect(run.report).toMatch(
    version === "1.14.1"
      ? /1 version that should not be there is installed\n {2}axios 1\.14\.1 .+\n {4}denied-by-policy/
      : version === "1.14.0"
        ? /axios 1\.14\.1 → got 1\.14\.0\n {4}denied-by-policy/
        : /axios 1\.14\.1\n {4}denied-by-policy/,
  );
}

/** Waits until a running gate learnt of a deny: within a second, as the design promises. */
async function heard(gate: string): Promise<void> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; await sleep(50)) {
    const why = (await (await fetch(`${gate}-/cordon/why/axios@1.14.1`)).json()) as { withheld: boolean };
    if (why.withheld) return;
  }
  throw new Error("the gate did not hear of the deny");
}
