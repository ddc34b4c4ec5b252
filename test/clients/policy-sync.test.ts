/** What `policy sync` writes is what the real clients obey: each one takes the file without complaint and leaves a young version out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DAY } from "../../src/core/base/time.ts";
import { planSync, type SyncInput } from "../../src/core/client/policy-sync.ts";
import { SYNC_FILES } from "../../src/core/client/policy-sync-files.ts";
import { readLockfile } from "../../src/core/lockfile/read.ts";
import { availableClients, type TestClient } from "./clients.ts";
import { LOCKFILE, stage, type Stage } from "./stage.ts";

/** Clients that have an age at all; npm 10, pnpm 9 and yarn 1 have none. */
const CLIENTS = availableClients().filter(({ id }) => !["npm-10", "pnpm-9", "yarn-1"].includes(id));

/** The registry's times are of 2025 and 2026 and the clients' clock is the machine's: so many days lie between the two releases of chain-c. */
function holdBetween(): number {
  const [old, young] = [Date.parse("2025-08-01T00:00:00Z"), Date.parse("2026-03-30T23:43:00Z")];
  return Math.round((Date.now() - (old + young) / 2) / DAY) * DAY;
}

function sync(it: Stage, client: TestClient): ReturnType<typeof planSync> {
  const files: SyncInput["files"] = Object.fromEntries(
    SYNC_FILES.flatMap((file) => [[file, it.read(file)]]).filter(([, text]) => text !== undefined),
  );
  return planSync({
    clients: [{ id: client.kind, version: client.version }],
    hold: holdBetween(),
    private: [],
    files,
    asksFor: { git: false, url: false },
    locked: undefined,
    served: () => undefined,
  });
}

test.each(CLIENTS.map((client) => [client.id, client] as const))(
  "%s leaves out what is younger than the age it was given",
  async (_id, client) => {
    const it = await stage(client, { packages: ["cases"], at: "2026-05-20T00:00:00Z", dependencies: { "chain-c": "^1.0.0" } });
    const plan = sync(it, client);
    expect(plan.problems).toEqual([]);
    expect(plan.findings.filter(({ kind }) => kind === "cannot")).toEqual([]);
    for (const { path, after } of plan.edits) it.write({ [path]: after });
    const ran = await it.bare(client.kind === "yarn-berry" ? ["install", "--no-immutable"] : ["install"]);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.stdout + ran.stderr).not.toMatch(/unknown|unrecognized|invalid/i);
    const lockfile = LOCKFILE[client.kind];
    const tree = readLockfile(lockfile, new Uint8Array(readFileSync(join(it.cwd, lockfile))));
    expect(tree.packages.filter(({ name }) => name === "chain-c").map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(sync(it, client).edits).toEqual([]);
  },
);
