/** A temporary folder to run programs in: it is gone when the work ends, and so is everything the programs started, also when we are told to end. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { codeOf } from "./files.ts";

export type ProgramEnd = {
  /** Undefined when it was killed or could not be started. */
  readonly status: number | undefined;
  readonly timedOut: boolean;
  /** The system's reason why it could not be started. */
  readonly failure?: string;
  /** The end of what it printed, both streams. */
  readonly output: string;
};

export type RunProgram = (
  binary: string,
  args: readonly string[],
  /** `env` is all the environment it gets; `ceiling` in milliseconds. */
  how: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly ceiling: number },
) => Promise<ProgramEnd>;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The folder is its owner's alone. */
export async function inScratch<T>(temporary: string, work: (folder: string, run: RunProgram) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(temporary, "cordon-doctor-"));
  const ending = new AbortController();
  const cleanUp = (): void => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    ending.abort();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    cleanUp();
    // Nobody else listens any more: the signal does what it would have done.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(folder, (binary, args, how) => run(binary, args, how, ending.signal));
  } finally {
    cleanUp();
  }
}

function run(binary: string, args: readonly string[], how: Parameters<RunProgram>[2], ending: AbortSignal): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    // A process group of its own, so that what it starts ends with it.
    const child = spawn(binary, args, { cwd: how.cwd, env: how.env, stdio: ["ignore", "pipe", "pipe"], shell: false, detached: true });
    let output = "";
    let [failure, timedOut]: [string | undefined, boolean] = [undefined, false];
    const keep = (text: string): void => {
      output = (output + text).slice(-LIMITS.trialOutputBytes);
    };
    const kill = (): void => killGroup(child.pid);
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, how.ceiling);
    ending.addEventListener("abort", kill);
    // Something left running may hold the pipes open for ever.
    child.once("exit", kill);
    child.once("error", (error) => {
      failure = codeOf(error);
    });
    child.once("close", (status) => {
      clearTimeout(timer);
      ending.removeEventListener("abort", kill);
      if (failure === undefined) resolve({ status: status ?? undefined, timedOut, output });
      else resolve({ status: undefined, timedOut, output, failure });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself; macOS says EPERM of a group that is ending.
    if (!["ESRCH", "EPERM"].includes(codeOf(error))) throw error;
  }
}
