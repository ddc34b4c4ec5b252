/** What `checkLockfile` is asked about: one lockfile with everything known about it. Plain data and look-ups; who fills it in is the app. */
import type { Claim } from "../advisory/claim.ts";
import type { Instant } from "../base/time.ts";
import type { Attested } from "../attest/attested.ts";
import type { ResolvedTree } from "../lockfile/tree.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { CheckException } from "./exceptions.ts";
import type { CheckId, Severity } from "./finding.ts";
import type { Manifest, ScriptApprovals } from "./manifest.ts";

/** Hosts are `host` or `host:port`, in lower case; one without a port allows every port of it. */
export type AllowedSources = {
  /** Where the packages of every other name come from: the gate, its upstream, the registries that stand for it. Empty: nobody said. */
  readonly registries: readonly string[];
  /** By scope (`@acme`): where its packages come from instead. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
  /** Further hosts that archives, git commits and remote modules may come from: `check.hosts`. */
  readonly hosts: readonly string[];
};

/** What the history or the gate says of one version; a `DecidedEntry` fits. */
export type VersionState = {
  readonly verdict: Verdict;
  /** Whether a client may not have it now. */
  readonly withheld: boolean;
  /** The registry's integrity, when it differs from the entry's. */
  readonly differs?: string;
  /** When its age began, epoch milliseconds. */
  readonly start?: number;
  readonly deprecated?: string;
  readonly attested?: Attested;
  /** What to install instead, nearest first. */
  readonly instead: readonly string[];
};

/** An integrity somebody noted for a version: who and when, in words (`the ledger, 2026-03-30`). */
export type RecordedIntegrity = { readonly integrity: string; readonly by: string };

/** What was noted about bytes before; all offline. */
export type Records = {
  /**
   * Noted for this version of a registry's package; of archives and remote modules, for their URL (then `version` is empty). Empty: nothing
   * was. What is noted is an SRI string, or what the lockfile of an earlier time said in its own form.
   */
  ofVersion(name: string, version: string): readonly RecordedIntegrity[];
  /** What these bytes were noted as, as above, when it is known; asked only when nothing is noted for the entry's own version. */
  ofBytes?(integrity: string): { readonly name: string; readonly version: string; readonly by: string } | undefined;
};

export type CheckPolicy = {
  /** The least severe finding that fails the run. */
  readonly failOn: Severity;
  /** Checks without which the run does not count. */
  readonly require: readonly CheckId[];
  readonly exceptions: readonly CheckException[];
};

export type CheckSubject = {
  /** Its `path` is the lockfile's, relative to the folder that is checked. */
  readonly tree: ResolvedTree;
  /** Of the importers that were found on the disk; `importer` says which each one is. Empty: the manifest check does not run. */
  readonly manifests: readonly Manifest[];
  readonly sources: AllowedSources;
  readonly approvals?: ScriptApprovals;
  /** `AdvisoryIndex.claims`; absent: there are no advisories. */
  readonly claims?: (name: string, version: string | undefined, integrities?: readonly string[]) => readonly Claim[];
  /** The state of a version; a text says why it is not known; absent altogether: nobody was asked. */
  readonly decided?: (name: string, version: string, integrity: string | undefined) => VersionState | string;
  readonly records?: Records;
  /** Names in wide use, for look-alikes; absent: the list that comes with cordon. */
  readonly popular?: ReadonlySet<string>;
  /** Why a check has nothing to go by, and what would give it something; in the words of whoever fills this in. */
  readonly unavailable?: Readonly<Partial<Record<CheckId, { readonly reason: string; readonly command?: string }>>>;
  readonly policy: CheckPolicy;
  readonly now: Instant;
};
