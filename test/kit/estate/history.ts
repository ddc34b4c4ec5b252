/** Repositories whose answer stands in what git remembers: branches, tags, stashes, reflogs, and where it remembers too little. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { grow, tree } from "../tree.ts";
import { commit, git, repository, type Row } from "./estate.ts";
import { npmLock } from "./lockfiles.ts";

const GOOD = { "package-lock.json": npmLock({ axios: "1.14.0" }) };
const BAD = { "package-lock.json": npmLock({ axios: "1.14.1" }) };
const HIT = "2026-03-31T00:52:00Z";
const HEALED = "2026-03-31T09:10:00Z";
const WAS = "resolved: axios@1.14.1: the lockfile named it";

const clear = (commits: number): readonly string[] => [
  "not-exposed",
  "because: package-lock.json names none of them",
  `because: no state of its lockfiles in git names them (${commits} commit${commits === 1 ? "" : "s"})`,
];

/** `resolved`, and the one stretch that git tells of. */
const once = (where: string, file = "package-lock.json"): readonly string[] => [
  "resolved",
  `${WAS} (${where}), ${file}, ${HIT.slice(0, -1)}.000Z`,
];

/** Poisons the lockfile on the branch that is checked out. */
function poison(folder: string, at = HIT): void {
  grow(folder, BAD);
  commit(folder, at, "two");
}

function heal(folder: string, at = HEALED): void {
  grow(folder, GOOD);
  commit(folder, at, "three");
}

export const HISTORY_ROWS: readonly Row[] = [
  {
    at: "git-clear",
    how: "a history without it",
    files: GOOD,
    make: repository,
    says: { "": clear(1) },
  },
  {
    at: "git-reverted",
    how: "poisoned for eight hours and taken back",
    files: GOOD,
    make(folder) {
      repository(folder);
      poison(folder);
      heal(folder);
    },
    says: { "": once("main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)") },
  },
  {
    at: "git-head",
    how: "poisoned to this day",
    files: GOOD,
    make(folder) {
      repository(folder);
      poison(folder);
    },
    says: {
      "": [
        ...once("main, from <commit> (2026-03-31 00:52) and was never taken back there"),
        "resolved: axios@1.14.1: the lockfile names it, package-lock.json:5",
      ],
    },
  },
  {
    at: "git-branch",
    how: "only on a branch that is not checked out",
    files: GOOD,
    make(folder) {
      repository(folder);
      git(folder, HIT, "checkout", "-qb", "dump");
      poison(folder);
      git(folder, HIT, "checkout", "-q", "main");
    },
    says: { "": once("dump, never on main, from <commit> (2026-03-31 00:52) and was never taken back there") },
  },
  {
    at: "git-tag",
    how: "released under a tag, its branch gone and forgotten",
    files: GOOD,
    make(folder) {
      repository(folder);
      git(folder, HIT, "checkout", "-qb", "release");
      poison(folder);
      git(folder, HIT, "tag", "v2.0.0");
      git(folder, HIT, "checkout", "-q", "main");
      git(folder, HIT, "branch", "-qD", "release");
      git(folder, HIT, "reflog", "expire", "--expire=all", "--all");
    },
    says: { "": once("v2.0.0, never on main, from <commit> (2026-03-31 00:52) and was never taken back there") },
  },
  {
    at: "git-stash",
    how: "put aside in a stash, not the newest one",
    files: GOOD,
    make(folder) {
      repository(folder);
      grow(folder, BAD);
      git(folder, HIT, "stash", "-q");
      grow(folder, { "package-lock.json": npmLock({ axios: "1.15.0" }) });
      git(folder, HEALED, "stash", "-q");
    },
    says: { "": once("in a stash, from <commit> (2026-03-31 00:52)") },
  },
  {
    at: "git-stash-new",
    how: "in a stash, as a file git did not know yet",
    files: GOOD,
    make(folder) {
      repository(folder);
      grow(folder, { "app/package-lock.json": BAD["package-lock.json"] });
      git(folder, HIT, "stash", "-q", "--include-untracked");
    },
    says: { "": once("in a stash, from <commit> (2026-03-31 00:52)", "app/package-lock.json") },
  },
  {
    at: "git-staged",
    how: "staged and never committed, the file healed since",
    files: GOOD,
    make(folder) {
      repository(folder);
      grow(folder, BAD);
      git(folder, HIT, "add", ".");
      grow(folder, GOOD);
    },
    says: { "": ["resolved", `${WAS} (staged, in no commit), package-lock.json`] },
  },
  {
    at: "git-detached",
    how: "checked out by its commit, as CI systems do",
    files: GOOD,
    make(folder) {
      repository(folder);
      git(folder, HIT, "checkout", "-q", "--detach");
      poison(folder);
      heal(folder);
    },
    says: { "": once("checked out, on no branch, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)") },
  },
  {
    at: "git-reflog",
    how: "a branch that was deleted",
    files: GOOD,
    make(folder) {
      repository(folder);
      git(folder, HIT, "checkout", "-qb", "gone");
      poison(folder);
      git(folder, HIT, "checkout", "-q", "main");
      git(folder, HIT, "branch", "-qD", "gone");
    },
    says: { "": once("on no branch any more, only in the reflog, from <commit> (2026-03-31 00:52) and was never taken back there") },
  },
  {
    at: "git-merged",
    how: "poisoned on a branch and healed there before it came to main by a merge",
    files: GOOD,
    make(folder) {
      repository(folder);
      git(folder, HIT, "checkout", "-qb", "bump");
      poison(folder);
      heal(folder);
      git(folder, HEALED, "checkout", "-q", "main");
      git(folder, HEALED, "merge", "-q", "--no-ff", "-m", "merge", "bump");
      git(folder, HEALED, "branch", "-qd", "bump");
    },
    says: { "": once("main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)") },
  },
  {
    at: "git-moved",
    how: "the lockfile lived elsewhere, in a folder that is gone",
    files: GOOD,
    make(folder) {
      repository(folder);
      grow(folder, {
        "old/yarn.lock":
          '# yarn lockfile v1\n\n\naxios@^1.13.0:\n  version "1.14.1"\n  resolved "https://registry.test/axios/-/axios-1.14.1.tgz"\n',
      });
      commit(folder, HIT, "two");
      git(folder, HEALED, "rm", "-rq", "old");
      commit(folder, HEALED, "three");
    },
    says: { "": once("main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)", "old/yarn.lock") },
  },
  {
    at: "git-remote",
    how: "on a branch that was only fetched, never checked out",
    make(folder) {
      const origin = tree(GOOD);
      repository(origin);
      git(origin, HIT, "checkout", "-qb", "bot/axios");
      poison(origin);
      git(origin, HIT, "checkout", "-q", "main");
      git(folder, HIT, "clone", "-q", origin, ".");
    },
    says: { "": once("origin/bot/axios, never on main, from <commit> (2026-03-31 00:52) and was never taken back there") },
  },
  {
    at: "git-range-then",
    how: "never a lockfile; while the poisoned version lived the manifest allowed it",
    files: { "package.json": { name: "site", dependencies: { axios: "^1.13.0" } } },
    make(folder) {
      repository(folder);
      grow(folder, { "package.json": { name: "site", dependencies: { axios: "1.15.0" } } });
      commit(folder, "2026-04-10T08:00:00Z", "two");
    },
    says: {
      "": [
        "could-have",
        'could-have: axios@1.14.1: "axios": "^1.13.0" (2026-03-28 10:00 – 2026-04-10 08:00), with no lockfile, resolved to it in the window, by what is recorded of the registry, package.json',
        "missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded",
      ],
    },
  },
  {
    at: "git-range-later",
    how: "never a lockfile; the range was committed when the poisoned version was long gone",
    files: { "package.json": { name: "site", dependencies: { axios: "^1.13.0" } } },
    make: (folder) => repository(folder, "2026-05-01T08:00:00Z"),
    says: {
      "": [
        "unknown",
        "missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded",
        "because: no commit has a lockfile",
      ],
    },
  },
  {
    at: "git-shallow",
    how: "a clone whose history was cut off",
    make(folder) {
      const origin = tree(GOOD);
      repository(origin);
      poison(origin);
      heal(origin);
      git(folder, HIT, "clone", "-q", "--depth", "1", `file://${origin}`, ".");
    },
    says: {
      "": [
        "unknown",
        "missing: shallow clone: nothing before 2026-03-31 to look at",
        "because: package-lock.json names none of them",
        "because: no state of its lockfiles in git names them (1 commit)",
      ],
    },
  },
  {
    at: "git-worktrees",
    how: "a repository with a worktree of a poisoned branch beside it",
    files: Object.fromEntries(Object.entries(GOOD).map(([file, text]) => [`main/${file}`, text])),
    make(folder) {
      const main = join(folder, "main");
      repository(main);
      git(main, HIT, "worktree", "add", "-q", "-b", "hot", join(folder, "hot"));
      poison(join(folder, "hot"));
    },
    says: {
      main: once("hot, never on main, from <commit> (2026-03-31 00:52) and was never taken back there"),
      hot: [
        ...once("hot, never on main, from <commit> (2026-03-31 00:52) and was never taken back there"),
        "resolved: axios@1.14.1: the lockfile names it, package-lock.json:5",
      ],
    },
  },
  {
    at: "git-submodule",
    how: "a submodule that was poisoned before the commit it stands at",
    files: GOOD,
    make(folder) {
      const part = tree(GOOD);
      repository(part);
      poison(part);
      heal(part);
      repository(folder);
      git(folder, HEALED, "submodule", "add", "-q", part, "part");
      commit(folder, HEALED, "with a part");
    },
    says: {
      "": clear(1),
      part: once("main, origin/main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)"),
    },
  },
  {
    at: "git-mirror",
    how: "a bare mirror: history alone",
    make(folder) {
      const origin = tree(GOOD);
      repository(origin);
      poison(origin);
      heal(origin);
      git(folder, HIT, "clone", "-q", "--mirror", origin, ".");
    },
    says: { "": once("main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)") },
  },
  {
    at: "git-foreign",
    how: "a repository of another user, as on a disk that was copied by root",
    files: GOOD,
    make(folder) {
      repository(folder);
      poison(folder);
      heal(folder);
      if (process.getuid?.() === 0) execFileSync("chown", ["-R", "4711:4711", folder]);
    },
    says: { "": once("main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)") },
  },
  {
    at: "git-partial",
    how: "a partial clone whose origin is a command: what it lacks is missing, and nothing is run",
    files: GOOD,
    make(folder) {
      repository(folder);
      poison(folder);
      heal(folder);
      const blob = git(folder, HIT, "rev-parse", "HEAD~1:package-lock.json");
      rmSync(join(folder, ".git/objects", blob.slice(0, 2), blob.slice(2)));
      const settings = {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ext::touch trap-was-sprung.tgz",
        "protocol.ext.allow": "always",
      };
      for (const [key, value] of Object.entries(settings)) git(folder, HIT, "config", key, value);
    },
    says: {
      "": [
        "unknown",
        "missing: git history: a state of package-lock.json is not in this clone (<object>)",
        "because: package-lock.json names none of them",
        "because: no state of its lockfiles in git names them (3 commits)",
      ],
    },
  },
  {
    at: "git-broken",
    how: "a repository that is damaged",
    files: { ...GOOD, ".git/HEAD": "ref: refs/heads/main\n" },
    says: {
      "": [
        "unknown",
        "missing: git history: fatal: not a git repository (or any of the parent directories): .git",
        "because: package-lock.json names none of them",
      ],
    },
  },
];
