/** The packages of lockfiles as a bill of materials starts from them: what is fetched, and which of it needs which. */
import type { CheckedPackage } from "../check/finding.ts";
import { lockGraph } from "../lockfile/graph.ts";
import type { LockSource, ResolvedTree } from "../lockfile/tree.ts";

type FetchedSource =
  | Exclude<LockSource, { readonly kind: "file" | "link" | "workspace" }>
  | { readonly kind: "file"; readonly path: string };

/** Of all trees in one list, each by its own `path`. Workspaces and links are the project itself: what they need is direct. */
export function packagesOf(trees: readonly ResolvedTree[]): readonly CheckedPackage[] {
  const all: CheckedPackage[] = [];
  for (const tree of trees) for (const found of ofTree(tree, all.length)) all.push(found);
  return all;
}

function ofTree(tree: ResolvedTree, offset: number): readonly CheckedPackage[] {
  const { nodes, roots } = lockGraph(tree);
  // Where each package of the tree stands in the list; -1: it is the project's own.
  let next = offset;
  const places = tree.packages.map(({ source }) => (isFetched(source) ? next++ : -1));
  const needs = tree.packages.map(() => new Set<number>());
  const direct = new Set<number>();
  const place = (node: number): number => places[nodes[node]!.package]!;
  for (const { edges, package: from } of nodes) {
    const target = places[from]! < 0 ? direct : needs[from]!;
    for (const { to } of edges) if (place(to) >= 0) target.add(place(to));
  }
  for (const { to } of roots.flat()) if (place(to) >= 0) direct.add(place(to));

  return tree.packages.flatMap((entry, index) => {
    const { key, name, version, source, integrity, dev, optional } = entry;
    if (!isFetched(source)) return [];
    const url = urlOf(source);
    return [
      {
        lockfile: tree.path,
        key,
        name,
        version,
        source: source.kind,
        ...(url === undefined ? {} : { url }),
        // yarn's checksum is of an archive it makes itself: no hash of what the registry has.
        ...(integrity === undefined || integrity.kind === "berry-checksum" ? {} : { integrity: integrity.value }),
        dev,
        optional,
        ...(direct.has(places[index]!) ? { direct: true } : {}),
        dependsOn: [...needs[index]!].toSorted((a, b) => a - b),
      },
    ];
  });
}

function isFetched(source: LockSource): source is FetchedSource {
  return source.kind !== "link" && source.kind !== "workspace";
}

function urlOf(source: FetchedSource): string | undefined {
  if (source.kind === "git") return source.commit === undefined ? source.url : `${source.url}#${source.commit}`;
  if ("path" in source) return source.path;
  return "url" in source ? source.url : undefined;
}
