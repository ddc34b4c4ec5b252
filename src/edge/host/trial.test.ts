/** The copy a client is tried in, and its end, with programs that only tell what they see; the real clients are in test/clients. */
import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tree, type Tree } from "../../../test/kit/tree.ts";
import { type TrialRequest, tryClient } from "./trial.ts";

const NAME = "@cordon-doctor/control-0123456789abcdef";

/** A client made of a shell script. */
function program(script: string): string {
  const folder = tree({ client: `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, "client"), 0o755);
  return join(folder, "client");
}

async function tried(script: string, more: Partial<TrialRequest> & { readonly files?: Tree } = {}) {
  const temporary = tree();
  const home = tree(more.files ?? {});
  const root = more.root === undefined ? undefined : join(home, more.root);
  const end = await tryClient({
    client: "npm",
    binary: program(script),
    dependency: NAME,
    env: { PATH: process.env["PATH"], MINE: "kept", NPM_CONFIG_CACHE: "/mine" },
    temporary,
    ...more,
    root,
  });
  expect(readdirSync(temporary)).toEqual([]);
  return { ...end, home, lines: end.output.trim().split("\n") };
}

test("the copy has the configuration at the same places, and neither sources nor lockfiles", async () => {
  const files: Tree = {
    ".yarnrc.yml": "enableTelemetry: false\n",
    ".npmrc": "registry=https://a.test/\n",
    "code/.npmrc": "registry=https://b.test/\n",
    "code/site/.npmrc": "registry=https://c.test/\ncafile=certs/ca.pem\n",
    "code/site/certs/ca.pem": "PEM",
    "code/site/.yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.cjs\nplugins:\n  - path: .yarn/plugins/x.cjs\n    spec: x\n",
    "code/site/.yarn/releases/yarn-4.cjs": "yarn",
    "code/site/.yarn/plugins/x.cjs": "plugin",
    "code/site/pnpm-workspace.yaml": "packages: [a]\ncatalog: { a: 1.0.0 }\nregistry: https://d.test/\n",
    "code/site/bunfig.toml": "[install]\nfrozenLockfile = true\n",
    "code/site/package.json": { name: "secret-project", dependencies: { axios: "^1.0.0" } },
    "code/site/package-lock.json": {},
    "code/site/src/index.js": "x",
  };
  const { lines, home } = await tried("cd ../..; find . -type f | sort; cat code/site/package.json code/site/pnpm-workspace.yaml; pwd", {
    files,
    root: "code/site",
    packageManager: "npm@11.19.1",
  });
  const at = lines.indexOf("./code/site/pnpm-workspace.yaml");
  expect(lines.slice(0, at + 1)).toEqual([
    "./.npmrc",
    "./.yarnrc.yml",
    "./code/.npmrc",
    "./code/site/.npmrc",
    "./code/site/.yarn/plugins/x.cjs",
    "./code/site/.yarn/releases/yarn-4.cjs",
    "./code/site/.yarnrc.yml",
    "./code/site/bunfig.toml",
    "./code/site/certs/ca.pem",
    "./code/site/package.json",
    "./code/site/pnpm-workspace.yaml",
  ]);
  const rest = lines.slice(at + 1).join("\n");
  expect(rest).toContain(`"${NAME}": "1.0.0"`);
  expect(rest).toContain('"packageManager": "npm@11.19.1"');
  expect(rest).toContain("registry: https://d.test/");
  for (const gone of ["secret-project", "axios", "catalog"]) expect(rest).not.toContain(gone);
  expect(lines.at(-1)!.endsWith(join("files", home))).toBe(true);
});

test("the environment is the user's own, with the client's cache in an empty folder", async () => {
  const { lines } = await tried('echo "$MINE"; echo "$NPM_CONFIG_CACHE"; ls "$npm_config_cache" | wc -l; echo "$@"');
  expect(lines.map((line) => line.trim())).toEqual(["kept", "", "0", "install --ignore-scripts --no-audit --no-fund"]);
});

test("what arrived is what lies in node_modules", async () => {
  const arrive = (name: string) => `mkdir -p node_modules/${NAME}; echo '{"name": "${name}"}' > node_modules/${NAME}/package.json`;
  expect(await tried(arrive(NAME))).toMatchObject({ status: 0, arrived: true });
  expect(await tried(arrive("other"))).toMatchObject({ status: 0, arrived: false });
  expect(await tried("exit 7")).toMatchObject({ status: 7, arrived: false, timedOut: false });
});

test("a client that does not end is killed with all it started", async () => {
  // The trial ends only when the last holder of its pipes is gone.
  expect(await tried("sleep 60 & sleep 60", { ceiling: 300 })).toMatchObject({ status: undefined, timedOut: true });
});

test("what a client leaves running does not keep the trial open", async () => {
  expect(await tried("sleep 60 & echo done")).toMatchObject({ status: 0, timedOut: false, output: "done\n" });
});

test("a program that cannot be started is said to be one", async () => {
  const missing = await tryClient({ client: "npm", binary: "/nowhere/npm", root: undefined, dependency: NAME, env: {}, temporary: tree() });
  expect(missing).toMatchObject({ failure: "ENOENT", status: undefined, arrived: false });
});

test("a copied .npmrc is its owner's alone", async () => {
  const { lines } = await tried("stat -c %a .npmrc", { files: { "site/.npmrc": "//a.test/:_authToken=t\n" }, root: "site" });
  expect(lines).toEqual(["600"]);
});
