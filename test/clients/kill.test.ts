/** A wrapper killed in the middle of an install leaves its lockfile pointing at a gate that is gone; the next start gives it back. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { availableClients, clientEnv } from "./clients.ts";
import { all, BEFORE, COMMANDS, FROZEN, LOCKFILE, type Stage, stage } from "./stage.ts";

const CORDON = fileURLToPath(new URL("../../bin/cordon.js", import.meta.url));
const BUILT = existsSync(fileURLToPath(new URL("../../dist/main.js", import.meta.url)));
if (!BUILT) test.skipIf(true)("the wrapper is not built here: npm run build", () => {});

/** One client for each lockfile that names hosts. */
const CLIENTS = BUILT ? availableClients().filter(({ id }) => ["npm-11", "yarn-1", "bun-1", "deno-2"].includes(id)) : [];

for (const client of CLIENTS) {
  test(`${client.id}: killed outright`, async () => {
    const { project, wrapper, before, release } = await midway(client);
    process.kill(wrapper.pid!, "SIGKILL");
    await ended(wrapper);
    expect(project.read(LOCKFILE[client.kind])).toContain("http://localhost:");
    release();
    // The client outlives its wrapper; its gate is gone.
    endGroup(wrapper);

    const next = await ran(project, ["--version"]);
    expect(next, next.stderr).toMatchObject({ code: 0 });
    expect(next.stdout).toContain(client.version);
    expect(next.stderr).toContain(
      `a run that was killed left ${project.cwd}/${LOCKFILE[client.kind]} pointing at its gate; it is repaired`,
    );
    expect(project.read(LOCKFILE[client.kind])).toBe(before);
    expect((await ran(project, ["--version"])).stderr).toBe("");
  });

  test(`${client.id}: asked to end`, async () => {
    const { project, wrapper, before, release } = await midway(client);
    process.kill(wrapper.pid!, "SIGTERM");
    // npm finishes the step it is at before it heeds the signal.
    if (client.kind === "npm") release();
    expect(await ended(wrapper)).not.toBe(0);
    expect(project.read(LOCKFILE[client.kind])).toBe(before);
  });
}

/** A wrapped install whose tarballs do not arrive. */
async function midway(client: Stage["client"]) {
  const project = await stage(client, { at: BEFORE, dependencies: { axios: "^1.13.0" } });
  const made = await project.bare(["install"], { home: `${project.home}-alone` });
  expect(made, all(made)).toMatchObject({ code: 0 });
  const before = project.read(LOCKFILE[client.kind])!;
  project.remove("node_modules");
  project.registry.log.clear();
  let release!: () => void;
  project.registry.faults.add({ route: "tarball" }, { until: new Promise<void>((resolve) => (release = resolve)) });
  onTestFinished(release);
  const wrapper = start(project, FROZEN[client.kind]);
  onTestFinished(() => endGroup(wrapper));
  for (const deadline = Date.now() + 30_000; project.registry.log.find({ route: "tarball" }).length === 0; await sleep(50))
    if (Date.now() > deadline) throw new Error("the client asks for no tarball");
  return { project, wrapper, before, release };
}

/** A process of its own, in a group of its own. */
function start({ client, cwd, home, product, registry }: Stage, args: readonly string[]): ChildProcess {
  const env = { ...clientEnv(client, home), CORDON_DATA: product.data, CORDON_UPSTREAM: registry.url };
  return spawn(process.execPath, [CORDON, COMMANDS[client.kind], ...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
}

async function ran(project: Stage, args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(project, args);
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr!.on("data", (text: Buffer) => (stderr += text.toString()));
  return { code: await ended(child), stdout, stderr };
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch (error) {
    // All of it is gone already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
