/** Attestations as our own Sigstore signs them: what holds, and each way in which one does not. Loopback only, no trust but the fixture's. */
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { attestationVerifier } from "../../src/core/attest/attestations.ts";
import { readKeys } from "../../src/core/attest/keys.ts";
import { LIMITS } from "../../src/core/base/limits.ts";
import { instant } from "../../src/core/base/time.ts";
import { registryKey } from "../kit/fixture/key.ts";
import {
  attestationsOf,
  type Build,
  FIXTURE_TRUST,
  parseBuild,
  provenanceStatement,
  PUBLISH_TYPE,
  publishStatement,
  signedByBuild,
  signedByKey,
  SIGNING,
  SLSA1_TYPE,
  type Statement,
} from "../kit/fixture/sigstore.ts";

const integrity = (text: string) => `sha512-${createHash("sha512").update(text).digest("base64")}`;
const subject = { name: "@acme/widget", version: "1.2.3", integrity: integrity("the tarball") };
const build: Build = parseBuild("github:acme/widget:publish.yml", "1.2.3");
const at = instant(Date.UTC(2026, 2, 31, 0, 21));

const keys = readKeys(FIXTURE_TRUST.keys);
if (keys.kind === "unreadable") throw new Error(keys.reason);
const verify = attestationVerifier(FIXTURE_TRUST.root, keys.keys);

type Entry = { readonly predicateType: string; readonly bundle: unknown };
const check = (attestations: unknown, of = subject) => verify(Buffer.from(JSON.stringify({ attestations })), of);
const publish: Entry = { predicateType: PUBLISH_TYPE, bundle: signedByKey(publishStatement(subject), at) };
const provenance: Entry = { predicateType: SLSA1_TYPE, bundle: signedByBuild(provenanceStatement(subject, build), build, at) };
const built = (statement: Statement, by = build): Entry => ({
  predicateType: statement.predicateType,
  bundle: signedByBuild(statement, by, at),
});

test("a release built in CI: published then, built by that workflow", () => {
  expect(check([publish, provenance])).toEqual({
    publish: { state: "valid", at },
    provenance: {
      state: "valid",
      at,
      predicateType: SLSA1_TYPE,
      identity: {
        issuer: "https://token.actions.githubusercontent.com",
        repository: "https://github.com/acme/widget",
        repositoryId: expect.stringMatching(/^\d+$/),
        ownerId: expect.stringMatching(/^\d+$/),
        workflow: "https://github.com/acme/widget/.github/workflows/publish.yml",
        ref: "refs/tags/v1.2.3",
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
        runner: "github-hosted",
        trigger: "push",
      },
    },
  });
});

test("GitLab writes the older statement", () => {
  const gitlab = parseBuild("gitlab:acme/widget:.gitlab-ci.yml runner=gitlab-hosted", "1.2.3");
  const document = Buffer.from(JSON.stringify(attestationsOf(subject, gitlab, at)));
  expect(verify(document, subject).provenance).toMatchObject({
    state: "valid",
    predicateType: "https://slsa.dev/provenance/v0.2",
    identity: {
      issuer: "https://gitlab.com",
      repository: "https://gitlab.com/acme/widget",
      workflow: "https://gitlab.com/acme/widget//.gitlab-ci.yml",
    },
  });
});

test("nothing attested is absent; published without a build is no provenance", () => {
  expect(check([])).toEqual({ publish: { state: "absent" }, provenance: { state: "absent" } });
  expect(check([publish])).toMatchObject({ publish: { state: "valid" }, provenance: { state: "absent" } });
});

test("a build alone proves nothing about what was published", () => {
  expect(check([provenance]).provenance).toMatchObject({ state: "unverifiable" });
});

test("other kinds of attestation are left alone", () => {
  const other = { ...provenanceStatement(subject, build), predicateType: "https://slsa.dev/verification_summary/v1" };
  expect(check([publish, provenance, built(other)])).toMatchObject({ publish: { state: "valid" }, provenance: { state: "valid" } });
});

test.each<[string, unknown, RegExp]>([
  [
    "another version",
    built(provenanceStatement({ ...subject, version: "1.2.2" }, build)),
    /^it speaks of pkg:npm\/%40acme\/widget@1\.2\.2, not of/,
  ],
  ["another package", built(provenanceStatement({ ...subject, name: "widget" }, build)), /^it speaks of pkg:npm\/widget@1\.2\.3/],
  ["other bytes", built(provenanceStatement({ ...subject, integrity: integrity("x") }, build)), /^it speaks of other bytes/],
  ["two subjects", built(doubled(provenanceStatement(subject, build))), /^it speaks of 2 subjects/],
  ["no subject", built({ ...provenanceStatement(subject, build), subject: [] }), /^it speaks of 0 subjects/],
  ["a label that is not the signed type", { ...provenance, predicateType: "https://slsa.dev/provenance/v0.2" }, /^the answer calls it/],
  [
    "the registry's key on a build",
    { ...provenance, bundle: signedByKey(provenanceStatement(subject, build), at) },
    /^it is not signed by a build/,
  ],
  [
    "a repository its certificate does not name",
    built(provenanceStatement(subject, { ...build, repository: "acme/other" })),
    /^it says .*acme\/other/,
  ],
  ["a changed payload", { ...provenance, bundle: withPayload(provenance.bundle) }, /^TLOG_BODY_ERROR/],
  ["no proof of being logged", { ...provenance, bundle: withEntries(provenance.bundle, []) }, /^TIMESTAMP_ERROR/],
  [
    "a promise of the log over something else",
    { ...provenance, bundle: withEntries(provenance.bundle, entriesOf(publish.bundle)) },
    /^TLOG_BODY_ERROR/,
  ],
])("forged or misplaced provenance: %s", (_what, entry, reason) => {
  expect(check([publish, entry])).toMatchObject({
    publish: { state: "valid" },
    provenance: { state: "invalid", reason: expect.stringMatching(reason) },
  });
});

test.each<[string, unknown, RegExp]>([
  [
    "a future bundle",
    { ...provenance, bundle: { ...Object(provenance.bundle), mediaType: "application/vnd.dev.sigstore.bundle.v0.9+json" } },
    /not known here/,
  ],
  [
    "a bundle of another shape",
    { predicateType: SLSA1_TYPE, bundle: { mediaType: "application/vnd.dev.sigstore.bundle.v4+json", envelope: {} } },
    /not known here/,
  ],
  [
    "an authority nobody trusts",
    { ...provenance, bundle: signedByBuild(provenanceStatement(subject, build), build, at, true) },
    /authority .* not known/,
  ],
  ["no bundle", { predicateType: SLSA1_TYPE }, /not known here/],
  [
    "a bundle cut short",
    { predicateType: SLSA1_TYPE, bundle: { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" } },
    /cannot be read/,
  ],
  [
    "a statement of another form",
    built({ ...provenanceStatement(subject, build), _type: "https://in-toto.io/Statement/v9" }),
    /form this cordon/,
  ],
])("provenance nobody here can judge: %s", (_what, entry, reason) => {
  expect(check([publish, entry]).provenance).toEqual({ state: "unverifiable", reason: expect.stringMatching(reason) });
});

test("a publish attestation counts only under the registry's key", () => {
  const statement = publishStatement(subject);
  const own = { predicateType: PUBLISH_TYPE, bundle: signedByBuild(statement, build, at) };
  expect(check([own]).publish).toEqual({ state: "invalid", reason: "it is not signed with a key of the registry" });
  const foreign = { predicateType: PUBLISH_TYPE, bundle: signedByKey(statement, at, SIGNING.foreign) };
  expect(check([foreign]).publish).toMatchObject({ state: "unverifiable", reason: expect.stringContaining(SIGNING.foreign.keyid) });
  const late = { predicateType: PUBLISH_TYPE, bundle: signedByKey(statement, at, SIGNING.expired) };
  expect(check([late]).publish).toMatchObject({ state: "unverifiable", reason: expect.stringMatching(/^PUBLIC_KEY_ERROR/) });
  const { bundle } = publish as { bundle: { verificationMaterial: object } };
  const claimed = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, publicKey: { hint: SIGNING.listed.keyid } } };
  const forged = {
    ...claimed,
    dsseEnvelope: (signedByKey(statement, at, registryKey("a forger")) as typeof claimed & { dsseEnvelope: object }).dsseEnvelope,
  };
  expect(check([{ predicateType: PUBLISH_TYPE, bundle: forged }]).publish).toMatchObject({ state: "invalid" });
});

test("a key that may sign versions only does not attest", () => {
  const narrow = keys.keys.map((key) => ({ ...key, usage: ["npm:signatures"] as const }));
  const proofs = attestationVerifier(FIXTURE_TRUST.root, narrow)(
    Buffer.from(JSON.stringify({ attestations: [publish, provenance] })),
    subject,
  );
  expect(proofs).toMatchObject({ publish: { state: "unverifiable" }, provenance: { state: "unverifiable" } });
});

test("two of a kind are one too many", () => {
  expect(check([publish, provenance, provenance]).provenance).toMatchObject({ state: "unverifiable" });
  expect(check([publish, publish, provenance])).toMatchObject({
    publish: { state: "unverifiable" },
    provenance: { state: "unverifiable" },
  });
});

test("a version known by sha1 alone cannot be held against a statement", () => {
  const weak = { ...subject, integrity: `sha1-${createHash("sha1").update("x").digest("base64")}` };
  expect(check([publish, provenance], weak)).toMatchObject({ publish: { state: "unverifiable" }, provenance: { state: "unverifiable" } });
});

test.each(["", "null", "[]", '{"attestations":{}}', '"x"', "{", "\u0000", `{"attestations":[${"0,".repeat(LIMITS.attestations)}0]}`])(
  "no list of attestations: %s",
  (text) => {
    const { publish: one, provenance: other } = verify(Buffer.from(text), subject);
    expect([one.state, other.state]).toEqual(["unverifiable", "unverifiable"]);
  },
);

test("an answer that is too large is not read", () => {
  expect(verify(Buffer.alloc(LIMITS.attestationsBytes + 1, " "), subject).publish).toMatchObject({ state: "unverifiable" });
});

test("whatever one byte or one member is changed to, it neither throws nor proves another version", () => {
  const whole = JSON.stringify({ attestations: [publish, provenance] });
  const other = { ...subject, version: "6.6.6" };
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.constantFrom('"', "{", "A", "0", "\\", "[", "9", "z"), (place, letter) => {
      const text = Buffer.from(whole.slice(0, place) + letter + whole.slice(place + 1));
      const proofs = verify(text, other);
      expect([proofs.publish.state, proofs.provenance.state]).not.toContain("valid");
      verify(text, subject);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("mediaType", "verificationMaterial", "dsseEnvelope"), (value, key) => {
      const proofs = check([publish, { ...provenance, bundle: { ...Object(provenance.bundle), [key]: value } }]);
      expect(["invalid", "unverifiable"]).toContain(proofs.provenance.state);
    }),
    { numRuns: 200 },
  );
});

function doubled(statement: Statement): Statement {
  return { ...statement, subject: [...statement.subject, ...statement.subject] };
}

/** The same bundle around another statement. */
function withPayload(bundle: unknown): unknown {
  const whole = bundle as { dsseEnvelope: object };
  const payload = Buffer.from(JSON.stringify(provenanceStatement({ ...subject, integrity: integrity("poison") }, build))).toString(
    "base64",
  );
  return { ...whole, dsseEnvelope: { ...whole.dsseEnvelope, payload } };
}

function entriesOf(bundle: unknown): unknown {
  return (bundle as { verificationMaterial: { tlogEntries: unknown } }).verificationMaterial.tlogEntries;
}

function withEntries(bundle: unknown, tlogEntries: unknown): unknown {
  const whole = bundle as { verificationMaterial: object };
  return { ...whole, verificationMaterial: { ...whole.verificationMaterial, tlogEntries } };
}
