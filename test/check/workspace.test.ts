/** What stands beside a lockfile and cannot be read is said: it may hold the overrides and the members that decide what is right. */
import { expect, test } from "vitest";
import { product } from "../kit/app.ts";
import { startFixture } from "../kit/fixture.ts";
import { tempFolder } from "../kit/temp.ts";

async function check(files: Readonly<Record<string, unknown>>) {
  const fixture = await startFixture({ packages: ["cases"], at: "2026-03-31T00:43:00Z" });
  const app = await product({ fixture, cwd: tempFolder(files) });
  const { code, stdout } = await app.cordon(["check", "--json"]);
  const { findings } = JSON.parse(stdout) as {
    readonly findings: readonly { readonly rule: string; readonly path: string; readonly line?: number }[];
  };
  return { code, findings };
}

test("a pnpm-workspace.yaml that is no YAML is a finding with its place", async () => {
  const { code, findings } = await check({
    "package.json": { name: "shop" },
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n",
    "pnpm-workspace.yaml": "packages:\n  - 'a\noverrides: [\n",
  });
  expect(findings).toContainEqual(expect.objectContaining({ rule: "manifest-malformed", path: "pnpm-workspace.yaml" }));
  expect(code).toBe(1);
});

test("npm is told not to read its lockfile, however that is spelled", async () => {
  const { findings } = await check({
    "package.json": { name: "shop" },
    "package-lock.json": { name: "shop", lockfileVersion: 3, packages: { "": { name: "shop" } } },
    ".npmrc": '; ours\npackage-lock = "false"\n',
  });
  expect(findings).toContainEqual(expect.objectContaining({ rule: "lockfile-ignored", path: "package-lock.json" }));
});
