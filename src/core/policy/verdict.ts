/**
 * Signals, effects and verdicts: the vocabulary of every decision.
 * Lattice: allow < hold until t < review < deny; `note` changes nothing; the strictest wins and several holds end at the latest.
 */
import type { Instant } from "../base/time.ts";
import type { SignalId } from "../signals/table.ts";

export type Effect =
  | { readonly kind: "note" }
  /** Ends at `until`; without one it ends only when the condition in the signal's evidence is met. */
  | { readonly kind: "hold"; readonly until?: Instant; readonly pins?: Pins }
  | { readonly kind: "review"; readonly pins?: Pins }
  | { readonly kind: "deny" };

/** Withheld from ranges, but who pins bytes that this gate already served still gets them, with an alert (`verdictForPin`). */
export type Pins = "served";

/** One line a person can check: what was seen, where, when. */
export type Evidence = {
  readonly text: string;
  /** The source: `registry`, `history`, `policy`, a feed's name, a file with line. */
  readonly source: string;
  readonly at?: Instant;
};

/** A named opinion drawn from facts. */
export type Signal = {
  readonly id: SignalId | `not-checked:${string}`;
  readonly effect: Effect;
  /** One short clause in plain words, e.g. "published 38 min ago". */
  readonly title: string;
  readonly evidence: readonly Evidence[];
};

export type Action = "allow" | "hold" | "review" | "deny";

/** A scoped, owned, reasoned, expiring exception to named signals of one exact version. */
export type Waiver = {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** SRI the waiver is pinned to; other bytes are not covered. */
  readonly integrity: string;
  /** Signal ids covered; others are not. */
  readonly signals: readonly string[];
  /** One `<signal id>=<digest>` for each signal covered, separated by spaces; new evidence of the same signal is not covered. */
  readonly evidence: string;
  readonly owner: string;
  readonly reason: string;
  readonly created: Instant;
  readonly expires: Instant;
  /** Last time it made a difference. */
  readonly used?: Instant;
  readonly revoked?: { readonly at: Instant; readonly by: string };
};

export type Verdict = {
  readonly action: Action;
  /** When the last hold ends, also beside a review (then both are needed); absent for an open-ended one and for deny. */
  readonly until?: Instant;
  /** True when a person must also look, even if action is `deny` or a hold exists beside it. */
  readonly review: boolean;
  /** Unwaived signals that are not notes, strictest first. */
  readonly reasons: readonly Signal[];
  readonly notes: readonly Signal[];
  readonly waived: readonly { readonly signal: Signal; readonly waiver: string }[];
  /** True when mode `monitor` lets it pass although `action` is not allow. */
  readonly monitored: boolean;
  /** Digest of the policy document that judged. */
  readonly policy: string;
};

/** Whether a client may have it now. Monitor mode withholds only `deny`. */
export function withheld(verdict: Verdict): boolean {
  return verdict.action !== "allow" && !verdict.monitored;
}
