import { expect, test } from "vitest";
import type { Attested } from "../attest/attested.ts";
import type { LockProblem, ResolvedPackage } from "../lockfile/tree.ts";
import { judgeEntries, judgeOwn, type Looked, timesIn } from "./revalidate.ts";

const SHA = "sha512-AAAA";
const ABSENT: Attested = { signature: { state: "absent" }, publish: { state: "absent" }, provenance: { state: "absent" } };

function looked(name: string, own: Partial<Attested> = {}, more: Partial<Looked> = {}): Looked {
  const attested = { own: { ...ABSENT, ...own }, recent: [], registrySigns: true };
  return {
    name,
    version: "1.0.0",
    integrity: SHA,
    verdict: { action: "allow", reasons: [] },
    facts: { integrity: SHA, attested },
    ...more,
  };
}

function entry(name: string, source: ResolvedPackage["source"]): ResolvedPackage {
  return { key: name, name, version: "1.0.0", source, line: 1, column: 1 } as unknown as ResolvedPackage;
}

const TREE = { path: "package-lock.json", packages: [entry("a", { kind: "registry" })], problems: [] as readonly LockProblem[] };

test("what is as the registry says is counted, and nothing is a problem", () => {
  const { detail, found, problem } = judgeEntries([TREE], {
    decided: [looked("a", { signature: { state: "valid", keyid: "k" } }), looked("b", {}, { facts: { integrity: SHA } })],
    unknown: [],
  });
  expect(problem).toBeUndefined();
  expect(detail).toBe("package-lock.json: 2 of 2 versions have the registry's own bytes");
  expect(found).toEqual([detail, "signatures of the registry: 1 hold, 1 not looked at", "provenance: 1 absent, 1 not looked at"]);
});

test("other bytes, a proof that does not hold, a denial and what nobody could say are each a problem", () => {
  const cases: readonly (readonly [Parameters<typeof judgeEntries>[1], string])[] = [
    [
      { decided: [looked("a", {}, { differs: "sha512-BBBB" })], unknown: [] },
      "a@1.0.0: the lockfile has sha512-AAAA, the registry sha512-BBBB",
    ],
    [
      { decided: [looked("a", { signature: { state: "invalid", reason: "other bytes" } })], unknown: [] },
      "a@1.0.0: the registry's signature does not hold: other bytes",
    ],
    [
      { decided: [looked("a", { provenance: { state: "invalid", reason: "r" } })], unknown: [] },
      "a@1.0.0: the attestation of its build does not hold: r",
    ],
    [
      { decided: [looked("a", { publish: { state: "invalid", reason: "r" } })], unknown: [] },
      "a@1.0.0: the attestation of its publish does not hold: r",
    ],
    [
      {
        decided: [
          looked(
            "a",
            {},
            { verdict: { action: "deny", reasons: [{ id: "malware-report", effect: { kind: "deny" }, title: "MAL-1", evidence: [] }] } },
          ),
        ],
        unknown: [],
      },
      "a@1.0.0: denied: MAL-1",
    ],
    [
      { decided: [], unknown: [{ name: "a", version: "1.0.0", why: "the registry does not answer" }] },
      "a@1.0.0: not checked: the registry does not answer",
    ],
  ];
  for (const [at, problem] of cases) expect(judgeEntries([TREE], at)).toMatchObject({ problem, found: expect.arrayContaining([problem]) });
  const both = judgeEntries([TREE], { decided: cases[0]![0].decided, unknown: cases[5]![0].unknown });
  expect(both.problem).toMatch(/; and 1 more$/);
});

test("a hold is no problem of its own: it is young, and the gate says so elsewhere", () => {
  expect(
    judgeEntries([TREE], { decided: [looked("a", {}, { verdict: { action: "hold", reasons: [] } })], unknown: [] }).problem,
  ).toBeUndefined();
});

test("a digest that is malformed is a problem; one that is missing is told", () => {
  const tree = (code: LockProblem["code"], severity: LockProblem["severity"]) => ({
    ...TREE,
    problems: [{ code, severity, message: `a: ${code}`, line: 7, column: 1 }],
  });
  const at = { decided: [looked("a")], unknown: [] };
  expect(judgeEntries([tree("bad-integrity", "error")], at).problem).toBe("package-lock.json:7: a: bad-integrity");
  const { problem, found } = judgeEntries([tree("no-integrity", "warning")], at);
  expect(problem).toBeUndefined();
  expect(found).toContain("package-lock.json:7: a: no-integrity");
});

test("times are read of versions, also of those that are listed no more; nothing is made of what is none", () => {
  const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  const time = {
    created: "2026-01-01T00:00:00Z",
    modified: "2026-01-03T00:00:00Z",
    "1.0.0": "2026-01-02T00:00:00Z",
    "2.0.0": 7,
    "3.0.0": "soon",
  };
  expect([...timesIn(bytes({ time }))]).toEqual([["1.0.0", Date.parse("2026-01-02T00:00:00Z")]]);
  for (const none of ["{", "null", "7", { time: null }, { time: "x" }, {}]) expect(timesIn(bytes(none)).size).toBe(0);
});

test("what comes from no registry is named", () => {
  const tree = {
    ...TREE,
    packages: [...TREE.packages, entry("g", { kind: "git", url: "git://x.test/g" }), entry("w", { kind: "workspace", path: "w" })],
  };
  expect(judgeEntries([tree], { decided: [looked("a")], unknown: [] }).found.at(-1)).toBe(
    "from no registry, so nobody vouches for their bytes: g@1.0.0",
  );
});

const OWN = { version: "1.0.0", at: "2026-01-02T00:00:00.000Z", publisher: { name: "mallory" } };
const PROOFS = { decided: [looked("@acme/kit")], unknown: [] };

test("a version of ours that nobody tagged is a problem, told with who published it and what proves it", () => {
  const { problem, found } = judgeOwn("@acme/kit", [OWN], PROOFS, ["v0.9.0", "other@1.0.0"]);
  expect(found).toEqual([
    "@acme/kit@1.0.0 appeared 2026-01-02T00:00:00.000Z, by mallory; no tag of git names it; signature: 1 absent; provenance: 1 absent",
  ]);
  expect(problem).toBe(`1 of 1 that appeared since, nobody tagged; first ${found[0]}`);
});

test("a tag by any of the usual names answers for a version; a tag of another package does not", () => {
  for (const tag of ["v1.0.0", "1.0.0", "@acme/kit@1.0.0", "kit@1.0.0", "kit-v1.0.0", "@acme/kit-1.0.0"])
    expect(judgeOwn("@acme/kit", [OWN], PROOFS, [tag]).problem, tag).toBeUndefined();
  for (const tag of ["v11.0.0", "v1.0.0-rc.1", "toolkit@1.0.0", "@other/kit@1.0.0"])
    expect(judgeOwn("@acme/kit", [OWN], PROOFS, [tag]).problem, tag).toBeDefined();
});

test("without a look at git's tags nothing is answered for; nothing published is nothing to answer for", () => {
  expect(judgeOwn("kit", [OWN], PROOFS, { why: "git is not here" }).found[0]).toContain("git's tags cannot be read: git is not here");
  expect(judgeOwn("kit", [OWN], PROOFS, { why: "git is not here" }).problem).toBeDefined();
  expect(judgeOwn("kit", [], { decided: [], unknown: [] }, { why: "git is not here" })).toEqual({
    detail: "no version of kit appeared since",
    found: ["no version of kit appeared since"],
  });
});
