/** What the wrapper asks of a gate over HTTP, whether it runs in this process, on this machine or for the company. */
import type { Decided, Entry } from "../../app/decide-entries.ts";
import type { Instant } from "../../core/base/time.ts";
import { classifySpec } from "../../core/npm/ranges.ts";
import type { Verdict } from "../../core/policy/verdict.ts";

export type RemoteDecision = {
  readonly at: string;
  readonly kind: "refused" | "left-out" | "served" | "mismatch";
  readonly name: string;
  readonly version?: string;
  readonly verdict?: Verdict;
};

export type GateApi = {
  /** Base URL with trailing slash, without any `/p/…` prefix. */
  readonly url: string;
  /** Whether a cordon gate answered there. */
  readonly answers: boolean;
  /** Its upstream, as its health says. */
  readonly upstream: string;
  decide(entries: readonly Entry[]): Promise<Decided>;
  decisions(since: Instant, project?: string): Promise<{ readonly requests: number; readonly decisions: readonly RemoteDecision[] }>;
};

/** A declared dependency as the package it really is: an alias counts for its target. */
export function asWhole(name: string, range: string): [string, string] {
  const spec = classifySpec(range);
  return spec.kind === "alias" ? [spec.name, spec.spec] : [name, range];
}
