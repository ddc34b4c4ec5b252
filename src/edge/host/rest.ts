/**
 * Gives memory back after a burst. V8 grows its heap for the burst and, with nothing left to do, does not look at it again: what is
 * garbage would stay resident until the next one. Losable; changes no answer.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How often is looked; a whole look without a request, after one with some, is rest. */
const LOOK_MS = 1_000;
/** Requests below which it is not worth the pause of a full collection. */
const BURST = 100;

/** `served` counts requests ever answered. Returns the function that stops it. */
export function restAfterBursts(served: () => number): () => void {
  let collect: (() => void) | undefined;
  let collected = served();
  let before = collected;
  const timer = setInterval(() => {
    const now = served();
    const quiet = now === before;
    before = now;
    if (!quiet || now - collected < BURST) return;
    collected = now;
    collect ??= collector();
    collect();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Node hands out the collector only under a flag, which may be set at any time and counts in contexts made afterwards. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  return () => {
    // Left to itself a collection leaves half empty pages as they are.
    setFlagsFromString("--compact-on-every-full-gc");
    collect();
    setFlagsFromString("--no-compact-on-every-full-gc");
  };
}
