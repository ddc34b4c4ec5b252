/** Every pinned client installs from the fixture registry and from nowhere else: what the suites beside this one take for granted. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ClientId } from "../../src/core/client/client.ts";
import { startFixture } from "../kit/fixture.ts";
import { tempFolder } from "../kit/temp.ts";
import { availableClients, missingClients, pointedAt, runClient } from "./clients.ts";

/** What makes a client write `node_modules` where it would not. */
const PROJECT: Record<ClientId, Record<string, unknown>> = {
  npm: {},
  pnpm: {},
  "yarn-classic": {},
  "yarn-berry": { ".yarnrc.yml": "nodeLinker: node-modules\n" },
  bun: {},
  deno: { "deno.json": { nodeModulesDir: "auto" } },
};

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

for (const client of availableClients()) {
  test(`${client.id} ${client.version} says its version`, async () => {
    const run = await runClient(client, ["--version"], { cwd: tempFolder(), home: tempFolder() });
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain(client.version);
  });

  test(`${client.id} installs from the fixture, with its cache in the home it was given`, async () => {
    const registry = await startFixture({ packages: ["axios", "cases"], at: "2026-03-31T00:20:00Z" });
    onTestFinished(() => registry.stop());
    const home = tempFolder();
    const cwd = tempFolder({
      "package.json": { name: "project", private: true, dependencies: { axios: "^1.13.0", "@acme/widget": "1.0.0" } },
      ...PROJECT[client.kind],
    });
    const run = await runClient(client, ["install"], { cwd, home, env: pointedAt(client.kind, registry.url) });
    expect(run, `${run.stdout}\n${run.stderr}`).toMatchObject({ code: 0, timedOut: false });

    const installed = (name: string) =>
      (JSON.parse(readFileSync(join(cwd, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
    expect(["axios", "@acme/widget"].map(installed)).toEqual(["1.14.0", "1.0.0"]);
    expect(
      registry.log
        .find({ route: "tarball" })
        .map(({ name, version }) => `${name}@${version}`)
        .sort(),
    ).toEqual([
      "@acme/core@1.0.1",
      "@acme/widget@1.0.0",
      "axios@1.14.0",
      "follow-redirects@1.15.11",
      "form-data@4.0.5",
      "proxy-from-env@2.1.0",
    ]);
    expect(readdirSync(home).length).toBeGreaterThan(0);
  });
}
