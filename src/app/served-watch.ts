/**
 * Looks again at what was served lately, although nobody asks for it: a version that the registry takes back is asked for by nobody any more,
 * and whoever fetched it must hear of it. Young releases are asked for often, because nearly all that is taken back is young; others twice a
 * day. One at a time, from what the ledger says was served, and never what was not.
 */
import { LIMITS } from "../core/base/limits.ts";
import { type Clock, HOUR, type Instant, instant, MINUTE } from "../core/base/time.ts";
import { ageOf } from "../core/facts/facts-of.ts";
import { historyOf, type PackageRecord } from "../core/facts/history.ts";
import type { Exposed, Exposures } from "./exposures.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge, Known } from "./knowledge.ts";
import type { Ledger } from "./ports.ts";

export type ServedWatchPorts = {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "served">;
  readonly knowledge: Pick<Knowledge, "know" | "recall">;
  readonly judgements: Pick<Judgements, "ofPackage">;
  readonly exposures: Exposures;
  readonly trouble: (what: string, error: unknown) => void;
};

export type Round = {
  /** Packages and versions that were served lately. */
  readonly packages: number;
  readonly versions: number;
  /** Packages looked at in this round. */
  readonly looked: number;
  /** Packages about which the registry could not be asked, and why. */
  readonly unasked: readonly { readonly name: string; readonly why: string }[];
  readonly exposed: readonly Exposed[];
  /** Served versions that the registry's last answer lacked, which proves nothing before it lacked them twice. */
  readonly missing: readonly { readonly name: string; readonly version: string; readonly since: Instant }[];
};

export type RoundOptions = {
  /** Everything, due or not. */
  readonly all?: boolean;
  readonly tell?: (name: string, done: number, of: number) => void;
};

export type ServedWatch = {
  /** Asks about these too, as if they had been served just now. */
  also(versions: readonly { readonly name: string; readonly version: string }[]): void;
  /** Looks at what is due. Two at once are one after the other. */
  round(options?: RoundOptions): Promise<Round>;
  /** Looks from now on, until `stop`. */
  start(): void;
  /** Ends after the package that is being looked at. */
  stop(): Promise<void>;
};

/** Between two looks of a gate at what is due. */
const ROUND_EVERY_MS = MINUTE;
/** Three hours was the time axios 1.14.1 stood; a quarter of one is soon enough, and a conditional request that costs the registry little. */
const YOUNG_EVERY_MS = 15 * MINUTE;
const OLD_EVERY_MS = 12 * HOUR;
/** After a registry that did not answer, and after an answer that changed nothing. */
const RETRY_MS = 5 * MINUTE;
/** Between two questions: a gate's round keeps out of the way of clients. */
const PACE_MS = 50;
/** Questions at once when somebody waits for all of it. */
const WIDTH = 6;

type Looked = Pick<Round, "exposed" | "missing"> & { readonly why?: string };

type Watched = { readonly versions: Map<string, Instant>; newest: Instant; due: Instant };

export function openServedWatch(ports: ServedWatchPorts): ServedWatch {
  const watched = new Map<string, Watched>();
  let after: number | undefined;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<unknown> = Promise.resolve();

  /** Takes in what was served since the last time, and lets go of what was served too long ago. */
  async function readServed(): Promise<void> {
    const since = instant(ports.clock.now() - LIMITS.servedWatchMs);
    for (let done = false; !done && !stopping.signal.aborted;) {
      const page = await ports.ledger.served({ since, ...(after === undefined ? {} : { after }) });
      for (const { name, version, at } of page.served) note(name, version, at);
      ({ next: after, done } = page);
    }
    for (const [name, one] of watched) {
      for (const [version, at] of one.versions) if (at < since) one.versions.delete(version);
      if (one.versions.size === 0) watched.delete(name);
    }
    const excess = watched.size - LIMITS.servedWatchNames;
    if (excess <= 0) return;
    const oldest = [...watched].toSorted(([, a], [, b]) => a.newest - b.newest).slice(0, excess);
    for (const [name] of oldest) watched.delete(name);
  }

  function note(name: string, version: string, at: Instant): void {
    const one = watched.get(name) ?? { versions: new Map<string, Instant>(), newest: at, due: instant(0) };
    // A version that nobody fetched before may be younger than those that were.
    if (!one.versions.has(version)) one.due = instant(0);
    one.versions.set(version, at);
    one.newest = instant(Math.max(one.newest, at));
    watched.set(name, one);
  }

  async function look(name: string, one: Watched, all: boolean): Promise<Looked> {
    const now = ports.clock.now();
    const stored = await ports.knowledge.recall(name);
    const known = await ports.knowledge.know(name, { maxAge: all || !stored ? 0 : pauseFor(stored, one, now) });
    const record = known.kind === "known" ? known.record : stored;
    const unasked = whyUnasked(known);
    const why = unasked === undefined ? {} : { why: unasked };
    if (record === undefined) return { exposed: [], missing: [], ...why };
    one.due = instant(Math.max(record.lastAnswer + pauseFor(record, one, now), now + RETRY_MS));
    const exposed = await ports.exposures.raise(await ports.judgements.ofPackage(record));
    return { exposed: exposed.filter(({ version }) => one.versions.has(version)), missing: missingOf(record, one), ...why };
  }

  async function round({ all = false, tell }: RoundOptions = {}): Promise<Round> {
    await readServed();
    const now = ports.clock.now();
    const due = [...watched]
      .filter(([, one]) => all || one.due <= now)
      .toSorted(([, a], [, b]) => a.due - b.due || b.newest - a.newest)
      .slice(0, all ? undefined : LIMITS.servedWatchAsked);
    const exposed: Exposed[] = [];
    const missing: Round["missing"][number][] = [];
    const unasked: { name: string; why: string }[] = [];
    let begun = 0;
    const work = async (): Promise<void> => {
      while (begun < due.length && !stopping.signal.aborted) {
        const [name, one] = due[begun++]!;
        tell?.(name, begun, due.length);
        try {
          const found = await look(name, one, all);
          exposed.push(...found.exposed);
          missing.push(...found.missing);
          if (found.why !== undefined) unasked.push({ name, why: found.why });
        } catch (error) {
          unasked.push({ name, why: error instanceof Error ? error.message : String(error) });
          one.due = instant(now + RETRY_MS);
          ports.trouble(`${name} not looked at again`, error);
        }
        if (!all && begun < due.length) await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      }
    };
    await Promise.all(Array.from({ length: all ? WIDTH : 1 }, work));
    const versions = [...watched.values()].reduce((sum, one) => sum + one.versions.size, 0);
    return {
      packages: watched.size,
      versions,
      looked: begun,
      unasked: unasked.toSorted(byName),
      exposed: exposed.toSorted(byName),
      missing: missing.toSorted(byName),
    };
  }

  const inTurn = (options?: RoundOptions): Promise<Round> => {
    const next = working.then(() => round(options));
    working = next.catch(() => undefined);
    return next;
  };

  return {
    also(versions) {
      for (const { name, version } of versions) note(name, version, ports.clock.now());
    },
    round: inTurn,
    start() {
      let busy = false;
      timer ??= setInterval(() => {
        if (busy) return;
        busy = true;
        inTurn()
          .catch((error: unknown) => ports.trouble("what was served is not looked at again", error))
          .finally(() => (busy = false));
      }, ROUND_EVERY_MS).unref();
    },
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await working;
    },
  };
}

/** How long an answer of the registry counts: until a missing version can be taken for withdrawn, or by the age of the youngest one served. */
function pauseFor(record: PackageRecord, one: Watched, now: Instant): number {
  if (missingOf(record, one).length > 0) return LIMITS.absenceMs;
  const served = [...one.versions.keys()].flatMap((version) => historyOf(record, version) ?? []);
  const isYoung = served.some((history) => now - ageOf(record, history, false).start < LIMITS.matureMs);
  return isYoung ? YOUNG_EVERY_MS : OLD_EVERY_MS;
}

function missingOf(record: PackageRecord, { versions }: Watched): Round["missing"] {
  return [...versions.keys()].flatMap((version) => {
    const { goneSince, gone } = historyOf(record, version) ?? {};
    return goneSince === undefined || gone === true ? [] : { name: record.name, version, since: goneSince };
  });
}

/** A package that is gone whole is an answer too. */
function whyUnasked(known: Known): string | undefined {
  if (known.kind === "known") return known.stale;
  return known.kind === "absent" ? `the registry answered ${known.status}` : known.message;
}

function byName(a: { readonly name: string; readonly version?: string }, b: typeof a): number {
  return a.name === b.name ? ((a.version ?? "") < (b.version ?? "") ? -1 : 1) : a.name < b.name ? -1 : 1;
}
