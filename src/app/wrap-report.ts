/**
 * What a wrapped run must tell: asked, withheld and installed compared, as plain data. The client itself says nothing when a range
 * falls back or an optional dependency drops out, so this is the only place where anyone learns of it. Pure.
 */
import semver from "semver";
import { satisfying } from "../core/npm/ranges.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { DecidedEntry, Entry } from "./decide-entries.ts";

/** Something installed, with what it asks for: enough to tell which withheld version would have been chosen. */
export type InstalledEntry = Entry & {
  readonly path: string;
  /** name → spec it declares. */
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

export type WrapFacts = {
  /** Exit status of the client; undefined when it was not started. */
  readonly client: number | undefined;
  readonly installed: readonly InstalledEntry[];
  /** Specs of the project itself and of the command line: name → specs. */
  readonly wanted: ReadonlyMap<string, readonly string[]>;
  /** Verdicts of everything installed. */
  readonly decided: readonly DecidedEntry[];
  readonly undecided: readonly (Entry & { readonly why: string })[];
  /** Versions the gate left out of packuments or refused during the run. */
  readonly withheld: readonly { readonly name: string; readonly version: string; readonly verdict: Verdict; readonly refused: boolean }[];
  /** Lockfile entries that are withheld, with where they stand. */
  readonly pinned: readonly {
    readonly name: string;
    readonly version: string;
    readonly verdict: Verdict;
    readonly lockfile: string;
    readonly line: number;
  }[];
  /** Optional packages for this platform that the lockfile or a manifest names. */
  readonly optional: readonly { readonly name: string; readonly version?: string; readonly wantedBy: string }[];
  /** Attempts to reach a registry past the gate, refused by the guard. */
  readonly bypass: readonly { readonly host: string; readonly port: number }[];
  /** Paths that could not be read. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  /** Requests the gate saw. */
  readonly requests: number;
};

export type WrapReport = {
  /** Ranges that fell back: the withheld version and what came instead. */
  readonly heldBack: readonly {
    readonly name: string;
    readonly version: string;
    readonly got: readonly string[];
    readonly verdict: Verdict;
  }[];
  /** Asked for by exact name and refused, and not installed. */
  readonly refused: readonly {
    readonly name: string;
    readonly version: string;
    readonly verdict: Verdict;
    readonly lockfile?: string;
    readonly line?: number;
  }[];
  /** Withheld, and installed all the same: from a warm cache, or past the gate. */
  readonly installedWithheld: readonly {
    readonly name: string;
    readonly version: string;
    readonly verdict: Verdict;
    readonly paths: readonly string[];
  }[];
  /** Installed bytes whose lockfile integrity is not the registry's. */
  readonly differs: readonly { readonly name: string; readonly version: string; readonly path: string; readonly registry: string }[];
  /** Optional packages for this platform that did not arrive because they are withheld. */
  readonly droppedOut: readonly {
    readonly name: string;
    readonly version?: string;
    readonly wantedBy: string;
    readonly verdict?: Verdict;
  }[];
  readonly bypass: WrapFacts["bypass"];
  readonly unreadable: WrapFacts["unreadable"];
  readonly undecided: WrapFacts["undecided"];
  readonly checked: number;
  readonly requests: number;
  /** 0 nothing to act on · 1 something withheld is installed, bypassed or dropped out · 3 what is installed cannot be read. The client's own status wins when it is not 0. */
  readonly exit: number;
};

export function wrapReport(facts: WrapFacts): WrapReport {
  const installedVersions = new Map<string, Set<string>>();
  for (const one of facts.installed) {
    const versions = installedVersions.get(one.name) ?? new Set();
    versions.add(one.version);
    installedVersions.set(one.name, versions);
  }
  const isInstalled = (name: string, version: string) => installedVersions.get(name)?.has(version) ?? false;
  const specs = specsByName(facts);
  const withheld = unique(facts.withheld);

  const installedWithheld = new Map<string, { name: string; version: string; verdict: Verdict; paths: string[] }>();
  for (const entry of facts.decided) {
    if (!entry.withheld) continue;
    const key = `${entry.name}@${entry.version}`;
    const paths = facts.installed.filter((one) => one.name === entry.name && one.version === entry.version).map((one) => one.path);
    installedWithheld.set(key, { name: entry.name, version: entry.version, verdict: entry.verdict, paths });
  }

  const heldBack = withheld
    .filter(({ name, version }) => !isInstalled(name, version) && installedVersions.has(name))
    .filter(({ name, version }) => {
      const got = [...installedVersions.get(name)!];
      // Only what a range in use would have chosen is news: newer than what came, and allowed by somebody's spec.
      return (specs.get(name) ?? []).some((spec) => newest(satisfying(spec, {}, [version, ...got])) === version || isTag(spec));
    })
    .filter((one, _index, all) => newestOf(one, all, specs))
    .map(({ name, version, verdict }) => ({ name, version, verdict, got: [...installedVersions.get(name)!] }));

  const refused = new Map<string, WrapReport["refused"][number]>();
  for (const one of withheld)
    if (one.refused && !isInstalled(one.name, one.version))
      refused.set(`${one.name}@${one.version}`, { name: one.name, version: one.version, verdict: one.verdict });
  for (const one of facts.pinned) if (!isInstalled(one.name, one.version)) refused.set(`${one.name}@${one.version}`, one);

  const verdictOf = (name: string, version: string | undefined) =>
    facts.pinned.find((one) => one.name === name && (version === undefined || one.version === version))?.verdict ??
    withheld.find((one) => one.name === name && (version === undefined || one.version === version))?.verdict;
  const droppedOut = facts.optional
    .filter(({ name, version }) => (version === undefined ? !installedVersions.has(name) : !isInstalled(name, version)))
    .map((one) => ({ ...one, verdict: verdictOf(one.name, one.version) }))
    .filter((one) => one.verdict !== undefined) as WrapReport["droppedOut"];

  const differs = facts.decided
    .filter((entry) => entry.differs !== undefined)
    .map((entry) => ({
      name: entry.name,
      version: entry.version,
      path: facts.installed.find((one) => one.name === entry.name && one.version === entry.version)?.path ?? "",
      registry: entry.differs!,
    }));

  const act =
    installedWithheld.size > 0 || differs.length > 0 || facts.bypass.length > 0 || droppedOut.length > 0 || facts.client === undefined;
  return {
    heldBack,
    refused: [...refused.values()],
    installedWithheld: [...installedWithheld.values()],
    differs,
    droppedOut,
    bypass: facts.bypass,
    unreadable: facts.unreadable,
    undecided: facts.undecided,
    checked: facts.decided.length,
    requests: facts.requests,
    exit: act ? 1 : facts.unreadable.length > 0 ? 3 : 0,
  };
}

/** Every spec in use for a name: the project's, the command line's, and those of everything installed. */
function specsByName(facts: WrapFacts): Map<string, string[]> {
  const specs = new Map<string, string[]>();
  const add = (name: string, spec: string) => specs.set(name, [...(specs.get(name) ?? []), spec]);
  for (const [name, wanted] of facts.wanted) for (const spec of wanted) add(name, spec);
  for (const one of facts.installed)
    for (const map of [one.dependencies, one.optionalDependencies]) for (const [name, spec] of Object.entries(map ?? {})) add(name, spec);
  return specs;
}

/** `axios`, `axios@latest`: no range at all. */
function isTag(spec: string): boolean {
  return spec === "" || spec === "latest";
}

function newest(versions: readonly string[]): string | undefined {
  return semver.maxSatisfying([...versions], "*", { includePrerelease: true, loose: true }) ?? undefined;
}

/** Among several withheld versions a range would have taken, only the newest would have been chosen. */
function newestOf(
  one: { name: string; version: string },
  all: readonly { name: string; version: string }[],
  specs: Map<string, string[]>,
): boolean {
  const rivals = all.filter((other) => other.name === one.name).map((other) => other.version);
  return (specs.get(one.name) ?? [""]).some((spec) => newest(satisfying(isTag(spec) ? "*" : spec, {}, rivals)) === one.version);
}

function unique(withheld: WrapFacts["withheld"]): WrapFacts["withheld"] {
  const byKey = new Map<string, WrapFacts["withheld"][number]>();
  for (const one of withheld) {
    const key = `${one.name}@${one.version}`;
    const before = byKey.get(key);
    byKey.set(key, before && before.refused ? before : one);
  }
  return [...byKey.values()];
}
