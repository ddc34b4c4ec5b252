/** A report as Markdown, for the summary of a CI job: what counts first, then what was excepted, then what could not be checked. */
import { LIMITS } from "../base/limits.ts";
import type { CheckReport, Finding } from "../check/finding.ts";
import { code, fitting, prose } from "./markdown-text.ts";
import { counted, exceptionText, grouped, notCheckedText, severityCounts, subjectOf } from "./words.ts";

export function markdownOf(report: CheckReport): string {
  const excepted = report.findings.filter((finding) => finding.excepted !== undefined);
  return [
    `## cordon check: ${headline(report)}`,
    "",
    ...checkedLine(report),
    ...findingsTable(report, LIMITS.summaryChars / 2),
    ...notCheckedList(report, LIMITS.summaryChars / 8),
    ...(excepted.length === 0
      ? []
      : [
          "<details>",
          `<summary>${counted(excepted.length, "finding")} excepted</summary>`,
          "",
          ...table(["", "Finding", "Package", "Excepted by"], excepted.map(exceptedRow), LIMITS.summaryChars / 4),
          "</details>",
          "",
        ]),
  ].join("\n");
}

/** What is not excepted. */
export function findingsTable({ findings }: Pick<CheckReport, "findings">, room: number): readonly string[] {
  const standing = findings.filter(({ excepted }) => excepted === undefined);
  return table(["", "Finding", "Package", "Where", "What removes it"], standing.map(findingRow), room);
}

export function notCheckedList({ notChecked }: Pick<CheckReport, "notChecked">, room: number): readonly string[] {
  if (notChecked.length === 0) return [];
  const { lines, left } = fitting(notChecked.map(notCheckedLine), room);
  return ["### Not checked", "", ...lines, ...(left === 0 ? [] : [`- … and ${grouped(left)} more`]), ""];
}

function headline({ summary, notChecked }: CheckReport): string {
  const counts = severityCounts(summary.bySeverity);
  const incomplete = notChecked.some(({ required }) => required);
  if (counts !== "") return incomplete ? `${counts} · not everything could be checked` : counts;
  return incomplete ? "not everything could be checked" : "nothing to act on";
}

function checkedLine({ summary, lockfiles, feeds }: CheckReport): readonly string[] {
  const files = lockfiles.map(({ path }) => code(path)).join(", ");
  const known = feeds.map(({ name, checked }) => `${code(name)} (read ${prose(checked)})`).join(", ");
  return [
    `${counted(summary.packages, "package")}${files === "" ? "" : ` in ${files}`}.${known === "" ? "" : ` Advisories: ${known}.`}`,
    "",
  ];
}

function findingRow(finding: Finding): readonly string[] {
  const { severity, rule, message, evidence, path, line, fix, via, more = 0 } = finding;
  const [first] = via;
  const others = via.length - 1 + more;
  const way =
    first === undefined || first.length < 2
      ? ""
      : `<br>via ${code(first.join(" > "))}${others > 0 ? ` and ${counted(others, "other way")}` : ""}`;
  return [
    `**${severity}**`,
    `${code(rule)}<br>${prose(message)}${evidence.map((said) => `<br>${prose(said)}`).join("")}`,
    packageCell(finding) + way,
    code(line === undefined ? path : `${path}:${line}`),
    fix === undefined ? "" : `${prose(fix.summary)}${fix.command === undefined ? "" : `<br>${code(fix.command)}`}`,
  ];
}

function exceptedRow(finding: Finding): readonly string[] {
  const { severity, rule, message, excepted } = finding;
  return [severity, `${code(rule)} ${prose(message)}`, packageCell(finding), prose(excepted ? exceptionText(excepted) : "")];
}

function packageCell(finding: Finding): string {
  const subject = subjectOf(finding);
  return subject === undefined ? "" : code(subject);
}

function notCheckedLine(missing: CheckReport["notChecked"][number]): string {
  return `- ${prose(notCheckedText(missing))}${missing.required ? " **The policy requires it.**" : ""}`;
}

/** Nothing at all without rows; rows that do not fit are counted. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], room: number): readonly string[] {
  if (rows.length === 0) return [];
  const { lines, left } = fitting(rows.map(row), room);
  return [
    row(head),
    row(head.map(() => "---")),
    ...lines,
    "",
    ...(left === 0 ? [] : [`… and ${grouped(left)} more: there is no room here.`, ""]),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
