/**
 * A package record as text: small enough to keep for every package ever seen, quick enough to read on a request (a record of 3,500
 * versions takes a few milliseconds).
 *
 * Versions are stored as columns, one array for each field: keys appear once, equal neighbours are counted instead of repeated, and
 * what can be derived (the tarball's URL, an integrity that history shares with the newest answer) is not stored at all.
 * `head` holds what every answer changes, `body` the rest.
 */
import { present } from "../../core/base/present.ts";
import type { Instant } from "../../core/base/time.ts";
import { historyOf, type PackageRecord, type VersionHistory } from "../../core/facts/history.ts";
import { shasumToIntegrity } from "../../core/npm/integrity.ts";
import type { Release } from "../../core/npm/release.ts";
import type { PackumentSummary, VersionSummary } from "../../core/npm/summary.ts";
import { parseStored } from "./json.ts";

export type StoredRecord = { readonly head: string; readonly body: string };

type Head = Omit<PackageRecord, "name" | "versions" | "tags" | "summary">;

type Body = {
  readonly format: 1;
  readonly tags: Readonly<Record<string, readonly (readonly [version: string, since: Instant, until?: Instant])[]>>;
  readonly summary: Omit<PackumentSummary, "name" | "versions" | "releases">;
  /** Releases in detail; absent when there are none. */
  readonly releases?: Releases;
  /** Those of the newest answer in its order, then the others. */
  readonly versions: readonly string[];
  /** How many of `versions` the newest answer lists. */
  readonly listed: number;
  /** What stands before and after the version in the usual tarball URL. */
  readonly tarballs: readonly string[];
  /** Names and specs of dependencies, each once. */
  readonly words: readonly string[];
  /** Each different `requires`, as indexes into `words`: name, spec, name, spec. */
  readonly requires: readonly (readonly number[])[];
  readonly claims: Claims;
  readonly seen: Seen;
};

/** A column for every field of the type, those that hold nothing left out: a field added to the type does not compile without one. */
type Columns<T, Stored> = {
  readonly [Field in keyof Required<T>]: Column<Field extends keyof Stored ? Stored[Field] : Required<T>[Field]> | undefined;
};
type Claims = Columns<Omit<VersionSummary, "version">, { tarball: string | Derived; requires: number }>;
type Seen = Columns<VersionHistory, { integrity: string | Derived; fetched: string | Derived }>;

/** One value for each version, null where there is none; or, when that is shorter, value, count, value, count. */
type Column<T> = readonly (T | null)[] | { readonly runs: readonly (T | number | null)[] };

/** In a column of texts: the one it can be derived from. */
type Derived = 0;

/** Releases of one package say mostly the same: each different field with its value once, and for each version which of them it has. */
type Releases = {
  readonly parts: readonly (readonly [field: string, value: unknown])[];
  readonly of: Readonly<Record<string, readonly number[]>>;
};

export function encodeRecord(record: PackageRecord): StoredRecord {
  const { name: _name, versions: histories, tags, summary, ...head } = record;
  const { name: _sameName, versions: entries, releases, ...document } = summary;
  const listed = new Set(entries.map((entry) => entry.version));
  const versions = [...entries.map((entry) => entry.version), ...Object.keys(histories).filter((version) => !listed.has(version))];
  const seen = versions.map((version) => historyOf(record, version));
  const requires = requiresTable();
  const tarballs = usualTarball(entries);
  const body: Body = {
    format: 1,
    tags: mapValues(tags, (values) =>
      values.map(({ version, since, until }) => (until === undefined ? [version, since] : [version, since, until])),
    ),
    summary: document,
    ...(releases === undefined ? {} : { releases: packReleases(releases) }),
    versions,
    listed: entries.length,
    tarballs,
    claims: {
      integrity: pack(entries, (entry) => entry.integrity),
      shasum: pack(entries, (entry) => entry.shasum),
      tarball: pack(entries, (entry) => derived(entry.tarball, tarballs.join(entry.version))),
      time: pack(entries, (entry) => entry.time),
      deprecated: pack(entries, (entry) => entry.deprecated),
      requires: pack(entries, (entry) => entry.requires && requires.index(entry.requires)),
      scripts: pack(entries, (entry) => entry.scripts),
    },
    seen: {
      firstSeen: pack(seen, (history) => history?.firstSeen),
      lastListed: pack(seen, (history) => history?.lastListed),
      integrity: pack(seen, (history, index) => history && derived(history.integrity, claimedIntegrity(entries[index]))),
      changed: pack(seen, (history) => history?.changed),
      fetched: pack(seen, (history, index) => history && derived(history.fetched, claimedIntegrity(entries[index]))),
      claimed: pack(seen, (history) => history?.claimed),
      absentBefore: pack(seen, (history) => history?.absentBefore),
      goneSince: pack(seen, (history) => history?.goneSince),
      gone: pack(seen, (history) => history?.gone),
      returned: pack(seen, (history) => history?.returned),
      deprecatedSince: pack(seen, (history) => history?.deprecatedSince),
      served: pack(seen, (history) => history?.served),
    },
    ...requires.tables(),
  };
  return { head: JSON.stringify(head), body: JSON.stringify(body) };
}

/** Raises STORE_BROKEN naming the package when the text is damaged. */
export function decodeRecord(name: string, stored: StoredRecord): PackageRecord {
  const head = parseStored<Head>(stored.head, `the stored record of ${name}`);
  const body = parseStored<Body>(stored.body, `the stored record of ${name}`);
  const entries = readClaims(body);
  return {
    name,
    ...head,
    versions: readHistories(body, entries),
    tags: mapValues(body.tags, (values) => values.map(([version, since, until]) => present({ version, since, until }))),
    summary: {
      name,
      ...body.summary,
      versions: entries,
      ...(body.releases === undefined ? {} : { releases: readReleases(body.releases) }),
    },
  };
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

// The two loops below assign field by field, not by name of column: thousands of versions, and this way the engine compiles them well.

function readClaims({ claims, versions, listed, tarballs, words, requires: lists }: Body): readonly VersionSummary[] {
  const integrity = unpack(claims.integrity);
  const shasum = unpack(claims.shasum);
  const tarball = unpack(claims.tarball);
  const time = unpack(claims.time);
  const deprecated = unpack(claims.deprecated);
  const requires = unpack(claims.requires);
  const scripts = unpack(claims.scripts);
  const maps = lists.map((list) => requiresOf(list, words));
  const entries: VersionSummary[] = [];
  for (let at = 0; at < listed; at += 1) {
    const version = versions[at]!;
    const entry: Mutable<VersionSummary> = { version };
    if (integrity[at] != null) entry.integrity = integrity[at]!;
    if (shasum[at] != null) entry.shasum = shasum[at]!;
    if (tarball[at] != null) entry.tarball = original(tarball[at]!, tarballs.join(version));
    if (time[at] != null) entry.time = time[at]!;
    if (deprecated[at] != null) entry.deprecated = deprecated[at]!;
    if (requires[at] != null) entry.requires = maps[requires[at]!]!;
    if (scripts[at] != null) entry.scripts = scripts[at]!;
    entries.push(entry);
  }
  return entries;
}

function readHistories({ seen, versions }: Body, entries: readonly VersionSummary[]): Record<string, VersionHistory> {
  const firstSeen = unpack(seen.firstSeen);
  const lastListed = unpack(seen.lastListed);
  const integrity = unpack(seen.integrity);
  const changed = unpack(seen.changed);
  const fetched = unpack(seen.fetched);
  const claimed = unpack(seen.claimed);
  const absentBefore = unpack(seen.absentBefore);
  const goneSince = unpack(seen.goneSince);
  const gone = unpack(seen.gone);
  const returned = unpack(seen.returned);
  const deprecatedSince = unpack(seen.deprecatedSince);
  const served = unpack(seen.served);
  const histories = dictionary<VersionHistory>();
  for (let at = 0; at < versions.length; at += 1) {
    // Listed, but never taken into history.
    if (firstSeen[at] == null) continue;
    const history: Mutable<VersionHistory> = { firstSeen: firstSeen[at]! };
    if (lastListed[at] != null) history.lastListed = lastListed[at]!;
    if (integrity[at] != null) history.integrity = original(integrity[at]!, claimedIntegrity(entries[at]));
    if (changed[at] != null) history.changed = changed[at]!;
    if (fetched[at] != null) history.fetched = original(fetched[at]!, claimedIntegrity(entries[at]));
    if (claimed[at] != null) history.claimed = claimed[at]!;
    if (absentBefore[at] != null) history.absentBefore = absentBefore[at]!;
    if (goneSince[at] != null) history.goneSince = goneSince[at]!;
    if (gone[at] != null) history.gone = gone[at]!;
    if (returned[at] != null) history.returned = returned[at]!;
    if (deprecatedSince[at] != null) history.deprecatedSince = deprecatedSince[at]!;
    if (served[at] != null) history.served = served[at]!;
    histories[versions[at]!] = history;
  }
  return histories;
}

function packReleases(releases: Readonly<Record<string, Release>>): Releases {
  const parts: [string, unknown][] = [];
  const known = new Map<string, number>();
  const place = (part: [string, unknown]): number => {
    const text = JSON.stringify(part);
    const found = known.get(text) ?? parts.push(part) - 1;
    known.set(text, found);
    return found;
  };
  return { parts, of: mapValues(releases, (release) => Object.entries(release).map(place)) };
}

function readReleases({ parts, of }: Releases): Readonly<Record<string, Release>> {
  return Object.fromEntries(
    Object.entries(of).map(([version, places]): [string, Release] => [version, Object.fromEntries(places.map((place) => parts[place]!))]),
  );
}

function derived(value: string | undefined, from: string | undefined): string | Derived | undefined {
  return value === from && value !== undefined ? 0 : value;
}

function original(stored: string | Derived, from: string | undefined): string {
  return stored === 0 ? from! : stored;
}

function claimedIntegrity(entry: VersionSummary | undefined): string | undefined {
  return entry?.integrity ?? shasumToIntegrity(entry?.shasum ?? "");
}

/** The first tarball URL, cut at its version; an empty pair when there is none to learn from. */
function usualTarball(entries: readonly VersionSummary[]): readonly string[] {
  for (const { tarball, version } of entries) {
    const at = tarball?.lastIndexOf(version) ?? -1;
    if (at !== -1) return [tarball!.slice(0, at), tarball!.slice(at + version.length)];
  }
  return ["", ""];
}

/** Neighbouring versions mostly require the same; those that do share one list. */
function requiresTable() {
  const words = new Map<string, number>();
  const lists: number[][] = [];
  const word = (text: string): number => {
    let index = words.get(text);
    if (index === undefined) words.set(text, (index = words.size));
    return index;
  };
  return {
    index(requires: Readonly<Record<string, string>>): number {
      const list: number[] = [];
      for (const name of Object.keys(requires)) list.push(word(name), word(requires[name]!));
      const last = lists.at(-1);
      const same = last?.length === list.length && list.every((value, at) => value === last[at]);
      return (same ? lists.length : lists.push(list)) - 1;
    },
    tables: () => ({ words: [...words.keys()], requires: lists }),
  };
}

/** Plain objects, not dictionaries: there are thousands of one shape, and so they are a third as large and built three times as fast. */
function requiresOf(list: readonly number[], words: readonly string[]): Readonly<Record<string, string>> {
  const requires: Record<string, string> = {};
  for (let at = 0; at < list.length; at += 2) {
    const name = words[list[at]!]!;
    const spec = words[list[at + 1]!]!;
    if (name !== "__proto__") requires[name] = spec;
    else Object.defineProperty(requires, name, { value: spec, enumerable: true, configurable: true, writable: true });
  }
  return requires;
}

function pack<Row, T extends string | number | boolean | object>(
  rows: readonly Row[],
  field: (row: Row, index: number) => T | undefined,
): Column<T> | undefined {
  const values = rows.map((row, index) => field(row, index) ?? null);
  const runs: (T | number | null)[] = [];
  let last: T | null | undefined;
  let count = 0;
  for (const value of values) {
    if (value !== last || count === 0) {
      if (count > 0) runs.push(last!, count);
      if (runs.length >= values.length) return values;
      last = value;
      count = 0;
    }
    count += 1;
  }
  if (count > 0) runs.push(last!, count);
  return runs.length === 0 || (runs.length === 2 && last === null) ? undefined : { runs };
}

function unpack<T>(column: Column<T> | undefined): readonly (T | null)[] {
  if (column === undefined) return [];
  if (!("runs" in column)) return column;
  const values: (T | null)[] = [];
  for (let at = 0; at < column.runs.length; at += 2) {
    for (let count = column.runs[at + 1] as number; count > 0; count -= 1) values.push(column.runs[at] as T | null);
  }
  return values;
}

function mapValues<From, To>(from: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  const to = dictionary<To>();
  for (const [key, value] of Object.entries(from)) to[key] = change(value);
  return to;
}

/** Names, versions and tags come from outside: `__proto__` is one of them. */
function dictionary<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
