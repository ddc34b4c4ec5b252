/**
 * Repairs the dist-tags of an answer from which versions are left out. A tag that points at a served version stays; another one goes back to
 * what its owner chose before, or to the nearest admitted version below. Never by publish date: a 0.30.x backport is not `latest`.
 */
import semver, { type SemVer } from "semver";
import { DAY, type Instant } from "../base/time.ts";
import type { PackageRecord } from "../facts/history.ts";
import type { VersionSummary } from "./summary.ts";

export type TagRepairInput = {
  /** The upstream's claim. */
  readonly tags: Readonly<Record<string, string>>;
  /** For their deprecation. */
  readonly versions: readonly Pick<VersionSummary, "version" | "deprecated">[];
  /** What the answer lists. */
  readonly admitted: ReadonlySet<string>;
  readonly history: PackageRecord["tags"];
  readonly now: Instant;
};

export type TagChange = {
  readonly tag: string;
  /** What the upstream says; absent when it has no such tag (only `latest` is ever added). */
  readonly from?: string;
  /** Absent when removed. */
  readonly to?: string;
  readonly why: TagReason;
};

export type TagReason =
  /** Its last admitted value that stood at least a day. */
  | "history"
  /** It was a prerelease: the newest admitted one of the same kind (`beta`, `rc`), not above it. */
  | "prerelease"
  /** The highest admitted stable version not above it, in the same major… */
  | "same-major"
  /** …or in a lower one. */
  | "lower"
  /** `latest` only: nothing below is served, so the lowest stable version above (or the highest, when the claim is no version). */
  | "only-stable"
  | "removed";

/** A value that stood shorter may itself have been the thief's. */
const STOOD = DAY;

/** The complete tags of the answer, in the upstream's order, and what was changed and why. */
export function repairTags(input: TagRepairInput): {
  readonly tags: Readonly<Record<string, string>>;
  readonly changes: readonly TagChange[];
} {
  const { admitted } = input;
  const claimed = Object.entries(input.tags);
  // Clients cannot live without `latest`: yarn 1 would install a prerelease, pnpm and yarn 4 nothing.
  if (!Object.hasOwn(input.tags, "latest")) claimed.push(["latest", ""]);
  let shelf: Shelf | undefined;
  const tags: [string, string][] = [];
  const changes: TagChange[] = [];
  for (const [tag, from] of claimed) {
    if (admitted.has(from)) {
      tags.push([tag, from]);
      continue;
    }
    const answer = replacement(tag, from, input, (shelf ??= shelve(input)));
    if (answer) tags.push([tag, answer.version]);
    if (answer === undefined && from === "") continue;
    changes.push({
      tag,
      ...(from === "" ? {} : { from }),
      ...(answer ? { to: answer.version, why: answer.why } : { why: "removed" as const }),
    });
  }
  return { tags: Object.fromEntries(tags), changes };
}

type Answer = { readonly version: string; readonly why: TagReason };

/** Admitted versions, sorted ascending; `fresh` leaves out the deprecated ones. */
type Sorted = { readonly fresh: readonly SemVer[]; readonly all: readonly SemVer[] };
type Shelf = { readonly deprecated: ReadonlySet<string>; readonly stable: Sorted; readonly prereleases: ReadonlyMap<string, Sorted> };

function replacement(tag: string, from: string, input: TagRepairInput, shelf: Shelf): Answer | undefined {
  const original = semver.parse(from);
  // A deprecated version answers only when, by all of the rules, nothing else fits.
  for (const choice of ["fresh", "all"] as const) {
    const usable = (version: string): boolean => input.admitted.has(version) && (choice === "all" || !shelf.deprecated.has(version));
    const before = lastStanding(Object.hasOwn(input.history, tag) ? input.history[tag]! : [], usable, input.now);
    if (before !== undefined) return { version: before, why: "history" };
    if (original === null) continue;
    const kind = prereleaseKind(original);
    const sameKind = kind === undefined ? undefined : shelf.prereleases.get(kind);
    const prerelease = sameKind && highestUpTo(sameKind[choice], original);
    if (prerelease) return { version: prerelease.raw, why: "prerelease" };
    const stable = highestUpTo(shelf.stable[choice], original);
    if (stable) return { version: stable.raw, why: stable.major === original.major ? "same-major" : "lower" };
  }
  if (tag !== "latest") return undefined;
  const { fresh, all } = shelf.stable;
  const above = fresh.length > 0 ? fresh : all;
  // Nothing is below the original here, so all of `above` is above it.
  const only = original === null ? above.at(-1) : above[0];
  return only && { version: only.raw, why: "only-stable" };
}

function lastStanding(values: PackageRecord["tags"][string], usable: (version: string) => boolean, now: Instant): string | undefined {
  return values.findLast(({ version, since, until }) => (until ?? now) - since >= STOOD && usable(version))?.version;
}

function shelve({ versions, admitted }: TagRepairInput): Shelf {
  const deprecated = new Set(versions.filter((version) => version.deprecated !== undefined).map(({ version }) => version));
  const parsed = [...admitted].map((version) => semver.parse(version)).filter((version) => version !== null);
  parsed.sort((a, b) => a.compare(b) || a.compareBuild(b));
  const sorted = (all: readonly SemVer[]): Sorted => ({ all, fresh: all.filter((version) => !deprecated.has(version.raw)) });
  const kinds = new Map<string, SemVer[]>();
  for (const version of parsed) {
    const kind = prereleaseKind(version);
    if (kind === undefined) continue;
    const same = kinds.get(kind);
    if (same) same.push(version);
    else kinds.set(kind, [version]);
  }
  return {
    deprecated,
    stable: sorted(parsed.filter((version) => version.prerelease.length === 0)),
    prereleases: new Map([...kinds].map(([kind, all]) => [kind, sorted(all)])),
  };
}

/** `beta` of `1.0.0-beta.3`, `rc` of `2.0.0-rc1`, `` of `1.0.0-0`; undefined for a stable version. */
function prereleaseKind(version: SemVer): string | undefined {
  if (version.prerelease.length === 0) return undefined;
  return /^[A-Za-z]*/.exec(String(version.prerelease[0]))![0];
}

/** Binary search: a packument may have thousands of tags and of versions. */
function highestUpTo(ascending: readonly SemVer[], limit: SemVer): SemVer | undefined {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]!.compare(limit) <= 0) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1];
}
