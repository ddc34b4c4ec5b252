/** Phrases every format says alike: what a finding is about, how it is mended, who excepted it, what could not be checked. */
import { printable } from "../base/text.ts";
import { SEVERITIES, type Finding, type NotChecked, type Severity } from "../check/finding.ts";

/** `name@version` on one line, or undefined where the finding is about the file or the project. */
export function subjectOf({ name, version }: Pick<Finding, "name" | "version">): string | undefined {
  return name === undefined ? undefined : printable(version === undefined || version === "" ? name : `${name}@${version}`);
}

export function fixText({ summary, command }: NonNullable<Finding["fix"]>): string {
  return printable(command === undefined ? summary : `${summary} (${command})`);
}

/** Who excepted it, until when and why, in one line. */
export function exceptionText(excepted: NonNullable<Finding["excepted"]>): string {
  return printable(
    "by" in excepted
      ? `${excepted.by}, until ${excepted.expires.slice(0, 10)}: ${excepted.reason}`
      : `VEX ${excepted.vex}: ${excepted.reason}`,
  );
}

export function notCheckedText({ check, reason, packages, command }: NotChecked): string {
  const concerned = packages === 0 ? "" : ` for ${counted(packages, "package")}`;
  return printable(`${check} could not run${concerned}: ${reason}${command === undefined ? "" : ` (${command})`}`);
}

/** `1 package`, `1,106 packages`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Thousands with commas, in every locale the same. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `2 critical · 1 low`; empty when there are none. */
export function severityCounts(bySeverity: Readonly<Record<Severity, number>>): string {
  return SEVERITIES.filter((severity) => bySeverity[severity] > 0)
    .map((severity) => `${grouped(bySeverity[severity])} ${severity}`)
    .join(" · ");
}

// A surrogate without its other half: no UTF-8 can carry it, and `encodeURIComponent` throws on it.
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text every encoding can carry. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, "\ufffd");
}

/** `encodeURIComponent` that never throws. */
export function percent(text: string): string {
  return encodeURIComponent(wellFormed(text));
}

/** RFC 3986 §2: a location with what may not stand in a URI escaped, and what is escaped left as it is. */
export function uriText(location: string): string {
  return wellFormed(location).replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, percent);
}
