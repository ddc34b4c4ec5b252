/** Packs: the shipped ones are well formed, what is not is refused with its place, and a signature is of the bytes. */
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import { packOfAdvisory, packOfSpec } from "./made.ts";
import { packJsonSchema, packText, readPack } from "./pack.ts";
import { packKey, signPack, whoSigned } from "./signature.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "packs");
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
const axios = JSON.parse(readFileSync(join(FOLDER, "axios-2026.json"), "utf8")) as Record<string, unknown>;
const problemsOf = (change: object): readonly string[] => {
  const read = readPack(JSON.stringify({ ...axios, ...change }));
  return "problems" in read ? read.problems : [];
};

test.each(files)("%s is a pack by our reader and by the published schema, under its own id, with a source", (file) => {
  const text = readFileSync(join(FOLDER, file), "utf8");
  const read = readPack(text);
  if ("problems" in read) throw new Error(read.problems.join("\n"));
  expect(`${read.pack.id}.json`).toBe(file);
  expect(text, "as packText writes it, so that its digest can be checked at any time").toBe(packText(JSON.parse(text)));
  expect(read.pack.sources.length).toBeGreaterThan(0);
  expect(new Validator(packJsonSchema() as never, "2020-12").validate(JSON.parse(text)).errors).toEqual([]);
  expect(text).not.toMatch(/https?:\/\/[^"]*(?:sfrclak|callnrwise)/);
});

test.each([
  [{ extra: 1 }, /unknown key extra/],
  [{ revision: 0 }, /^revision/],
  [{ packages: [] }, /^packages/],
  [{ packages: [{ name: "../x", role: "carrier", versions: [] }] }, /^packages\.0\.name: is not a package name/],
  [
    { packages: [{ name: "x", role: "carrier", versions: [{ version: "^1.0.0" }] }] },
    /^packages\.0\.versions\.0\.version: is not a version/,
  ],
  [
    { packages: [{ name: "x", role: "carrier", versions: [{ version: "1.0.0", integrity: ["sha512-short"] }] }] },
    /is not an integrity string/,
  ],
  [{ window: { from: "yesterday", precision: "day" } }, /^window\.from/],
  [{ indicators: { domains: ["evil.example"] } }, /is not defanged/],
  [{ indicators: { urls: ["https://evil[.]example/x"] } }, /is not defanged/],
  [{ title: "a\u001b[31mred" }, /control characters/],
])("refused: %j", (change, why) => expect(problemsOf(change).join("\n")).toMatch(why));

test("what is no JSON, or no object, is no pack and throws nothing", () => {
  for (const text of ["", "[", "null", "7", "[]", '"x"']) expect(readPack(text)).toHaveProperty("problems");
});

test("a bare version is a pack; an advisory is one of its exact versions, partial where it also names ranges", () => {
  expect(readPack(packText(packOfSpec("@acme/widget", "1.2.3")))).toHaveProperty("pack.id", "@acme/widget@1.2.3");
  const advisory = { id: "MAL-2026-1", aliases: [], kind: "malware" as const, origins: [] };
  const affected = { name: "x", versions: ["1.0.0"], integrities: [] };
  expect(packOfAdvisory({ ...advisory, affected: [{ ...affected, ranges: [] }] })).toMatchObject({ coverage: { kind: "complete" } });
  const from = (version: string) => [[{ kind: "introduced" as const, version }]];
  expect(packOfAdvisory({ ...advisory, affected: [{ ...affected, ranges: from("1.0.0") }] })).toMatchObject({
    coverage: { kind: "partial" },
  });
  expect(packOfAdvisory({ ...advisory, affected: [{ ...affected, versions: [], ranges: from("1.0.0") }] })).toBeUndefined();
  // Most records of malware: from the first version on, without an end.
  expect(packOfAdvisory({ ...advisory, affected: [{ ...affected, versions: [], ranges: from("0") }] })).toMatchObject({
    coverage: { kind: "complete" },
    packages: [{ name: "x", role: "payload", everyVersion: true }],
  });
});

test("a signature is of these bytes by this key, and of no others", () => {
  const pem = () =>
    generateKeyPairSync("ed25519", {
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
  const [ours, theirs] = [pem(), pem()];
  const [known, other] = [packKey("acme", ours.publicKey), packKey("other", theirs.publicKey)];
  const bytes = Buffer.from(packText(packOfSpec("x", "1.0.0")));
  const signature = JSON.stringify(signPack(bytes, ours.privateKey));
  expect(whoSigned(bytes, signature, [other, known])).toEqual({ kind: "signed", by: "acme", key: known.key });
  expect(whoSigned(bytes, signature, [other])).toEqual({ kind: "stranger", key: known.key });
  const unfit = { kind: "unfit", why: expect.stringMatching(/^its file|signed other bytes/) };
  expect(whoSigned(Buffer.concat([bytes, Buffer.from(" ")]), signature, [known])).toEqual(unfit);
  // One that names a trusted key and was made by another.
  expect(whoSigned(bytes, JSON.stringify({ ...signPack(bytes, theirs.privateKey), key: known.key }), [known, other])).toEqual(unfit);
  for (const text of [
    "{}",
    "",
    "null",
    "[]",
    '{"algorithm":"none","key":"","signature":""}',
    JSON.stringify({ ...JSON.parse(signature), signature: "" }),
  ])
    expect(whoSigned(bytes, text, [known])).toEqual(unfit);
  expect(() => packKey("x", "no key")).toThrow(/not a PEM file/);
  expect(() => packKey("x", ours.privateKey)).toThrow(/private key/);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }).toString();
  expect(() => packKey("x", rsa)).toThrow(/not Ed25519/);
});
