/** The parent's side of `load.mjs`: what the load got, and when it killed. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Tarball } from "./registry.ts";

/** A tarball whose last byte arrived. */
export type Got = Tarball & { readonly project: string; readonly bytes: number; readonly integrity: string };

export type Load = {
  readonly got: readonly Got[];
  /** Whole answers that were no 200. */
  readonly odd: readonly string[];
  /** Kills the process when at least that many transfers are in flight, `ms` after that was first so; resolves with how many there were. */
  kill(pid: number, atLeast: number, ms: number): Promise<number>;
  stop(): void;
};

type Message = { readonly got?: Got; readonly odd?: string; readonly killed?: true; readonly flowing?: number };

export function startLoad(asks: {
  readonly url: string;
  readonly label: string;
  readonly lanes: readonly { readonly tarballs: readonly Tarball[]; readonly pause: number }[];
}): Load {
  const child: ChildProcess = fork(fileURLToPath(new URL("load.mjs", import.meta.url)), [JSON.stringify(asks)], { stdio: "inherit" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const got: Got[] = [];
  const odd: string[] = [];
  let killed: (flowing: number) => void = () => {};
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the load process ended")));
  // Its end is an error only for whoever waits for a kill.
  ended.catch(() => undefined);
  child.on("message", (message: Message) => {
    if (message.got) got.push(message.got);
    if (message.odd !== undefined) odd.push(message.odd);
    if (message.killed) killed(message.flowing ?? 0);
  });
  return {
    got,
    odd,
    kill(pid, atLeast, ms) {
      child.send({ pid, atLeast, ms });
      return Promise.race([ended, new Promise<number>((resolve) => (killed = resolve))]);
    },
    stop: () => void child.kill("SIGKILL"),
  };
}
