/** What waits: one version somebody asked for and did not get. */
import type { Instant } from "../base/time.ts";
import type { Verdict } from "./verdict.ts";

export type Held = {
  readonly name: string;
  readonly version: string;
  readonly integrity?: string;
  /** First time it was withheld here. */
  readonly since: Instant;
  readonly lastAsked: Instant;
  readonly asked: number;
  readonly projects: readonly string[];
  readonly verdict: Verdict;
};

/** One more time it was withheld. `asked: false` records without counting (a packument left it out). */
export type HeldNote = {
  readonly name: string;
  readonly version: string;
  readonly integrity?: string;
  readonly at: Instant;
  readonly project?: string;
  readonly verdict: Verdict;
  readonly asked: boolean;
};
