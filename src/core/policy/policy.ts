/** The policy a gate judges by, as plain data. `document.ts` reads it from cordon.yaml; levels combine strictest-wins. */
import type { Instant } from "../base/time.ts";

export type Policy = {
  /** Digest over the canonical document; part of cache keys and of every verdict. */
  readonly digest: string;
  readonly preset: "balanced" | "strict";
  /** `monitor` withholds only deny; it always has an owner and an end. */
  readonly mode: { readonly kind: "enforce" } | { readonly kind: "monitor"; readonly owner: string; readonly expires: Instant };
  /** Milliseconds a new version waits. */
  readonly hold: number;
  /** Name globs; empty = every name is allowed under `balanced`, none under `strict`. */
  readonly allow: readonly string[];
  /** Name globs never sent to the public upstream. */
  readonly private: readonly string[];
  /** Versions first listed by an upstream that gives no `time` count as old when somebody accepted that baseline. */
  readonly baseline?: { readonly owner: string; readonly accepted: Instant };
};

/** A deny entry; `integrity` denies bytes under any name. Either field may be absent, not both. */
export type Deny = {
  readonly id: string;
  readonly name?: string;
  /** Exact version; absent = every version of the name. */
  readonly version?: string;
  readonly integrity?: string;
  readonly owner: string;
  readonly reason: string;
  readonly created: Instant;
  readonly removed?: { readonly at: Instant; readonly by: string };
};

/** Nothing whose age starts at or after `before` is admitted, except named waivers and pins served before `created`. */
export type Freeze = {
  readonly id: string;
  readonly before: Instant;
  readonly owner: string;
  readonly reason: string;
  readonly created: Instant;
  readonly expires: Instant;
  readonly lifted?: { readonly at: Instant; readonly by: string };
};

/** Everything that loosens or tightens besides the policy document; read as one consistent set. */
export type Exceptions = {
  /** Grows with every change; part of cache keys. */
  readonly epoch: number;
  readonly waivers: readonly import("./verdict.ts").Waiver[];
  readonly denies: readonly Deny[];
  readonly freezes: readonly Freeze[];
};

/** What loosens without being a signal. */
export type Context = {
  /** ≥ 90 days of history and ≥ 5 stable versions. */
  readonly established: boolean;
  /** The package comes from an upstream configured as private. */
  readonly privateUpstream: boolean;
};
