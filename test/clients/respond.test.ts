/**
 * The whole of an incident with a real npm: a careless install, the version withdrawn, exposure names who, the plan, its steps in order, a
 * second look that finds nothing standing, and a report with evidence that anybody can check.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Plan } from "../../src/core/response/plan.ts";
import { availableClients, clientEnv, missingClients } from "./clients.ts";
import { all, BOTH, LOCKFILE, stage } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

type State = {
  readonly plan: string;
  readonly steps: readonly { readonly id: string; readonly who: string; readonly state: string; readonly detail?: string }[];
  readonly next: readonly string[];
};

const SECRET = "npm_0123456789abcdefghijklmnopqrstuvwxyzAB";

test.each(availableClients("npm"))("$id $version: from the alert to the report", { timeout: 300_000 }, async (client) => {
  const here = await stage(client, { at: BOTH, dependencies: { axios: "^1.13.0" }, files: { ".env": `NPM_TOKEN=${SECRET}\n` } });
  const { product, registry, cwd, home } = here;
  const env = clientEnv(client, home);
  const respond = (args: readonly string[], typed?: string) =>
    product.cordon(["respond", "axios-2026", ...args], { cwd, env, ...(typed !== undefined && { terminal: true, answers: [typed] }) });
  const state = (text: string): State => JSON.parse(text) as State;

  // Nobody was there to hold it back; then the registry takes it away.
  const careless = await here.bare(["install"]);
  expect(careless, all(careless)).toMatchObject({ code: 0 });
  expect(here.installed("axios")).toBe("1.14.1");
  const tarball = [`${registry.url}axios/-/axios-1.14.1.tgz`, "--offline", "--no-save", "--allow-remote=all"];
  const cached = await here.bare(["install", ...tarball]);
  expect(cached, all(cached)).toMatchObject({ code: 0 });
  registry.withdraw("axios", "1.14.1");
  registry.tag("axios", "latest", "1.14.0");

  const dry = await respond([".", "--json"]);
  expect(dry.code, all(dry)).toBe(0);
  const { plan } = JSON.parse(dry.stdout) as { readonly plan: Plan };
  /** What a person would type of a step, of the client itself. */
  const commandsOf = (id: string): readonly string[] => {
    const step = plan.steps.find((one) => one.id === id)!;
    return step.who === "you" ? step.commands.filter((command) => /^npm pkg set |^cordon npm /.test(command)) : [];
  };
  expect(existsSync(join(product.data, "responses"))).toBe(false);
  expect(plan.steps.map(({ title }) => title).join("\n")).toContain("NPM_TOKEN");

  const begun = await respond([".", "--json", "--execute", plan.id], "axios-2026");
  expect(begun.code, all(begun)).toBe(0);
  let now = state(begun.stdout);
  expect(now.next).toEqual(["isolate-1"]);

  // People's steps, each when its turn has come; the rollback is really made before it is confirmed.
  for (let rounds = 0; now.next.length > 0 && rounds < 30; rounds += 1) {
    const step = now.next[0]!;
    if (step === "rollback-1") {
      here.remove("node_modules");
      for (const command of commandsOf(step)) {
        const [, change] = /^npm pkg set '(.+)'$/.exec(command) ?? [];
        const run = change === undefined ? await here.cordon(command.split(" ").slice(2)) : await here.bare(["pkg", "set", change]);
        expect(run, `${command}: ${all(run)}`).toMatchObject({ code: 0 });
      }
      expect(here.installed("axios")).toBe("1.14.0");
      expect(here.read(LOCKFILE.npm)).not.toMatch(/plain-crypto-js|axios-1\.14\.1\.tgz/);
    }
    const confirmed = await respond(["--json", "--plan", plan.id, "--confirm", step], step);
    expect(confirmed.code, all(confirmed)).toBe(0);
    now = state(confirmed.stdout);
    if (now.next.length > 0) continue;
    const went = await respond(["--json", "--execute", plan.id], "axios-2026");
    expect(went.code, all(went)).toBe(0);
    now = state(went.stdout);
  }
  expect(now.steps.filter((one) => one.state !== "done")).toEqual([]);
  expect(now.steps.find(({ id }) => id === "verify-1")?.detail).toContain("nothing poisoned stands any more");

  expect(now.steps.filter(({ id, who }) => id.startsWith("purge") && who === "cordon").map(({ detail }) => detail)).toEqual([
    expect.stringMatching(/^2 index entries marked as deleted, 2 files of \d+ bytes removed$/),
    expect.stringMatching(/^\d index entr(?:y|ies) marked as deleted, \d files of \d+ bytes removed$/),
  ]);

  // npm itself no longer finds the bytes in its cache.
  const offline = await here.bare(["install", ...tarball]);
  expect(all(offline)).toContain("ENOTCACHED");

  const bundle = await respond(["--verify-bundle", plan.id]);
  expect(bundle.code, all(bundle)).toBe(0);
  const report = await respond(["--report", "-"]);
  expect(report.code, all(report)).toBe(0);
  for (const part of ["## Timeline", "## Evidence", "## Decisions", "## What remains unknown"]) expect(report.stdout).toContain(part);

  // The value of the secret was in reach all the time and is nowhere.
  const folder = join(product.data, "responses", plan.id);
  for (const name of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()))
    expect(readFileSync(join(name.parentPath, name.name), "latin1"), name.name).not.toContain(SECRET);
});
