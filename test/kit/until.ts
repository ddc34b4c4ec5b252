/** Waiting for what another process, a timer or a disk brings: for the event itself, with a ceiling only a broken product reaches. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Below the time a test may take, so that a test that waits in vain says what it saw. */
const CEILING_MS = 25_000;

/** Asks until `done` says so, and gives the last answer. */
export async function until<T>(ask: () => T | Promise<T>, done: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + CEILING_MS;
  for (;;) {
    const answer = await ask();
    if (done(answer) || performance.now() > end) return answer;
    await sleep(20);
  }
}

/**
 * Until connections to a port of this machine are refused. A program that another thread is just starting holds a copy of every open socket
 * until it begins: a port that was closed in that moment still takes connections, which are then reset, and cannot be listened on.
 */
export async function untilRefused(port: number): Promise<void> {
  const ask = () =>
    new Promise<string | undefined>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.destroy());
      socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code)).on("close", () => resolve(undefined));
    });
  const said = await until(ask, (code) => code === "ECONNREFUSED");
  if (said !== "ECONNREFUSED") throw new Error(`port ${port} was closed and still answers (${said ?? "connected"})`);
}
