/** `cordon check --since` in a real git repository over the fixture registry: the change of a branch, and nothing that was there before. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { product } from "../kit/app.ts";
import { startFixture } from "../kit/fixture.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";

const NOW = "2026-03-31T00:43:00Z";

type Locked = Readonly<Record<string, { readonly version: string; readonly resolved?: string; readonly dependencies?: object }>>;

function lockfile(dependencies: Readonly<Record<string, string>>, packages: Locked): Readonly<Record<string, unknown>> {
  const entries = Object.entries(packages).map(([name, entry]) => [`node_modules/${name}`, entry]);
  return {
    name: "shop",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "shop", dependencies }, ...Object.fromEntries(entries) },
  };
}

const BEFORE = {
  "package.json": { name: "shop", dependencies: { axios: "^1.13.0" } },
  "package-lock.json": lockfile(
    { axios: "^1.13.0" },
    {
      axios: { version: "1.14.0", dependencies: { "form-data": "^4.0.0" } },
      "form-data": { version: "4.0.4", resolved: "https://cdn.example.test/form-data-4.0.4.tgz" },
    },
  ),
};

const AFTER = {
  "package-lock.json": lockfile(
    { axios: "^1.13.0" },
    {
      axios: { version: "1.14.1", dependencies: { "form-data": "^4.0.0", "plain-crypto-js": "^4.2.1" } },
      "form-data": { version: "4.0.4", resolved: "https://cdn.example.test/form-data-4.0.4.tgz" },
      "plain-crypto-js": { version: "4.2.1" },
    },
  ),
};

async function opened(env: Readonly<Record<string, string>> = {}): Promise<{
  cordon: (...args: string[]) => Promise<{ code: number; stdout: string; stderr: string }>;
  folder: string;
}> {
  const folder = tempFolder(BEFORE);
  const git = (...args: string[]): void => {
    const identity = ["-c", "user.name=mara", "-c", "user.email=mara@example.test", "-c", "commit.gpgsign=false"];
    execFileSync("git", ["-C", folder, ...identity, ...args], { stdio: "pipe" });
  };
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "--message=before");
  git("checkout", "--quiet", "-b", "bump");
  writeFiles(folder, AFTER);
  git("commit", "--quiet", "--all", "--message=after");
  const fixture = await startFixture({ packages: ["axios", "cases"], at: NOW });
  const app = await product({ fixture, cwd: folder, env });
  return { folder, cordon: async (...args) => ({ ...(await app.cordon(args)) }) };
}

test("a branch's new versions are told with what is known of them, and what stood before is not", async () => {
  const { cordon } = await opened();
  const { code, stdout } = await cordon("check", "--since", "main");
  expect(stdout).toContain("2 versions new to this branch · 2 held · 0 with a known advisory · 1 unchanged");
  expect(stdout).toMatch(/\+ axios +1\.14\.0 → 1\.14\.1 +held until 2026-04-03T00:21Z: young-release/);
  expect(stdout).toMatch(/\+ plain-crypto-js +4\.2\.1 +held/);
  // form-data came from that host before, too: no news of this branch.
  expect(stdout).not.toContain("cdn.example.test");
  expect(code).toBe(1);
  const whole = await cordon("check");
  expect(whole.stdout).toContain("cdn.example.test");
});

test("the same as the comment of a pull request, and as JSON", async () => {
  const { cordon } = await opened();
  const { stdout } = await cordon("check", "--since", "main", "--format", "markdown");
  expect(stdout).toMatch(/^<!-- cordon check --since -->\n### cordon: 2 versions new to this branch/);
  expect(stdout).toContain("`axios`");
  const { changes, findings } = JSON.parse((await cordon("check", "--since", "main", "--json")).stdout) as {
    readonly changes: readonly { readonly moved: readonly { readonly name: string; readonly direction: string }[] }[];
    readonly findings: readonly { readonly rule: string; readonly name: string }[];
  };
  expect(changes[0]!.moved).toMatchObject([{ name: "axios", direction: "up" }]);
  expect(findings.map(({ rule, name }) => `${rule} ${name}`)).toContain("held axios");
});

test("run as a hook, with git's own variables set, it still reads the repository in front of it", async () => {
  const { cordon } = await opened({ GIT_DIR: tempFolder() });
  expect((await cordon("check", "--since", "main", "--offline")).stdout).toContain("2 versions new to this branch");
});

test("nothing new is nothing to act on, and a commit git does not know is an error", async () => {
  const { cordon } = await opened();
  expect((await cordon("check", "--since", "HEAD")).stdout).toContain("0 versions new to this branch");
  const unknown = await cordon("check", "--since", "nowhere");
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("git knows no commit nowhere");
});
