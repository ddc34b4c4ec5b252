/** Whether enough of a role's keys signed a document of a TUF repository. */
import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import type { TufDocument, TufKeys, TufKind, TufRole } from "./metadata.ts";

/** `who`: whose keys they are, for the message. Fault INPUT_UNREADABLE when the threshold is not met. */
export function assertSigned(document: TufDocument<TufKind>, keys: TufKeys, role: TufRole, who: string): void {
  const count = signers(document, keys, role);
  if (count < role.threshold)
    throw new Fault("INPUT_UNREADABLE", `${document.file} is signed by ${count} of the ${role.threshold} keys that ${who} asks for`);
}

/**
 * §5.3.4 (and wherever signatures are counted): "signed by a threshold of keys"; §4.2.1: "clients MUST ensure that for any KEYID represented
 * in this key list and in other files, only one unique key has that KEYID". One key under two ids counts once.
 */
function signers({ bytes, signatures }: TufDocument<TufKind>, keys: TufKeys, role: TufRole): number {
  const counted = new Set<string>();
  for (const { keyid, sig } of signatures) {
    if (!role.keyids.includes(keyid) || !Object.hasOwn(keys, keyid) || !/^(?:[0-9a-f]{2})+$/.test(sig)) continue;
    const key = keyOf(keys[keyid]!);
    if (key === undefined) continue;
    const spki = key.export({ type: "spki", format: "der" }).toString("base64");
    if (!counted.has(spki) && fits(key, bytes, Buffer.from(sig, "hex"))) counted.add(spki);
  }
  return counted.size;
}

function fits(key: KeyObject, bytes: Uint8Array, signature: Buffer): boolean {
  return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", bytes, key, signature);
}

/** RFC 8410 §4: an Ed25519 key as SPKI is this prefix and the 32 bytes of the key. */
const ED25519_SPKI = "302a300506032b6570032100";

/** Undefined for a key of a kind that is not read here, or none at all: its signatures do not count. */
function keyOf({ keytype, scheme, keyval }: TufKeys[string]): KeyObject | undefined {
  try {
    // §4.2.2: "ed25519": the public key is hex; "ecdsa" (older files say the curve): PEM.
    if (keytype === "ed25519" && scheme === "ed25519" && /^[0-9a-f]{64}$/.test(keyval.public))
      return createPublicKey({ key: Buffer.from(ED25519_SPKI + keyval.public, "hex"), format: "der", type: "spki" });
    if ((keytype !== "ecdsa" && keytype !== "ecdsa-sha2-nistp256") || scheme !== "ecdsa-sha2-nistp256") return undefined;
    const key = createPublicKey({ key: keyval.public, format: "pem" });
    return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined; // no key: as if it were not listed
  }
}
