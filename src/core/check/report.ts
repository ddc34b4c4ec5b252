/** Puts what was found in several files together: order, counts, expired and unused exceptions, and the exit status. */
import type { Instant } from "../base/time.ts";
import { iso } from "../base/time.ts";
import type { LockfileCheck } from "./check-lockfile.ts";
import { fingerprintOf } from "./check-lockfile.ts";
import type { CheckException } from "./exceptions.ts";
import { exceptionName } from "./exceptions.ts";
import type { CheckReport, Finding, NotChecked, Severity } from "./finding.ts";
import { SEVERITIES } from "./finding.ts";
import { ruleOf } from "./rules.ts";
import type { CheckPolicy } from "./subject.ts";

export type ReportParts = {
  readonly root: string;
  readonly project: CheckReport["project"];
  readonly checks: readonly LockfileCheck[];
  /** What is wrong with the project as a whole: `lockfileMissing`, `lockfileIgnored`. */
  readonly findings?: readonly Finding[];
  readonly notChecked?: readonly NotChecked[];
  readonly feeds: CheckReport["feeds"];
  readonly policy: CheckPolicy;
  /** Where the exceptions are written, for findings about them. */
  readonly policyPath?: string;
  readonly now: Instant;
};

export function makeReport(parts: ReportParts): CheckReport {
  const { root, project, checks, feeds, policy } = parts;
  const findings = [...checks.flatMap((check) => check.findings), ...(parts.findings ?? []), ...aboutExceptions(parts)].toSorted(inOrder);
  const notChecked = joined([...checks.flatMap((check) => check.notChecked), ...(parts.notChecked ?? [])]);
  return {
    root,
    project,
    lockfiles: checks.map(({ lockfile }) => lockfile),
    findings,
    notChecked,
    feeds,
    summary: {
      packages: checks.reduce((sum, { lockfile }) => sum + lockfile.packages, 0),
      ...makeSummary(findings, notChecked, policy),
    },
  };
}

export function makeSummary(
  findings: readonly Finding[],
  notChecked: readonly NotChecked[],
  { failOn }: Pick<CheckPolicy, "failOn">,
): Omit<CheckReport["summary"], "packages"> {
  const bySeverity: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0, note: 0 };
  let excepted = 0;
  for (const finding of findings) {
    if (finding.excepted === undefined) bySeverity[finding.severity]++;
    else excepted++;
  }
  return { bySeverity, excepted, failOn, exit: exitOf(findings, notChecked, failOn) };
}

/** Whether an unexcepted finding of this severity fails a run. A note never does. */
export function fails(severity: Severity, failOn: Severity): boolean {
  return severity !== "note" && SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(failOn);
}

/** 1: something was found, whatever else is not known. 3: nothing was found, and a required check did not run. */
function exitOf(findings: readonly Finding[], notChecked: readonly NotChecked[], failOn: Severity): 0 | 1 | 3 {
  if (findings.some(({ excepted, severity }) => excepted === undefined && fails(severity, failOn))) return 1;
  return notChecked.some(({ required }) => required) ? 3 : 0;
}

/** Those that count first, strictest first; then by place. */
function inOrder(a: Finding, b: Finding): number {
  return (
    Number(a.excepted !== undefined) - Number(b.excepted !== undefined) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    compare(a.path, b.path) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    compare(a.rule, b.rule) ||
    compare(a.fingerprint, b.fingerprint)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same thing that was not checked in several lockfiles is said once. */
function joined(all: readonly NotChecked[]): readonly NotChecked[] {
  const byReason = new Map<string, NotChecked>();
  for (const one of all) {
    const key = `${one.check} ${one.reason}`;
    const known = byReason.get(key);
    byReason.set(
      key,
      known === undefined ? one : { ...known, packages: known.packages + one.packages, required: known.required || one.required },
    );
  }
  return [...byReason.values()];
}

function aboutExceptions({ checks, policy, policyPath = "cordon.yaml", now }: ReportParts): readonly Finding[] {
  const used = new Set(checks.flatMap((check) => [...check.used]));
  // Nothing was looked at that an exception could have covered.
  if (checks.length === 0) return [];
  return policy.exceptions.flatMap((exception) => {
    if (now >= exception.expires)
      return [about("exception-expired", exception, policyPath, `ran out on ${iso(exception.expires).slice(0, 10)}`)];
    return used.has(exception) ? [] : [about("exception-unused", exception, policyPath, "covers nothing any more")];
  });
}

function about(rule: "exception-expired" | "exception-unused", exception: CheckException, path: string, what: string): Finding {
  const called = exceptionName(exception);
  return {
    rule,
    severity: ruleOf(rule).severity,
    path,
    message: `the exception for ${called} ${what}`,
    evidence: [`by ${exception.owner}: ${exception.reason}`],
    via: [],
    fingerprint: fingerprintOf([rule, called, exception.owner]),
  };
}

/** A manifest with dependencies and no lockfile at all. `path` is the manifest's. */
export function lockfileMissing(path: string, dependencies: number): Finding {
  return {
    rule: "lockfile-missing",
    severity: ruleOf("lockfile-missing").severity,
    path,
    line: 1,
    column: 1,
    message: `${dependencies} ${dependencies === 1 ? "dependency" : "dependencies"} and no lockfile`,
    evidence: [],
    via: [],
    fingerprint: fingerprintOf(["lockfile-missing", path]),
  };
}

/** A lockfile that others do not get, or that the client does not read; `why` in words (`git ignores it: .gitignore:3`). */
export function lockfileIgnored(path: string, why: string): Finding {
  return {
    rule: "lockfile-ignored",
    severity: ruleOf("lockfile-ignored").severity,
    path,
    line: 1,
    column: 1,
    message: why,
    evidence: [],
    via: [],
    fingerprint: fingerprintOf(["lockfile-ignored", path, why.replace(/\d+/g, "")]),
  };
}
