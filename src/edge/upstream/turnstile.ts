/** How many requests may be under way at once, shared fairly between kinds: the kind with the fewest inside goes first, each kind in order. */

export type Turnstile = {
  /** Resolves with the function that gives the place back (safe to call twice). Rejects with the signal's reason when that comes first. */
  enter(lane: string, signal: AbortSignal): Promise<() => void>;
};

type Lane = { inside: number; readonly queue: Set<() => void> };

/** `ceilings` bounds single lanes below the whole capacity. */
export function openTurnstile(capacity: number, ceilings: Readonly<Record<string, number>> = {}): Turnstile {
  const lanes = new Map<string, Lane>();
  let inside = 0;

  function admit(): void {
    while (inside < capacity) {
      let next: Lane | undefined;
      for (const [name, lane] of lanes)
        if (lane.queue.size > 0 && lane.inside < (ceilings[name] ?? capacity) && (next === undefined || lane.inside < next.inside))
          next = lane;
      const [turn] = next?.queue ?? [];
      if (next === undefined || turn === undefined) return;
      next.queue.delete(turn);
      next.inside++;
      inside++;
      turn();
    }
  }

  return {
    enter(name, signal) {
      const lane = lanes.get(name) ?? { inside: 0, queue: new Set() };
      lanes.set(name, lane);
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const turn = () => {
          signal.removeEventListener("abort", leaveQueue);
          let left = false;
          resolve(() => {
            if (left) return;
            left = true;
            lane.inside--;
            inside--;
            admit();
          });
        };
        const leaveQueue = () => {
          lane.queue.delete(turn);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", leaveQueue, { once: true });
        lane.queue.add(turn);
        admit();
      });
    },
  };
}
