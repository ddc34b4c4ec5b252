/** `cordon lockfile normalize` on real files: what it says, writes and leaves. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { product } from "../../../test/kit/app.ts";
import { startFixture } from "../../../test/kit/fixture.ts";
import { tree, type Tree } from "../../../test/kit/tree.ts";

async function project(files: Tree) {
  const registry = await startFixture({ packages: ["cases"], at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => registry.stop());
  const cwd = tree({ "package.json": { name: "site" }, ...files });
  const made = await product({ fixture: registry, cwd });
  onTestFinished(() => made.stop());
  return { run: (...argv: string[]) => made.cordon(["lockfile", ...argv]), read: (name: string) => readFileSync(join(cwd, name), "utf8") };
}

const bunLock = (url: string) =>
  `{\n  "lockfileVersion": 1,\n  "workspaces": { "": { "dependencies": { "axios": "^1.13.0" } } },\n  "packages": {\n    "axios": ["axios@1.14.0", "${url}", {}, "sha512-${"A".repeat(86)}=="],\n  }\n}\n`;

test("a foreign URL fails the check, is rewritten, and then nothing is left to do", async () => {
  const before = bunLock("http://old-mirror.test/axios/-/axios-1.14.0.tgz");
  const it = await project({ "bun.lock": before });
  const checked = await it.run("normalize", "--check");
  expect(checked).toMatchObject({ code: 1, stderr: "" });
  expect(checked.stdout).toBe(
    "bun.lock · 1 URL to rewrite · name, version and integrity of 1 package stay\n" +
      "  line 5   axios   http://old-mirror.test/axios/-/axios-1.14.0.tgz → no URL\n" +
      "  rewrite them   cordon lockfile normalize\n",
  );
  expect(it.read("bun.lock")).toBe(before);

  expect(await it.run("normalize")).toMatchObject({ code: 0 });
  expect(it.read("bun.lock")).toBe(bunLock(""));
  const again = await it.run("normalize", "--check", "--json");
  expect(again.code).toBe(0);
  expect(JSON.parse(again.stdout)).toEqual({
    schema: "cordon.lockfile/1",
    files: [{ path: "bun.lock", entries: 1, changed: [], left: [] }],
    written: false,
  });
});

test("files are named by path; one that cannot be read whole stops everything before anything is written", async () => {
  const before = bunLock("http://old-mirror.test/axios/-/axios-1.14.0.tgz");
  const it = await project({ "a/bun.lock": before, "b/bun.lock": before.slice(0, -10) });
  expect(await it.run("normalize", "a/bun.lock", "b/bun.lock")).toMatchObject({ code: 3 });
  expect(it.read("a/bun.lock")).toBe(before);
  expect(await it.run("normalize", "a/bun.lock")).toMatchObject({ code: 0 });
  expect(it.read("a/bun.lock")).toBe(bunLock(""));
  expect(await it.run("normalize")).toMatchObject({ code: 2 });
  expect(await it.run("tidy")).toMatchObject({ code: 2 });
});
