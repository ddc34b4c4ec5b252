/** What a signal function is given, and what it answers. One file per signal; `evaluate.ts` runs them all. */
import type { Instant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { Exceptions, Policy } from "../policy/policy.ts";
import type { Signal } from "../policy/verdict.ts";
import type { Availability } from "./dependency-walk.ts";
import type { FeedsRead } from "./not-reconfirmed.ts";

export type SignalInput = {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly exceptions: Exceptions;
  readonly now: Instant;
  /** Whether what it requires can be installed; absent while only a version's own signals are asked for. */
  readonly dependencies?: Availability;
  /** The same name seen on the public registry while the private one is served. */
  readonly publicTwin?: { readonly upstream: string; readonly seen: Instant };
  /** Hosts of the registries configured here, with port where they have one; absent = npm's and yarn's alone are no strangers. */
  readonly ownHosts?: readonly string[];
  /** How old what feeds say is; absent where no feed is configured. */
  readonly feeds?: FeedsRead;
};

/** Undefined: nothing to say. Throwing is allowed and counts as a check that could not run. */
export type Check = (input: SignalInput) => Signal | undefined;
