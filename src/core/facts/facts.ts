/** What is true of one version at one moment, opinion-free: the input of every signal. */
import type { Claim } from "../advisory/claim.ts";
import type { CodeFacts } from "../analysis/code-facts.ts";
import type { AttestedFacts } from "../attest/attested.ts";
import type { Instant } from "../base/time.ts";
import type { NotChecked } from "./evidence.ts";
import type { MovedBack } from "./moved-back.ts";
import type { ReleaseFacts } from "./release-facts.ts";

/** Which evidence fixed the start of age, for explanations. */
export type AgeBasis =
  /** The registry's `time`, consistent with what we saw. */
  | "registry-time"
  /** Our own first sight: `time` was missing, unparseable or in the future. */
  | "first-seen"
  /** An earlier answer listed the package without this version, later than the claimed time. */
  | "absent-before"
  /** It was gone and came back. */
  | "returned"
  /** In the first listing of an upstream without `time`, which somebody accepted as old. */
  | "baseline";

export type Facts = {
  readonly name: string;
  readonly version: string;
  /** SRI of the newest listing, else of history; history's where the listing has only a weaker one. */
  readonly integrity?: string;
  /** Every single digest this gate has seen named for its bytes, or computed from them. */
  readonly digests: readonly string[];
  /** True when the newest complete answer lists it (and it is not a problem version). */
  readonly listed: boolean;
  /** Why the newest answer's entry cannot be served, when it cannot. */
  readonly problem?: string;
  readonly firstSeen: Instant;
  readonly lastListed: Instant;
  /** Start of age. */
  readonly start: Instant;
  readonly basis: AgeBasis;
  /** The registry's `time` at first sight, when parseable; may contradict `start`. */
  readonly claimed?: Instant;
  /** What the registry says now, when that differs from `claimed`. */
  readonly claimedNow?: Instant;
  /** How the claim was unusable; `moved`: it was usable, but the registry has since changed it. */
  readonly claim: "ok" | "missing" | "unreadable" | "future" | "back-dated" | "moved";
  /** ≥ 90 days of history and ≥ 5 stable versions; see `facts-of.ts` for what counts. */
  readonly established: boolean;
  /** The upstream gives no `time` for any version of this package. */
  readonly timeless: boolean;
  readonly changed?: { readonly from: string; readonly to: string; readonly at: Instant };
  readonly gone?: { readonly since: Instant; readonly confirmed: boolean };
  /** The package was replaced by a security holding (`0.0.1-security`…). */
  readonly securityHolding: boolean;
  /** Bytes of it left this gate before. */
  readonly served: boolean;
  /** First time they did. */
  readonly servedSince?: Instant;
  readonly deprecated?: { readonly text: string; readonly since: Instant };
  /** A tag that went to it lately from a better version. */
  readonly movedBack?: MovedBack;
  /** name → spec an install must also fetch. */
  readonly requires: Readonly<Record<string, string>>;
  /** Upstream is configured as private: age rules are notes. */
  readonly privateUpstream: boolean;
  /** How it was released, beside those before it; absent where the document was not read in detail: it is old. */
  readonly release?: ReleaseFacts;
  /** What its tarball adds to its predecessor's; absent while nobody has looked. */
  readonly code?: CodeFacts;
  /** Checks that could not run this time. */
  readonly notChecked?: readonly NotChecked[];
  /** What feeds say of it, withdrawn claims too; absent where no feed is configured. */
  readonly claims?: readonly Claim[];
  /** What its signature and attestations prove, beside those of earlier versions; absent where nobody has looked. */
  readonly attested?: AttestedFacts;
};
