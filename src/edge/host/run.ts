/** Starts a client: with the terminal as its own, or to ask it one thing. Never through a shell. */
import { spawn } from "node:child_process";
import os from "node:os";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { codeOf } from "./files.ts";

export type RunRequest = {
  readonly binary: string;
  readonly argv: readonly string[];
  readonly directory: string;
  /** The whole environment, not additions to ours. */
  readonly env: Readonly<Record<string, string>>;
};

export type RunOutcome =
  | { readonly kind: "exited"; readonly status: number }
  | { readonly kind: "signalled"; readonly signal: NodeJS.Signals };

/** Signals that end a run; each is handed on and the run is waited for, so that its report is still written. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/** A terminal sends these to every process of the group itself; handing them on would deliver them twice. */
const FROM_TERMINAL = new Set<NodeJS.Signals>(["SIGINT", "SIGQUIT"]);

/**
 * Runs it to its end with our stdin, stdout and stderr. `toStderr`: what it prints goes to our stderr, where our stdout is somebody's to
 * read. Fault CLIENT_MISSING when it cannot be started.
 */
export function runClient({
  binary,
  argv,
  directory,
  env,
  toStderr = false,
}: RunRequest & { readonly toStderr?: boolean }): Promise<RunOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, argv, { cwd: directory, env, stdio: ["inherit", toStderr ? 2 : "inherit", "inherit"], shell: false });
    const forward = (signal: NodeJS.Signals): void => {
      if (!(process.stdin.isTTY && FROM_TERMINAL.has(signal))) child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, forward);
    const stopForwarding = (): void => {
      for (const signal of SIGNALS) process.off(signal, forward);
    };
    child.once("error", (error) => {
      stopForwarding();
      reject(new Fault("CLIENT_MISSING", `${binary} could not be started: ${codeOf(error)}`, error));
    });
    child.once("exit", (status, signal) => {
      stopForwarding();
      resolve(signal === null ? { kind: "exited", status: status ?? 0 } : { kind: "signalled", signal });
    });
  });
}

/** The status a shell would show: a signal counts 128 and its number. */
export function exitStatus(outcome: RunOutcome): number {
  return outcome.kind === "exited" ? outcome.status : 128 + (os.constants.signals[outcome.signal] ?? 0);
}

/** What a client prints, trimmed; undefined when it fails, says nothing, too much, or takes too long. Its stdin is empty. */
export function askClient({ binary, argv, directory, env }: RunRequest): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(binary, argv, {
      cwd: directory,
      env,
      stdio: ["ignore", "pipe", "ignore"],
      shell: false,
      timeout: LIMITS.clientProbeMs,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LIMITS.clientProbeBytes) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.once("error", () => resolve(undefined));
    child.once("close", (status) => {
      const text = Buffer.concat(chunks).toString("utf8").trim();
      resolve(status === 0 && text !== "" ? text : undefined);
    });
  });
}
