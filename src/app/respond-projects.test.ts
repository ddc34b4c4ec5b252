import { expect, test } from "vitest";
import { emptyPlan, incidentPack } from "../../test/samples/incident.ts";
import { instant } from "../core/base/time.ts";
import type { RepairCandidate } from "../core/check/repair.ts";
import type { IncidentPack } from "../core/incident/pack.ts";
import type { RollbackAction } from "../core/response/plan.ts";
import { projectActions, type ProjectPorts } from "./respond-projects.ts";

const PACK = incidentPack({
  packages: [
    { name: "left", role: "carrier", versions: [{ version: "1.0.1" }] },
    { name: "stolen", role: "payload", versions: [{ version: "9.9.9" }] },
  ],
});
const PLAN = emptyPlan({ paths: ["/p"], machine: true });
const ACTION: RollbackAction = {
  kind: "rollback",
  root: "/p",
  lockfile: "package-lock.json",
  base: "ba5e".padEnd(40, "0"),
  branch: "cordon/respond-left-2026-p",
  replace: [{ name: "left", version: "1.0.1", to: "1.0.0" }],
};

function lock(left: string, more: Readonly<Record<string, unknown>> = {}): string {
  const entry = (name: string, version: string) => ({ version, resolved: `https://registry.test/${name}/-/${name}-${version}.tgz` });
  return JSON.stringify({
    name: "p",
    lockfileVersion: 3,
    packages: { "": { name: "p", dependencies: { left: "^1.0.0" } }, "node_modules/left": entry("left", left), ...more },
  });
}

const STOLEN = { "node_modules/stolen": { version: "9.9.9", resolved: "https://registry.test/stolen/-/stolen-9.9.9.tgz" } };

function candidate(version: string, more: Partial<RepairCandidate> = {}): RepairCandidate {
  return { version, state: "admitted", affectedBy: [], ...more };
}

/** A project in memory; `client` is what the client writes into the lockfile when it is run, or the status it ends with. */
function ground(options: {
  readonly lockfile: string;
  readonly candidates?: readonly RepairCandidate[];
  readonly client?: string | number;
  readonly withheld?: readonly string[];
}) {
  const files = new Map([
    ["package.json", '{"name":"p","dependencies":{"left":"^1.0.0"}}'],
    ["package-lock.json", options.lockfile],
  ]);
  const did: string[] = [];
  const bytes = (text: string | undefined) => (text === undefined ? undefined : new TextEncoder().encode(text));
  const ports: ProjectPorts = {
    clock: { now: () => instant(Date.parse("2026-01-02T00:00:00Z")) },
    branches: {
      open: async () => ({
        project: "/checkout",
        async commit(paths, message) {
          did.push(`commit ${paths.join(" ")}: ${message.split("\n")[0]}`);
          return "c0ffee".padEnd(40, "0");
        },
        close: async () => void did.push("close"),
      }),
      tip: async () => undefined,
      file: async (_action, path) => bytes(files.get(path)),
      remove: async () => {},
      tags: async () => [],
    },
    readFolder: async () => ({
      lockfiles: [{ path: "package-lock.json", content: bytes(files.get("package-lock.json"))! }],
      manifests: [{ path: "package.json", importer: ".", text: files.get("package.json")! }],
      settings: [],
      ignored: [],
    }),
    inFolder: () => ({
      read: async (path) => bytes(files.get(path)),
      write: async (path, content) => void files.set(path, new TextDecoder().decode(content)),
      remove: async (path) => void files.delete(path),
    }),
    async runClient(client, folder, args) {
      did.push(`${client} ${args[0]} in ${folder}, lock ${/stolen/.test(files.get("package-lock.json")!) ? "with" : "without"} stolen`);
      if (typeof options.client === "string") files.set("package-lock.json", options.client);
      return typeof options.client === "number" ? options.client : 0;
    },
    decide: async (entries) => ({
      decided: entries.map((entry) => ({
        ...entry,
        verdict: { action: "hold", review: false, reasons: [], notes: [], waived: [], monitored: false, policy: "" },
        withheld: options.withheld?.includes(`${entry.name}@${entry.version}`) === true,
        instead: [],
        start: 0,
      })),
      unknown: [],
    }),
    versions: async () => ({
      candidates: options.candidates ?? [candidate("1.0.0"), candidate("1.0.1", { state: "refused" }), candidate("1.0.2")],
      tags: { latest: "1.0.2" },
    }),
    knowledge: { know: async () => ({ kind: "down", message: "nobody answers" }) },
  };
  const { rollBack } = projectActions(ports);
  const run = (pack = PACK, replace = ACTION.replace) => rollBack(PLAN, pack, "rollback-1", { ...ACTION, replace }, "mara");
  return { run, did, files };
}

test("back to the version the plan names, pinned, although a newer one is served; what only the attack asked for is gone before the client starts", async () => {
  const { run, did, files } = ground({ lockfile: lock("1.0.1", STOLEN), client: lock("1.0.0") });
  await expect(run()).resolves.toMatchObject({
    made: ["c0ffee".padEnd(40, "0")],
    found: ["left 1.0.1 to 1.0.0, the version before (package.json: dependencies > left)"],
  });
  expect(did).toEqual([
    "npm install in /checkout, lock without stolen",
    "commit package.json package-lock.json: respond left-2026: left 1.0.1 to 1.0.0",
    "close",
  ]);
  expect(files.get("package.json")).toContain('"left":"1.0.0"');
});

test("whatever does not clear it raises, commits nothing and takes the checkout away", async () => {
  const cases: readonly (readonly [Parameters<typeof ground>[0], string])[] = [
    [{ lockfile: lock("1.0.0") }, "package-lock.json names none of them as of ba5e00000000"],
    [{ lockfile: '{"lockfileVersion":3,"packages":{' }, "package-lock.json cannot be read whole"],
    [{ lockfile: lock("1.0.1"), candidates: [candidate("1.0.1"), candidate("1.0.2")] }, "left@1.0.1 cannot be replaced"],
    [{ lockfile: lock("1.0.1"), candidates: [candidate("1.0.0", { state: "held" })] }, "left@1.0.1 cannot be replaced"],
    [{ lockfile: lock("1.0.1"), client: 7 }, "no change cleared it: install --package-lock-only ended with 7"],
    [{ lockfile: lock("1.0.1"), client: lock("1.0.1") }, "left@1.0.1 is still there"],
    [{ lockfile: lock("1.0.1"), client: lock("1.0.0", STOLEN) }, "stolen@9.9.9 is still in package-lock.json"],
    [{ lockfile: lock("1.0.1", STOLEN), client: lock("1.0.0", STOLEN) }, "stolen@9.9.9 is still in package-lock.json"],
    [{ lockfile: lock("1.0.1"), client: lock("1.0.0"), withheld: ["left@1.0.0"] }, "left@1.0.0 came in its place"],
  ];
  for (const [options, said] of cases) {
    const { run, did } = ground(options);
    await expect(run(), said).rejects.toThrow(said);
    expect(did.filter((one) => one.startsWith("commit"))).toEqual([]);
    expect(did.at(-1)).toBe("close");
  }
});

test("of a name that was never honest no version is gone back to, and none may stay", async () => {
  const packages = [
    PACK.packages[0]!,
    { name: "stolen", role: "carrier" as const, versions: [{ version: "1.2.3" }], everyVersion: true as const },
  ];
  const place = ground({ lockfile: lock("1.0.1", STOLEN), client: lock("1.0.0") });
  await expect(place.run({ ...PACK, packages })).resolves.toMatchObject({ detail: expect.stringContaining("package-lock.json changed") });
  expect(place.did[0]).toContain("lock without stolen");
  const stays = ground({ lockfile: lock("1.0.1", STOLEN), client: lock("1.0.0", STOLEN) });
  await expect(stays.run({ ...PACK, packages })).rejects.toThrow("stolen@9.9.9 is still in package-lock.json");
});

test("without a version in the plan the newest below every poisoned one is taken, never a decoy", async () => {
  const candidates = [candidate("0.9.0"), candidate("1.0.0"), candidate("0.9.1"), candidate("0.9.9-beta"), candidate("1.0.2")];
  const older: IncidentPack = {
    ...PACK,
    packages: [{ name: "left", role: "carrier", versions: [{ version: "0.9.5" }, { version: "0.9.7" }] }],
    decoys: [{ name: "left", version: "0.9.1", note: "put there to look old" }],
  };
  const place = ground({ lockfile: lock("0.9.7"), candidates, client: lock("0.9.0") });
  await expect(place.run(older, [{ name: "left", version: "0.9.7" }])).resolves.toMatchObject({
    found: ["left 0.9.7 to 0.9.0, the last version before that is clear of it (package.json: dependencies > left)"],
  });
});
