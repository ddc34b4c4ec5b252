/** Many versions, many lines or many packages were published within an hour: more than ever lately. Worms and thieves publish what they can reach. */
import { isBurst } from "../facts/publisher-burst.ts";
import type { ReleaseFacts } from "../facts/release-facts.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";

/** Fewer than this are a release and its corrections. */
const FEW = 4;
/** Design §4: "over 3× the publisher's own 90-day peak". */
const TIMES = 3;

export const publishBurst: Check = ({ facts: { release } }) => {
  const told = [release && versionsBurst(release), release && packagesBurst(release)].filter((one) => one !== undefined);
  const [first] = told;
  return first && { id: "publish-burst", effect: { kind: "note" }, title: first.title, evidence: told.map(({ evidence }) => evidence) };
};

type Told = { readonly title: string; readonly evidence: Evidence };

function versionsBurst({ burst }: ReleaseFacts): Told | undefined {
  if (!burst) return undefined;
  const { versions, lines, usualVersions, usualLines } = burst;
  const many = versions >= FEW && versions > TIMES * Math.max(1, usualVersions);
  const wide = lines >= FEW && lines > TIMES * Math.max(1, usualLines);
  if (!many && !wide) return undefined;
  return {
    title: `one of ${versions} versions in ${lines} ${lines === 1 ? "line" : "lines"} within an hour`,
    evidence: { text: `the most within an hour of the 90 days before: ${usualVersions} in ${usualLines}`, source: "registry" },
  };
}

/** Without numbers: they grow as more of the wave passes here, and a waiver is pinned to what is said. */
function packagesBurst({ publisherBurst }: ReleaseFacts): Told | undefined {
  if (!publisherBurst || !isBurst(publisherBurst)) return undefined;
  const { publisher } = publisherBurst;
  return {
    title: `${publisher} published several packages at once`,
    evidence: { text: `within an hour, of those seen here, over three times as many as ${publisher} ever did before`, source: "history" },
  };
}
