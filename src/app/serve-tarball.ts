/**
 * Answers `GET /<name>/-/<file>`: the gate itself. Lockfile installs ask for nothing else, so every tarball is judged here,
 * whatever packument the client did or did not read (T1, T2).
 *
 * Order of work: find the version the file belongs to → decide → verify the bytes → write the ledger row → let the last byte go.
 */
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { joined } from "../core/base/memory.ts";
import type { Clock } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { markFetched } from "../core/facts/observe.ts";
import type { Asker } from "../core/ledger/entry.ts";
import { compareIntegrity, integrityVerifier } from "../core/npm/integrity.ts";
import { unscoped } from "../core/npm/name.ts";
import { tarballFile, tarballUrl, versionOfFile } from "../core/npm/tarball-name.ts";
import { onlyNotChecked } from "../core/policy/judge.ts";
import { type Verdict, withheld } from "../core/policy/verdict.ts";
import type { Inspector } from "./inspector.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge, Known } from "./knowledge.ts";
import type { LosableBlobs } from "./losable.ts";
import type { Upstream, UpstreamTarball } from "./ports.ts";
import type { Recorder } from "./recorder.ts";
import { look } from "./look.ts";
import { type Refusal, refusal, refusalOfName, refusalOfVersion } from "./refusal.ts";

export type TarballRequest = {
  readonly name: string;
  readonly file: string;
  /** `pacote-integrity`: what the client's lockfile expects. A claim: a mismatch refuses this request only. */
  readonly expected?: string;
  readonly asker: Asker;
  /** HEAD: decide, but send nothing. */
  readonly head: boolean;
  /** Gates it had passed when it came to us. */
  readonly hops?: number;
};

export type TarballAnswer =
  /** Verified whole before the first byte. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly integrity: string; readonly stale?: string }
  /** Verified on disk; streamed. */
  | {
      readonly kind: "stream";
      readonly size: number;
      readonly stream: NodeJS.ReadableStream;
      readonly integrity: string;
      readonly stale?: string;
    }
  /** Too large to hold: chunks come as they are fetched, the tail only once the digest is known. A wrong digest ends in a thrown Fault and a cut connection. */
  | {
      readonly kind: "held-tail";
      readonly size?: number;
      readonly chunks: AsyncIterable<Uint8Array>;
      readonly integrity: string;
      /** To be called when the answer is over, however it ended: chunks nobody began to read would hold their place upstream for minutes. */
      abort(): void;
    }
  /** HEAD of something that would be served. */
  | { readonly kind: "head"; readonly integrity: string }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "absent"; readonly message: string }
  | { readonly kind: "failed"; readonly status: 502 | 503; readonly message: string };

export type TarballPorts = {
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly judgements: Judgements;
  readonly upstream: Upstream;
  readonly blobs: LosableBlobs;
  readonly recorder: Recorder;
  readonly inspector: Pick<Inspector, "settle">;
  readonly offline: boolean;
};

export type ServeTarball = (request: TarballRequest) => Promise<TarballAnswer>;

export function serveTarball(ports: TarballPorts): ServeTarball {
  /** One download of one blob at a time; later askers wait and then read it from the store. */
  const downloads = new Map<string, Claim>();

  return async function serve(request) {
    const remembered = await ports.knowledge.recall(request.name);
    const early = ports.offline || request.head ? undefined : startEarly(request, remembered);
    try {
      return await decided(request, early);
    } finally {
      early?.release();
    }
  };

  /**
   * Fetches beside the packument, to spare a round trip on an empty gate. Only when nothing is known of the package, or what is
   * known lists the file and admits it: a version that is already known to wait is not asked for.
   */
  function startEarly(request: TarballRequest, record: PackageRecord | undefined): Early | undefined {
    if (record) return undefined;
    const { base, private: own } = ports.upstream.baseFor(request.name);
    if (own) return undefined;
    const url = tarballUrl(base, request.name, request.file);
    return early(url, ports.upstream.tarball(request.name, url, request.hops));
  }

  async function decided(request: TarballRequest, early: Early | undefined): Promise<TarballAnswer> {
    const { name, file, asker } = request;
    const hops = request.hops ?? 0;
    const options = { hops, ...(ports.knowledge.confirmedAt(name) === undefined ? {} : { maxAge: TARBALL_MAX_AGE }) };
    const first = await ports.knowledge.know(name, options);
    if (first.kind === "known" && first.stale === undefined) {
      const wanted = versionNamed(first.record, file);
      const integrity = wanted === undefined ? undefined : await ports.judgements.plainly(first.record, wanted);
      if (wanted !== undefined && integrity !== undefined) return admitted(request, early, { known: first, version: wanted, integrity });
    }
    let looked = await look(ports, name, options, first);
    let version = looked.kind === "judged" ? versionNamed(looked.known.record, file) : undefined;
    // Published since the last answer, perhaps: ask again before refusing.
    if (version === undefined && looked.kind === "judged" && looked.known.stale === undefined) {
      looked = await look(ports, name, { hops, maxAge: LIMITS.upstreamRestMs });
      version = looked.kind === "judged" ? versionNamed(looked.known.record, file) : undefined;
    }
    if (looked.kind === "absent") return { kind: "absent", message: `${name} is not on the upstream registry` };
    if (looked.kind === "down") return { kind: "failed", status: 503, message: looked.message };
    if (looked.kind === "refused") {
      await ports.recorder.refused({ name, route: "tarball", asker, signals: [looked.signal] });
      return { kind: "refused", refusal: refusalOfName(name, looked.message) };
    }
    const { known, judgement } = looked;
    if (version === undefined) {
      const line = `cordon knows no version of ${name} whose tarball is ${file}`;
      await ports.recorder.refused({ name, route: "tarball", asker, signals: ["unknown-file"] });
      return { kind: "refused", refusal: refusal(name, line) };
    }
    // Plainly admitted versions are the common case and need no second look.
    let judged = judgement.served.has(version) ? undefined : await ports.judgements.ofVersion(known.record, version, { pin: true });
    // Young ones whose bytes nobody has looked at wait for that; what is refused anyway is not fetched for it.
    if ((judged === undefined || onlyNotChecked(judged.verdict)) && (await ports.inspector.settle(known.record, judgement, version)))
      judged = await ports.judgements.ofVersion(known.record, version, { pin: true });
    if (judged && withheld(judged.verdict)) {
      await ports.recorder.refused({
        name,
        version,
        route: "tarball",
        verdict: judged.verdict,
        asker,
        asked: true,
        ...(judged.facts.integrity === undefined ? {} : { integrity: judged.facts.integrity }),
      });
      return { kind: "refused", refusal: refusalOfVersion(name, version, judged.verdict) };
    }
    const integrity = judged ? judged.facts.integrity : judgement.integrity(version);
    if (integrity === undefined) {
      await ports.recorder.refused({ name, version, route: "tarball", asker, signals: ["malformed-version"] });
      return {
        kind: "refused",
        refusal: refusal(name, `cordon cannot serve ${name}@${version}: the registry gives no digest for it`, version),
      };
    }
    const alert = judged?.alert ?? inMonitorMode(judgement.monitored.get(version));
    // A pin may be served by a waiver while ranges still leave the version out, because of what it requires.
    const waived = judged && judged.verdict.waived.length > 0 ? judged.verdict : judgement.waived.get(version);
    return admitted(request, early, { known, version, integrity, alert, waived });
  }

  /** The rest, for a version that may be had: what the client expects, then bytes with that digest from the store or the upstream. */
  async function admitted(request: TarballRequest, early: Early | undefined, given: Admitted): Promise<TarballAnswer> {
    const { name, file, asker } = request;
    const { known, version, integrity, alert, waived } = given;
    const hops = request.hops ?? 0;
    // What clients say is a claim: a mismatch refuses that request and alerts; it never changes a shared verdict.
    if (request.expected !== undefined && compareIntegrity(request.expected, integrity) === "different") {
      await ports.recorder.mismatch({ name, version, expected: request.expected, known: integrity, asker });
      const line = `cordon refuses ${name}@${version} to this lockfile: it expects ${short(request.expected)}, the registry says ${short(integrity)} · cordon why ${name}@${version}`;
      return { kind: "refused", refusal: refusal(name, line, version) };
    }
    if (waived) ports.judgements.noteUse(waived).catch((error: unknown) => ports.recorder.trouble("use of a waiver not noted", error));
    const served: Served = {
      name,
      version,
      integrity,
      asker,
      ...(alert === undefined ? {} : { alert }),
      ...(known.stale === undefined ? {} : { stale: known.stale }),
    };
    if (request.head) return { kind: "head", integrity };
    const stored = await fromStore(served);
    if (stored) return stored;
    const flying = downloads.get(integrity);
    // A request that came round in a circle would wait for the one that sent it.
    if (flying && flying.hops >= hops) {
      await flying.over;
      const ready = await fromStore(served);
      if (ready) return ready;
    }
    if (ports.offline) return { kind: "failed", status: 503, message: `offline, and the tarball of ${name}@${version} is not stored here` };
    const url = upstreamUrl(known.record, version, ports.upstream, file);
    const done = claim(integrity, hops);
    return download(served, { url, early, hops, done }).catch((error: unknown) => {
      done();
      throw error;
    });
  }

  /** Makes later askers wait until the returned function is called. */
  function claim(integrity: string, hops: number): () => void {
    const end = new AbortController();
    const over = new Promise<void>((resolve) => end.signal.addEventListener("abort", () => resolve(), { once: true }));
    const own = { hops, over };
    downloads.set(integrity, own);
    return () => {
      if (downloads.get(integrity) === own) downloads.delete(integrity);
      end.abort();
    };
  }

  async function fromStore(served: Served): Promise<TarballAnswer | undefined> {
    const blob = await ports.blobs.open(served.integrity);
    if (!blob) return undefined;
    const stale = served.stale === undefined ? {} : { stale: served.stale };
    if (blob.size <= LIMITS.tarballBufferBytes) {
      const bytes = await blob.bytes();
      await ports.recorder.served({ ...served, bytes: bytes.byteLength });
      return { kind: "bytes", bytes, integrity: served.integrity, ...stale };
    }
    await ports.recorder.served({ ...served, bytes: blob.size });
    return { kind: "stream", size: blob.size, stream: blob.stream(), integrity: served.integrity, ...stale };
  }

  /** `done` is called as soon as nobody need wait any longer: when the bytes are stored, or never will be. */
  async function download(served: Served, { url, early, hops, done }: Errand): Promise<TarballAnswer> {
    const { name, version, integrity, asker } = served;
    for (let attempt = 1; ; attempt += 1) {
      const usable = attempt === 1 && early?.url === url ? early.take() : ports.upstream.tarball(name, url, hops);
      const answer = await usable;
      if (answer.kind !== "tarball") {
        done();
        if (answer.kind === "absent") return { kind: "absent", message: `the upstream has no tarball of ${name}@${version}` };
        if (answer.kind === "down") return { kind: "failed", status: 503, message: answer.message };
        await ports.recorder.refused({ name, version, route: "tarball", asker, signals: ["refused-upstream"] });
        return { kind: "refused", refusal: refusal(name, `cordon cannot serve ${name}@${version}: ${answer.message}`, version) };
      }
      const large = answer.size !== undefined && answer.size > LIMITS.tarballBufferBytes;
      const got = large ? ({ kind: "large", rest: answer.body } as const) : await collect(answer);
      if (got.kind === "large") {
        // A slow reader must not keep the others waiting.
        done();
        return heldTail(served, { ...answer, body: got.rest });
      }
      if (got.kind === "failed") {
        if (attempt < 2) continue;
        done();
        return { kind: "failed", status: 502, message: `the tarball of ${name}@${version} did not arrive whole: ${got.message}` };
      }
      const check = integrityVerifier(integrity);
      check.update(got.bytes);
      const result = check.result();
      if (!result.ok) {
        // One retry: a broken transfer is commoner than a swapped file, and only a second wrong digest is evidence.
        if (attempt < 2) continue;
        done();
        return { kind: "refused", refusal: await wrongBytes(served, result.sha512) };
      }
      const swapped = await remember(served, result.sha512);
      if (swapped) {
        done();
        return { kind: "refused", refusal: await wrongBytes(served, result.sha512, swapped) };
      }
      store(served, got.bytes, done);
      await ports.recorder.served({ ...served, bytes: got.bytes.byteLength });
      return { kind: "bytes", bytes: got.bytes, integrity };
    }
  }

  /**
   * Very old versions are listed by sha1 alone: our first sha512 of the bytes is what later bytes are held to (design §4).
   * Gives the digest we knew when these bytes are others.
   */
  async function remember(served: Served, sha512: string): Promise<string | undefined> {
    if (/\bsha(?:512|384|256)-/.test(served.integrity)) return undefined;
    let changed: string | undefined;
    await ports.knowledge.amend(served.name, (record) => {
      const { record: next, events } = markFetched(record, served.version, sha512, ports.clock.now());
      for (const event of events) if (event.kind === "integrity-changed") changed = event.from;
      return next;
    });
    return changed;
  }

  /** The refusal of bytes that are not those the registry lists, or not those we had; written down before anybody is told. */
  async function wrongBytes({ name, version, integrity, asker }: Served, found: string, had?: string): Promise<Refusal> {
    const detail = had
      ? `its tarball was ${short(had)} when it was first fetched and is ${short(found)} now`
      : `the registry lists ${short(integrity)}, its tarball is ${short(found)}`;
    await ports.recorder.refused({ name, version, route: "tarball", asker, signals: ["integrity-changed"] });
    await ports.recorder.alert({ what: "wrong-bytes", name, version, detail });
    return refusal(name, `cordon refuses ${name}@${version}: ${detail} · cordon why ${name}@${version}`, version);
  }

  /** Writes the blob beside the answer: a blob is losable, so nobody waits for the disk. */
  function store(served: Served, bytes: Uint8Array, done: () => void): void {
    const work = async () => {
      const file = await ports.blobs.write(served.integrity);
      await file.write(bytes);
      await file.commit();
    };
    work()
      .catch((error: unknown) => ports.recorder.trouble("tarball not stored", error))
      .finally(done);
  }

  async function heldTail(served: Served, answer: Extract<UpstreamTarball, { kind: "tarball" }>): Promise<TarballAnswer> {
    return {
      kind: "held-tail",
      ...(answer.size === undefined ? {} : { size: answer.size }),
      chunks: verified(served, answer),
      integrity: served.integrity,
      abort: () => answer.abort(),
    };
  }

  /** Passes chunks on while holding back the last `tarballTailBytes`; ends only after digest and ledger row. */
  async function* verified(served: Served, answer: Extract<UpstreamTarball, { kind: "tarball" }>): AsyncIterable<Uint8Array> {
    const { name, version, integrity } = served;
    const check = integrityVerifier(integrity);
    const file = await ports.blobs.write(integrity);
    let tail: Uint8Array[] = [];
    let tailBytes = 0;
    let total = 0;
    try {
      for await (const chunk of answer.body) {
        total += chunk.byteLength;
        if (total > LIMITS.tarballBytes)
          throw new Fault("INPUT_TOO_LARGE", `the tarball of ${name}@${version} is larger than ${LIMITS.tarballBytes} bytes`);
        check.update(chunk);
        await file.write(chunk);
        tail.push(chunk);
        tailBytes += chunk.byteLength;
        while (tail.length > 1 && tailBytes - tail[0]!.byteLength >= LIMITS.tarballTailBytes) {
          const ready = tail.shift()!;
          tailBytes -= ready.byteLength;
          yield ready;
        }
      }
      const result = check.result();
      if (!result.ok) throw new Fault("INTEGRITY_MISMATCH", (await wrongBytes(served, result.sha512)).line);
      const swapped = await remember(served, result.sha512);
      if (swapped) throw new Fault("INTEGRITY_MISMATCH", (await wrongBytes(served, result.sha512, swapped)).line);
      await file.commit();
      await ports.recorder.served({ ...served, bytes: total });
      yield* tail;
      tail = [];
    } finally {
      // Harmless after commit; before it, a reader that left or a wrong digest must leave nothing behind.
      await file.abort();
      answer.abort();
    }
  }
}

/** What its ledger row says of a version that only monitor mode let pass. */
function inMonitorMode(verdict: Verdict | undefined): string | undefined {
  return verdict && `served in monitor mode: ${verdict.reasons.map(({ id }) => id).join(", ")}`;
}

/** Tarball requests trust a record this old: they come in bursts, right after the packument or by lockfile. */
const TARBALL_MAX_AGE = 5 * 60_000;

/** `alert`: what its ledger row says; `waived`: the verdict whose waivers made the difference. */
type Admitted = {
  readonly known: Extract<Known, { kind: "known" }>;
  readonly version: string;
  readonly integrity: string;
  readonly alert?: string | undefined;
  readonly waived?: Verdict | undefined;
};

type Served = {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly asker: Asker;
  readonly stale?: string;
  readonly alert?: string;
};

type Errand = { readonly url: string; readonly early: Early | undefined; readonly hops: number; done(): void };

/** A download that others may wait for. */
type Claim = { readonly hops: number; readonly over: Promise<void> };

type Early = { readonly url: string; take(): Promise<UpstreamTarball>; release(): void };

/** A fetch under way that may turn out useless; releasing one that was not taken cuts it off. */
function early(url: string, flight: Promise<UpstreamTarball>): Early {
  let taken = false;
  // Nobody may ever await it; a rejection is then of no interest, and `take` hands the same promise to whoever does.
  flight.catch(() => undefined);
  return {
    url,
    take() {
      taken = true;
      return flight;
    },
    release() {
      if (taken) return;
      taken = true;
      void flight.then(
        (answer) => answer.kind === "tarball" && answer.abort(),
        () => undefined,
      );
    },
  };
}

type Collected =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  /** More than fits: what was read, followed by the rest. */
  | { readonly kind: "large"; readonly rest: AsyncIterable<Uint8Array> }
  | { readonly kind: "failed"; readonly message: string };

async function collect(answer: Extract<UpstreamTarball, { kind: "tarball" }>): Promise<Collected> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const iterator = answer.body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done) break;
      chunks.push(next.value);
      total += next.value.byteLength;
      if (total > LIMITS.tarballBufferBytes) return { kind: "large", rest: chain(chunks, iterator) };
    }
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
  if (answer.size !== undefined && answer.size !== total) return { kind: "failed", message: `${total} of ${answer.size} bytes` };
  return { kind: "whole", bytes: joined(chunks) };
}

async function* chain(first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* first;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value;
  }
}

function upstreamUrl(record: PackageRecord, version: string, upstream: Upstream, file: string): string {
  const entry = record.summary.versions.find((candidate) => candidate.version === version);
  return entry?.tarball ?? tarballUrl(upstream.baseFor(record.name).base, record.name, file);
}

/**
 * The one version a file name means: by the tarball URL the packument lists; for versions no longer listed, or listed unreadably,
 * by the registry's own naming, and only when a single one has that name.
 */
function versionNamed(record: PackageRecord, file: string): string | undefined {
  const listed = versionOfFile(record.summary.versions, file);
  if (listed) return listed.version;
  if (record.summary.versions.some((entry) => entry.tarball !== undefined && tarballFile(entry.tarball) === file)) return undefined;
  const here = new Set(record.summary.versions.map((entry) => entry.version));
  const candidates = new Set([...Object.keys(record.versions), ...record.summary.problems.map((problem) => problem.version)]);
  const named = [...candidates].filter((version) => !here.has(version) && `${unscoped(record.name)}-${version}.tgz` === file);
  return named.length === 1 ? named[0] : undefined;
}

function short(integrity: string): string {
  return integrity.length > 24 ? `${integrity.slice(0, 20)}…` : integrity;
}
