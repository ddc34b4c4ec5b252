/** A check's report for people: what to act on first, with its place and the way it came in; what was not looked at; the one next command. */
import type { CheckedSince } from "../../app/check-since.ts";
import { DAY, span } from "../../core/base/time.ts";
import type { CheckedChange, VersionDetails } from "../../core/check/change.ts";
import type { CheckReport, Finding, NotChecked, Severity } from "../../core/check/finding.ts";
import { SEVERITIES } from "../../core/check/finding.ts";
import type { Paint, Style } from "./io.ts";
import { columns, safe } from "./io.ts";
import { count, grouped } from "./sizes.ts";

export type CheckText = {
  readonly paint: Paint;
  /** Every finding with everything known about it. */
  readonly all: boolean;
};

/** A rule's findings of one severity are told one by one up to here; of more, two are, and the rest is counted. */
const TOLD = 5;
const EXAMPLES = 2;
/** Lines of evidence of one finding. */
const EVIDENCE = 2;

const INDENT = " ".repeat(12);

const STYLE: Readonly<Record<Severity, Style>> = { critical: "red", high: "red", medium: "yellow", low: "dim", note: "dim" };

export function renderCheck(report: CheckReport, how: CheckText): string {
  const { paint, all } = how;
  const counting = report.findings.filter(({ excepted }) => excepted === undefined);
  const groups = groupsOf(all ? report.findings : counting);
  const lines = [headline(report, paint)];
  let left = 0;
  for (const group of groups) {
    const first = group[0]!;
    if (!all && isMinor(first)) {
      left += group.length;
      continue;
    }
    const told = all || group.length <= TOLD ? group : group.slice(0, EXAMPLES);
    left += group.length - told.length;
    for (const finding of told) lines.push(...findingLines(finding, how));
    if (told.length < group.length) lines.push(othersLine(group.slice(told.length), first.rule));
  }
  const minor = groups.filter(([first]) => isMinor(first!));
  if (!all && minor.length > 0)
    lines.push(columns([["also", minor.map((group) => `${group.length} ${group[0]!.rule} (${group[0]!.severity})`).join(", ")]]));
  lines.push(...notCheckedLines(report.notChecked, paint));
  if (report.summary.excepted > 0)
    lines.push(`  ${count(report.summary.excepted, "finding")} excepted${all ? "" : " (--all says by whom and until when)"}`);
  const next = nextCommand(counting, left, all);
  if (next !== undefined) lines.push(`  ${next}`);
  return `${lines.join("\n")}\n`;
}

/** Packages named of those that are only counted. */
const NAMED = 8;

function othersLine(others: readonly Finding[], rule: string): string {
  const names = [...new Set(others.map(({ name, version, path }) => (name === undefined ? path : `${name} ${version ?? ""}`.trim())))];
  const rest = names.length - NAMED;
  return `${INDENT}and ${grouped(others.length)} more of ${rule}: ${safe(names.slice(0, NAMED).join(", "))}${rest > 0 ? `, and ${grouped(rest)} other packages` : ""}`;
}

/** What is shown one by one only with --all: it changes nothing about the exit status by default and would bury what does. */
function isMinor({ severity }: Finding): boolean {
  return severity === "low" || severity === "note";
}

function groupsOf(findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${SEVERITIES.indexOf(finding.severity)} ${finding.rule} ${finding.excepted === undefined ? "" : "excepted"}`;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  return [...groups.values()];
}

function headline({ lockfiles, summary, notChecked }: CheckReport, paint: Paint): string {
  const where =
    lockfiles.length === 1
      ? `${count(summary.packages, "package")} in ${safe(lockfiles[0]!.path)}`
      : `${count(summary.packages, "package")} in ${count(lockfiles.length, "lockfile")}`;
  const counts = SEVERITIES.filter((severity) => severity !== "note" && summary.bySeverity[severity] > 0).map(
    (severity) => `${grouped(summary.bySeverity[severity])} ${severity}`,
  );
  if (summary.exit === 1) return `${paint("red", paint("bold", "ACT"))}   ${counts.join(", ")}   ${where}`;
  if (summary.exit === 3) {
    const missing = notChecked.filter(({ required }) => required).map(({ check }) => check);
    return `${paint("yellow", paint("bold", "NOT CHECKED"))}   ${missing.join(", ")}, which the policy requires   ${where}`;
  }
  return `${paint("green", paint("bold", "OK"))}   nothing to act on${counts.length === 0 ? "" : ` (${counts.join(", ")})`}   ${where}`;
}

function findingLines(finding: Finding, { paint, all }: CheckText): readonly string[] {
  const { severity, rule, name, version, path, line, message, evidence, via, more, fix, excepted } = finding;
  const subject = name === undefined ? "" : `${paint("bold", safe(`${name} ${version ?? ""}`.trim()))}   `;
  const place = `${safe(path)}${line === undefined ? "" : `:${line}`}`;
  return [
    `  ${paint(STYLE[severity], severity.padEnd(8))}  ${subject}${safe(message)}`,
    `${INDENT}${paint("dim", `${rule} · ${place}`)}`,
    ...(via[0] === undefined || via[0].length < 2 ? [] : [`${INDENT}${paint("dim", wayIn(via, more ?? 0, all))}`]),
    ...evidence.slice(0, all ? undefined : EVIDENCE).map((text) => `${INDENT}${paint("dim", safe(text))}`),
    ...(fix === undefined ? [] : [`${INDENT}${safe(fix.summary)}${fix.command === undefined ? "" : `   ${safe(fix.command)}`}`]),
    ...(excepted === undefined ? [] : [`${INDENT}${safe(exceptedBy(excepted))}`]),
  ];
}

function wayIn(via: Finding["via"], more: number, all: boolean): string {
  const ways = all ? via : via.slice(0, 1);
  const rest = more + via.length - ways.length;
  const texts = ways.map((way) => safe(way.join(" > ")));
  return `by ${texts.join(", ")}${rest === 0 ? "" : ` and ${count(rest, "other way")}`}`;
}

function exceptedBy(excepted: NonNullable<Finding["excepted"]>): string {
  return "vex" in excepted
    ? `excepted by ${excepted.vex}: ${excepted.reason}`
    : `excepted by ${excepted.by} until ${excepted.expires}: ${excepted.reason}`;
}

/** Checks that lack the same thing are said in one line. */
function notCheckedLines(missing: readonly NotChecked[], paint: Paint): readonly string[] {
  const groups = new Map<string, NotChecked[]>();
  for (const one of missing) {
    const key = `${one.reason} ${one.packages} ${one.required}`;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()].map((group) => {
    const { reason, packages, required, command } = group[0]!;
    const label = required ? paint("yellow", "not checked") : paint("dim", "not checked");
    const of = packages === 0 ? "" : ` of ${count(packages, "package")}`;
    return `  ${label}   ${group.map(({ check }) => check).join(", ")}${of}: ${safe(reason)}${command === undefined ? "" : ` · ${safe(command)}`}`;
  });
}

/** What a finding itself does not already say. */
function nextCommand(findings: readonly Finding[], left: number, all: boolean): string | undefined {
  if (findings.some(({ fix }) => fix?.command?.startsWith("cordon check --fix") === true))
    return "mend what can be mended   cordon check --fix";
  return left > 0 && !all ? `the other ${grouped(left)}   cordon check --all` : undefined;
}

/** What a branch changes, in the words of a reviewer; then only the findings that were not there before. */
export function renderChange({ report, changes }: CheckedSince, how: CheckText): string {
  const { paint, all } = how;
  const sum = (pick: (change: CheckedChange) => number): number => changes.reduce((total, change) => total + pick(change), 0);
  const withheld = sum(({ summary }) => summary.withheld);
  const unknown = sum(({ summary }) => summary.notChecked);
  const head = [
    `${count(
      sum(({ summary }) => summary.fresh),
      "version",
    )} new to this branch`,
    `${withheld} held`,
    `${sum(({ summary }) => summary.known)} with a known advisory`,
    ...(unknown === 0 ? [] : [`${unknown} not looked at`]),
    `${grouped(sum(({ unchanged }) => unchanged))} unchanged`,
  ].join(" · ");
  const rows = changes.flatMap((change) => [
    ...change.added.map((one) => [`+ ${safe(one.name)}`, safe(one.version), detailsText(one.details)]),
    ...change.moved.flatMap(({ name, from, to, direction }) =>
      to.map((one) => [
        `${direction === "down" ? "v" : "+"} ${safe(name)}`,
        `${safe(from.join(", "))} → ${safe(one.version)}`,
        detailsText(one.details),
      ]),
    ),
    ...change.changed.map((one) => [`! ${safe(one.name)}`, safe(one.version), changedText(one, change.path)]),
    ...change.promoted.map((one) => [
      `^ ${safe(one.name)}`,
      safe(one.version),
      "was for development only, is now part of a production install",
    ]),
    ...(all ? change.removed.map((one) => [`- ${safe(one.name)}`, safe(one.version), "removed"]) : []),
  ]);
  const { findings, summary, notChecked } = report;
  const lines = [
    paint(summary.exit === 0 ? "green" : summary.exit === 1 ? "red" : "yellow", head),
    ...(rows.length === 0 ? [] : [columns(rows)]),
  ];
  for (const finding of findings.filter((one) => all || !isMinor(one))) lines.push(...findingLines(finding, how));
  lines.push(...notCheckedLines(notChecked, paint));
  return `${lines.join("\n")}\n`;
}

/** `held until 23 Nov 09:10 UTC: young-release (2 d old) · by mara · runs postinstall`. */
function detailsText({
  notChecked,
  action,
  until,
  ageMs,
  nameAgeMs,
  publisher,
  scripts,
  provenance,
  signals = [],
  advisories = [],
}: VersionDetails): string {
  if (action === undefined) return [safe(notChecked ?? "nobody looked"), ...advisories.map(safe)].join(" · ");
  const strong = signals.filter(({ effect }) => effect !== "note");
  const verdict =
    action === "allow"
      ? "admitted"
      : `${action === "hold" ? "held" : action === "review" ? "held for review" : "denied"}${until === undefined ? "" : ` until ${until.slice(0, 16)}Z`}: ${strong.map(({ id }) => id).join(", ")}`;
  return [
    safe(verdict),
    ...(ageMs === undefined ? [] : [`${span(ageMs)} old`]),
    ...(nameAgeMs === undefined || nameAgeMs > NEW_NAME_MS ? [] : [`a name known for ${span(nameAgeMs)}`]),
    ...(publisher === undefined ? [] : [`by ${safe(publisher.name)}`]),
    ...(scripts === undefined || scripts.length === 0 ? [] : [`runs ${safe(scripts.join(", "))}`]),
    ...(provenance?.state === "valid" ? [`built by ${safe(provenance.repository ?? "CI")}`] : []),
    ...(action === "allow" ? signals.filter(({ effect }) => effect === "note").map(({ id }) => id) : []),
    ...advisories.map(safe),
  ].join(" · ");
}

/** A name this young is worth a word. */
const NEW_NAME_MS = 90 * DAY;

function changedText({ integrity, source, line }: CheckedChange["changed"][number], path: string): string {
  return [
    ...(integrity === undefined
      ? []
      : [`the same version with ${integrity === "lost" ? "no" : integrity === "gained" ? "an" : "another"} integrity`]),
    ...(source === undefined ? [] : [`from ${safe(source.to)} instead of ${safe(source.from)}`]),
    `${safe(path)}${line === undefined ? "" : `:${line}`}`,
  ].join(" · ");
}
