/** Waiting for what another process, a timer or a disk brings: for the event itself, with a ceiling only a broken product reaches. */
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
