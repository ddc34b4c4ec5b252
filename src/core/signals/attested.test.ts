/** Signals on signatures and provenance, read from a registry's entries alone and from what was verified. */
import { expect, test } from "vitest";
import { BALANCED, NO_EXCEPTIONS, time } from "../../../test/kit/packages.ts";
import type { Attested, AttestedFacts, BuildIdentity } from "../attest/attested.ts";
import { DAY, instant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { Compared } from "../facts/predecessor.ts";
import type { ReleaseFacts } from "../facts/release-facts.ts";
import type { Release } from "../npm/release.ts";
import type { Signal } from "../policy/verdict.ts";
import { evaluate } from "./evaluate.ts";

const NOW = time("2026-03-31T00:43:00Z");
const START = instant(NOW - DAY);

const IDENTITY: BuildIdentity = {
  issuer: "https://token.actions.githubusercontent.com",
  repository: "https://github.com/acme/widget",
  repositoryId: "1",
  ownerId: "2",
  workflow: "https://github.com/acme/widget/.github/workflows/publish.yml",
  ref: "refs/tags/v1.0.0",
  runner: "github-hosted",
};
const SIGNED: Attested = { signature: { state: "valid", keyid: "k" }, publish: { state: "absent" }, provenance: { state: "absent" } };
const UNSIGNED: Attested = { ...SIGNED, signature: { state: "absent" } };
const builtBy = (identity: BuildIdentity): Attested => ({
  ...SIGNED,
  publish: { state: "valid" },
  provenance: { state: "valid", identity, predicateType: "https://slsa.dev/provenance/v1" },
});
const proofs = (own: Attested, more: Partial<AttestedFacts> = {}): AttestedFacts => ({ own, recent: [], registrySigns: true, ...more });

const PROMISED: Release = { signatures: [{ keyid: "k", sig: "s" }], attestations: { provenance: "https://slsa.dev/provenance/v1" } };
const PLAIN: Release = { signatures: [{ keyid: "k", sig: "s" }] };
const earlier = (version: string, release: Release): Compared => ({ version, start: instant(START - 10 * DAY), release });
const releases = (own: Release, more: Partial<ReleaseFacts> = {}): ReleaseFacts => ({
  own,
  recent: [],
  settled: [],
  packageSince: instant(START - 400 * DAY),
  newDependencies: [],
  ...more,
});

const IDS = new Set<string>([
  "signature-invalid",
  "attestation-invalid",
  "signature-dropped",
  "provenance-dropped",
  "provenance-identity-changed",
  "unverifiable",
]);

function signals(more: Partial<Facts>, now = NOW): readonly Signal[] {
  const facts: Facts = {
    name: "widget",
    version: "1.0.1",
    digests: [],
    listed: true,
    firstSeen: START,
    lastListed: NOW,
    start: START,
    basis: "registry-time",
    claim: "ok",
    established: true,
    timeless: false,
    securityHolding: false,
    served: false,
    requires: {},
    privateUpstream: false,
    ...more,
  };
  return evaluate({ facts, policy: BALANCED, exceptions: NO_EXCEPTIONS, now }).filter(({ id }) => IDS.has(id));
}
const said = (more: Partial<Facts>, now = NOW) => signals(more, now).map(({ id, effect }) => `${id} ${effect.kind}`);

test("nothing looked at, nothing said; all good, nothing said", () => {
  expect(said({})).toEqual([]);
  const before = { version: "1.0.0", attested: builtBy(IDENTITY) };
  expect(
    said({
      release: releases(PROMISED, { predecessor: earlier("1.0.0", PROMISED) }),
      attested: proofs(builtBy(IDENTITY), { predecessor: before, mature: before }),
    }),
  ).toEqual([]);
});

test("the entries alone show that provenance is gone", () => {
  expect(said({ release: releases(PLAIN, { predecessor: earlier("1.0.0", PROMISED) }) })).toEqual(["provenance-dropped review"]);
  expect(said({ release: releases(PLAIN, { mature: earlier("1.0.0", PROMISED) }) })).toEqual(["provenance-dropped review"]);
  // One of the last five is enough: dropping it twice is no way round.
  const recent = [earlier("1.0.0", PLAIN), earlier("0.9.9", PLAIN), earlier("0.9.8", PROMISED)];
  const [dropped] = signals({ release: releases(PLAIN, { predecessor: earlier("1.0.0", PLAIN), recent }) });
  expect(dropped).toMatchObject({ id: "provenance-dropped", title: "0.9.8 came with build provenance; this one without" });
  expect(said({ release: releases(PLAIN, { predecessor: earlier("1.0.0", PLAIN) }) })).toEqual([]);
});

test("the first provenance of a package is no news, nor is its absence where it never was", () => {
  expect(said({ release: releases(PROMISED, { predecessor: earlier("1.0.0", PLAIN) }) })).toEqual([]);
  expect(said({ release: releases(PLAIN) })).toEqual([]);
});

test("old versions and private upstreams are told, not stopped", () => {
  const release = releases(PLAIN, { predecessor: earlier("1.0.0", PROMISED) });
  expect(said({ release, start: instant(NOW - 200 * DAY), firstSeen: NOW })).toEqual(["provenance-dropped note"]);
  expect(said({ release, privateUpstream: true })).toEqual(["provenance-dropped note"]);
  // What was young when it was first seen is not let go by waiting.
  expect(said({ release, start: instant(NOW - 200 * DAY), firstSeen: instant(NOW - 199 * DAY) })).toEqual(["provenance-dropped review"]);
});

test("an attestation nobody can verify still counts as present", () => {
  const attested = proofs({ ...SIGNED, provenance: { state: "unverifiable", reason: "an unknown log" } });
  expect(said({ release: releases(PROMISED, { predecessor: earlier("1.0.0", PROMISED) }), attested })).toEqual(["unverifiable hold"]);
  expect(
    said({
      release: releases(PLAIN, { recent: [] }),
      attested: proofs(SIGNED, { predecessor: { version: "1.0.0", attested: attested.own } }),
    }),
  ).toEqual(["provenance-dropped review"]);
});

test("a signature that was there before and is not now", () => {
  expect(said({ release: releases({}, { predecessor: earlier("1.0.0", PLAIN) }) })).toEqual(["signature-dropped review"]);
  expect(said({ release: releases({}, { predecessor: earlier("1.0.0", {}) }), attested: proofs(UNSIGNED) })).toEqual([]);
});

test("contradictions are refused at any age and anywhere", () => {
  const wrong = { state: "invalid", reason: "its signature is over something else" } as const;
  const old = { start: instant(NOW - 900 * DAY), firstSeen: NOW, privateUpstream: true };
  expect(said({ attested: proofs({ ...SIGNED, signature: wrong }), ...old })).toEqual(["signature-invalid deny"]);
  expect(said({ attested: proofs({ ...SIGNED, publish: wrong }), ...old })).toEqual(["attestation-invalid deny"]);
  const [both] = signals({ attested: proofs({ ...SIGNED, publish: wrong, provenance: wrong }) });
  expect(both!.evidence.map(({ text }) => text)).toEqual([
    `publish attestation: ${wrong.reason}`,
    `provenance attestation: ${wrong.reason}`,
  ]);
});

test("what nobody here can verify waits seven days and names the remedy", () => {
  const attested = proofs({ ...SIGNED, signature: { state: "unverifiable", reason: "signed with the key X" } });
  const [hold] = signals({ attested });
  expect(hold).toMatchObject({
    id: "unverifiable",
    effect: { kind: "hold", until: START + 7 * DAY },
    title: expect.stringContaining("cordon feeds sync"),
  });
  expect(said({ attested }, instant(START + 7 * DAY))).toEqual(["unverifiable note"]);
  expect(said({ attested, privateUpstream: true })).toEqual(["unverifiable note"]);
});

test("provenance that is promised and not there: a mirror that passes none on, or one that keeps something back", () => {
  const release = releases(PROMISED, { predecessor: earlier("1.0.0", PROMISED) });
  expect(said({ release, attested: proofs(SIGNED, { predecessor: { version: "1.0.0", attested: SIGNED } }) })).toEqual([
    "unverifiable note",
  ]);
  const before = { version: "1.0.0", attested: builtBy(IDENTITY) };
  expect(said({ release, attested: proofs(SIGNED, { predecessor: before }) })).toEqual(["unverifiable hold"]);
});

const elsewhere = { ...IDENTITY, workflow: "https://github.com/acme/widget/.github/workflows/evil.yml", runner: "self-hosted" };

test("another workflow or runner is reviewed, with both sides in evidence", () => {
  const [changed] = signals({ attested: proofs(builtBy(elsewhere), { predecessor: { version: "1.0.0", attested: builtBy(IDENTITY) } }) });
  expect(changed).toMatchObject({
    id: "provenance-identity-changed",
    effect: { kind: "review" },
    title: expect.stringContaining("workflow, runner"),
  });
  expect(changed!.evidence.map(({ text }) => text)).toEqual([
    "workflow: .github/workflows/publish.yml (1.0.0) → .github/workflows/evil.yml",
    "runner: github-hosted (1.0.0) → self-hosted",
  ]);
});

test("a predecessor that moved first does not hide it from the mature release", () => {
  const attested = proofs(builtBy(elsewhere), {
    predecessor: { version: "1.0.0", attested: builtBy(elsewhere) },
    mature: { version: "0.5.0", attested: builtBy(IDENTITY) },
  });
  expect(said({ attested })).toEqual(["provenance-identity-changed review"]);
});

test("where neither has provenance, the newest that has counts", () => {
  const recent = [
    { version: "0.9.9", attested: SIGNED },
    { version: "0.9.8", attested: builtBy(IDENTITY) },
    { version: "0.9.7", attested: builtBy(elsewhere) },
  ];
  expect(said({ attested: proofs(builtBy(IDENTITY), { predecessor: { version: "1.0.0", attested: SIGNED }, recent }) })).toEqual([]);
  expect(said({ attested: proofs(builtBy(elsewhere), { recent }) })).toEqual(["provenance-identity-changed review"]);
});

test("a repository renamed with its ids is a note; one reborn under its name is not", () => {
  const before = { predecessor: { version: "1.0.0", attested: builtBy(IDENTITY) } };
  const renamed = {
    ...IDENTITY,
    repository: "https://github.com/acme-inc/widget",
    workflow: "https://github.com/acme-inc/widget/.github/workflows/publish.yml",
  };
  expect(said({ attested: proofs(builtBy(renamed), before) })).toEqual(["provenance-identity-changed note"]);
  expect(said({ attested: proofs(builtBy({ ...IDENTITY, repositoryId: "99" }), before) })).toEqual(["provenance-identity-changed review"]);
});

test("a registry that signs nothing is no news of any one version", () => {
  expect(said({ attested: proofs(UNSIGNED, { registrySigns: false }) })).toEqual([]);
});
