/**
 * What is known of a package right now: the stored record, made fresh from the upstream when it is older than the freshness
 * setting. One fetch per name at a time, however many clients ask. Nothing here decides.
 */
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { type Clock, type Instant } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { type HistoryEvent, observe, observeAbsence, reconfirm } from "../core/facts/observe.ts";
import { youngUnread } from "../core/facts/young-unread.ts";
import type { PackumentSummary } from "../core/npm/summary.ts";
import type { DocumentStore, PackageStore, PackumentWork, Upstream, UpstreamPackument } from "./ports.ts";

export type Known =
  /** `stale`: the upstream could not be asked; the record is the newest there is. `document` gives the decoded upstream bytes. */
  | { readonly kind: "known"; readonly record: PackageRecord; readonly stale?: string; document(): Promise<Uint8Array> }
  | { readonly kind: "absent"; readonly status: number }
  /** Nothing of it can be served, and asking again would not help: `signal` says why in the ledger. Nothing was cached. */
  | { readonly kind: "refused"; readonly signal: "private-name" | "refused-upstream" | "unreadable-document"; readonly message: string }
  /** No answer and nothing stored. */
  | { readonly kind: "down"; readonly message: string };

export type KnowledgePorts = {
  readonly clock: Clock;
  readonly upstream: Upstream;
  readonly packages: PackageStore;
  readonly documents: DocumentStore;
  readonly work: PackumentWork;
  /** Milliseconds an answer counts as fresh. */
  readonly freshness: number;
  /** True: never ask the upstream. */
  readonly offline: boolean;
  /** Told of what a new answer changed: integrity changes, withdrawals, returns. */
  readonly onEvents: (name: string, events: readonly HistoryEvent[], record: PackageRecord) => void;
};

export type KnowOptions = {
  /** In place of the freshness setting. */
  readonly maxAge?: number;
  /** What the upstream said before this moment does not count. */
  readonly since?: Instant;
  /** Gates the client's request had passed when it came to us. */
  readonly hops?: number;
};

export type Knowledge = {
  /** The record, asking the upstream when it is not fresh. */
  know(name: string, options?: KnowOptions): Promise<Known>;
  /** The stored record, never asking. */
  recall(name: string): Promise<PackageRecord | undefined>;
  /** When the upstream last confirmed the record, as far as this process knows without touching the store. */
  confirmedAt(name: string): Instant | undefined;
  /** Grows whenever the record of `name` changes in this process: part of every cache key that relied on it. */
  revision(name: string): number;
  /** Says that something is known of `name`, or of everything, that records do not hold: answers that relied on it are made anew. */
  touch(name?: string): void;
  /** Changes a stored record in place of an upstream answer, e.g. when fetched bytes contradict it. */
  amend(name: string, change: (record: PackageRecord) => PackageRecord): Promise<void>;
};

export function openKnowledge(ports: KnowledgePorts): Knowledge {
  const flights = new Map<string, { readonly hops: number; readonly answer: Promise<Known> }>();
  /** Newest confirmation by name: a 304 or an identical body counts without rewriting the record each time. */
  const confirmed = new Map<string, Instant>();
  const revisions = new Map<string, number>();
  const rests = upstreamRests(ports.clock);

  /** Counts what touched everything. */
  let everything = 0;

  function touch(name?: string): void {
    if (name === undefined) everything += 1;
    else revisions.set(name, (revisions.get(name) ?? 0) + 1);
  }

  async function keep(record: PackageRecord): Promise<void> {
    await ports.packages.put(record);
    touch(record.name);
  }

  async function know(name: string, options: KnowOptions = {}): Promise<Known> {
    const hops = options.hops ?? 0;
    // A request that came round in a circle must not wait for the one that sent it: it goes on, until it has passed too many gates.
    const flying = flights.get(name);
    if (flying && flying.hops >= hops) return flying.answer;
    const stored = await ports.packages.get(name);
    const newest = stored === undefined ? undefined : latest(stored.lastAnswer, confirmed.get(name));
    const maxAge = options.maxAge ?? ports.freshness;
    if (stored && newest !== undefined && ports.upstream.baseFor(name).base === stored.upstream) {
      const age = ports.clock.now() - newest;
      if (age >= 0 && age < maxAge && newest >= (options.since ?? 0)) return known(stored, undefined);
    }
    const again = flights.get(name);
    if (again && again.hops >= hops) return again.answer;
    const flight = { hops, answer: refresh(name, stored, hops) };
    flights.set(name, flight);
    return flight.answer.finally(() => {
      if (flights.get(name) === flight) flights.delete(name);
    });
  }

  async function refresh(name: string, stored: PackageRecord | undefined, hops: number): Promise<Known> {
    const { base } = ports.upstream.baseFor(name);
    const sameUpstream = stored?.upstream === base;
    // What another registry once said of the name stands in for nobody: a name that became private is not served from its public past.
    const standIn = sameUpstream ? stored : undefined;
    if (ports.offline) return standIn ? known(standIn, "offline") : { kind: "down", message: `offline, and ${name} was never seen here` };
    const resting = rests.of(base, standIn && name);
    if (resting !== undefined) return standIn ? known(standIn, resting) : { kind: "down", message: resting };
    // Without the bytes a 304 would be useless; ask for the whole document again.
    const validators = stored && sameUpstream && (await ports.documents.get(stored.summary.digest)) ? pick(stored) : {};
    const answer = await ports.upstream.packument(name, validators, hops);
    rests.note(base, name, answer.kind === "down" ? answer.message : undefined);
    return settle(name, stored, standIn, answer);
  }

  /** `stored` is the history an answer is folded into; `standIn` may speak when the upstream does not. */
  async function settle(
    name: string,
    stored: PackageRecord | undefined,
    standIn: PackageRecord | undefined,
    answer: UpstreamPackument,
  ): Promise<Known> {
    const at = ports.clock.now();
    switch (answer.kind) {
      case "unchanged": {
        if (!stored) throw new Fault("UPSTREAM_REFUSED", `${name}: the upstream answered "not modified" to a request without validators`);
        const { record, events } = reconfirm(stored, at);
        await (events.length > 0 ? keep(record) : ports.packages.put(record));
        confirmed.set(name, at);
        if (events.length > 0) ports.onEvents(name, events, record);
        return known(record, undefined);
      }
      case "document": {
        const reading = await ports.work.read(name, answer.bytes, at);
        if (reading.kind === "unreadable") {
          const message = `the packument of ${name} from ${answer.upstream} cannot be read: ${reading.reason}`;
          return standIn ? known(standIn, message) : { kind: "refused", signal: "unreadable-document", message };
        }
        const { kind: _kind, bytes, gzip, ...source } = answer;
        const fold = (summary: PackumentSummary) => observe(stored, { ...source, summary, at });
        const first = fold(reading.summary);
        // What the document calls old and we have not known for long is young here, so it is read in detail after all.
        const young = youngUnread(first.record);
        const again = young.length === 0 ? undefined : await ports.work.read(name, bytes, at, young);
        const { record, events } = again?.kind === "packument" ? fold(again.summary) : first;
        if (stored?.summary.digest !== reading.summary.digest) await ports.documents.put(reading.summary.digest, bytes, gzip);
        const changed = stored === undefined || stored.summary.digest !== record.summary.digest || events.length > 0;
        await (changed ? keep(record) : ports.packages.put(record));
        confirmed.set(name, at);
        if (events.length > 0) ports.onEvents(name, events, record);
        // A lagging replica's document changes nothing, and is not what the record speaks of.
        return known(record, undefined, record.summary.digest === reading.summary.digest ? answer.bytes : undefined);
      }
      case "absent":
        // A package that vanished whole is not "unknown": what was admitted and is pinned may still be asked for.
        return standIn ? takenDown(standIn, answer.status, at) : { kind: "absent", status: answer.status };
      case "refused":
        if (standIn) return known(standIn, answer.message);
        return { kind: "refused", signal: answer.upstream === NOBODY ? "private-name" : "refused-upstream", message: answer.message };
      case "down":
        return standIn ? known(standIn, answer.message) : { kind: "down", message: answer.message };
    }
  }

  /** "There is no such package", of one that was: a complete answer without any of its versions. Two of them, ten minutes apart, and they are gone. */
  async function takenDown(before: PackageRecord, status: number, at: Instant): Promise<Known> {
    const { record, events } = observeAbsence(before, at);
    await (events.length > 0 ? keep(record) : ports.packages.put(record));
    if (events.length > 0) ports.onEvents(before.name, events, record);
    return known(record, `the upstream answered ${status}`);
  }

  function known(record: PackageRecord, stale: string | undefined, bytes?: Uint8Array): Known {
    return {
      kind: "known",
      record,
      ...(stale === undefined ? {} : { stale }),
      async document() {
        if (bytes) return bytes;
        const cached = await ports.documents.get(record.summary.digest);
        if (cached) return cached;
        const answer = await ports.upstream.packument(record.name, {});
        if (answer.kind !== "document")
          throw new Fault("UPSTREAM_DOWN", `the stored packument of ${record.name} is gone and the upstream does not answer`);
        const reading = await ports.work.read(record.name, answer.bytes, ports.clock.now());
        if (reading.kind !== "packument" || reading.summary.digest !== record.summary.digest)
          throw new Fault("UPSTREAM_DOWN", `${record.name} changed upstream while it was being answered; ask again`);
        await ports.documents.put(record.summary.digest, answer.bytes, answer.gzip);
        return answer.bytes;
      },
    };
  }

  return {
    know,
    recall: (name) => ports.packages.get(name),
    confirmedAt: (name) => confirmed.get(name),
    revision: (name) => everything + (revisions.get(name) ?? 0),
    touch,
    async amend(name, change) {
      const record = await ports.packages.get(name);
      if (record) await keep(change(record));
    },
  };
}

/** What the upstream port gives as the base of a private name that nobody may be asked for. */
const NOBODY = "none:";

/**
 * Upstreams that do not answer are left alone for a while, so that a thousand clients' requests do not each wait for the same dead
 * connection: the whole upstream after a few names in a row, one name that is stored at once.
 */
function upstreamRests(clock: Clock) {
  const failures = new Map<string, number>();
  const resting = new Map<string, { readonly until: number; readonly message: string }>();

  return {
    /** Why it is not asked now; undefined = ask. */
    of(base: string, name: string | undefined): string | undefined {
      const now = clock.now();
      for (const key of name === undefined ? [base] : [base, `${base} ${name}`]) {
        const rest = resting.get(key);
        if (rest && now < rest.until) return rest.message;
        resting.delete(key);
      }
      return undefined;
    },
    /** `down`: why it did not answer. */
    note(base: string, name: string, down: string | undefined): void {
      const count = down === undefined ? 0 : (failures.get(base) ?? 0) + 1;
      failures.set(base, count);
      if (down === undefined) return;
      const rest = { until: clock.now() + LIMITS.upstreamRestMs, message: down };
      if (resting.size > REMEMBERED) resting.clear();
      resting.set(`${base} ${name}`, rest);
      if (count >= LIMITS.upstreamRestAfter) resting.set(base, rest);
    },
  };
}

/** Names whose rest is remembered; forgetting one costs a request. */
const REMEMBERED = 10_000;

function pick(record: PackageRecord): { etag?: string; lastModified?: string } {
  return {
    ...(record.etag === undefined ? {} : { etag: record.etag }),
    ...(record.lastModified === undefined ? {} : { lastModified: record.lastModified }),
  };
}

function latest(a: Instant, b: Instant | undefined): Instant {
  return b !== undefined && b > a ? b : a;
}
