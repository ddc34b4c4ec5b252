/** `cordon policy sync` on real files: shown, checked, written, in step, taken back. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { product } from "../../../test/kit/app.ts";
import { startFixture } from "../../../test/kit/fixture.ts";
import { tree, type Tree } from "../../../test/kit/tree.ts";

async function project(files: Tree, config?: string) {
  const registry = await startFixture({ packages: ["axios"], at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => registry.stop());
  const cwd = tree(files);
  const made = await product({ fixture: registry, cwd, ...(config === undefined ? {} : { config }) });
  onTestFinished(() => made.stop());
  const run = (argv: readonly string[]) => made.cordon(argv);
  return { cwd, run, read: (name: string) => readFileSync(join(cwd, name), "utf8"), has: (name: string) => existsSync(join(cwd, name)) };
}

const LOCK = {
  lockfileVersion: 3,
  packages: {
    "": { dependencies: { axios: "^1.13.0" } },
    "node_modules/axios": {
      version: "1.14.0",
      resolved: "http://registry.test/axios/-/axios-1.14.0.tgz",
      integrity: `sha512-${"A".repeat(86)}==`,
    },
  },
};

test("what is weaker is shown and fails a check; written it is in step; undo gives back the exact bytes", async () => {
  const npmrc = "; ours\r\nmin-release-age=1\r\n//npm.corp.test/:_authToken=s3cret-value\r\n";
  const it = await project({ ".npmrc": npmrc, "package.json": { name: "site" }, "package-lock.json": LOCK });

  const shown = await it.run(["policy", "sync"]);
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toContain("cordon policy sync · 4 settings weaker than the policy · new versions wait 3 d");
  expect(shown.stdout).toContain(".npmrc:2   min-release-age: 1; the policy says 3 days (3 d)");
  expect(shown.stdout).toContain("-min-release-age=1\n+min-release-age=3\n");
  expect(shown.stdout).not.toContain("s3cret");
  expect(it.read(".npmrc")).toBe(npmrc);

  expect(await it.run(["policy", "sync", "--check"])).toMatchObject({ code: 1 });
  expect(it.read(".npmrc")).toBe(npmrc);

  const wrote = await it.run(["policy", "sync", "--write"]);
  expect(wrote).toMatchObject({ code: 0 });
  expect(wrote.stdout).toContain("wrote .npmrc\n  take it back   cordon setup undo\n");
  expect(it.read(".npmrc")).toBe(`${npmrc.replace("age=1", "age=3")}strict-allow-scripts=true\r\nallow-git=none\r\nallow-remote=none\r\n`);

  const again = await it.run(["policy", "sync", "--check"]);
  expect(again).toMatchObject({
    code: 0,
    stdout: "cordon policy sync · every setting is in step · new versions wait 3 d\n  npm   by package-lock.json\n",
  });
  expect((await it.run(["policy", "sync", "--write"])).stdout).not.toContain("wrote");

  expect(await it.run(["setup", "undo"])).toMatchObject({ code: 0, stdout: "restored .npmrc\n" });
  expect(it.read(".npmrc")).toBe(npmrc);
});

test("holes keep a check failing, with file and line, and the policy's own packages are none", async () => {
  const workspace = [
    "minimumReleaseAge: 4320",
    "strictDepBuilds: true",
    "blockExoticSubdeps: true",
    "minimumReleaseAgeExclude:",
    "  - axios@1.14.1",
    "  - '@types/*'",
    "  - '@acme/*'",
    "",
  ].join("\n");
  const lock = [
    "lockfileVersion: '9.0'",
    "importers:",
    "  .:",
    "    dependencies:",
    "      axios:",
    "        specifier: ^1.13.0",
    "        version: 1.14.0",
    "packages:",
    "  axios@1.14.0:",
    `    resolution: {integrity: sha512-${"A".repeat(86)}==}`,
    "snapshots:",
    "  axios@1.14.0: {}",
    "",
  ].join("\n");
  const it = await project(
    { "package.json": { name: "site" }, "pnpm-workspace.yaml": workspace, "pnpm-lock.yaml": lock },
    "policy:\n  private: ['@acme/*']\n",
  );
  const ran = await it.run(["policy", "sync", "--check", "--json"]);
  expect(ran.code).toBe(1);
  const json = JSON.parse(ran.stdout);
  expect(json).toMatchObject({ schema: "cordon.policy-sync/1", changes: [], written: false, holdMs: 259_200_000 });
  expect(json.findings).toMatchObject([
    { kind: "stale-hole", path: "pnpm-workspace.yaml", line: 5, client: "pnpm" },
    { kind: "scope-wide-hole", path: "pnpm-workspace.yaml", line: 6 },
  ]);
});

test("a version that is served without it is a stale hole", async () => {
  const files = {
    "package.json": { name: "site" },
    "pnpm-workspace.yaml":
      "minimumReleaseAge: 4320\nstrictDepBuilds: true\nblockExoticSubdeps: true\nminimumReleaseAgeExclude: [axios@1.14.0]\n",
    "pnpm-lock.yaml": `lockfileVersion: '9.0'\npackages:\n  axios@1.14.0:\n    resolution: {integrity: sha512-${"A".repeat(86)}==}\nsnapshots:\n  axios@1.14.0: {}\n`,
  };
  const it = await project(files);
  // Nothing is known of it before somebody asked.
  expect(await it.run(["policy", "sync", "--check"])).toMatchObject({ code: 0 });
  await it.run(["why", "axios@1.14.0"]);
  const ran = await it.run(["policy", "sync", "--check"]);
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stdout).toContain("pnpm-workspace.yaml:4   minimumReleaseAgeExclude: axios@1.14.0: old enough by now, and served without it");
});

test("what stands between showing and writing is not overwritten, and words that make no sense are refused", async () => {
  const it = await project({ "package.json": { name: "site" }, ".yarnrc.yml": "a: [\n", "yarn.lock": "__metadata:\n  version: 10\n" });
  const ran = await it.run(["policy", "sync", "--write"]);
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stdout).toContain("left alone .yarnrc.yml:");
  expect(it.read(".yarnrc.yml")).toBe("a: [\n");
  writeFileSync(join(it.cwd, ".yarnrc.yml"), "");
  expect(await it.run(["policy", "sync", "--write"])).toMatchObject({ code: 0 });
  expect(it.read(".yarnrc.yml")).toBe("npmMinimalAgeGate: 4320\nenableScripts: false\n");
  expect(await it.run(["policy", "sync", "--write", "--check"])).toMatchObject({ code: 2 });
  expect(await it.run(["policy", "show", "--write"])).toMatchObject({ code: 2 });
});
