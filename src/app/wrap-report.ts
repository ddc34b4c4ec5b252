/**
 * What a wrapped run must tell: asked, withheld and installed compared, as plain data. The client itself says nothing when a range
 * falls back or an optional dependency drops out, so this is the only place where anyone learns of it. Pure.
 */
import { classifySpec, pick, satisfying } from "../core/npm/ranges.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { DecidedEntry, Entry } from "./decide-entries.ts";

/** Something installed, with what it asks for: enough to tell which withheld version would have been chosen. */
export type InstalledEntry = Entry & {
  readonly path: string;
  /** name → spec it declares. */
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

/** A spec in use. `by` reads as the subject of "asks for": `the project`, `this command`, `axios@1.14.0`. */
export type Wanted = { readonly name: string; readonly spec: string; readonly by: string };

/** What the gate kept from the client during the run. */
export type Withheld = {
  readonly name: string;
  /** Absent when the whole package was refused. */
  readonly version?: string;
  readonly verdict: Verdict;
  /** The client asked for it by name, and was refused; otherwise it was left out of an answer. */
  readonly refused: boolean;
  /** The upstream's tags that name it. */
  readonly tags: readonly string[];
  /** What to install instead, nearest first. */
  readonly instead: readonly string[];
};

export type Pinned = {
  readonly name: string;
  readonly version: string;
  readonly verdict: Verdict;
  readonly instead: readonly string[];
  readonly lockfile: string;
  /** 0 in binary files. */
  readonly line: number;
};

export type WrapFacts = {
  /** Exit status of the client; undefined when it was not started. */
  readonly client: number | undefined;
  /** Why it was not: what would have gone round the gate, a line each. */
  readonly stopped: readonly string[];
  readonly installed: readonly InstalledEntry[];
  /** Specs of the project itself and of the command line. */
  readonly wanted: readonly Wanted[];
  /** Verdicts of everything installed. */
  readonly decided: readonly DecidedEntry[];
  /** Installed, or locked where the client was not started, and nothing could be decided about it. */
  readonly undecided: readonly (Entry & { readonly why: string })[];
  readonly withheld: readonly Withheld[];
  /** Lockfile entries that are withheld, with where they stand. */
  readonly pinned: readonly Pinned[];
  /** Lockfile entries whose integrity is not the registry's. */
  readonly tampered: readonly Differing[];
  /** Optional packages for this platform that the lockfile or a manifest names. */
  readonly optional: readonly { readonly name: string; readonly version?: string; readonly wantedBy: string }[];
  /** Attempts to reach a registry past the gate, refused by the guard. */
  readonly bypass: readonly { readonly host: string; readonly port: number }[];
  /** Paths that could not be read. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  /** What no folder can tell, in plain words. */
  readonly notes: readonly string[];
  /** Requests the gate saw, and versions it served. */
  readonly requests: number;
  readonly served: number;
};

/** `path`: a folder, or a lockfile with line. `registry`: the integrity it should be. */
type Differing = { readonly name: string; readonly version: string; readonly path: string; readonly registry: string };

type Told = { readonly name: string; readonly version: string; readonly verdict: Verdict };

export type WrapReport = {
  /** Whether the client was. */
  readonly started: boolean;
  readonly stopped: WrapFacts["stopped"];
  /** Specs that fell back: the withheld version and what came instead. */
  readonly heldBack: readonly (Told & { readonly got: readonly string[] })[];
  /** Asked for, with nothing admitted that would do, and not installed. `by` and `lockfile` say who asked. */
  readonly refused: readonly (Omit<Told, "version"> & {
    readonly version?: string;
    readonly instead: readonly string[];
    readonly by?: string;
    readonly lockfile?: string;
    readonly line?: number;
  })[];
  /** Withheld, and installed all the same: from a warm cache, or past the gate. */
  readonly installedWithheld: readonly (Told & { readonly paths: readonly string[] })[];
  /** Installed, and withheld but for monitor mode. */
  readonly monitored: readonly Told[];
  /** Locked or installed with an integrity that is not the registry's. */
  readonly differs: readonly Differing[];
  /** Optional packages for this platform that did not arrive because they are withheld. */
  readonly droppedOut: readonly {
    readonly name: string;
    readonly version?: string;
    readonly wantedBy: string;
    readonly verdict: Verdict;
  }[];
  /** Left out of what the client was told, where nothing is installed that could show what it would have taken. */
  readonly leftOut: readonly Told[];
  readonly bypass: WrapFacts["bypass"];
  readonly unreadable: WrapFacts["unreadable"];
  readonly undecided: WrapFacts["undecided"];
  readonly notes: WrapFacts["notes"];
  readonly checked: number;
  readonly served: number;
  readonly requests: number;
  /**
   * 0 nothing to act on · 1 something withheld is installed or dropped out, or was asked for past the gate · 3 what is installed cannot be
   * read or judged. The client's own status wins when it is not 0.
   */
  readonly exit: 0 | 1 | 3;
};

export function wrapReport(facts: WrapFacts): WrapReport {
  const installed = versionsByName(facts.installed);
  const isInstalled = (name: string, version: string | undefined) =>
    version === undefined ? installed.has(name) : (installed.get(name)?.has(version) ?? false);
  const withheld = unique(facts.withheld).filter((one) => !isInstalled(one.name, one.version));
  const pinned = facts.pinned.filter((one) => !isInstalled(one.name, one.version));

  const droppedOut = facts.optional
    .filter(({ name, version }) => !isInstalled(name, version))
    .flatMap((one) => {
      const reason = [...pinned, ...withheld].find(
        ({ name, version }) => name === one.name && (version === undefined || one.version === undefined || version === one.version),
      );
      return reason ? [{ ...one, verdict: reason.verdict }] : [];
    });
  const dropped = new Set(droppedOut.map(({ name }) => name));

  const fates = fatesOf(facts, withheld, installed);
  const refused = new Map<string, WrapReport["refused"][number]>();
  const refuse = (one: WrapReport["refused"][number]) => {
    if (!dropped.has(one.name)) refused.set(`${one.name}@${one.version ?? ""}`, one);
  };
  for (const { name, version, verdict, instead, refused: asked } of withheld)
    if (asked) refuse({ name, ...(version === undefined ? {} : { version }), verdict, instead });
  for (const {
    version: { name, version, verdict, instead },
    by,
  } of fates.refused)
    refuse({ name, version, verdict, instead, by });
  for (const one of pinned) refuse(one);

  const installedWithheld = uniqueTold(facts.decided.filter((entry) => entry.withheld));
  const monitored = uniqueTold(facts.decided.filter((entry) => entry.verdict.monitored));
  const pathsOf = (name: string, version: string) =>
    facts.installed.filter((one) => one.name === name && one.version === version).map((one) => one.path);
  const differs = [
    ...facts.tampered,
    ...facts.decided.flatMap(({ name, version, differs: registry }) =>
      registry === undefined ? [] : [{ name, version, registry, path: pathsOf(name, version)[0] ?? "" }],
    ),
  ];
  // Only where nothing else shows what became of them: an install that failed, a question.
  const silent =
    (facts.installed.length === 0 || facts.client !== 0) && fates.heldBack.size === 0 && refused.size === 0 && dropped.size === 0;

  // Not started for what was found, rather than for want of an answer.
  const notStarted = facts.client === undefined && (facts.undecided.length === 0 || pinned.length > 0);
  const act = notStarted || installedWithheld.length > 0 || differs.length > 0 || facts.bypass.length > 0 || droppedOut.length > 0;
  return {
    started: facts.client !== undefined,
    stopped: facts.stopped,
    heldBack: [...fates.heldBack.values()],
    refused: [...refused.values()],
    installedWithheld: installedWithheld.map((one) => ({ ...one, paths: pathsOf(one.name, one.version) })),
    monitored,
    differs,
    droppedOut,
    leftOut: silent ? uniqueTold(withheld.filter(hasVersion).filter(isNews)) : [],
    bypass: facts.bypass,
    unreadable: facts.unreadable,
    undecided: facts.undecided,
    notes: facts.notes,
    checked: facts.decided.length,
    served: facts.served,
    requests: facts.requests,
    exit: act ? 1 : facts.unreadable.length > 0 || facts.undecided.length > 0 ? 3 : 0,
  };
}

type Version = Withheld & { readonly version: string };

function hasVersion(one: Withheld): one is Version {
  return one.version !== undefined;
}

/** Old releases that no client can read are none: a package like express has dozens. */
function isNews({ verdict, tags }: Withheld): boolean {
  return tags.length > 0 || verdict.reasons.some(({ id }) => id !== "malformed-version");
}

/** What became of each spec that would have taken a withheld version. */
function fatesOf(
  facts: WrapFacts,
  withheld: readonly Withheld[],
  installed: ReadonlyMap<string, ReadonlySet<string>>,
): {
  readonly heldBack: ReadonlyMap<string, WrapReport["heldBack"][number]>;
  readonly refused: readonly { readonly version: Version; readonly by: string }[];
} {
  const byName = new Map<string, Version[]>();
  for (const one of withheld.filter(hasVersion)) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  const heldBack = new Map<string, WrapReport["heldBack"][number]>();
  const refused: { version: Version; by: string }[] = [];
  for (const { name, spec, by } of specsInUse(facts)) {
    const kept = byName.get(name);
    if (!kept) continue;
    const here = [...(installed.get(name) ?? [])];
    const version = wouldHaveTaken(spec, kept, here);
    if (!version) continue;
    const got = fitting(spec, here, version.instead);
    if (got.length > 0) {
      const key = `${name}@${version.version}`;
      const before = heldBack.get(key)?.got ?? [];
      heldBack.set(key, { name, version: version.version, verdict: version.verdict, got: [...new Set([...before, ...got])] });
    } else if (fitting(spec, version.instead, version.instead).length === 0) refused.push({ version, by });
  }
  return { heldBack, refused };
}

/** The withheld version a client would have chosen for the spec, among what is installed; undefined when it is none of them. */
function wouldHaveTaken(spec: string, kept: readonly Version[], installed: readonly string[]): Version | undefined {
  const tags = Object.fromEntries(kept.flatMap(({ tags: named, version }) => named.map((tag) => [tag, version])));
  const tag = tagOf(spec);
  const candidates = [...kept.map(({ version }) => version), ...installed].map((version) => ({ version }));
  const taken = tag === undefined ? pick(spec, tags, candidates) : Object.hasOwn(tags, tag) ? tags[tag] : undefined;
  return kept.find(({ version }) => version === taken);
}

/** Which of `versions` the spec accepts. What a tag answers is known only by what the gate puts in its place. */
function fitting(spec: string, versions: readonly string[], instead: readonly string[]): readonly string[] {
  if (tagOf(spec) === undefined) return satisfying(spec, {}, versions);
  const answers = versions.filter((version) => instead.includes(version));
  return answers.length > 0 ? answers : versions;
}

/** `""`, `*` and `latest` all mean what the registry recommends. */
function tagOf(spec: string): string | undefined {
  if (spec === "" || spec === "*") return "latest";
  const read = classifySpec(spec);
  return read.kind === "tag" ? read.tag : undefined;
}

/** The project's, the command line's, and those of everything installed; an alias counts for its target. */
function specsInUse(facts: WrapFacts): readonly Wanted[] {
  const declared = facts.installed.flatMap((one) =>
    [one.dependencies, one.optionalDependencies].flatMap((map) =>
      Object.entries(map ?? {}).map(([name, spec]) => ({ name, spec, by: `${one.name}@${one.version}` })),
    ),
  );
  return [...facts.wanted, ...declared].map(({ name, spec, by }) => {
    const read = classifySpec(spec);
    return read.kind === "alias" ? { name: read.name, spec: read.spec, by } : { name, spec: spec.trim(), by };
  });
}

function versionsByName(installed: readonly InstalledEntry[]): ReadonlyMap<string, ReadonlySet<string>> {
  const versions = new Map<string, Set<string>>();
  for (const { name, version } of installed) {
    const known = versions.get(name);
    if (known) known.add(version);
    else versions.set(name, new Set([version]));
  }
  return versions;
}

/** Once each; what was refused by name says more than what was left out, what was left out knows the alternatives. */
function unique(withheld: readonly Withheld[]): readonly Withheld[] {
  const byKey = new Map<string, Withheld>();
  for (const one of withheld) {
    const key = `${one.name}@${one.version ?? ""}`;
    const before = byKey.get(key);
    byKey.set(key, before ? { ...longer(before, one), verdict: one.verdict, refused: before.refused || one.refused } : one);
  }
  return [...byKey.values()];
}

function longer(a: Withheld, b: Withheld): Withheld {
  return a.instead.length + a.tags.length >= b.instead.length + b.tags.length ? a : b;
}

function uniqueTold(entries: readonly Told[]): readonly Told[] {
  return [...new Map(entries.map(({ name, version, verdict }) => [`${name}@${version}`, { name, version, verdict }])).values()];
}
