/**
 * Whether what a version requires can be installed, from packuments alone (design §4, dependency-withheld). Only young versions,
 * and those that require a name with a denied version, are followed: the greatest set in which everything can be installed,
 * reckoned as the earliest moment each version becomes installable. Cycles hold nothing by themselves.
 */
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { type Instant, instant, isoMinute } from "../base/time.ts";
import { ageOf } from "../facts/facts-of.ts";
import { type PackageRecord, historyOf } from "../facts/history.ts";
import { classifySpec, satisfying } from "../npm/ranges.ts";
import type { VersionSummary } from "../npm/summary.ts";
import type { Verdict } from "../policy/verdict.ts";

/** A package as its dependents see it. */
export type PackageView = {
  readonly record: PackageRecord;
  /** Verdicts by the versions' own signals; a listed version that is not in it is plainly allowed. */
  readonly own: ReadonlyMap<string, Verdict>;
};

/** Undefined: the package was never fetched. */
export type Lookup = (name: string) => PackageView | undefined;

/** A requirement no matching version of which is admitted. `review`: nothing but a person ends it; else `until` absent = some answer does. */
export type Blocked = { readonly name: string; readonly spec: string; readonly until?: Instant; readonly candidates: readonly string[] };

/** A requirement nothing was decided about. */
export type Unseen = { readonly name: string; readonly spec: string; readonly why: string };

export type Availability = { readonly blocked: readonly Blocked[]; readonly unseen: readonly Unseen[] };

export type WalkOptions = {
  readonly lookup: Lookup;
  /** Names known to have a denied version. */
  readonly denied: ReadonlySet<string>;
  /** Whether a baseline was accepted (`ageOf`). */
  readonly baseline: boolean;
  readonly now: Instant;
};

/** Answers for one version; undefined when it is not judged by its dependencies. Remembers what it found, so use one walk per `now`. */
export type Walk = (view: PackageView, entry: VersionSummary) => Availability | undefined;

export function dependencyWalk(options: WalkOptions): Walk {
  const nodes = new Map<string, Node>();
  return (view, entry) => {
    if (!isJudged(view.record, entry, options)) return undefined;
    const node = nodes.get(keyOf(view, entry.version)) ?? explore(view, entry, nodes, options);
    return { blocked: node.requirements.flatMap((requirement) => blockedBy(requirement, options.now)), unseen: node.unseen };
  };
}

/** When a version becomes installable: 0 = now, OPEN = when some answer or check comes, NEVER = not without a person. */
type Moment = number;
const OPEN = Number.MAX_VALUE;
const NEVER = Infinity;

type Node = {
  readonly view: PackageView;
  readonly entry: VersionSummary;
  /** By its own signals. */
  readonly own: Moment;
  readonly requirements: Requirement[];
  readonly unseen: Unseen[];
  available: Moment;
};

type Requirement = {
  readonly name: string;
  readonly spec: string;
  /** Matching versions that are followed further. */
  readonly nodes: readonly Node[];
  /** Matching versions that are not, with the moment their own signals allow. */
  readonly others: readonly { readonly version: string; readonly own: Moment; readonly why: string }[];
};

function keyOf(view: PackageView, version: string): string {
  return `${view.record.name}@${version}`;
}

/** Design §4: "judged for versions under 14 days old, or whose dependency carries a deny". */
export function isJudged(record: PackageRecord, entry: VersionSummary, { denied, baseline, now }: Omit<WalkOptions, "lookup">): boolean {
  if (entry.requires === undefined) return false;
  const history = historyOf(record, entry.version);
  if (!history || now - ageOf(record, history, entry, baseline).start < LIMITS.matureMs) return true;
  return denied.size > 0 && namesRequired(entry).some((name) => denied.has(name));
}

/** Names of the packages a version requires; an alias counts as what it stands for, what no registry answers not at all. */
export function namesRequired(entry: VersionSummary): readonly string[] {
  return Object.entries(entry.requires ?? {}).flatMap(([name, spec]) => {
    const target = targetOf(name, spec);
    return target.spec === undefined ? [] : [target.name];
  });
}

/** Collects everything reachable, then lets the moments rise until none moves: the least solution, so a cycle adds nothing. */
function explore(view: PackageView, entry: VersionSummary, nodes: Map<string, Node>, options: WalkOptions): Node {
  const fresh: Node[] = [];
  const node = (of: PackageView, version: VersionSummary): Node | undefined => {
    const key = keyOf(of, version.version);
    const known = nodes.get(key);
    if (known || nodes.size >= LIMITS.dependencyWalk) return known;
    const own = momentOf(of.own.get(version.version), options.now);
    const made: Node = { view: of, entry: version, own, requirements: [], unseen: [], available: own };
    nodes.set(key, made);
    fresh.push(made);
    return made;
  };
  const root = node(view, entry) ?? { view, entry, own: 0, requirements: [], unseen: [], available: 0 };
  if (fresh.length === 0)
    root.unseen.push({
      name: view.record.name,
      spec: entry.version,
      why: `its dependencies lead to more than ${LIMITS.dependencyWalk} young versions`,
    });
  // `fresh` grows while it is walked.
  for (const current of fresh) require(current, node, options);

  for (let moved = true; moved;) {
    moved = false;
    for (const current of fresh) {
      const available = Math.max(current.own, ...current.requirements.map(earliest));
      if (available === current.available) continue;
      current.available = available;
      moved = true;
    }
  }
  return root;
}

function require(current: Node, node: (view: PackageView, entry: VersionSummary) => Node | undefined, options: WalkOptions): void {
  for (const [name, spec] of Object.entries(current.entry.requires ?? {})) {
    const answer = resolve(name, spec, node, options);
    if (answer === "available") continue;
    if (typeof answer === "string") current.unseen.push({ name, spec, why: answer });
    else current.requirements.push({ name, spec, ...answer });
  }
}

/** Versions are looked at in lots of this size, newest listing first: most ranges are answered by the first lot. */
const LOT = 64;

/** `available`, the reason why nothing can be said, or the matching versions, none of which is plainly available. */
function resolve(
  name: string,
  spec: string,
  node: (view: PackageView, entry: VersionSummary) => Node | undefined,
  options: WalkOptions,
): string | Pick<Requirement, "nodes" | "others"> {
  const target = targetOf(name, spec);
  if (target.spec === undefined) return "it does not come from a registry";
  const view = options.lookup(target.name);
  if (!view) return "this gate has not seen the package yet";
  const { record } = view;
  const { tags, versions } = record.summary;
  // A tag whose version is withheld is answered with another admitted version (design §4, dist-tags).
  const wanted = classifySpec(target.spec).kind === "tag" && Object.hasOwn(tags, target.spec) ? "*" : target.spec;
  const found: { readonly nodes: Node[]; readonly others: Requirement["others"][number][] } = { nodes: [], others: [] };
  for (let end = versions.length; end > 0; end -= LOT) {
    const lot = versions.slice(Math.max(0, end - LOT), end).toReversed();
    const matching = new Set(
      satisfying(
        wanted,
        tags,
        lot.map((entry) => entry.version),
      ),
    );
    for (const entry of lot) {
      if (!matching.has(entry.version)) continue;
      const verdict = view.own.get(entry.version);
      const followed = isJudged(record, entry, options) ? node(view, entry) : undefined;
      if (followed) found.nodes.push(followed);
      else if (momentOf(verdict, options.now) === 0) return "available";
      else found.others.push({ version: entry.version, own: momentOf(verdict, options.now), why: stateOf(verdict) });
    }
  }
  if (found.nodes.length + found.others.length > 0) return found;
  const gone = satisfying(wanted, tags, Object.keys(record.versions));
  if (gone.length === 0) return "the registry lists no matching version";
  return { nodes: [], others: gone.map((version) => ({ version, own: NEVER, why: "no longer listed" })) };
}

/** The package an entry of a dependency map asks for; `spec` is absent when no registry answers it. */
function targetOf(name: string, text: string): { readonly name: string; readonly spec?: string } {
  if (text.trim() === "") return { name, spec: "*" };
  const spec = classifySpec(text);
  if (spec.kind === "alias") return { name: spec.name, spec: spec.spec === "" ? "*" : spec.spec };
  return spec.kind === "version" || spec.kind === "range" || spec.kind === "tag" ? { name, spec: text.trim() } : { name };
}

function momentOf(verdict: Verdict | undefined, now: Instant): Moment {
  if (!verdict || verdict.action === "allow") return 0;
  if (verdict.action !== "hold") return NEVER;
  if (verdict.until === undefined) return OPEN;
  return verdict.until > now ? verdict.until : 0;
}

function earliest({ nodes, others }: Requirement): Moment {
  return Math.min(...nodes.map((node) => node.available), ...others.map((other) => other.own));
}

/** Candidates named in evidence; the rest is counted. */
const NAMED = 3;

function blockedBy(requirement: Requirement, now: Instant): readonly Blocked[] {
  const moment = earliest(requirement);
  if (moment <= now) return [];
  const { name, spec, nodes, others } = requirement;
  const candidates = [
    ...nodes.map(
      ({ view, entry, own }) => `${entry.version} ${own > now ? stateOf(view.own.get(entry.version)) : "waits for its own dependencies"}`,
    ),
    ...others.map(({ version, why }) => `${version} ${why}`),
  ];
  const more = candidates.length > NAMED ? [`and ${candidates.length - NAMED} more`] : [];
  return [
    {
      name,
      spec,
      ...(moment < OPEN ? { until: instant(moment) } : {}),
      review: moment === NEVER,
      candidates: [...candidates.slice(0, NAMED), ...more].map(printable),
    },
  ];
}

/** `held until 2026-04-02T23:59Z (young-release)`: stable as long as the verdict is, because waivers are pinned to it. */
function stateOf(verdict: Verdict | undefined): string {
  if (!verdict || verdict.action === "allow") return "admitted";
  const reasons = verdict.reasons.map((reason) => reason.id).join(", ");
  if (verdict.action === "deny") return `denied (${reasons})`;
  if (verdict.action === "review") return `held for review (${reasons})`;
  return `held${verdict.until === undefined ? "" : ` until ${isoMinute(verdict.until)}`} (${reasons})`;
}
