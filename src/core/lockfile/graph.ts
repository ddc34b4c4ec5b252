/**
 * Who brings whom, in any lockfile: the answer to "by which path did it get here?", and, for formats that do not say so,
 * to "would a production install have it?". Each format refers to entries in its own way; each way is one function here.
 */
import semver from "semver";
import type { Reader } from "./document.ts";
import { reportAt } from "./document.ts";
import { firstAlike } from "./alike.ts";
import type { Declared, Dependencies, DependencyKind, Importer, LockfileKind, ResolvedPackage } from "./tree.ts";
import { splitAtVersion } from "./identity.ts";

/** What the graph needs of a tree. */
export type GraphInput = {
  readonly kind: LockfileKind;
  readonly version: string;
  readonly packages: readonly ResolvedPackage[];
  readonly importers: readonly Importer[];
};

/** `to` is the index of a node. */
export type Edge = { readonly name: string; readonly to: number; readonly kind: DependencyKind };

/** One installed copy: a package, or one of its instances. */
export type GraphNode = { readonly key: string; readonly package: number; readonly edges: readonly Edge[] };

/** A reference to nothing. Optional and peer dependencies may be absent, and are not listed. */
export type Dangling = {
  readonly from: string;
  readonly name: string;
  readonly reference: string;
  readonly package?: number;
  readonly declared?: Declared;
};

export type LockGraph = {
  readonly nodes: readonly GraphNode[];
  /** One for each importer of the tree, in order. */
  readonly roots: readonly (readonly Edge[])[];
  readonly dangling: readonly Dangling[];
};

/** The key an entry's dependency refers to, tried against the keys there are; `asks` is the package `from` is the key of, where it is one. */
type Resolve = (from: string, name: string, reference: string, asks?: number) => number | undefined;

/**
 * The same in rows of numbers: a lockfile of 20,000 entries has 60,000 edges, and whoever only walks along them needs no object for each.
 * The edges of a node are those from `first[node]` to `first[node + 1]`; `to` is -1 where nothing is there.
 */
export type Edges = {
  readonly first: Int32Array;
  readonly to: Int32Array;
  /** What the node it leads from calls it. */
  readonly nameOf: (edge: number, from: number) => string;
  /** The package a node is a copy of. */
  readonly packageOf: (node: number) => number;
  /** What the importers ask for and have. */
  readonly roots: readonly { readonly name: string; readonly to: number }[];
};

export function edgesOf({ nodes, roots }: LockGraph): Edges {
  const first = new Int32Array(nodes.length + 1);
  const all = nodes.flatMap(({ edges }, node) => {
    first[node + 1] = first[node]! + edges.length;
    return edges;
  });
  return {
    first,
    to: Int32Array.from(all, ({ to }) => to),
    nameOf: (edge) => all[edge]!.name,
    packageOf: (node) => nodes[node]!.package,
    roots: roots.flat(),
  };
}

export function lockGraph(tree: GraphInput): LockGraph {
  const starts = new Map<string, number>();
  const nodes: (GraphNode & { edges: Edge[] })[] = [];
  const add = (key: string, index: number): void => {
    // Where two packages share a key (variants of a runtime, two documents) the first stands for all.
    if (!starts.has(key)) starts.set(key, nodes.length);
    nodes.push({ key, package: index, edges: [] });
  };
  tree.packages.forEach((entry, index) => {
    if (entry.instances === undefined) add(entry.key, index);
    else for (const instance of entry.instances) add(instance.key, index);
  });
  const resolve = resolverOf(tree, () => starts);
  const dangling: Dangling[] = [];

  const follow = (node: number, dependencies: Dependencies | undefined, kind: DependencyKind): void => {
    if (dependencies === undefined) return;
    const { key, edges, package: index } = nodes[node]!;
    for (const name in dependencies) {
      const reference = dependencies[name]!;
      const to = resolve(key, name, reference);
      if (to !== undefined) edges.push({ name, to, kind });
      else if (kind === "prod" && !isLocal(reference)) dangling.push({ from: key, name, reference, package: index });
    }
  };
  let node = 0;
  for (const entry of tree.packages) {
    for (const holder of entry.instances ?? [entry]) {
      follow(node, holder.dependencies, "prod");
      follow(node, holder.optionalDependencies, "optional");
      node++;
    }
    // Only npm places peers by itself; elsewhere the copies already name them.
    if (isPlaced(tree.kind)) follow(node - 1, entry.peerDependencies, "peer");
    if (entry.source.kind === "link") {
      const target = starts.get(entry.source.path);
      if (target !== undefined) nodes[node - 1]!.edges.push({ name: entry.name, to: target, kind: "prod" });
    }
  }
  const roots = rootsOf(tree, resolve, (missing) => dangling.push(missing));
  return { nodes, roots, dangling };
}

function rootsOf(tree: GraphInput, resolve: Resolve, onDangling: (missing: Dangling) => void): readonly (readonly Edge[])[] {
  return tree.importers.map((importer) => {
    const edges: Edge[] = [];
    const from = importerKey(tree.kind, importer);
    for (const declared of importer.dependencies) {
      // Where the file has references, a declaration without one is a member of the workspace.
      if (declared.resolved === undefined && hasReferences(tree.kind)) continue;
      const reference = declared.resolved ?? declared.range ?? "";
      const to = resolve(from, declared.name, reference);
      if (to !== undefined) edges.push({ name: declared.name, to, kind: declared.kind });
      else if (declared.kind !== "optional" && declared.kind !== "peer" && !isLocal(reference))
        onDangling({ from: importer.path, name: declared.name, reference, declared });
    }
    return edges;
  });
}

function isNpm(kind: LockfileKind): boolean {
  return kind === "package-lock" || kind === "npm-shrinkwrap" || kind === "npm-hidden";
}

/** Formats whose dependencies name the entry they were resolved to. */
function hasReferences(kind: LockfileKind): boolean {
  return kind === "pnpm" || kind === "deno" || kind === "bun-binary";
}

function isLocal(reference: string): boolean {
  return /^(?:link|file|workspace|portal):/.test(reference);
}

/** What an importer is called where packages refer to each other. */
export function importerKey(kind: LockfileKind, importer: Importer): string {
  if (kind === "bun") return importer.path === "." ? "" : (importer.name ?? importer.path);
  return importer.path === "." ? "" : importer.path;
}

// --- how each format refers to an entry -----------------------------------------------------------------------------------------------------

function resolverOf(tree: GraphInput, nodes: () => ReadonlyMap<string, number>): Resolve {
  if (isNpm(tree.kind)) return fromDirectories(tree.packages);
  const starts = nodes();
  if (tree.kind === "bun") {
    const { top, nested } = byDepth(tree.packages, (key) => /(?:^|\/)((?:@[^/]+\/)?[^/]+)$/.exec(key)?.[1] ?? key);
    return (from, name) => (nested.has(name) ? fromBunPath(starts, from, name) : top.get(name));
  }
  if (hasReferences(tree.kind)) return (_from, _name, reference) => starts.get(reference);
  return fromDescriptors(tree, starts);
}

/** Most names stand once, at the top, where everybody sees them: those need no search. An index here is a package's, and so a node's. */
function byDepth(
  packages: readonly ResolvedPackage[],
  nameOf: (key: string) => string,
): { top: ReadonlyMap<string, number>; nested: ReadonlySet<string> } {
  const top = new Map<string, number>();
  const nested = new Set<string>();
  for (let index = 0; index < packages.length; index++) {
    const { key } = packages[index]!;
    const name = nameOf(key);
    if (key.length !== name.length) nested.add(name);
    else if (!top.has(name)) top.set(name, index);
  }
  return { top, nested };
}

/** Formats that place packages in directories, npm's and bun's: there a dependency is whatever stands in the nearest of them. */
export function isPlaced(kind: LockfileKind): boolean {
  return isNpm(kind) || kind === "bun";
}

/** What is placed in directories, worked out once for all who ask. Nodes are packages. */
export type Placed = {
  /** Of each package its dependencies, its optional ones and its peers, each as the entry lists them, then what it links to. */
  readonly edges: Omit<Edges, "roots">;
  readonly words: Words;
  /** As `firstAlike` has it. */
  readonly alike: Int32Array;
  /** What each importer asks for and has. */
  rootsOf(importers: readonly Importer[]): Edges["roots"];
  /** The package a dependency of `from`, a package's or an importer's key, is installed as. */
  readonly resolve: Resolve;
};

/** What packages ask for, in rows, once for all that are alike: the words of a package's edges begin at `at[package]`, in their order. */
type Words = {
  readonly at: Int32Array;
  readonly names: readonly string[];
  /** Undefined for peers, which may be absent, and for links. */
  readonly ranges: readonly (string | undefined)[];
};

export function placed(tree: GraphInput, alike = firstAlike(tree.packages)): Placed {
  const { packages } = tree;
  const resolve = resolverOf(tree, () => new Map(packages.map(({ key }, index) => [key, index] as const).toReversed()));
  const { words, first } = wordsOf(packages, alike);
  const linked = linkTargets(packages);
  const to = new Int32Array(first[packages.length]!);
  for (let index = 0; index < packages.length; index++) {
    const { key, source } = packages[index]!;
    const end = first[index + 1]!;
    for (let edge = first[index]!, word = words.at[index]!; edge < end; edge++, word++)
      to[edge] = resolve(key, words.names[word]!, "", index) ?? -1;
    if (source.kind === "link") to[end - 1] = linked.get(source.path) ?? -1;
  }
  return {
    edges: { first, to, nameOf: (edge, from) => words.names[words.at[from]! + edge - first[from]!]!, packageOf: (node) => node },
    words,
    alike,
    rootsOf: (importers) => rootsOf({ ...tree, importers }, resolve, () => {}).flat(),
    resolve,
  };
}

function wordsOf(packages: readonly ResolvedPackage[], alike: Int32Array): { readonly words: Words; readonly first: Int32Array } {
  const at = new Int32Array(packages.length);
  const first = new Int32Array(packages.length + 1);
  const names: string[] = [];
  const ranges: (string | undefined)[] = [];
  const note = (dependencies: Dependencies | undefined, peers: boolean): void => {
    for (const name in dependencies) {
      names.push(name);
      ranges.push(peers ? undefined : dependencies[name]);
    }
  };
  for (let index = 0; index < packages.length; index++) {
    const model = alike[index]!;
    if (model !== index) {
      at[index] = at[model]!;
      first[index + 1] = first[index]! + first[model + 1]! - first[model]!;
      continue;
    }
    const { name, source, dependencies, optionalDependencies, peerDependencies } = packages[index]!;
    at[index] = names.length;
    note(dependencies, false);
    note(optionalDependencies, false);
    note(peerDependencies, true);
    if (source.kind === "link") {
      names.push(name);
      ranges.push(undefined);
    }
    first[index + 1] = first[index]! + names.length - at[index]!;
  }
  return { words: { at, names, ranges }, first };
}

/** The packages that links point at, by their key. */
function linkTargets(packages: readonly ResolvedPackage[]): ReadonlyMap<string, number> {
  const paths = new Set<string>();
  for (const { source } of packages) if (source.kind === "link") paths.add(source.path);
  const found = new Map<string, number>();
  if (paths.size === 0) return found;
  for (let index = 0; index < packages.length; index++) {
    const { key } = packages[index]!;
    if (paths.has(key) && !found.has(key)) found.set(key, index);
  }
  return found;
}

/** A directory with a `node_modules`, and the nearest such directory above it. */
type Place = { readonly installed: Map<string, number>; above: Place | undefined };

const NODE_MODULES = "node_modules/";

/** Node's own rule: the nearest `node_modules` at or above the directory that has it. An index is a package's, and so a node's. */
function fromDirectories(packages: readonly ResolvedPackage[]): Resolve {
  const places = new Map<string, Place>();
  const around: (Place | undefined)[] = [];
  let odd = false;
  let last: { readonly directory: string; readonly place: Place } | undefined;
  for (let index = 0; index < packages.length; index++) {
    const { key } = packages[index]!;
    const at = key.lastIndexOf(NODE_MODULES);
    if (at < 0) {
      around.push(undefined);
      continue;
    }
    const directory = key.slice(0, Math.max(0, at - 1));
    // Neighbours in the file mostly are neighbours on the disk.
    if (last?.directory !== directory) {
      const place = places.get(directory) ?? { installed: new Map(), above: undefined };
      places.set(directory, place);
      odd ||= /(?:^|\/)node_modules(?:\/@[^/]*)?$/.test(directory);
      last = { directory, place };
    }
    around.push(last.place);
    const name = key.slice(at + NODE_MODULES.length);
    if (!last.place.installed.has(name)) last.place.installed.set(name, index);
  }
  for (const [directory, place] of places) if (directory !== "") place.above = nearest(places, parentOf(directory));
  let asked: { readonly from: string; readonly place: Place | undefined } | undefined;
  return (from, name, _reference, asks) => {
    // A package's dependencies are asked for one after the other.
    if (asked?.from !== from) {
      // Between a package and the `node_modules` it stands in there is no other, but for odd ones: of `node_modules` itself, of a scope.
      const known = asks === undefined || odd ? undefined : (places.get(from) ?? around[asks]);
      asked = { from, place: known ?? nearest(places, from) };
    }
    for (let place = asked.place; place !== undefined; place = place.above) {
      const found = place.installed.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function nearest(places: ReadonlyMap<string, Place>, from: string): Place | undefined {
  for (let directory = from; ; directory = parentOf(directory)) {
    const place = places.get(directory);
    if (place !== undefined || directory === "") return place;
  }
}

function parentOf(directory: string): string {
  return directory.slice(0, Math.max(0, directory.lastIndexOf("/")));
}

/** bun's paths are names joined by slashes: `a/b` is the b that a sees. */
function fromBunPath(starts: ReadonlyMap<string, number>, from: string, name: string): number | undefined {
  for (let path = from; ; path = parentPath(path)) {
    const found = starts.get(path === "" ? name : `${path}/${name}`);
    if (found !== undefined || path === "") return found;
  }
}

function parentPath(path: string): string {
  const last = path.lastIndexOf("/");
  if (last < 0) return "";
  const before = path.slice(0, last);
  // The last name may be scoped: two segments.
  const scope = before.slice(before.lastIndexOf("/") + 1);
  if (!scope.startsWith("@")) return before;
  return before.slice(0, Math.max(0, before.lastIndexOf("/")));
}

/**
 * yarn's entries stand under the descriptors `name@range` they answer. `resolutions` and patches replace a range with another that is written
 * only at the entry: then the entry of that name whose version fits is meant, or the only one there is.
 */
function fromDescriptors(tree: GraphInput, starts: ReadonlyMap<string, number>): Resolve {
  const byDescriptor = new Map<string, number>();
  const byName = new Map<string, Map<number, string>>();
  for (const entry of tree.packages) {
    const node = starts.get(entry.key)!;
    for (const descriptor of entry.key.split(/, */)) {
      // A patch's descriptor ends in `::locator=…`, which those who ask for it do not write.
      byDescriptor.set(descriptor.replace(/::.*$/, ""), node);
      const name = splitAtVersion(descriptor)?.name ?? descriptor;
      const named = byName.get(name) ?? new Map<number, string>();
      byName.set(name, named.set(node, entry.version));
    }
  }
  return (_from, name, reference) => {
    const exact = byDescriptor.get(`${name}@${reference}`) ?? byDescriptor.get(`${name}@npm:${reference}`);
    if (exact !== undefined) return exact;
    const named = [...(byName.get(name) ?? [])];
    if (named.length === 1) return named[0]![0];
    const range = reference.replace(/^npm:/, "");
    const best =
      semver.validRange(range) === null
        ? null
        : semver.maxSatisfying(
            named.map(([, version]) => version),
            range,
          );
    return named.find(([, version]) => version === best)?.[0] ?? named.find(([, version]) => version === LOCAL_VERSION)?.[0];
  };
}

/** The version yarn gives a workspace, which answers any range of its name. */
const LOCAL_VERSION = "0.0.0-use.local";

// --- what the graph is for ------------------------------------------------------------------------------------------------------------------

/**
 * For each package: `dev` when every way to it begins with a dev dependency, `optional` when every way to it has an optional edge.
 * Without importers in the file (yarn 1) the ways begin at what nothing depends on. Packages nothing leads to are neither:
 * they are in the file for a reason we do not see.
 */
export function reach(tree: GraphInput, graph: LockGraph): { dev: boolean; optional: boolean }[] {
  const production = walk(graph, (kind, first) => !(first && kind === "dev"));
  const required = walk(graph, (kind) => kind !== "optional");
  const any = walk(graph, () => true);
  const result = tree.packages.map(() => ({ any: false, production: false, required: false }));
  graph.nodes.forEach((node, index) => {
    const entry = result[node.package]!;
    entry.any ||= any[index] === 1;
    entry.production ||= production[index] === 1;
    entry.required ||= required[index] === 1;
  });
  return result.map((entry) => ({ dev: entry.any && !entry.production, optional: entry.any && !entry.required }));
}

function walk(graph: LockGraph, follows: (kind: DependencyKind, first: boolean) => boolean): Uint8Array {
  const seen = new Uint8Array(graph.nodes.length);
  const queue: number[] = [];
  const enqueue = (node: number): void => {
    if (seen[node] === 1) return;
    seen[node] = 1;
    queue.push(node);
  };
  if (graph.roots.length === 0) for (const node of withoutDependents(graph)) enqueue(node);
  for (const root of graph.roots) for (const edge of root) if (follows(edge.kind, true)) enqueue(edge.to);
  for (let next = queue.pop(); next !== undefined; next = queue.pop())
    for (const edge of graph.nodes[next]!.edges) if (follows(edge.kind, false)) enqueue(edge.to);
  return seen;
}

function withoutDependents(graph: LockGraph): number[] {
  const depended = new Uint8Array(graph.nodes.length);
  for (const node of graph.nodes) for (const edge of node.edges) depended[edge.to] = 1;
  return graph.nodes.flatMap((_node, index) => (depended[index] === 0 ? [index] : []));
}

/**
 * A shortest way from an importer to a package: the importer's index and the packages on the way, the wanted one last.
 * Without importers in the file (yarn 1, npm 1) the way begins at a package nothing depends on.
 */
export function pathTo(graph: LockGraph, wanted: number): { importer?: number; packages: readonly number[] } | undefined {
  const cameFrom = new Int32Array(graph.nodes.length).fill(-1);
  const rootOf = new Int32Array(graph.nodes.length).fill(-1);
  const queue: number[] = [];
  const enqueue = (node: number, from: number, root: number): void => {
    if (rootOf[node] !== -1) return;
    rootOf[node] = root;
    cameFrom[node] = from;
    queue.push(node);
  };
  graph.roots.forEach((edges, root) => {
    for (const edge of edges) enqueue(edge.to, -1, root);
  });
  const importers = graph.roots.length;
  for (const node of withoutDependents(graph)) enqueue(node, -1, importers);
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i]!;
    if (graph.nodes[node]!.package === wanted) {
      const packages: number[] = [];
      for (let step = node; step >= 0; step = cameFrom[step]!) packages.unshift(graph.nodes[step]!.package);
      return rootOf[node] === importers ? { packages } : { importer: rootOf[node]!, packages };
    }
    for (const edge of graph.nodes[node]!.edges) enqueue(edge.to, node, rootOf[node]!);
  }
  return undefined;
}

/** Sets on each package what its format does not say by itself. */
export function settleReach(reader: Reader, graph: LockGraph, flags: readonly ("dev" | "optional")[]): void {
  reach(reader, graph).forEach((reached, index) => {
    for (const flag of flags) reader.packages[index]![flag] = reached[flag];
  });
}

/** Reports what refers to nothing: such a file was cut, merged wrongly or tampered with. */
export function reportDangling(reader: Reader, graph: LockGraph): void {
  for (const missing of graph.dangling) {
    const where = missing.declared ?? (missing.package === undefined ? undefined : reader.packages[missing.package]);
    reportAt(
      reader,
      "dangling",
      where ?? { line: 1, column: 1 },
      `${missing.from} needs ${missing.name} (${missing.reference}), which is not in the file`,
    );
  }
}
