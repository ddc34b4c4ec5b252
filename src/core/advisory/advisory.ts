/** One advisory as it is kept: what matching and weighing need of a feed's record, and nothing else. */
import type { Instant } from "../base/time.ts";
import type { Severity } from "./claim.ts";

export const EVENT_KINDS = ["introduced", "fixed", "last_affected", "limit"] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export type RangeEvent = { readonly kind: EventKind; readonly version: string };

/** One package an advisory speaks of. */
export type Affected = {
  readonly name: string;
  /** Exact versions. */
  readonly versions: readonly string[];
  /** Each is a list of events in no particular order; the ranges are OR-ed. */
  readonly ranges: readonly (readonly RangeEvent[])[];
  /** sha512 SRI of the bytes, under whatever name they come. */
  readonly integrities: readonly string[];
};

export type Advisory = {
  readonly id: string;
  /** Other ids of the same thing. */
  readonly aliases: readonly string[];
  readonly kind: "malware" | "vulnerability";
  /** Who found it, as far as the record says. */
  readonly origins: readonly string[];
  readonly modified?: Instant;
  readonly withdrawn?: Instant;
  readonly severity?: Severity;
  readonly summary?: string;
  readonly affected: readonly Affected[];
};

/** An advisory with what this cordon knows of it: the feed it stands in, and when it was first seen and seen to be taken back. */
export type HeldAdvisory = {
  readonly advisory: Advisory;
  readonly feed: string;
  readonly firstSeen: Instant;
  readonly withdrawnSeen?: Instant;
  /** See `Claim.mass`. */
  readonly mass?: true;
};

/** What cannot be used of a feed, and where it stands: a line, a file, an id. */
export type AdvisoryProblem = { readonly source: string; readonly id?: string; readonly reason: string };

/**
 * What one record gave. Both: a part of it cannot be used, the rest counts. Neither: it speaks of no npm package.
 */
export type AdvisoryReading = { readonly advisory?: Advisory; readonly problem?: AdvisoryProblem };
