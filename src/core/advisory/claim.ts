/** What one feed says of one package version: the unit advisories are stored, matched and explained in. */
import type { Instant } from "../base/time.ts";

export type Claim = {
  /** `MAL-2026-2306`, `GHSA-…`, or an id of our own list. */
  readonly id: string;
  /** Every id of the same thing, this one included, after aliases are closed over all feeds. */
  readonly aliases: readonly string[];
  readonly kind: "malware" | "vulnerability";
  /** The feed's name as configured. */
  readonly feed: string;
  /** When this cordon first saw the claim, when the feed says it was last changed, and when it was taken back. */
  readonly firstSeen: Instant;
  readonly modified?: Instant;
  readonly withdrawn?: Instant;
  readonly severity?: "low" | "moderate" | "high" | "critical";
  readonly summary?: string;
  /** How it was matched: an explicit version, a range, a bare `introduced: 0`, or the bytes themselves. */
  readonly match: "version" | "range" | "everything" | "integrity" | "possible";
  /** Versions named by a `fixed` event of the matching range. */
  readonly fixed: readonly string[];
};
