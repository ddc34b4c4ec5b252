/** What a rule says before it is a finding: no ways in, no fingerprint, no exceptions. Those cost, and only what is said needs them. */
import type { ResolvedPackage } from "../lockfile/tree.ts";
import type { FindingAdvisory, Fix, Severity } from "./finding.ts";
import type { RuleId } from "./rules.ts";

export type RawFinding = {
  readonly rule: RuleId;
  /** Absent: the rule's own. */
  readonly severity?: Severity;
  /** The entry it is about: its index in the tree. */
  readonly entry?: number;
  /** Where it stands, when that is not the entry; `path` absent = the lockfile. */
  readonly at?: { readonly path?: string; readonly line: number; readonly column: number };
  /** The package, when no entry says it. */
  readonly name?: string;
  readonly message: string;
  readonly evidence?: readonly string[];
  readonly advisory?: FindingAdvisory;
  readonly fix?: Fix;
  /** What tells it from another finding of this rule about this entry; stays the same while the finding does. */
  readonly mark?: string;
};

export type Report = (finding: RawFinding) => void;

/** Whether a client fetches it, or gets it inside another package: what `checked packages` counts. */
export function isFetched({ source }: ResolvedPackage): boolean {
  return source.kind !== "workspace" && source.kind !== "link";
}

/** `name@version`, as far as it is said. */
export function called({ name, version, key }: ResolvedPackage): string {
  return name === "" ? key : version === "" ? name : `${name}@${version}`;
}
