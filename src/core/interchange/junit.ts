/** A report as JUnit XML: a suite for each file, a case for each finding, and a case that passes where a lockfile has none that fails. */
import { printable } from "../base/text.ts";
import { fails } from "../check/report.ts";
import { RULES } from "../check/rules.ts";
import type { CheckReport, Finding } from "../check/finding.ts";
import { counted, exceptionText, fixText, notCheckedText, subjectOf, wellFormed } from "./words.ts";

type Case = {
  readonly name: string;
  readonly group: string;
  readonly outcome: "passed" | "failure" | "error" | "skipped";
  readonly xml: string;
};
type Suite = { readonly name: string; readonly cases: readonly Case[] };

/** The document's text. Findings below what fails the run are cases that pass, with what they say as their output. */
export function junitOf(report: CheckReport): string {
  const { findings, lockfiles, notChecked, summary } = report;
  const paths = [...new Set([...lockfiles.map(({ path }) => path), ...findings.map(({ path }) => path)])];
  const suites: Suite[] = paths.map((path) => {
    const own = findings.filter((finding) => finding.path === path);
    const lockfile = lockfiles.find((one) => one.path === path);
    const passed =
      lockfile !== undefined && !own.some(({ excepted, severity }) => excepted === undefined && fails(severity, summary.failOn));
    return {
      name: path,
      cases: [
        ...own.map((finding) => caseOf(finding, summary.failOn)),
        ...(passed ? [plainCase(path, `${counted(lockfile.packages, "package")} checked`)] : []),
      ],
    };
  });
  if (notChecked.length > 0)
    suites.push({
      name: "not checked",
      cases: notChecked.map((missing) => {
        const outcome = missing.required ? "error" : "skipped";
        return { name: missing.check, group: "not checked", outcome, xml: `<${outcome} message="${escape(notCheckedText(missing))}"/>` };
      }),
    });
  const all = suites.flatMap(({ cases }) => cases);
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites name="cordon check" ${countsOf(all)}>`,
    ...suites.flatMap(({ name, cases }) => [
      `  <testsuite name="${escape(name)}" ${countsOf(cases)}>`,
      ...cases.map(
        ({ name: called, group, xml }) =>
          `    <testcase name="${escape(called)}" classname="${escape(group)}" time="0"${xml === "" ? "/>" : `>${xml}</testcase>`}`,
      ),
      `  </testsuite>`,
    ]),
    `</testsuites>`,
    "",
  ].join("\n");
}

function countsOf(cases: readonly Case[]): string {
  const count = (outcome: Case["outcome"]): number => cases.filter((one) => one.outcome === outcome).length;
  return `tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}" skipped="${count("skipped")}" time="0"`;
}

function plainCase(group: string, name: string): Case {
  return { name, group, outcome: "passed", xml: "" };
}

function caseOf(finding: Finding, failOn: CheckReport["summary"]["failOn"]): Case {
  const { rule, severity, path, excepted, message } = finding;
  const name = [rule, subjectOf(finding)].filter((part) => part !== undefined).join(" ");
  const told = { name, group: path };
  if (excepted) return { ...told, outcome: "skipped", xml: `<skipped message="${escape(exceptionText(excepted))}"/>` };
  const body = escape(detailsOf(finding));
  if (!fails(severity, failOn)) return { ...told, outcome: "passed", xml: `<system-out>${body}</system-out>` };
  return { ...told, outcome: "failure", xml: `<failure type="${escape(severity)}" message="${escape(message)}">${body}</failure>` };
}

function detailsOf({ rule, severity, path, line, message, evidence, via, fix }: Finding): string {
  return [
    `${severity}: ${message}`,
    line === undefined ? path : `${path}:${line}`,
    ...evidence,
    ...via.map((names) => `via ${names.map(printable).join(" > ")}`),
    ...(fix ? [`fix: ${fixText(fix)}`] : []),
    RULES[rule].means,
  ].join("\n");
}

/** XML 1.0 §2.2: no control character but tab and newline, no half surrogate, no U+FFFE and U+FFFF, escaped or not. */
function escape(text: string): string {
  const lines = wellFormed(text).split("\n").map(printable).join("\n");
  return lines
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
