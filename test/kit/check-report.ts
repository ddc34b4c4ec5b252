/** Reports of `cordon check`, made by hand and made hostile, for whatever is written from one. */
import * as fc from "fast-check";
import type { CheckedPackage, CheckReport, Finding } from "../../src/core/check/finding.ts";
import { SEVERITIES, type Severity } from "../../src/core/check/finding.ts";
import type { RuleId } from "../../src/core/check/rules.ts";

export const SHA512 = `sha512-${"A".repeat(86)}==`;
const SHA1 = "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=";

export function finding(fields: Partial<Finding> = {}): Finding {
  return {
    rule: "vulnerability-report",
    severity: "high",
    name: "left-pad",
    version: "1.0.0",
    path: "package-lock.json",
    line: 12,
    column: 5,
    key: "node_modules/left-pad",
    message: "is vulnerable: GHSA-aaaa-bbbb-cccc",
    evidence: ["osv: GHSA-aaaa-bbbb-cccc, introduced 0, fixed 1.0.1"],
    via: [["app", "left-pad"]],
    advisory: {
      id: "GHSA-aaaa-bbbb-cccc",
      aliases: ["GHSA-aaaa-bbbb-cccc", "CVE-2026-0001"],
      feed: "osv",
      summary: "Pads too much",
      fixed: ["1.0.1"],
      match: "range",
    },
    fix: { summary: "to 1.0.1", command: "npm install left-pad@1.0.1" },
    fingerprint: "0123456789abcdef0123456789abcdef",
    ...fields,
  };
}

export const MALWARE: Finding = finding({
  rule: "malware-report",
  severity: "critical",
  name: "@evil/core",
  version: "6.6.6",
  line: 40,
  key: "node_modules/@evil/core",
  message: "is malware: MAL-2026-1",
  evidence: [],
  via: [["@evil/core"]],
  advisory: { id: "MAL-2026-1", aliases: ["MAL-2026-1"], feed: "osv", fixed: [], match: "version" },
  fingerprint: "ffffffffffffffffffffffffffffffff",
});

export function checkedPackage(fields: Partial<CheckedPackage> = {}): CheckedPackage {
  return {
    lockfile: "package-lock.json",
    key: "node_modules/left-pad",
    name: "left-pad",
    version: "1.0.0",
    source: "registry",
    integrity: SHA512,
    dev: false,
    optional: false,
    dependsOn: [],
    ...fields,
  };
}

/** One of each source and of each scope, two copies of one version, a name in capitals, a cycle. */
export const PACKAGES: readonly CheckedPackage[] = [
  checkedPackage({ dependsOn: [1, 2] }),
  checkedPackage({
    key: "node_modules/@evil/core",
    name: "@evil/core",
    version: "6.6.6",
    integrity: `${SHA1} ${SHA512}`,
    dependsOn: [0],
    direct: true,
  }),
  checkedPackage({ key: "node_modules/JSONStream", name: "JSONStream", version: "1.3.5", integrity: SHA1, optional: true }),
  checkedPackage({ key: "node_modules/x/node_modules/left-pad", dev: true }),
  checkedPackage({
    key: "node_modules/ours",
    name: "@ours/tool",
    version: "2.0.0",
    url: "https://user:pass@npm.ours.test/base/@ours/tool/-/tool-2.0.0.tgz?token=abc",
  }),
  checkedPackage({ key: "node_modules/tar", name: "tarred", version: "0.0.1", source: "tarball", url: "https://cdn.test/a b/tarred.tgz" }),
  checkedPackage({
    key: "node_modules/git",
    name: "gitted",
    version: "",
    source: "git",
    url: `git+ssh://git@host.test/a/b.git#${"a".repeat(40)}`,
  }),
  checkedPackage({ key: "node_modules/folder", name: "express", version: "1.0.0", source: "file", url: "../express" }),
  checkedPackage({ key: "node_modules/dev", name: "dev-only", version: "1.0.0+build.1", source: "bundled", dev: true }),
  checkedPackage({ key: "jsr", name: "@std/path", version: "1.0.0", source: "jsr", integrity: "a".repeat(64) }),
  checkedPackage({ key: "module", name: "https://deno.test/x.ts", version: "", source: "module", url: "https://deno.test/x.ts" }),
];

export function checkReport(fields: Partial<CheckReport> & { readonly findings?: readonly Finding[] } = {}): CheckReport {
  const findings = fields.findings ?? [MALWARE, finding(), EXCEPTED, VEXED];
  const bySeverity = Object.fromEntries(
    SEVERITIES.map((severity) => [severity, findings.filter((one) => one.severity === severity && one.excepted === undefined).length]),
  ) as Record<Severity, number>;
  return {
    root: "/home/mara/app",
    project: { name: "app", version: "1.2.3" },
    lockfiles: [{ path: "package-lock.json", kind: "package-lock", format: "3", packages: PACKAGES.length }],
    notChecked: [
      { check: "signatures", reason: "no gate is configured", packages: 3, required: false, command: "cordon setup" },
      { check: "age", reason: "the gate did not answer", packages: 0, required: true },
    ],
    feeds: [{ name: "osv", checked: "2026-11-21T10:00:00.000Z" }],
    ...fields,
    findings,
    summary: {
      packages: PACKAGES.length,
      bySeverity,
      excepted: findings.filter((one) => one.excepted !== undefined).length,
      failOn: "medium",
      exit: 1,
      ...fields.summary,
    },
  };
}

export const EXCEPTED: Finding = finding({
  name: "JSONStream",
  version: "1.3.5",
  key: "node_modules/JSONStream",
  severity: "critical",
  fingerprint: "11111111111111111111111111111111",
  excepted: { by: "mara", reason: "not reachable from our code", expires: "2026-12-31T00:00:00.000Z" },
});

export const VEXED: Finding = finding({
  name: "@ours/tool",
  version: "2.0.0",
  key: "node_modules/ours",
  fingerprint: "22222222222222222222222222222222",
  excepted: {
    vex: "urn:uuid:1",
    reason: "never called",
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
  },
});

/** Text somebody would write to break a format: markup of every kind, controls, half surrogates, bidirectional overrides. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      `"><script>alert(1)</script>`,
      "a|b\\|c`d``",
      "@everyone #1 https://evil.test [x](http://y.test)",
      "]]>&lt;!--",
      "line\nbreak\r\n\ttab",
      "\u0000\u0008\u001b[31m\ufffe",
      "\ud800half",
      "\u202eevil",
      "%%%\\",
      "__proto__",
      "",
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
);

const hostileFinding: fc.Arbitrary<Finding> = fc.record(
  {
    rule: fc.constantFrom<RuleId>("malware-report", "vulnerability-report"),
    severity: fc.constantFrom(...SEVERITIES),
    name: hostileText,
    version: hostileText,
    path: hostileText,
    line: fc.integer({ min: 1, max: 9 }),
    key: hostileText,
    message: hostileText,
    evidence: fc.array(hostileText, { maxLength: 2 }),
    via: fc.array(fc.array(hostileText, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
    advisory: fc.record({
      id: hostileText.map((text) => `A${text}`),
      aliases: fc.array(hostileText, { maxLength: 2 }),
      feed: hostileText,
      summary: hostileText,
      fixed: fc.array(hostileText, { maxLength: 1 }),
      match: fc.constantFrom("version" as const, "possible" as const),
    }),
    fix: fc.record({ summary: hostileText, command: hostileText }),
    fingerprint: fc.constant("0123456789abcdef0123456789abcdef"),
    excepted: fc.oneof(
      fc.record({ by: hostileText, reason: hostileText, expires: fc.constant("2026-12-31T00:00:00.000Z") }),
      fc.record({ vex: hostileText, reason: hostileText.map((text) => `r${text}`) }),
    ),
  },
  { requiredKeys: ["rule", "severity", "path", "message", "evidence", "via", "fingerprint"] },
);

const hostilePackage = (count: number): fc.Arbitrary<CheckedPackage> =>
  fc.record(
    {
      lockfile: hostileText,
      key: hostileText,
      name: fc.oneof(hostileText, fc.constantFrom("a", "@s/b")),
      version: fc.oneof(hostileText, fc.constant("1.0.0")),
      source: fc.constantFrom("registry", "tarball", "git", "file", "bundled", "jsr", "module"),
      url: fc.oneof(hostileText, fc.constant("https://a:b@c.test/@s/b/-/b-1.0.0.tgz")),
      integrity: fc.oneof(hostileText, fc.constant(SHA512)),
      dev: fc.boolean(),
      optional: fc.boolean(),
      dependsOn: fc.array(fc.nat(count - 1), { maxLength: 3 }),
    },
    { requiredKeys: ["lockfile", "key", "name", "version", "source", "dev", "optional", "dependsOn"] },
  );

/** Whole reports of such text, with their packages. */
export const hostileReport: fc.Arbitrary<{ readonly report: CheckReport; readonly packages: readonly CheckedPackage[] }> = fc.record({
  report: fc
    .record({
      findings: fc.array(hostileFinding, { maxLength: 4 }),
      root: hostileText,
      name: hostileText,
      version: hostileText,
      path: hostileText,
    })
    .map(({ findings, root, name, version, path }) =>
      checkReport({
        findings,
        root,
        project: { name, version },
        lockfiles: [{ path, kind: "unknown", format: "", packages: 1 }],
        notChecked: [{ check: "age", reason: name, packages: 1, required: false }],
      }),
    ),
  packages: fc.array(hostilePackage(5), { minLength: 5, maxLength: 5 }),
});
