/** A release of a line that was left behind: ranges of old projects take it, and few read what is in it. */
import { isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";

export const oldLinePublish: Check = ({ facts }) => {
  const oldLine = facts.release?.oldLine;
  if (!oldLine) return undefined;
  return {
    id: "old-line-publish",
    effect: { kind: "note" },
    title: `a release of an old line, beside ${oldLine.newest}`,
    evidence: [{ text: `the line of ${oldLine.newest} began ${isoMinute(oldLine.since)}`, source: "registry", at: oldLine.since }],
  };
};
