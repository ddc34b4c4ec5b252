/**
 * npm's attestations of one version, verified without a network: the bundles by Sigstore's library under a trusted root that was handed
 * in, everything it leaves open here and in `statement.ts`. Loads that library, so it is imported only when something is to be verified.
 */
import { Buffer } from "node:buffer";
import { createPublicKey } from "node:crypto";
import { type Bundle, bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { type SignedEntity, type TrustMaterial, toSignedEntity, toTrustMaterial, VerificationError, Verifier } from "@sigstore/verify";
import { Fault } from "../base/fault.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Attested } from "./attested.ts";
import { type Extensions, identityOf } from "./identity.ts";
import { fieldOf, type TrustedKey } from "./keys.ts";
import { claimedRepository, kindOf, objectionTo, readStatement, type Objection, type StatementKind, type Subject } from "./statement.ts";

export type AttestationProofs = Pick<Attested, "publish" | "provenance">;

/** `document`: the answer of the attestations endpoint, as it came. Never throws on what it says. */
export type VerifyAttestations = (document: Uint8Array, subject: Subject) => AttestationProofs;

const FULCIO = "1.3.6.1.4.1.57264.1.";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const BUNDLES: ReadonlySet<unknown> = new Set([
  "application/vnd.dev.sigstore.bundle+json;version=0.1",
  "application/vnd.dev.sigstore.bundle+json;version=0.2",
  "application/vnd.dev.sigstore.bundle+json;version=0.3",
  "application/vnd.dev.sigstore.bundle.v0.3+json",
]);

/** `root`: the text of a `trusted_root.json`; Fault INPUT_UNREADABLE when it is none. */
export function attestationVerifier(root: string, keys: readonly TrustedKey[]): VerifyAttestations {
  const material = trustMaterial(root, keys);
  return (document, subject) => {
    const listed = readDocument(document);
    if ("state" in listed) return { publish: listed, provenance: listed };
    const proofs: { -readonly [K in StatementKind]: AttestationProofs[K] } = {
      publish: { state: "absent" },
      provenance: { state: "absent" },
    };
    for (const entry of listed) {
      const { outer, bundle } = { outer: fieldOf(entry, "predicateType"), bundle: fieldOf(entry, "bundle") };
      for (const kind of new Set([kindOf(outer), kindOf(signedType(bundle))])) {
        if (kind === undefined) continue;
        if (proofs[kind].state !== "absent") proofs[kind] = unverifiable(`the answer holds more than one ${kind} attestation`);
        else if (kind === "publish") proofs.publish = publishProof({ outer, bundle }, subject, material);
        else proofs.provenance = provenanceProof({ outer, bundle }, subject, material);
      }
    }
    // The registry attests the publish of everything it has provenance of: alone, a build proves nothing about what was published.
    if (proofs.provenance.state === "valid" && proofs.publish.state !== "valid")
      proofs.provenance = unverifiable("the registry's own attestation, that it published what was built, does not hold");
    return proofs;
  };
}

type Entry = { readonly outer: unknown; readonly bundle: unknown };

function publishProof(entry: Entry, subject: Subject, material: TrustMaterial): AttestationProofs["publish"] {
  const checked = check("publish", entry, subject, material);
  return "state" in checked ? checked : { state: "valid", ...(checked.at === undefined ? {} : { at: checked.at }) };
}

function provenanceProof(entry: Entry, subject: Subject, material: TrustMaterial): AttestationProofs["provenance"] {
  const checked = check("provenance", entry, subject, material);
  if ("state" in checked) return checked;
  const identity = identityOf(checked.extensions);
  if (!identity) return { state: "unverifiable", reason: "its certificate names no source repository" };
  const claimed = claimedRepository(checked.statement);
  if (claimed !== undefined && claimed.toLowerCase() !== identity.repository.toLowerCase())
    return invalid(`it says ${claimed} was built, its certificate ${identity.repository}`);
  return {
    state: "valid",
    identity,
    predicateType: checked.statement.predicateType,
    ...(checked.at === undefined ? {} : { at: checked.at }),
  };
}

type Checked = {
  readonly statement: NonNullable<ReturnType<typeof readStatement>>;
  readonly extensions: Extensions;
  readonly at?: Instant;
};

function check(kind: StatementKind, { outer, bundle: serialized }: Entry, subject: Subject, material: TrustMaterial): Checked | Objection {
  const mediaType = fieldOf(serialized, "mediaType");
  if (!BUNDLES.has(mediaType)) return unverifiable(`a bundle of the form ${textOf(mediaType)} is not known here`);
  let bundle: Bundle;
  let entity: SignedEntity;
  try {
    bundle = bundleFromJSON(serialized);
    entity = toSignedEntity(bundle);
  } catch (error) {
    return unverifiable(`the bundle cannot be read: ${messageOf(error)}`);
  }
  if (bundle.content.$case !== "dsseEnvelope") return unverifiable("the bundle signs no statement");

  // Anybody can have a certificate of his own; and the registry's key says nothing about builds.
  const wanted = kind === "publish" ? "public-key" : "certificate";
  if (entity.key.$case !== wanted)
    return invalid(kind === "publish" ? "it is not signed with a key of the registry" : "it is not signed by a build with a certificate");

  let extensions: Extensions;
  try {
    const unknown = strangers(entity, material);
    if (unknown !== undefined) return unverifiable(unknown);
    extensions = extensionsOf(new Verifier(material, { ctlogThreshold: 1, tlogThreshold: 1 }).verify(entity).identity?.oids ?? []);
  } catch (error) {
    // Any other error than its own is the library stumbling over what it reads: parts of a certificate are parsed when first asked for.
    if (!(error instanceof VerificationError)) return unverifiable(`the bundle cannot be read: ${messageOf(error)}`);
    return (error.code === "PUBLIC_KEY_ERROR" ? unverifiable : invalid)(`${error.code}: ${error.message}`);
  }

  const { payload, payloadType } = bundle.content.dsseEnvelope;
  if (payloadType !== PAYLOAD_TYPE) return unverifiable(`its payload is ${payloadType}`);
  const statement = readStatement(payload);
  if (!statement) return invalid("what is signed is no statement");
  // The outer type is signed by nobody. Where it differs, somebody relabelled a signed statement.
  if (statement.predicateType !== outer)
    return invalid(`the answer calls it ${textOf(outer)}, the signed statement ${statement.predicateType}`);
  const objection = objectionTo(statement, subject);
  const at = timeOf(entity);
  return objection ?? { statement, extensions, ...(at === undefined ? {} : { at }) };
}

/**
 * The first key, log or authority it names that is not known here; undefined when all are. Asked before verifying, because the verifier
 * says the same of a stranger's signature as of a forged one: the first wants newer trust, the second is an attack.
 */
function strangers({ key, tlogEntries }: SignedEntity, material: TrustMaterial): string | undefined {
  for (const { logId } of tlogEntries)
    if (!material.tlogs.some((log) => log.logID.equals(logId.keyId)))
      return `the log ${logId.keyId.toString("hex").slice(0, 16)} is not known here`;
  if (key.$case === "public-key") {
    try {
      material.publicKey(key.hint);
      return undefined;
    } catch {
      return `the key ${key.hint} is not known here as one that attests`;
    }
  }
  const { certificate } = key;
  const authority = certificate.extAuthorityKeyID?.keyIdentifier;
  const known = material.certificateAuthorities
    .flatMap(({ certChain }) => certChain)
    .some((one) => (authority ? one.extSubjectKeyID?.keyIdentifier.equals(authority) : one.subject.equals(certificate.issuer)));
  if (!known) return "the authority that issued its certificate is not known here";
  for (const { logID } of certificate.extSCT?.signedCertificateTimestamps ?? [])
    if (!material.ctlogs.some((log) => log.logID.equals(logID)))
      return `the certificate log ${logID.toString("hex").slice(0, 16)} is not known here`;
  return undefined;
}

/** The latest time a log or a timestamp authority vouches for: the verifier has checked each. A log's own time counts only when promised. */
function timeOf({ timestamps }: SignedEntity): Instant | undefined {
  const times = timestamps.flatMap((stamp) => {
    if (stamp.$case === "timestamp-authority") return [stamp.timestamp.signingTime.getTime()];
    return stamp.tlogEntry.inclusionPromise ? [Number(stamp.tlogEntry.integratedTime) * 1_000] : [];
  });
  return times.length === 0 ? undefined : instant(Math.max(...times));
}

function extensionsOf(
  oids: readonly { readonly oid?: { readonly id: readonly number[] } | undefined; readonly value: Buffer }[],
): Extensions {
  const named = oids.map(({ oid, value }) => [oid?.id.join(".") ?? "", value] as const).filter(([id]) => id.startsWith(FULCIO));
  return new Map(named.map(([id, value]) => [Number(id.slice(FULCIO.length)), value]));
}

function trustMaterial(root: string, keys: readonly TrustedKey[]): TrustMaterial {
  const attesting = new Map(keys.filter(({ usage }) => usage.includes("npm:attestations")).map((key) => [key.keyid, key]));
  const finder = (hint: string) => {
    const key = attesting.get(hint);
    if (!key) throw new VerificationError({ code: "PUBLIC_KEY_ERROR", message: `key not found: ${hint}` });
    return {
      publicKey: createPublicKey({ key: Buffer.from(key.spki, "base64"), format: "der", type: "spki" }),
      validFor: (date: Date) =>
        (key.from === undefined || date.getTime() >= key.from) && (key.until === undefined || date.getTime() < key.until),
    };
  };
  try {
    return toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(root)), finder);
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `the trusted root cannot be read: ${messageOf(error)}`, error);
  }
}

/** The entries of `{attestations: [{predicateType, bundle}]}`, or why there are none. */
function readDocument(document: Uint8Array): readonly unknown[] | (Objection & { state: "unverifiable" }) {
  if (document.byteLength > LIMITS.attestationsBytes) return unverifiable(`the answer is larger than ${LIMITS.attestationsBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(document));
  } catch {
    return unverifiable("the answer is not JSON");
  }
  const listed = fieldOf(value, "attestations");
  if (!Array.isArray(listed)) return unverifiable("the answer lists no attestations");
  if (listed.length > LIMITS.attestations) return unverifiable(`the answer lists more than ${LIMITS.attestations} attestations`);
  return listed;
}

/** The type inside the payload, unverified. */
function signedType(bundle: unknown): string | undefined {
  const payload = fieldOf(fieldOf(bundle, "dsseEnvelope"), "payload");
  return typeof payload === "string" ? readStatement(Buffer.from(payload, "base64"))?.predicateType : undefined;
}

function invalid(reason: string): { readonly state: "invalid"; readonly reason: string } {
  return { state: "invalid", reason: short(reason) };
}

function unverifiable(reason: string): { readonly state: "unverifiable"; readonly reason: string } {
  return { state: "unverifiable", reason: short(reason) };
}

function short(reason: string): string {
  return printable(reason).slice(0, LIMITS.attestationReasonChars);
}

/** Made of JSON from outside, which may hold an object whose `toString` is no function. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "nothing";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
