/**
 * Packages of a lockfile that say the same wherever they stand. A monorepo has dozens of copies of a version, and what is asked of an
 * entry's own words is asked once for all of them.
 */
import type { ResolvedPackage } from "./tree.ts";

/**
 * For each package the index of the first that says the same of everything but its place; its own when there is none. Parts are held to be
 * the same when they are one object, which the reader of npm's own files makes of equal lines; elsewhere nothing is alike, which costs time
 * and no finding.
 */
export function firstAlike(packages: readonly ResolvedPackage[]): Int32Array {
  const first = new Int32Array(packages.length);
  const bySource = new Map<ResolvedPackage["source"], number>();
  for (let index = 0; index < packages.length; index++) {
    const entry = packages[index]!;
    const known = bySource.get(entry.source);
    if (known === undefined) bySource.set(entry.source, index);
    first[index] = known !== undefined && isAlike(packages[known]!, entry) ? known : index;
  }
  return first;
}

function isAlike(one: ResolvedPackage, other: ResolvedPackage): boolean {
  return (
    one.name === other.name &&
    one.version === other.version &&
    one.alias === other.alias &&
    one.source === other.source &&
    one.integrity === other.integrity &&
    one.dependencies === other.dependencies &&
    one.optionalDependencies === other.optionalDependencies &&
    one.peerDependencies === other.peerDependencies &&
    one.instances === other.instances &&
    one.os === other.os &&
    one.cpu === other.cpu &&
    one.libc === other.libc &&
    one.dev === other.dev &&
    one.optional === other.optional &&
    one.peer === other.peer &&
    one.hasInstallScript === other.hasInstallScript &&
    one.patched === other.patched &&
    one.deprecated === other.deprecated
  );
}
