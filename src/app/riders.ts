/**
 * Which versions ride along with the fix of another package, as far as that package was judged since this gate was started: in memory,
 * losable. Until the fix is asked for again after a start, what it pins waits like everything else.
 */
import { LIMITS } from "../core/base/limits.ts";
import type { Ride } from "../core/policy/ride.ts";

export type Riders = {
  /** After a package was judged: what rides with it now, and nothing else any more. */
  judged(name: string, rides: readonly Ride[]): void;
  of(name: string, version: string): Ride | undefined;
};

/** `touch`: a package is to be judged anew, because one of its versions may leave early, or no longer. */
export function openRiders(touch: (name: string) => void): Riders {
  const rides = new Map<string, Ride>();
  /** Keys of what rides with a package. */
  const beside = new Map<string, readonly string[]>();

  return {
    judged(name, now) {
      const before = beside.get(name) ?? [];
      const after = new Map(now.slice(0, LIMITS.ridesPerPackage).map((ride) => [keyOf(ride), ride]));
      // What rides with another package as well is that one's: two that took it in turn would have it judged for ever.
      for (const key of before.filter((one) => !after.has(one))) {
        touch(rides.get(key)!.name);
        rides.delete(key);
      }
      const kept = [...after].filter(([key]) => before.includes(key) || !rides.has(key));
      for (const [key, ride] of kept) {
        if (!rides.has(key)) touch(ride.name);
        rides.set(key, ride);
      }
      if (kept.length > 0)
        beside.set(
          name,
          kept.map(([key]) => key),
        );
      else beside.delete(name);
    },
    of: (name, version) => rides.get(`${name}@${version}`),
  };
}

function keyOf({ name, version }: Ride): string {
  return `${name}@${version}`;
}
