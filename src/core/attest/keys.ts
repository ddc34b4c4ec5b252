/** The public keys a registry signs with: read from either form they are published in, and named by their fingerprint. */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey } from "node:crypto";
import { LIMITS } from "../base/limits.ts";
import { type Instant, instant } from "../base/time.ts";

export type TrustedKey = {
  /** `SHA256:` and the unpadded base64 of the digest of the key in OpenSSH's wire form. */
  readonly keyid: string;
  /** base64 of the SPKI form; ECDSA over P-256. */
  readonly spki: string;
  /** What it may sign: `dist.signatures`, publish attestations, or both. */
  readonly usage: readonly KeyUsage[];
  readonly from?: Instant;
  readonly until?: Instant;
};

export type KeyUsage = "npm:signatures" | "npm:attestations";

export type KeysReading =
  | { readonly kind: "keys"; readonly keys: readonly TrustedKey[] }
  | { readonly kind: "unreadable"; readonly reason: string };

const USAGES: readonly KeyUsage[] = ["npm:signatures", "npm:attestations"];

/**
 * Reads `keys.json`, either as npm's TUF target holds it (`{keyId, keyUsage, publicKey: {rawBytes, validFor}}`) or as a registry answers
 * `/-/npm/v1/keys` (`{keyid, key, expires}`: any use). One bad key makes the whole file unreadable: it is no file to guess about.
 */
export function readKeys(text: string): KeysReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "unreadable", reason: "it is not JSON" };
  }
  const listed = fieldOf(value, "keys");
  if (!Array.isArray(listed) || listed.length === 0) return { kind: "unreadable", reason: "it lists no keys" };
  if (listed.length > LIMITS.trustKeys) return { kind: "unreadable", reason: `it lists more than ${LIMITS.trustKeys} keys` };
  const keys: TrustedKey[] = [];
  for (const [index, entry] of listed.entries()) {
    const key = readKey(entry);
    if (typeof key === "string") return { kind: "unreadable", reason: `key ${index + 1}: ${key}` };
    keys.push(key);
  }
  return { kind: "keys", keys };
}

/** A string says why not. */
function readKey(entry: unknown): TrustedKey | string {
  const publicKey = fieldOf(entry, "publicKey");
  const keyid = fieldOf(entry, "keyId") ?? fieldOf(entry, "keyid");
  const spki = fieldOf(publicKey, "rawBytes") ?? fieldOf(entry, "key");
  if (typeof keyid !== "string" || typeof spki !== "string") return "no id or no key";
  // A wrong id would make every good signature under this key look like one under an unknown key.
  if (fingerprint(spki) !== keyid) return "its id is not its fingerprint, or it is no key of ECDSA P-256";

  const named = fieldOf(entry, "keyUsage");
  const usage = named === undefined ? USAGES : USAGES.filter((one) => one === named);
  const validFor = fieldOf(publicKey, "validFor");
  const from = momentOf(fieldOf(validFor, "start"));
  const until = momentOf(fieldOf(validFor, "end") ?? fieldOf(entry, "expires"));
  if (from === "unreadable" || until === "unreadable") return "its dates cannot be read";
  return { keyid, spki, usage, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

const SSH_TYPE = "ecdsa-sha2-nistp256";

/** Undefined when `spki` is no key of ECDSA P-256. */
export function fingerprint(spki: string): string | undefined {
  let point: Buffer;
  try {
    const { crv, x, y } = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" }).export({ format: "jwk" });
    if (crv !== "P-256" || x === undefined || y === undefined) return undefined;
    point = Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  } catch {
    return undefined;
  }
  // RFC 5656 §3.1: string type, string curve, string point.
  const wire = [Buffer.from(SSH_TYPE), Buffer.from("nistp256"), point].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return `SHA256:${createHash("sha256").update(Buffer.concat(wire)).digest("base64").replace(/=+$/, "")}`;
}

/** The start of npm's first key is set to 1999: any date will do. */
function momentOf(value: unknown): Instant | undefined | "unreadable" {
  if (value === undefined || value === null) return undefined;
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isFinite(at) ? instant(at) : "unreadable";
}

/** A member of what may be an object; never one it inherits. */
export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
