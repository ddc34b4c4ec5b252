/** Packs: the shipped ones are well formed, what is not is refused with its place, and a signature is of the bytes. */
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import { packOfAdvisory, packOfSpec } from "./made.ts";
import { packJsonSchema, packText, readPack } from "./pack.ts";
import { signPack, verifyPack } from "./signature.ts";

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
  const bytes = Buffer.from(packText(packOfSpec("x", "1.0.0")));
  const signature = JSON.stringify(signPack(bytes, ours.privateKey));
  expect(verifyPack(bytes, signature, ours.publicKey)).toEqual({ key: JSON.parse(signature).key });
  expect(verifyPack(bytes, signature, theirs.publicKey)).toHaveProperty("problem");
  expect(verifyPack(Buffer.concat([bytes, Buffer.from(" ")]), signature, ours.publicKey)).toEqual({
    problem: "the signature does not fit the pack",
  });
  expect(verifyPack(bytes, "{}", ours.publicKey)).toHaveProperty("problem");
  expect(() => verifyPack(bytes, signature, "no key")).toThrow(/not a PEM file/);
});
