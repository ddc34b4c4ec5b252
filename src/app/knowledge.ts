/**
 * What is known of a package right now: the stored record, made fresh from the upstream when it is older than the freshness
 * setting. One fetch per name at a time, however many clients ask. Nothing here decides.
 */
import { Fault } from "../core/base/fault.ts";
import { type Clock, type Instant } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { type HistoryEvent, observe, reconfirm } from "../core/facts/observe.ts";
import type { DocumentStore, PackageStore, PackumentWork, Upstream, UpstreamPackument } from "./ports.ts";

export type Known =
  /** `stale`: the upstream could not be asked; the record is the newest there is. `document` gives the decoded upstream bytes. */
  | { readonly kind: "known"; readonly record: PackageRecord; readonly stale?: string; document(): Promise<Uint8Array> }
  | { readonly kind: "absent"; readonly status: number }
  /** The upstream answered, but not with a packument we can read, or refused us. Nothing was cached. */
  | { readonly kind: "unreadable"; readonly message: string }
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

export type Knowledge = {
  /** The record, asking the upstream when it is not fresh. `maxAge` overrides the freshness setting. */
  know(name: string, options?: { readonly maxAge?: number }): Promise<Known>;
  /** The stored record, never asking. */
  recall(name: string): Promise<PackageRecord | undefined>;
  /** When the upstream last confirmed the record, as far as this process knows without touching the store. */
  confirmedAt(name: string): Instant | undefined;
  /** Grows whenever the record of `name` changes in this process: part of every cache key that relied on it. */
  revision(name: string): number;
  /** Records of every package this process asked about. */
  recent(): Promise<readonly PackageRecord[]>;
  /** Changes a stored record in place of an upstream answer, e.g. when fetched bytes contradict it. */
  amend(name: string, change: (record: PackageRecord) => PackageRecord): Promise<void>;
};

export function openKnowledge(ports: KnowledgePorts): Knowledge {
  const flights = new Map<string, Promise<Known>>();
  /** Newest confirmation by name: a 304 or an identical body counts without rewriting the record each time. */
  const confirmed = new Map<string, Instant>();
  const revisions = new Map<string, number>();

  async function keep(record: PackageRecord): Promise<void> {
    await ports.packages.put(record);
    revisions.set(record.name, (revisions.get(record.name) ?? 0) + 1);
  }

  async function know(name: string, options: { readonly maxAge?: number } = {}): Promise<Known> {
    const flying = flights.get(name);
    if (flying) return flying;
    const stored = await ports.packages.get(name);
    const newest = stored === undefined ? undefined : latest(stored.lastAnswer, confirmed.get(name));
    const maxAge = options.maxAge ?? ports.freshness;
    if (stored && newest !== undefined && ports.upstream.baseFor(name).base === stored.upstream) {
      const age = ports.clock.now() - newest;
      if (age >= 0 && age < maxAge) return known(stored, undefined);
    }
    const again = flights.get(name);
    if (again) return again;
    const flight = refresh(name, stored).finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  }

  async function refresh(name: string, stored: PackageRecord | undefined): Promise<Known> {
    if (ports.offline) return stored ? known(stored, "offline") : { kind: "down", message: `offline, and ${name} was never seen here` };
    const { base } = ports.upstream.baseFor(name);
    const sameUpstream = stored?.upstream === base;
    // Without the bytes a 304 would be useless; ask for the whole document again.
    const validators = stored && sameUpstream && (await ports.documents.get(stored.summary.digest)) ? pick(stored) : {};
    const answer = await ports.upstream.packument(name, validators);
    return settle(name, stored, answer);
  }

  async function settle(name: string, stored: PackageRecord | undefined, answer: UpstreamPackument): Promise<Known> {
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
        const reading = await ports.work.read(name, answer.bytes);
        if (reading.kind === "unreadable")
          return { kind: "unreadable", message: `the packument of ${name} from ${answer.upstream} cannot be read: ${reading.reason}` };
        const { record, events } = observe(stored, {
          summary: reading.summary,
          upstream: answer.upstream,
          at,
          ...(answer.etag === undefined ? {} : { etag: answer.etag }),
          ...(answer.lastModified === undefined ? {} : { lastModified: answer.lastModified }),
        });
        if (stored?.summary.digest !== reading.summary.digest) await ports.documents.put(reading.summary.digest, answer.bytes);
        const changed = stored === undefined || stored.summary.digest !== record.summary.digest || events.length > 0;
        await (changed ? keep(record) : ports.packages.put(record));
        confirmed.set(name, at);
        if (events.length > 0) ports.onEvents(name, events, record);
        return known(record, undefined, answer.bytes);
      }
      case "absent":
        // A package that vanished whole is not "unknown": what was admitted and is pinned may still be asked for.
        return stored ? known(stored, `the upstream answered ${answer.status}`) : { kind: "absent", status: answer.status };
      case "refused":
        return stored ? known(stored, answer.message) : { kind: "unreadable", message: answer.message };
      case "down":
        return stored ? known(stored, answer.message) : { kind: "down", message: answer.message };
    }
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
        const reading = await ports.work.read(record.name, answer.bytes);
        if (reading.kind !== "packument" || reading.summary.digest !== record.summary.digest)
          throw new Fault("UPSTREAM_DOWN", `${record.name} changed upstream while it was being answered; ask again`);
        await ports.documents.put(record.summary.digest, answer.bytes);
        return answer.bytes;
      },
    };
  }

  return {
    know,
    recall: (name) => ports.packages.get(name),
    confirmedAt: (name) => confirmed.get(name),
    revision: (name) => revisions.get(name) ?? 0,
    async recent() {
      const records = await Promise.all([...confirmed.keys()].map((name) => ports.packages.get(name)));
      return records.filter((record) => record !== undefined);
    },
    async amend(name, change) {
      const record = await ports.packages.get(name);
      if (record) await keep(change(record));
    },
  };
}

function pick(record: PackageRecord): { etag?: string; lastModified?: string } {
  return {
    ...(record.etag === undefined ? {} : { etag: record.etag }),
    ...(record.lastModified === undefined ? {} : { lastModified: record.lastModified }),
  };
}

function latest(a: Instant, b: Instant | undefined): Instant {
  return b !== undefined && b > a ? b : a;
}
