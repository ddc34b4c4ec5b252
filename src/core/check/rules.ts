/** Every rule of `cordon check`, in one table: the reference page, `--help`, SARIF and JUnit are generated from it. */
import type { CheckId, Severity } from "./finding.ts";

export type RuleRow = {
  /** What it means, for the person reading the finding. */
  readonly means: string;
  /** Why it exists. */
  readonly why: string;
  /** What it weighs unless the evidence says otherwise (an advisory brings its own severity). */
  readonly severity: Severity;
  /** The check it belongs to. */
  readonly check: CheckId;
  /** Whether a person may except it; malware never. */
  readonly exceptable: boolean;
};

export const RULES = {
  "malware-report": {
    means: "A feed says that this version, or these bytes, are malware.",
    why: "Somebody has already looked; every install of this lockfile fetches it again.",
    severity: "critical",
    check: "advisories",
    exceptable: false,
  },
  "vulnerability-report": {
    means: "A feed knows a vulnerability of this version.",
    why: "Whoever ships it should know, and know which version mends it.",
    severity: "high",
    check: "advisories",
    exceptable: true,
  },
} as const satisfies Record<string, RuleRow>;

export type RuleId = keyof typeof RULES;
