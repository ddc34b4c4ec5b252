/** What a client and its user are told when something is withheld: one line, and the verdict it rests on. */
import { headerText, printable } from "../core/base/text.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { refusalLine, refusalPhrase } from "../core/policy/explain.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { PackageJudgement } from "./judgements.ts";

export type Refusal = {
  readonly name: string;
  readonly version?: string;
  /** One line for people; may hold non-ASCII. */
  readonly line: string;
  /** The same as printable ASCII of at most 200 characters: reason phrase and `npm-notice` (R2). */
  readonly phrase: string;
  readonly verdict?: Verdict;
};

/** A withheld version, in the words of `explain`. */
export function refusalOfVersion(name: string, version: string, verdict: Verdict): Refusal {
  return { name, version, line: refusalLine(name, version, verdict), phrase: refusalPhrase(name, version, verdict), verdict };
}

/** Every version of the package is withheld: the one that ends first speaks for all, of several the one called `latest`, then the newest. */
export function refusalOfPackage(record: PackageRecord, judgement: PackageJudgement): Refusal {
  const { latest } = record.summary.tags;
  const verdicts = [...judgement.withheld].toReversed();
  const first = verdicts.toSorted(([v, a], [w, b]) => end(a) - end(b) || Number(w === latest) - Number(v === latest))[0];
  if (!first) {
    const why = record.summary.unpublished === undefined ? "the registry lists no version of it" : "the registry says it was unpublished";
    return say(record.name, undefined, `cordon serves no version of ${record.name}: ${why} · cordon why ${record.name}`, undefined);
  }
  const [version, verdict] = first;
  const one = refusalOfVersion(record.name, version, verdict);
  if (verdicts.length === 1) return one;
  const line = `cordon serves none of the ${verdicts.length} versions of ${record.name}; it ${one.line.replace(/^cordon /, "")}`;
  return say(record.name, version, line, verdict);
}

function end(verdict: Verdict): number {
  return verdict.until ?? Number.MAX_VALUE;
}

/** A package of which nothing can be served, whatever the version: it is private, or what came in its name cannot be read. */
export function refusalOfName(name: string, message: string): Refusal {
  const line = message.startsWith(`${name} `) ? `cordon: ${message}` : `cordon serves nothing of ${name}: ${message}`;
  return say(name, undefined, line, undefined);
}

/** Refusals that rest on no verdict: an unknown file, a private name, a wrong token. */
export function refusal(name: string, line: string, version?: string): Refusal {
  return say(name, version, line, undefined);
}

function say(name: string, version: string | undefined, text: string, verdict: Verdict | undefined): Refusal {
  // Names and files are as somebody outside wrote them.
  const line = printable(text);
  return {
    name,
    ...(version === undefined ? {} : { version }),
    line,
    phrase: headerText(line.replaceAll(" · ", " - ").replaceAll("…", "...")),
    ...(verdict === undefined ? {} : { verdict }),
  };
}
