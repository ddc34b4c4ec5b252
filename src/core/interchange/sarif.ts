/** Findings as SARIF 2.1.0, for code scanning: rules from the table, places with file and line, fingerprints that stay. */
import { printable } from "../base/text.ts";
import { VERSION } from "../config/constants.ts";
import type { CheckReport, Finding, Severity } from "../check/finding.ts";
import { RULES, type RuleId } from "../check/rules.ts";
import { exceptionText, fixText, notCheckedText, percent, subjectOf } from "./words.ts";

export type SarifLevel = "error" | "warning" | "note";

export type SarifRule = {
  readonly id: string;
  readonly means: string;
  readonly why: string;
  readonly level: SarifLevel;
  /** 0.1 to 10.0 as text: code scanning names a result's severity by its rule's. */
  readonly securitySeverity?: string;
};

/** A line of a file; without a line, the file. */
export type SarifPlace = { readonly path: string; readonly line?: number; readonly column?: number; readonly snippet?: string };

export type SarifResult = {
  readonly rule: string;
  readonly level: SarifLevel;
  readonly message: string;
  readonly places: readonly SarifPlace[];
  /** `name@version`, where it is about a package. */
  readonly subject?: string;
  readonly fingerprint: string;
  /** Why it does not count; undefined where nothing can be excepted. */
  readonly suppressions?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
};

export type SarifRun = {
  readonly rules: readonly SarifRule[];
  readonly results: readonly SarifResult[];
  readonly notChecked: readonly { readonly check: string; readonly level: SarifLevel; readonly text: string }[];
  readonly successful: boolean;
  readonly exit?: number;
  /** What paths are relative to. */
  readonly base: string;
};

/** One run as a SARIF log; the same run gives the same bytes. */
export function sarifLog(run: SarifRun): unknown {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "cordon", semanticVersion: VERSION, rules: run.rules.map(ruleObject) } },
        columnKind: "utf16CodeUnits",
        invocations: [
          {
            executionSuccessful: run.successful,
            ...(run.exit === undefined ? {} : { exitCode: run.exit }),
            // §3.58: what could not be checked is said where tools look for it.
            toolExecutionNotifications: run.notChecked.map(({ check, level, text }) => ({
              level,
              descriptor: { id: `not-checked:${check}` },
              message: messageOf(text),
            })),
          },
        ],
        results: run.results.map((result) => resultObject(result, run)),
      },
    ],
  };
}

function ruleObject({ id, means, why, level, securitySeverity }: SarifRule): unknown {
  return {
    id,
    shortDescription: { text: means },
    fullDescription: { text: why },
    defaultConfiguration: { level },
    properties: {
      tags: ["security", "supply-chain"],
      ...(securitySeverity === undefined ? {} : { "security-severity": securitySeverity }),
    },
  };
}

function resultObject(result: SarifResult, { rules, base }: SarifRun): unknown {
  const { rule, level, message, places, subject, fingerprint, suppressions, properties } = result;
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level,
    message: messageOf(message),
    partialFingerprints: { "cordon/1": fingerprint },
    locations: places.map((place) => ({
      physicalLocation: {
        artifactLocation: { uri: relativeUri(place.path), uriBaseId: base },
        ...(place.line === undefined ? {} : { region: regionOf(place.line, place) }),
      },
      ...(subject === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: subject, kind: "module" }] }),
    })),
    // §3.27.23: either every result of a run has them, or none.
    ...(suppressions === undefined
      ? {}
      : { suppressions: suppressions.map((justification) => ({ kind: "external", status: "accepted", justification })) }),
    ...(properties === undefined ? {} : { properties }),
  };
}

function regionOf(startLine: number, { column, snippet }: SarifPlace): unknown {
  return {
    startLine,
    ...(column === undefined ? {} : { startColumn: column }),
    ...(snippet === undefined || snippet === "" ? {} : { snippet: { text: snippet } }),
  };
}

/** §3.11.6: `[text](target)` in a message is a link, which a name from outside must not become. */
function messageOf(text: string): unknown {
  return { text: text.includes("](") ? text.replace(/[\\[\]]/g, "\\$&") : text };
}

/** §3.4.3: a relative reference; encoded part by part, so that nothing in a path is a scheme, a query or a fragment. */
function relativeUri(path: string): string {
  return path.split("/").map(percent).join("/");
}

const LEVELS: Readonly<Record<Severity, SarifLevel>> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "warning",
  note: "note",
};

/** Code scanning's own bands: critical from 9.0, high from 7.0, medium from 4.0, low above 0. */
const SECURITY_SEVERITY: Readonly<Partial<Record<Severity, string>>> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0" };

/** What `cordon check` found. All rules are listed, found or not: it is what was looked for. */
export function sarifOfCheck(report: CheckReport): unknown {
  const ids = Object.keys(RULES) as RuleId[];
  const usual = new Set(ids.map((id) => ruleId({ rule: id, severity: RULES[id].severity })));
  const others = new Map(report.findings.map((finding) => [ruleId(finding), finding] as const).filter(([id]) => !usual.has(id)));
  return sarifLog({
    base: "%SRCROOT%",
    rules: [
      ...ids.map((id) => ruleOf({ rule: id, severity: RULES[id].severity })),
      ...[...others].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, finding]) => ruleOf(finding)),
    ],
    results: report.findings.map(resultOf),
    notChecked: report.notChecked.map((missing) => ({
      check: missing.check,
      level: missing.required ? "error" : "warning",
      text: notCheckedText(missing),
    })),
    // Also beside findings, for which the run exits 1.
    successful: !report.notChecked.some(({ required }) => required),
    exit: report.summary.exit,
  });
}

type Weighed = Pick<Finding, "rule" | "severity">;

/**
 * §3.5.4 lets an id have parts: `vulnerability-report/critical` is the rule where it weighs more or less than it usually does.
 * Code scanning takes the severity it shows from the rule, never from the result.
 */
function ruleId({ rule, severity }: Weighed): string {
  return severity === RULES[rule].severity ? rule : `${rule}/${severity}`;
}

function ruleOf(weighed: Weighed): SarifRule {
  const { means, why } = RULES[weighed.rule];
  const securitySeverity = SECURITY_SEVERITY[weighed.severity];
  return {
    id: ruleId(weighed),
    means,
    why,
    level: LEVELS[weighed.severity],
    ...(securitySeverity === undefined ? {} : { securitySeverity }),
  };
}

function resultOf(finding: Finding): SarifResult {
  const { severity, path, line, column, message, evidence, via, fix, advisory, excepted } = finding;
  const subject = subjectOf(finding);
  const said = [subject === undefined ? message : `${subject}: ${message}`, ...evidence, ...(fix ? [`fix: ${fixText(fix)}`] : [])];
  return {
    rule: ruleId(finding),
    level: LEVELS[severity],
    message: said.join("\n"),
    places: [{ path, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) }],
    ...(subject === undefined ? {} : { subject }),
    fingerprint: finding.fingerprint,
    suppressions: excepted ? [exceptionText(excepted)] : [],
    properties: {
      severity,
      ...(via.length === 0 ? {} : { via: via.map((names) => names.map(printable).join(" > ")) }),
      ...(advisory === undefined ? {} : { advisory: advisory.id, aliases: advisory.aliases }),
    },
  };
}
