/** The built product in processes of its own, as users have it: for tests that need signals, kills, terminals or an empty home. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type ClientRun, runProgram } from "../clients/clients.ts";
import { ROOT } from "../house/tree.ts";

export const CORDON = join(ROOT, "bin", "cordon.js");

export type BuiltGate = {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it wrote to stdout so far. */
  stdout(): string;
  /** Exit status and signal. */
  ended(): Promise<unknown>;
};

/** Everything a built cordon may know: its data directory, where to listen, its upstream; nothing of this machine. */
export function cordonEnv(home: string, upstream: string, port?: number): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    CORDON_DATA: join(home, "data"),
    CORDON_UPSTREAM: upstream,
    CORDON_LOG_LEVEL: "error",
    CORDON_TRUST_MIRROR: "off",
    ...(port === undefined ? {} : { CORDON_LISTEN: `127.0.0.1:${port}` }),
  };
}

/** Resolves when it says that it serves. `argv`: what Node is given. */
export async function startBuiltGate(
  env: Readonly<Record<string, string>>,
  argv: readonly string[] = [CORDON, "gate"],
): Promise<BuiltGate> {
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  const stop = () => void child.kill("SIGKILL");
  onTestFinished(stop);
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const [, found] = /^cordon gate · (\S+)/m.exec((stdout += text)) ?? [];
      if (found !== undefined) resolve(`${found}/`);
    });
    void ended.then(() => reject(new Error(`the gate ended before it served:\n${stdout}${stderr}`)));
  });
  return { url, pid: child.pid!, child, stdout: () => stdout, ended: () => ended };
}

/** Runs a built `cordon …` to its end. */
export function cordon(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Promise<ClientRun> {
  return runProgram(process.execPath, [CORDON, ...args], { cwd, env });
}
