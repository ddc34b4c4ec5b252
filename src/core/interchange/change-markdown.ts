/** What a pull request does to the lockfiles, as the comment a reviewer reads: the changes that need a look first. */
import { LIMITS } from "../base/limits.ts";
import { span } from "../base/time.ts";
import type { CheckedChange, NewVersion, VersionDetails } from "../check/change.ts";
import type { CheckReport } from "../check/finding.ts";
import { code, prose } from "./markdown-text.ts";
import { findingsTable, notCheckedList, table } from "./markdown.ts";
import { counted, grouped } from "./words.ts";

/** The first line of every comment, by which the one from the last push is found and replaced. */
export const COMMENT_MARK = "<!-- cordon check --since -->";

/** Lockfiles shown one by one: with more, none would have room for what matters. */
const SECTIONS = 20;

/**
 * The comment, at most `LIMITS.commentChars` long. `report`: the findings that were not there before, and what could not be checked; they
 * stand below the changes they belong to.
 */
export function changeMarkdown(changes: readonly CheckedChange[], report?: Pick<CheckReport, "findings" | "notChecked">): string {
  const shown = changes.slice(0, SECTIONS);
  const room = (LIMITS.commentChars * 0.75) / Math.max(1, shown.length) - 1_000;
  const left = changes.length - shown.length;
  return [
    COMMENT_MARK,
    `### cordon: ${headline(changes)}`,
    "",
    ...shown.flatMap((change) => section(change, room)),
    ...(left === 0 ? [] : [`… and ${counted(left, "more lockfile")}: there is no room here.`, ""]),
    ...(report === undefined
      ? []
      : [...findingsTable(report, LIMITS.commentChars * 0.2), ...notCheckedList(report, LIMITS.commentChars * 0.04)]),
  ].join("\n");
}

function headline(changes: readonly CheckedChange[]): string {
  const sum = (pick: (change: CheckedChange) => number): number => changes.reduce((total, change) => total + pick(change), 0);
  const swapped = sum(({ changed }) => changed.length);
  const unknown = sum(({ summary }) => summary.notChecked);
  const removed = sum((change) => change.removed.length);
  return [
    `${counted(
      sum(({ summary }) => summary.fresh),
      "version",
    )} new to this branch`,
    ...(swapped > 0 ? [`${grouped(swapped)} with other bytes or from another place`] : []),
    `${grouped(sum(({ summary }) => summary.withheld))} held`,
    `${grouped(sum(({ summary }) => summary.known))} with a known advisory`,
    ...(unknown > 0 ? [`${grouped(unknown)} not looked at`] : []),
    ...(removed > 0 ? [`${grouped(removed)} removed`] : []),
    `${grouped(sum(({ unchanged }) => unchanged))} unchanged`,
  ].join(" · ");
}

function section(change: CheckedChange, room: number): readonly string[] {
  const { path, since, added, moved, removed, changed, promoted } = change;
  const fresh = [
    ...added.map((one) => ({ one, mark: "+", from: "" })),
    ...moved.flatMap(({ from, to, direction }) => to.map((one) => ({ one, mark: MARKS[direction], from: from.join(", ") }))),
  ].toSorted((a, b) => weight(b.one.details) - weight(a.one.details));
  if (fresh.length + removed.length + changed.length + promoted.length === 0) return [`${code(path)}: no change since ${code(since)}.`, ""];
  return [
    `${code(path)}, since ${code(since)}`,
    "",
    ...table(["", "The same version, changed", "What changed"], changed.map(changedRow), room / 4),
    ...table(
      ["", "Package", "Age", "Publisher", "Install runs", "Provenance", "Verdict"],
      fresh.map(({ one, mark, from }) => freshRow(one, mark, from)),
      room / 2,
    ),
    ...listed("Now part of a production install", promoted, room / 8),
    ...listed("Removed", removed, room / 8),
  ];
}

const MARKS = { up: "↑", down: "**↓**", same: "~" } as const;

/** What needs a look comes first; among equals the order of the lockfile stays. */
function weight({ action = "allow", advisories = [], signals = [], notChecked }: VersionDetails): number {
  const stops = { deny: 5, review: 4, hold: 3, allow: 0 }[action];
  return Math.max(stops, advisories.length > 0 ? 4 : 0, notChecked === undefined ? 0 : 2, signals.length > 0 ? 1 : 0);
}

function freshRow({ name, version, source, url, dev, details }: NewVersion, mark: string, from: string): readonly string[] {
  const where = source === "registry" ? "" : `<br>from ${url === undefined ? source : code(url)}`;
  return [
    mark,
    `${code(name)} ${from === "" ? "" : `${code(from)} → `}${code(version)}${dev ? " (dev)" : ""}${where}`,
    ageOf(details),
    publisherOf(details),
    details.scripts === undefined ? UNKNOWN : details.scripts.map((script) => `**${code(script)}**`).join(", ") || "nothing",
    provenanceOf(details),
    saysOf(details),
  ];
}

/** Not known is not "none". */
const UNKNOWN = "?";

function ageOf({ ageMs, nameAgeMs }: VersionDetails): string {
  const age = ageMs === undefined ? UNKNOWN : span(ageMs);
  return nameAgeMs === undefined ? age : `${age}<br>new name, ${span(nameAgeMs)}`;
}

function publisherOf({ publisher }: VersionDetails): string {
  if (publisher === undefined) return UNKNOWN;
  return `${code(publisher.name)}${publisher.trusted ? " (trusted publisher)" : ""}${publisher.changed === true ? "<br>**new here**" : ""}`;
}

function provenanceOf({ provenance }: VersionDetails): string {
  if (provenance === undefined) return UNKNOWN;
  const repository = provenance.repository === undefined ? "" : ` ${code(provenance.repository)}`;
  return `${prose(provenance.state)}${repository}${provenance.changed === true ? "<br>**changed**" : ""}`;
}

function saysOf({ action, until, advisories = [], signals = [], notChecked }: VersionDetails): string {
  const verdict =
    action === undefined || action === "allow" ? [] : [`**${action}**${until === undefined ? "" : ` until ${prose(until.slice(0, 16))}Z`}`];
  const said = [
    ...verdict,
    ...advisories.map(code),
    ...signals.map(({ id, title }) => `${code(id)}: ${prose(title)}`),
    ...(notChecked === undefined ? [] : [`not looked at: ${prose(notChecked)}`]),
  ];
  return said.length > 0 ? said.join("<br>") : action === undefined ? UNKNOWN : "nothing";
}

function changedRow({ name, version, line, integrity, source }: CheckedChange["changed"][number]): readonly string[] {
  const bytes = {
    different: "other bytes",
    lost: "no digest any more",
    gained: "a digest, which it had not",
    unlike: "a digest that cannot be compared",
  };
  return [
    "**!**",
    `${code(`${name}@${version}`)}${line === undefined ? "" : `, line ${line}`}`,
    [
      ...(integrity === undefined ? [] : [bytes[integrity]]),
      ...(source === undefined ? [] : [`from ${code(source.from)} to ${code(source.to)}`]),
    ].join("<br>"),
  ];
}

function listed(title: string, entries: readonly { readonly name: string; readonly version: string }[], room: number): readonly string[] {
  return table(
    [title],
    entries.map(({ name, version }) => [code(`${name}@${version}`)]),
    room,
  );
}
