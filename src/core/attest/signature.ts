/** The registry's signature over a version: that these bytes are what it published under this name and version. */
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { LIMITS } from "../base/limits.ts";
import { type Instant, isoMinute } from "../base/time.ts";
import type { Attested } from "./attested.ts";
import type { TrustedKey } from "./keys.ts";

export type SignedVersion = {
  readonly name: string;
  readonly version: string;
  /** SRI exactly as published; what is signed is this text. */
  readonly integrity?: string;
  readonly signatures?: readonly { readonly keyid: string; readonly sig: string }[];
  /** The registry's `time`. It is not signed: an expired key is a contradiction, not an attack repelled. */
  readonly publishedAt?: Instant;
};

/**
 * One good signature under a known key is enough, a bad one under a known key is too much, and keys this cordon does not know prove
 * nothing either way. The keys are never those the checked upstream lists: a mirror could answer with a pair of its own.
 */
export function verifySignature(of: SignedVersion, keys: readonly TrustedKey[]): Attested["signature"] {
  const { signatures = [], integrity, publishedAt } = of;
  if (signatures.length === 0) return { state: "absent" };
  if (signatures.length > LIMITS.releaseSignatures)
    return { state: "unverifiable", reason: `it carries more than ${LIMITS.releaseSignatures} signatures` };
  if (integrity === undefined)
    return { state: "unverifiable", reason: "the registry signs an integrity, and this version is listed without one" };

  const message = Buffer.from(`${of.name}@${of.version}:${integrity}`);
  let good: string | undefined;
  let doubt: string | undefined;
  for (const { keyid, sig } of signatures) {
    const key = keys.find((one) => one.keyid === keyid && one.usage.includes("npm:signatures"));
    if (!key) {
      doubt ??= `it is signed with the key ${keyid}, which this cordon does not know`;
    } else if (!isSignedBy(key, message, sig)) {
      return {
        state: "invalid",
        reason: `its signature under the registry's key ${keyid} is not over ${of.name}@${of.version}:${integrity}`,
      };
    } else if (publishedAt !== undefined && key.until !== undefined && publishedAt >= key.until) {
      doubt ??= `its key ${keyid} expired ${isoMinute(key.until)}, before it was published`;
    } else {
      good ??= keyid;
    }
  }
  return good === undefined ? { state: "unverifiable", reason: doubt! } : { state: "valid", keyid: good };
}

function isSignedBy({ spki }: TrustedKey, message: Buffer, signature: string): boolean {
  const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
  return verify("sha256", message, key, Buffer.from(signature, "base64"));
}
