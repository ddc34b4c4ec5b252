/** Freezes: while one is in force, nothing whose age starts at or after its moment is admitted. */
import { canonical, sha256 } from "../base/digest.ts";
import { Fault } from "../base/fault.ts";
import { type Instant, iso } from "../base/time.ts";
import { expiry, ownedText } from "./owned.ts";
import type { Freeze } from "./policy.ts";

export type FreezeRequest = {
  readonly before: Instant;
  readonly owner: string;
  readonly reason: string;
  readonly expires: Instant;
  readonly now: Instant;
};

/** Throws Fault USAGE. A moment in the future would freeze nothing yet, which is nobody's intent in an emergency. */
export function makeFreeze({ before, owner, reason, expires, now }: FreezeRequest): Freeze {
  if (before > now) throw new Fault("USAGE", `a freeze before ${iso(before)} would stop nothing yet: that is in the future`);
  const freeze = {
    before,
    owner: ownedText("owner", owner),
    reason: ownedText("reason", reason),
    created: now,
    expires: expiry(expires, now),
  };
  return { id: `f-${sha256(canonical(freeze)).slice(0, 10)}`, ...freeze };
}

/** Those neither lifted nor expired, the strictest first. */
export function activeFreezes(freezes: readonly Freeze[], now: Instant): readonly Freeze[] {
  return freezes
    .filter((freeze) => freeze.lifted === undefined && now < freeze.expires)
    .toSorted((a, b) => a.before - b.before || a.expires - b.expires);
}
