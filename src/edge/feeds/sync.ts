/** Reads one feed and tells the claim log what it says now, unless it went back. */
import { rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { MASS_DENIAL } from "../../core/advisory/contested.ts";
import type { AdvisoryReading } from "../../core/advisory/advisory.ts";
import { type FeedOutcome, type FeedState, type SyncRequest, wentBack } from "../../core/advisory/feeds.ts";
import { matchesAffected } from "../../core/advisory/match.ts";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { present } from "../../core/base/present.ts";
import { type Clock, DAY, type Instant } from "../../core/base/time.ts";
import type { FeedConfig } from "../../core/config/values.ts";
import type { ClaimChange, ClaimLog } from "../store/claims.ts";
import { compareWith, type Comparison } from "./compare.ts";
import { type Delta, recordsApart, whatChanged } from "./delta.ts";
import type { Fetcher } from "./fetch.ts";
import { readSource } from "./source.ts";

export type SyncPorts = {
  readonly folder: string;
  readonly clock: Clock;
  /** Relative paths stand below it. */
  readonly base: string;
  readonly log: ClaimLog;
  readonly fetcher: () => Promise<Fetcher>;
  /** Of these packages the versions that left this gate; names of which none did are left out. */
  readonly inUse: (names: ReadonlySet<string>) => Promise<ReadonlyMap<string, readonly string[]>>;
};

export type Synced = { readonly outcome: FeedOutcome; readonly state: FeedState; readonly touched: boolean };

/** A feed that lists its changes is read whole this often all the same: what it left out of the list is found then. */
const WHOLE_AGAIN = 7 * DAY;

/** Raises STORE_BROKEN when the log cannot be used; whatever is wrong with the feed is in the outcome. */
export async function syncFeed(ports: SyncPorts, feed: FeedConfig, request: SyncRequest, state: FeedState): Promise<Synced> {
  const at = ports.clock.now();
  const tried = { ...state, tried: at };
  const { failure: _failure, failures: _failures, ...sound } = tried;
  const failures = (state.failures ?? 0) + 1;
  const kept = nothing(feed.name, state.records);
  const progress = (text: string) => request.progress?.(`${feed.name}: ${text}`);
  const scratch = ["part", "list"].map((kind) => join(ports.folder, `${feed.name}.${process.pid}.${kind}`)) as [string, string];
  const confirmed = request.confirmed?.includes(feed.name) === true;
  try {
    // What was not taken must be read again, not called unchanged.
    const known = state.place === placeOf(feed) && state.pending === undefined && !confirmed ? state : undefined;
    const got = await read(known);
    if (got.kind === "unchanged") return { outcome: { ...kept, result: "unchanged" }, state: { ...sound, checked: at }, touched: false };
    if (got.kind === "failed") return failed(got.why);
    const { comparison, fresh } = got;
    const { added, changed, withdrawn, records, problems, firstProblems } = comparison;
    // A page that says "not found" is no feed that became empty.
    const [problem] = firstProblems;
    if (comparison.read === 0 && problem && !got.apart) return failed(`nothing in it can be read: ${problem.source}: ${problem.reason}`);
    const newest = got.listed && (comparison.newest ?? 0) < (state.newest ?? 0) ? state.newest : comparison.newest;
    const back = confirmed
      ? undefined
      : wentBack({ records: state.records, newest: state.newest }, { records, newest, lost: comparison.lost });
    if (back !== undefined)
      return {
        outcome: { ...kept, problems, firstProblems, result: "went-back", why: back },
        state: { ...tried, pending: back, failures },
        touched: false,
      };
    const mass = confirmed ? 0 : await namesHit(comparison);
    await keep(comparison, mass > MASS_DENIAL);
    if (confirmed) await ports.log.confirmMass(feed.name, at);
    return {
      outcome: present({
        name: feed.name,
        result: "read" as const,
        records,
        added,
        changed,
        withdrawn,
        mass: mass > MASS_DENIAL ? mass : undefined,
        problems,
        firstProblems,
      }),
      state: present({ name: feed.name, checked: at, tried: at, records, newest, place: placeOf(feed), ...fresh }),
      touched: comparison.changes.size > 0,
    };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "STORE_BROKEN" || error.code === "STORE_NEWER") throw error;
    return failed(error.message);
  } finally {
    for (const file of scratch) await rm(file, { force: true });
  }

  function failed(why: string): Synced {
    return { outcome: { ...kept, result: "failed", why }, state: { ...tried, failure: why, failures }, touched: false };
  }

  type Got =
    | { readonly kind: "unchanged" }
    | { readonly kind: "failed"; readonly why: string }
    /** `apart`: only what changed was read. `listed`: its list says what else there is. `fresh`: what of the state is new. */
    | {
        readonly kind: "read";
        readonly comparison: Comparison;
        readonly apart: boolean;
        readonly listed: boolean;
        readonly fresh: Partial<FeedState>;
      };

  async function read(known: FeedState | undefined): Promise<Got> {
    if (feed.url === undefined) {
      const path = resolve(ports.base, feed.path!);
      return {
        kind: "read",
        comparison: await compared(readSource({ ...feed, path, called: basename(path) })),
        apart: false,
        listed: false,
        fresh: {},
      };
    }
    if (request.offline === true) return { kind: "failed", why: "it is not asked with --offline" };
    progress("asking what changed");
    const fetcher = await ports.fetcher();
    const delta: Delta = known === undefined ? { kind: "none" } : await whatChanged(feed, known, fetcher, scratch[1]);
    const isDue = known?.whole === undefined || at - known.whole >= WHOLE_AGAIN;
    if (delta.kind === "unchanged" && !isDue) return delta;
    const ofList = listState(delta, state);
    const url = feed.url;
    const changes = async ({ ids, listed }: Extract<Delta, { kind: "part" }>): Promise<Got> => {
      const { etag, lastModified, whole, records } = state;
      const comparison = await compared(recordsApart(url, ids, feed.claims, fetcher), { listed, records });
      return { kind: "read", comparison, apart: true, listed: true, fresh: present({ etag, lastModified, whole, ...ofList }) };
    };
    if (delta.kind === "part" && !isDue) return changes(delta);
    progress("fetching");
    const fetched = await fetcher.file(url, scratch[0], known ?? {});
    if (fetched.kind === "failed") return { kind: "failed", why: fetched.message };
    if (fetched.kind === "unchanged") return delta.kind === "part" ? changes(delta) : { kind: "unchanged" };
    const { etag, lastModified } = fetched;
    const called = new URL(url).pathname.split("/").at(-1) ?? feed.name;
    const whole = readSource({ ...feed, path: scratch[0], called });
    const fresh = present({ etag, lastModified, whole: at, ...ofList });
    if (delta.kind !== "part") return { kind: "read", comparison: await compared(whole), apart: false, listed: false, fresh };
    const newer = recordsApart(url, delta.ids, feed.claims, fetcher);
    const comparison = await compared(newerFirst(newer, whole, delta.listed), { listed: delta.listed, records: state.records });
    return { kind: "read", comparison, apart: false, listed: true, fresh };
  }

  function compared(
    readings: AsyncIterable<AdvisoryReading>,
    part?: { readonly listed: ReadonlyMap<string, Instant>; readonly records: number },
  ) {
    return compareWith(ports.log, feed.name, readings, at, (count) => progress(`${count} records read`), part);
  }

  /** Names in use that are newly denied, when they are more than may be. */
  async function namesHit(comparison: Comparison): Promise<number> {
    if (comparison.denied.size <= MASS_DENIAL) return 0;
    let hit = 0;
    for (const [name, served] of await ports.inUse(comparison.denied)) {
      const denied = await comparison.deniedOf(name);
      if (served.some((version) => matchesAffected(denied, name, version))) hit += 1;
    }
    return hit;
  }

  /** Each row is true by itself, so they need not be one transaction: who is stopped halfway finds the rest at the next sync. */
  async function keep({ changes }: Comparison, mass: boolean): Promise<void> {
    let batch: ClaimChange[] = [];
    let done = 0;
    for (const change of changes.values()) {
      batch.push({ ...change, mass: mass && change.document !== undefined });
      if (batch.length < KEPT_AT_ONCE) continue;
      await ports.log.add(feed.name, batch, at);
      progress(`${(done += batch.length)} of ${changes.size} kept`);
      batch = [];
    }
    await ports.log.add(feed.name, batch, at);
  }
}

const KEPT_AT_ONCE = 5_000;

/** The list may give a part of a second that the record does not. */
const SLACK = 1_000;

/** A whole feed and its list are made at different moments: where they differ the list counts, and a record it knows a newer form of is not read. */
async function* newerFirst(
  newer: AsyncIterable<AdvisoryReading>,
  whole: AsyncIterable<AdvisoryReading>,
  listed: ReadonlyMap<string, Instant>,
): AsyncGenerator<AdvisoryReading> {
  yield* newer;
  for await (const reading of whole) {
    const { advisory } = reading;
    const changed = advisory && listed.get(advisory.id);
    if (advisory === undefined || (changed !== undefined && (advisory.modified ?? changed) >= changed - SLACK)) yield reading;
  }
}

/** Validators of the list, new ones or, where it was not read, those known. */
function listState(delta: Delta, { listEtag, listLastModified }: FeedState): Partial<FeedState> {
  if (delta.kind === "part") return present({ listEtag: delta.validators.etag, listLastModified: delta.validators.lastModified });
  return delta.kind === "unchanged" ? present({ listEtag, listLastModified }) : {};
}

function nothing(name: string, records: number) {
  return { name, records, added: 0, changed: 0, withdrawn: 0, problems: 0, firstProblems: [] };
}

/** As a digest: a signed address is a secret. */
function placeOf({ url, path, kind, claims }: FeedConfig): string {
  return sha256([kind, claims, url ?? path].join(" "));
}
