/** Exceptions to findings: scoped, owned, reasoned, expiring. A path covers a finding only when every way to the package goes through it. */
import semver from "semver";
import type { Instant } from "../base/time.ts";
import { iso } from "../base/time.ts";
import { nameMatches } from "../npm/name.ts";
import type { Finding } from "./finding.ts";
import type { RuleId } from "./rules.ts";
import { ruleOf } from "./rules.ts";
import type { Ways } from "./ways.ts";

export type CheckException = {
  /** What it covers: findings of a rule, or of an advisory under any of its ids. At least one of the two; both must fit. */
  readonly rule?: RuleId;
  readonly advisory?: string;
  /** `name`, `name@1.2.3` or `name@<range>`; `*` in the name stands for anything but a slash. Absent: any package. */
  readonly package?: string;
  /** How every way to the package must end: `a>b>c`, names as they are required, `*` for any one of them. Absent: any way. */
  readonly path?: string;
  readonly owner: string;
  readonly reason: string;
  readonly expires: Instant;
};

/** What an exception is called where it is reported. */
export function exceptionName({ rule, advisory, package: spec, path }: CheckException): string {
  return [rule, advisory, spec, path].filter((part) => part !== undefined).join(" ");
}

/**
 * The exceptions that cover a finding now, empty when none does: one without a path, or those whose paths together cover every way in.
 * `entry` is the index of the package in the lockfile, when the finding is about one.
 */
export function covering(
  finding: Pick<Finding, "rule" | "name" | "version" | "advisory">,
  entry: number | undefined,
  exceptions: readonly CheckException[],
  ways: () => Ways,
  now: Instant,
): readonly CheckException[] {
  if (exceptions.length === 0 || !ruleOf(finding.rule).exceptable) return [];
  const fitting = exceptions.filter((exception) => now < exception.expires && fits(exception, finding));
  const whole = fitting.find(({ path }) => path === undefined);
  if (whole !== undefined) return [whole];
  if (entry === undefined || fitting.length === 0) return [];
  return ways().allEndIn(
    entry,
    fitting.map(({ path }) => namesOf(path!)),
  )
    ? fitting
    : [];
}

function fits(
  exception: CheckException,
  { rule, name, version, advisory }: Pick<Finding, "rule" | "name" | "version" | "advisory">,
): boolean {
  if (exception.rule === undefined && exception.advisory === undefined) return false;
  if (exception.rule !== undefined && exception.rule !== rule) return false;
  // reference A.3.7: "ignore/VEX by any id"
  if (exception.advisory !== undefined && exception.advisory !== advisory?.id && !advisory?.aliases.includes(exception.advisory))
    return false;
  return exception.package === undefined || (name !== undefined && isPackage(exception.package, name, version));
}

function isPackage(spec: string, name: string, version: string | undefined): boolean {
  const at = spec.indexOf("@", 1);
  if (!nameMatches(at < 0 ? spec : spec.slice(0, at), name)) return false;
  if (at < 0) return true;
  const range = spec.slice(at + 1);
  // Prereleases are in the range of what somebody looked at only when they are named.
  return version !== undefined && (range === version || semver.satisfies(version, range, { loose: true }));
}

function namesOf(path: string): readonly string[] {
  return path.split(">").map((name) => name.trim());
}

/** What a finding says of the exceptions that cover it. */
export function exceptedBy(exceptions: readonly CheckException[]): NonNullable<Finding["excepted"]> {
  const first = exceptions[0]!;
  // Of several the earliest end counts: from then on one way in is open.
  const expires = exceptions.reduce((least, each) => (each.expires < least ? each.expires : least), first.expires);
  return { by: [...new Set(exceptions.map(({ owner }) => owner))].join(", "), reason: first.reason, expires: iso(expires) };
}
