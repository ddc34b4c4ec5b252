/** A repair with the real clients: planned from the lockfile they wrote, carried out through cordon, read again. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repair } from "../../src/app/repair.ts";
import { type RepairInput, repairPlans, type RepairPlan } from "../../src/core/check/repair.ts";
import { repairFile } from "../../src/core/check/repair-edits.ts";
import { instant } from "../../src/core/base/time.ts";
import { readLockfile } from "../../src/core/lockfile/read.ts";
import { availableClients, type TestClient } from "./clients.ts";
import { LOCKFILE, stage, type Stage } from "./stage.ts";

const CLIENTS = availableClients().filter(({ kind }) => kind !== "deno");
/** Everything of the set `cases` is old by then. */
const LATER = "2026-05-20T00:00:00Z";

type Case = { readonly name: string; readonly bad: string; readonly good: readonly string[]; readonly written?: boolean };

async function repaired(it: Stage, client: TestClient, { name, bad, good, written }: Case) {
  const lockfile = LOCKFILE[client.kind];
  const read = (path: string) => (existsSync(join(it.cwd, path)) ? new Uint8Array(readFileSync(join(it.cwd, path))) : undefined);
  const versions = () => readLockfile(lockfile, read(lockfile)!).packages.flatMap((one) => (one.name === name ? [one.version] : []));
  expect(versions()).toContain(bad);
  const files = [repairFile("package.json", it.read("package.json")!, "."), repairFile(lockfile, it.read(lockfile)!)];
  const input: RepairInput = {
    client: client.kind,
    major: Number(client.version.split(".")[0]),
    tree: readLockfile(lockfile, read(lockfile)!),
    files,
    ailing: [{ name, version: bad, because: ["denied"] }],
    candidates: new Map([
      [
        name,
        [
          ...good.map((version) => ({ version, state: "admitted" as const, affectedBy: [] })),
          { version: bad, state: "refused" as const, affectedBy: ["MAL-1"] },
        ],
      ],
    ]),
    asks: () => "^1.0.0",
    now: instant(Date.parse(LATER)),
  };
  const plans: RepairPlan[] = repairPlans(input).slice(written ? 1 : 0);
  const said: string[] = [];
  const outcome = await repair(
    {
      read: async (path) => read(path),
      write: async (path, bytes) => writeFileSync(join(it.cwd, path), bytes),
      remove: async (path) => rmSync(join(it.cwd, path), { force: true }),
      async run(args) {
        const ran = await it.cordon(args);
        said.push(`${args.join(" ")}: ${ran.code}\n${ran.stdout}${ran.stderr}`);
        return ran.code;
      },
      recheck: async () => new Map(versions().includes(bad) ? [[`${name}@${bad}`, ["f"]]] : []),
    },
    { plans, before: new Map([[`${name}@${bad}`, ["f"]]]), guarded: [lockfile, "package.json", "pnpm-workspace.yaml"] },
  );
  return { outcome, versions, said: said.join("\n") };
}

/** Installs the bad version without cordon, then denies it. */
async function withBad(client: TestClient, dependencies: Readonly<Record<string, string>>, denied: string): Promise<Stage> {
  const it = await stage(client, { packages: ["axios", "cases"], at: LATER, dependencies });
  const install = client.kind === "yarn-berry" ? ["install", "--no-immutable"] : ["install"];
  const ran = await it.bare(install);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect((await it.product.cordon(["deny", "add", denied, "--reason", "test"], { cwd: it.cwd })).code).toBe(0);
  it.emptyCaches();
  rmSync(join(it.cwd, "node_modules"), { recursive: true, force: true });
  return it;
}

for (const client of CLIENTS) {
  test(`${client.id}: a range that admits the version before moves, or is written`, async () => {
    const it = await withBad(client, { "chain-b": "^1.0.0" }, "chain-b@1.1.0");
    const { outcome, versions, said } = await repaired(it, client, { name: "chain-b", bad: "1.1.0", good: ["1.0.0"] });
    expect(outcome.kind, said).toBe("repaired");
    expect(versions()).toEqual(["1.0.0"]);
    if (client.kind !== "bun") expect(outcome.plan?.steps[0]!.kind, said).toBe("in-place");
  });

  test(`${client.id}: an exact pin is lowered`, async () => {
    const it = await withBad(client, { "chain-b": "1.1.0" }, "chain-b@1.1.0");
    const { outcome, versions, said } = await repaired(it, client, { name: "chain-b", bad: "1.1.0", good: ["1.0.0"] });
    expect(outcome.kind, said).toBe("repaired");
    expect(versions()).toEqual(["1.0.0"]);
    expect(it.read("package.json")).toContain('"chain-b": "1.0.0"');
  });

  test(`${client.id}: what another package asks for is overridden when it does not move by itself`, async () => {
    const it = await withBad(client, { "chain-a": "1.0.0" }, "chain-b@1.1.0");
    const { outcome, versions, said } = await repaired(it, client, { name: "chain-b", bad: "1.1.0", good: ["1.0.0"], written: true });
    expect(outcome.kind, said).toBe("repaired");
    expect(versions()).toEqual(["1.0.0"]);
    expect(outcome.plan?.steps).toMatchObject([{ kind: "override" }]);
  });
}
