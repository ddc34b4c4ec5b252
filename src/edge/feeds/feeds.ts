/**
 * The feeds of one data directory: reads them when told to, keeps what each said and when, and builds the index that gates look things up
 * in. `<data>/feeds/`: `feeds.db` the claim log, `state.json` when each feed was read, `index.bin` the index.
 */
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { HeldAdvisory } from "../../core/advisory/advisory.ts";
import { type FeedOutcome, type FeedState, nextRead, type StaleFeed, staleFeeds, type SyncRequest } from "../../core/advisory/feeds.ts";
import { type AdvisoryIndex, comparing, type IndexChanges } from "../../core/advisory/index-file.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock, Instant } from "../../core/base/time.ts";
import type { FeedConfig } from "../../core/config/values.ts";
import { readText, writeText } from "../host/files.ts";
import type { ClaimLog } from "../store/claims.ts";
import type { Fetcher, FeedLine } from "./fetch.ts";
import { type IndexOnDisk, openIndexFile } from "./index-on-disk.ts";

export type FeedsOptions = {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Relative paths stand below it. */
  readonly base: string;
  readonly feeds: readonly FeedConfig[];
  /** How feeds with a URL are reached; asked for at the first of them. */
  readonly line: () => Promise<FeedLine>;
  /** Of these packages the versions that left this gate; names of which none did are left out. */
  readonly inUse: (names: ReadonlySet<string>) => Promise<ReadonlyMap<string, readonly string[]>>;
  /** What is not right and was mended or lived with. */
  readonly onTrouble: (message: string) => void;
};

/** What a running gate must decide anew: what is said of these names and bytes changed; `freshened`: no feed is stale any more. */
export type FeedNews = IndexChanges & { readonly freshened: boolean };

const NOTHING_CHANGED: IndexChanges = { names: new Set<string>(), integrities: new Set<string>() };

/** Opens nothing but the index, which may not exist yet. Raises STORE_BROKEN when the folder cannot be used. */
export async function openFeeds({ dataDir, clock, base, feeds, line, inUse, onTrouble }: FeedsOptions) {
  const folder = join(dataDir, "feeds");
  const indexPath = join(folder, "index.bin");
  let log: Promise<ClaimLog> | undefined;
  // The database is for syncs and for questions about the past; a command that only looks something up never loads it.
  const openLog = () => (log ??= import("../store/claims.ts").then(({ openClaimLog }) => openClaimLog(folder)));
  let held: IndexOnDisk | undefined;
  const retired = new Set<IndexOnDisk>();
  let stamp = "";
  const watchers = new Set<(news: FeedNews) => void>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  const statePath = join(folder, "state.json");
  let stateStamp = "";
  let known: readonly FeedState[] = [];
  /** A gate asks with every judgement, so the file is read only when it changed; while somebody watches, only that look asks the disk. */
  function states(fresh = timer === undefined): readonly FeedState[] {
    if (!fresh) return known;
    const now = stampOf(statePath);
    if (now !== stateStamp) [known, stateStamp] = [readStates(statePath, onTrouble), now];
    return known;
  }

  await look();

  /** Reads the index when the file is another one than before. */
  function look(): Promise<void> {
    looking ??= lookNow().finally(() => (looking = undefined));
    return looking;
  }

  async function lookNow(): Promise<void> {
    const wasStale = staleFeeds(feeds, known, clock.now()).length > 0;
    const freshened = wasStale && staleFeeds(feeds, states(true), clock.now()).length === 0;
    const before = held;
    const replaced = await takeIndex();
    if (!replaced && !freshened) return;
    const changed = replaced && held && watchers.size > 0 ? await difference(before?.index, held.index) : NOTHING_CHANGED;
    if (replaced && before) retire(before);
    for (const watcher of watchers) watcher({ ...changed, freshened });
  }

  /** In steps: two indexes of hundreds of thousands of records take as long to read as a whole answer may. */
  async function difference(before: AdvisoryIndex | undefined, after: AdvisoryIndex): Promise<IndexChanges> {
    try {
      const steps = comparing(before, after);
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value;
        await turn();
      }
    } catch (error) {
      if (before === undefined || !(error instanceof Fault)) throw error;
      // The old one is damaged: then all that the new one says is news.
      return difference(undefined, after);
    }
  }

  /** Whoever took it before it was replaced may still be asking it. */
  function retire(old: IndexOnDisk): void {
    retired.add(old);
    setTimeout(() => {
      retired.delete(old);
      old.close();
    }, LIMITS.feedIndexRetiredMs).unref();
  }

  /** Whether the index is another one now. One that is damaged or lost is built again: nothing denied is let go because a file is gone. */
  async function takeIndex(): Promise<boolean> {
    const now = stampOf(indexPath);
    if (now === "") {
      if (!existsSync(join(folder, "feeds.db"))) return false;
      await mend("the advisory index is not there");
    } else if (now === stamp) return false;
    try {
      held = openIndexFile(indexPath, damaged);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await mend(error.message);
      held = openIndexFile(indexPath, damaged);
    }
    stamp = stampOf(indexPath);
    return true;
  }

  /** Found in a look-up, which has failed: the next look finds no index and builds one. */
  function damaged({ message }: Fault): void {
    if (statSync(indexPath, { throwIfNoEntry: false })?.ino !== held?.inode) return;
    onTrouble(`${message}; it is removed`);
    rmSync(indexPath, { force: true });
  }

  async function mend(trouble: string): Promise<void> {
    onTrouble(`${trouble}; it is built again from what the feeds said`);
    await rebuild();
  }

  async function rebuild(): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const [{ indexBuilder }, { writeIndexFile }] = await Promise.all([
      import("../../core/advisory/index-build.ts"),
      import("./index-on-disk.ts"),
    ]);
    const names = feeds.map(({ name }) => name);
    const claims = await openLog();
    const builder = indexBuilder(names, randomInt(2 ** 32));
    for await (const page of claims.held(names)) for (const { advisory } of page) builder.tie(advisory);
    for await (const page of claims.held(names)) for (const one of page) builder.add(one);
    await writeIndexFile(indexPath, builder.finish());
  }

  /** One sync at a time, whoever started it: waits until no other process reads the feeds of this folder. */
  async function alone<T>(request: SyncRequest, work: () => Promise<T>): Promise<T> {
    const { takeLock } = await import("./lock.ts");
    for (let waited = 0; ; waited += LIMITS.feedPollMs) {
      const lock = await takeLock(join(folder, "sync.lock"), clock.now());
      if (lock) return work().finally(() => lock.release());
      if (waited >= LIMITS.feedMs) throw new Fault("STORE_BROKEN", `${folder}: another process has been reading the feeds for too long`);
      request.progress?.("another process reads the feeds; waiting for it");
      await sleep(LIMITS.feedPollMs);
    }
  }

  async function syncAll(request: SyncRequest): Promise<readonly FeedOutcome[]> {
    const [{ syncFeed }, { openFetcher }] = await Promise.all([import("./sync.ts"), import("./fetch.ts")]);
    let opened: Fetcher | undefined;
    const fetcher = async () => (opened ??= openFetcher(await line()));
    const ports = { folder, clock, base, log: await openLog(), fetcher, inUse };
    const outcomes: FeedOutcome[] = [];
    let news = (request.confirmed ?? []).length > 0;
    try {
      for (const feed of feeds) {
        if (request.only?.includes(feed.name) === false) continue;
        const before = states(true);
        const known = before.find(({ name }) => name === feed.name) ?? { name: feed.name, records: 0 };
        if (request.due === true && nextRead(feed, known) > clock.now()) continue;
        const { outcome, state, touched } = await syncFeed(ports, feed, request, known);
        outcomes.push(outcome);
        news ||= touched;
        writeStates(statePath, [...before.filter(({ name }) => name !== feed.name), state]);
      }
    } finally {
      await opened?.close();
    }
    // Another process may have built one since.
    if (existsSync(indexPath)) await look();
    const wanted = feeds.map(({ name }) => name).join("\n");
    if (news || held === undefined || held.index.feeds.join("\n") !== wanted) {
      if (states(true).reduce((sum, { records }) => sum + records, 0) > LONG_WORK) request.progress?.("building the index");
      await rebuild();
    }
    await look();
    return outcomes;
  }

  return {
    configured: feeds,
    /** The newest index; undefined while no feed was ever read. */
    index: (): AdvisoryIndex | undefined => held?.index,
    states: (): readonly FeedState[] => states(),
    stale: (): readonly StaleFeed[] => staleFeeds(feeds, states(), clock.now()),

    /** Reads every feed in turn; one that fails leaves what it said before, and the others, as they are. */
    async sync(request: SyncRequest): Promise<readonly FeedOutcome[]> {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return alone(request, () => syncAll(request));
    },

    /** What was known of a name at a moment, by the feeds as they were then. */
    knownAt: async (name: string, at: Instant): Promise<readonly HeldAdvisory[]> =>
      existsSync(join(folder, "feeds.db")) ? (await openLog()).knownAt(name, at) : [],

    /** The first moment of which anything is known; undefined = no feed was ever read. */
    knownSince: async (): Promise<Instant | undefined> => (existsSync(join(folder, "feeds.db")) ? (await openLog()).since() : undefined),

    /** Calls back within a second after there is something new. */
    watch(onChange: (news: FeedNews) => void): () => void {
      watchers.add(onChange);
      timer ??= setInterval(
        () => void look().catch((error: unknown) => onTrouble(error instanceof Error ? error.message : String(error))),
        LIMITS.feedPollMs,
      ).unref();
      return () => {
        watchers.delete(onChange);
        if (watchers.size === 0) stop();
      };
    },

    async close(): Promise<void> {
      stop();
      for (const old of [...retired, ...(held ? [held] : [])]) old.close();
      await (await log)?.close();
    },
  };

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }
}

/** Records of which work is shown: with fewer it is over before anybody reads it. */
const LONG_WORK = 10_000;

/** Tells one file from the one that took its place; empty = there is none. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "";
}

/** Losable: without it every feed counts as never read, which is said. */
function readStates(path: string, onTrouble: (message: string) => void): readonly FeedState[] {
  const text = readText(path);
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value as readonly FeedState[];
  } catch {
    // Told below, like anything else that is no list.
  }
  onTrouble(`${path} is damaged; every feed counts as never read`);
  return [];
}

function writeStates(path: string, states: readonly FeedState[]): void {
  writeText(
    path,
    `${JSON.stringify(
      states.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      undefined,
      2,
    )}\n`,
  );
}
