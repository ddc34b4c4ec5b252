/** What `cordon check` says: findings, and the report every output format is made from. Plain data; `rules.ts` has the table of rules. */
import type { LockfileKind } from "../lockfile/tree.ts";
import type { RuleId } from "./rules.ts";

/** The field's five words. `note` never changes the exit status. */
export const SEVERITIES = ["critical", "high", "medium", "low", "note"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The way from a project's manifest to a package: names as they are required, the importer's own dependency first, the package last. */
export type DependencyPath = readonly string[];

/** What removes a finding. `command` exists and can be typed as it stands. */
export type Fix = {
  /** One clause: `to 1.14.0, the version before`. */
  readonly summary: string;
  readonly command?: string;
};

/** The advisory behind a `malware-report` or `vulnerability-report`. */
export type FindingAdvisory = {
  readonly id: string;
  /** Every id of the same thing, `id` included. */
  readonly aliases: readonly string[];
  readonly feed: string;
  readonly summary?: string;
  /** Versions a `fixed` event names, lowest first. */
  readonly fixed: readonly string[];
  /** How it was matched; `possible` where the bytes may not be the registry's. */
  readonly match: "version" | "range" | "everything" | "integrity" | "possible";
};

export type Finding = {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** The package, where it is about one. */
  readonly name?: string;
  readonly version?: string;
  /** The file, relative to the folder that was checked, with forward slashes. */
  readonly path: string;
  /** 1-based; absent where the file has no lines (binary) or does not exist. */
  readonly line?: number;
  readonly column?: number;
  /** The entry's key in the lockfile: two copies of one version are told apart by it. */
  readonly key?: string;
  /** One line, printable, without the package's name and version at its start. */
  readonly message: string;
  /** What can be checked by a person; each line printable. */
  readonly evidence: readonly string[];
  /** Up to three ways it came in, shortest first; `more` counts the others. */
  readonly via: readonly DependencyPath[];
  readonly more?: number;
  readonly advisory?: FindingAdvisory;
  readonly fix?: Fix;
  /** Stays the same while the finding does: not lines, not counts, not times. Hex, 32 characters. */
  readonly fingerprint: string;
  /** Excepted, by whom and until when (ISO date); such a finding does not change the exit status. */
  readonly excepted?:
    | { readonly by: string; readonly reason: string; readonly expires: string }
    | {
        /** The VEX document that says so. */
        readonly vex: string;
        readonly reason: string;
        /** What it says: absent means `not_affected`. */
        readonly status?: "not_affected" | "fixed";
        /** One of OpenVEX's five, where it gives one. */
        readonly justification?: string;
      };
};

/** A check that could not run, or not for everything. `required`: the policy demands it, and the exit status is 3. */
export type NotChecked = {
  readonly check: CheckId;
  readonly reason: string;
  /** How many packages it concerns; 0 = the file or the project itself. */
  readonly packages: number;
  readonly required: boolean;
  /** What would make it run. */
  readonly command?: string;
};

/** The groups of rules that need something besides the lockfile itself. */
export const CHECKS = ["lockfile", "manifest", "advisories", "age", "signatures", "scripts", "recorded-integrity"] as const;
export type CheckId = (typeof CHECKS)[number];

export type CheckedLockfile = {
  readonly path: string;
  readonly kind: LockfileKind;
  readonly format: string;
  /** Entries that are packages of a registry, tarballs or git commits; not workspaces and links. */
  readonly packages: number;
};

/** Which package of a checked lockfile is which: what an SBOM lists. */
export type CheckedPackage = {
  readonly lockfile: string;
  readonly key: string;
  readonly name: string;
  readonly version: string;
  readonly source: "registry" | "tarball" | "git" | "file" | "bundled" | "jsr" | "module";
  readonly url?: string;
  readonly integrity?: string;
  readonly dev: boolean;
  readonly optional: boolean;
  /** The project or one of its workspaces asks for it itself. */
  readonly direct?: boolean;
  /** Indexes into the list it stands in. */
  readonly dependsOn: readonly number[];
};

export type CheckReport = {
  /** The folder, as it was given. */
  readonly root: string;
  /** The root manifest's own name and version, where it has them. */
  readonly project: { readonly name?: string; readonly version?: string };
  readonly lockfiles: readonly CheckedLockfile[];
  /** Those that count first, strictest first; excepted ones last. */
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
  /** Feeds the advisories came from, with the moment each was last read (ISO). */
  readonly feeds: readonly { readonly name: string; readonly checked: string }[];
  readonly summary: {
    readonly packages: number;
    /** Unexcepted findings by severity. */
    readonly bySeverity: Readonly<Record<Severity, number>>;
    readonly excepted: number;
    /** The least severe that fails the run, by policy. */
    readonly failOn: Severity;
    /** 0, 1 or 3. */
    readonly exit: 0 | 1 | 3;
  };
};
