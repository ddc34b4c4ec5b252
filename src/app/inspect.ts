/**
 * Everything there is to know of one release or one tarball, looked at now: the verdict, the signals, and what a person would look for to
 * make up their mind. A version that is held can be inspected like any other; that is the point.
 */
import semver from "semver";
import type { CodeDone } from "../core/analysis/code-facts.ts";
import { codeFacts } from "../core/analysis/difference.ts";
import { type ChainAt, compareTarballs, type TarballDiff } from "../core/analysis/release-diff.ts";
import type { Capability, TarballReport } from "../core/analysis/report.ts";
import type { Attested } from "../core/attest/attested.ts";
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { present } from "../core/base/present.ts";
import { type Clock, type Instant, iso } from "../core/base/time.ts";
import type { Facts } from "../core/facts/facts.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { isPrerelease } from "../core/npm/line.ts";
import type { Publisher, Release } from "../core/npm/release.ts";
import { decide } from "../core/policy/decide.ts";
import { explain } from "../core/policy/explain.ts";
import type { Policy } from "../core/policy/policy.ts";
import { withheld } from "../core/policy/verdict.ts";
import { CHECKS, evaluate } from "../core/signals/evaluate.ts";
import type { Inspector } from "./inspector.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";
import type { TarballWork } from "./ports.ts";
import { brief, findVersion, tell, type Told, type WhyReport } from "./why.ts";

/** `cordon.inspect/1`. Times are ISO 8601. */
export type Inspection = {
  readonly schema: "cordon.inspect/1";
  readonly name: string;
  readonly version: string;
  /** Where a tarball came from that is no registry's. */
  readonly file?: string;
  readonly withheld: boolean;
  readonly verdict: WhyReport["verdict"];
  /** Reasons first, strictest first; then what is waived; then notes. */
  readonly signals: readonly Told[];
  readonly facts: InspectionFacts;
  /** Checks that could not run, and why. */
  readonly notChecked: readonly { readonly check: string; readonly reason: string }[];
  /** What to install instead, best first. */
  readonly instead: readonly string[];
};

export type InspectionFacts = {
  readonly integrity?: string;
  readonly ageStarts?: string;
  readonly ageBasis?: Facts["basis"];
  readonly publisher?: Publisher;
  /** Of the release before it. */
  readonly publisherBefore?: Publisher;
  readonly provenance?: Provenance;
  readonly provenanceBefore?: Provenance;
  /** What an install runs. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly newDependencies: readonly { readonly name: string; readonly spec: string; readonly since?: string }[];
  /** The release it is compared with, and what differs. */
  readonly comparedWith?: string;
  readonly difference?: TarballDiff;
  /** All its code can do, new or not. */
  readonly capabilities: readonly Capability[];
  readonly chains: readonly ChainAt[];
  readonly hosts: readonly string[];
  readonly binaries: readonly string[];
  readonly mismatches: readonly string[];
  readonly archive: TarballReport["archive"];
  readonly unread: TarballReport["unread"];
  readonly files?: number;
  /** Bytes. */
  readonly unpacked?: number;
};

export type Provenance =
  | { readonly state: "valid"; readonly repository: string; readonly workflow?: string }
  | { readonly state: "absent" }
  /** `claimed`: the registry names one and nobody has verified it. */
  | { readonly state: "claimed" | "unverifiable" | "invalid" | "not-checked"; readonly reason?: string };

/** A tarball that lies on this machine. */
export type LocalTarball = { readonly file: string; readonly bytes: Uint8Array };

/** What stands for one side of a comparison. */
export type Subject = string | LocalTarball;

export type Inspect = {
  /** `against`: compared with this instead of the release before it. `onStep` is told what is being done. */
  (subject: Subject, options?: { readonly against?: Subject; readonly onStep?: (text: string) => void }): Promise<Inspection>;
};

export type InspectPorts = {
  readonly clock: Clock;
  readonly knowledge: Pick<Knowledge, "know">;
  readonly judgements: Judgements;
  readonly inspector: Pick<Inspector, "look" | "report" | "tarball">;
  readonly tarballs: TarballWork;
  readonly policy: () => Policy;
};

export function openInspect(ports: InspectPorts): Inspect {
  return (subject, { against, onStep = () => undefined } = {}) =>
    typeof subject === "string" ? inspectRelease(ports, subject, against, onStep) : inspectFile(ports, subject, against, onStep);
}

type Step = (text: string) => void;

async function inspectRelease(ports: InspectPorts, text: string, against: Subject | undefined, onStep: Step): Promise<Inspection> {
  onStep(`asking the registry about ${text}`);
  const { known, version } = await findVersion(ports.knowledge, text);
  const { record } = known;
  const { name } = record;
  let judged = await ports.judgements.ofVersion(record, version, { pin: false });
  const added = judged.facts.release?.newDependencies.slice(0, ASKED) ?? [];
  // Their age is half of what matters about new dependencies; an answer that cannot be had leaves it open.
  for (const dependency of added) {
    onStep(`asking the registry about ${dependency.name}, which is new in it`);
    await ports.knowledge.know(dependency.name);
  }
  if (judged.facts.listed && judged.facts.code === undefined) {
    onStep(`looking at the tarball of ${name}@${version}`);
    await ports.inspector.look(record, judged.facts);
  }
  judged = await ports.judgements.ofVersion(record, version, { pin: false });
  const { facts, verdict } = judged;
  const told = explain(judged, (await ports.judgements.ofPackage(record)).alternatives(version), ports.clock.now());
  const own = await attempt(() => ports.inspector.report(record, version));
  const other = own.report && (await comparedWith(ports, record, facts, against, onStep));
  const before = facts.release?.predecessor?.release;
  const failures = [
    ...(facts.notChecked ?? []),
    ...(own.reason !== undefined && !facts.notChecked?.some(({ check }) => check === "tarball")
      ? [{ check: "tarball", reason: own.reason }]
      : []),
    ...(other && "reason" in other ? [{ check: `comparison with ${other.name}`, reason: other.reason }] : []),
  ];
  return {
    schema: "cordon.inspect/1",
    name,
    version,
    withheld: withheld(verdict),
    verdict: brief(verdict),
    signals: [...told.reasons, ...told.waived, ...told.notes].map((one) => tell(one, judged.signals)),
    facts: {
      ...present({
        integrity: facts.integrity,
        ageStarts: iso(facts.start),
        ageBasis: facts.basis,
        publisher: facts.release?.own.publisher,
        publisherBefore: before?.publisher,
        provenance: facts.release && provenanceOf(facts.release.own, facts.attested?.own),
        provenanceBefore: before && provenanceOf(before, facts.attested?.predecessor?.attested),
      }),
      newDependencies: (facts.release?.newDependencies ?? []).map((one) => ({
        name: one.name,
        spec: one.spec,
        ...(one.known === undefined ? {} : { since: iso(one.known.since) }),
      })),
      ...shown(own.report, other, facts.code?.state === "done" ? facts.code : undefined),
    },
    notChecked: failures,
    instead: withheld(verdict) ? told.instead.map((one) => one.version) : [],
  };
}

/** New dependencies whose age is asked for. */
const ASKED = 10;

async function inspectFile(
  ports: InspectPorts,
  { file, bytes }: LocalTarball,
  against: Subject | undefined,
  onStep: Step,
): Promise<Inspection> {
  onStep(`looking at ${file}`);
  const report = await ports.tarballs.analyse(bytes, { label: file });
  const other = against === undefined ? undefined : await sideOf(ports, against, onStep);
  const { name = "", version = "" } = report.manifest ?? {};
  const code = codeFacts(report, other && { version: other.name, report: other.report }, { name, version });
  const now = ports.clock.now();
  const policy = ports.policy();
  const facts = factsOfFile(name, version, now, code);
  const signals = evaluate({ facts, now, policy, exceptions: ports.judgements.exceptions() }, CODE_CHECKS);
  const context = { established: false, privateUpstream: false };
  const verdict = decide({ name, version, signals, context, waivers: [], policy, now });
  const told = explain({ facts, signals, verdict }, [], now);
  return {
    schema: "cordon.inspect/1",
    name,
    version,
    file,
    withheld: withheld(verdict),
    verdict: brief(verdict),
    signals: [...told.reasons, ...told.notes].map((one) => tell(one, signals)),
    facts: { newDependencies: newIn(other && compareTarballs(other.report, report)), ...shown(report, other, code) },
    notChecked: [],
    instead: [],
  };
}

/** Of a tarball: nobody was asked how old they are. */
function newIn(difference: TarballDiff | undefined): InspectionFacts["newDependencies"] {
  return (difference?.manifest ?? []).flatMap(({ field, key, before, after }) =>
    /^(?:optionalD|peerD|d)ependencies$/.test(field) && before === undefined ? [{ name: key, spec: after! }] : [],
  );
}

/** The checks that need nothing but the bytes. */
const CODE_CHECKS = Object.fromEntries(
  (["capability-added", "shrinkwrap-foreign", "archive-malformed", "analysis-incomplete"] as const).map((id) => [id, CHECKS[id]]),
);

/** As a gate would see it if this were the first release of a new name. */
function factsOfFile(name: string, version: string, now: Instant, code: CodeDone): Facts {
  return {
    name,
    version,
    digests: [],
    listed: true,
    firstSeen: now,
    lastListed: now,
    start: now,
    basis: "first-seen",
    claim: "missing",
    established: false,
    timeless: false,
    securityHolding: false,
    served: false,
    requires: {},
    privateUpstream: false,
    release: { own: {}, packageSince: now, recent: [], settled: [], newDependencies: [] },
    code,
  };
}

/** One side of a comparison; `name` is how it is spoken of. */
export type Side = {
  readonly name: string;
  readonly report: TarballReport;
  readonly bytes: () => Promise<Uint8Array>;
  readonly release?: Release;
};

/** Looks at one side. Raises a Fault where it cannot be had. */
export async function sideOf(ports: Omit<InspectPorts, "clock" | "policy" | "judgements">, subject: Subject, onStep: Step): Promise<Side> {
  if (typeof subject !== "string") {
    const { file, bytes } = subject;
    onStep(`looking at ${file}`);
    return { name: file, report: await ports.tarballs.analyse(bytes, { label: file }), bytes: async () => bytes };
  }
  onStep(`asking the registry about ${subject}`);
  const { known, version } = await findVersion(ports.knowledge, subject);
  const { record } = known;
  const name = `${record.name}@${version}`;
  onStep(`looking at the tarball of ${name}`);
  const release = record.summary.releases?.[version];
  return {
    name,
    report: await ports.inspector.report(record, version),
    bytes: () => ports.inspector.tarball(record, version),
    ...(release === undefined ? {} : { release }),
  };
}

type Compared =
  | { readonly name: string; readonly report: TarballReport; readonly release?: Release }
  | { readonly name: string; readonly reason: string };

async function comparedWith(
  ports: InspectPorts,
  record: PackageRecord,
  facts: Facts,
  against: Subject | undefined,
  onStep: Step,
): Promise<Compared | undefined> {
  if (against !== undefined) return sideOf(ports, against, onStep);
  const before = facts.release?.predecessor?.version ?? nextLower(record, facts.version);
  if (before === undefined) return undefined;
  onStep(`looking at the tarball of ${record.name}@${before}`);
  const { report, reason } = await attempt(() => ports.inspector.report(record, before));
  const release = facts.release?.predecessor?.release;
  return report ? { name: before, report, ...(release === undefined ? {} : { release }) } : { name: before, reason: reason! };
}

/** For a version too old for the registry's details: the listed one below it. */
function nextLower({ summary }: PackageRecord, version: string): string | undefined {
  const below = summary.versions
    .map((one) => one.version)
    .filter((one) => semver.valid(one, LOOSE) !== null && semver.lt(one, version, LOOSE) && (isPrerelease(version) || !isPrerelease(one)));
  return semver.rsort(below, LOOSE)[0];
}

const LOOSE = { loose: true } as const;

/** What could not be had is told, with its reason; a bug is not. */
async function attempt(work: () => Promise<TarballReport>): Promise<{ readonly report?: TarballReport; readonly reason?: string }> {
  try {
    return { report: await work() };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { reason: error.message };
  }
}

function provenanceOf(release: Release, attested: Attested | undefined): Provenance {
  const proof = attested?.provenance;
  if (proof?.state === "valid") {
    const { repository, workflow } = proof.identity;
    return { state: "valid", repository, ...(workflow === undefined ? {} : { workflow }) };
  }
  if (proof && proof.state !== "absent") return { state: proof.state, reason: proof.reason };
  return { state: release.attestations?.provenance === undefined ? "absent" : "claimed" };
}

/** What the bytes say, for a reader. */
function shown(
  report: TarballReport | undefined,
  other: Compared | undefined,
  code: CodeDone | undefined,
): Omit<InspectionFacts, "newDependencies"> {
  const comparison =
    report && other && "report" in other ? { comparedWith: other.name, difference: compareTarballs(other.report, report) } : {};
  if (!report) return { scripts: {}, capabilities: [], chains: [], hosts: [], binaries: [], mismatches: [], archive: [], unread: [] };
  const { manifest, files } = report;
  return {
    scripts: { ...manifest?.scripts, ...(manifest?.gypfile === true ? { "binding.gyp": "npm builds it on install" } : {}) },
    ...comparison,
    capabilities: report.capabilities,
    chains: report.chains,
    hosts: report.hosts,
    binaries: files.flatMap(({ kind, path }) => (kind === "native" ? [path] : [])).slice(0, LIMITS.listedDifferences),
    mismatches: code?.mismatches ?? [],
    archive: report.archive,
    unread: report.unread,
    files: files.length,
    unpacked: report.unpacked,
  };
}
