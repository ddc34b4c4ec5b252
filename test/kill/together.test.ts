/**
 * A gate and two wrapped npm runs on one data directory, each killed at random moments: one wrapper joins whatever gate is alive, the other
 * always starts its own. Afterwards the ledger is whole, the lockfiles are as they were, and a run that is left alone succeeds.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { LedgerRow } from "../../src/core/ledger/entry.ts";
import { clientEnv, npmOnPath, pointedAt, runClient } from "../clients/clients.ts";
import { tempFolder } from "../kit/temp.ts";
import { CORDON, cordon, cordonEnv, startBuiltGate } from "../kit/built.ts";
import { freePort } from "../kit/loopback.ts";
import { startLoad } from "./load.ts";
import { type KillRegistry, startRegistry } from "./registry.ts";

const KILLS = 12;
/** The longest lives. A run is through in two to four seconds, so that most are killed and some end by themselves. */
const GATE_MS = 3_000;
const RUN_MS = 4_000;

test(`a gate and two wrappers on one data directory, ${KILLS} SIGKILLs each`, { timeout: 240_000 }, async () => {
  const registry = await startRegistry({ large: 4 });
  const home = tempFolder();
  const env = cordonEnv(home, registry.url, await freePort());
  const [joins, starts] = await Promise.all([project("joins", registry), project("starts", registry)]);
  const wrappers = [
    { ...joins, argv: ["npm", "ci", "--no-audit"] },
    { ...starts, argv: ["--upstream", registry.url, "npm", "ci", "--no-audit"] },
  ];

  let gate = await startBuiltGate(env);
  const load = startLoad({
    url: gate.url,
    label: "t",
    lanes: [
      { tarballs: registry.small, pause: 0 },
      { tarballs: registry.large, pause: 4 },
    ],
  });
  await Promise.all([
    (async () => {
      for (let kills = 0; kills < KILLS; kills += 1) {
        await sleep(Math.random() * GATE_MS);
        gate.child.kill("SIGKILL");
        await gate.ended();
        gate = await startBuiltGate(env);
      }
    })(),
    ...wrappers.map(async ({ name, cwd, argv }) => {
      const killed: boolean[] = [];
      while (killed.filter(Boolean).length < KILLS) killed.push(await runAndKill(argv, { cwd, env, ms: Math.random() * RUN_MS }));
      console.log(`the wrapper that ${name}: killed ${KILLS} times, ended by itself ${killed.length - KILLS} times`);
    }),
  ]);
  load.stop();

  for (const { cwd, argv, lockfile } of wrappers) {
    const run = await cordon(argv, wrapped(env), cwd);
    expect(run, run.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining("none withheld") });
    expect(readFileSync(join(cwd, "package-lock.json"), "utf8")).toBe(lockfile);
  }
  gate.child.kill("SIGTERM");
  await gate.ended();
  expect(load.odd).toEqual([]);
  expect(load.got.filter(({ name, version, integrity }) => integrity !== registry.integrity(name, version))).toEqual([]);

  const verified = await cordon(["ledger", "verify"], env, home);
  expect(verified, verified.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("whole") });
  console.log(verified.stdout.split("\n")[0]);
  const { stdout } = await cordon(["ledger", "export"], env, home);
  const entries = stdout.split("\n").flatMap((text) => (text === "" ? [] : [(JSON.parse(text) as LedgerRow).entry]));
  const served = new Set(
    entries.flatMap((entry) => (entry.kind === "serve" ? [`${entry.asker.project} ${entry.name}@${entry.version}`] : [])),
  );
  expect(load.got.filter(({ project, name, version }) => !served.has(`${project} ${name}@${version}`))).toEqual([]);
  for (const { cwd, name } of wrappers) expect(installed(cwd).filter((spec) => !served.has(`${name} ${spec}`))).toEqual([]);
});

/** A project that needs a dozen small packages and a large one, with the lockfile npm writes for it without cordon. */
async function project(name: string, registry: KillRegistry) {
  const needed = [...registry.small.filter((_, index) => index % 5 === 0), registry.large[0]!];
  const dependencies = Object.fromEntries(needed.map((one) => [one.name, one.version]));
  const cwd = tempFolder({ "package.json": { name, version: "1.0.0", private: true, dependencies } });
  const env = pointedAt("npm", registry.url);
  const written = await runClient(npmOnPath(), ["install", "--package-lock-only", "--no-audit"], { cwd, home: tempFolder(), env });
  expect(written, written.stderr).toMatchObject({ code: 0 });
  return { name, cwd, lockfile: readFileSync(join(cwd, "package-lock.json"), "utf8") };
}

/** The environment of a wrapped npm: cordon's, and a home and cache of npm's own that nobody used before. */
function wrapped(env: Readonly<Record<string, string>>): Record<string, string> {
  return { ...clientEnv(npmOnPath(), tempFolder()), ...env, npm_config_cache: tempFolder() };
}

/** Whether it had to be killed; what it started is gone, too, when this resolves. */
async function runAndKill(
  argv: readonly string[],
  { cwd, env, ms }: { cwd: string; env: Readonly<Record<string, string>>; ms: number },
): Promise<boolean> {
  const child = spawn(process.execPath, [CORDON, ...argv], { cwd, env: wrapped(env), stdio: "ignore", detached: true });
  const group = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch (error) {
      // Nobody is left.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  onTestFinished(group);
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  group();
  return signal !== null;
}

function installed(cwd: string): string[] {
  const modules = join(cwd, "node_modules");
  return readdirSync(modules, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("package.json"))
    .map((path) => JSON.parse(readFileSync(join(modules, path), "utf8")) as { name: string; version: string })
    .map(({ name, version }) => `${name}@${version}`);
}
