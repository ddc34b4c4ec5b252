/** What the signatures and attestations of one version prove. Plain data: kept by integrity, compared between releases. */
import type { Instant } from "../base/time.ts";

/** Who built it, from the extensions of the signing certificate (never from its SAN: that is the signer's workflow). */
export type BuildIdentity = {
  readonly issuer: string;
  /** 1.12: e.g. `https://github.com/axios/axios`. */
  readonly repository: string;
  /** 1.15 and 1.17: survive renames. */
  readonly repositoryId?: string;
  readonly ownerId?: string;
  /** 1.18 without its ref: `https://github.com/axios/axios/.github/workflows/publish.yml`. */
  readonly workflow?: string;
  /** 1.14: `refs/heads/…`, `refs/tags/…`. */
  readonly ref?: string;
  readonly commit?: string;
  /** 1.11: `github-hosted` or `self-hosted`. */
  readonly runner?: string;
  /** 1.20: `push`, `release`, `workflow_dispatch`, … */
  readonly trigger?: string;
};

/** `unverifiable`: a key, log, CA or bundle format this cordon does not know; `invalid`: a contradiction under a known one. */
export type Proof<T = unknown> =
  | ({ readonly state: "valid" } & T)
  | { readonly state: "absent" }
  | { readonly state: "unverifiable"; readonly reason: string }
  | { readonly state: "invalid"; readonly reason: string }
  /** It could not be fetched or read now. */
  | { readonly state: "not-checked"; readonly reason: string };

export type Attested = {
  /** The registry's signature over name, version and integrity. */
  readonly signature: Proof<{ readonly keyid: string }>;
  /** npm's publish attestation; `at` is the log's time when it has one. */
  readonly publish: Proof<{ readonly at?: Instant }>;
  readonly provenance: Proof<{ readonly identity: BuildIdentity; readonly predicateType: string; readonly at?: Instant }>;
};

/** The proofs of a version and of those it is compared with. */
export type AttestedFacts = {
  readonly own: Attested;
  readonly predecessor?: AttestedRelease;
  /** The newest one at least 90 days older. */
  readonly mature?: AttestedRelease;
  /** The last five before it, newest first, as far as their proofs are known. */
  readonly recent: readonly AttestedRelease[];
  /** Whether the upstream signs at all. */
  readonly registrySigns: boolean;
};

export type AttestedRelease = { readonly version: string; readonly attested: Attested };

/** Present, whatever it is worth: an attestation nobody here can verify was still made. */
export function isPresent(proof: Proof): boolean {
  return proof.state === "valid" || proof.state === "unverifiable" || proof.state === "invalid";
}
