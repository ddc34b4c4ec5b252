/**
 * The smallest change that clears a package's findings: move the lockfile alone where every range already admits a good version, change the
 * range a manifest of the project writes, or override what another package asks for. It knows what is held: a fix that is not served yet is
 * never planned, and when it opens is said.
 */
import semver from "semver";
import { isoMinute, type Instant, span } from "../base/time.ts";
import type { ClientId, FileEdit } from "../client/client.ts";
import { lockGraph } from "../lockfile/graph.ts";
import type { Importer, ResolvedTree } from "../lockfile/tree.ts";
import { classifySpec, pick } from "../npm/ranges.ts";
import { lockCommand, type Manifests, openManifests, type RepairFile, type Written } from "./repair-edits.ts";

/** One version of a package that could take the ailing one's place. */
export type RepairCandidate = {
  readonly version: string;
  /** `held` opens by itself at `until`, or when its condition is met; `refused` is denied or waits for a person. */
  readonly state: "admitted" | "held" | "refused";
  readonly until?: Instant;
  /** When its age began. */
  readonly start?: Instant;
  /** What the fast lane says of it, one clause; absent where it has no say. */
  readonly fastLane?: string;
  /** Ids of advisories that speak of this version. */
  readonly affectedBy: readonly string[];
  readonly deprecated?: string;
};

export type Ailing = {
  readonly name: string;
  readonly version: string;
  /** What is found of it, in the words of the report: advisory ids, `held`, `denied`. */
  readonly because: readonly string[];
};

export type RepairInput = {
  readonly client: ClientId;
  /** Major version of the client; absent = any. */
  readonly major?: number;
  readonly tree: ResolvedTree;
  /** Manifests of the importers, pnpm-workspace.yaml where there is one, and the lockfile's own text under the tree's path. */
  readonly files: readonly RepairFile[];
  readonly ailing: readonly Ailing[];
  /** Every listed version by name, oldest or newest first alike. */
  readonly candidates: ReadonlyMap<string, readonly RepairCandidate[]>;
  /** The tags of a package, as clients see them; they decide what a range gets. */
  readonly tags?: (name: string) => Readonly<Record<string, string>>;
  /** The range a package asks for; for lockfiles that do not say so (pnpm). */
  readonly asks?: (name: string, version: string, dependency: string) => string | undefined;
  readonly now: Instant;
};

export type RepairStep = {
  readonly kind: "in-place" | "range" | "override";
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** One clause: `to 1.14.0, the version before`. */
  readonly summary: string;
  /** Where the change is written; absent when only the lockfile moves. */
  readonly path?: string;
  /** Who asked for it, and how the change is spelled there: `express > qs`, `dependencies.axios`. */
  readonly where: string;
};

/** A better version that is not served yet. */
export type Waiting = { readonly name: string; readonly version: string; readonly until?: Instant; readonly message: string };

export type RepairPlan = {
  readonly steps: readonly RepairStep[];
  /** Exact new texts of manifests and settings, and of the lockfile without the entries that are chosen anew. */
  readonly edits: readonly FileEdit[];
  /** Arguments of the client, in order, that bring the lockfile in step; run it as `cordon <client> …`. */
  readonly commands: readonly (readonly string[])[];
  readonly waiting: readonly Waiting[];
  /** What no change here clears, and why. */
  readonly unrepaired: readonly (Ailing & { readonly why: string })[];
};

export type RepairOptions = {
  /** Ranges and overrides are written although the lockfile might move by itself. */
  readonly written?: boolean;
  /** bun reads a lockfile that lacks an entry as none at all, and chooses everything anew: only when nothing else helps. */
  readonly anew?: boolean;
};

/** Every way to clear the findings, smallest change first; each is whole in itself. */
export function repairPlans(input: RepairInput): readonly RepairPlan[] {
  const plans = [planRepair(input), planRepair(input, { written: true })];
  // Where overrides belong depends on the version of pnpm, which a project need not say.
  if (input.client === "pnpm" && input.major === undefined) plans.push(planRepair({ ...input, major: 11 }, { written: true }));
  if (input.client === "bun") plans.push(planRepair(input, { written: true, anew: true }));
  const texts = plans.map(({ steps, edits }) => JSON.stringify([steps, edits]));
  return plans.filter((_plan, index) => texts.indexOf(texts[index]!) === index);
}

export function planRepair(input: RepairInput, { written: isWritten = false, anew = false }: RepairOptions = {}): RepairPlan {
  const steps: RepairStep[] = [];
  const waiting: Waiting[] = [];
  const unrepaired: (Ailing & { why: string })[] = [];
  const manifests = openManifests(input);
  const requirers = findRequirers(input);
  for (const ailing of input.ailing) {
    const own = semver.valid(ailing.version, LOOSE) === null ? "its version is none that could be compared" : requirers(ailing);
    const all = (input.candidates.get(ailing.name) ?? []).filter(({ version }) => semver.valid(version, LOOSE) !== null);
    if (typeof own === "string") {
      unrepaired.push({ ...ailing, why: own });
      continue;
    }
    const better = betterThatWaits(ailing, all, input.now);
    const target = choose(ailing, own, all, input);
    if (better !== undefined && (target === undefined || semver.lt(target.to, ailing.version, LOOSE))) waiting.push(better);
    if (target === undefined) {
      unrepaired.push({ ...ailing, why: better?.message ?? noneWhy(all) });
      continue;
    }
    const { to } = target;
    const about = { name: ailing.name, from: ailing.version, to };
    // What a lockfile does not say is tried: the client finds out, and the next plan writes it.
    const still = own.filter((one) => isWritten || (one.range !== undefined && !target.picks.has(one)));
    const letGo = (input.client !== "bun" || anew) && manifests.letGo(ailing);
    if (still.length === 0 && letGo) {
      const moved = [...new Set(own.map((one) => target.picks.get(one) ?? to))].join(" and ");
      const admits = target.picks.size === own.length ? "which every range already admits" : "if what asks for it admits that";
      steps.push({ ...about, to: moved, kind: "in-place", summary: `to ${moved}, ${admits}`, where: own.map(spoken).join(", ") });
      continue;
    }
    const summary = `to ${to}, ${relation(to, ailing, all)}`;
    const failed: string[] = [];
    for (const requirer of still.length === 0 ? own : still) {
      const written = write(manifests, requirer, { ...about, alone: own.length === 1 });
      if ("why" in written) failed.push(written.why);
      else steps.push({ ...about, kind: requirer.kind === "importer" ? "range" : "override", summary, ...written });
    }
    if (failed.length > 0) unrepaired.push({ ...ailing, why: failed.join("; ") });
  }
  const unique = steps.filter((step, index) => steps.findIndex((other) => key(other) === key(step)) === index);
  return {
    steps: unique,
    edits: unique.length === 0 ? [] : manifests.edits(),
    commands: unique.length === 0 ? [] : [lockCommand(input.client)],
    waiting,
    unrepaired,
  };
}

const LOOSE = { loose: true } as const;

function write(
  manifests: Manifests,
  requirer: Requirer,
  { name, from, to, alone }: { readonly name: string; readonly from: string; readonly to: string; readonly alone: boolean },
): Written {
  if (requirer.kind === "importer") return manifests.changeRange(requirer.path, requirer.as, newRange(requirer.range, from, to, name));
  return manifests.override({ parent: requirer.name, name: requirer.as, real: name, from, to, alone });
}

function key({ kind, name, from, path, where }: RepairStep): string {
  return JSON.stringify([kind, name, from, path, where]);
}

// --- who asks for it ------------------------------------------------------------------------------------------------------------------------

/** `as` is the name it is asked for by; `range` undefined = the lockfile does not say it. */
type Requirer =
  | { readonly kind: "importer"; readonly path: string; readonly as: string; readonly range: string | undefined }
  | { readonly kind: "package"; readonly name: string; readonly version: string; readonly as: string; readonly range: string | undefined };

function spoken(requirer: Requirer): string {
  return requirer.kind === "importer" ? `${requirer.path} ${requirer.range ?? ""}`.trim() : `${requirer.name}@${requirer.version}`;
}

/** Everyone who asks for a version, each once; a text says why nobody can be asked to change. */
function findRequirers({ tree: lockfile, files, asks }: RepairInput): (ailing: Ailing) => readonly Requirer[] | string {
  // yarn 1 does not repeat what the manifests say.
  const tree = lockfile.importers.length > 0 ? lockfile : { ...lockfile, importers: files.flatMap(importerOf) };
  const { nodes, roots } = lockGraph(tree);
  return ({ name, version }) => {
    const indexes = new Set(tree.packages.flatMap((entry, index) => (entry.name === name && entry.version === version ? [index] : [])));
    if (indexes.size === 0) return "the lockfile has no such entry";
    const sources = new Set([...indexes].map((index) => tree.packages[index]!.source.kind));
    if (sources.has("bundled")) return "it lies inside another package's tarball; only a new version of that one can change it";
    if (!sources.has("registry")) return "it does not come from a registry";
    const found = new Map<string, Requirer>();
    const add = (requirer: Requirer): void => void found.set(JSON.stringify(requirer), requirer);
    for (const [at, edges] of roots.entries())
      for (const edge of edges)
        if (indexes.has(nodes[edge.to]!.package)) {
          const importer = tree.importers[at]!;
          const manifest = files.find((file) => file.importer === importer.path);
          const declared = importer.dependencies.find((one) => one.name === edge.name && one.kind === edge.kind)?.range;
          const range = manifest?.ranges.get(edge.name) ?? declared;
          add({ kind: "importer", path: manifest?.path ?? importer.path, as: edge.name, range });
        }
    for (const node of nodes)
      for (const edge of node.edges)
        if (edge.kind !== "peer" && indexes.has(nodes[edge.to]!.package)) {
          const parent = tree.packages[node.package]!;
          // A workspace asks as an importer.
          if (parent.source.kind === "workspace" || parent.source.kind === "link") continue;
          const inLock =
            tree.kind === "pnpm" || tree.kind === "deno"
              ? undefined
              : (parent.dependencies?.[edge.name] ?? parent.optionalDependencies?.[edge.name]);
          add({
            kind: "package",
            name: parent.name,
            version: parent.version,
            as: edge.name,
            range: inLock?.replace(/^npm:(?=[\^~<>=*\dv])/, "") ?? asks?.(parent.name, parent.version, edge.name),
          });
        }
    return found.size === 0 ? "nothing in the lockfile leads to it; a fresh install leaves it out" : [...found.values()];
  };
}

function importerOf({ importer, ranges }: RepairFile): readonly Importer[] {
  if (importer === undefined) return [];
  const nowhere = { line: 0, column: 0 };
  return [{ path: importer, dependencies: [...ranges].map(([name, range]) => ({ name, kind: "prod", range, ...nowhere })), ...nowhere }];
}

// --- which version --------------------------------------------------------------------------------------------------------------------------

/** What each requirer gets by itself once the lockfile lets go; those not in the map get nothing good. */
type Target = { readonly to: string; readonly picks: ReadonlyMap<Requirer, string> };

function choose(ailing: Ailing, own: readonly Requirer[], all: readonly RepairCandidate[], { tags }: RepairInput): Target | undefined {
  const served = all.filter(({ state }) => state === "admitted");
  const good = served.filter(({ affectedBy, version }) => affectedBy.length === 0 && version !== ailing.version);
  // What a client gets is decided by everything that is served, good or not.
  const picks = new Map<Requirer, string>();
  for (const requirer of own) {
    if (requirer.range === undefined) continue;
    const picked = pick(
      requirer.range,
      tags?.(ailing.name) ?? {},
      served.map(({ version, deprecated }) => ({ version, ...(deprecated !== undefined && { deprecated }) })),
    );
    if (picked !== undefined && good.some(({ version }) => version === picked)) picks.set(requirer, picked);
  }
  const stable = good.filter(({ version }) => semver.prerelease(version, LOOSE) === null);
  const fit = stable.filter(({ deprecated }) => deprecated === undefined);
  const to = nearest(
    ailing.version,
    (fit.length > 0 ? fit : stable).map(({ version }) => version),
  );
  const only = [...picks.values()][0];
  if (picks.size === own.length && only !== undefined) return { to: only, picks };
  return to === undefined ? undefined : { to, picks };
}

/** The lowest above in the same major, else the highest below in it, else the lowest above, else the highest below. */
function nearest(from: string, versions: readonly string[]): string | undefined {
  const sorted = versions.toSorted((a, b) => semver.compare(a, b, LOOSE));
  const above = sorted.filter((one) => semver.gt(one, from, LOOSE));
  const below = sorted.filter((one) => semver.lt(one, from, LOOSE));
  const sameMajor = (one: string) => semver.major(one, LOOSE) === semver.major(from, LOOSE);
  return above.find(sameMajor) ?? below.findLast(sameMajor) ?? above[0] ?? below.at(-1);
}

/** The range as its author wrote ranges, about the new version; exact where an operator would let the ailing version back in. */
function newRange(range: string | undefined, from: string, to: string, name: string): string {
  const spec = classifySpec(range ?? "");
  const inner = spec.kind === "alias" ? spec.spec : (range ?? "");
  const operator = /^\s*([\^~])/.exec(inner)?.[1] ?? "";
  const wanted = semver.satisfies(from, `${operator}${to}`, LOOSE) ? to : `${operator}${to}`;
  return spec.kind === "alias" ? `npm:${name}@${wanted}` : wanted;
}

// --- what waits -----------------------------------------------------------------------------------------------------------------------------

/** The lowest version above that is clear of everything and only held. */
function betterThatWaits({ name, version }: Ailing, all: readonly RepairCandidate[], now: Instant): Waiting | undefined {
  const held = all.filter((one) => one.state === "held" && one.affectedBy.length === 0 && semver.gt(one.version, version, LOOSE));
  const best = held.toSorted((a, b) => semver.compare(a.version, b.version, LOOSE))[0];
  if (best === undefined) return undefined;
  const age = best.start === undefined ? "held" : `${span(now - best.start)} old`;
  const opens = best.until === undefined ? "opens when its condition is met" : `opens ${isoMinute(best.until)}`;
  const lane = best.fastLane === undefined ? "" : `, or by the fast lane: ${best.fastLane}`;
  return {
    name,
    version: best.version,
    ...(best.until !== undefined && { until: best.until }),
    message: `the fix ${best.version} is ${age}: ${opens}${lane}`,
  };
}

function relation(to: string, { version }: Ailing, all: readonly RepairCandidate[]): string {
  if (semver.gt(to, version, LOOSE)) return "which is clear of it";
  const between = all.some((one) => semver.gt(one.version, to, LOOSE) && semver.lt(one.version, version, LOOSE));
  return between ? "the last version before that is clear of it" : "the version before";
}

function noneWhy(all: readonly RepairCandidate[]): string {
  if (all.length === 0) return "no other version of it is known here";
  const affected = all.filter(({ affectedBy }) => affectedBy.length > 0).length;
  return affected === all.length ? "every version that is known has a finding of its own" : "no version that is clear of it is served";
}
