/**
 * Looks at releases: fetches a version's tarball and its predecessor's, has them analysed and their proofs verified, and keeps what was
 * found by the bytes it speaks of. While a version waits this happens beside the answers; a young version that is asked for waits for it.
 */
import type { Attested, AttestedFacts, AttestedRelease } from "../core/attest/attested.ts";
import { codeFacts } from "../core/analysis/difference.ts";
import { ANALYSER, type TarballReport } from "../core/analysis/report.ts";
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { joined } from "../core/base/memory.ts";
import { canonical, sha256 } from "../core/base/digest.ts";
import { type Clock, type Instant, instant, parseInstant } from "../core/base/time.ts";
import { evidenceBasis, integrityIn, type PackageEvidence, type VersionEvidence } from "../core/facts/evidence.ts";
import type { Facts } from "../core/facts/facts.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { Compared } from "../core/facts/predecessor.ts";
import type { ReleaseFacts } from "../core/facts/release-facts.ts";
import { escapeName } from "../core/npm/name.ts";
import { awaitsInspection } from "../core/policy/judge.ts";
import { integrityVerifier } from "../core/npm/integrity.ts";
import type { Release } from "../core/npm/release.ts";
import { tarballFile, tarballUrl } from "../core/npm/tarball-name.ts";
import { hotCache } from "./hot-cache.ts";
import type { PackageJudgement } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";
import type { LosableBlobs } from "./losable.ts";
import type { Attest, EvidenceStore, TarballWork, Upstream } from "./ports.ts";
import type { Recorder } from "./recorder.ts";

export type InspectorPorts = {
  readonly clock: Clock;
  readonly knowledge: Pick<Knowledge, "touch">;
  readonly upstream: Pick<Upstream, "tarball" | "baseFor" | "pass">;
  readonly blobs: LosableBlobs;
  readonly evidence: EvidenceStore;
  readonly tarballs: TarballWork;
  readonly attest: Attest;
  readonly recorder: Pick<Recorder, "trouble" | "alert">;
  readonly offline: boolean;
  /** Counts requests ever answered: looks that nobody waits for keep out of the way of clients. */
  readonly answered: () => number;
  /** What is known now of a version that nobody has looked at yet; undefined once somebody has, or when no rule asks for it any more. */
  readonly uninspected: (name: string, version: string) => Promise<{ readonly record: PackageRecord; readonly facts: Facts } | undefined>;
};

export type Inspector = {
  /** What is known of the young versions of a package. Starts nothing. */
  recall(record: PackageRecord): Promise<Pick<PackageEvidence, "of">>;
  /**
   * Before a version is served: one that is young and was never looked at is looked at now, and then true is returned, because its verdict
   * may be another; an older one is put on the list. Ends after `LIMITS.inspectionMs` in any case: then the check could not run.
   */
  settle(record: PackageRecord, judgement: Pick<PackageJudgement, "uninspected">, version: string): Promise<boolean>;
  /** Looks at versions one at a time when clients are quiet; where they never are, now and then. */
  ahead(record: PackageRecord, versions: readonly Facts[]): void;
  /** Looks at a version now, whatever its age. What could not be done stands in its facts when it is judged again. */
  look(record: PackageRecord, facts: Facts): Promise<void>;
  /** Other keys are believed now: what none of the former could verify is looked at again. */
  reconsider(): void;
  /** The whole report on one version's tarball. */
  report(record: PackageRecord, version: string): Promise<TarballReport>;
  /** The verified bytes of one version. Raises a Fault that says why they cannot be had. */
  tarball(record: PackageRecord, version: string): Promise<Uint8Array>;
  /** Begins no more looks that nobody waits for. */
  stop(): void;
};

/** `again`: not before this. Until then, and until another look has succeeded, the check counts as one that could not run. */
type Failure = { readonly again: Instant; readonly reason: string };

/** Of a tarball that the registry lists and does not have. */
const GONE = "NOT_FOUND";
/** Releases tried before a version counts as one with nothing to compare with. */
const COMPARED_WITH = 3;

/** Looks remembered as doubtful; more than these are doubted until a restart. */
const DOUBTED = 50_000;

type Queued = { readonly name: string; readonly version: string };

type Kept = { readonly basis: string; readonly evidence: VersionEvidence };

/** A tarball that could not be analysed is not tried again at once; one that could not be had is, because the upstream's own rests count. */
const RETRY_MS = 60_000;

/** How often is seen whether clients are quiet: that is, without an answer for `QUIET_MS`. Installs pause for seconds while they unpack. */
const TICK_MS = 1_000;
const QUIET_MS = 5_000;
/** The longest a look waits for quiet. */
const BUSY_MS = 30_000;

export function openInspector(ports: InspectorPorts): Inspector {
  const memory = hotCache<Kept>(LIMITS.evidenceMemoryBytes);
  const failures = hotCache<Failure>(LIMITS.evidenceMemoryBytes);
  /** Looks in memory that rest on a key or log nobody here knew: integrity → name. */
  const doubted = new Map<string, string>();
  /** Hosts of registries that were said to sign nothing. */
  const unsigned = new Set<string>();
  const flights = new Map<string, Promise<void>>();
  /** Looks nobody waits for, by digest. No records: a queue may stand for hours, and a record may list thousands of versions. */
  const queue = new Map<string, Queued>();
  /** Looks somebody waits for, each a function that lets it begin. */
  const waiting: (() => void)[] = [];
  let working = 0;
  /** Set while the queue's next look is awaited or under way. */
  let unhurried: NodeJS.Timeout | undefined;

  async function recall(record: PackageRecord): Promise<Pick<PackageEvidence, "of">> {
    const { releases } = record.summary;
    if (releases === undefined) return NOTHING;
    const wanted = Object.keys(releases).flatMap((version) => integrityIn(record, version) ?? []);
    const missing = wanted.filter((integrity) => memory.get(integrity) === undefined);
    const stored = await readStored(missing.map(lookKey));
    for (const integrity of missing) {
      const kept = stored.get(lookKey(integrity)) as Kept | undefined;
      memory.set(integrity, kept ?? NEVER, kept ? JSON.stringify(kept).length : 100);
    }
    return {
      of(integrity, basis) {
        const kept = memory.get(integrity);
        if (kept?.basis === basis) return kept.evidence;
        const failed = failures.get(integrity);
        return failed ? { notChecked: [{ check: "tarball", reason: failed.reason }] } : undefined;
      },
    };
  }

  /** A store that cannot be read is as good as empty: the look is taken again. */
  async function readStored(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    try {
      return await ports.evidence.get(keys);
    } catch (error) {
      ports.recorder.trouble("evidence not readable", error);
      return new Map();
    }
  }

  async function keep(key: string, value: unknown): Promise<void> {
    try {
      await ports.evidence.put(key, value);
    } catch (error) {
      ports.recorder.trouble("evidence not kept", error);
    }
  }

  async function look(record: PackageRecord, facts: Facts): Promise<void> {
    const { integrity } = facts;
    if (integrity === undefined) return;
    const basis = evidenceBasis(record, facts);
    const flight = `${integrity} ${basis}`;
    let flying = flights.get(flight);
    if (!flying) {
      flying = inTurn(() => examine(record, facts, integrity, basis)).finally(() => flights.delete(flight));
      flights.set(flight, flying);
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        fail(record.name, integrity, `it did not end within ${LIMITS.inspectionMs / 1_000} s; it goes on, ask again`, 0);
        resolve();
      }, LIMITS.inspectionMs);
    });
    await Promise.race([flying, late]);
    clearTimeout(timer);
  }

  /** A few at once: more would only share the same processors and the same line, and all of them would be late. */
  async function inTurn(work: () => Promise<void>): Promise<void> {
    if (working >= LIMITS.inspectionsAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else working += 1;
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else working -= 1;
    }
  }

  /** Takes the next from the queue when it is time. They run one at a time: three at once made a gate's memory three times its size. */
  function takeQueued(waited = 0, quiet = 0): void {
    if (unhurried || queue.size === 0) return;
    const before = ports.answered();
    unhurried = setTimeout(() => {
      const calm = working === 0 && ports.answered() === before ? quiet + TICK_MS : 0;
      const next = calm >= QUIET_MS || waited >= BUSY_MS ? takeFirst(queue) : undefined;
      (next ? lookUnhurried(next) : Promise.resolve()).finally(() => {
        unhurried = undefined;
        takeQueued(next ? 0 : waited + TICK_MS, calm);
      });
    }, TICK_MS).unref();
  }

  async function lookUnhurried({ name, version }: Queued): Promise<void> {
    try {
      const due = await ports.uninspected(name, version);
      if (due) await look(due.record, due.facts);
    } catch (error) {
      ports.recorder.trouble(`${name}@${version} not looked at`, error);
    }
  }

  function fail(name: string, integrity: string, reason: string, rest: number): void {
    failures.set(integrity, { again: instant(ports.clock.now() + rest), reason }, 300);
    ports.knowledge.touch(name);
  }

  async function examine(record: PackageRecord, facts: Facts, integrity: string, basis: string): Promise<void> {
    const { name, version, release } = facts;
    try {
      const before = release && (await nearestReport(record, release));
      const own = await report(record, version, before?.report);
      const code = codeFacts(own, before, { name, version, ...(release === undefined ? {} : { release: release.own }) });
      const attested = release && (await attestedFacts(record, version, release));
      const open =
        attested &&
        Object.entries(attested.own).flatMap(([check, proof]) => (proof.state === "not-checked" ? [{ check, reason: proof.reason }] : []));
      const evidence: VersionEvidence = {
        code,
        ...(attested === undefined ? {} : { attested }),
        ...(open === undefined || open.length === 0 ? {} : { notChecked: open }),
      };
      const kept: Kept = { basis, evidence };
      memory.set(integrity, kept, JSON.stringify(kept).length);
      failures.delete(integrity);
      // What could not be checked, or not with the keys of today, is asked again: after a restart, and when other keys are believed.
      const doubtful = attested !== undefined && Object.values(attested.own).some(({ state }) => state === "unverifiable");
      doubted.delete(integrity);
      if (doubtful && doubted.size < DOUBTED) doubted.set(integrity, name);
      if (attested && !attested.registrySigns && attested.own.signature.state === "absent") await tellUnsigned(record.upstream);
      if (evidence.notChecked === undefined && !doubtful) await keep(lookKey(integrity), kept);
      ports.knowledge.touch(name);
    } catch (error) {
      if (!(error instanceof Fault)) ports.recorder.trouble(`bug while looking at ${name}@${version}`, error);
      const away = error instanceof Fault && error.code === "UPSTREAM_DOWN";
      fail(name, integrity, error instanceof Error ? error.message : String(error), away ? 0 : RETRY_MS);
    }
  }

  /** Once for each registry, whatever is looked at: then only its own word says that its bytes are those that were published. */
  async function tellUnsigned(upstream: string): Promise<void> {
    const { host } = new URL(upstream);
    if (unsigned.has(host)) return;
    unsigned.add(host);
    const detail = "no signature on what it serves: nothing proves that its bytes are those that were published";
    await ports.recorder.alert({ what: "unsigned-registry", name: host, detail });
  }

  /**
   * The report on the predecessor, or on the nearest settled release whose tarball there is: registries and mirrors lose old ones. When all
   * are gone there is nothing to compare with, as for a first release. A tarball that merely cannot be had now is a Fault.
   */
  async function nearestReport(record: PackageRecord, { predecessor, settled }: ReleaseFacts) {
    const versions = [...new Set([predecessor, ...settled].flatMap((one) => one?.version ?? []))];
    for (const version of versions.slice(0, COMPARED_WITH)) {
      try {
        return { version, report: await report(record, version) };
      } catch (error) {
        if (!(error instanceof Fault && error.code === GONE)) throw error;
      }
    }
    return undefined;
  }

  /** What is signed of the version and of those it is compared with. */
  async function attestedFacts(record: PackageRecord, version: string, release: ReleaseFacts): Promise<AttestedFacts> {
    const other = async (compared: Compared | undefined): Promise<AttestedRelease | undefined> =>
      compared && { version: compared.version, attested: await attested(record, compared.version, compared.release) };
    const own = await attested(record, version, release.own);
    const predecessor = await other(release.predecessor);
    const mature = await other(release.mature);
    const recent: AttestedRelease[] = [];
    for (const one of release.settled) recent.push((await other(one))!);
    return {
      own,
      ...(predecessor === undefined ? {} : { predecessor }),
      ...(mature === undefined ? {} : { mature }),
      recent,
      registrySigns: Object.values(record.summary.releases ?? {}).some(
        ({ signatures }) => signatures !== undefined && signatures.length > 0,
      ),
    };
  }

  /** Proofs hold for good, so they are kept; that they could not be had is not. */
  async function attested(record: PackageRecord, version: string, release: Release): Promise<Attested> {
    const entry = record.summary.versions.find((one) => one.version === version);
    const published = parseInstant(entry?.time);
    const key = `attested ${entry?.integrity ?? ""} ${sha256(canonical([record.name, version, release.signatures ?? [], release.attestations ?? {}]))}`;
    const stored = (await readStored([key])).get(key) as Attested | undefined;
    if (stored) return stored;
    const found = await ports.attest({
      name: record.name,
      version,
      ...(entry?.integrity === undefined ? {} : { integrity: entry.integrity }),
      ...(release.signatures === undefined ? {} : { signatures: release.signatures }),
      ...(published === undefined ? {} : { publishedAt: published }),
      attestations: release.attestations === undefined ? "absent" : await attestationsOf(record.name, version),
    });
    if (Object.values(found).every((proof) => proof.state === "valid" || proof.state === "absent" || proof.state === "invalid"))
      await keep(key, found);
    return found;
  }

  async function attestationsOf(name: string, version: string): Promise<Uint8Array | "absent" | { readonly failed: string }> {
    if (ports.offline) return { failed: "offline" };
    const answer = await ports.upstream.pass({ method: "GET", name, path: `-/npm/v1/attestations/${escapeName(name)}@${version}` });
    if (answer.kind === "down") return { failed: answer.message };
    if (answer.status === 200) return answer.body;
    // Mirrors answer that they have no such endpoint in several ways; none of them is a proof, and what was promised and is not there is said.
    return answer.status >= 500 || answer.status === 429 ? { failed: `the registry answered ${answer.status}` } : "absent";
  }

  async function report(record: PackageRecord, version: string, known?: TarballReport): Promise<TarballReport> {
    const integrity = digestOf(record, version);
    const key = `report ${integrity}`;
    const stored = (await readStored([key])).get(key) as TarballReport | undefined;
    if (stored?.analyser === ANALYSER) return stored;
    const bytes = await tarball(record, version, integrity);
    const made = await ports.tarballs.analyse(bytes, { label: `${record.name}@${version}`, ...(known === undefined ? {} : { known }) });
    // That a file ended its thread may have been this machine's bad hour.
    if (made.unread.every(({ kind }) => kind !== "died")) await keep(key, made);
    return made;
  }

  /** The verified bytes, from the store or the upstream. Raises a Fault that says why they cannot be had. */
  async function tarball(record: PackageRecord, version: string, integrity: string): Promise<Uint8Array> {
    const label = `the tarball of ${record.name}@${version}`;
    const blob = await ports.blobs.open(integrity);
    if (blob) {
      if (blob.size > LIMITS.inspectedTarballBytes) throw new Fault("INPUT_TOO_LARGE", `${label} is larger than what is analysed`);
      return blob.bytes();
    }
    if (ports.offline) throw new Fault("UPSTREAM_DOWN", `offline, and ${label} is not stored here`);
    const entry = record.summary.versions.find((one) => one.version === version);
    const file = entry?.tarball === undefined ? undefined : tarballFile(entry.tarball);
    if (entry?.tarball === undefined && file === undefined) throw new Fault(GONE, `the registry no longer lists ${label}`);
    const url = entry?.tarball ?? tarballUrl(ports.upstream.baseFor(record.name).base, record.name, file!);
    const answer = await ports.upstream.tarball(record.name, url);
    if (answer.kind === "absent") throw new Fault(GONE, `the registry has no longer ${label}`);
    if (answer.kind !== "tarball") throw new Fault("UPSTREAM_DOWN", `${label} cannot be had: ${answer.message}`);
    const chunks: Uint8Array[] = [];
    let total = 0;
    const check = integrityVerifier(integrity);
    const copy = await ports.blobs.write(integrity);
    try {
      for await (const chunk of answer.body) {
        total += chunk.byteLength;
        if (total > LIMITS.inspectedTarballBytes) throw new Fault("INPUT_TOO_LARGE", `${label} is larger than what is analysed`);
        check.update(chunk);
        chunks.push(chunk);
        await copy.write(chunk);
      }
      if (!check.result().ok) throw new Fault("INTEGRITY_MISMATCH", `${label} is not what the registry lists`);
      await copy.commit();
    } finally {
      // Harmless after commit.
      await copy.abort();
      answer.abort();
    }
    return joined(chunks);
  }

  function ahead(record: PackageRecord, versions: readonly Facts[]): void {
    for (const { version, integrity } of versions) {
      if (queue.size >= LIMITS.inspectionQueue || integrity === undefined) break;
      queue.set(integrity, { name: record.name, version });
    }
    takeQueued();
  }

  return {
    recall,
    async settle(record, { uninspected }, version) {
      const facts = uninspected.get(version);
      if (!facts) return false;
      if (!awaitsInspection(facts, ports.clock.now())) {
        ahead(record, [facts]);
        return false;
      }
      const failed = facts.integrity === undefined ? undefined : failures.get(facts.integrity);
      if (!failed || ports.clock.now() >= failed.again) await look(record, facts);
      return true;
    },
    ahead,
    look,
    reconsider() {
      for (const [integrity, name] of doubted) {
        memory.delete(integrity);
        ports.knowledge.touch(name);
      }
      doubted.clear();
    },
    report: (record, version) => report(record, version),
    tarball: (record, version) => tarball(record, version, digestOf(record, version)),
    stop() {
      queue.clear();
      clearTimeout(unhurried);
    },
  };
}

function takeFirst<K, V>(map: Map<K, V>): V | undefined {
  for (const [key, value] of map) {
    map.delete(key);
    return value;
  }
  return undefined;
}

const NOTHING: Pick<PackageEvidence, "of"> = { of: () => undefined };
const NEVER: Kept = { basis: "", evidence: {} };

function digestOf(record: PackageRecord, version: string): string {
  const integrity = integrityIn(record, version);
  if (integrity === undefined) throw new Fault("INPUT_UNREADABLE", `the registry gives no digest for ${record.name}@${version}`);
  return integrity;
}

function lookKey(integrity: string): string {
  return `look ${integrity}`;
}
