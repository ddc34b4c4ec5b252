/**
 * Which keys and authorities are believed: those cordon was built with, newer ones that Sigstore's repository signed (`refresh.ts`), or those
 * a person named. Never what the checked upstream says of itself. An old copy is no danger here: it makes signatures unverifiable, which is
 * said, not valid.
 */
import fs from "node:fs/promises";
import path from "node:path";
import type { Attested } from "../../core/attest/attested.ts";
import { type KeyUsage, readKeys, type TrustedKey } from "../../core/attest/keys.ts";
import { type SignedVersion, verifySignature } from "../../core/attest/signature.ts";
import { canonical, sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, iso, parseInstant } from "../../core/base/time.ts";
import { readText, writeText } from "../host/files.ts";
import { TRUST_FILE } from "./watch.ts";

/** Texts of a Sigstore `trusted_root.json` and of a registry's `keys.json`. */
export type TrustTexts = { readonly root: string; readonly keys: string };

export type LoadedTrust = TrustTexts & {
  readonly source: "shipped" | "stored";
  /** sha256 over both texts, hex. */
  readonly digest: string;
  /** Where it came from and when, of what is stored. */
  readonly from?: string;
  readonly at?: Instant;
  /** Why what is stored is not used, if it is not. */
  readonly ignored?: string;
  /** Of what a signed repository said: the digest of what the cordon that stored it ships. Absent: a person named it. */
  readonly beside?: string;
};

/** Everything about one version that its registry signed. */
export type SignedRelease = SignedVersion & {
  /**
   * The answer of the attestations endpoint. `absent`: the registry has none (its entry names none, or it answered 404); a `Fault` message
   * as `failed`: it could not be fetched.
   */
  readonly attestations: Uint8Array | "absent" | { readonly failed: string };
};

/** Throws only a Fault: INPUT_UNREADABLE when the trust itself cannot be read. */
export type Attestor = (release: SignedRelease) => Promise<Attested>;

const SCHEMA = "cordon.trust/1";

/**
 * What verifies, with its libraries loaded when it is first asked. `load` is asked each time, which costs little beside a verification:
 * trust that another process stored is used by the next one.
 */
export function openAttestor(load: () => Promise<TrustTexts>): Attestor {
  let opened: { readonly texts: TrustTexts; readonly verify: Promise<(release: SignedRelease) => Attested> } | undefined;
  return async (release) => {
    const texts = await load();
    if (opened?.texts.root !== texts.root || opened.texts.keys !== texts.keys) opened = { texts, verify: open(texts) };
    return (await opened.verify)(release);
  };
}

async function open(texts: TrustTexts): Promise<(release: SignedRelease) => Attested> {
  const { attestationVerifier } = await import("../../core/attest/attestations.ts");
  const keys = keysOf(texts.keys);
  const verify = attestationVerifier(texts.root, keys);
  return (release) => {
    const { name, version, integrity, attestations } = release;
    const signature = verifySignature(release, keys);
    if (attestations === "absent") return { signature, publish: { state: "absent" }, provenance: { state: "absent" } };
    const unknown = "failed" in attestations ? ({ state: "not-checked", reason: attestations.failed } as const) : undefined;
    if (unknown) return { signature, publish: unknown, provenance: unknown };
    return { signature, ...verify(attestations as Uint8Array, { name, version, integrity: integrity ?? "" }) };
  };
}

/**
 * The stored trust, unless cordon itself ships a key or authority that it does not hold: then it is the older one. What a signed repository
 * took back in the time of this same cordon is gone all the same.
 */
export async function loadTrust(dataDir: string): Promise<LoadedTrust> {
  const { SHIPPED_TRUST } = await import("./shipped.ts");
  const shipped: LoadedTrust = { ...SHIPPED_TRUST, source: "shipped", digest: digestOf(SHIPPED_TRUST) };
  const stored = readStored(path.join(dataDir, TRUST_FILE));
  if (stored === undefined) return shipped;
  if (stored.beside === shipped.digest) return stored;
  const [missing] = lacking(stored, shipped);
  return missing === undefined
    ? stored
    : { ...shipped, ignored: `what was stored ${iso(stored.at!)} does not hold ${missing}, which cordon ships` };
}

export type OfferedTrust = {
  /** The new `trusted_root.json`, the new `keys.json`; what is not offered stays as it is. */
  readonly root?: Uint8Array;
  readonly keys?: Uint8Array;
  /** The file or the https URL a person named, or the signed repository. */
  readonly from: string;
  readonly at: Instant;
  /** It was verified by a chain of signatures that begins in cordon itself: what it does not hold any more was taken back. */
  readonly signed?: true;
};

/**
 * Keeps newer trust. Fault INPUT_UNREADABLE when it cannot be read, INPUT_TOO_LARGE, USAGE when it came from neither a file nor an https
 * URL or holds less than what is believed now: keys and authorities end by their dates, they do not vanish. What a person named is not taken
 * away by a signed repository either.
 */
export async function storeTrust(dataDir: string, offered: OfferedTrust): Promise<LoadedTrust> {
  if (/^[a-z][a-z0-9+.-]+:/i.test(offered.from) && !/^(?:https|file):\/\//i.test(offered.from))
    throw new Fault("USAGE", "trust comes from a file or an https URL");
  const current = await loadTrust(dataDir);
  const texts = { root: textOf(offered.root, "the trusted root") ?? current.root, keys: textOf(offered.keys, "the keys") ?? current.keys };
  // Reads both as verifying would.
  await open(texts);
  const [missing] = lacking(texts, current);
  if (missing !== undefined && offered.signed === undefined)
    throw new Fault("USAGE", `what was offered does not hold ${missing}, which is believed now: it is older, or not what it seems`);
  if (missing !== undefined && current.source === "stored" && current.beside === undefined)
    throw new Fault(
      "USAGE",
      `it does not hold ${missing}, which is believed because a person named ${current.from}; ${TRUST_FILE} removed, it would be taken`,
    );

  const beside = offered.signed && digestOf((await import("./shipped.ts")).SHIPPED_TRUST);
  const about = { from: offered.from, digest: digestOf(texts), ...(beside === undefined ? {} : { beside }) };
  await fs.mkdir(dataDir, { recursive: true });
  writeText(path.join(dataDir, TRUST_FILE), `${JSON.stringify({ schema: SCHEMA, at: iso(offered.at), ...about, ...texts }, null, 2)}\n`);
  return { ...texts, ...about, source: "stored", at: offered.at };
}

/** Keys and authorities of `before` that `after` does not hold. */
export function lacking(after: TrustTexts, before: TrustTexts): readonly string[] {
  const held = namesIn(after);
  return namesIn(before).filter((name) => !held.includes(name));
}

/** A damaged file is a Fault, not a fallback: somebody meant it to be used. */
function readStored(file: string): LoadedTrust | undefined {
  const text = readText(file, 3 * LIMITS.trustBytes);
  if (text === undefined) return undefined;
  let value: Partial<Record<string, unknown>>;
  try {
    value = Object(JSON.parse(text)) as typeof value;
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `${file} is not JSON`, error);
  }
  const { schema, from, at, digest, root, keys, beside } = value;
  const moment = parseInstant(at);
  if (schema !== SCHEMA || typeof from !== "string" || typeof root !== "string" || typeof keys !== "string" || moment === undefined)
    throw new Fault("INPUT_UNREADABLE", `${file} is not trust that cordon stored; remove it to use what cordon ships`);
  if (digest !== digestOf({ root, keys }))
    throw new Fault("INPUT_UNREADABLE", `${file} was changed after it was stored; remove it or sync again`);
  return { root, keys, source: "stored", digest, from, at: moment, ...(typeof beside === "string" ? { beside } : {}) };
}

function keysOf(text: string): readonly TrustedKey[] {
  const reading = readKeys(text);
  if (reading.kind === "unreadable") throw new Fault("INPUT_UNREADABLE", `the registry's keys cannot be read: ${reading.reason}`);
  return reading.keys;
}

/** Every key, log and authority, so that two copies can be compared. */
function namesIn({ root, keys }: TrustTexts): readonly string[] {
  const uses: Readonly<Record<KeyUsage, string>> = { "npm:signatures": "signatures", "npm:attestations": "attestations" };
  const named = keysOf(keys).flatMap(({ keyid, usage }) => usage.map((use) => `the key ${keyid} for ${uses[use]}`));
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = rootOf(root);
  const parts = { log: tlogs, "certificate log": ctlogs, authority: certificateAuthorities, "time authority": timestampAuthorities };
  const listed = Object.entries(parts).flatMap(([what, list]) =>
    list.map((one) => `the ${what} ${sha256(canonical(one.publicKey?.rawBytes ?? one.certChain)).slice(0, 16)}`),
  );
  return [...named, ...listed];
}

type RootPart = { readonly publicKey?: { readonly rawBytes?: unknown }; readonly certChain?: unknown };
type RootParts = Readonly<Record<"tlogs" | "ctlogs" | "certificateAuthorities" | "timestampAuthorities", readonly RootPart[]>>;

function rootOf(text: string): RootParts {
  let value: Partial<Record<string, unknown>>;
  try {
    value = Object(JSON.parse(text)) as typeof value;
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", "the trusted root is not JSON", error);
  }
  const part = (name: string) => (Array.isArray(value[name]) ? value[name].map((one) => Object(one) as RootPart) : []);
  return {
    tlogs: part("tlogs"),
    ctlogs: part("ctlogs"),
    certificateAuthorities: part("certificateAuthorities"),
    timestampAuthorities: part("timestampAuthorities"),
  };
}

function textOf(bytes: Uint8Array | undefined, what: string): string | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.byteLength > LIMITS.trustBytes) throw new Fault("INPUT_TOO_LARGE", `${what}: larger than ${LIMITS.trustBytes} bytes`);
  return Buffer.from(bytes).toString("utf8");
}

function digestOf({ root, keys }: TrustTexts): string {
  return sha256(canonical({ root, keys }));
}
