/** Detached signatures of packs: Ed25519 over the pack's bytes as they stand in the file. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { sha256 } from "../base/digest.ts";
import { Fault } from "../base/fault.ts";
import { printable } from "../base/text.ts";

export type PackSignature = { readonly algorithm: "ed25519"; readonly key: string; readonly signature: string };

/** A publisher's key, by the name whoever trusts it gave it. */
export type PackKey = {
  readonly name: string;
  /** The first 16 hex digits of the sha256 of its SPKI form. */
  readonly key: string;
  readonly pem: string;
};

/** What a signature says of a pack: whose it is, that its key is unknown here, or that it must not be believed. */
export type Signed =
  | { readonly kind: "signed"; readonly by: string; readonly key: string }
  | { readonly kind: "stranger"; readonly key: string }
  | { readonly kind: "unfit"; readonly why: string };

/** `privateKey` is PEM. */
export function signPack(bytes: Uint8Array, privateKey: string): PackSignature {
  const key = usable("private", () => createPrivateKey(privateKey));
  return {
    algorithm: "ed25519",
    key: fingerprint(createPublicKey(key).export({ type: "spki", format: "der" })),
    signature: sign(null, bytes, key).toString("base64"),
  };
}

/** `pem` is a public key. Fault USAGE when it is none. A private one is refused: nobody should hand it to whoever checks. */
export function packKey(name: string, pem: string): PackKey {
  if (/PRIVATE KEY/.test(pem)) throw new Fault("USAGE", "that is a private key; the public half is wanted: openssl pkey -in … -pubout");
  const key = usable("public", () => createPublicKey(pem));
  return {
    name,
    key: fingerprint(key.export({ type: "spki", format: "der" })),
    pem: key.export({ type: "spki", format: "pem" }).toString(),
  };
}

export function whoSigned(bytes: Uint8Array, signature: string, keys: readonly PackKey[]): Signed {
  let read: Partial<PackSignature>;
  try {
    read = Object(JSON.parse(signature)) as Partial<PackSignature>;
  } catch {
    return { kind: "unfit", why: "its file is not JSON" };
  }
  if (read.algorithm !== "ed25519" || typeof read.signature !== "string" || !/^[0-9a-f]{16}$/.test(String(read.key)))
    return { kind: "unfit", why: "its file holds no Ed25519 signature" };
  const key = String(read.key);
  const known = keys.find((one) => one.key === key);
  if (known === undefined) return { kind: "stranger", key };
  return verify(null, bytes, known.pem, Buffer.from(read.signature, "base64"))
    ? { kind: "signed", by: printable(known.name), key }
    : { kind: "unfit", why: `${printable(known.name)} signed other bytes, or nobody did` };
}

function usable<K extends { readonly asymmetricKeyType?: string | undefined }>(half: string, read: () => K): K {
  let key: K;
  try {
    key = read();
  } catch {
    throw new Fault("USAGE", `the ${half} key is not a PEM file that can be read`);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new Fault("USAGE", `the ${half} key is ${key.asymmetricKeyType ?? "of an unknown kind"}, not Ed25519`);
  return key;
}

function fingerprint(der: Uint8Array): string {
  return sha256(der).slice(0, 16);
}
