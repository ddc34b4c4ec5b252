/** The packages of a lockfile as inventories list them, with who depends on whom. Made only when an inventory is asked for. */
import { lockGraph } from "../lockfile/graph.ts";
import type { LockSource, ResolvedTree } from "../lockfile/tree.ts";
import type { CheckedPackage } from "./finding.ts";
import { isFetched } from "./raw.ts";

/** `dependsOn` counts within the list. */
export function packagesOf(tree: ResolvedTree): readonly CheckedPackage[] {
  const { nodes, roots } = lockGraph(tree);
  const places = new Map<number, number>();
  tree.packages.forEach((entry, index) => {
    if (isFetched(entry)) places.set(index, places.size);
  });
  const direct = new Set<number>();
  const dependencies = new Map<number, Set<number>>();
  const packageOf = (node: number): number => nodes[node]!.package;
  // What a workspace asks for is asked for by the project itself.
  nodes.forEach(({ package: from, edges }) => {
    for (const { to } of edges) {
      if (!places.has(from)) direct.add(packageOf(to));
      else if (dependencies.has(from)) dependencies.get(from)!.add(packageOf(to));
      else dependencies.set(from, new Set([packageOf(to)]));
    }
  });
  for (const edges of roots) for (const { to } of edges) direct.add(packageOf(to));
  return [...places.keys()].map((index): CheckedPackage => {
    const { key, name, version, source, integrity, dev, optional } = tree.packages[index]!;
    return {
      lockfile: tree.path,
      key,
      name,
      version,
      source: source.kind as CheckedPackage["source"],
      ...urlOf(source),
      // yarn's own checksum is of an archive that it makes itself: no digest of the package.
      ...(integrity === undefined || integrity.kind === "berry-checksum" ? {} : { integrity: integrity.value }),
      dev,
      optional,
      direct: direct.has(index),
      dependsOn: [...(dependencies.get(index) ?? [])].flatMap((to) => places.get(to) ?? []).toSorted((a, b) => a - b),
    };
  });
}

function urlOf(source: LockSource): { readonly url?: string } {
  if (source.kind === "git") return { url: source.commit === undefined ? source.url : `${source.url}#${source.commit}` };
  return "url" in source && source.url !== undefined ? { url: source.url } : {};
}
