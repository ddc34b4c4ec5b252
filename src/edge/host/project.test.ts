/** A project's root, workspaces, lockfiles and settings files, as the clients themselves see them. */
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { link, tree } from "../../../test/kit/tree.ts";
import type { Surroundings } from "./places.ts";
import { findProject, localProgram, projectRanges, settingsFiles, workingFolder, workspacesOf } from "./project.ts";

function within(root: string, folders: readonly string[]): string[] {
  return folders.map((folder) => path.relative(root, folder));
}

test("the root is the nearest manifest, or the workspace root above that counts it in", () => {
  const root = tree({
    "package.json": { workspaces: ["packages/*", "!packages/out"] },
    "packages/a/package.json": {},
    "packages/a/src/deep/x.ts": "",
    "packages/out/package.json": {},
    "packages/none/x": "",
    "other/package.json": {},
  });
  expect(findProject(path.join(root, "packages/a/src/deep")).root).toBe(root);
  expect(findProject(path.join(root, "packages/out")).root).toBe(path.join(root, "packages/out"));
  expect(findProject(path.join(root, "other")).root).toBe(path.join(root, "other"));
  expect(within(root, findProject(root).workspaces)).toEqual(["packages/a"]);
  const bare = tree({ "sub/x": "" });
  expect(findProject(path.join(bare, "sub")).root).toBe(path.join(bare, "sub"));
});

test("workspaces of npm, yarn, pnpm and deno; nothing outside the root, in node_modules or behind a link", () => {
  const root = tree({
    "package.json": { workspaces: { packages: ["./apps/**", "tools/{x,y}", "../outside", "libs/l?b/"] } },
    "pnpm-workspace.yaml": "packages:\n  - pnpm-only\n",
    "deno.json": { workspace: ["./deno-only"] },
    "apps/one/package.json": {},
    "apps/group/two/package.json": {},
    "apps/one/node_modules/dep/package.json": {},
    "apps/.hidden/package.json": {},
    "apps/away": link(".."),
    "tools/x/package.json": {},
    "tools/z/package.json": {},
    "libs/lib/package.json": {},
    "libs/lab/readme": "",
    "pnpm-only/package.json": {},
    "deno-only/deno.json": {},
  });
  expect(within(root, workspacesOf(root))).toEqual(["apps/group/two", "apps/one", "deno-only", "libs/lib", "pnpm-only", "tools/x"]);
  expect(workspacesOf(tree({ "package.json": "{", "pnpm-workspace.yaml": "a: [" }))).toEqual([]);
  expect(workspacesOf(tree({ "package.json": { workspaces: ["{a", 1, "", "**"] } }))).toEqual([]);
});

function clients(files: Record<string, string>): string[] {
  return findProject(tree(files)).lockfiles.map((each) => `${each.client} ${path.basename(each.path)}`);
}

test("lockfiles belong to the client that writes them; yarn.lock to the yarn its header names", () => {
  expect(
    clients({ "package-lock.json": "{}", "npm-shrinkwrap.json": "{}", "bun.lock": "", "pnpm-lock.yaml": "", "deno.lock": "" }),
  ).toEqual(["npm npm-shrinkwrap.json", "npm package-lock.json", "pnpm pnpm-lock.yaml", "bun bun.lock", "deno deno.lock"]);
  expect(clients({ "yarn.lock": "# yarn lockfile v1\n" })).toEqual(["yarn-classic yarn.lock"]);
  expect(clients({ "yarn.lock": "# x\n\n__metadata:\n  version: 8\n" })).toEqual(["yarn-berry yarn.lock"]);
});

test("declared ranges of every kind; what a manifest should not hold is passed over", () => {
  const root = tree({
    "package.json": {
      dependencies: { a: "^1", b: 1 },
      devDependencies: { a: "^2", c: "file:./c" },
      peerDependencies: { d: "*" },
      optionalDependencies: [],
    },
  });
  expect(Object.fromEntries(projectRanges(root))).toEqual({ a: "^1", c: "file:./c", d: "*" });
  expect(projectRanges(tree()).size).toBe(0);
});

test("settings files of project and user, each once; one that cannot be read is an error", () => {
  const home = tree({
    ".npmrc": "a=1",
    ".bunfig.toml": "b",
    "custom/npmrc": "c",
    "app/.npmrc": "p",
    "app/.pnpmfile.cjs": "x",
    "app/pnpm-workspace.yaml": "y",
    "app/sub/.npmrc": "not this one",
  });
  const at: Surroundings = { env: {}, home, temporary: "/nonexistent", platform: "linux" };
  const listed = (root: string, surroundings: Surroundings): string[] =>
    settingsFiles(root, surroundings).map((each) => `${each.level} ${path.relative(home, path.resolve(root, each.path))}`);
  const app = path.join(home, "app");
  expect(listed(app, at)).toEqual([
    "project app/.npmrc",
    "project app/pnpm-workspace.yaml",
    "project app/.pnpmfile.cjs",
    "user .npmrc",
    "user .bunfig.toml",
  ]);
  expect(listed(app, { ...at, env: { npm_config_userconfig: path.join(home, "custom/npmrc") } })).toContain("user custom/npmrc");
  expect(listed(home, at).filter((line) => line.endsWith(".npmrc"))).toEqual(["project .npmrc"]);
  fs.rmSync(path.join(app, ".npmrc"));
  fs.mkdirSync(path.join(app, ".npmrc"));
  expect(() => settingsFiles(app, at)).toThrow(expect.objectContaining({ code: "INPUT_UNREADABLE" }));
});

test("a program of the project is found where npx would find it, and only by its plain name", () => {
  const root = tree({ "node_modules/.bin/eslint": "", "packages/a/x": "", secret: "" });
  expect(localProgram(path.join(root, "packages/a"), "eslint")).toBe(path.join(root, "node_modules/.bin/eslint"));
  for (const spec of ["eslint@8", "@acme/eslint", "../../secret", "none"]) expect(localProgram(root, spec)).toBeUndefined();
});

test("a folder named on the command line may be the root as it stands, or a member of a workspace above", () => {
  const root = tree({ "package.json": { workspaces: ["packages/*"] }, "packages/a/package.json": {}, "sub/x": "" });
  const [member, sub, missing] = [path.join(root, "packages/a"), path.join(root, "sub"), path.join(root, "none/such")];
  expect([member, sub, missing].map((folder) => findProject(folder, "root").root)).toEqual([member, sub, missing]);
  expect([member, sub, missing].map((folder) => findProject(folder, "project").root)).toEqual([root, sub, missing]);
  expect([member, sub, missing].map((folder) => findProject(folder, "inside").root)).toEqual([root, root, root]);
});

test("the folder a command works in need not exist; links are resolved as far as it does", () => {
  const root = tree({ "site/x": "", alias: link("site") });
  expect(workingFolder(root, "site")).toBe(path.join(root, "site"));
  expect(workingFolder(root, undefined)).toBe(root);
  expect(workingFolder(root, "alias/none/such")).toBe(path.join(root, "site/none/such"));
  expect(() => workingFolder(root, "site/x/none")).toThrow(expect.objectContaining({ code: "USAGE" }));
});
