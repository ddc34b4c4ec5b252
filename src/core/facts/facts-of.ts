/**
 * What is true of one version, from the record of its package. Age is earned, not claimed (design §4): it starts at first
 * sight, or earlier where the registry's publish time says so and nothing we saw contradicts it.
 */
import { canonical, sha256 } from "../base/digest.ts";
import { LIMITS } from "../base/limits.ts";
import { DAY, type Instant, instant, parseInstant } from "../base/time.ts";
import { integrityOfVersion, shasumToIntegrity } from "../npm/integrity.ts";
import type { VersionSummary } from "../npm/summary.ts";
import type { Policy } from "../policy/policy.ts";
import { digestsOf, stronger } from "./digests.ts";
import { evidenceBasis, type NotChecked, type PackageEvidence } from "./evidence.ts";
import type { AgeBasis, Facts } from "./facts.ts";
import { type PackageRecord, type VersionHistory, historyOf, lastListed } from "./history.ts";
import { type MovedBack, movedBack } from "./moved-back.ts";
import { isSecurityHolding } from "./observe.ts";
import { type ReleaseLook, type ReleaseOptions, releaseLook, type ReleaseFacts } from "./release-facts.ts";

export type FactsOptions = {
  /** The package comes from an upstream configured as private. */
  readonly privateUpstream: boolean;
  /** Present when somebody accepted the first listing of an upstream without `time` as old. */
  readonly baseline?: Policy["baseline"];
  /** What was learned of its versions from elsewhere; absent = nothing, and then nobody has looked. */
  readonly evidence?: PackageEvidence;
  /** What releases are compared with; without it nothing is suspect, and nothing known of other packages. */
  readonly comparison?: ReleaseOptions;
};

/** What all versions of a package share, computed once. */
export type PackageFacts = FactsOptions & {
  readonly record: PackageRecord;
  readonly listed: ReadonlyMap<string, VersionSummary>;
  readonly problems: ReadonlyMap<string, string>;
  readonly established: boolean;
  readonly securityHolding: boolean;
  readonly movedBack: ReadonlyMap<string, MovedBack>;
  readonly releaseOf: ReleaseLook;
};

/** The hold of the default policy. */
const UNCOMPARED: ReleaseOptions = { hold: 3 * DAY, trusted: () => true, recordOf: () => undefined };

export type Age = { readonly start: Instant; readonly basis: AgeBasis };

/** How old an accepted baseline makes a version: past every rule that asks for youth, the longest of which is 90 days. */
const BASELINE_AGE = 90 * DAY;

/** Undefined when the package never listed the version. */
export function factsOf(record: PackageRecord, version: string, now: Instant, options: FactsOptions): Facts | undefined {
  return factsIn(packageFacts(record, now, options), version);
}

export function packageFacts(record: PackageRecord, now: Instant, options: FactsOptions): PackageFacts {
  return {
    ...options,
    record,
    listed: new Map(record.summary.versions.map((entry) => [entry.version, entry])),
    problems: new Map(record.summary.problems.map(({ version, reason }) => [version, reason])),
    established: isEstablished(record, now),
    securityHolding: isSecurityHolding(record.summary),
    movedBack: movedBack(record, now),
    releaseOf: releaseLook(record, (of, history) => ageOf(of, history, options.baseline !== undefined), {
      ...(options.comparison ?? UNCOMPARED),
      publishedBy: options.evidence?.publishedBy,
    }),
  };
}

export function factsIn(shared: PackageFacts, version: string): Facts | undefined {
  const { record } = shared;
  const problem = shared.problems.get(version);
  const known = historyOf(record, version);
  // An entry that never could be read has no history: it is as young as the answer that holds it.
  const history = known ?? (problem === undefined ? undefined : { firstSeen: record.lastAnswer });
  if (!history) return undefined;
  const entry = problem === undefined ? shared.listed.get(version) : undefined;
  const { start, basis } = ageOf(record, history, shared.baseline !== undefined);
  const claim = claimOf(history, entry);
  const given = entry && integrityOfVersion(entry);
  const integrity = strongestDigest(entry, history);
  const shasum = entry?.shasum === undefined ? undefined : shasumToIntegrity(entry.shasum);
  const release = entry && shared.releaseOf(version);
  const digests = digestsOf(given, shasum, history.integrity, history.fetched, history.changed?.integrity);
  const moved = shared.movedBack.get(version);
  const claimedNow = claim === "moved" ? parseInstant(entry?.time) : undefined;
  return {
    name: record.name,
    version,
    ...(integrity === undefined ? {} : { integrity }),
    digests,
    listed: entry !== undefined,
    ...(problem === undefined ? {} : { problem }),
    firstSeen: history.firstSeen,
    lastListed: lastListed(record, history),
    start,
    basis,
    ...(history.claimed === undefined ? {} : { claimed: history.claimed }),
    ...(claimedNow === undefined ? {} : { claimedNow }),
    claim,
    established: shared.established,
    timeless: record.timelessSince !== undefined,
    ...(history.changed === undefined ? {} : { changed: changeOf(history.integrity, history.changed) }),
    ...(history.goneSince === undefined ? {} : { gone: { since: history.goneSince, confirmed: history.gone === true } }),
    securityHolding: shared.securityHolding,
    served: history.served !== undefined,
    ...(history.served === undefined ? {} : { servedSince: history.served }),
    ...(entry?.deprecated === undefined
      ? {}
      : { deprecated: { text: entry.deprecated, since: history.deprecatedSince ?? record.lastAnswer } }),
    ...(moved === undefined ? {} : { movedBack: moved }),
    requires: entry?.requires ?? {},
    privateUpstream: shared.privateUpstream,
    ...(release === undefined ? {} : { release }),
    ...evidenceOf(shared, version, integrity, release, digests),
    ...(entry && !release && isBeyondReading(record, start) ? { notChecked: [BEYOND_READING] } : {}),
  };
}

/** Only releases read in detail are compared, and only what was compared is looked at. */
function evidenceOf(
  { evidence, record }: PackageFacts,
  version: string,
  integrity: string | undefined,
  release: ReleaseFacts | undefined,
  digests: readonly string[],
): Pick<Facts, "code" | "attested" | "notChecked" | "claims"> {
  const claims = evidence?.claims?.(version, digests);
  const found = release && integrity !== undefined ? evidence?.of(integrity, evidenceBasis(record, { release })) : undefined;
  return { ...found, ...(claims === undefined ? {} : { claims }) };
}

/** Of more young versions than that only the newest are read in detail, and what was not read was not compared. */
export function isBeyondReading({ summary, lastAnswer }: PackageRecord, start: Instant): boolean {
  return start > lastAnswer - LIMITS.releaseMs && Object.keys(summary.releases ?? {}).length >= LIMITS.releases;
}

const BEYOND_READING: NotChecked = {
  check: "release",
  reason: `the package has more young versions than the ${LIMITS.releases} that are compared with those before them`,
};

/**
 * start = min(first sight, max(registry time at first sight, last answer without it)). A time that is missing, unreadable or
 * later than first sight gives way to first sight; a time the registry changes afterwards changes nothing but is said.
 * `baseline`: somebody accepted the first listing of an upstream without times as old.
 */
export function ageOf(record: PackageRecord, { firstSeen, claimed, absentBefore, returned }: VersionHistory, baseline: boolean): Age {
  if (returned !== undefined) return { start: returned, basis: "returned" };
  if (claimed === undefined) {
    const inFirstListing = record.timelessSince !== undefined && firstSeen === record.firstSeen;
    return baseline && inFirstListing
      ? { start: instant(firstSeen - BASELINE_AGE), basis: "baseline" }
      : { start: firstSeen, basis: "first-seen" };
  }
  if (claimed > firstSeen) return { start: firstSeen, basis: "first-seen" };
  if (absentBefore !== undefined && absentBefore > claimed) return { start: absentBefore, basis: "absent-before" };
  return { start: claimed, basis: "registry-time" };
}

function claimOf({ claimed, firstSeen, absentBefore }: VersionHistory, entry: VersionSummary | undefined): Facts["claim"] {
  if (claimed === undefined) return entry?.time === undefined || parseInstant(entry.time) !== undefined ? "missing" : "unreadable";
  if (claimed > firstSeen + LIMITS.replicaLagMs) return "future";
  if (absentBefore !== undefined && absentBefore > claimed + LIMITS.replicaLagMs) return "back-dated";
  const now = parseInstant(entry?.time);
  return now !== undefined && Math.abs(now - claimed) > LIMITS.replicaLagMs ? "moved" : "ok";
}

/**
 * At least 5 stable versions that are listed, unchanged and 14 days old, the oldest of them 90 days. Starts of age count, not
 * claims: a thief cannot make a package established in a day by publishing five versions, a back-dated version is as young as
 * our last look without it, and a mirror that writes its own copying date into `time` only makes a package look younger. What
 * remains believable is the `time` of a package this gate never asked for before, which no client can check either.
 */
function isEstablished(record: PackageRecord, now: Instant): boolean {
  let stable = 0;
  let old = false;
  for (const entry of record.summary.versions) {
    const history = historyOf(record, entry.version);
    if (!history || history.changed) continue;
    const age = now - ageOf(record, history, false).start;
    if (age < LIMITS.matureMs || !STABLE.test(entry.version)) continue;
    stable += 1;
    old ||= age >= 90 * DAY;
    if (stable >= 5 && old) return true;
  }
  return false;
}

/** A version without a prerelease part; cheap, because packages with thousands of versions have mostly prereleases. */
const STABLE = /^\d+\.\d+\.\d+(?:\+|$)/;

/**
 * Hex sha256 over the facts a decision rested on; kept in the ledger so that it can be replayed. Releases it was compared with count by
 * their versions: what they say is in the record, and would be most of the text.
 */
export function factsDigest({ release, ...facts }: Facts): string {
  if (release === undefined) return sha256(canonical(facts));
  const { predecessor, mature, recent, settled, ...own } = release;
  const compared = [predecessor, mature, ...recent, ...settled].map((one) => one?.version ?? "");
  return sha256(canonical({ ...facts, release: own, compared }));
}

/** What bytes are held to: a listing that drops its sha512 does not weaken it. */
export function strongestDigest(entry: VersionSummary | undefined, { integrity }: VersionHistory): string | undefined {
  const given = entry && integrityOfVersion(entry);
  return stronger(integrity, given) ? integrity : given;
}

function changeOf(from: string | undefined, change: { readonly integrity: string; readonly at: Instant }): NonNullable<Facts["changed"]> {
  return { from: from ?? "no digest", to: change.integrity, at: change.at };
}
