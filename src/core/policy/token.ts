/** A client token as stored and listed; the secret itself is shown once and never kept. */
import type { Instant } from "../base/time.ts";

export type Token = {
  readonly id: string;
  readonly label: string;
  /** Projects whose decisions it may read and under whose prefix it may ask; `*` = all. */
  readonly projects: readonly string[];
  readonly created: Instant;
  readonly expires?: Instant;
  readonly revoked?: Instant;
  readonly lastUsed?: Instant;
};
