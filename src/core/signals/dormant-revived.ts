/** The first release after a long silence: forgotten accounts are taken over, and nobody watches. */
import { DAY, span } from "../base/time.ts";
import type { Check } from "./check.ts";

const LONG = 365 * DAY;

export const dormantRevived: Check = ({ facts }) => {
  const quiet = facts.release?.quiet;
  if (quiet === undefined || quiet < LONG) return undefined;
  return {
    id: "dormant-revived",
    effect: { kind: "note" },
    title: `the first release in ${span(quiet)}`,
    evidence: [{ text: `nothing was published for ${Math.floor(quiet / DAY)} days`, source: "registry" }],
  };
};
