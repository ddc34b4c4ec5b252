/** A data directory put back to an earlier day looks whole from inside; the head that was kept elsewhere tells. */
import { cpSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { send } from "../kit/http.ts";
import { tempFolder } from "../kit/temp.ts";
import { cordon, cordonEnv, startBuiltGate } from "../kit/built.ts";
import { freePort } from "../kit/loopback.ts";
import { type Tarball, startRegistry } from "./registry.ts";

test("a restored old copy of the data directory is found out by the exported head", async () => {
  const registry = await startRegistry({ large: 0 });
  const home = tempFolder();
  const env = cordonEnv(home, registry.url, await freePort());
  const data = join(home, "data");

  /** One life of a gate in which these are served; the first is killed: a disk is not always copied after an orderly end. */
  async function serve(tarballs: readonly Tarball[], signal: NodeJS.Signals): Promise<void> {
    const gate = await startBuiltGate(env);
    for (const { name, version } of tarballs) {
      const path = `/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`;
      expect(await send(gate.url, { method: "GET", path })).toMatchObject({ status: 200 });
    }
    gate.child.kill(signal);
    await gate.ended();
  }
  async function keepHead(file: string): Promise<string> {
    const head = await cordon(["ledger", "head"], env, home);
    expect(head, head.stderr).toMatchObject({ code: 0 });
    writeFileSync(join(home, file), head.stdout);
    return file;
  }
  const verify = (...options: string[]) => cordon(["ledger", "verify", ...options], env, home);

  await serve(registry.small.slice(0, 3), "SIGKILL");
  const early = await keepHead("early.json");
  cpSync(data, join(home, "copy"), { recursive: true });
  await serve(registry.small.slice(3, 6), "SIGTERM");
  const late = await keepHead("late.json");
  for (const head of [early, late]) expect(await verify("--head", head)).toMatchObject({ code: 0 });

  renameSync(data, join(home, "lost"));
  cpSync(join(home, "copy"), data, { recursive: true });
  // By itself the old copy is a perfect ledger.
  expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringContaining("3 rows") });
  expect(await verify("--head", early)).toMatchObject({ code: 0 });
  expect(await verify("--head", late)).toMatchObject({ code: 1, stdout: expect.stringContaining("BROKEN") });
  // Nor does it help to let it grow as long as it was.
  await serve(registry.small.slice(3, 9), "SIGTERM");
  expect(await verify("--head", late)).toMatchObject({ code: 1, stdout: expect.stringContaining("BROKEN") });

  rmSync(data, { recursive: true });
  renameSync(join(home, "lost"), data);
  expect(await verify("--head", late)).toMatchObject({ code: 0 });
});
