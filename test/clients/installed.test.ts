/** What each real client leaves on disk is read as what it installed: every layout, every place, nothing more and nothing less. */
import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { instant } from "../../src/core/base/time.ts";
import type { ClientId, Intent } from "../../src/core/client/client.ts";
import type { Installed } from "../../src/core/client/installed.ts";
import { findClient, globalRoot } from "../../src/edge/host/find.ts";
import { readInstalled } from "../../src/edge/host/installed.ts";
import type { Surroundings } from "../../src/edge/host/places.ts";
import { findProject } from "../../src/edge/host/project.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";
import { type TestClient, availableClients, clientEnv, missingClients, pointedAt, runClient } from "./clients.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

/** What the project below resolves to, wherever the client puts it. */
const REGISTRY = [
  "@acme/core@1.0.1",
  "@acme/widget@1.0.0",
  "@acme/widget@1.1.0",
  "@fast-thing/linux-x64@1.0.0",
  "alias-user@1.0.0",
  "axios@1.14.0",
  "fast-thing@1.0.0",
  "follow-redirects@1.15.11",
  "form-data@4.0.5",
  "proxy-from-env@2.1.0",
];

/** The others ask the registry for a bundled dependency, which does not have this one. */
const BUNDLES: ReadonlySet<ClientId> = new Set(["npm", "pnpm"]);

type Layout = {
  readonly name: string;
  readonly args?: readonly string[];
  readonly files?: Record<string, unknown>;
  readonly from?: number;
  readonly more?: readonly string[];
};

const LAYOUTS: Record<ClientId, readonly Layout[]> = {
  npm: [{ name: "hoisted" }, { name: "linked", args: ["--install-strategy=linked"], from: 11 }],
  pnpm: [
    { name: "isolated" },
    { name: "hoisted", args: ["--config.node-linker=hoisted"] },
    { name: "global store", files: { "pnpm-workspace.yaml": "packages: ['packages/*']\nenableGlobalVirtualStore: true\n" }, from: 10 },
  ],
  "yarn-classic": [{ name: "hoisted" }],
  "yarn-berry": [
    { name: "node-modules", files: { ".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "" } },
    {
      name: "pnpm",
      files: { ".yarnrc.yml": "nodeLinker: pnpm\n", "yarn.lock": "" },
      // This linker lays out every platform's packages.
      more: ["@fast-thing/darwin-arm64@1.0.0", "@fast-thing/win32-x64@1.0.0"],
    },
    { name: "pnp", files: { ".yarnrc.yml": "nodeLinker: pnp\n", "yarn.lock": "" } },
  ],
  bun: [
    { name: "hoisted", args: ["--linker=hoisted"] },
    { name: "isolated", args: ["--linker=isolated"] },
    { name: "global store", files: { "bunfig.toml": '[install]\nglobalStore = true\nlinker = "isolated"\n' } },
  ],
  deno: [{ name: "node_modules", files: { "deno.json": { nodeModulesDir: "auto", workspace: ["packages/site"] } } }],
};

async function fixture(): Promise<Fixture> {
  const registry = await startFixture({ packages: ["axios", "cases", TOOL], at: "2026-03-31T00:20:00Z" });
  onTestFinished(() => registry.stop());
  return registry;
}

const TOOL = `published 2025-10-01T00:00:00Z by maker
A program to run without installing it.
-- package.json --
{"name": "say-tool", "version": "1.2.0", "license": "MIT", "bin": {"say-tool": "cli.js"}, "dependencies": {"@acme/core": "^1.0.0"}}
-- cli.js --
#!/usr/bin/env node
console.log("said");
`;

function surroundings(client: TestClient, home: string, temporary: string): Surroundings {
  return { env: clientEnv(client, home), home, temporary, platform: process.platform };
}

function major(client: TestClient): number {
  return Number(client.version.split(".")[0]);
}

function ids(installed: Installed, source: "registry" | "bundled" | "file"): string[] {
  return [
    ...new Set(
      installed.packages.filter((found) => found.source === source && !found.orphan).map((found) => `${found.name}@${found.version}`),
    ),
  ].sort();
}

function complaints({ disagreements, unreadable, links, notes }: Installed): unknown {
  return { disagreements, unreadable, links, notes };
}

const NONE = { disagreements: [], unreadable: [], links: [], notes: [] };

for (const client of availableClients())
  for (const layout of LAYOUTS[client.kind].filter(({ from = 0 }) => major(client) >= from))
    test(`${client.id} ${layout.name}: a workspace with scopes, aliases, a local folder, a bundle and a platform's own package`, async () => {
      const registry = await fixture();
      const home = realpathSync(tempFolder());
      const cwd = realpathSync(tempFolder(project(client.kind)));
      if (client.kind === "pnpm") writeFiles(cwd, { "pnpm-workspace.yaml": "packages: ['packages/*']\n" });
      writeFiles(cwd, layout.files ?? {});
      const run = await runClient(client, ["install", ...(layout.args ?? [])], { cwd, home, env: pointedAt(client.kind, registry.url) });
      expect(run, `${run.stdout}\n${run.stderr}`).toMatchObject({ code: 0, timedOut: false });

      const { root, workspaces } = findProject(join(cwd, "packages/site"));
      expect(root).toBe(cwd);
      const intent: Intent = { kind: "install", frozen: false, omitDev: false, omitOptional: false };
      const installed = await readInstalled({
        client: client.kind,
        intent,
        root,
        workspaces,
        surroundings: surroundings(client, home, home),
        since: instant(0),
      });
      expect(ids(installed, "registry")).toEqual(
        [...REGISTRY, ...(layout.more ?? []), ...(BUNDLES.has(client.kind) ? ["bundler@1.0.0"] : [])].sort(),
      );
      expect(ids(installed, "bundled")).toEqual(BUNDLES.has(client.kind) ? ["inner@9.9.9"] : []);
      // deno and npm only link the local folder, the others copy it.
      expect(["", "loc@9.0.0"]).toContain(ids(installed, "file").join());
      expect(complaints(installed)).toEqual(NONE);
      const axios = installed.packages.find((found) => found.name === "axios")!;
      expect(Object.keys(axios.dependencies).sort()).toEqual(["follow-redirects", "form-data", "proxy-from-env"]);
      if (["npm", "pnpm"].includes(client.kind)) expect(axios.integrity).toMatch(/^sha512-/);
    });

function project(kind: ClientId): Record<string, unknown> {
  const bundler = BUNDLES.has(kind) ? { bundler: "1.0.0" } : {};
  return {
    "package.json": {
      name: "shop",
      version: "1.0.0",
      private: true,
      workspaces: ["packages/*"],
      dependencies: {
        axios: "^1.13.0",
        "@acme/widget": "1.1.0",
        "alias-user": "1.0.0",
        "fast-thing": "1.0.0",
        loc: "file:./loc",
        ...bundler,
      },
    },
    "packages/site/package.json": { name: "site", version: "1.0.0", dependencies: { "@acme/widget": "1.0.0" } },
    "loc/package.json": { name: "loc", version: "9.0.0" },
  };
}

/** How each client runs a program it does not install, and adds one for the whole machine. */
const EXEC: Partial<Record<ClientId, { readonly command?: string; readonly args: readonly string[] }>> = {
  npm: { command: "npx", args: ["--yes", "say-tool"] },
  pnpm: { args: ["dlx", "say-tool"] },
  "yarn-berry": { args: ["dlx", "say-tool"] },
  bun: { args: ["x", "say-tool"] },
  deno: { args: ["run", "--allow-all", "npm:say-tool"] },
};
const GLOBAL: Partial<Record<ClientId, readonly string[]>> = {
  npm: ["install", "--global", "say-tool"],
  pnpm: ["add", "--global", "say-tool"],
  "yarn-classic": ["global", "add", "say-tool"],
  bun: ["add", "--global", "say-tool"],
  deno: ["install", "--global", "--allow-all", "npm:say-tool"],
};
const TOOL_TREE = ["@acme/core@1.0.1", "say-tool@1.2.0"];

for (const client of availableClients()) {
  const exec = EXEC[client.kind];
  // yarn 1 runs no program it was not told to install, and yarn 4 installs none for everybody: there is nothing to test.
  if (exec)
    test(`${client.id}: what a program was run from, cold and warm`, async () => {
      const registry = await fixture();
      const home = realpathSync(tempFolder());
      const cwd = realpathSync(tempFolder({ "package.json": {}, ...(client.kind === "yarn-berry" && { "yarn.lock": "" }) }));
      const temporary = join(home, "tmp");
      mkdirSync(temporary);
      const { command, args } = exec;
      const once = async (since: number): Promise<Installed> => {
        const env = { ...pointedAt(client.kind, registry.url), TMPDIR: temporary };
        const run = await runClient(client, args, { cwd, home, env, ...(command !== undefined && { command }) });
        expect(run, `${run.stdout}\n${run.stderr}`).toMatchObject({ code: 0 });
        expect(run.stdout).toContain("said");
        const intent: Intent = { kind: "exec", specs: ["say-tool"] };
        return readInstalled({
          client: client.kind,
          intent,
          root: cwd,
          workspaces: [],
          surroundings: surroundings(client, home, temporary),
          since: instant(since),
        });
      };
      const cold = await once(Date.now());
      if (client.kind === "yarn-berry") {
        expect(cold.notes[0]).toContain("removes its folder");
        return;
      }
      expect(ids(cold, "registry")).toEqual(TOOL_TREE);
      expect(cold).toMatchObject({ unreadable: [], disagreements: [] });
      // As if the second run came a day later: its folder is used and not touched.
      const warm = await once(Date.now() + 86_400_000);
      if (client.kind === "deno") expect(warm.notes[0]).toContain("keeps no list");
      else expect(ids(warm, "registry")).toEqual(TOOL_TREE);
    });

  const global = GLOBAL[client.kind];
  if (global)
    test(`${client.id}: global installs`, async () => {
      const registry = await fixture();
      const home = realpathSync(tempFolder());
      const cwd = realpathSync(tempFolder());
      const base = clientEnv(client, home);
      // pnpm refuses when its global folder for programs is not on PATH: PNPM_HOME up to 10, PNPM_HOME/bin later.
      const programs = base["PNPM_HOME"] === undefined ? [] : [base["PNPM_HOME"], join(base["PNPM_HOME"], "bin")];
      const env: Record<string, string> = {
        ...base,
        ...pointedAt(client.kind, registry.url),
        PATH: [...programs, base["PATH"]].join(delimiter),
      };
      mkdirSync(join(home, ".pnpm-home", "bin"), { recursive: true });
      const run = await runClient(client, global, { cwd, home, env });
      expect(run, `${run.stdout}\n${run.stderr}`).toMatchObject({ code: 0 });
      const found = await findClient({
        command: client.command[0]!.split("/").at(-1)!,
        root: cwd,
        directory: cwd,
        env,
        own: [],
        platform: process.platform,
      });
      expect(found).toMatchObject({ client: client.kind, version: client.version });
      const named = await globalRoot(found, cwd, env, global!);
      const installed = await readInstalled({
        client: client.kind,
        intent: { kind: "global", specs: ["say-tool"] },
        root: cwd,
        workspaces: [],
        surroundings: { ...surroundings(client, home, home), ...(named !== undefined && { globalRoot: named }) },
        since: instant(0),
      });
      expect(ids(installed, "registry")).toEqual(TOOL_TREE);
      expect(installed).toMatchObject({ unreadable: [], disagreements: [] });
    });
}

for (const client of [...availableClients("pnpm"), ...availableClients("bun")])
  test(`${client.id}: a version left in the store by an earlier install is marked as left over`, async () => {
    const registry = await fixture();
    const home = realpathSync(tempFolder());
    const cwd = realpathSync(tempFolder());
    const install = async (version: string): Promise<Installed> => {
      writeFiles(cwd, { "package.json": { name: "shop", dependencies: { "@acme/widget": version } } });
      const linker = client.kind === "bun" ? ["--linker=isolated"] : ["--no-frozen-lockfile"];
      const run = await runClient(client, ["install", ...linker], { cwd, home, env: pointedAt(client.kind, registry.url) });
      expect(run, run.stderr).toMatchObject({ code: 0 });
      const intent: Intent = { kind: "install", frozen: false, omitDev: false, omitOptional: false };
      return readInstalled({
        client: client.kind,
        intent,
        root: cwd,
        workspaces: [],
        surroundings: surroundings(client, home, home),
        since: instant(0),
      });
    };
    await install("1.1.0");
    const installed = await install("1.0.0");
    const widgets = installed.packages.filter((found) => found.name === "@acme/widget");
    expect(ids(installed, "registry")).toEqual(["@acme/core@1.0.1", "@acme/widget@1.0.0"]);
    expect(widgets.filter((found) => found.orphan).map((found) => found.version)).toEqual(widgets.length === 1 ? [] : ["1.1.0"]);
    rmSync(join(cwd, "node_modules"), { recursive: true });
  });
