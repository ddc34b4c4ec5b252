/**
 * Real signatures and attestations of the shared collection, verified with the trust cordon ships and with the network cut. The collection
 * is not part of this repository: without it these tests say so and pass nothing.
 */
import { Buffer } from "node:buffer";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { attestationVerifier } from "../../src/core/attest/attestations.ts";
import { readKeys, type TrustedKey } from "../../src/core/attest/keys.ts";
import { verifySignature } from "../../src/core/attest/signature.ts";
import { parseInstant } from "../../src/core/base/time.ts";
import { SHIPPED_TRUST } from "../../src/edge/trust/shipped.ts";

const SHARED = fileURLToPath(new URL("../../../shared/samples/", import.meta.url));
const present = existsSync(join(SHARED, "attestations"));
if (!present) console.error(`NOT RUN: no samples at ${SHARED}; nothing is shown about real signatures`);

beforeAll(() => {
  vi.spyOn(net.Socket.prototype, "connect").mockImplementation(() => {
    throw new Error("the network is cut");
  });
});
afterAll(() => void vi.restoreAllMocks());

function shippedKeys(): readonly TrustedKey[] {
  const reading = readKeys(SHIPPED_TRUST.keys);
  if (reading.kind === "unreadable") throw new Error(reading.reason);
  return reading.keys;
}

/** The subject as the signed publish attestation of the good document names it, with the sha512 the collection notes where it has one. */
function subjectOf(document: Uint8Array): { name: string; version: string; integrity: string } {
  const { attestations } = JSON.parse(Buffer.from(document).toString()) as {
    attestations: { bundle: { dsseEnvelope: { payload: string } } }[];
  };
  const statement = JSON.parse(Buffer.from(attestations[0]!.bundle.dsseEnvelope.payload, "base64").toString()) as {
    subject: { name: string; digest: { sha512: string } }[];
  };
  const [, name, version] = /^pkg:npm\/(.+)@([^@]+)$/.exec(decodeURIComponent(statement.subject[0]!.name))!;
  return {
    name: name!,
    version: version!,
    integrity: `sha512-${Buffer.from(statement.subject[0]!.digest.sha512, "hex").toString("base64")}`,
  };
}

const read = (path: string) => readFileSync(join(SHARED, "attestations", path));
const verify = attestationVerifier(SHIPPED_TRUST.root, shippedKeys());

describe.runIf(present)("real ones", () => {
  const good = present
    ? readdirSync(join(SHARED, "attestations"), { recursive: true, encoding: "utf8" }).filter(
        (path) => /\.(?:json|sigstore)$/.test(path) && !path.includes("negative"),
      )
    : [];

  test("the collection is whole", () => {
    expect(good).toHaveLength(9);
    expect(() => net.connect(9, "127.0.0.1")).toThrow("the network is cut");
  });

  test.each(good)("%s", (path) => {
    const document = read(path);
    const subject = subjectOf(document);
    const { publish, provenance } = verify(document, subject);
    expect(publish).toMatchObject({ state: "valid" });
    expect(provenance).toMatchObject({
      state: "valid",
      identity: {
        issuer: "https://token.actions.githubusercontent.com",
        repository: expect.stringMatching(/^https:\/\/github\.com\/[^/]+\/[^/]+$/),
      },
    });

    const other = verify(document, { ...subject, version: "99.0.0" });
    expect(other.publish).toMatchObject({ state: "invalid" });
    expect(other.provenance).toMatchObject({ state: "invalid" });
    const bytes = verify(document, { ...subject, integrity: `sha512-${Buffer.alloc(64).toString("base64")}` });
    expect(bytes).toMatchObject({ publish: { state: "invalid" }, provenance: { state: "invalid" } });
  });

  test("the digests are those of the tarballs", () => {
    const listed = read("TARBALL-DIGESTS.txt").toString().trim().split("\n");
    for (const [path, integrity] of listed.map((line) => line.split(/\s+/)))
      expect(subjectOf(read(`${path!.replace("attestations/", "")}.json`)).integrity).toBe(integrity);
  });

  test("a reusable workflow does not stand for the repository it builds", () => {
    const document = read("slsa-verifier/provenance-npm-test-ossf.tgz.json");
    expect(verify(document, subjectOf(document)).provenance).toMatchObject({
      identity: { repository: "https://github.com/laurentsimon/provenance-npm-test" },
    });
  });
});

/** What is wrong, by the words in the file's name; the first that fits. `holds`: what was changed is signed by nobody, and read by nobody. */
const WRONG: readonly (readonly [name: RegExp, part: "publish" | "provenance" | "holds", reason: RegExp])[] = [
  [/mismatched-keyid/, "holds", /^$/],
  [/no-keyid/, "provenance", /^TLOG_BODY_ERROR: tlog entry signature mismatch/],
  [/invalid-attestations/, "publish", /^TLOG_BODY_ERROR: tlog entry signature mismatch/],
  [/unsupported/, "publish", /^SIGNATURE_ERROR/],
  // The file is named after publish, but it is the provenance that was changed in it.
  [/payloadtype/, "provenance", /^SIGNATURE_ERROR/],
  [/att-mismatch-prov-predicatetype/, "provenance", /^the answer calls it .*provenanc\/v0\.2, the signed statement/],
  [/att-mismatch-pub-predicatetype/, "publish", /^the answer calls it .*publis\/v0\.1, the signed statement/],
  [/invalidsigprov|-prov-/, "provenance", /^TLOG_BODY_ERROR: DSSE payload hash mismatch/],
  [/invalidsigpub|-pub-|-publish-|mismatched-subject|malformed-subject/, "publish", /^TLOG_BODY_ERROR: DSSE payload hash mismatch/],
];

describe.runIf(present)("negatives", () => {
  const bad = present
    ? ["negative", "slsa-verifier-negative"].flatMap((folder) =>
        readdirSync(join(SHARED, "attestations", folder)).map((file) => `${folder}/${file}`),
      )
    : [];
  /** The undamaged document each was made from. */
  const originals: readonly [RegExp, string][] = [
    [/^negative\//, "npm-sigstore-0.4.0-attestations.json"],
    [/\/npm-(?:att|stmt)-/, "slsa-verifier/npm-attestations.intoto.sigstore"],
  ];

  test("all of them are here", () => expect(bad).toHaveLength(29));

  test.each(bad)("%s", (path) => {
    const original =
      originals.find(([pattern]) => pattern.test(path))?.[1] ?? `slsa-verifier/${basename(path).replace(/-invalidsig(?:prov|pub)/, "")}`;
    const { publish, provenance } = verify(read(path), subjectOf(read(original)));
    const [, part, reason] = WRONG.find(([name]) => name.test(path))!;
    const failed = { state: "invalid", reason: expect.stringMatching(reason) };
    if (part === "publish") expect([publish, provenance]).toMatchObject([failed, { state: "unverifiable" }]);
    else expect([publish, provenance]).toMatchObject([{ state: "valid" }, part === "holds" ? { state: "valid" } : failed]);
  });
});

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly dist?: { readonly integrity?: string; readonly signatures?: readonly { keyid: string; sig: string }[] };
};
type Packument = { readonly versions?: Readonly<Record<string, Manifest>>; readonly time?: Readonly<Record<string, string>> };

test.runIf(present)("134 distinct signatures of the registry", () => {
  const signed = new Map<string, { manifest: Manifest; time: string | undefined }>();
  for (const file of readdirSync(join(SHARED, "packuments")).filter((file) => file.endsWith(".json"))) {
    const document = JSON.parse(readFileSync(join(SHARED, "packuments", file), "utf8")) as Packument | Manifest[];
    const { versions, time } = Array.isArray(document) ? { versions: document, time: undefined } : document;
    for (const manifest of Object.values(versions ?? document) as Manifest[]) {
      for (const { sig } of manifest?.dist?.signatures ?? [])
        signed.set(sig, { manifest, time: (time as Record<string, string> | undefined)?.[manifest.version] });
    }
  }
  const keys = shippedKeys();
  const states = [...signed.values()].map(({ manifest: { name, version, dist }, time }) => {
    const publishedAt = parseInstant(time);
    const at = publishedAt === undefined ? {} : { publishedAt };
    return [
      name,
      version,
      verifySignature({ name, version, integrity: dist!.integrity!, signatures: dist!.signatures!, ...at }, keys).state,
    ];
  });
  expect(states.filter(([, , state]) => state !== "valid")).toEqual([]);
  expect(states).toHaveLength(134);
});
