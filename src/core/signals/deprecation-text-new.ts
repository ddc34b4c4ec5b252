/** Somebody deprecated it lately: who stole an account can deprecate the good versions, to drive everybody to the bad one. */
import { inForce } from "../advisory/contested.ts";
import { DAY, isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";

/** Design §4: "text first seen < 72 h ago on an admitted version alerts, unless a feed agrees". */
const FRESH = 3 * DAY;

export const deprecationTextNew: Check = ({ facts: { deprecated, firstSeen, claims }, now }) => {
  // What carried its text when it was first seen here may have carried it for years.
  if (!deprecated || deprecated.since <= firstSeen || now - deprecated.since >= FRESH) return undefined;
  if (inForce(claims ?? [], now).length > 0) return undefined;
  return {
    id: "deprecation-text-new",
    effect: { kind: "note" },
    title: `deprecated lately: ${deprecated.text}`,
    evidence: [{ text: `this text was first seen here ${isoMinute(deprecated.since)}`, source: "history", at: deprecated.since }],
  };
};
