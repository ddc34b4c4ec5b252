/**
 * What a version's release says beside those before it, from the packument alone: facts, no opinions. Signals compare; here it is only
 * settled what with, and what the order of releases tells.
 */
import { DAY, HOUR, type Instant } from "../base/time.ts";
import { isPrereleaseLine, lineOf } from "../npm/line.ts";
import { scopeOf } from "../npm/name.ts";
import { classifySpec, isPlainSpec, satisfying } from "../npm/ranges.ts";
import type { Release } from "../npm/release.ts";
import type { AgeBasis } from "./facts.ts";
import { type PackageRecord, type VersionHistory, historyOf } from "./history.ts";
import { numbersOf, type Numbered, type OddNumber, oddNumber } from "./odd-number.ts";
import { type Publish, type PublisherBurst, publisherBurst } from "./publisher-burst.ts";
import { type Candidate, type Comparison, type ComparisonOptions, candidatesOf, compareWith, isBefore } from "./predecessor.ts";

export type NewDependency = {
  /** The package that is fetched; for an alias its target. */
  readonly name: string;
  readonly spec: string;
  readonly optional: boolean;
  /** It lives in the same scope, or in the scope of the package's own name: publishing there takes rights of the same project. */
  readonly sibling: boolean;
  /** Starts of age: of its oldest version, and of the oldest one the spec accepts. Absent when this gate has not seen the package. */
  readonly known?: { readonly since: Instant; readonly matching?: Instant };
};

/** Versions published close together. */
export type Burst = {
  /** Of the same kind, within an hour before or after it, itself included; and in how many lines. */
  readonly versions: number;
  readonly lines: number;
  /** The most within any hour of the 90 days before. */
  readonly usualVersions: number;
  readonly usualLines: number;
};

export type ReleaseFacts = Comparison & {
  readonly own: Release;
  /** Start of age of the package's oldest version. */
  readonly packageSince: Instant;
  /** Milliseconds since the release before it, of any kind. */
  readonly quiet?: number;
  /** Absent when its publish time is not the registry's own. */
  readonly burst?: Burst;
  /** Others that its publisher published at the same time; absent where none are known, and for CI jobs, which share a name. */
  readonly publisherBurst?: PublisherBurst;
  /** A higher stable line stood already: its highest version then, and when the line began. */
  readonly oldLine?: { readonly newest: string; readonly since: Instant };
  /** How its number stands out among those before it. */
  readonly oddNumber?: OddNumber;
  /**
   * The times of earlier versions are no order of publishing: a mirror wrote the days of its own copying. Then nothing can be said to be
   * new, and differences are told, not acted on.
   */
  readonly shuffled?: true;
  /** Required for the first time among all it is compared with. Empty when there is nothing to compare with. */
  readonly newDependencies: readonly NewDependency[];
};

export type ReleaseOptions = ComparisonOptions & {
  /** What is stored of other packages. */
  readonly recordOf: (name: string) => PackageRecord | undefined;
  /** What is known of a publisher's other packages. */
  readonly publishedBy?: ((publisher: string) => readonly Publish[]) | undefined;
};

type Age = { readonly start: Instant; readonly basis: AgeBasis };

/** One listed version; its line and rank are read once, because every young version looks at all of them. */
type Dated = Age & {
  readonly version: string;
  readonly stable: boolean;
  readonly line: string;
  readonly rank: number;
  readonly numbers: Numbered["numbers"];
};

/** Answers for one version; undefined when its release was not read in detail. */
export type ReleaseLook = (version: string) => ReleaseFacts | undefined;

/** What all releases of a package share is made when it is first asked for. */
export function releaseLook(
  record: PackageRecord,
  ageOf: (record: PackageRecord, history: VersionHistory) => Age,
  options: ReleaseOptions,
): ReleaseLook {
  const releases = record.summary.releases ?? {};
  const startsOf = (of: PackageRecord) =>
    of.summary.versions.flatMap(({ version }) => {
      const history = historyOf(of, version);
      return history ? [{ version, ...ageOf(of, history) }] : [];
    });
  let shared: Timeline | undefined;
  const known = new Map<string, ReleaseFacts | undefined>();

  function look(version: string): ReleaseFacts | undefined {
    shared ??= timelineOf(startsOf(record), releases);
    const place = shared.order.get(version);
    if (place === undefined) return undefined;
    const own = shared.all[place]!;
    const release = releases[version]!;
    const comparison = compareWith(shared.places.get(version)!, shared.candidates, options);
    const last = shared.all[place - 1];
    const burst = burstOf(place, shared.all);
    const { name: publisher, trusted } = release.publisher ?? {};
    const others = publisher === undefined || trusted || own.basis !== "registry-time" ? [] : (options.publishedBy?.(publisher) ?? []);
    const wave = publisherBurst(publisher ?? "", { name: record.name, at: own.start }, others);
    const oldLine = oldLineOf(place, shared.all);
    const number = oddNumber(own, shared.all.slice(0, place));
    let settled = place;
    while (settled >= 0 && shared.all[settled]!.start > own.start - options.hold) settled -= 1;
    const shuffled = (shared.disorder[settled] ?? 0) >= DISORDER;
    return {
      own: release,
      ...comparison,
      packageSince: shared.all[0]!.start,
      ...(last === undefined ? {} : { quiet: own.start - last.start }),
      ...(burst === undefined ? {} : { burst }),
      ...(wave === undefined ? {} : { publisherBurst: wave }),
      ...(oldLine === undefined ? {} : { oldLine }),
      ...(number === undefined || shuffled ? {} : { oddNumber: number }),
      ...(shuffled ? { shuffled } : {}),
      newDependencies: newDependenciesOf(record.name, release, comparison, (name) => {
        const other = options.recordOf(name);
        return other && { record: other, starts: startsOf(other) };
      }),
    };
  }

  return (version) => {
    if (!Object.hasOwn(releases, version)) return undefined;
    if (!known.has(version)) known.set(version, look(version));
    return known.get(version);
  };
}

/** Oldest first. */
type Timeline = {
  readonly all: readonly Dated[];
  readonly order: ReadonlyMap<string, number>;
  /** For each of them, how many up to it stand out of order. */
  readonly disorder: readonly number[];
  /** Those read in detail, and where among them a version is. */
  readonly candidates: readonly Candidate[];
  readonly places: ReadonlyMap<string, number>;
};

function timelineOf(starts: readonly (Age & { readonly version: string })[], releases: Readonly<Record<string, Release>>): Timeline {
  const all = starts
    .map(({ version, start, basis }): Dated => {
      const line = lineOf(version);
      return { version, start, basis, line, stable: !isPrereleaseLine(line), rank: rankOf(line), numbers: numbersOf(version) };
    })
    .toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  const candidates = candidatesOf(
    all.flatMap(({ version, start }) => (Object.hasOwn(releases, version) ? [{ version, start, release: releases[version]! }] : [])),
  );
  const places = new Map(candidates.map(({ compared }, place) => [compared.version, place]));
  const order = new Map(all.map(({ version }, place) => [version, place]));
  return { all, order, disorder: disorderOf(all), candidates, places };
}

/**
 * From so many on, times are no order. Nobody publishes 1.4.1 after 1.4.2, or 1.4.0 after 1.5.0; only versions older than the hold count,
 * so that a thief who does to be believed a mirror has been held for it before.
 */
const DISORDER = 3;

function disorderOf(all: readonly Dated[]): readonly number[] {
  const highest = new Map<string, number>();
  let count = 0;
  /** Whether something higher stood in the sequence already. */
  const isLate = (sequence: string, number: number): boolean => {
    const before = highest.get(sequence) ?? -1;
    highest.set(sequence, Math.max(before, number));
    return number < before;
  };
  return all.map(({ stable, numbers }) => {
    if (!stable) return count;
    const [major, minor, patch] = numbers;
    const late = [isLate(`${major}.${minor}`, patch), isLate(`${major}`, minor) && patch === 0, isLate("", major) && minor + patch === 0];
    if (late.includes(true)) count += 1;
    return count;
  });
}

/** Only the registry's own times tell when something was published: what came back, or was first seen here, comes in lots. */
function burstOf(place: number, all: readonly Dated[]): Burst | undefined {
  const own = all[place]!;
  if (own.basis !== "registry-time") return undefined;
  let [from, to] = [place, place];
  while (from > 0 && all[from - 1]!.start >= own.start - 90 * DAY) from -= 1;
  while (to + 1 < all.length && all[to + 1]!.start <= own.start + HOUR) to += 1;
  const kin = all.slice(from, to + 1).filter(({ basis, stable }) => basis === "registry-time" && stable === own.stable);
  const now = kin.filter(({ start }) => start >= own.start - HOUR);
  const usual = peakWithinAnHour(kin.slice(0, kin.length - now.length));
  return { versions: now.length, lines: new Set(now.map(({ line }) => line)).size, usualVersions: usual.versions, usualLines: usual.lines };
}

/** The most versions, and the most lines, within any hour; one pass, because a mirror may have copied thousands in one. */
function peakWithinAnHour(some: readonly Dated[]): { readonly versions: number; readonly lines: number } {
  const lines = new Map<string, number>();
  const peak = { versions: 0, lines: 0 };
  let first = 0;
  for (const [last, { start, line }] of some.entries()) {
    lines.set(line, (lines.get(line) ?? 0) + 1);
    for (; some[first]!.start < start - HOUR; first += 1) {
      const left = lines.get(some[first]!.line)! - 1;
      if (left > 0) lines.set(some[first]!.line, left);
      else lines.delete(some[first]!.line);
    }
    peak.versions = Math.max(peak.versions, last - first + 1);
    peak.lines = Math.max(peak.lines, lines.size);
  }
  return peak;
}

/** A line counts as standing when it began a month before: until then both are being released. */
const STANDING = 30 * DAY;

function oldLineOf(place: number, all: readonly Dated[]): ReleaseFacts["oldLine"] {
  const own = all[place]!;
  if (!own.stable) return undefined;
  const before = all.slice(0, place);
  let newest: Dated | undefined;
  let since: Instant | undefined;
  for (const one of before) {
    if (!one.stable || one.rank <= own.rank || one.rank < (newest?.rank ?? 0)) continue;
    if (one.rank !== newest?.rank) since = one.start;
    newest = one;
  }
  if (newest === undefined || since === undefined || since > own.start - STANDING) return undefined;
  // A lower line that began later is no old one: a mirror copied it late, or the makers count otherwise.
  const replaced = before.find(({ line }) => line === own.line)?.start ?? since;
  return replaced < since ? { newest: newest.version, since } : undefined;
}

/** The place of its line among the others: 1.x above 0.30.x above 0.29.x. */
function rankOf(line: string): number {
  const [major, minor] = line.split(".");
  return Number(major) * 1e6 + Number(minor ?? 0);
}

type Other = { readonly record: PackageRecord; readonly starts: readonly (Age & { readonly version: string })[] };

function newDependenciesOf(
  name: string,
  own: Release,
  { predecessor, mature, settled }: Comparison,
  find: (name: string) => Other | undefined,
): readonly NewDependency[] {
  const before = [predecessor, mature, ...settled].filter((one) => one !== undefined);
  if (before.length === 0) return [];
  const known = new Set(before.flatMap(({ release }) => [...namesOf(release)]));
  return dependenciesOf(own)
    .filter((one) => one.name !== name && !known.has(one.name))
    .map((one) => {
      const other = find(one.name);
      const sibling = isSibling(name, one.name);
      return other ? { ...one, sibling, known: agesOf(other, one.spec) } : { ...one, sibling };
    });
}

function isSibling(name: string, other: string): boolean {
  const scope = scopeOf(other);
  return scope !== undefined && (scope === scopeOf(name) || scope === `@${name}`);
}

/** What an install fetches from a registry. */
export type Requirement = Pick<NewDependency, "name" | "spec" | "optional">;

/** What an install fetches from a registry for its sake, less what it brings along; an alias counts as its target. */
export function dependenciesOf({ dependencies, optionalDependencies, bundled }: Release): readonly Requirement[] {
  const carried = new Set(bundled);
  return [dependencies, optionalDependencies].flatMap((map, index) =>
    Object.entries(map ?? {}).flatMap(([name, text]) => {
      const optional = index === 1;
      if (carried.has(name)) return [];
      if (text === "" || isPlainSpec(text)) return [{ name, spec: text || "*", optional }];
      const spec = classifySpec(text);
      if (spec.kind === "alias") return [{ name: spec.name, spec: spec.spec === "" ? "*" : spec.spec, optional }];
      return spec.kind === "version" || spec.kind === "range" || spec.kind === "tag" ? [{ name, spec: text, optional }] : [];
    }),
  );
}

/** Every name it has any relation with: a peer that becomes a dependency is no news. */
function namesOf(release: Release): ReadonlySet<string> {
  return new Set([
    ...Object.keys(release.dependencies ?? {}),
    ...Object.keys(release.optionalDependencies ?? {}),
    ...Object.keys(release.peerDependencies ?? {}),
    ...(release.bundled ?? []),
    ...dependenciesOf(release).map(({ name }) => name),
  ]);
}

function agesOf({ record, starts }: Other, spec: string): NonNullable<NewDependency["known"]> {
  const versions = starts.map(({ version }) => version);
  const accepted = new Set(satisfying(spec, record.summary.tags, versions));
  const matching = earliest(starts.filter(({ version }) => accepted.has(version)));
  return { since: earliest(starts) ?? record.firstSeen, ...(matching === undefined ? {} : { matching }) };
}

function earliest(ages: readonly Age[]): Instant | undefined {
  return ages.reduce<Instant | undefined>((least, { start }) => (least === undefined || start < least ? start : least), undefined);
}
