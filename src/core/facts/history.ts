/**
 * What cordon itself has seen of one package, over time: the shape. `observe.ts` folds a new upstream answer into it.
 * Stored as one row per package. Trusted; not losable without weakening age and tag answers; not rollback-safe.
 */
import type { Instant } from "../base/time.ts";

export type VersionHistory = {
  /** First answer that listed it. */
  readonly firstSeen: Instant;
  /**
   * Newest answer that listed it with the same integrity. Absent while that is the newest answer of all (`PackageRecord.lastAnswer`),
   * so that a confirmation does not rewrite thousands of equal instants; `lastListed()` below reads it.
   */
  readonly lastListed?: Instant;
  /**
   * The integrity at first sight (SRI, or `sha1-<base64>` of the shasum when there is no SRI). Replaced only by a stronger digest
   * that came together with the one we had.
   */
  readonly integrity?: string;
  /** An integrity seen later that differs, and when: bytes or metadata changed under us. Latched. */
  readonly changed?: { readonly integrity: string; readonly at: Instant };
  /** sha512 SRI of bytes we fetched and verified ourselves, when we did. */
  readonly fetched?: string;
  /** Registry `time` at first sight, when given and parseable; from an upstream without any `time`, the first one given later. */
  readonly claimed?: Instant;
  /** The last complete answer of the same upstream that listed the package without this version, before first sight. */
  readonly absentBefore?: Instant;
  /** First complete answer without it, after it had been listed; cleared when it comes back. */
  readonly goneSince?: Instant;
  /** True once two complete answers at least 10 minutes apart from the same upstream lacked it. */
  readonly gone?: boolean;
  /** When it came back with the same bytes after being gone: a fresh hold starts here. */
  readonly returned?: Instant;
  /** When its present deprecation text was first seen. */
  readonly deprecatedSince?: Instant;
  /** First tarball of it we served. */
  readonly served?: Instant;
};

export type TagValue = { readonly version: string; readonly since: Instant; readonly until?: Instant };

/** One package as stored: history plus the slim facts of the newest answer. */
export type PackageRecord = {
  readonly name: string;
  /** The upstream base URL the answers came from; a different one starts absence counting anew. */
  readonly upstream: string;
  /** First answer about the package. */
  readonly firstSeen: Instant;
  /** Newest complete answer. */
  readonly lastAnswer: Instant;
  /** Complete answers so far. */
  readonly answers: number;
  /** Every version ever listed; capped at LIMITS.packumentVersions, the oldest unlisted ones go first. */
  readonly versions: Readonly<Record<string, VersionHistory>>;
  /** Oldest first, capped at LIMITS.tagHistory a tag; the last has no `until` while the tag stands. */
  readonly tags: Readonly<Record<string, readonly TagValue[]>>;
  /** The newest complete answer. */
  readonly summary: import("../npm/summary.ts").PackumentSummary;
  /** Validators for the next conditional request. */
  readonly etag?: string;
  readonly lastModified?: string;
  /** When the upstream first answered without any `time`, if it does. */
  readonly timelessSince?: Instant;
};

/** Names and versions come from outside: `constructor` is a package, so nothing is looked up without asking whether it is there. */
export function historyOf(record: PackageRecord, version: string): VersionHistory | undefined {
  return Object.hasOwn(record.versions, version) ? record.versions[version] : undefined;
}

/** Newest answer that listed the version with the same integrity. */
export function lastListed(record: PackageRecord, history: VersionHistory): Instant {
  return history.lastListed ?? record.lastAnswer;
}
