/**
 * The evidence bundle: copies, one manifest of their sha256, one Ed25519 signature over the manifest. Whoever holds the folder can check it
 * with nothing of ours; that the key is ours has to be known from elsewhere, so its fingerprint stands in the report.
 */
import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import * as z from "zod/mini";
import { sha256 } from "../base/digest.ts";
import { LIMITS } from "../base/limits.ts";

export const BUNDLE_SCHEMA = "cordon.evidence/1";

const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const manifestSchema = z.strictObject({
  schema: z.literal(BUNDLE_SCHEMA),
  plan: z.string(),
  incident: z.string(),
  /** ISO time, and who made it. */
  at: z.string(),
  by: z.string(),
  files: z
    .array(
      z.strictObject({
        /** Where it lay. */
        path: z.string(),
        /** Where the copy lies, below the bundle; slashes. */
        copy: z.string().check(z.regex(/^files\/[\w-]+$/)),
        bytes: z.number(),
        sha256: digest,
        modified: z.string(),
      }),
    )
    .check(z.maxLength(LIMITS.evidenceFiles)),
  /** What could not be copied, and why. */
  missing: z.array(z.strictObject({ path: z.string(), why: z.string() })),
});
export type BundleManifest = z.infer<typeof manifestSchema>;

/** As written: digests and the signature are of these bytes. */
export function manifestText(manifest: BundleManifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** The text of `manifest.json.sig`. `privateKey`: Ed25519. */
export function signManifest(text: string, privateKey: KeyObject): string {
  const key = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const signature = sign(null, signedText(text), privateKey).toString("base64");
  return `${JSON.stringify({ algorithm: "ed25519", key: key.toString("base64"), signature })}\n`;
}

export type BundleCheck =
  | { readonly manifest: BundleManifest; readonly fingerprint: string; readonly problems: readonly string[] }
  | { readonly problems: readonly string[] };

/** `digestOf` gives the sha256 of a copy, undefined when it is not there; `others` are copies that lie there. */
export function checkBundle(
  text: string,
  signature: string,
  digestOf: (copy: string) => string | undefined,
  others: readonly string[],
): BundleCheck {
  const key = signerOf(text, signature);
  if (key === undefined) return { problems: ["the signature does not hold: the manifest is not what was signed"] };
  const read = manifestSchema.safeParse(parsed(text));
  if (!read.success) return { problems: ["the manifest is none of this schema"] };
  const manifest = read.data;
  const problems = manifest.files.flatMap(({ copy, sha256: said }) => {
    const now = digestOf(copy);
    if (now === undefined) return [`${copy} is missing`];
    return now === said ? [] : [`${copy} is not what was copied`];
  });
  const known = new Set(manifest.files.map(({ copy }) => copy));
  for (const other of others) if (!known.has(other)) problems.push(`${other} was added`);
  return { manifest, fingerprint: sha256(key).slice(0, 16), problems };
}

/** SPKI DER of the key in the signature file, when its signature is over this text. */
function signerOf(text: string, signature: string): Uint8Array | undefined {
  const read = parsed(signature) as { readonly key?: unknown; readonly signature?: unknown } | undefined;
  if (typeof read?.key !== "string" || typeof read.signature !== "string") return undefined;
  try {
    const der = Buffer.from(read.key, "base64");
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    // Another kind of key could bring another kind of signature with it.
    const holds = key.asymmetricKeyType === "ed25519" && verify(null, signedText(text), key, Buffer.from(read.signature, "base64"));
    return holds ? der : undefined;
  } catch {
    return undefined;
  }
}

/** The same key signs heads of the ledger: the first line keeps one from being taken for the other. */
function signedText(text: string): Uint8Array {
  return Buffer.from(`cordon-evidence/1\n${sha256(text)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
