/**
 * What points a client at a gate, proven with the client: the environment of the wrapper, the files of `cordon setup`, and that every
 * setting which walks round either is a finding. The registry that must not be asked is a port where nobody listens.
 */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ClientId } from "../../src/core/client/client.ts";
import { registryEnvironment } from "../../src/core/client/environment.ts";
import { type Finding, findings } from "../../src/core/client/findings.ts";
import { planSetup } from "../../src/core/client/setup.ts";
import { CLIENTS } from "../../src/core/client/table.ts";
import { settingsFiles } from "../../src/edge/host/project.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";
import { type ClientRun, type TestClient, availableClients, clientEnv, missingClients, runClient, runProgram } from "./clients.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

/** Discard: refused at once. */
const DEAD = "http://127.0.0.1:9/";

/** A project that names another registry wherever its client looks. */
const ELSEWHERE: Record<ClientId, Record<string, string>> = {
  npm: { ".npmrc": `registry=${DEAD}\nreplace-registry-host=never\n` },
  pnpm: { ".npmrc": `registry=${DEAD}\n`, "pnpm-workspace.yaml": `packages: []\nregistry: ${DEAD}\n` },
  "yarn-classic": { ".npmrc": `registry=${DEAD}\n`, ".yarnrc": `registry "${DEAD}"\n` },
  "yarn-berry": { ".yarnrc.yml": `npmRegistryServer: "${DEAD}"\nnodeLinker: node-modules\nhttpRetry: 0\n`, "yarn.lock": "" },
  bun: { ".npmrc": `registry=${DEAD}\n`, "bunfig.toml": `[install]\nregistry = "${DEAD}"\n` },
  deno: { ".npmrc": `registry=${DEAD}\n`, "deno.json": '{"nodeModulesDir":"auto"}' },
};
/** A project that sends one scope elsewhere. */
const SCOPED: Record<ClientId, Record<string, string>> = {
  npm: { ".npmrc": `@acme:registry=${DEAD}\n` },
  pnpm: { ".npmrc": `@acme:registry=${DEAD}\n` },
  "yarn-classic": { ".npmrc": `@acme:registry=${DEAD}\n` },
  "yarn-berry": {
    ".yarnrc.yml": `npmScopes:\n  acme:\n    npmRegistryServer: "${DEAD}"\nnodeLinker: node-modules\nhttpRetry: 0\n`,
    "yarn.lock": "",
  },
  bun: { "bunfig.toml": `[install.scopes]\nacme = "${DEAD}"\n` },
  deno: { ".npmrc": `@acme:registry=${DEAD}\n`, "deno.json": '{"nodeModulesDir":"auto"}' },
};

type Place = { readonly registry: Fixture; readonly cwd: string; readonly home: string };

async function place(files: Record<string, string>): Promise<Place> {
  const registry = await startFixture({ packages: ["cases"], at: "2026-03-31T00:20:00Z" });
  onTestFinished(() => registry.stop());
  const cwd = tempFolder({ "package.json": { name: "shop", private: true, dependencies: { "@acme/widget": "1.0.0" } } });
  writeFiles(cwd, files);
  return { registry, cwd, home: tempFolder() };
}

/** No retries: the dead port would cost npm and pnpm a minute. */
const IMPATIENT = { npm_config_fetch_retries: "0", pnpm_config_fetch_retries: "0" };

function install(client: TestClient, { cwd, home }: Place, env: Readonly<Record<string, string>>): Promise<ClientRun> {
  return runClient(client, ["install"], { cwd, home, env: { ...IMPATIENT, ...env } });
}

function found(client: TestClient, { registry, cwd, home }: Place, wrapped: boolean, scopes: readonly string[] = []): readonly Finding[] {
  return findings({
    client: CLIENTS[client.kind],
    major: Number(client.version.split(".")[0]),
    command: client.kind.replace(/-.*/, ""),
    argv: ["install"],
    env: {},
    files: settingsFiles(cwd, { env: {}, home, temporary: home, platform: process.platform }),
    gate: registry.url,
    wrapped,
    scopes,
  }).filter((finding) => finding.severity === "bypass");
}

/** Started as a real installation starts it: without the shell scripts in between that drop variables with odd names. */
function installDirectly(client: TestClient, { cwd, home }: Place, env: Readonly<Record<string, string>>): Promise<ClientRun> {
  const whole: Record<string, string> = { ...clientEnv(client, home), ...IMPATIENT, ...env };
  const node = (whole["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"));
  const [program, script] = behindShim(client.command[0]!);
  const command = script === undefined ? [program] : [behindShim(node.find((file) => existsSync(file))!)[0], script];
  return runProgram(command[0]!, [...command.slice(1), "install"], { cwd, env: whole });
}

/** The program a shim executes, and the script it hands it when that program is node. */
function behindShim(shim: string): [program: string, script?: string] {
  const line = /^exec (node )?"(?:\$\(dirname "\$0"\)\/)?([^"]+)"/m.exec(readFileSync(shim, "latin1").slice(0, 500));
  if (!line) return [shim];
  const file = resolve(dirname(shim), line[2]!);
  return line[1] === undefined ? [file] : ["node", file];
}

function installedVersion(cwd: string): string {
  return (JSON.parse(readFileSync(join(cwd, "node_modules/@acme/widget/package.json"), "utf8")) as { version: string }).version;
}

for (const client of availableClients()) {
  test(`${client.id}: the wrapper's environment beats a project that names another registry`, async () => {
    const at = await place(ELSEWHERE[client.kind]);
    expect(found(client, at, true)).toEqual([]);
    const run = await install(client, at, registryEnvironment({ registry: at.registry.url }));
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(installedVersion(at.cwd)).toBe("1.0.0");
    expect(at.registry.log.find({ route: "tarball", name: "@acme/widget" })).toHaveLength(1);
  });

  test(`${client.id}: cordon setup points it at the gate without any environment`, async () => {
    const at = await place(ELSEWHERE[client.kind]);
    expect(found(client, at, false)).not.toEqual([]);
    const { edits, problems } = planSetup([client.kind], at.registry.url, ELSEWHERE[client.kind]);
    expect(problems).toEqual([]);
    writeFiles(at.cwd, Object.fromEntries(edits.map((edit) => [edit.path, edit.after])));
    expect(found(client, at, false)).toEqual([]);
    const run = await install(client, at, {});
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(at.registry.log.find({ route: "tarball", name: "@acme/widget" })).toHaveLength(1);
  });

  test(`${client.id}: a scope of the project's own is routed where that is possible, and is a finding where it is not`, async () => {
    const at = await place(SCOPED[client.kind]);
    expect(found(client, at, true)).toMatchObject([{ rule: "scoped-registry" }]);
    const bypasses = found(client, at, true, ["@acme"]).length > 0;
    const run = await installDirectly(client, at, registryEnvironment({ registry: at.registry.url, scopes: ["@acme"] }));
    expect(run.code === 0, run.stderr).toBe(!bypasses);
    expect(at.registry.log.find({ route: "packument", name: "@acme/widget" }).length > 0).toBe(!bypasses);
  });
}

for (const client of availableClients("pnpm"))
  test(`${client.id}: registries.default in pnpm-workspace.yaml beats the environment in pnpm 10, and is a finding there`, async () => {
    const at = await place({ "pnpm-workspace.yaml": `packages: []\nregistries:\n  default: ${DEAD}\n` });
    const bypasses = found(client, at, true).length > 0;
    const run = await install(client, at, registryEnvironment({ registry: at.registry.url }));
    expect(run.code === 0, run.stderr).toBe(!bypasses);
  });
