/** Many versions, or many lines, were published within an hour: more than ever lately. Worms and thieves publish what they can reach. */
import type { Check } from "./check.ts";

/** Fewer than this are a release and its corrections. */
const FEW = 4;
/** Design §4: "over 3× the publisher's own 90-day peak". */
const TIMES = 3;

export const publishBurst: Check = ({ facts }) => {
  const burst = facts.release?.burst;
  if (!burst) return undefined;
  const { versions, lines, usualVersions, usualLines } = burst;
  const many = versions >= FEW && versions > TIMES * Math.max(1, usualVersions);
  const wide = lines >= FEW && lines > TIMES * Math.max(1, usualLines);
  if (!many && !wide) return undefined;
  return {
    id: "publish-burst",
    effect: { kind: "note" },
    title: `one of ${versions} versions in ${lines} ${lines === 1 ? "line" : "lines"} within an hour`,
    evidence: [{ text: `the most within an hour of the 90 days before: ${usualVersions} in ${usualLines}`, source: "registry" }],
  };
};
