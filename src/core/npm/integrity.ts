/** Subresource-integrity strings as npm writes them: reading, comparing, and computing. A weaker algorithm never stands in for a stronger one. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { printable } from "../base/text.ts";
import type { VersionSummary } from "./summary.ts";

/** Strongest first. */
const DIGEST_BYTES = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 } as const;
export type Algorithm = keyof typeof DIGEST_BYTES;
const ALGORITHMS = Object.keys(DIGEST_BYTES) as Algorithm[];

export type Integrity =
  | {
      readonly kind: "integrity";
      /** The strongest algorithm named. */
      readonly algorithm: Algorithm;
      /** Base64 digests of every known algorithm named, without repeats. */
      readonly digests: Readonly<Partial<Record<Algorithm, readonly string[]>>>;
      /** Algorithms named that are not known here, e.g. `md5`; they were ignored. */
      readonly ignored: readonly string[];
    }
  /** No digest of a known algorithm. */
  | { readonly kind: "none"; readonly ignored: readonly string[] }
  /** A part is not `algorithm-base64`, or its digest has the wrong length for its algorithm. */
  | { readonly kind: "malformed"; readonly part: string };

/** Reads an SRI string: one or more `algorithm-base64`, separated by white space, each with `?options` that are ignored. */
export function parseIntegrity(text: string): Integrity {
  if (USUAL.test(text)) return { kind: "integrity", algorithm: "sha512", digests: { sha512: [text.slice("sha512-".length)] }, ignored: [] };
  const digests: Partial<Record<Algorithm, string[]>> = {};
  const ignored: string[] = [];
  for (const part of text.split(/\s+/).filter((word) => word !== "")) {
    // W3C Subresource Integrity §3.5: hash-expression = hash-algorithm "-" base64-value, options behind "?"
    const match = /^([a-z0-9]+)-([A-Za-z0-9+/]+={0,2})(?:\?[\x21-\x7e]*)?$/.exec(part);
    if (!match) return { kind: "malformed", part: printable(part).slice(0, 100) };
    const [, name, digest] = match as unknown as [string, string, string];
    if (!isAlgorithm(name)) ignored.push(name);
    else if (!isDigest(digest, DIGEST_BYTES[name])) return { kind: "malformed", part: printable(part).slice(0, 100) };
    else if (!digests[name]?.includes(digest)) (digests[name] ??= []).push(digest);
  }
  const algorithm = ALGORITHMS.find((name) => digests[name] !== undefined);
  return algorithm === undefined ? { kind: "none", ignored } : { kind: "integrity", algorithm, digests, ignored };
}

/** One sha512 and nothing else, as nearly every version has it: 64 bytes in the one spelling of base64, whose last digit carries two bits. */
const USUAL = /^sha512-[A-Za-z0-9+/]{85}[AQgw]==$/;

function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(DIGEST_BYTES, name);
}

/** Right length, and the one spelling base64 has for these bytes. */
function isDigest(base64: string, length: number): boolean {
  const bytes = Buffer.from(base64, "base64");
  return bytes.length === length && bytes.toString("base64") === base64;
}

/**
 * Whether two integrity strings speak of the same bytes. `different` as soon as any algorithm both name disagrees; `same` only when the
 * strongest algorithm of both is one and agrees; else `incomparable` (sha1 against sha512, or one of them unreadable).
 */
export function compareIntegrity(one: string, other: string): "same" | "different" | "incomparable" {
  const a = parseIntegrity(one);
  const b = parseIntegrity(other);
  if (a.kind !== "integrity" || b.kind !== "integrity") return "incomparable";
  for (const algorithm of ALGORITHMS) {
    const [ours, theirs] = [a.digests[algorithm], b.digests[algorithm]];
    if (ours && theirs && (ours.length !== theirs.length || !ours.every((digest) => theirs.includes(digest)))) return "different";
  }
  return a.algorithm === b.algorithm ? "same" : "incomparable";
}

/** Checks bytes as they arrive against the strongest algorithm an SRI string names; also gives their sha512 SRI. A string without a usable digest never matches. */
export function integrityVerifier(integrity: string): {
  update(chunk: Uint8Array): void;
  result(): { readonly ok: boolean; readonly sha512: string };
} {
  const wanted = parseIntegrity(integrity);
  const sha512 = createHash("sha512");
  const other = wanted.kind === "integrity" && wanted.algorithm !== "sha512" ? createHash(wanted.algorithm) : undefined;
  return {
    update(chunk) {
      sha512.update(chunk);
      other?.update(chunk);
    },
    result() {
      const digest = sha512.digest("base64");
      const found = other ? other.digest("base64") : digest;
      const ok = wanted.kind === "integrity" && wanted.digests[wanted.algorithm]!.includes(found);
      return { ok, sha512: `sha512-${digest}` };
    },
  };
}

/** The SRI string of bytes. */
export function integrityOf(bytes: Uint8Array, algorithm: Algorithm = "sha512"): string {
  return `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
}

/** `sha1-<base64>` of a hex shasum in either case; undefined when it is none. */
export function shasumToIntegrity(shasum: string): string | undefined {
  return /^[0-9a-f]{40}$/i.test(shasum) ? `sha1-${Buffer.from(shasum, "hex").toString("base64")}` : undefined;
}

/** Lower-case hex of the sha1 digest in an SRI string; undefined when it has none, or several. */
export function integrityToShasum(integrity: string): string | undefined {
  const parsed = parseIntegrity(integrity);
  const sha1 = parsed.kind === "integrity" ? parsed.digests.sha1 : undefined;
  return sha1?.length === 1 ? Buffer.from(sha1[0]!, "base64").toString("hex") : undefined;
}

/** The integrity to hold a version to: its SRI string as published when that is usable, else `sha1-…` of its shasum. */
export function integrityOfVersion(version: Pick<VersionSummary, "integrity" | "shasum">): string | undefined {
  if (version.integrity !== undefined && parseIntegrity(version.integrity).kind === "integrity") return version.integrity;
  return version.shasum === undefined ? undefined : shasumToIntegrity(version.shasum);
}
