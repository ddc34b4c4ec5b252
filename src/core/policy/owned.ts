/** What every waiver, deny and freeze has in common: somebody answers for it, says why, and (when it loosens or stops) until when. */
import { Fault } from "../base/fault.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { DAY, type Instant, iso } from "../base/time.ts";

/** The text, trimmed. Throws Fault USAGE when it is empty, too long or would not print as it is. */
export function ownedText(what: "owner" | "reason", text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") throw new Fault("USAGE", `the ${what} is missing`);
  if (trimmed.length > LIMITS.policyTextChars) throw new Fault("USAGE", `the ${what} is longer than ${LIMITS.policyTextChars} characters`);
  if (printable(trimmed) !== trimmed) throw new Fault("USAGE", `the ${what} holds control characters`);
  return trimmed;
}

/** Throws Fault USAGE when the expiry is not in the future, or further away than LIMITS.waiverMs. */
export function expiry(expires: Instant, now: Instant): Instant {
  if (!Number.isFinite(expires)) throw new Fault("USAGE", "the expiry is not a time");
  if (expires <= now) throw new Fault("USAGE", `the expiry ${iso(expires)} is not in the future`);
  if (expires - now > LIMITS.waiverMs)
    throw new Fault("USAGE", `the expiry ${iso(expires)} is more than ${LIMITS.waiverMs / DAY} days away`);
  return expires;
}
