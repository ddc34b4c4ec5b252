/** Exceptions, ways in, order and exit status. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { time } from "../../../test/kit/packages.ts";
import type { Claim } from "../advisory/claim.ts";
import { DAY, instant } from "../base/time.ts";
import { edgesOf, type LockGraph } from "../lockfile/graph.ts";
import { readLockfile } from "../lockfile/read.ts";
import { checkLockfile } from "./check-lockfile.ts";
import type { CheckException } from "./exceptions.ts";
import type { CheckId, Severity } from "./finding.ts";
import { lockfileMissing, makeReport } from "./report.ts";
import { waysThrough } from "./ways.ts";

const NOW = time("2026-04-01T00:00:00Z");

/** A project whose packages require each other as given (`a>b`), and whose every `left` has a vulnerability and every `evil` is malware. */
function report(
  requires: readonly string[],
  exceptions: readonly Partial<CheckException>[],
  failOn: Severity = "medium",
  require: readonly CheckId[] = [],
) {
  const packages: Record<string, { dependencies: Record<string, string> }> = { "": { dependencies: {} } };
  for (const way of requires) {
    const [from, to] = way.split(">") as [string, string];
    for (const name of [from, to]) if (name !== "") packages[`node_modules/${name}`] ??= entry(name);
    packages[from === "" ? "" : `node_modules/${from}`]!.dependencies[to] = "1";
  }
  const claims = (name: string): readonly Claim[] =>
    name === "left" ? [claim("GHSA-1", "vulnerability")] : name === "evil" ? [claim("MAL-1", "malware")] : [];
  const policy = {
    failOn,
    require,
    exceptions: exceptions.map((each) => ({ owner: "mara", reason: "tests only", expires: instant(NOW + DAY), ...each })),
  };
  const tree = readLockfile("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages }));
  const check = checkLockfile({ tree, manifests: [], sources: { registries: [], scopes: {}, hosts: [] }, claims, policy, now: NOW });
  return makeReport({ root: ".", project: {}, checks: [check], feeds: [], policy, now: NOW });
}

function entry(name: string) {
  const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;
  return { version: "1.0.0", resolved: `https://registry.example.test/${name}/-/${name}-1.0.0.tgz`, integrity, dependencies: {} };
}

function claim(id: string, kind: Claim["kind"]): Claim {
  return { id, aliases: [id, "CVE-9"], kind, feed: "osv", origins: ["x"], firstSeen: NOW, match: "version", fixed: [], severity: "high" };
}

const rules = (found: ReturnType<typeof report>): readonly string[] =>
  found.findings.map(({ rule, excepted }) => `${rule}${excepted ? " excepted" : ""}`);

test("an exception by rule, by any id, by package; it says who, why and until when, and the run passes", () => {
  for (const scope of [
    { rule: "vulnerability-report" },
    { advisory: "CVE-9" },
    { advisory: "GHSA-1", package: "left@^1" },
    { rule: "vulnerability-report", package: "le*" },
  ] as const) {
    const { findings, summary } = report([">left"], [scope]);
    expect(findings[0]!.excepted).toEqual({ by: "mara", reason: "tests only", expires: "2026-04-02T00:00:00.000Z" });
    expect(summary).toMatchObject({ exit: 0, excepted: 1 });
  }
  for (const scope of [{ advisory: "GHSA-2" }, { rule: "vulnerability-report", package: "left@2" }, { package: "left" }] as const)
    expect(rules(report([">left"], [scope]))).toEqual(["vulnerability-report", "exception-unused"]);
});

test("malware is never excepted", () => {
  const found = report([">evil"], [{ advisory: "MAL-1" }, { rule: "malware-report" }]);
  expect(rules(found)).toEqual(["malware-report", "exception-unused", "exception-unused"]);
  expect(found.summary.exit).toBe(1);
});

test("a path covers only what every way goes through; several may do it together", () => {
  const ways = [">a", ">b", "a>tool", "b>tool", "tool>left"];
  const by = (...paths: readonly string[]) =>
    rules(
      report(
        ways,
        paths.map((path) => ({ advisory: "GHSA-1", path })),
      ),
    )[0];
  expect(by("tool>left")).toBe("vulnerability-report excepted");
  expect(by("a>tool>left")).toBe("vulnerability-report");
  expect(by("a>tool>left", "b>tool>left")).toBe("vulnerability-report excepted");
  expect(by("*>tool>left")).toBe("vulnerability-report excepted");
  expect(by("*>*>tool>left")).toBe("vulnerability-report");
  expect(rules(report([...ways, ">left"], [{ advisory: "GHSA-1", path: "tool>left" }]))[0]).toBe("vulnerability-report");
});

test("an exception that ran out covers nothing and says so", () => {
  const found = report([">left"], [{ advisory: "GHSA-1", expires: NOW }]);
  expect(rules(found)).toEqual(["vulnerability-report", "exception-expired"]);
  expect(found.findings[1]).toMatchObject({ severity: "low", evidence: ["by mara: tests only"] });
});

test("exit: what was found counts first, then what had to be checked and was not", () => {
  const exit = (...more: Parameters<typeof report> extends [unknown, ...infer R] ? R : never) => report([">left"], ...more).summary.exit;
  expect(exit([])).toBe(1);
  expect(exit([], "critical")).toBe(0);
  expect(exit([], "critical", ["age"])).toBe(3);
  expect(exit([], "high", ["age"])).toBe(1);
  expect(exit([], "critical", ["advisories"])).toBe(0);
});

test("order: what counts first, strictest first; excepted last", () => {
  const found = report([">left", ">evil"], [{ advisory: "GHSA-1" }]);
  expect(rules(found)).toEqual(["malware-report", "vulnerability-report excepted"]);
  expect(found.summary.bySeverity).toEqual({ critical: 1, high: 0, medium: 0, low: 0, note: 0 });
  const missing = makeReport({
    root: ".",
    project: {},
    checks: [],
    findings: [lockfileMissing("package.json", 3)],
    feeds: [],
    policy: { failOn: "medium", require: [], exceptions: [] },
    now: NOW,
  });
  expect(missing).toMatchObject({ summary: { exit: 1 }, findings: [{ message: "3 dependencies and no lockfile" }] });
});

test("ways: the shortest by each who requires it, three of them, the others counted", () => {
  const requires = [">a", "a>b", "b>left", ">c", "c>left", "a>left", "d>left", ">e", "e>d", ">f", "f>left"];
  expect(report(requires, []).findings[0]).toMatchObject({
    via: [
      ["a", "left"],
      ["c", "left"],
      ["f", "left"],
    ],
    more: 2,
  });
});

const graph = fc
  .record({
    size: fc.integer({ min: 1, max: 7 }),
    edges: fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 14 }),
    roots: fc.array(fc.nat(6), { minLength: 1, maxLength: 3 }),
  })
  .map(({ size, edges, roots }): LockGraph => {
    const edge = (to: number) => ({ name: `n${to % size}`, to: to % size, kind: "prod" as const });
    const own = Array.from({ length: size }, (_, index) => edges.filter(([from]) => from % size === index).map(([, to]) => edge(to)));
    return { nodes: own.map((each, index) => ({ key: `n${index}`, package: index, edges: each })), roots: [roots.map(edge)], dangling: [] };
  });

/** Every way from a root to a node that passes no node twice. */
function allWays({ nodes, roots }: LockGraph, wanted: number): readonly string[][] {
  const found: string[][] = [];
  const walk = (node: number, names: string[], seen: ReadonlySet<number>): void => {
    if (node === wanted) return void found.push(names);
    for (const { to, name } of nodes[node]!.edges) if (!seen.has(to)) walk(to, [...names, name], new Set([...seen, to]));
  };
  for (const { to, name } of roots[0]!) walk(to, [name], new Set([to]));
  return found;
}

test("property: a way that is shown exists and none is shorter; covered means that every way ends so", () => {
  fc.assert(
    fc.property(graph, fc.array(fc.constantFrom("n0", "n1", "n2", "*"), { minLength: 1, maxLength: 3 }), (one, pattern) => {
      const ways = waysThrough(edgesOf(one), one.nodes.length);
      for (let wanted = 0; wanted < one.nodes.length; wanted++) {
        const all = allWays(one, wanted);
        const { via } = ways.to(wanted);
        const least = Math.min(...all.map((way) => way.length));
        if (all.length > 0) expect(via[0]!.length).toBe(least);
        expect(ways.isDirect(wanted)).toBe(all.some((way) => way.length === 1));
        const endsSo = (way: readonly string[]) =>
          way.length >= pattern.length && pattern.every((name, at) => name === "*" || name === way[way.length - pattern.length + at]);
        // It may refuse what a walk in circles would leave by, never allow what a straight way does not end in.
        if (ways.allEndIn(wanted, [pattern])) expect(all.every(endsSo)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
