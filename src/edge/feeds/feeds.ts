/**
 * The feeds of one data directory: reads them when told to, keeps what each said and when, and builds the index that gates look things up
 * in. `<data>/feeds/`: `feeds.db` the claim log, `state.json` when each feed was read, `index.bin` the index.
 */
import { randomInt } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Advisory, AdvisoryProblem, Affected, HeldAdvisory } from "../../core/advisory/advisory.ts";
import { MASS_DENIAL } from "../../core/advisory/contested.ts";
import {
  type FeedOutcome,
  type FeedState,
  newlyDenied,
  type StaleFeed,
  staleFeeds,
  type SyncRequest,
  wentBack,
} from "../../core/advisory/feeds.ts";
import { type AdvisoryIndex, buildIndex, changedSince, openIndex } from "../../core/advisory/index-file.ts";
import { sha256 } from "../../core/base/digest.ts";
import { matchesAffected } from "../../core/advisory/match.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { present } from "../../core/base/present.ts";
import { redact } from "../../core/base/text.ts";
import { type Clock, type Instant, instant } from "../../core/base/time.ts";
import type { FeedConfig } from "../../core/config/values.ts";
import { readText, writeText } from "../host/files.ts";
import { type ClaimChange, type ClaimLog, type LoggedClaim, openClaimLog } from "../store/claims.ts";
import { parseStored } from "../store/json.ts";
import { type FeedLine, fetchFeed } from "./fetch.ts";
import { readSource } from "./source.ts";

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
export type FeedNews = ReturnType<typeof changedSince> & { readonly freshened: boolean };

const NOTHING_CHANGED = { names: new Set<string>(), integrities: new Set<string>() };

/** Opens nothing but the index, which may not exist yet. Raises STORE_BROKEN when the folder cannot be used. */
export async function openFeeds({ dataDir, clock, base, feeds, line, inUse, onTrouble }: FeedsOptions) {
  const folder = join(dataDir, "feeds");
  const indexPath = join(folder, "index.bin");
  let log: Promise<ClaimLog> | undefined;
  const openLog = () => (log ??= openClaimLog(folder));
  let index: AdvisoryIndex | undefined;
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
    const before = index;
    const replaced = await takeIndex();
    if (!replaced && !freshened) return;
    const changed = replaced && index !== undefined ? changedSince(before, index) : NOTHING_CHANGED;
    for (const watcher of watchers) watcher({ ...changed, freshened });
  }

  /** Whether the index is another one now. One that is damaged or lost is built again: nothing denied is let go because a file is gone. */
  async function takeIndex(): Promise<boolean> {
    const now = stampOf(indexPath);
    if (now === "") {
      if (!existsSync(join(folder, "feeds.db"))) return false;
      await mend("the advisory index is not there");
    } else if (now === stamp) return false;
    try {
      index = openIndex(await readFile(indexPath));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await mend(error.message);
      index = openIndex(await readFile(indexPath));
    }
    stamp = stampOf(indexPath);
    return true;
  }

  async function mend(trouble: string): Promise<void> {
    onTrouble(`${trouble}; it is built again from what the feeds said`);
    await rebuild();
  }

  async function rebuild(): Promise<void> {
    const names = feeds.map(({ name }) => name);
    const held = await (await openLog()).held(names);
    // The salt stays, so that the next index can be compared with this one line by line.
    const bytes = buildIndex(held, names, index?.seed ?? randomInt(2 ** 32));
    const fresh = `${indexPath}.${process.pid}.tmp`;
    await writeFile(fresh, bytes, { mode: 0o600 });
    await rename(fresh, indexPath);
  }

  async function syncOne(
    feed: FeedConfig,
    request: SyncRequest,
    state: FeedState,
  ): Promise<{ readonly outcome: FeedOutcome; readonly state: FeedState; readonly touched?: boolean }> {
    const at = clock.now();
    const place = placeOf(feed);
    const tried = { ...state, tried: at };
    const failed = (why: string) => ({
      outcome: { ...nothing(feed.name, state.records), result: "failed" as const, why },
      state: { ...tried, failure: why },
    });
    const confirmed = request.confirmed?.includes(feed.name) === true;
    const scratch = join(folder, `${feed.name}.${process.pid}.part`);
    try {
      let validators: { etag?: string; lastModified?: string } = {};
      if (feed.url !== undefined) {
        if (request.offline === true) return failed("it is not asked with --offline");
        request.progress?.(`${feed.name}: fetching`);
        // What was not taken must be read again, not called unchanged.
        const known = state.place === place && state.pending === undefined && !confirmed ? state : {};
        const fetched = await fetchFeed(feed.url, scratch, known, await line());
        if (fetched.kind === "failed") return failed(fetched.message);
        if (fetched.kind === "unchanged") {
          const { failure: _failure, ...rest } = tried;
          return { outcome: { ...nothing(feed.name, state.records), result: "unchanged" }, state: { ...rest, checked: at } };
        }
        const { kind: _kind, ...given } = fetched;
        validators = given;
      }
      const path = feed.url === undefined ? resolve(base, feed.path!) : scratch;
      const called = feed.url === undefined ? basename(path) : (new URL(feed.url).pathname.split("/").at(-1) ?? feed.name);
      const read = await readAll(readSource({ ...feed, path, called }), (count) => request.progress?.(`${feed.name}: ${count} records`));
      // A page that says "not found" is no feed that became empty.
      const [problem] = read.firstProblems;
      if (read.advisories.size === 0 && problem) return failed(`nothing in it can be read: ${problem.source}: ${problem.reason}`);
      const before = await (await openLog()).current(feed.name);
      const change = compare(before, read, at);
      const told = { problems: read.problems, firstProblems: read.firstProblems };
      const back = confirmed ? undefined : wentBack({ records: state.records, newest: state.newest }, { ...change, newest: read.newest });
      if (back !== undefined)
        return {
          outcome: { ...nothing(feed.name, state.records), ...told, result: "went-back", why: back },
          state: { ...tried, pending: back },
        };
      const used =
        change.denied.size > MASS_DENIAL && !confirmed ? await inUse(new Set(change.denied.keys())) : new Map<string, string[]>();
      const hit = [...used].filter(([name, served]) =>
        served.some((version) => matchesAffected(change.denied.get(name) ?? [], name, version)),
      ).length;
      const mass = hit > MASS_DENIAL;
      await (
        await openLog()
      ).add(feed.name, mass ? change.changes.map((one) => ({ ...one, mass: one.document !== undefined })) : change.changes, at);
      if (confirmed) await (await openLog()).confirmMass(feed.name, at);
      const records = change.records;
      return {
        outcome: present({
          name: feed.name,
          result: "read" as const,
          records,
          added: change.added,
          changed: change.changed,
          withdrawn: change.withdrawn,
          mass: mass ? hit : undefined,
          ...told,
        }),
        touched: change.changes.length > 0,
        state: present({ name: feed.name, checked: at, tried: at, records, newest: read.newest, place, ...validators }),
      };
    } catch (error) {
      if (!(error instanceof Fault) || error.code === "STORE_BROKEN" || error.code === "STORE_NEWER") throw error;
      return failed(error.message);
    } finally {
      await rm(scratch, { force: true });
    }
  }

  return {
    configured: feeds,
    /** The newest index; undefined while no feed was ever read. */
    index: (): AdvisoryIndex | undefined => index,
    states: (): readonly FeedState[] => states(),
    stale: (): readonly StaleFeed[] => staleFeeds(feeds, states(), clock.now()),

    /** Reads every feed in turn; one that fails leaves what it said before, and the others, as they are. */
    async sync(request: SyncRequest): Promise<readonly FeedOutcome[]> {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const outcomes: FeedOutcome[] = [];
      let news = (request.confirmed ?? []).length > 0;
      for (const feed of feeds) {
        const before = states(true);
        const { outcome, state, touched } = await syncOne(
          feed,
          request,
          before.find(({ name }) => name === feed.name) ?? { name: feed.name, records: 0 },
        );
        outcomes.push(outcome);
        news ||= touched === true;
        writeStates(statePath, [...before.filter(({ name }) => name !== feed.name), state]);
      }
      const wanted = feeds.map(({ name }) => name).join("\n");
      if (news || index === undefined || index.feeds.join("\n") !== wanted) {
        if (outcomes.reduce((sum, { records }) => sum + records, 0) > LONG_WORK) request.progress?.("building the index");
        await rebuild();
      }
      await look();
      return outcomes;
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

function nothing(name: string, records: number) {
  return { name, records, added: 0, changed: 0, withdrawn: 0, problems: 0, firstProblems: [] };
}

/** Tells one file from the one that took its place; empty = there is none. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "";
}

/** As a digest: a signed address is a secret. */
function placeOf({ url, path, kind, claims }: FeedConfig): string {
  return sha256([kind, claims, url ?? path].join(" "));
}

type Whole = {
  /** By id; the same id twice is one advisory that speaks of both. */
  readonly advisories: ReadonlyMap<string, Advisory>;
  /** Ids of records of which nothing could be used: what was said of them before stays. */
  readonly unread: ReadonlySet<string>;
  readonly newest: Instant | undefined;
  readonly problems: number;
  readonly firstProblems: readonly AdvisoryProblem[];
};

async function readAll(readings: ReturnType<typeof readSource>, progress: (count: number) => void): Promise<Whole> {
  const advisories = new Map<string, Advisory>();
  const unread = new Set<string>();
  const firstProblems: AdvisoryProblem[] = [];
  let problems = 0;
  let newest = 0;
  let count = 0;
  for await (const { advisory, problem } of readings) {
    if (problem) {
      problems += 1;
      if (firstProblems.length < LIMITS.feedProblems) firstProblems.push({ ...problem, reason: redact(problem.reason) });
      if (!advisory && problem.id !== undefined) unread.add(problem.id);
    }
    if (advisory) {
      const known = advisories.get(advisory.id);
      advisories.set(advisory.id, known ? { ...advisory, affected: [...known.affected, ...advisory.affected] } : advisory);
      newest = Math.max(newest, advisory.modified ?? 0);
    }
    if (++count % 5_000 === 0) progress(count);
  }
  return { advisories, unread, newest: newest === 0 ? undefined : instant(newest), problems, firstProblems };
}

/** What the log must be told so that it says what the feed says. */
function compare(before: ReadonlyMap<string, LoggedClaim>, { advisories, unread }: Whole, at: Instant) {
  const changes: ClaimChange[] = [];
  const denied = new Map<string, Affected[]>();
  let added = 0;
  let changed = 0;
  let withdrawn = 0;
  let lost = 0;
  let records = 0;
  for (const [id, advisory] of advisories) {
    if (advisory.withdrawn === undefined) records += 1;
    const document = JSON.stringify(advisory);
    const old = before.get(id);
    if (old?.document === document) continue;
    const was = old?.document === undefined ? undefined : parseStored<Advisory>(old.document, `advisory ${id}`);
    const takenBack = advisory.withdrawn !== undefined && was !== undefined && was.withdrawn === undefined;
    if (takenBack) withdrawn += 1;
    else if (was === undefined && advisory.withdrawn === undefined) added += 1;
    else if (was !== undefined) changed += 1;
    for (const entry of newlyDenied(was, advisory)) denied.set(entry.name, [...(denied.get(entry.name) ?? []), entry]);
    const seen = advisory.withdrawn === undefined ? undefined : takenBack ? at : old?.withdrawnSeen;
    changes.push({ id, document, mass: false, withdrawnSeen: seen });
  }
  for (const [id, old] of before) {
    if (old.document === undefined || advisories.has(id) || unread.has(id)) continue;
    const wasLive = parseStored<Advisory>(old.document, `advisory ${id}`).withdrawn === undefined;
    if (wasLive) {
      lost += 1;
      withdrawn += 1;
    }
    changes.push({ id, document: undefined, mass: false, withdrawnSeen: wasLive ? at : old.withdrawnSeen });
  }
  return { changes, denied, added, changed, withdrawn, lost, records };
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
