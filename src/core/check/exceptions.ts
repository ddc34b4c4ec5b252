/** Exceptions to findings: scoped, owned, reasoned, expiring. A path covers a finding only when every way to the package goes through it. */
import type { Instant } from "../base/time.ts";
import type { RuleId } from "./rules.ts";

export type CheckException = {
  /** What it covers: findings of a rule, or of an advisory under any of its ids. At least one of the two. */
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
