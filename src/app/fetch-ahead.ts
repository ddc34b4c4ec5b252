/**
 * Fetches the packuments a client is about to ask for. npm resolves almost one name at a time: of a cold resolve at 30 ms most is
 * waiting. Bounded, never in the way of an answer, never for private names; it is no sighting and no evidence.
 */
import { LIMITS } from "../core/base/limits.ts";
import type { Clock, Instant } from "../core/base/time.ts";
import { isPackageName, nameMatches } from "../core/npm/name.ts";
import type { PackageJudgement } from "./judgements.ts";
import type { Upstream } from "./ports.ts";

/** `Like`: how the client asked, and would ask for what comes next. */
export type FetchAheadPorts<Like> = {
  readonly clock: Clock;
  /** Milliseconds an answer counts as fresh: nothing is fetched ahead twice within it. */
  readonly freshness: number;
  readonly upstream: Upstream;
  readonly privateNames: () => readonly string[];
  /** Requests of this kind in flight at once: fewer than the upstream allows, so that clients' own requests find room. */
  readonly width?: number;
  /** Judges and renders what arrived, so that the client's request finds a finished answer. Gives what is likely to be asked for after it. */
  readonly warm: (name: string, like: Like) => Promise<readonly string[]>;
  readonly trouble: (what: string, error: unknown) => void;
};

export type FetchAhead<Like> = {
  /** Call with what is likely to be asked for (`namesAhead`) after each packument answered. */
  after(names: readonly string[], like: Like): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  /** Begins nothing more. What is under way goes on, and what becomes of it is told to nobody. */
  stop(): void;
};

/** Names remembered as fetched. */
const REMEMBERED = 20_000;

/** A name that was fetched ahead, or will be. `depth`: what is still allowed below it; grows while clients come nearer. */
type Step = { readonly at: Instant; depth: number; names: readonly string[] };

export function fetchAhead<Like>(ports: FetchAheadPorts<Like>): FetchAhead<Like> {
  const width = ports.width ?? 12;
  const queue = new Map<string, Like>();
  const steps = new Map<string, Step>();
  let running = 0;
  let stopped = false;
  let waiters: (() => void)[] = [];

  function enqueue(names: readonly string[], depth: number, like: Like): void {
    if (depth <= 0 || stopped) return;
    let added = 0;
    const now = ports.clock.now();
    for (const name of names) {
      if (added >= LIMITS.fetchAheadNames) break;
      const before = steps.get(name);
      if (before !== undefined && now - before.at < ports.freshness) {
        deepen(before, depth - 1, like);
        continue;
      }
      if (!mayFetch(name)) continue;
      steps.set(name, { at: now, depth: depth - 1, names: [] });
      queue.set(name, like);
      added += 1;
    }
    // Only a memory against loops and repeats: forgetting it costs a store lookup, not a request.
    if (steps.size > REMEMBERED) steps.clear();
    pump();
  }

  /** A client came nearer: what lies behind may be fetched now. It ends, since each step only grows, up to the depth there is. */
  function deepen(step: Step, depth: number, like: Like): void {
    if (step.depth >= depth) return;
    step.depth = depth;
    enqueue(step.names, depth, like);
  }

  /** Names come from manifests strangers wrote: only real ones, and never what must not leave the house. */
  function mayFetch(name: string): boolean {
    return isPackageName(name) && !ports.privateNames().some((glob) => nameMatches(glob, name)) && !ports.upstream.baseFor(name).private;
  }

  function pump(): void {
    while (running < width && queue.size > 0) {
      const [name, like] = queue.entries().next().value!;
      queue.delete(name);
      running += 1;
      const step = steps.get(name);
      void ports
        .warm(name, like)
        .then((names) => {
          if (!step) return;
          step.names = names;
          enqueue(names, step.depth, like);
        })
        .catch((error: unknown) => stopped || ports.trouble("fetch-ahead", error))
        .finally(() => {
          running -= 1;
          pump();
          if (running === 0 && queue.size === 0) {
            for (const done of waiters) done();
            waiters = [];
          }
        });
    }
  }

  return {
    after: (names, like) => enqueue(names, LIMITS.fetchAheadDepth, like),
    idle: () => (running === 0 && queue.size === 0 ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    stop() {
      stopped = true;
      queue.clear();
    },
  };
}

/** Dependencies of the version each tag answers, and of the highest version of the newest two majors: what ranges usually pick. */
export function namesAhead(judgement: PackageJudgement): readonly string[] {
  const chosen = new Set<string>([...Object.values(judgement.tags).slice(0, 8), ...highestOfMajors(judgement.served, 2)]);
  const latest = judgement.tags["latest"];
  const order = latest === undefined ? [...chosen] : [latest, ...chosen];
  const names = new Set<string>();
  for (const version of order) for (const name of judgement.requires(version)) names.add(name);
  return [...names];
}

/** A version without a prerelease part. Its numbers suffice to compare it: parsing thousands would take longer than the answer. */
const STABLE = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:\+|$)/;

/** The highest stable version of each of the newest `count` majors. */
function highestOfMajors(versions: Iterable<string>, count: number): string[] {
  const best = new Map<number, { readonly version: string; readonly minor: number; readonly patch: number }>();
  for (const version of versions) {
    const parts = STABLE.exec(version);
    if (!parts) continue;
    const [major, minor, patch] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
    const before = best.get(major);
    if (before === undefined || minor > before.minor || (minor === before.minor && patch > before.patch))
      best.set(major, { version, minor, patch });
  }
  return [...best]
    .toSorted(([a], [b]) => b - a)
    .slice(0, count)
    .map(([, { version }]) => version);
}
