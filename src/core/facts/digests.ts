/** The digests a registry names for one tarball, and whether two such claims are about the same bytes. */
import { Buffer } from "node:buffer";

/** Strongest first. Others (md5) are no evidence. */
const ALGORITHMS = ["sha512", "sha384", "sha256", "sha1"] as const;

/** `sha1-<base64>` for a hex sha1; undefined when the text is none. */
export function sriOfShasum(shasum: string | undefined): string | undefined {
  if (shasum === undefined || !/^[0-9a-f]{40}$/i.test(shasum)) return undefined;
  return `sha1-${Buffer.from(shasum, "hex").toString("base64")}`;
}

/** The single digests in some SRI strings, without options and repetitions. What cannot be read is left out. */
export function digestsOf(...claims: readonly (string | undefined)[]): readonly string[] {
  const found = new Set<string>();
  for (const claim of claims)
    for (const token of claim?.split(/\s+/) ?? []) {
      // W3C Subresource Integrity §3.5: algorithm "-" base64-value ["?" option-expression].
      const digest = /^((?:sha512|sha384|sha256|sha1)-[A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(token)?.[1];
      if (digest) found.add(digest);
    }
  return [...found];
}

/**
 * Compares by the strongest algorithm both sides have, as a client would verify (SRI §3.3.3). `seen` may not name a digest
 * that is not `known`: a list with one more entry would let a client accept other bytes.
 */
export function compareDigests(known: readonly string[], seen: readonly string[]): "same" | "different" | "incomparable" {
  for (const algorithm of ALGORITHMS) {
    const theirs = seen.filter((digest) => digest.startsWith(`${algorithm}-`));
    if (theirs.length === 0 || !known.some((digest) => digest.startsWith(`${algorithm}-`))) continue;
    return theirs.every((digest) => known.includes(digest)) ? "same" : "different";
  }
  return "incomparable";
}

/** True when `a` names a stronger algorithm than everything in `b`. */
export function stronger(a: string | undefined, b: string | undefined): boolean {
  return strength(a) < strength(b);
}

function strength(sri: string | undefined): number {
  const digests = digestsOf(sri);
  const index = ALGORITHMS.findIndex((algorithm) => digests.some((digest) => digest.startsWith(`${algorithm}-`)));
  return index === -1 ? ALGORITHMS.length : index;
}
