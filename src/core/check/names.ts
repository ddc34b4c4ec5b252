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
  let others: readonly string[] = [];
  let letters: Int32Array | undefined;
  for (let index = 0; index < tree.packages.length; index++) {
    const { name, alias, source } = tree.packages[index]!;
    if (source.kind !== "registry" || !typed.has(alias ?? name) || popular.has(name)) continue;
    typed.delete(alias ?? name);
    if (letters === undefined) {
      others = [...popular];
      letters = Int32Array.from(others, lettersOf);
    }
    const own = lettersOf(name);
    for (let at = 0; at < letters.length; at++) {
      const other = others[at]!;
      if (hasThreeBits(own ^ letters[at]!)) continue;
      const how = resemblance(name, other);
      if (how === undefined) continue;
      report({ rule: "name-lookalike", entry: index, message: `looks like ${other}: ${how}`, mark: other });
      break;
    }
  }
}

/** A bit for each character that counts, by its code; letters that may stand for each other (`rn` for `m`) share one. */
const BITS = Int32Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code).toLowerCase();
  const alike = "il1|".includes(letter)
    ? "l"
    : "rnm".includes(letter)
      ? "m"
      : "vw".includes(letter)
        ? "w"
        : letter === "0"
          ? "o"
          : letter === "5"
            ? "s"
            : letter;
  return /[a-z]/.test(alike) ? 1 << (alike.charCodeAt(0) - 0x61) : 0;
});

function lettersOf(name: string): number {
  let bits = 0;
  for (let at = 0; at < name.length; at++) bits |= BITS[name.charCodeAt(at)] ?? 0;
  return bits;
}

/** Two names that resemble each other differ in two letters at most: one edit takes one and adds one. */
function hasThreeBits(bits: number): boolean {
  const second = bits & (bits - 1);
  return (second & (second - 1)) !== 0;
}
