/**
 * Part of its code could not be read. A hold and not a review: a person is no better at reading what ends a parser, and within a week
 * whoever reads it by other means has spoken. No tarball looked at, or not yet, is a check that could not run.
 */
import { DAY, instant } from "../base/time.ts";
import type { CodeDone } from "../analysis/code-facts.ts";
import type { Check } from "./check.ts";
import { codeEvidence } from "./code-evidence.ts";
import { withinHorizon } from "./horizon.ts";

const HOLD = 7 * DAY;

export const analysisIncomplete: Check = ({ facts }) => {
  const { code, start } = facts;
  if (!code) return undefined;
  if (code.state === "pending") throw new Error("its tarball has not been looked at yet");
  if (code.state === "unreadable") throw new Error(code.reason);
  if (code.unread.length === 0) return undefined;
  const holds = code.unread.some((one) => matters(one, code));
  return {
    id: "analysis-incomplete",
    effect: holds ? withinHorizon(facts, { kind: "hold", until: instant(start + HOLD) }) : { kind: "note" },
    title: `${code.unread.length === 1 ? "a file" : `${code.unread.length} files`} of it could not be read`,
    evidence: code.unread.map(({ path, reason }) => codeEvidence({ path }, reason)),
  };
};

/**
 * Tests and templates that are no JavaScript are in many packages, and what no parser reads seldom runs; but a package whose own code
 * could be read and now cannot has changed in a way that hides.
 */
function matters({ kind, install, entry }: CodeDone["unread"][number], { predecessor }: CodeDone): boolean {
  return kind !== "syntax" || (predecessor !== undefined && (install || entry));
}
