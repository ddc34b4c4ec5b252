/**
 * Judges a package: which of its versions are withheld and why, which are admitted, and when time alone changes that.
 * Most versions of most packages are old, listed and unchanged; a cheap look tells, and only the others are evaluated.
 */
import { LIMITS } from "../base/limits.ts";
import { inForce, nextWeightChange } from "../advisory/contested.ts";
import { type FastLane, fastLane, openLane } from "../advisory/fast-lane.ts";
import { DAY, HOUR, type Instant, instant } from "../base/time.ts";
import { digestsOf } from "../facts/digests.ts";
import type { PackageEvidence } from "../facts/evidence.ts";
import type { Facts } from "../facts/facts.ts";
import { type PackageFacts, ageOf, factsIn, isBeyondReading, packageFacts, strongestDigest } from "../facts/facts-of.ts";
import { type PackageRecord, type VersionHistory, historyOf, lastListed } from "../facts/history.ts";
import { dependenciesOf } from "../facts/release-facts.ts";
import { shasumToIntegrity } from "../npm/integrity.ts";
import { nameMatches } from "../npm/name.ts";
import type { VersionSummary } from "../npm/summary.ts";
import type { SignalInput } from "../signals/check.ts";
import { type Lookup, type PackageView, type Walk, dependencyWalk, isJudged, namesRequired } from "../signals/dependency-walk.ts";
import { evaluate } from "../signals/evaluate.ts";
import { isWithinHorizon } from "../signals/horizon.ts";
import { type FeedsRead, feedsTooOld } from "../signals/not-reconfirmed.ts";
import { isNameAllowed } from "../signals/name-not-allowed.ts";
import { decide } from "./decide.ts";
import { activeDenies } from "./deny.ts";
import { activeFreezes } from "./freeze.ts";
import type { Exceptions, Policy } from "./policy.ts";
import { type Ride, rideLane, ridesOf } from "./ride.ts";
import { type Signal, type Verdict, type Waiver, withheld } from "./verdict.ts";

export type JudgeInput = {
  readonly policy: Policy;
  readonly exceptions: Exceptions;
  readonly now: Instant;
  /** The package comes from an upstream configured as private. */
  readonly privateUpstream: boolean;
  /** What is known of other packages; absent = nothing, and dependencies are not judged at all. */
  readonly lookup?: Lookup;
  /** What is stored of other packages, for comparing releases (`namesToCompare`); absent = what `lookup` finds. */
  readonly records?: (name: string) => PackageRecord | undefined;
  /** Names known to have a denied version, besides those the exceptions name: older versions that require one are judged too. */
  readonly denied?: ReadonlySet<string>;
  readonly publicTwin?: SignalInput["publicTwin"];
  /** Hosts of the registries configured here. */
  readonly ownHosts?: readonly string[];
  /** How old what feeds say is; absent where no feed is configured. */
  readonly feeds?: FeedsRead;
  /** What was learned of this package's versions from elsewhere. */
  readonly evidence?: PackageEvidence;
};

export type Judgement = { readonly facts: Facts; readonly signals: readonly Signal[]; readonly verdict: Verdict };

export type PackageVerdicts = {
  /** Listed and malformed versions that are not plainly allowed: withheld, monitored, or allowed by a waiver. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Listed versions that clients may have now, in the order of the listing. */
  readonly admitted: readonly string[];
  /** Versions under 90 days old whose bytes nobody has looked at, with what is known of them. See `awaitsInspection`. */
  readonly uninspected: ReadonlyMap<string, Facts>;
  /** What may leave early beside versions of this package that do. */
  readonly rides: readonly Ride[];
  /** What the verdict on a version rested on. */
  readonly factsOf: (version: string) => Facts | undefined;
  /** The earliest moment at which time alone can change a verdict. */
  readonly nextChange?: Instant;
};

/** Judges every listed version. Notes on dependencies that were not looked at are left to `judgeVersion`. */
export function judgePackage(record: PackageRecord, input: JudgeInput): PackageVerdicts {
  const bench = openBench(record, input);
  const own = ownJudgements(bench);
  const verdicts = new Map<string, Verdict>();
  let next = Infinity;
  const keep = (facts: Facts, verdict: Verdict) => {
    if (verdict.action === "allow" && verdict.waived.length === 0) return;
    verdicts.set(facts.version, verdict);
    for (const moment of changesOf(facts, verdict, input)) if (moment > input.now) next = Math.min(next, moment);
  };
  const walk = walkOf(bench, viewOf(record, own));
  for (const entry of record.summary.versions) {
    const judged = own.get(entry.version);
    const dependencies = walk?.(entry);
    if (dependencies && dependencies.blocked.length > 0) {
      const facts = judged?.facts ?? factsIn(bench.shared, entry.version);
      if (facts) keep(facts, judge(bench, facts, dependencies).verdict);
    } else if (judged) keep(judged.facts, judged.verdict);
  }
  for (const { version } of record.summary.problems) {
    const judged = own.get(version);
    if (judged) verdicts.set(version, judged.verdict);
  }
  const admitted = record.summary.versions.map(({ version }) => version).filter((version) => isAdmitted(verdicts.get(version)));
  const uninspected = new Map(uninspectedIn(bench).map((facts) => [facts.version, facts]));
  return {
    verdicts,
    admitted,
    uninspected,
    rides: bench.rides,
    factsOf: (version) => factsIn(bench.shared, version),
    ...(Number.isFinite(next) ? { nextChange: instant(next) } : {}),
  };
}

/** Judges one version, listed or not, with everything there is to say about it. Undefined when the package never listed it. */
export function judgeVersion(record: PackageRecord, version: string, input: JudgeInput): Judgement | undefined {
  const bench = openBench(record, input);
  const facts = factsIn(bench.shared, version);
  if (!facts) return undefined;
  const entry = bench.shared.listed.get(version);
  const followed = entry && isJudged(record, entry, { baseline: bench.baseline, denied: bench.denied, now: input.now });
  const walk = followed ? walkOf(bench, viewOf(record, ownJudgements(bench))) : undefined;
  return judge(bench, facts, entry && walk?.(entry));
}

/**
 * The digest a version's bytes are held to, where its package need not be judged for it: listed, mature, and no signal could say more of it
 * than a note. Undefined says nothing but that it must be judged.
 */
export function plainIntegrity(record: PackageRecord, version: string, input: JudgeInput): string | undefined {
  const bench = openBench(record, input);
  const entry = bench.shared.listed.get(version);
  const history = historyOf(record, version);
  if (!entry || !history || !plainLook(bench)(entry)) return undefined;
  return input.now - ageOf(record, history, bench.baseline).start >= LIMITS.matureMs ? strongestDigest(entry, history) : undefined;
}

/** A package as its dependents see it: verdicts by its versions' own signals. Keep it while record, policy, exceptions and `nextChange` stand. */
export function viewPackage(record: PackageRecord, input: JudgeInput): PackageView {
  return viewOf(record, ownJudgements(openBench(record, input)));
}

/** The packages `lookup` should know before this one is judged: what its judged versions require. */
export function namesToKnow(record: PackageRecord, input: JudgeInput): readonly string[] {
  const { baseline, denied } = openBench(record, input);
  const judged = record.summary.versions.filter((entry) => isJudged(record, entry, { baseline, denied, now: input.now }));
  return [...new Set([...judged.flatMap(namesRequired), ...namesToCompare(record)])].filter((name) => name !== record.name);
}

/** Names some release asks for and not every one: the age of a new dependency tells. `version`: of that one alone. */
export function namesToCompare({ name, summary: { releases = {} } }: PackageRecord, version?: string): readonly string[] {
  const asked = Object.entries(releases).map(([of, release]) => ({ of, names: dependenciesOf(release).map((one) => one.name) }));
  const counts = new Map<string, number>();
  for (const { names } of asked) for (const one of new Set(names)) counts.set(one, (counts.get(one) ?? 0) + 1);
  const wanted = asked.filter(({ of }) => version === undefined || of === version).flatMap(({ names }) => names);
  return [...new Set(wanted)].filter((one) => one !== name && counts.get(one)! < asked.length);
}

/**
 * The verdict for a client that pins the version's exact bytes. Where every reason lets pins of bytes already served pass, it
 * is allowed, with the alert to raise.
 */
export function verdictForPin({ facts, verdict }: Pick<Judgement, "facts" | "verdict">): {
  readonly verdict: Verdict;
  readonly alert?: string;
} {
  const passes =
    facts.served && verdict.reasons.length > 0 && verdict.reasons.every(({ effect }) => "pins" in effect && effect.pins === "served");
  if (!passes || !withheld(verdict)) return { verdict };
  const { until: _until, ...rest } = verdict;
  return {
    verdict: { ...rest, action: "allow", review: false, reasons: [], notes: [...verdict.reasons, ...verdict.notes] },
    alert: `served from cache to a pin: ${verdict.reasons.map(({ id, title }) => `${id}, ${title}`).join("; ")}`,
  };
}

/** Design §4: "Versions over 14 days old are served before analysis of their tarball ends (…); younger ones wait for it". */
export function awaitsInspection(facts: Facts, now: Instant): boolean {
  return isUninspected(facts) && now - facts.start < LIMITS.matureMs;
}

/** Whether a look at its bytes is due at all: what changed matters in versions that are young. */
function isUninspected({ listed, release, code, integrity, privateUpstream, ...age }: Facts): boolean {
  if (!listed || !release || code || integrity === undefined || privateUpstream) return false;
  return isWithinHorizon(age);
}

function uninspectedIn({ shared, record, baseline }: Bench): readonly Facts[] {
  const young = Object.keys(record.summary.releases ?? {}).filter((version) => {
    const history = historyOf(record, version);
    return history && isComparable(record, version, history, ageOf(record, history, baseline).start);
  });
  return young.flatMap((version) => {
    const facts = factsIn(shared, version);
    return facts && isUninspected(facts) ? [facts] : [];
  });
}

/** Whether nothing but checks that could not run keeps it back: another try may let it go. */
export function onlyNotChecked(verdict: Verdict): boolean {
  return verdict.reasons.every(({ id }) => id.startsWith("not-checked:"));
}

function isAdmitted(verdict: Verdict | undefined): boolean {
  return verdict === undefined || !withheld(verdict);
}

/** Everything about a package that its versions share while they are judged. */
type Bench = {
  readonly record: PackageRecord;
  readonly input: JudgeInput;
  readonly shared: PackageFacts;
  readonly waivers: readonly Waiver[];
  readonly baseline: boolean;
  readonly denied: ReadonlySet<string>;
  /** Grows while versions are judged by their own signals. */
  readonly rides: Ride[];
};

/** What later releases are compared with stood this long, however short the hold: who can publish one version can publish two. */
const SETTLED_MS = 3 * DAY;

function openBench(record: PackageRecord, input: JudgeInput): Bench {
  const { policy, exceptions, now, privateUpstream } = input;
  const baseline = policy.baseline;
  const trust = new Map<string, boolean>();
  const bench: Bench = {
    record,
    input,
    shared: packageFacts(record, now, {
      privateUpstream,
      ...(baseline === undefined ? {} : { baseline }),
      ...(input.evidence === undefined ? {} : { evidence: input.evidence }),
      comparison: {
        hold: Math.max(policy.hold, SETTLED_MS),
        recordOf: input.records ?? ((name) => input.lookup?.(name)?.record),
        // Asks of earlier versions only, so it ends; each is judged once.
        trusted(version) {
          const known = trust.get(version) ?? isTrusted(bench, version);
          trust.set(version, known);
          return known;
        },
      },
    }),
    waivers: exceptions.waivers.filter((waiver) => waiver.name === record.name),
    baseline: baseline !== undefined,
    denied: new Set([
      ...(input.denied ?? []),
      ...activeDenies(exceptions.denies).flatMap(({ name }) => (name === undefined ? [] : [name])),
    ]),
    rides: [],
  };
  return bench;
}

/** Design §4, predecessor: "with no unwaived review or deny … A waived release never sets the baseline": so waivers do not count. */
function isTrusted(bench: Bench, version: string): boolean {
  const facts = factsIn(bench.shared, version);
  return (
    facts !== undefined &&
    signalsOf(bench, facts, undefined).every(
      // What a policy thinks of the whole name says nothing about one of its versions.
      ({ id, effect }) => id === "name-not-allowed" || (effect.kind !== "review" && effect.kind !== "deny"),
    )
  );
}

function signalsOf(bench: Bench, facts: Facts, dependencies: SignalInput["dependencies"]): readonly Signal[] {
  const { policy, exceptions, now, publicTwin, feeds, ownHosts } = bench.input;
  return evaluate({
    facts,
    policy,
    exceptions,
    now,
    ...(dependencies === undefined ? {} : { dependencies }),
    ...(publicTwin === undefined ? {} : { publicTwin }),
    ...(feeds === undefined ? {} : { feeds }),
    ...(ownHosts === undefined ? {} : { ownHosts }),
  });
}

function judge(bench: Bench, facts: Facts, dependencies: SignalInput["dependencies"]): Judgement {
  const { policy, now, privateUpstream } = bench.input;
  const found = signalsOf(bench, facts, dependencies);
  const fix = laneOf(bench, facts, found);
  if (fix.open && dependencies === undefined) bench.rides.push(...ridesOf(facts));
  const signals = openLane(found, fix.open ? fix : besideOf(bench, facts, found));
  const verdict = decide({
    name: facts.name,
    version: facts.version,
    ...(facts.integrity === undefined ? {} : { integrity: facts.integrity }),
    signals,
    context: { established: facts.established, privateUpstream },
    waivers: bench.waivers,
    policy,
    now,
  });
  return { facts, signals, verdict };
}

/** Signals that say another source built it, or that nobody can tell. */
const OTHER_SOURCE: ReadonlySet<string> = new Set(["provenance-identity-changed", "provenance-dropped", "trusted-publisher-dropped"]);

/** Design §4, "Fast lane": a fix that somebody here needs does not wait with the malware. */
function laneOf({ record, input }: Bench, facts: Facts, signals: readonly Signal[]): FastLane {
  const { evidence, now } = input;
  const fixes = signals.some(({ id }) => id === "young-release") ? (evidence?.fixes?.(facts.version) ?? []) : [];
  if (fixes.length === 0) return CLOSED;
  const ids = new Set(fixes.flatMap(({ aliases }) => aliases));
  const affected = [...(evidence?.served ?? [])].filter((version) => {
    const digests = digestsOf(historyOf(record, version)?.integrity);
    return evidence?.claims?.(version, digests).some((claim) => claim.aliases.some((id) => ids.has(id)));
  });
  const others = signals.filter(({ id, effect }) => effect.kind !== "note" && id !== "young-release");
  return fastLane({
    version: facts.version,
    start: facts.start,
    claims: fixes,
    against: facts.claims ?? [],
    clean: facts.code === undefined ? undefined : facts.code.state === "done" && others.length === 0,
    sameIdentity: facts.attested === undefined ? undefined : !signals.some(({ id }) => OTHER_SOURCE.has(id)),
    affectedInUse: affected,
    now,
  });
}

/** The lane of a version that rides along with another package's fix. */
function besideOf({ input: { evidence, now } }: Bench, facts: Facts, signals: readonly Signal[]): FastLane {
  const ride = signals.some(({ id }) => id === "young-release") ? evidence?.rides?.(facts.version) : undefined;
  const unharmed = inForce(facts.claims ?? [], now).length === 0 && !signals.some(({ id }) => OTHER_SOURCE.has(id));
  const others = signals.filter(({ id, effect }) => effect.kind !== "note" && id !== "young-release");
  return rideLane(facts, ride, unharmed && facts.code?.state === "done" && others.length === 0, now);
}

const CLOSED: FastLane = { open: false, missing: [] };

/** Judgements by own signals of every version that is not plainly allowed. */
function ownJudgements(bench: Bench): ReadonlyMap<string, Judgement> {
  const judged = new Map<string, Judgement>();
  const isPlain = plainLook(bench);
  for (const version of [...bench.record.summary.versions.filter((entry) => !isPlain(entry)), ...bench.record.summary.problems].map(
    (each) => each.version,
  )) {
    const facts = factsIn(bench.shared, version);
    const judgement = facts && judge(bench, facts, undefined);
    if (judgement && (judgement.verdict.action !== "allow" || judgement.verdict.waived.length > 0)) judged.set(version, judgement);
  }
  return judged;
}

/** A look that costs next to nothing: true only where no signal could say more than a note (a property test keeps it so). */
function plainLook({ record, input, shared, waivers, baseline }: Bench): (entry: VersionSummary) => boolean {
  const { policy, exceptions, now, privateUpstream } = input;
  const denies = activeDenies(exceptions.denies);
  const named = denies.filter((deny) => deny.name === record.name);
  const deniedDigests = new Set(denies.flatMap((deny) => digestsOf(deny.integrity)));
  const privateHere = policy.private.some((glob) => nameMatches(glob, record.name));
  const whole =
    named.some((deny) => deny.version === undefined) ||
    !isNameAllowed(record.name, privateUpstream, policy) ||
    (privateHere && !privateUpstream);
  const versions = new Set([...waivers, ...named].map(({ version }) => version));
  const frozenFrom = activeFreezes(exceptions.freezes, now)[0]?.before ?? Infinity;
  const claims = input.evidence?.claims;
  const claimed = (entry: VersionSummary, history: VersionHistory): boolean =>
    claims !== undefined && claims(entry.version, digestsOf(entry.integrity, history.integrity, history.fetched)).length > 0;
  return (entry) => {
    const history = historyOf(record, entry.version);
    if (
      whole ||
      !history ||
      history.changed ||
      history.goneSince !== undefined ||
      shared.problems.has(entry.version) ||
      versions.has(entry.version)
    )
      return false;
    const { start } = ageOf(record, history, baseline);
    if (start >= frozenFrom || isComparable(record, entry.version, history, start)) return false;
    if (now - start < LIMITS.matureMs && isBeyondReading(record, start)) return false;
    const end = start + policy.hold;
    if (!privateUpstream && (now < end || lastListed(record, history) < end)) return false;
    if (claimed(entry, history) || feedsTooOld(instant(end), now, input.feeds)) return false;
    return deniedDigests.size === 0 || !hasDigest(deniedDigests, entry, history);
  };
}

/** Whether how it was released can be more than a note. */
function isComparable({ summary }: PackageRecord, version: string, { firstSeen }: VersionHistory, start: Instant): boolean {
  return summary.releases !== undefined && Object.hasOwn(summary.releases, version) && isWithinHorizon({ firstSeen, start });
}

/** Digests are nearly always single words: only lists and shasums are taken apart. */
function hasDigest(wanted: ReadonlySet<string>, entry: VersionSummary, history: VersionHistory): boolean {
  const named = (claim: string | undefined) =>
    claim !== undefined && (wanted.has(claim) || (/[\s?]/.test(claim) && digestsOf(claim).some((digest) => wanted.has(digest))));
  if (named(entry.integrity) || named(history.integrity) || named(history.fetched)) return true;
  return entry.shasum !== undefined && [...wanted].some((digest) => digest.startsWith("sha1-")) && named(shasumToIntegrity(entry.shasum));
}

function viewOf(record: PackageRecord, own: ReadonlyMap<string, Judgement>): PackageView {
  return { record, own: new Map([...own].map(([version, { verdict }]) => [version, verdict])) };
}

/** The walk over dependencies, with this package as `view`; undefined when nothing is known of others. */
function walkOf({ record, input, denied, baseline }: Bench, view: PackageView): ((entry: VersionSummary) => ReturnType<Walk>) | undefined {
  const { lookup, now } = input;
  if (!lookup) return undefined;
  const walk = dependencyWalk({ lookup: (name) => (name === record.name ? view : lookup(name)), denied, baseline, now });
  return (entry) => walk(view, entry);
}

/** Moments at which the verdict of one version may change without any news. */
function changesOf(facts: Facts, verdict: Verdict, { policy, exceptions, evidence, now }: JudgeInput): readonly number[] {
  const ends = verdict.reasons.flatMap(({ effect }) => (effect.kind === "hold" && effect.until !== undefined ? [effect.until] : []));
  // A version grows out of being judged by its dependencies, and out of checks that could not run.
  const grows = verdict.reasons.some(({ id }) => id === "dependency-withheld" || id.startsWith("not-checked:"))
    ? [facts.start + LIMITS.matureMs]
    : [];
  const waivers = exceptions.waivers.filter(({ id }) => verdict.waived.some(({ waiver }) => waiver === id));
  const lapses = waivers.flatMap((waiver) => [waiver.expires, (waiver.used ?? waiver.created) + LIMITS.waiverUnusedMs]);
  // A fix may leave early: when it is six hours old, and when its advisory has been known for a day.
  const fixes = evidence?.fixes?.(facts.version) ?? [];
  const rides = evidence?.rides?.(facts.version) === undefined ? [] : [facts.start + 6 * HOUR];
  const lanes = fixes.length === 0 ? rides : [facts.start + 6 * HOUR, ...fixes.map(({ firstSeen }) => firstSeen + DAY)];
  const weight = nextWeightChange(facts.claims ?? [], facts, now);
  const monitor = verdict.monitored && policy.mode.kind === "monitor" ? [policy.mode.expires] : [];
  // What is waived has ends of its own: a hold that ends takes the waiver's work away.
  const waivedEnds = verdict.waived.flatMap(({ signal: { effect } }) =>
    effect.kind === "hold" && effect.until !== undefined ? [effect.until] : [],
  );
  return [...ends, ...grows, ...lapses, ...monitor, ...waivedEnds, ...lanes, ...(weight === undefined ? [] : [weight])];
}
