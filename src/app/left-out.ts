/**
 * What one answer did not show, or showed for monitor mode alone: all that is remembered of it. It holds no record, because the answers
 * remembered are many and a record may list thousands of versions.
 */
import type { Verdict } from "../core/policy/verdict.ts";
import type { PackageJudgement } from "./judgements.ts";

export type LeftOutVersion = {
  readonly version: string;
  readonly verdict: Verdict;
  /** Shown, because monitor mode only watches. */
  readonly monitored: boolean;
  readonly integrity?: string;
  /** The upstream's tags that name it. */
  readonly tags: readonly string[];
  /** What to install instead, nearest first. */
  readonly instead: readonly string[];
};

export type LeftOut = {
  /** The same mark, the same versions and verdicts. */
  readonly mark: string;
  readonly versions: readonly LeftOutVersion[];
};

/** Versions of one answer for which something else is looked for: looking through thousands of others takes a while. */
const WITH_ALTERNATIVES = 50;

export function markOf({ fingerprint, monitored }: PackageJudgement): string {
  return `${fingerprint} ${monitored.size}`;
}

/** Undefined when there is nothing to tell. */
export function leftOutOf(judgement: PackageJudgement): LeftOut | undefined {
  const { withheld, monitored, record } = judgement;
  if (withheld.size + monitored.size === 0) return undefined;
  const tags = Object.entries(record.summary.tags);
  const told = ([version, verdict]: readonly [string, Verdict], index: number, isMonitored: boolean): LeftOutVersion => {
    const integrity = judgement.integrity(version);
    return {
      version,
      verdict,
      monitored: isMonitored,
      ...(integrity === undefined ? {} : { integrity }),
      tags: tags.filter(([, named]) => named === version).map(([tag]) => tag),
      instead: isMonitored || index >= WITH_ALTERNATIVES ? [] : judgement.alternatives(version).map((one) => one.version),
    };
  };
  return {
    mark: markOf(judgement),
    versions: [
      // The newest stand last in a listing, and are what is asked for.
      ...[...withheld].map((each, index) => told(each, withheld.size - 1 - index, false)),
      ...[...monitored].map((each, index) => told(each, index, true)),
    ],
  };
}
