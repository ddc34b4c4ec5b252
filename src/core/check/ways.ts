/** How a package came in: the shortest ways from a manifest to it, and whether every way goes through what an exception names. */
import type { Edges } from "../lockfile/graph.ts";
import type { DependencyPath } from "./finding.ts";

export type Ways = {
  /** Up to three ways, each by another of the packages that require it, shortest first; `more` counts the others. */
  to(index: number): { readonly via: readonly DependencyPath[]; readonly more: number };
  /** Whether each way to it ends in one of these patterns (names, the package's own last; `*` is any one). */
  allEndIn(index: number, patterns: readonly (readonly string[])[]): boolean;
  /** Whether a manifest itself asks for it. */
  isDirect(index: number): boolean;
};

const SHOWN = 3;

export function waysThrough({ first, to: targets, nameOf: edgeName, packageOf, roots }: Edges, packages: number): Ways {
  const nodes = first.length - 1;
  // Who requires a node, as a list of its in-edges, those of the roots first; a root is -1.
  const heads = new Int32Array(nodes).fill(-1);
  const next = new Int32Array(roots.length + targets.length);
  const from = new Int32Array(next.length);
  const nameOf = (edge: number): string => (edge < roots.length ? roots[edge]!.name : edgeName(edge - roots.length, from[edge]!));
  const link = (edge: number, source: number, to: number): void => {
    from[edge] = source;
    next[edge] = heads[to]!;
    heads[to] = edge;
  };
  for (let root = 0; root < roots.length; root++) link(root, -1, roots[root]!.to);
  for (let source = 0; source < nodes; source++)
    for (let edge = first[source]!; edge < first[source + 1]!; edge++) {
      const to = targets[edge]!;
      if (to >= 0 && to !== source) link(roots.length + edge, source, to);
    }
  const firstNode = new Int32Array(packages).fill(-1);
  const otherNode = new Int32Array(nodes).fill(-1);
  for (let node = nodes - 1; node >= 0; node--) {
    const index = packageOf(node);
    otherNode[node] = firstNode[index]!;
    firstNode[index] = node;
  }

  const distance = new Int32Array(nodes).fill(-1);
  const parent = new Int32Array(nodes).fill(-1);
  const queue: number[] = [];
  const reach = (to: number, edge: number, far: number): void => {
    if (distance[to] !== -1) return;
    distance[to] = far;
    parent[to] = edge;
    queue.push(to);
  };
  for (let to = 0; to < nodes; to++) for (let edge = heads[to]!; edge >= 0; edge = next[edge]!) if (from[edge] === -1) reach(to, edge, 1);
  const edgeTo = (source: number, to: number): number => {
    let edge = heads[to]!;
    while (edge >= 0 && from[edge] !== source) edge = next[edge]!;
    return edge;
  };
  for (let at = 0; at < queue.length; at++) {
    const source = queue[at]!;
    for (let edge = first[source]!; edge < first[source + 1]!; edge++) {
      const to = targets[edge]!;
      if (to >= 0 && distance[to] === -1) reach(to, edgeTo(source, to), distance[source]! + 1);
    }
  }

  /** The names on the shortest way to a node, in order. */
  function shortest(node: number): string[] {
    const path: string[] = [];
    for (let at = node; at >= 0;) {
      const edge = parent[at]!;
      // What no manifest leads to: the way begins in the middle.
      if (edge < 0) break;
      path.push(nameOf(edge));
      at = from[edge]!;
    }
    return path.toReversed();
  }

  function eachNode(index: number, visit: (node: number) => void): void {
    for (let node = firstNode[index]!; node >= 0; node = otherNode[node]!) visit(node);
  }

  return {
    to(index) {
      const last: { readonly edge: number; readonly far: number }[] = [];
      const seen = new Set<number>();
      eachNode(index, (node) => {
        for (let edge = heads[node]!; edge >= 0; edge = next[edge]!) {
          const source = from[edge]!;
          const far = source === -1 ? 0 : distance[source]!;
          // Copies that differ only in their peers are one package to whoever reads this.
          const who = source === -1 ? -1 : packageOf(source);
          if (far >= 0 && !seen.has(who)) last.push({ edge, far });
          if (far >= 0) seen.add(who);
        }
      });
      last.sort((a, b) => a.far - b.far || (nameOf(a.edge) < nameOf(b.edge) ? -1 : 1));
      const texts = new Map<string, DependencyPath>();
      for (const { edge } of last.slice(0, SHOWN)) {
        const path = [...(from[edge] === -1 ? [] : shortest(from[edge]!)), nameOf(edge)];
        texts.set(path.join(">"), path);
      }
      const via = [...texts.values()].toSorted((a, b) => a.length - b.length || (a.join(">") < b.join(">") ? -1 : 1));
      return { via, more: Math.max(0, last.length - SHOWN) };
    },
    allEndIn(index, patterns) {
      const known = new Map<string, boolean>();
      const every = patterns.map((_, pattern) => pattern);
      let all = firstNode[index]! >= 0;
      eachNode(index, (node) => {
        all &&= covered(node, patterns, every, 1, known);
      });
      return all;
    },
    isDirect(index) {
      let direct = false;
      eachNode(index, (node) => {
        for (let edge = heads[node]!; edge >= 0; edge = next[edge]!) direct ||= from[edge] === -1;
      });
      return direct;
    },
  };

  /**
   * Every way into the node ends in one of the `alive` patterns, looked at from their `depth`th name from the end. A pattern is as deep as
   * it has names, so this ends; what is known of a node at a depth is not worked out again, so it ends soon.
   */
  function covered(
    node: number,
    patterns: readonly (readonly string[])[],
    alive: readonly number[],
    depth: number,
    known: Map<string, boolean>,
  ): boolean {
    const question = `${node} ${depth} ${alive.join(",")}`;
    let answer = known.get(question);
    if (answer === undefined) known.set(question, (answer = everyEdge(node, patterns, alive, depth, known)));
    return answer;
  }

  function everyEdge(
    node: number,
    patterns: readonly (readonly string[])[],
    alive: readonly number[],
    depth: number,
    known: Map<string, boolean>,
  ): boolean {
    for (let edge = heads[node]!; edge >= 0; edge = next[edge]!) {
      const fitting = alive.filter((pattern) => {
        const name = patterns[pattern]!.at(-depth);
        return name === "*" || name === nameOf(edge);
      });
      if (fitting.some((pattern) => patterns[pattern]!.length === depth)) continue;
      if (fitting.length === 0 || from[edge] === -1 || !covered(from[edge]!, patterns, fitting, depth + 1, known)) return false;
    }
    return heads[node]! >= 0;
  }
}
