/** Names that could be taken for a package in wide use: of what the project itself asks for, where a slip of the finger happens. */
import { resemblance } from "../facts/lookalike.ts";
import { POPULAR_NAMES } from "../facts/popular-names.ts";
import type { ResolvedTree } from "../lockfile/tree.ts";
import type { Manifest } from "./manifest.ts";
import type { Report } from "./raw.ts";

export function checkNames(
  tree: ResolvedTree,
  manifests: readonly Manifest[],
  popular: ReadonlySet<string> = POPULAR_NAMES,
  report: Report,
): void {
  const typed = new Set<string>();
  for (const { dependencies } of tree.importers) for (const { name } of dependencies) typed.add(name);
  for (const { dependencies } of manifests) for (const { name } of dependencies) typed.add(name);
  let letters: readonly (readonly [string, number])[] | undefined;
  for (let index = 0; index < tree.packages.length; index++) {
    const { name, alias, source } = tree.packages[index]!;
    if (source.kind !== "registry" || !typed.has(alias ?? name) || popular.has(name)) continue;
    typed.delete(alias ?? name);
    letters ??= [...popular].map((each) => [each, lettersOf(each)] as const);
    const own = lettersOf(name);
    for (const [other, its] of letters) {
      if (countBits(own ^ its) > FEW) continue;
      const how = resemblance(name, other);
      if (how === undefined) continue;
      report({ rule: "name-lookalike", entry: index, message: `looks like ${other}: ${how}`, mark: other });
      break;
    }
  }
}

/** Letters two names that resemble each other can differ in: one edit adds and takes one. */
const FEW = 2;
/** Letters that may stand for each other count for none. */
const ALIKE: ReadonlySet<string> = new Set("rnmvwilos");

/** The letters of a name, a bit each. */
function lettersOf(name: string): number {
  let bits = 0;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at) | 0x20;
    if (code >= 0x61 && code <= 0x7a && !ALIKE.has(String.fromCharCode(code))) bits |= 1 << (code - 0x61);
  }
  return bits;
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
