/** What every contract suite is given: a store on new data, and the same data once more as another process would open it. */
import type { TestClock } from "../kit/clock.ts";

export type Opened<Store> = {
  readonly store: Store;
  /** A second opening of the same data beside the first. */
  again(): Promise<Store>;
  readonly clock: TestClock;
};

/** Everything it opens is closed and removed when the running test ends. */
export type Open<Store> = () => Promise<Opened<Store>>;
