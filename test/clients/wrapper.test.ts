/** What `cordon <client> …` does around the client: leaves alone what is not its business, steers what is, and tells what came of it. */
import { existsSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { NPM_REGISTRY } from "../../src/core/config/constants.ts";
import type { ClientId } from "../../src/core/client/client.ts";
import { serve } from "../kit/loopback.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";
import { availableClients, clientEnv, missingClients, type TestClient } from "./clients.ts";
import { ADD, all, BEFORE, FROZEN, LOCKFILE, pastTheGate, type Stage, stage, versionIn } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

const only = (...ids: readonly string[]) => availableClients().filter(({ id }) => ids.includes(id));
const FAMILIES = only("npm-11", "pnpm-11", "yarn-1", "yarn-4", "bun-1", "deno-2");
const CORDON = fileURLToPath(new URL("../../bin/cordon.js", import.meta.url));
const BUILT = existsSync(fileURLToPath(new URL("../../dist/main.js", import.meta.url)));
if (!BUILT) test.skipIf(true)("cordon is not built here, so no script can call it: npm run build", () => {});

const CLEAN = /^cordon · \d+ versions checked, none withheld\n$/;

// --- what is not its business ----------------------------------------------------------------------------------------------------------

for (const client of FAMILIES)
  test(`${client.id}: a script runs as without cordon, with no network at all`, async () => {
    const manifest = {
      name: "site",
      scripts: { build: `node -e "console.log('built ' + (process.env.HTTPS_PROXY ?? 'without a proxy'))"`, fail: "exit 7" },
    };
    const project = await stage(client, { files: { "package.json": manifest } });
    // yarn 4 runs nothing in a project that was never installed.
    if (client.kind === "yarn-berry") expect(await project.bare(["install"])).toMatchObject({ code: 0 });
    await project.registry.down();
    onTestFinished(() => project.registry.up());
    const run = client.kind === "deno" ? "task" : "run";
    const alone = await project.bare([run, "build"]);
    const through = await project.cordon([run, "build"]);
    expect(through).toMatchObject({ code: 0, report: "" });
    expect(through.stdout).toContain("built without a proxy");
    expect(timeless(through.stdout)).toBe(timeless(alone.stdout));
    expect((await project.cordon([run, "fail"])).code).toBe((await project.bare([run, "fail"])).code);
  });

for (const client of only("npm-11")) {
  test(`${client.id}: what stands behind the client's name is the client's`, async () => {
    const project = await stage(client);
    const asked = await project.cordon(["config", "get", "flavour", "--flavour=mint", "--json", "--data=x"], { flags: ["--json"] });
    expect(asked.stdout).toBe("mint\n");
    expect(asked.report).toBe("");
  });

  test(`${client.id}: a script runs even where cordon itself cannot start, and what it installs then fails`, async () => {
    const manifest = { name: "site", scripts: { build: "echo built", deps: "npm view axios version --fetch-retries=0" } };
    const project = await stage(client, { config: "no: such\n", files: { "package.json": manifest } });
    const built = await project.cordon(["run", "build"]);
    expect(built, all(built)).toMatchObject({ code: 0 });
    expect(built.report).toMatch(/^cordon · no gate could be started: .+ What npm installs from here will fail\.\n$/);
    expect((await project.cordon(["run", "deps"])).code).not.toBe(0);
    expect((await project.cordon(["install"])).code).toBe(2);
    expect(project.registry.log.entries).toEqual([]);
  });
}

// --- exit statuses ---------------------------------------------------------------------------------------------------------------------

for (const client of only("npm-11")) {
  test(`${client.id}: 3 when what is installed cannot be read`, async () => {
    const manifest = {
      name: "site",
      dependencies: { axios: "1.14.0" },
      scripts: { postinstall: `node -e "require('fs').writeFileSync('node_modules/axios/package.json', '{')"` },
    };
    const project = await stage(client, { at: BEFORE, files: { "package.json": manifest } });
    const run = await project.cordon(["install"]);
    expect(run.code, all(run)).toBe(3);
    expect(run.report).toMatch(/1 place could not be read, so what is installed there is not known\n {2}.+node_modules\/axios/);
  });

  test(`${client.id}: 3 when something installed is unknown to the registry`, async () => {
    const ghost = `const fs = require('fs'); fs.mkdirSync('node_modules/ghost'); fs.writeFileSync('node_modules/ghost/package.json', JSON.stringify({ name: 'ghost', version: '1.0.0' }))`;
    const manifest = { name: "site", dependencies: { axios: "1.14.0" }, scripts: { postinstall: "node ghost.cjs" } };
    const project = await stage(client, { at: BEFORE, files: { "package.json": manifest, "ghost.cjs": ghost } });
    const run = await project.cordon(["install"]);
    expect(run.code, all(run)).toBe(3);
    expect(run.report).toMatch(/1 installed version could not be checked\n {2}ghost 1\.0\.0 {3}the registry does not know the package/);
  });

  test(`${client.id}: 1 when something tried to go round the gate, and the guard's log says where`, async () => {
    const project = await stage(client, { at: BEFORE });
    project.write({
      "package.json": {
        name: "site",
        dependencies: { axios: "1.14.0" },
        scripts: { postinstall: `npm view axios --fetch-retries=0 --registry=${project.registry.url} || true` },
      },
    });
    const run = await project.cordon(["install"]);
    expect(run.code, all(run)).toBe(1);
    const { host } = new URL(project.registry.url);
    expect(run.report).toMatch(
      new RegExp(`something tried to reach a registry past the gate, and was stopped\\n  ${host} +\\d attempts?\\n`),
    );
    expect(pastTheGate(project.registry)).toEqual([]);
  });

  test(`${client.id}: --json is one line on stderr, and stdout stays the client's`, async () => {
    const project = await stage(client, { dependencies: { axios: "^1.13.0" } });
    const run = await project.cordon(["install", "--json"], { flags: ["--json"] });
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ added: 4 });
    expect(run.report.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(run.report)).toMatchObject({
      schema: "cordon.run/1",
      client: 0,
      exit: 0,
      checked: 4,
      heldBack: [{ name: "axios", version: "1.14.1", got: ["1.14.0"], verdict: { action: "hold", reasons: [{ id: "young-release" }] } }],
      refused: [],
      bypass: [],
      stopped: [],
    });
  });
}

// --- programs that are not installed, and programs for the whole machine ---------------------------------------------------------------

const TOOL = ["1.2.0", "1.3.0"]
  .map(
    (version) => `published ${version === "1.2.0" ? "2025-10-01T00:00:00Z" : "2026-03-30T23:43:00Z"} by maker
A program to run without installing it; 1.3.0 is an hour old.
-- package.json --
{"name": "say-tool", "version": "${version}", "license": "MIT", "bin": {"say-tool": "cli.js"}, "dependencies": {"@acme/core": "^1.0.0"}}
-- cli.js --
#!/usr/bin/env node
console.log("said ${version}");
`,
  )
  .join("====\n");

const EXEC: Partial<Record<ClientId, { readonly command: string; readonly args: (spec: string) => readonly string[] }>> = {
  npm: { command: "npx", args: (spec) => ["--yes", spec] },
  pnpm: { command: "pnpm", args: (spec) => ["dlx", spec] },
  "yarn-berry": { command: "yarn", args: (spec) => ["dlx", spec] },
  bun: { command: "bunx", args: (spec) => [spec] },
  deno: { command: "deno", args: (spec) => ["run", "--allow-all", `npm:${spec}`] },
};

for (const client of availableClients().filter(({ kind }) => EXEC[kind] !== undefined))
  test(`${client.id}: a program that is run without installing it is told about like an install`, async () => {
    const { command, args } = EXEC[client.kind]!;
    const project = await stage(client, { packages: ["cases", TOOL] });
    const ran = await project.cordon(args("say-tool"), { command });
    expect(ran, all(ran)).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain("said 1.2.0");
    expect(ran.report).toMatch(
      client.kind === "yarn-berry" ? /say-tool 1\.3\.0\n {4}young-release/ : /say-tool 1\.3\.0 → got 1\.2\.0\n {4}young-release/,
    );
    const exact = await project.cordon(args("say-tool@1.3.0"), { command });
    expect(exact.code, all(exact)).not.toBe(0);
    expect(exact.report).toMatch(
      /refused 1 version that this command asks for\n {2}say-tool 1\.3\.0\n {4}young-release .+ opens 2 Apr 23:43 UTC/,
    );
    expect(project.registry.log.tarballBytes("say-tool", "1.3.0")).toBe(0);
    expect(pastTheGate(project.registry)).toEqual([]);
  });

for (const client of only("yarn-1"))
  test(`${client.id}: a starter kit, which it installs for the whole machine first, is read where it lies`, async () => {
    const project = await stage(client, { packages: ["cases", TOOL.replaceAll("say-tool", "create-kit")] });
    const ran = await project.cordon(["create", "kit"]);
    expect(ran, all(ran)).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain("said 1.2.0");
    expect(ran.report).toMatch(/create-kit 1\.3\.0 → got 1\.2\.0\n {4}young-release/);
  });

const GLOBAL: Partial<Record<ClientId, readonly string[]>> = {
  npm: ["install", "--global", "say-tool"],
  pnpm: ["add", "--global", "say-tool"],
  "yarn-classic": ["global", "add", "say-tool"],
  bun: ["add", "--global", "say-tool"],
  deno: ["install", "--global", "--allow-all", "npm:say-tool"],
};

for (const client of FAMILIES.filter(({ kind }) => GLOBAL[kind] !== undefined))
  test(`${client.id}: a global install is read where it lies`, async () => {
    const project = await stage(client, { packages: ["cases", TOOL] });
    const programs = ["", "/bin"].map((below) => join(project.home, `.pnpm-home${below}`));
    writeFiles(project.home, { ".pnpm-home/bin/.keep": "" });
    const env = { PATH: [...programs, clientEnv(client, project.home)["PATH"]].join(":") };
    const run = await project.cordon(GLOBAL[client.kind]!, { env });
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toMatch(/say-tool 1\.3\.0 → got 1\.2\.0\n {4}young-release/);
  });

// --- folders named on the command line -------------------------------------------------------------------------------------------------

const SENT_TO: Partial<Record<ClientId, (folder: string) => readonly string[]>> = {
  npm: (folder) => ["--prefix", folder, "install", "axios"],
  pnpm: (folder) => ["-C", folder, "add", "axios"],
  "yarn-classic": (folder) => ["--cwd", folder, "add", "axios"],
  "yarn-berry": (folder) => ["--cwd", folder, "add", "axios"],
  bun: (folder) => ["add", "axios", "--cwd", folder],
};

for (const client of availableClients().filter(({ kind }) => SENT_TO[kind] !== undefined))
  test(`${client.id}: what it installs in a folder it is sent to is read, wherever it then puts it`, async () => {
    const project = await stage(client, { files: { "lib/readme.md": "no manifest here" } });
    for (const folder of ["lib", "new/lib"]) {
      const run = await project.cordon(SENT_TO[client.kind]!(folder), { flags: ["--json"] });
      // A folder that is missing is the client's affair: npm makes it, the yarns look further up, the others refuse.
      if (folder !== "lib" && ["pnpm", "bun"].includes(client.kind)) expect(run.code, all(run)).toBe(1);
      else {
        expect(run, all(run)).toMatchObject({ code: 0 });
        expect(JSON.parse(run.report)).toMatchObject({ checked: 4, heldBack: [{ name: "axios", got: ["1.14.0"] }], unreadable: [] });
      }
    }
  });

for (const client of only("npm-10", "npm-11", "npm-12"))
  test(`${client.id}: --prefix beside --global says where programs go, not where the project is`, async () => {
    const project = await stage(client, { packages: ["cases", TOOL] });
    const run = await project.cordon(["install", "--global", "--prefix", join(project.home, "programs"), "say-tool"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toMatch(/say-tool 1\.3\.0 → got 1\.2\.0\n {4}young-release/);
  });

for (const client of availableClients("pnpm"))
  test(`${client.id}: in a folder below a workspace that does not count it in, what is installed is read all the same`, async () => {
    const files = {
      "pnpm-workspace.yaml": "packages: [member]\n",
      "member/package.json": { name: "member" },
      "own/package.json": { name: "own" },
    };
    const project = await stage(client, { files });
    const run = await project.cordon(["add", "axios"], { cwd: join(project.cwd, "own"), flags: ["--json"] });
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(JSON.parse(run.report)).toMatchObject({ checked: 4, heldBack: [{ name: "axios", got: ["1.14.0"] }] });
  });

for (const client of only("yarn-1"))
  test(`${client.id}: 3 when it installs where nobody would look`, async () => {
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "1.14.0" } });
    const run = await project.cordon(["install", "--modules-folder", "elsewhere"]);
    expect(run.code, all(run)).toBe(3);
    expect(run.report).toContain("nothing is installed there; what was served went to a folder cordon does not know of");
  });

for (const client of only("yarn-4"))
  test(`${client.id}: bringing only the lockfile up to date installs nothing, and that is no fault`, async () => {
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "1.14.0" } });
    const run = await project.cordon(["install", "--mode=update-lockfile"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(existsSync(join(project.cwd, "node_modules"))).toBe(false);
  });

for (const client of only("npm-11", "bun-1"))
  test(`${client.id}: a dry run installs nothing, whatever it fetches for it, and that is no fault`, async () => {
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "1.14.0" } });
    const run = await project.cordon(["install", "--dry-run"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(existsSync(join(project.cwd, "node_modules"))).toBe(false);
  });

for (const client of only("npm-11"))
  test(`${client.id}: a link that leads out of the project is named, not taken for checked`, async () => {
    const other = tempFolder({ "package.json": { name: "other", version: "1.0.0" } });
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "1.14.0", other: `file:${other}` } });
    const run = await project.cordon(["install"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toBe(
      `cordon · 4 versions checked, none withheld\ncordon · a link leads out of the project, and what is there was not looked at: ${join(project.cwd, "node_modules/other")} → ${other}\n`,
    );
  });

// --- steering --------------------------------------------------------------------------------------------------------------------------

/** A registry of the project's own choosing, in every file that client reads. */
const OWN_REGISTRY: Record<ClientId, (url: string) => Record<string, string>> = {
  npm: (url) => ({ ".npmrc": `registry=${url}\nreplace-registry-host=never\nproxy=${url}\nhttps-proxy=${url}\nnoproxy=127.0.0.1\n` }),
  pnpm: (url) => ({ ".npmrc": `registry=${url}\nhttps-proxy=${url}\n`, "pnpm-workspace.yaml": `registry: ${url}\n` }),
  "yarn-classic": (url) => ({ ".npmrc": `registry=${url}\n`, ".yarnrc": `registry "${url}"\nhttps-proxy "${url}"\n` }),
  "yarn-berry": (url) => ({
    ".yarnrc.yml": `nodeLinker: node-modules\nnpmRegistryServer: "${url}"\nhttpsProxy: "${url}"\nunsafeHttpWhitelist: ["127.0.0.1"]\n`,
  }),
  bun: (url) => ({ ".npmrc": `registry=${url}\n`, "bunfig.toml": `[install]\nregistry = "${url}"\n` }),
  deno: (url) => ({ ".npmrc": `registry=${url}\n` }),
};

for (const client of availableClients())
  test(`${client.id}: a project with a registry and proxies of its own is steered all the same`, async () => {
    const elsewhere = await serve((_request, response) => response.writeHead(500).end());
    const project = await stage(client, { dependencies: { axios: "^1.13.0" }, files: OWN_REGISTRY[client.kind](elsewhere.url) });
    // pnpm 9 takes a workspace file without packages for a mistake.
    if (client.id === "pnpm-9") project.remove("pnpm-workspace.yaml");
    const run = await project.cordon(["install"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(project.installed("axios")).toBe("1.14.0");
    // cordon itself asks once whether it is a gate of this machine.
    expect(elsewhere.requests.map(({ url }) => url).filter((url) => url !== "/-/cordon/health")).toEqual([]);
  });

const SCOPED: Record<ClientId, (url: string) => Record<string, string>> = {
  npm: (url) => ({ ".npmrc": `@acme:registry=${url}\n` }),
  pnpm: (url) => ({ ".npmrc": `@acme:registry=${url}\n` }),
  "yarn-classic": (url) => ({ ".npmrc": `@acme:registry=${url}\n` }),
  "yarn-berry": (url) => ({ ".yarnrc.yml": `nodeLinker: node-modules\nnpmScopes:\n  acme:\n    npmRegistryServer: "${url}"\n` }),
  bun: (url) => ({ "bunfig.toml": `[install.scopes]\nacme = "${url}"\n` }),
  deno: (url) => ({ ".npmrc": `@acme:registry=${url}\n` }),
};

for (const client of FAMILIES) {
  test(`${client.id}: a scope with a registry nobody knows is not installed from`, async () => {
    const elsewhere = await serve((_request, response) => response.writeHead(500).end());
    const project = await stage(client, { dependencies: { "@acme/widget": "1.0.0" }, files: SCOPED[client.kind](elsewhere.url) });
    const run = await project.cordon(["install"]);
    expect(run, all(run)).toMatchObject({ code: 1, stdout: "" });
    expect(run.report).toMatch(
      /the client was not started: this would go round the gate\n {2}\S+:\d+ .*packages of @acme are asked of .+ Add @acme to the gate's upstreams/,
    );
    expect([...elsewhere.requests, ...project.registry.log.entries]).toEqual([]);
  });

  test(`${client.id}: a lockfile that names a strange host is not installed from`, async () => {
    const elsewhere = await serve((_request, response) => response.writeHead(500).end());
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "^1.13.0" } });
    expect(await project.bare(["install"], { home: `${project.home}-alone` })).toMatchObject({ code: 0 });
    const lockfile = LOCKFILE[client.kind];
    const text = withHost(project, `${elsewhere.url}axios/-/axios-1.14.0.tgz`);
    project.write({ [lockfile]: text });
    project.remove("node_modules");
    project.registry.log.clear();
    const run = await project.cordon(FROZEN[client.kind]);
    expect(run, all(run)).toMatchObject({ code: 1, stdout: "" });
    expect(run.report).toMatch(
      new RegExp(`the client was not started.+\\n  ${lockfile}:\\d+ +one entry is fetched from ${elsewhere.host}`),
    );
    expect([...elsewhere.requests, ...project.registry.log.entries]).toEqual([]);
    expect(project.read(lockfile)).toBe(text);
  });
}

for (const client of only("npm-10", "npm-11", "npm-12"))
  test(`${client.id}: replace-registry-host=never in the project is overruled, on the command line it is refused`, async () => {
    const project = await stage(client, {
      at: BEFORE,
      dependencies: { axios: "1.14.0" },
      files: { ".npmrc": "replace-registry-host=never\n" },
    });
    expect(await project.bare(["install"], { home: `${project.home}-alone` })).toMatchObject({ code: 0 });
    project.write({ "package-lock.json": project.read("package-lock.json")!.replaceAll(project.registry.url, NPM_REGISTRY) });
    project.remove("node_modules");
    const run = await project.cordon(["ci"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toMatch(CLEAN);
    if (client.id === "npm-12") return;
    const refused = await project.cordon(["ci", "--replace-registry-host=never"]);
    expect(refused, all(refused)).toMatchObject({ code: 1, stdout: "" });
    expect(refused.report).toContain("command line   --replace-registry-host=never");
  });

for (const client of only("npm-11", "pnpm-10", "yarn-1"))
  test(`${client.id}: a scope the user's own npm configuration routes is fetched through the gate`, async () => {
    const company = await serve((request, response) => {
      // The company's registry: the fixture behind a token.
      if (request.headers.authorization !== "Bearer s3cret") return void response.writeHead(401).end();
      void fetch(new URL(request.url!, project.registry.url)).then(async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer());
        const json = String(answer.headers.get("content-type")).includes("json");
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
        response.end(json ? body.toString().replaceAll(project.registry.url, company.url) : body);
      });
    });
    const project = await stage(client, { at: BEFORE, dependencies: { "@acme/widget": "1.0.0", axios: "1.14.0" } });
    writeFiles(project.home, { ".npmrc": `@acme:registry=${company.url}\n//${company.host}/:_authToken=s3cret\n` });
    // Through a script of a shell the variable that routes the scope would be lost, and the company's registry asked directly.
    const stopped = await project.cordon(["install"]);
    expect(stopped, all(stopped)).toMatchObject({ code: 1, stdout: "" });
    expect(stopped.report).toMatch(/packages of @acme are asked of /);
    expect(company.requests).toEqual([]);
    const run = await project.cordon(["install"], { env: { PATH: direct(client) } });
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toMatch(CLEAN);
    expect(company.requests.map(({ headers }) => headers["user-agent"]).every((agent) => agent?.startsWith("cordon/"))).toBe(true);
    expect(company.requests.map(({ url }) => url)).toContain("/@acme/widget/-/widget-1.0.0.tgz");
    if (client.kind !== "pnpm") expect(project.read(LOCKFILE[client.kind])).toContain(`${company.url}@acme/widget/-/widget-1.0.0.tgz`);
  });

// --- several at once -------------------------------------------------------------------------------------------------------------------

for (const client of FAMILIES.filter(({ kind }) => kind !== "deno"))
  test(`${client.id}: in a workspace, from one of its folders`, async () => {
    const workspaces = client.kind === "pnpm" ? { "pnpm-workspace.yaml": "packages: ['packages/*']\n" } : {};
    const project = await stage(client, {
      files: {
        "package.json": { name: "site", private: true, workspaces: ["packages/*"] },
        "packages/app/package.json": {
          name: "app",
          version: "1.0.0",
          dependencies: { axios: "^1.13.0", lib: client.kind === "npm" || client.kind === "yarn-classic" ? "*" : "workspace:*" },
        },
        "packages/lib/package.json": { name: "lib", version: "1.0.0", dependencies: { "@acme/core": "1.0.0" } },
        ...workspaces,
      },
    });
    const app = join(project.cwd, "packages/app");
    const run = await project.cordon(["install"], { cwd: app });
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(versionIn(app, "axios") ?? project.installed("axios")).toBe("1.14.0");
    expect(run.report).toMatch(/axios 1\.14\.1 → got 1\.14\.0/);
    expect(project.read(LOCKFILE[client.kind])).not.toMatch(/localhost|\/p\/site\//);
    const added = await project.cordon(ADD[client.kind]("p@0.1.0"), { cwd: app });
    expect(added, all(added)).toMatchObject({ code: 0 });
    expect(readFileSync(join(app, "package.json"), "utf8")).toContain('"p"');
  });

for (const client of only("yarn-1"))
  test(`${client.id}: a second run in the same project waits for the first, in another it does not`, async () => {
    // Old enough that its bytes are not looked at before the client starts: the tarballs held back below would hold that back too.
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "1.13.5" } });
    expect(await project.bare(["install"], { home: `${project.home}-alone` })).toMatchObject({ code: 0 });
    const other = tempFolder({ "package.json": { name: "other", dependencies: { axios: "1.13.5" } } });
    project.remove("node_modules");
    let release!: () => void;
    project.registry.faults.add({ route: "tarball" }, { until: new Promise<void>((resolve) => (release = resolve)) });
    const first = project.cordon(FROZEN[client.kind]);
    while (project.registry.log.find({ route: "tarball" }).length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await project.cordon(FROZEN[client.kind]);
    const beside = project.cordon(["install"], { cwd: other });
    release();
    expect(second, all(second)).toMatchObject({ code: 2, stdout: "" });
    expect(second.report).toMatch(/another cordon run has .+yarn\.lock in hand/);
    for (const run of [await first, await beside]) expect(run, all(run)).toMatchObject({ code: 0 });
    expect(versionIn(other, "axios")).toBe("1.13.5");
    expect(project.read("yarn.lock")).toContain(project.registry.url);
  });

for (const client of only("npm-11", "pnpm-12", "bun-1"))
  test(`${client.id}: a project that is set up for a gate is wrapped around that gate`, async () => {
    const project = await stage(client, { dependencies: { axios: "^1.13.0" } });
    const gate = await project.product.gate({ start: { logRequests: true } });
    const registry = `${gate.url}p/storefront/npm/`;
    project.write(
      client.kind === "bun"
        ? { "bunfig.toml": `[install]\nregistry = "${registry}"\n` }
        : { ".npmrc": `registry=${registry}\n`, "pnpm-workspace.yaml": "packages: []\n" },
    );
    const run = await project.cordon(["install"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toMatch(/axios 1\.14\.1 → got 1\.14\.0/);
    const requests = project.product.log.filter(({ what, fields }) => what === "request" && String(fields["path"]).includes("axios"));
    const projects = new Set(requests.map(({ fields }) => fields["project"]));
    expect([...projects]).toEqual(["storefront"]);
    expect(project.read(LOCKFILE[client.kind])).not.toContain(gate.url);
  });

for (const client of only("npm-11"))
  test(`${client.id}: a gate that only the project names, on another machine, is not believed and not even asked`, async () => {
    const project = await stage(client, {
      at: BEFORE,
      dependencies: { axios: "1.14.0" },
      files: { ".npmrc": "registry=http://gate.example.test/p/site/npm/\n" },
    });
    const run = await project.cordon(["install"]);
    expect(run, all(run)).toMatchObject({ code: 0 });
    expect(run.report).toMatch(CLEAN);
    expect(project.registry.log.tarballBytes("axios", "1.14.0")).toBeGreaterThan(0);
    // With a token for it in the user's own configuration it is his.
    writeFiles(project.home, { ".npmrc": "//gate.example.test/:_authToken=cordon_0123456789012345678901234567890123456789\n" });
    expect(await project.product.world.isOwnGate("http://gate.example.test/p/site/npm/")).toBe(true);
    expect(await project.product.world.isOwnGate("http://other.example.test/p/site/npm/")).toBe(false);
  });

test.runIf(BUILT)("a cordon inside a script of a wrapped client joins its gate", async () => {
  for (const client of only("npm-11")) {
    const nested = `node ${CORDON} npm view axios version`;
    const project = await stage(client, {
      files: { "package.json": { name: "site", scripts: { ask: nested, postinstall: nested }, dependencies: { "@acme/core": "1.0.0" } } },
    });
    for (const args of [
      ["run", "--silent", "ask"],
      ["install", "--foreground-scripts"],
    ]) {
      project.registry.log.clear();
      const run = await project.cordon(args);
      expect(run, all(run)).toMatchObject({ code: 0 });
      expect(run.stdout).toContain("1.14.0\n");
      expect(pastTheGate(project.registry)).toEqual([]);
    }
  }
});

/** The project's lockfile with this URL for axios. */
function withHost({ client, registry, read }: Stage, url: string): string {
  const text = read(LOCKFILE[client.kind])!;
  switch (client.kind) {
    case "pnpm":
      return text.replace(/^( {2}axios@1\.14\.0:\n {4}resolution: \{integrity: [^}]+)\}/m, `$1, tarball: ${url}}`);
    case "yarn-berry":
      return text.replace('resolution: "axios@npm:1.14.0"', `resolution: "axios@npm:1.14.0::__archiveUrl=${encodeURIComponent(url)}"`);
    default:
      return text.replace(`${registry.url}axios/-/axios-1.14.0.tgz`, url);
  }
}

/** PATH with the client's own program before its starter, which is a script of a shell. */
function direct(client: TestClient): string {
  const [starter = ""] = client.command;
  const program = { npm: "npm-cli.js", pnpm: "pnpm.cjs", yarn: "yarn.js" }[basename(starter)]!;
  const folder = realpathSync(tempFolder());
  symlinkSync(join(dirname(starter), "../bin", program), join(folder, basename(starter)));
  return `${folder}:${client.env["PATH"]}`;
}

function timeless(text: string): string {
  return text.replaceAll(/\d+(\.\d+)?(ms|s)/g, "N s");
}
