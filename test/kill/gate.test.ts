/**
 * The ledger and the tarballs of a gate that is killed again and again while it serves: whatever a client got whole has its row, the chains
 * verify, and no half-written tarball is ever served. Everything is a process of its own; only the upstream lives here.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LedgerRow } from "../../src/core/ledger/entry.ts";
import { tempFolder } from "../kit/temp.ts";
import { cordon, cordonEnv, startBuiltGate } from "../kit/built.ts";
import { freePort } from "../kit/loopback.ts";
import { startLoad } from "./load.ts";
import { startRegistry } from "./registry.ts";

const KILLS = 100;
const IN_FLIGHT = 5;
/** Tarballs may be thrown away at any time; now and then they are, so that there are always some to fetch and to write. */
const EMPTIED_EVERY = 4;

test(`${KILLS} SIGKILLs of a gate with at least ${IN_FLIGHT} transfers in flight`, { timeout: 280_000 }, async () => {
  const registry = await startRegistry({ large: 16 });
  const home = tempFolder();
  const env = cordonEnv(home, registry.url, await freePort());
  const tarballs = join(home, "data", "tarballs");
  let gate = await startBuiltGate(env);
  const slow = { tarballs: registry.large, pause: 8 };
  const quick = { tarballs: registry.large, pause: 0 };
  const small = { tarballs: registry.small, pause: 0 };
  const load = startLoad({ url: gate.url, label: "t", lanes: [slow, slow, slow, slow, slow, slow, quick, quick, quick, small, small] });

  const flights: number[] = [];
  for (let round = 1; round <= KILLS; round += 1) {
    flights.push(await load.kill(gate.pid, IN_FLIGHT, Math.random() * 800));
    await gate.ended();
    if (round % EMPTIED_EVERY === 0) {
      expect(misnamed(tarballs)).toEqual([]);
      rmSync(tarballs, { recursive: true });
    }
    gate = await startBuiltGate(env);
  }
  console.log(`transfers in flight at each kill: ${flights.join(" ")}`);
  expect(flights.every((flowing) => flowing >= IN_FLIGHT)).toBe(true);
  load.stop();
  const notes = load.got.length;
  console.log(`${notes} tarballs arrived whole, ${load.got.filter(({ name }) => name === "heavy").length} of them larger than 8 MB`);

  gate.child.kill("SIGTERM");
  expect(await gate.ended()).toEqual([0, null]);
  // What dead gates were writing is gone, what is there is what its name says.
  expect(readdirSync(join(tarballs, "tmp"))).toEqual([]);
  expect(misnamed(tarballs)).toEqual([]);

  expect(load.odd).toEqual([]);
  expect(load.got.filter(({ name, version, integrity }) => integrity !== registry.integrity(name, version))).toEqual([]);

  const verified = await cordon(["ledger", "verify"], env, home);
  expect(verified, verified.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("whole") });
  console.log(verified.stdout.split("\n")[0]);
  const { stdout } = await cordon(["ledger", "export"], env, home);
  const rows = new Map<string, LedgerRow["entry"][]>();
  for (const text of stdout.split("\n").filter((line) => line !== "")) {
    const { entry } = JSON.parse(text) as LedgerRow;
    if (entry.kind === "serve") rows.set(entry.asker.project!, [...(rows.get(entry.asker.project!) ?? []), entry]);
  }
  for (const { project, ...what } of load.got) expect(rows.get(project), project).toMatchObject([what]);
});

/** Files whose bytes are not what their name says. */
function misnamed(tarballs: string): string[] {
  return readdirSync(tarballs, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".tgz") && !path.startsWith("tmp"))
    .filter(
      (path) =>
        createHash("sha512")
          .update(readFileSync(join(tarballs, path)))
          .digest("hex") !== path.replace("/", "").slice(0, -4),
    );
}
