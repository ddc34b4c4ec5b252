/**
 * Gives memory back after a burst. V8 grows its heap for the burst and, with nothing left to do, does not look at it again: what is
 * garbage would stay resident until the next one. Losable; changes no answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How often is looked; a whole look without a request, after one with some, is rest. */
const LOOK_MS = 1_000;
/** Requests below which it is not worth the pause of a full collection. */
const BURST = 100;

/** `served` counts requests ever answered; `rest` lets go of what can be made again. Returns the function that stops it. */
export function restAfterBursts(served: () => number, rest: () => void): () => void {
  let collect: (() => Promise<void>) | undefined;
  let collected = served();
  let before = collected;
  const timer = setInterval(() => {
    const now = served();
    const quiet = now === before;
    before = now;
    if (!quiet || now - collected < BURST) return;
    collected = now;
    rest();
    collect ??= collector();
    void collect();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

type Collect = (how?: { readonly type: "minor" | "major"; readonly execution?: "sync"; readonly flavor?: "last-resort" }) => void;

/** From V8 12, of Node 22, on a collection can be asked to give back all it can. */
const CAN_BE_TOLD = Number.parseInt(process.versions.v8, 10) >= 12;
/**
 * Before that the space for what is new, 33 MB after a burst, shrinks only where little was allocated before each of the last ten
 * collections. So many small ones, a millisecond each, and the pause between them that V8 needs to count them. Mostly sixteen are enough;
 * now and then V8 still counts the end of the burst among them.
 */
const SMALL = 64;
const PAUSE_MS = 30;
/** What is left of that space when it has shrunk. */
const SHRUNK_BYTES = 4_000_000;

function hasShrunk(): boolean {
  return getHeapSpaceStatistics().every(({ space_name: name, space_size: size }) => name !== "new_space" || size <= SHRUNK_BYTES);
}

/** Node hands out the collector only under a flag, which may be set at any time and counts in contexts made afterwards. */
function collector(): () => Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as Collect;
  setFlagsFromString("--no-expose-gc");
  return async () => {
    if (CAN_BE_TOLD) return collect({ type: "major", execution: "sync", flavor: "last-resort" });
    for (let at = 0; at < SMALL && !hasShrunk(); at++) {
      collect({ type: "minor" });
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
    // Left to itself a collection leaves half empty pages as they are.
    setFlagsFromString("--compact-on-every-full-gc");
    collect();
    setFlagsFromString("--no-compact-on-every-full-gc");
  };
}
