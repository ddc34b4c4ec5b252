/** The digests a registry has named for one tarball over time, and whether a new listing is about the same bytes. */
import { type Algorithm, parseIntegrity } from "../npm/integrity.ts";

/** Strongest first. */
const ALGORITHMS: readonly Algorithm[] = ["sha512", "sha384", "sha256", "sha1"];

/** The single digests (`sha512-…`) in some integrity strings, without repeats. An unreadable string names none. */
export function digestsOf(...claims: readonly (string | undefined)[]): readonly string[] {
  const found = new Set<string>();
  for (const claim of claims) {
    const parsed = claim === undefined ? undefined : parseIntegrity(claim);
    if (parsed?.kind !== "integrity") continue;
    for (const algorithm of ALGORITHMS) for (const digest of parsed.digests[algorithm] ?? []) found.add(`${algorithm}-${digest}`);
  }
  return [...found];
}

/**
 * Compares by the strongest algorithm both sides have. `seen` may not name a digest that is not `known`: by a list with one more
 * entry a client would accept other bytes.
 */
export function compareDigests(known: readonly string[], seen: readonly string[]): "same" | "different" | "incomparable" {
  for (const algorithm of ALGORITHMS) {
    const named = seen.filter((digest) => digest.startsWith(`${algorithm}-`));
    if (named.length === 0 || !known.some((digest) => digest.startsWith(`${algorithm}-`))) continue;
    return named.every((digest) => known.includes(digest)) ? "same" : "different";
  }
  return "incomparable";
}

/** Whether `a` names a stronger algorithm than everything in `b`. */
export function stronger(a: string | undefined, b: string | undefined): boolean {
  return rank(a) < rank(b);
}

function rank(integrity: string | undefined): number {
  const parsed = integrity === undefined ? undefined : parseIntegrity(integrity);
  return parsed?.kind === "integrity" ? ALGORITHMS.indexOf(parsed.algorithm) : ALGORITHMS.length;
}
