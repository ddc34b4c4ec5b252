/** What one feed says of one package version: the unit advisories are matched, weighed and explained in. */
import type { Instant } from "../base/time.ts";

export const SEVERITIES = ["low", "moderate", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export type Claim = {
  /** `MAL-2026-2306`, `GHSA-…`, or an id of our own list. */
  readonly id: string;
  /** Every id of the same thing, this one included, after aliases are closed over all feeds; sorted. */
  readonly aliases: readonly string[];
  readonly kind: "malware" | "vulnerability";
  /** The feed's name as configured. */
  readonly feed: string;
  /** Who found it, as far as the record says; two feeds that pass on one finding are one origin. Never empty. */
  readonly origins: readonly string[];
  /** When this cordon first saw the claim, when the feed says it was last changed, and when it was taken back. */
  readonly firstSeen: Instant;
  readonly modified?: Instant;
  readonly withdrawn?: Instant;
  /** When this cordon first saw that a claim it had held was taken back; absent when it was withdrawn before we ever saw it. */
  readonly withdrawnSeen?: Instant;
  /** It came with a sync that newly denied more than 20 names in use, and nobody has confirmed that sync. */
  readonly mass?: true;
  readonly severity?: Severity;
  readonly summary?: string;
  /** How it was matched: an explicit version, a range, a bare `introduced: 0`, the bytes themselves, or a version nobody can place. */
  readonly match: "version" | "range" | "everything" | "integrity" | "possible";
  /** Versions named by a `fixed` event of the matching ranges. */
  readonly fixed: readonly string[];
};
