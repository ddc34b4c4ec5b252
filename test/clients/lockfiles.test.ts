/** Lockfiles that pass through cordon are, byte for byte, those the client writes without it; and what they name goes through the gate. */
import { expect, onTestFinished, test } from "vitest";
import { NPM_REGISTRY, YARN_REGISTRY_HOST } from "../../src/core/config/constants.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { availableClients, missingClients } from "./clients.ts";
import { ADD, all, BEFORE, FROZEN, LOCKFILE, pastTheGate, type Stage, stage } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

const DEPENDENCIES = { axios: "^1.13.0", "@acme/widget": "1.0.0", "alias-user": "1.0.0", "fast-thing": "1.0.0", old: "npm:axios@0.30.2" };

async function fixture(): Promise<Fixture> {
  const registry = await startFixture({ packages: ["axios", "cases"], at: BEFORE });
  onTestFinished(() => registry.stop());
  return registry;
}

for (const client of availableClients()) {
  const lockfile = LOCKFILE[client.kind];

  test(`${client.id}: a new lockfile, a package more, a changed range, a frozen install`, async () => {
    const registry = await fixture();
    const alone = await stage(client, { registry, dependencies: DEPENDENCIES });
    const wrapped = await stage(client, { registry, dependencies: DEPENDENCIES });
    async function both(what: string, args: readonly string[]): Promise<void> {
      const without = await alone.bare(args);
      expect(without, all(without)).toMatchObject({ code: 0 });
      registry.log.clear();
      const through = await wrapped.cordon(args);
      expect(through, all(through)).toMatchObject({ code: 0 });
      expect(through.report, what).toMatch(/^cordon · \d+ versions checked, none withheld(, all from the client's own cache)?\n$/);
      expect(pastTheGate(registry), what).toEqual([]);
      for (const file of [lockfile, "package.json", "deno.json", "pnpm-workspace.yaml"])
        expect(wrapped.read(file), `${what}: ${file}`).toBe(alone.read(file));
    }

    await both("a new lockfile", ["install"]);
    expect(wrapped.read(lockfile)).toContain("1.14.0");
    await both("a package more", ADD[client.kind]("proxy-from-env@1.1.0"));
    for (const project of [alone, wrapped])
      project.write({ "package.json": project.read("package.json")!.replace('"@acme/widget": "1.0.0"', '"@acme/widget": "^1.1.0"') });
    await both("a changed range", ["install"]);
    expect(wrapped.installed("@acme/widget")).toBe("1.1.0");
    const before = wrapped.read(lockfile);
    wrapped.remove("node_modules");
    const frozen = await wrapped.cordon(FROZEN[client.kind]);
    expect(frozen, all(frozen)).toMatchObject({ code: 0 });
    expect(wrapped.read(lockfile)).toBe(before);
  });

  test(`${client.id}: a lockfile that names the public registry is installed through the gate and stays as it is`, async () => {
    const project = await stage(client, { at: BEFORE, dependencies: { axios: "^1.13.0", "@acme/core": "1.0.0" } });
    const { registry } = project;
    const made = await project.bare(["install"], { home: `${project.home}-alone` });
    expect(made, all(made)).toMatchObject({ code: 0 });
    const written = project.read(lockfile)!;
    const hosts = client.kind === "yarn-classic" ? [NPM_REGISTRY, `https://${YARN_REGISTRY_HOST}/`] : [NPM_REGISTRY];
    for (const host of hosts) {
      const text = published(project, written, host);
      expect(text).toContain(new URL(host).host);
      project.write({ [lockfile]: text });
      project.remove("node_modules");
      project.emptyCaches();
      registry.log.clear();
      const run = await project.cordon(FROZEN[client.kind]);
      expect(run, all(run)).toMatchObject({ code: 0, report: "cordon · 5 versions checked, none withheld\n" });
      expect(project.installed("axios")).toBe("1.14.0");
      expect(registry.log.find({ route: "tarball", name: "axios", version: "1.14.0", status: 200 })).toHaveLength(
        host === hosts[0] ? 1 : 0,
      );
      expect(pastTheGate(registry)).toEqual([]);
      expect(project.read(lockfile)).toBe(text);
    }
  });
}

/** A lockfile as if it had been made from the registry at `host`, with a URL even where the client would not write one. */
function published({ client, registry }: Stage, lockfile: string, host: string): string {
  const named = lockfile.replaceAll(registry.url, host);
  if (client.kind === "pnpm")
    return named.replace(/^( {2}axios@1\.14\.0:\n {4}resolution: \{integrity: [^}]+)\}/m, `$1, tarball: ${host}axios/-/axios-1.14.0.tgz}`);
  if (client.kind === "yarn-berry")
    return named.replace(
      'resolution: "axios@npm:1.14.0"',
      `resolution: "axios@npm:1.14.0::__archiveUrl=${encodeURIComponent(`${host}axios/-/axios-1.14.0.tgz`)}"`,
    );
  return named;
}
