/** Real git, in repositories made here; the person's checkout is compared before and after. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { tempFolder, writeFiles } from "../../../test/kit/temp.ts";
import { branchBase, deleteBranch, onBranch, openBranch, tagsOf, tipOf, type Worktree } from "./branch.ts";

const ENV = { PATH: process.env["PATH"], HOME: "/nowhere", GIT_CONFIG_NOSYSTEM: "1" };

type Repository = { readonly root: string; readonly folder: string; git(...args: readonly string[]): string; base(): string };

function repository(files: Readonly<Record<string, unknown>>): Repository {
  const folder = tempFolder({});
  const root = path.join(folder, "repo");
  writeFiles(root, files);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", root, "-c", "user.name=jo", "-c", "user.email=jo@example.test", ...args], {
      env: ENV,
      stdio: ["ignore", "pipe", "ignore"],
    }).toString();
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-q", "-m", "first");
  return { root, folder, git, base: () => git("rev-parse", "HEAD").trim() };
}

const LOCKED = { "app/package.json": "{}", "app/package-lock.json": "poisoned", "app/src.js": "1" };
const MARK = "Cordon-Response: 0123456789ab rollback-1";

function opened({ folder, root, base }: Repository) {
  const where = { root: path.join(root, "app"), base: base(), branch: "cordon/respond-x-app" };
  const open = (mark = MARK) => openBranch(where, { folder: path.join(folder, "checkout"), mark, env: ENV });
  return { where, open };
}

function isWorktree(one: Worktree | { readonly made: string }): asserts one is Worktree {
  if ("made" in one) throw new Error(`made before: ${one.made}`);
}

test("the branch has one commit, and the person's checkout, index and branch are as they were", async () => {
  const repo = repository(LOCKED);
  writeFiles(repo.root, { "app/src.js": "2", "app/new.js": "3" });
  repo.git("add", "app/new.js");
  const before = [repo.git("status", "--porcelain"), repo.git("symbolic-ref", "HEAD"), repo.git("worktree", "list")];
  const { where, open } = opened(repo);
  const worktree = await open();
  isWorktree(worktree);
  expect(fs.readFileSync(path.join(worktree.project, "src.js"), "utf8")).toBe("1");
  writeFiles(worktree.project, { "package-lock.json": "good", "pnpm-workspace.yaml": "overrides: {}", "node_modules/x/index.js": "" });
  const commit = await worktree.commit(["package-lock.json", "pnpm-workspace.yaml"], "back to good", "mara");
  await worktree.close();
  expect([repo.git("status", "--porcelain"), repo.git("symbolic-ref", "HEAD"), repo.git("worktree", "list")]).toEqual(before);
  expect(fs.existsSync(path.join(repo.folder, "checkout"))).toBe(false);
  expect(await tipOf(where, ENV)).toBe(commit);
  expect(repo.git("diff", "--name-only", where.base, commit).trim().split("\n")).toEqual([
    "app/package-lock.json",
    "app/pnpm-workspace.yaml",
  ]);
  expect(repo.git("log", "-1", "--format=%an <%ae>%n%B", commit).trim()).toBe(`mara <mara@localhost>\nback to good\n\n${MARK}`);
  expect(String(Buffer.from((await onBranch(where, "package-lock.json", ENV))!))).toBe("good");
  // The same run again, after it was killed behind the commit.
  expect(await open()).toEqual({ made: commit });
  await expect(open("Cordon-Response: another plan")).rejects.toMatchObject({ code: "USAGE" });
});

test("a run that was killed before its commit is begun anew; without a commit no branch stays", async () => {
  const repo = repository(LOCKED);
  const { where, open } = opened(repo);
  const killed = await open();
  isWorktree(killed);
  writeFiles(killed.project, { "package-lock.json": "half" });
  const again = await open();
  isWorktree(again);
  expect(fs.readFileSync(path.join(again.project, "package-lock.json"), "utf8")).toBe("poisoned");
  await again.close();
  expect(await tipOf(where, ENV)).toBeUndefined();
  expect(repo.git("worktree", "list").trim().split("\n")).toHaveLength(1);
});

test("taking back deletes the branch while it is as it was made, and never what others put on it or have checked out", async () => {
  const repo = repository(LOCKED);
  const { where, open } = opened(repo);
  const make = async (): Promise<string> => {
    const worktree = await open();
    isWorktree(worktree);
    writeFiles(worktree.project, { "package-lock.json": "good" });
    const commit = await worktree.commit(["package-lock.json"], "good", "mara");
    await worktree.close();
    return commit;
  };
  const commit = await make();
  repo.git("switch", "-q", where.branch);
  await expect(deleteBranch(where, commit, ENV)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  repo.git("commit", "-q", "--allow-empty", "-m", "mine");
  repo.git("switch", "-q", "main");
  await expect(deleteBranch(where, commit, ENV)).rejects.toMatchObject({ code: "EDITED_SINCE" });
  repo.git("branch", "-q", "-f", where.branch, commit);
  await deleteBranch(where, commit, ENV);
  expect(await tipOf(where, ENV)).toBeUndefined();
  await deleteBranch(where, commit, ENV);
});

test("nothing a repository configures is run: no hook, no filter, no signing", async () => {
  const repo = repository({ ...LOCKED, ".gitattributes": "* filter=evil\n" });
  const ran = path.join(repo.folder, "ran");
  const evil = path.join(repo.folder, "evil");
  fs.writeFileSync(evil, `#!/bin/sh\necho "$0" >> ${ran}\ncat\n`, { mode: 0o755 });
  for (const name of ["post-checkout", "pre-commit", "post-commit", "prepare-commit-msg", "reference-transaction", "post-index-change"])
    fs.writeFileSync(path.join(repo.root, ".git/hooks", name), `#!/bin/sh\necho ${name} >> ${ran}\n`, { mode: 0o755 });
  for (const [key, value] of [
    ["filter.evil.smudge", evil],
    ["filter.evil.clean", evil],
    ["filter.evil.process", evil],
    ["filter.evil.required", "true"],
    ["core.fsmonitor", evil],
    ["commit.gpgSign", "true"],
    ["gpg.program", evil],
  ] as const)
    fs.appendFileSync(
      path.join(repo.root, ".git/config"),
      `[${key
        .split(".")
        .slice(0, -1)
        .map((part, at) => (at === 0 ? part : `"${part}"`))
        .join(" ")}]\n\t${key.split(".").at(-1)} = ${value}\n`,
    );
  const { where, open } = opened({ ...repo, base: () => fs.readFileSync(path.join(repo.root, ".git/refs/heads/main"), "utf8").trim() });
  expect(await branchBase(where.root, ENV)).toEqual({ base: where.base });
  const worktree = await open();
  isWorktree(worktree);
  writeFiles(worktree.project, { "package-lock.json": "good" });
  const commit = await worktree.commit(["package-lock.json"], "good", "mara");
  await worktree.close();
  await deleteBranch(where, commit, ENV);
  expect(fs.existsSync(ran)).toBe(false);
});

test("where no branch can be made without touching what lies there, it is said why", async () => {
  const why = async (root: string): Promise<string> => {
    const one = await branchBase(root, ENV);
    return "why" in one ? one.why : "";
  };
  const repo = repository(LOCKED);
  const app = path.join(repo.root, "app");
  expect(await branchBase(app, ENV)).toEqual({ base: repo.base() });
  writeFiles(repo.root, { "app/src.js": "2", "app/notes.txt": "x" });
  expect(await branchBase(app, ENV)).toEqual({ base: repo.base() });
  writeFiles(repo.root, { "app/package.json": '{"x":1}' });
  expect(await why(app)).toBe("app/package.json has changes that are not committed; commit or put them away first");
  repo.git("checkout", "-q", "app/package.json");
  writeFiles(repo.root, { "app/yarn.lock": "" });
  expect(await why(app)).toBe("git does not keep its yarn.lock");
  expect(await why(tempFolder({ "package-lock.json": "" }))).toBe("it lies in no repository of git");
  const empty = tempFolder({});
  execFileSync("git", ["-C", empty, "init", "-q"], { env: ENV });
  expect(await why(empty)).toBe("nothing was ever committed there");
  expect(await branchBase(app, { ...ENV, PATH: "/nowhere" })).toEqual({ why: "git is not here" });
  // Which programs its settings name is not known then.
  writeFiles(repo.root, { ".git/config": "no settings" });
  expect(await why(app)).toContain("git cannot read its settings");
});

test("tags are listed, and where they cannot be it is said", async () => {
  const repo = repository(LOCKED);
  repo.git("tag", "v1.0.0");
  expect(await tagsOf(repo.root, ENV)).toEqual(["v1.0.0"]);
  expect(await tagsOf(tempFolder({}), ENV)).toMatchObject({ why: expect.stringContaining("not a git repository") });
});
