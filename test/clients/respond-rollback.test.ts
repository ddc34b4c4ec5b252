/**
 * The way back with the real clients: a project in git that was caught, and the branch cordon makes of it. What lies in the person's checkout
 * is not touched until he takes the branch over, and is not touched by taking the step back.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { readLockfile } from "../../src/core/lockfile/read.ts";
import type { Plan } from "../../src/core/response/plan.ts";
import type { ResponseReport } from "../../src/core/response/report.ts";
import type { Ran } from "../kit/app.ts";
import { availableClients, clientEnv, type TestClient } from "./clients.ts";
import { all, BEFORE, FROZEN, LOCKFILE, stage, type Stage } from "./stage.ts";

const CLIENTS = availableClients().filter(({ kind }) => kind !== "deno");

/** axios 1.14.1 is out, and nobody has taken it away: without a pin a fresh install would have it again. */
const AFTER = "2026-04-10T00:00:00Z";
/** A tool that brings axios in by itself. */
const WAIT_ON = `published 2025-11-02T10:00:00Z by wanda <wanda@example.test>
Waits until a server answers; asks with axios.
-- package.json --
{ "name": "wait-on", "version": "1.0.0", "dependencies": { "axios": "^1.13.0" } }
-- index.js --
module.exports = require("axios");
`;

type State = {
  readonly steps: readonly { readonly id: string; readonly state: string; readonly detail?: string }[];
  readonly next: readonly string[];
};

type Response = {
  readonly it: Stage;
  readonly plan: Plan;
  readonly branch: string;
  git(...args: readonly string[]): string;
  respond(args: readonly string[], typed?: string): Promise<Ran>;
  /** Confirms people's steps and goes on until this one is over or failed. */
  upTo(step: string): Promise<State>;
};

/** A project whose lockfile names the poison, by itself or through wait-on, and a response that has begun. */
async function caught(client: TestClient, dependencies: Readonly<Record<string, string>>): Promise<Response> {
  const it = await stage(client, {
    packages: ["axios", "cases", WAIT_ON],
    at: BEFORE,
    dependencies,
    files: { ".gitignore": "node_modules\n.yarn\n" },
  });
  const { product, cwd, home, registry } = it;
  // The gate saw the versions before it all; that is what the last good one is told by.
  const seen = await it.cordon(client.kind === "yarn-berry" ? ["install", "--no-immutable"] : ["install"]);
  expect(seen.code, all(seen)).toBe(0);
  registry.clock.advance("1h");
  it.remove(LOCKFILE[client.kind], "node_modules");
  it.emptyCaches();
  const careless = await it.bare(client.kind === "yarn-berry" ? ["install", "--no-immutable"] : ["install"]);
  expect(careless, all(careless)).toMatchObject({ code: 0 });
  expect(locked(client, it.read(LOCKFILE[client.kind])!)).toContain("axios@1.14.1");
  registry.clock.set(AFTER);
  const env = { ...clientEnv(client, home), GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=jo", "-c", "user.email=jo@example.test", ...args], {
      cwd,
      env: env as NodeJS.ProcessEnv,
    }).toString();
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-q", "-m", "caught");
  const respond = (args: readonly string[], typed?: string): Promise<Ran> =>
    product.cordon(["respond", "axios-2026", ...args], { cwd, env, ...(typed !== undefined && { terminal: true, answers: [typed] }) });
  const dry = await respond([".", "--no-machine", "--json"]);
  expect(dry.code, all(dry)).toBe(0);
  const { plan } = JSON.parse(dry.stdout) as { readonly plan: Plan };
  return {
    it,
    plan,
    branch: `cordon/respond-axios-2026-${basename(cwd)}`,
    git,
    respond,
    async upTo(step) {
      let ran = await respond([".", "--no-machine", "--json", "--execute", plan.id], "axios-2026");
      for (let rounds = 0; rounds < 40; rounds += 1) {
        const state = JSON.parse(ran.stdout) as State;
        if (["done", "failed"].includes(state.steps.find(({ id }) => id === step)!.state)) return state;
        const next = state.next[0];
        ran =
          next === undefined
            ? await respond(["--json", "--execute", plan.id], "axios-2026")
            : await respond(["--json", "--confirm", next], next);
        expect(ran.stdout, all(ran)).not.toBe("");
      }
      throw new Error(`${step} was never over`);
    },
  };
}

function locked({ kind }: TestClient, text: string): readonly string[] {
  return readLockfile(LOCKFILE[kind], text).packages.map(({ name, version }) => `${name}@${version}`);
}

for (const client of CLIENTS) {
  test(`${client.id}: back to the last good version on a branch, pinned, and nothing else is touched`, { timeout: 200_000 }, async () => {
    const response = await caught(client, { axios: "^1.13.0" });
    const { it, git, plan, branch } = response;
    const lockfile = LOCKFILE[client.kind];
    expect(plan.steps.find(({ id }) => id === "rollback-1")).toMatchObject({
      who: "cordon",
      action: { lockfile, branch, replace: [{ name: "axios", version: "1.14.1", to: "1.14.0" }] },
    });
    const before = [git("status", "--porcelain"), git("rev-parse", "HEAD"), it.read("package.json"), it.read(lockfile)];

    const state = await response.upTo("rollback-1");
    const rollback = state.steps.find(({ id }) => id === "rollback-1")!;
    expect(rollback.state, rollback.detail).toBe("done");
    expect([git("status", "--porcelain"), git("rev-parse", "HEAD"), it.read("package.json"), it.read(lockfile)]).toEqual(before);
    const then = locked(client, git("show", `${branch}:${lockfile}`));
    expect(then).toContain("axios@1.14.0");
    expect(then.filter((one) => /^plain-crypto-js@|^axios@1\.14\.1$/.test(one))).toEqual([]);
    expect((JSON.parse(git("show", `${branch}:package.json`)) as { dependencies: object }).dependencies).toEqual({ axios: "1.14.0" });

    // Taken over by the person, it installs: without cordon too.
    git("merge", "-q", branch);
    it.remove("node_modules");
    it.emptyCaches();
    const installed = await it.bare(FROZEN[client.kind]);
    expect(installed, all(installed)).toMatchObject({ code: 0 });
    expect(it.installed("axios")).toBe("1.14.0");
    expect(it.installed("plain-crypto-js")).toBeUndefined();
  });
}

const npm = CLIENTS.find(({ kind }) => kind === "npm");

test.runIf(npm)("npm: what another package brings in is overridden, and the step can be taken back", { timeout: 200_000 }, async () => {
  const response = await caught(npm!, { "wait-on": "1.0.0" });
  const { git, respond, it, branch } = response;
  const state = await response.upTo("rollback-1");
  const rollback = state.steps.find(({ id }) => id === "rollback-1")!;
  expect(rollback.state, rollback.detail).toBe("done");
  expect((JSON.parse(git("show", `${branch}:package.json`)) as { overrides: object }).overrides).toEqual({
    "wait-on": { axios: "1.14.0" },
  });
  expect(locked(npm!, git("show", `${branch}:${LOCKFILE.npm}`))).toContain("axios@1.14.0");
  expect(existsSync(join(it.product.data, "responses", response.plan.id, "checkout-rollback-1"))).toBe(false);

  const undone = await respond(["--undo", "rollback-1"], "rollback-1");
  expect(undone.code, all(undone)).toBe(0);
  expect(git("branch", "--list", branch)).toBe("");
  expect((await response.upTo("rollback-1")).steps.find(({ id }) => id === "rollback-1")!.state).toBe("done");

  // What is left is looked at against the registry once the branch is taken over.
  git("merge", "-q", branch);
  it.remove("node_modules");
  const later = await response.upTo("verify-1");
  expect(
    later.steps
      .map(({ id, state: how, detail }) => (how === "done" ? "" : `${id} ${how}: ${detail}`))
      .filter((one) => /revalidate-1|verify-1/.test(one)),
  ).toEqual([]);
  const report = await respond(["--report", "--json"]);
  const { found, journal } = JSON.parse(report.stdout) as ResponseReport;
  expect(journal.whole).toBe(true);
  expect(found.filter(({ step }) => step === "revalidate-1").map(({ text }) => text)).toEqual([
    expect.stringMatching(/^package-lock\.json: (\d+) of \1 versions have the registry's own bytes$/),
    expect.stringMatching(/^signatures of the registry: /),
    expect.stringMatching(/^provenance: /),
  ]);
});
