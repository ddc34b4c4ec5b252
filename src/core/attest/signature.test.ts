import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect, test } from "vitest";
import { instant } from "../base/time.ts";
import { fingerprint, readKeys, type TrustedKey } from "./keys.ts";
import { verifySignature } from "./signature.ts";

const pair = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const spkiOf = (key: KeyObject) => key.export({ type: "spki", format: "der" }).toString("base64");

type Signer = { readonly key: TrustedKey; sign(message: string): { keyid: string; sig: string } };

function signer(usage: TrustedKey["usage"] = ["npm:signatures"]): Signer {
  const { privateKey, publicKey } = pair();
  const spki = spkiOf(publicKey);
  const keyid = fingerprint(spki)!;
  return {
    key: { keyid, spki, usage },
    sign: (message) => ({ keyid, sig: sign("sha256", Buffer.from(message), privateKey).toString("base64") }),
  };
}

const registry = signer();
const newer = signer();
const stranger = signer();
const keys = [registry.key, newer.key];
const integrity = "sha512-abc";
const message = `widget@1.0.0:${integrity}`;
const check = (signatures: readonly { keyid: string; sig: string }[], more = {}, known: readonly TrustedKey[] = keys) =>
  verifySignature({ name: "widget", version: "1.0.0", integrity, signatures, ...more }, known);

test("one good signature under a known key is enough", () => {
  expect(check([registry.sign(message)])).toEqual({ state: "valid", keyid: registry.key.keyid });
  expect(check([stranger.sign(message), newer.sign(message)])).toEqual({ state: "valid", keyid: newer.key.keyid });
});

test("no signature is absent, not wrong", () => {
  expect(check([])).toEqual({ state: "absent" });
  expect(verifySignature({ name: "widget", version: "1.0.0", integrity }, keys)).toEqual({ state: "absent" });
});

test("a bad one under a known key is invalid, whatever stands beside it", () => {
  const good = registry.sign(message);
  for (const other of [`widget@1.0.1:${integrity}`, `gadget@1.0.0:${integrity}`, "widget@1.0.0:sha512-abd"])
    expect(check([good, newer.sign(other)])).toMatchObject({ state: "invalid" });
  expect(check([{ keyid: registry.key.keyid, sig: "AAAA" }])).toMatchObject({ state: "invalid" });
  expect(check([{ keyid: registry.key.keyid, sig: "not base64 at all" }, good])).toMatchObject({ state: "invalid" });
  expect(check([{ ...stranger.sign(message), keyid: registry.key.keyid }])).toMatchObject({ state: "invalid" });
});

test("a key nobody knows proves nothing either way", () => {
  expect(check([stranger.sign(message)])).toEqual({ state: "unverifiable", reason: expect.stringContaining(stranger.key.keyid) });
  const attests = signer(["npm:attestations"]);
  expect(check([attests.sign(message)], {}, [attests.key])).toMatchObject({ state: "unverifiable" });
});

test("what cannot be compared is not guessed", () => {
  expect(verifySignature({ name: "widget", version: "1.0.0", signatures: [registry.sign(message)] }, keys)).toMatchObject({
    state: "unverifiable",
  });
  expect(check(Array.from({ length: 9 }, () => registry.sign(message)))).toMatchObject({ state: "unverifiable" });
});

test("a key that expired before the publish is a contradiction; without a publish time nothing contradicts", () => {
  const expired = [{ ...registry.key, until: instant(1_000) }, newer.key];
  expect(check([registry.sign(message)], { publishedAt: instant(999) }, expired)).toMatchObject({ state: "valid" });
  expect(check([registry.sign(message)], { publishedAt: instant(1_000) }, expired)).toMatchObject({ state: "unverifiable" });
  expect(check([registry.sign(message)], {}, expired)).toMatchObject({ state: "valid" });
  expect(check([registry.sign(message), newer.sign(message)], { publishedAt: instant(1_000) }, expired)).toMatchObject({ state: "valid" });
});

test("keys are read in both published forms", () => {
  const { keyid, spki } = registry.key;
  const tuf = {
    keyId: keyid,
    keyUsage: "npm:attestations",
    publicKey: { rawBytes: spki, validFor: { start: "1999-01-01T00:00:00.000Z", end: "2025-01-29T00:00:00.000Z" } },
  };
  expect(readKeys(JSON.stringify({ keys: [tuf] }))).toEqual({
    kind: "keys",
    keys: [{ keyid, spki, usage: ["npm:attestations"], from: Date.UTC(1999, 0, 1), until: Date.UTC(2025, 0, 29) }],
  });
  expect(readKeys(JSON.stringify({ keys: [{ keyid, key: spki, expires: null }] }))).toEqual({
    kind: "keys",
    keys: [{ keyid, spki, usage: ["npm:signatures", "npm:attestations"] }],
  });
});

test.each<[string, unknown]>([
  ["no JSON", "{"],
  ["no keys", { keys: [] }],
  ["not a list", { keys: {} }],
  ["too many", { keys: Array.from({ length: 101 }, () => ({ keyid: registry.key.keyid, key: registry.key.spki })) }],
  ["an id that is not the fingerprint", { keys: [{ keyid: newer.key.keyid, key: registry.key.spki }] }],
  ["another curve", { keys: [{ keyid: "SHA256:x", key: spkiOf(generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey) }] }],
  ["another kind of key", { keys: [{ keyid: "SHA256:x", key: spkiOf(generateKeyPairSync("ed25519").publicKey) }] }],
  ["no key at all", { keys: [{ keyid: "SHA256:x", key: "AAAA" }] }],
  ["a date that is none", { keys: [{ keyid: registry.key.keyid, key: registry.key.spki, expires: "soon" }] }],
  ["null", { keys: [null] }],
])("a file of keys that is not believed: %s", (_what, value) => {
  expect(readKeys(typeof value === "string" ? value : JSON.stringify(value)).kind).toBe("unreadable");
});
