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

/**
 * A requirement no matching version of which is admitted. `review`: only a person ends it; otherwise `until` is absent when what
 * ends it is an answer or a check still to come.
 */
export type Blocked = {
  readonly name: string;
  readonly spec: string;
  readonly until?: Instant;
  readonly review: boolean;
  readonly candidates: readonly string[];
};

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
  const state: State = { ...options, nodes: new Map(), answers: new Map() };
  return (view, entry) => {
    if (!isJudged(view.record, entry, options)) return undefined;
    const node = state.nodes.get(keyOf(view, entry.version)) ?? explore(view, entry, state);
    if (!node) return { blocked: [], unseen: [{ name: view.record.name, spec: entry.version, why: CUT_OFF }] };
    return { blocked: node.requirements.flatMap((requirement) => blockedBy(requirement, options.now)), unseen: node.unseen };
  };
}

const CUT_OFF = `more than ${LIMITS.dependencyWalk} young versions lead to each other`;

type State = WalkOptions & {
  readonly nodes: Map<string, Node>;
  /** What `resolve` found, by name and spec: the versions of a package mostly require the same. */
  readonly answers: Map<string, Answer>;
};

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

type Requirement = Candidates & { readonly name: string; readonly spec: string };

type Candidates = {
  /** Matching versions that are followed further. */
  readonly nodes: readonly Node[];
  /** Matching versions that are not, with the moment their own signals allow. */
  readonly others: readonly { readonly version: string; readonly own: Moment; readonly why: string }[];
};

/** `available`, the reason why nothing can be said, or the matching versions, none of which is plainly available. */
type Answer =
  | { readonly kind: "available" }
  | { readonly kind: "unseen"; readonly why: string }
  | ({ readonly kind: "candidates" } & Candidates);

function keyOf(view: PackageView, version: string): string {
  return `${view.record.name}@${version}`;
}

/** Design §4: "judged for versions under 14 days old, or whose dependency carries a deny". */
export function isJudged(record: PackageRecord, entry: VersionSummary, { denied, baseline, now }: Omit<WalkOptions, "lookup">): boolean {
  if (entry.requires === undefined) return false;
  const history = historyOf(record, entry.version);
  if (!history || now - ageOf(record, history, baseline).start < LIMITS.matureMs) return true;
  return denied.size > 0 && namesRequired(entry).some((name) => denied.has(name));
}

/** Names of the packages a version requires; an alias counts as what it stands for, what no registry answers not at all. */
export function namesRequired(entry: VersionSummary): readonly string[] {
  return Object.entries(entry.requires ?? {}).flatMap(([name, spec]) => {
    const target = targetOf(name, spec);
    return target.spec === undefined ? [] : [target.name];
  });
}

/** Collects everything reachable, then lets the moments rise until none moves: the least solution, so a cycle adds nothing. Undefined at the ceiling. */
function explore(view: PackageView, entry: VersionSummary, state: State): Node | undefined {
  const fresh: Node[] = [];
  const root = nodeOf(view, entry, state, fresh);
  const dependents = new Map<Node, Node[]>();
  // `fresh` grows while it is walked.
  for (const current of fresh)
    for (const [name, spec] of Object.entries(current.entry.requires ?? {})) {
      const answer = resolve(name, spec, state, fresh);
      if (answer.kind === "unseen") current.unseen.push({ name, spec, why: answer.why });
      if (answer.kind !== "candidates") continue;
      current.requirements.push({ name, spec, nodes: answer.nodes, others: answer.others });
      for (const node of answer.nodes) {
        const waiting = dependents.get(node);
        if (waiting) waiting.push(current);
        else dependents.set(node, [current]);
      }
    }
  const moving = new Set(fresh.toReversed());
  for (const current of moving) {
    moving.delete(current);
    const available = Math.max(current.own, ...current.requirements.map(earliest));
    if (available === current.available) continue;
    current.available = available;
    for (const dependent of dependents.get(current) ?? []) moving.add(dependent);
  }
  return root;
}

/** The node of a version, made and added to `fresh` when it is new; undefined when there are too many. */
function nodeOf(view: PackageView, entry: VersionSummary, { nodes, now }: State, fresh: Node[]): Node | undefined {
  const key = keyOf(view, entry.version);
  const known = nodes.get(key);
  if (known || nodes.size >= LIMITS.dependencyWalk) return known;
  const own = momentOf(view.own.get(entry.version), now);
  const node: Node = { view, entry, own, requirements: [], unseen: [], available: own };
  nodes.set(key, node);
  fresh.push(node);
  return node;
}

function resolve(name: string, text: string, state: State, fresh: Node[]): Answer {
  const { name: target, spec } = targetOf(name, text);
  if (spec === undefined) return { kind: "unseen", why: "it does not come from a registry" };
  const key = `${target} ${spec}`;
  const known = state.answers.get(key);
  if (known) return known;
  const view = state.lookup(target);
  const answer: Answer = view ? match(view, spec, state, fresh) : { kind: "unseen", why: "this gate has not seen the package yet" };
  state.answers.set(key, answer);
  return answer;
}

/** Versions are looked at in lots of this size, newest listing first: most ranges are answered by the first lot. */
const LOT = 64;

function match(view: PackageView, spec: string, state: State, fresh: Node[]): Answer {
  const { record } = view;
  const { tags, versions } = record.summary;
  // A tag whose version is withheld is answered with another admitted version (design §4, dist-tags).
  const wanted = classifySpec(spec).kind === "tag" && Object.hasOwn(tags, spec) ? "*" : spec;
  const nodes: Node[] = [];
  const others: Candidates["others"][number][] = [];
  for (let end = versions.length; end > 0; end -= LOT) {
    const lot = new Map(versions.slice(Math.max(0, end - LOT), end).map((entry) => [entry.version, entry]));
    const matching = satisfying(wanted, tags, [...lot.keys()]).map((version) => {
      const verdict = view.own.get(version);
      const entry = lot.get(version)!;
      return { entry, verdict, own: momentOf(verdict, state.now), judged: isJudged(record, entry, state) };
    });
    if (matching.some(({ own, judged }) => own === 0 && !judged)) return { kind: "available" };
    for (const { entry, verdict, own, judged } of matching) {
      const node = judged ? nodeOf(view, entry, state, fresh) : undefined;
      // Beyond the ceiling a version is taken by its own signals.
      if (!node && own === 0) return { kind: "available" };
      if (node) nodes.push(node);
      else others.push({ version: entry.version, own, why: stateOf(verdict) });
    }
  }
  if (nodes.length + others.length > 0) return { kind: "candidates", nodes, others };
  const gone = satisfying(wanted, tags, Object.keys(record.versions));
  if (gone.length === 0) return { kind: "unseen", why: "the registry lists no matching version" };
  return { kind: "candidates", nodes, others: gone.map((version) => ({ version, own: NEVER, why: "no longer listed" })) };
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
  // Its own wait is over, and the registry is asked about it when a client asks for it: nobody would ask while its dependents are withheld.
  if (verdict.reasons.every(({ id }) => id === "not-reconfirmed")) return 0;
  if (verdict.until === undefined) return OPEN;
  return verdict.until > now ? verdict.until : 0;
}

function earliest({ nodes, others }: Candidates): Moment {
  let moment = NEVER;
  for (const { available } of nodes) moment = Math.min(moment, available);
  for (const { own } of others) moment = Math.min(moment, own);
  return moment;
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
