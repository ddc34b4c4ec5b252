/** The end of a response: what is left against the registry, and what was published in our name since; with real git, in this process. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Plan } from "../../src/core/response/plan.ts";
import type { ResponseReport } from "../../src/core/response/report.ts";
import { product, type Ran } from "../kit/app.ts";
import { startFixture } from "../kit/fixture.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";

/** Ours: one release before it all, one that we made in the window, and one that nobody made. */
const KIT = `published 2026-01-10T10:00:00Z by kim <kim@example.test>
Ours.
-- package.json --
{ "name": "@acme/kit", "version": "1.0.0" }
-- index.js --
module.exports = 1;
====
published 2026-03-31T01:00:00Z by kim <kim@example.test>
Ours, made while it happened.
-- package.json --
{ "name": "@acme/kit", "version": "1.0.1" }
-- index.js --
module.exports = 2;
====
published 2026-03-31T02:00:00Z by kim <kim@example.test>
With a stolen token.
-- package.json --
{ "name": "@acme/kit", "version": "1.0.2" }
-- index.js --
module.exports = 3;
`;

type State = {
  readonly steps: readonly { readonly id: string; readonly state: string; readonly detail?: string }[];
  readonly next: readonly string[];
};

async function begun(tags: readonly string[]) {
  const fixture = await startFixture({ packages: ["axios", KIT], at: "2026-04-10T00:00:00Z" });
  onTestFinished(() => fixture.stop());
  const lock = (integrity: string) => ({
    name: "site",
    lockfileVersion: 3,
    packages: {
      "": { name: "site", dependencies: { axios: "1.14.0" } },
      "node_modules/axios": { version: "1.14.0", resolved: `${fixture.url}axios/-/axios-1.14.0.tgz`, integrity },
    },
  });
  const cwd = tempFolder({
    "package.json": { name: "site", private: true, dependencies: { axios: "1.14.0" }, workspaces: ["kit"] },
    "kit/package.json": { name: "@acme/kit", version: "1.0.2" },
    "package-lock.json": lock(fixture.integrity("axios", "1.14.0")),
    ".gitignore": "node_modules\n",
    "node_modules/axios/package.json": { name: "axios", version: "1.14.1" },
  });
  const git = (...args: readonly string[]): void =>
    void execFileSync("git", ["-c", "user.name=jo", "-c", "user.email=jo@example.test", ...args], {
      cwd,
      env: { PATH: process.env["PATH"] },
    });
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-q", "-m", "first");
  for (const tag of tags) git("tag", tag);
  const made = await product({ fixture, cwd });
  onTestFinished(() => made.stop());
  const respond = (args: readonly string[], ...answers: readonly string[]): Promise<Ran> =>
    made.cordon(["respond", "axios-2026", ...args], { cwd, ...(answers.length > 0 && { terminal: true, answers }) });
  const { plan } = JSON.parse((await respond([".", "--no-machine", "--json"])).stdout) as { readonly plan: Plan };
  /** People do their part; what is installed goes when its turn has come. */
  async function carryOut(installed: () => void = () => undefined): Promise<State> {
    let ran = await respond([".", "--no-machine", "--json", "--execute", plan.id], "axios-2026");
    for (;;) {
      const state = JSON.parse(ran.stdout) as State;
      const next = state.next[0];
      if (next === undefined) return state;
      if (next.startsWith("rollback")) {
        rmSync(join(cwd, "node_modules"), { recursive: true, force: true });
        installed();
      }
      await respond(["--json", "--confirm", next], next);
      ran = await respond(["--json", "--execute", plan.id], "axios-2026");
    }
  }
  const stateOf = (state: State, id: string) => state.steps.find((one) => one.id === id);
  const found = async (id: string): Promise<readonly string[]> => {
    const report = JSON.parse((await respond(["--report", "--json"])).stdout) as ResponseReport;
    return report.found.filter(({ step }) => step === id).map(({ text }) => text);
  };
  return {
    fixture,
    cwd,
    plan,
    respond,
    carryOut,
    stateOf,
    found,
    lock: (integrity: string) => writeFiles(cwd, { "package-lock.json": lock(integrity) }),
  };
}

test("a version of ours that nobody tagged stops the plan until somebody answers for it", { timeout: 120_000 }, async () => {
  const here = await begun(["v1.0.1"]);
  const own = here.plan.steps.find((step) => step.who === "cordon" && step.action.kind === "revalidate-own")!;
  const state = await here.carryOut();
  expect(here.stateOf(state, own.id)).toMatchObject({
    state: "failed",
    detail: expect.stringMatching(
      /^1 of 2 that appeared since, nobody tagged; first @acme\/kit@1\.0\.2 appeared 2026-03-31T02:00:00\.000Z, by kim/,
    ),
  });
  expect(await here.found(own.id)).toEqual([
    expect.stringMatching(/^@acme\/kit@1\.0\.1 appeared .*; tag v1\.0\.1; signature: 1 hold; provenance: 1 absent$/),
    expect.stringMatching(/^@acme\/kit@1\.0\.2 appeared .*; no tag of git names it; signature: 1 hold; provenance: 1 absent$/),
  ]);
  expect(here.stateOf(state, "verify-1")?.state).toBe("pending");
  await here.respond(["--skip", own.id, "--reason", "withdrawn by kim, npm was told"], own.id);
  const later = await here.carryOut();
  expect(later.steps.filter((one) => one.state !== "done").map((one) => `${one.id} ${one.state}`)).toEqual([`${own.id} skipped`]);
});

test("all versions of ours that are tagged are answered for", { timeout: 120_000 }, async () => {
  const here = await begun(["v1.0.1", "@acme/kit@1.0.2"]);
  const own = here.plan.steps.find((step) => step.who === "cordon" && step.action.kind === "revalidate-own")!;
  expect(here.stateOf(await here.carryOut(), own.id)).toMatchObject({ state: "done", detail: "2 since, each with a tag of git" });
});

test("a version that the registry took away before anybody here saw it is found by its time", { timeout: 120_000 }, async () => {
  const here = await begun(["v1.0.1"]);
  here.fixture.withdraw("@acme/kit", "1.0.2");
  const own = here.plan.steps.find((step) => step.who === "cordon" && step.action.kind === "revalidate-own")!;
  expect(here.stateOf(await here.carryOut(), own.id)).toMatchObject({ state: "failed" });
  expect(await here.found(own.id)).toContain(
    "@acme/kit@1.0.2 appeared 2026-03-31T02:00:00.000Z and is listed no more; no tag of git names it",
  );
});

test("other bytes than the registry's stop the plan; put right, it goes on", { timeout: 120_000 }, async () => {
  const here = await begun(["v1.0.1", "v1.0.2"]);
  const state = await here.carryOut(() => here.lock(`sha512-${"A".repeat(86)}==`));
  expect(here.stateOf(state, "revalidate-1")).toMatchObject({
    state: "failed",
    detail: expect.stringMatching(/^axios@1\.14\.0: the lockfile has sha512-AAAA.*, the registry sha512-/),
  });
  here.lock(here.fixture.integrity("axios", "1.14.0"));
  const good = await here.carryOut();
  expect(here.stateOf(good, "revalidate-1"), JSON.stringify(good.steps)).toMatchObject({
    state: "done",
    detail: "package-lock.json: 1 of 1 versions have the registry's own bytes",
  });
  expect(await here.found("revalidate-1")).toContain("signatures of the registry: 1 hold");
});
