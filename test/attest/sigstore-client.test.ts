/**
 * A release as Sigstore's own client signs it, against Sigstore's own stand-ins for its services on a loopback port: a check on us that we
 * did not write both sides of.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bundleToJSON } from "@sigstore/bundle";
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, rekorHandler } from "@sigstore/mock";
import { DSSEBundleBuilder, FulcioSigner, RekorWitness } from "@sigstore/sign";
import { expect, onTestFinished, test } from "vitest";
import { attestationVerifier } from "../../src/core/attest/attestations.ts";
import { readKeys } from "../../src/core/attest/keys.ts";
import { instant } from "../../src/core/base/time.ts";
import {
  FIXTURE_TRUST,
  parseBuild,
  provenanceStatement,
  PUBLISH_TYPE,
  publishStatement,
  signedByKey,
  SLSA1_TYPE,
} from "../kit/fixture/sigstore.ts";

const subject = {
  name: "widget",
  version: "1.2.3",
  integrity: `sha512-${createHash("sha512").update("the tarball").digest("base64")}`,
};
const build = parseBuild("github:acme/widget:publish.yml", "1.2.3");

/** What GitHub's token says of the job. */
const CLAIMS = {
  sub: "https://github.com/acme/widget/.github/workflows/publish.yml@refs/tags/v1.2.3",
  iss: "https://token.actions.githubusercontent.com",
  repository: "acme/widget",
  repository_id: "41",
  repository_owner_id: "42",
  ref: "refs/tags/v1.2.3",
  sha: "0123456789abcdef0123456789abcdef01234567",
  workflow_ref: "acme/widget/.github/workflows/publish.yml@refs/tags/v1.2.3",
  // A reusable workflow: the certificate's SAN and signer are another repository's.
  job_workflow_ref: "acme/shared-workflows/.github/workflows/release.yml@refs/heads/main",
  runner_environment: "github-hosted",
  event_name: "release",
};

test.each(["0.2", "0.3"])("a bundle of version %s", async (version) => {
  const { url, root } = await services();
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${encode({ alg: "none" })}.${encode({ ...CLAIMS, aud: "sigstore" })}.${Buffer.from("x").toString("base64url")}`;
  const builder = new DSSEBundleBuilder({
    signer: new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: () => Promise.resolve(token) } }),
    witnesses: [new RekorWitness({ rekorBaseURL: url, entryType: "intoto" })],
    certificateChain: version === "0.2",
  });
  const data = Buffer.from(JSON.stringify(provenanceStatement(subject, build)));
  const bundle = bundleToJSON(await builder.create({ data, type: "application/vnd.in-toto+json" }));
  expect(bundle.mediaType).toContain(version);

  const keys = readKeys(FIXTURE_TRUST.keys);
  if (keys.kind === "unreadable") throw new Error(keys.reason);
  const verify = attestationVerifier(root, keys.keys);
  const check = (provenance: unknown) =>
    verify(Buffer.from(JSON.stringify({ attestations: [publish, { predicateType: SLSA1_TYPE, bundle: provenance }] })), subject).provenance;
  const publish = { predicateType: PUBLISH_TYPE, bundle: signedByKey(publishStatement(subject), instant(Date.UTC(2026, 2, 31))) };
  expect(check(bundle)).toMatchObject({
    state: "valid",
    identity: {
      issuer: CLAIMS.iss,
      repository: "https://github.com/acme/widget",
      repositoryId: "41",
      ownerId: "42",
      workflow: "https://github.com/acme/widget/.github/workflows/publish.yml",
      runner: "github-hosted",
      trigger: "release",
    },
  });
  const other = {
    ...bundle,
    dsseEnvelope: { ...bundle.dsseEnvelope!, payload: Buffer.from(data.toString().replace("widget", "gadget")).toString("base64") },
  };
  expect(check(other)).toMatchObject({ state: "invalid" });
});

/** Authority and log on one port; `root` is the trusted root that names them, and the fixture's log beside them. */
async function services(): Promise<{ readonly url: string; readonly root: string }> {
  const pair = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const certificateLog = await initializeCTLog(pair());
  const authority = await initializeCA(pair(), certificateLog);
  const handlers: { path: string; fn: (body: string) => Promise<{ statusCode: number; response: unknown; contentType?: string }> }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const handler = handlers.find(({ path }) => path === request.url)!;
      void handler.fn(Buffer.concat(chunks).toString()).then(({ statusCode, response: body, contentType }) => {
        response.writeHead(statusCode, { "content-type": contentType ?? "text/plain" }).end(body);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = await initializeTLog(url, pair());
  handlers.push(fulcioHandler(authority), rekorHandler(log));

  const fixture = JSON.parse(FIXTURE_TRUST.root) as { tlogs: object[] };
  const start = "2020-01-01T00:00:00Z";
  const entry = (key: Uint8Array, id: Uint8Array) => ({
    baseUrl: url,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: Buffer.from(key).toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: { start } },
    logId: { keyId: Buffer.from(id).toString("base64") },
  });
  const { rootCertificate: certificate } = authority;
  const rawBytes = Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength).toString("base64");
  const { logID: id } = certificateLog;
  const root = {
    ...fixture,
    tlogs: [...fixture.tlogs, entry(log.publicKey, createHash("sha256").update(log.publicKey).digest())],
    certificateAuthorities: [{ uri: url, certChain: { certificates: [{ rawBytes }] }, validFor: { start } }],
    ctlogs: [entry(certificateLog.publicKey, Buffer.from(id.buffer, id.byteOffset, id.byteLength))],
  };
  return { url, root: JSON.stringify(root) };
}
