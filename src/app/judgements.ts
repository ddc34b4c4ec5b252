/**
 * Verdicts over what is known: judges packages with the policy and exceptions in force, looks up what their young versions require,
 * and remembers each judgement until news or time can change it. The one door to `judge`; every route goes through it.
 */
import { canonical, sha256 } from "../core/base/digest.ts";
import { type Clock, DAY, type Instant, instant } from "../core/base/time.ts";
import { LIMITS } from "../core/base/limits.ts";
import { ageOf, factsDigest } from "../core/facts/facts-of.ts";
import type { PackageEvidence } from "../core/facts/evidence.ts";
import type { Facts } from "../core/facts/facts.ts";
import { historyOf, type PackageRecord } from "../core/facts/history.ts";
import { markServed } from "../core/facts/observe.ts";
import { repairTags, type TagChange } from "../core/npm/tags.ts";
import { type Alternative, alternatives } from "../core/policy/alternatives.ts";
import {
  type JudgeInput,
  type Judgement,
  judgePackage,
  type PackageVerdicts,
  judgeVersion,
  namesToCompare,
  namesToKnow,
  plainIntegrity,
  verdictForPin,
  viewPackage,
} from "../core/policy/judge.ts";
import type { Exceptions, Policy } from "../core/policy/policy.ts";
import type { Ride } from "../core/policy/ride.ts";
import { type Verdict, withheld } from "../core/policy/verdict.ts";
import { namesRequired, type PackageView } from "../core/signals/dependency-walk.ts";
import type { FeedsRead } from "../core/signals/not-reconfirmed.ts";
import { hotCache } from "./hot-cache.ts";
import type { Knowledge } from "./knowledge.ts";
import type { ExceptionStore, Ledger, Upstream } from "./ports.ts";

export type PackageJudgement = {
  readonly record: PackageRecord;
  /** Versions clients may not have, in the order of the listing. */
  readonly withheld: ReadonlyMap<string, Verdict>;
  /** Versions that monitor mode lets pass although they are not admitted. */
  readonly monitored: ReadonlyMap<string, Verdict>;
  /** Admitted versions that would be withheld without a waiver. */
  readonly waived: ReadonlyMap<string, Verdict>;
  readonly served: ReadonlySet<string>;
  /** The tags of the answer, and what was moved. */
  readonly tags: Readonly<Record<string, string>>;
  readonly tagChanges: readonly TagChange[];
  /** Start of age of a listed version. */
  start(version: string): Instant;
  integrity(version: string): string | undefined;
  /** Digest of everything that was known of a listed version, so that a decision can be replayed. */
  factsDigest(version: string): string | undefined;
  /** Names an install of the version must also fetch. */
  requires(version: string): readonly string[];
  /** Versions under 90 days old whose bytes nobody has looked at. */
  readonly uninspected: ReadonlyMap<string, Facts>;
  /** What may leave early beside versions of this package that do. */
  readonly rides: readonly Ride[];
  /** What to install instead, nearest first. */
  alternatives(version: string): readonly Alternative[];
  readonly nextChange?: Instant;
  /** The end of the latest hold that is over but not confirmed by the registry since: an answer newer than this would decide. */
  readonly unconfirmed?: Instant;
  /** Same fingerprint, same document: same answer. */
  readonly fingerprint: string;
  /** What it rested on; see `current`. */
  readonly basis: Basis;
};

/** Everything a judgement depends on besides the record: valid while all of it stands. */
type Basis = { readonly policy: string; readonly epoch: number; readonly denied: number; readonly revisions: ReadonlyMap<string, number> };

/** What is known of other packages, and at which revision of each. */
type Around = Pick<Basis, "revisions"> & { readonly others: Required<Pick<JudgeInput, "lookup" | "records">> };

type Moment = Required<Pick<JudgeInput, "policy" | "exceptions" | "now" | "denied">>;

export type VersionJudgement = Judgement & {
  /** Set when a withdrawn version is served to a pin all the same. */
  readonly alert?: string;
};

export type Judgements = {
  ofPackage(record: PackageRecord): Promise<PackageJudgement>;
  /** `pin`: the client asks for these exact bytes. */
  ofVersion(record: PackageRecord, version: string, options: { readonly pin: boolean }): Promise<VersionJudgement>;
  /**
   * The digest of a version that can be served without judging all others of its package: see `plainIntegrity`. Only for the first tarball
   * of a package nobody had heard of before, as lockfile installs ask by the thousand: there is nothing yet that a judgement of the whole
   * could be compared with, and whoever comes again has it judged.
   */
  plainly(record: PackageRecord, version: string): Promise<string | undefined>;
  /** Whether nothing the judgement rested on has changed; time is the caller's to compare with `nextChange`. */
  current(judgement: Pick<PackageJudgement, "basis">): boolean;
  /** Reads waivers, denies and freezes anew. Once it was called, nothing is current and nothing is judged until a reading has come. */
  reload(): Promise<void>;
  /** A version of this package changed or was taken back: what requires the package is judged by it at any age (design §4). */
  carriesDeny(name: string): void;
  /** Remembers that the waivers of a verdict made a difference: one that nobody needs for a while dies. */
  noteUse(verdict: Verdict): Promise<void>;
  exceptions(): Exceptions;
  /** Remembers no judgement any longer; each is made again when somebody asks. */
  forget(): void;
};

export type JudgementPorts = {
  readonly clock: Clock;
  readonly knowledge: Pick<Knowledge, "recall" | "revision">;
  readonly exceptions: Pick<ExceptionStore, "read" | "touchWaiver">;
  readonly ledger: Pick<Ledger, "tail">;
  readonly upstream: Pick<Upstream, "baseFor"> & Partial<Pick<Upstream, "hosts">>;
  readonly policy: () => Policy;
  /** What was learned of a package's versions besides what packuments say; absent = nothing ever is. */
  readonly evidence?: (record: PackageRecord) => Promise<PackageEvidence>;
  /** How old what feeds say is; undefined where no feed is configured. */
  readonly feeds?: () => FeedsRead | undefined;
  /** Told of every judgement that was really made, not of those remembered. */
  readonly onJudged?: (judgement: PackageJudgement) => void;
};

/** Rounds of looking up what dependencies themselves require, and names looked up for one package. */
const ROUNDS = 8;
const NAMES = 2_000;

/** Names remembered of packages served plainly; forgetting one lets it be served so once more. */
const PASSED = 10_000;

export async function openJudgements(ports: JudgementPorts): Promise<Judgements> {
  let exceptions = await ports.exceptions.read();
  /** Readings of the exceptions that were called for, and the newest that came back. While they differ, nothing is current. */
  let called = 0;
  let arrived = 0;
  /** Approximate: a judgement weighs what it holds, the record above all. */
  const cache = hotCache<PackageJudgement>(LIMITS.judgementCacheBytes);

  /** Packages of which one version was served plainly. */
  const passed = new Set<string>();

  /** When a waiver's use was last written down: once a day is enough. */
  const touched = new Map<string, Instant>();
  /** Only grows, so its size says whether it changed; replaced, never changed, so that a judgement under way keeps the one it began with. */
  let denied: ReadonlySet<string> = new Set();

  async function reload(): Promise<void> {
    const call = ++called;
    const read = await ports.exceptions.read();
    if (call <= arrived) return;
    arrived = call;
    exceptions = read;
  }

  /** What a judgement rests on besides records, taken once: what changes while dependencies are looked up must not seem to have counted. */
  async function snapshot(): Promise<Moment> {
    if (arrived < called) await reload();
    return { policy: ports.policy(), exceptions, now: ports.clock.now(), denied };
  }

  /** Rules for private registries hold for what came from one, not for what a name's public past left here. */
  function inputFor({ name, upstream }: PackageRecord, moment: Moment): JudgeInput {
    const serves = ports.upstream.baseFor(name);
    return { ...moment, privateUpstream: serves.private && serves.base === upstream, ownHosts: ports.upstream.hosts ?? [] };
  }

  async function inputWithEvidence(record: PackageRecord, moment: Moment): Promise<JudgeInput> {
    const evidence = await ports.evidence?.(record);
    const feeds = ports.feeds?.();
    return {
      ...inputFor(record, moment),
      ...(evidence === undefined ? {} : { evidence }),
      ...(feeds === undefined ? {} : { feeds }),
    };
  }

  function current({ basis }: Pick<PackageJudgement, "basis">): boolean {
    const { policy, epoch, revisions } = basis;
    if (arrived < called) return false;
    if (policy !== ports.policy().digest || epoch !== exceptions.epoch || basis.denied !== denied.size) return false;
    for (const [name, revision] of revisions) if (ports.knowledge.revision(name) !== revision) return false;
    return true;
  }

  async function ofPackage(record: PackageRecord): Promise<PackageJudgement> {
    const before = cache.get(record.name);
    if (before && before.record.summary.digest === record.summary.digest && before.record.versions === record.versions && current(before)) {
      const now = ports.clock.now();
      // A later confirmation of the same document matters only to versions that wait for one.
      if (
        (before.nextChange === undefined || now < before.nextChange) &&
        (before.withheld.size === 0 || before.record.lastAnswer === record.lastAnswer)
      )
        return before;
    }
    const moment = await snapshot();
    const { others, revisions } = await lookAround(record, moment);
    const input = { ...(await inputWithEvidence(record, moment)), ...others };
    const judged = judgePackage(record, input);
    const judgement = describe(record, input, judged, {
      policy: moment.policy.digest,
      epoch: moment.exceptions.epoch,
      denied: moment.denied.size,
      revisions,
    });
    cache.set(record.name, judgement, 2_000 + record.summary.versions.length * 1_000);
    ports.onJudged?.(judgement);
    return judgement;
  }

  /** Loads what the young versions of a package require, and what those require, from the store alone: never a fetch on the way to an answer. */
  async function lookAround(record: PackageRecord, moment: Moment): Promise<Around> {
    const found = new Map<string, { readonly record: PackageRecord; readonly input: JudgeInput } | undefined>();
    const revisions = new Map<string, number>([[record.name, ports.knowledge.revision(record.name)]]);
    let wanted = namesToKnow(record, inputFor(record, moment));
    for (let round = 0; round < ROUNDS && wanted.length > 0 && found.size < NAMES; round += 1) {
      const next = new Set<string>();
      for (const name of wanted) {
        if (found.has(name)) continue;
        revisions.set(name, ports.knowledge.revision(name));
        const other = await ports.knowledge.recall(name);
        const input = other && (await inputWithEvidence(other, moment));
        found.set(name, input && { record: other, input });
        if (input) for (const deeper of namesToKnow(other, input)) if (!found.has(deeper)) next.add(deeper);
      }
      wanted = [...next];
    }
    const records = (name: string) => (name === record.name ? record : found.get(name)?.record);
    const views = new Map<string, PackageView | undefined>();
    /** Judged when it is asked for: most of what is known is only compared with. */
    const lookup = (name: string) => {
      const known = found.get(name);
      if (known && !views.has(name)) views.set(name, viewPackage(known.record, { ...known.input, records }));
      return views.get(name);
    };
    return { others: { lookup, records }, revisions };
  }

  async function recordsOf(names: readonly string[]): Promise<(name: string) => PackageRecord | undefined> {
    const records = new Map<string, PackageRecord | undefined>();
    for (const name of names.slice(0, NAMES)) records.set(name, await ports.knowledge.recall(name));
    return (name) => records.get(name);
  }

  return {
    ofPackage,
    current,
    async ofVersion(record, version, { pin }) {
      // Design §4: dependency-withheld holds "only packuments, never a tarball refusal": who pins a version has chosen its dependencies too.
      const moment = await snapshot();
      const own = await inputWithEvidence(record, moment);
      const input = pin
        ? { ...own, records: await recordsOf(namesToCompare(record, version)) }
        : { ...own, ...(await lookAround(record, moment)).others };
      const judged = judgeVersion(record, version, input);
      if (!judged) return unknownVersion(record, version, input);
      if (!pin || !withheld(judged.verdict)) return judged;
      // Whether it was served before is the ledger's to say, and only a refusal needs to know.
      const remembered = await rememberServed(record, version);
      const again = remembered === record ? judged : (judgeVersion(remembered, version, input) ?? judged);
      return { ...again, ...verdictForPin(again) };
    },
    async plainly(record, version) {
      const { name, answers } = record;
      if (answers > 1 || passed.has(name) || cache.get(name)) return undefined;
      const integrity = plainIntegrity(record, version, await inputWithEvidence(record, await snapshot()));
      if (integrity === undefined) return undefined;
      if (passed.size >= PASSED) passed.clear();
      passed.add(name);
      return integrity;
    },
    reload,
    carriesDeny: (name) => void (denied = new Set(denied).add(name)),
    async noteUse({ waived }) {
      const now = ports.clock.now();
      const due = [...new Set(waived.map(({ waiver }) => waiver))].filter((id) => now - (touched.get(id) ?? 0) >= DAY);
      for (const id of due) {
        touched.set(id, now);
        await ports.exceptions.touchWaiver(id, now);
      }
      if (due.length > 0) await reload();
    },
    exceptions: () => exceptions,
    forget: () => cache.clear(),
  };

  async function rememberServed(record: PackageRecord, version: string): Promise<PackageRecord> {
    const [row] = await ports.ledger.tail({ limit: 1, oldest: true, kinds: ["serve"], name: record.name, version });
    return row ? markServed(record, version, row.entry.at) : record;
  }
}

/** A version named only by a problem entry, or by nobody: withheld as malformed. */
function unknownVersion(record: PackageRecord, version: string, input: JudgeInput): VersionJudgement {
  const problem = record.summary.problems.find((one) => one.version === version)?.reason ?? "the registry does not list it";
  const signal = {
    id: "malformed-version" as const,
    effect: { kind: "deny" as const },
    title: problem,
    evidence: [{ text: problem, source: "registry", at: record.lastAnswer }],
  };
  return {
    facts: {
      name: record.name,
      version,
      digests: [],
      listed: false,
      problem,
      firstSeen: record.lastAnswer,
      lastListed: record.lastAnswer,
      start: record.lastAnswer,
      basis: "first-seen",
      claim: "missing",
      established: false,
      timeless: false,
      securityHolding: false,
      served: false,
      requires: {},
      privateUpstream: input.privateUpstream,
    },
    signals: [signal],
    verdict: { action: "deny", review: false, reasons: [signal], notes: [], waived: [], monitored: false, policy: input.policy.digest },
  };
}

function describe(
  record: PackageRecord,
  input: JudgeInput,
  { verdicts, admitted, uninspected, rides, factsOf, nextChange }: PackageVerdicts,
  basis: Basis,
): PackageJudgement {
  const served = new Set(admitted);
  const kept = [...verdicts].filter(([version, verdict]) => withheld(verdict) && !served.has(version));
  const baseline = input.policy.baseline;
  const listed = new Map(record.summary.versions.map((entry) => [entry.version, entry]));
  const { tags, changes } = repairTags({
    tags: record.summary.tags,
    versions: record.summary.versions,
    admitted: served,
    history: record.tags,
    now: input.now,
  });
  const held = new Map(kept);
  const start = (version: string) => {
    const history = historyOf(record, version);
    return history ? ageOf(record, history, baseline !== undefined).start : record.firstSeen;
  };
  const unconfirmed = kept
    .filter(([, verdict]) => verdict.reasons.some((reason) => reason.id === "not-reconfirmed"))
    .map(([version]) => instant(start(version) + input.policy.hold));
  return {
    record,
    withheld: held,
    monitored: new Map([...verdicts].filter(([, verdict]) => verdict.monitored)),
    waived: new Map([...verdicts].filter(([version, verdict]) => verdict.waived.length > 0 && served.has(version))),
    served,
    tags,
    tagChanges: changes,
    start,
    // The strongest digest history knows: a listing that drops its sha512 does not weaken what bytes are held to.
    integrity: (version) => (listed.has(version) ? factsOf(version)?.integrity : undefined),
    factsDigest(version) {
      const facts = factsOf(version);
      return facts && factsDigest(facts);
    },
    requires(version) {
      const entry = listed.get(version);
      return entry ? namesRequired(entry) : [];
    },
    uninspected,
    rides,
    alternatives: (version) => alternatives(record, admitted, version),
    ...(nextChange === undefined ? {} : { nextChange }),
    ...(unconfirmed.length === 0 ? {} : { unconfirmed: instant(Math.max(...unconfirmed)) }),
    fingerprint: sha256(
      canonical({
        digest: record.summary.digest,
        withheld: kept.map(([version, verdict]) => [version, verdict.action, verdict.until ?? 0, verdict.reasons.map((one) => one.id)]),
        tags,
      }),
    ),
    basis,
  };
}
