/**
 * Folds signals into one verdict. Total, independent of the order of signals, and monotone: one more signal never loosens.
 * Lattice: allow < hold until t < review < deny; a note changes nothing.
 */
import { canonical } from "../base/digest.ts";
import { type Instant, instant } from "../base/time.ts";
import { SIGNALS } from "../signals/table.ts";
import type { Context, Policy } from "./policy.ts";
import type { Action, Signal, Verdict, Waiver } from "./verdict.ts";
import { waiversFor } from "./waiver.ts";

export type Case = {
  readonly name: string;
  readonly version: string;
  /** SRI waivers are pinned to; a version without one cannot be waived. */
  readonly integrity?: string;
  readonly signals: readonly Signal[];
  readonly context: Context;
  readonly waivers: readonly Waiver[];
  readonly policy: Policy;
  readonly now: Instant;
};

export function decide({ signals, context, waivers, policy, now, ...subject }: Case): Verdict {
  const reasons: Signal[] = [];
  const notes: Signal[] = [];
  const waived: { signal: Signal; waiver: string }[] = [];
  for (const signal of signals.map((each) => loosened(each, context, now))) {
    if (signal.effect.kind === "note") {
      notes.push(signal);
      continue;
    }
    const { covering, missing } = waiversFor(waivers, subject, signal, now);
    if (missing === 0) waived.push(...covering.map(({ id }) => ({ signal, waiver: id })));
    else reasons.push(signal);
  }
  reasons.sort(byStrictness);
  const action: Action = reasons.length === 0 ? "allow" : (reasons[0]!.effect.kind as Action);
  const until = action === "deny" ? undefined : endOf(reasons);
  return {
    action,
    ...(until === undefined ? {} : { until }),
    review: reasons.some((reason) => reason.effect.kind === "review"),
    reasons,
    notes: notes.toSorted(byStrictness),
    waived: waived.toSorted((a, b) => byStrictness(a.signal, b.signal) || compareText(a.waiver, b.waiver)),
    monitored: isMonitored(reasons, policy, now),
    policy: policy.digest,
  };
}

/** Age by its own kind of evidence: what a private upstream's word is enough for. */
const AGE: ReadonlySet<string> = new Set(["young-release", "not-reconfirmed"]);

/** Design §4: "upstreams[].private: true makes age … rules notes". A hold whose end has come is one too. */
function loosened(signal: Signal, context: Context, now: Instant): Signal {
  const over = signal.effect.kind === "hold" && signal.effect.until !== undefined && signal.effect.until <= now;
  return over || (context.privateUpstream && AGE.has(signal.id)) ? { ...signal, effect: { kind: "note" } } : signal;
}

/** Several holds end at the latest; one without an end leaves the verdict without one. */
function endOf(reasons: readonly Signal[]): Instant | undefined {
  const ends = reasons.flatMap(({ effect }) => (effect.kind === "hold" ? [effect.until] : []));
  return ends.length > 0 && ends.every((end) => end !== undefined) ? instant(Math.max(...ends)) : undefined;
}

/** Monitor mode withholds only what is denied, and what a freeze stops: whoever freezes in an emergency means it. An expired one is enforced. */
function isMonitored(reasons: readonly Signal[], policy: Policy, now: Instant): boolean {
  if (policy.mode.kind !== "monitor" || now >= policy.mode.expires || reasons.length === 0) return false;
  return reasons.every((reason) => reason.effect.kind !== "deny" && reason.id !== "frozen");
}

const RANK = { note: 0, hold: 1, review: 2, deny: 3 } as const;
const ORDER: readonly string[] = Object.keys(SIGNALS);

/** Strictest first, later ends first, then the order of the table; a total order, so that the order signals came in leaves no trace. */
function byStrictness(a: Signal, b: Signal): number {
  return (
    RANK[b.effect.kind] - RANK[a.effect.kind] ||
    holdEnd(b) - holdEnd(a) ||
    position(a) - position(b) ||
    compareText(a.id, b.id) ||
    compareText(canonical(a), canonical(b))
  );
}

function holdEnd({ effect }: Signal): number {
  return effect.kind === "hold" ? (effect.until ?? Number.MAX_VALUE) : 0;
}

function position(signal: Signal): number {
  const index = ORDER.indexOf(signal.id);
  return index === -1 ? ORDER.length : index;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
