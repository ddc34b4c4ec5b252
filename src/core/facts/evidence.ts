/**
 * What was learned of versions besides what packuments say, as handed to judging. Each part is computed elsewhere, kept by the bytes it
 * speaks of, and compared with the release before; judging only looks it up.
 */
import type { Claim } from "../advisory/claim.ts";
import type { CodeFacts } from "../analysis/code-facts.ts";
import { ANALYSER } from "../analysis/report.ts";
import type { AttestedFacts } from "../attest/attested.ts";
import { canonical, sha256 } from "../base/digest.ts";
import type { Ride } from "../policy/ride.ts";
import type { Facts } from "./facts.ts";
import { historyOf, type PackageRecord } from "./history.ts";
import type { Publish } from "./publisher-burst.ts";

/** What looking at one version's bytes and proofs found. */
export type VersionEvidence = {
  readonly code?: CodeFacts;
  readonly attested?: AttestedFacts;
  /** Checks that could not run, and why. Never kept: they are tried again. */
  readonly notChecked?: readonly NotChecked[];
};

export type NotChecked = { readonly check: string; readonly reason: string };

/** For the versions of one package. */
export type PackageEvidence = {
  /** `basis`: what the comparison rested on (`evidenceBasis`). Undefined: nobody has looked at that yet. */
  readonly of: (integrity: string, basis: string) => VersionEvidence | undefined;
  /** What feeds say of a version or of its bytes; absent where no feed is configured. */
  readonly claims?: (version: string, digests: readonly string[]) => readonly Claim[];
  /** Claims that name a version as their fix. */
  readonly fixes?: (version: string) => readonly Claim[];
  /** Versions this gate served, as far as a fix of the package is known: whoever has them needs it. */
  readonly served?: ReadonlySet<string>;
  /** Why a version may leave early beside another that does, when it may. */
  readonly rides?: (version: string) => Ride | undefined;
  /** What somebody published of any package, as far as this gate has seen it since it was started; oldest first. */
  readonly publishedBy?: (publisher: string) => readonly Publish[];
  /** Tells one set of believed keys from another: what no key verified may be verified by a newer one. */
  readonly trust?: string;
};

/** Everything besides its own bytes that evidence of a version rests on: what it is compared with, what the packument says, who looks. */
export function evidenceBasis(record: PackageRecord, { release }: Pick<Facts, "release">): string {
  const compared =
    release && [release.predecessor, release.mature, ...release.settled].map((other) => other && integrityIn(record, other.version));
  return sha256(canonical({ analyser: ANALYSER, compared: compared ?? [], own: release?.own ?? {} })).slice(0, 32);
}

/** The strongest digest known of a version of the record. */
export function integrityIn(record: PackageRecord, version: string): string | undefined {
  return historyOf(record, version)?.integrity;
}
