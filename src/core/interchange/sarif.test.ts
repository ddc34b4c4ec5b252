import { expect, test } from "vitest";
import { checkReport, EXCEPTED, finding, MALWARE } from "../../../test/kit/check-report.ts";
import { RULES } from "../check/rules.ts";
import { sarifOfCheck } from "./sarif.ts";

type Rule = {
  readonly id: string;
  readonly defaultConfiguration: { readonly level: string };
  readonly properties: Readonly<Record<string, unknown>>;
};
type Location = { readonly physicalLocation: { readonly artifactLocation: unknown; readonly region?: unknown } };
type Result = {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly partialFingerprints: unknown;
  readonly suppressions: readonly { readonly justification: string }[];
  readonly locations: readonly Location[];
};
type Run = {
  readonly tool: { readonly driver: { readonly rules: readonly Rule[] } };
  readonly results: readonly Result[];
  readonly invocations: readonly Readonly<Record<string, unknown>>[];
};

function runOf(report = checkReport()): Run {
  return (sarifOfCheck(report) as { runs: readonly [Run] }).runs[0];
}

test("each result has its line, its fingerprint and a rule of the table", () => {
  const { tool, results } = runOf(checkReport({ findings: [MALWARE] }));
  expect(tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(RULES));
  const result = results[0]!;
  expect(tool.driver.rules[result.ruleIndex]!.id).toBe(result.ruleId);
  expect(result).toMatchObject({
    ruleId: "malware-report",
    level: "error",
    partialFingerprints: { "cordon/1": MALWARE.fingerprint },
    suppressions: [],
  });
  expect(result.message.text).toBe("@evil/core@6.6.6: is malware: MAL-2026-1\nfix: to 1.0.1 (npm install left-pad@1.0.1)");
  expect(result.locations[0]!.physicalLocation).toEqual({
    artifactLocation: { uri: "package-lock.json", uriBaseId: "%SRCROOT%" },
    region: { startLine: 40, startColumn: 5 },
  });
});

test("a finding that weighs more than its rule has a rule of its own weight: code scanning reads it there", () => {
  const { tool, results } = runOf(checkReport({ findings: [finding(), finding({ severity: "critical" }), finding({ severity: "note" })] }));
  expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
    ["vulnerability-report", "error"],
    ["vulnerability-report/critical", "error"],
    ["vulnerability-report/note", "note"],
  ]);
  const weights = results.map(({ ruleIndex }) => tool.driver.rules[ruleIndex]!.properties["security-severity"]);
  expect(weights).toEqual(["8.0", "9.5", undefined]);
});

test("what is excepted is suppressed, by whom and until when; every result says whether it is", () => {
  const { results } = runOf(checkReport({ findings: [finding(), EXCEPTED] }));
  expect(results.map(({ suppressions }) => suppressions)).toEqual([
    [],
    [{ kind: "external", status: "accepted", justification: "mara, until 2026-12-31: not reachable from our code" }],
  ]);
});

test("what could not be checked is told as a notification, and a run that had to check it failed", () => {
  const report = checkReport();
  const [invocation] = runOf(report).invocations;
  expect(invocation).toMatchObject({ executionSuccessful: false, exitCode: 1 });
  expect(invocation!["toolExecutionNotifications"]).toEqual([
    {
      level: "warning",
      descriptor: { id: "not-checked:signatures" },
      message: { text: "signatures could not run for 3 packages: no gate is configured (cordon setup)" },
    },
    { level: "error", descriptor: { id: "not-checked:age" }, message: { text: "age could not run: the gate did not answer" } },
  ]);
  const [whole] = runOf({ ...report, notChecked: report.notChecked.filter(({ required }) => !required) }).invocations;
  expect(whole).toMatchObject({ executionSuccessful: true, exitCode: 1 });
});

test("a file without lines has no region, a path is a relative reference, and a name is no link", () => {
  const { line: _, column: __, ...binary } = finding({ path: "a#b/c:d/@x?y/bun.lockb", message: "see [this](https://evil.test)" });
  const result = runOf(checkReport({ findings: [binary] })).results[0]!;
  expect(result.locations[0]!.physicalLocation).toEqual({
    artifactLocation: { uri: "a%23b/c%3Ad/%40x%3Fy/bun.lockb", uriBaseId: "%SRCROOT%" },
  });
  expect(result.message.text).toContain("see \\[this\\](https://evil.test)");
});
