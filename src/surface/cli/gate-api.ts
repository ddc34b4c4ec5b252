/** What the wrapper asks of a gate over HTTP, whether it runs in this process, on this machine or for the company. */
import type { Decided, Entry } from "../../app/decide-entries.ts";
import type { Verdict } from "../../core/policy/verdict.ts";

export type RemoteDecision = {
  readonly at: string;
  readonly kind: "refused" | "left-out" | "served" | "mismatch";
  readonly name: string;
  readonly version?: string;
  readonly verdict?: Verdict;
  readonly tags?: readonly string[];
  readonly instead?: readonly string[];
};

export type GateApi = {
  /** Base URL with trailing slash, without any `/p/…` prefix. */
  readonly url: string;
  /** Whether a cordon gate answered there. */
  readonly answers: boolean;
  /** Its upstream, as its health says. */
  readonly upstream: string;
  decide(entries: readonly Entry[]): Promise<Decided>;
  /** `after`: `next` of an earlier answer, or `now` to learn it. */
  decisions(
    after: number | "now",
    project?: string,
  ): Promise<{ readonly next: number; readonly requests: number; readonly decisions: readonly RemoteDecision[] }>;
};
