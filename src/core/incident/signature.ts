/** Detached signatures of packs: Ed25519 over the pack's bytes as they stand in the file. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { sha256 } from "../base/digest.ts";
import { Fault } from "../base/fault.ts";

export type PackSignature = { readonly algorithm: "ed25519"; readonly key: string; readonly signature: string };

/** `privateKey` is PEM. */
export function signPack(bytes: Uint8Array, privateKey: string): PackSignature {
  const key = usable("private", () => createPrivateKey(privateKey));
  return {
    algorithm: "ed25519",
    key: fingerprint(createPublicKey(key).export({ type: "spki", format: "der" })),
    signature: sign(null, bytes, key).toString("base64"),
  };
}

/** `publicKey` is PEM. The reason when it does not verify. */
export function verifyPack(
  bytes: Uint8Array,
  signature: string,
  publicKey: string,
): { readonly key: string } | { readonly problem: string } {
  const key = usable("public", () => createPublicKey(publicKey));
  const id = fingerprint(key.export({ type: "spki", format: "der" }));
  let read: Partial<PackSignature>;
  try {
    read = JSON.parse(signature) as Partial<PackSignature>;
  } catch {
    return { problem: "the signature file is not JSON" };
  }
  if (read.algorithm !== "ed25519" || typeof read.signature !== "string")
    return { problem: "the signature file holds no Ed25519 signature" };
  if (read.key !== id) return { problem: `it is signed by key ${String(read.key).slice(0, 16)}, not by ${id}` };
  return verify(null, bytes, key, Buffer.from(read.signature, "base64")) ? { key: id } : { problem: "the signature does not fit the pack" };
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
