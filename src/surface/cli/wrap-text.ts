/** The report of a wrapped run, for people: the finding first, the evidence, then the one next command. All of it goes to stderr. */
import type { WrapReport } from "../../app/wrap-report.ts";
import type { Verdict } from "../../core/policy/verdict.ts";
import { columns, type Paint, safe } from "./io.ts";
import { when } from "./when.ts";

type Reader = { readonly paint: Paint; readonly now: number; readonly env: Readonly<Record<string, string | undefined>> };

/** Longest list shown before "and N more". */
const SHOWN = 8;

export function wrapText(report: WrapReport, reader: Reader): string {
  const sections = [
    stopped(report, reader),
    installedWithheld(report, reader),
    ...refused(report, reader),
    heldBack(report, reader),
    leftOut(report, reader),
    droppedOut(report, reader),
    monitored(report, reader),
    differs(report, reader),
    bypass(report, reader),
    unreadable(report, reader),
    undecided(report, reader),
  ].filter((section) => section !== "");
  const notes = report.notes.map((note) => `${reader.paint("dim", `cordon · ${safe(note)}`)}\n`).join("");
  if (sections.length > 0) return `\n${sections.join("\n")}${notes}`;
  return `${cleanLine(report, reader)}${notes}`;
}

function cleanLine({ checked, served, requests }: WrapReport, { paint }: Reader): string {
  // Where nothing can be read afterwards, what the gate handed out is what there is to say.
  const what = checked > 0 ? `${count(checked, "version")} checked` : served > 0 ? `${count(served, "version")} served` : undefined;
  if (what === undefined) return "";
  return `${paint("dim", `cordon · ${what}, none withheld${requests === 0 ? ", all from the client's own cache" : ""}`)}\n`;
}

function stopped({ stopped: lines }: WrapReport, reader: Reader): string {
  if (lines.length === 0) return "";
  const these = lines.length === 1 ? "this" : "these";
  return `${title(`the client was not started: ${these} would go round the gate`, reader)}${shown(lines.map((line) => `  ${safe(line)}\n`))}`;
}

function installedWithheld({ installedWithheld: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(({ name, version, verdict, paths: [first = "", ...others] }) => {
    const more = others.length === 0 ? "" : ` and ${count(others.length, "other place")}`;
    return `  ${safe(name)} ${safe(version)}   ${safe(first)}${more}\n${reasons(verdict, reader)}`;
  });
  return [
    title(
      reader.paint("red", `${count(list.length, "version")} that should not be there ${list.length === 1 ? "is" : "are"} installed`),
      reader,
    ),
    shown(rows),
    "  it came from the client's own cache or past the gate; remove node_modules and the client's cache, then install again\n",
    why(list[0]!),
  ].join("");
}

/** One section for each who asked. */
function refused({ refused: list }: WrapReport, reader: Reader): readonly string[] {
  return [...new Set(list.map(whoAsked))].map((who) => {
    const own = list.filter((one) => whoAsked(one) === who);
    const rows = own.map(({ name, version, line = 0, verdict, instead }) => {
      const what = `  ${safe(name)}${version === undefined ? ", every version of it" : ` ${safe(version)}`}${line > 0 ? ` (line ${line})` : ""}\n`;
      return `${what}${reasons(verdict, reader, instead.length === 0 ? [] : [["instead", safe(instead.join(", "))]])}`;
    });
    return [title(`refused ${count(own.length, "version")}${who}`, reader), shown(rows), why(own[0]!)].join("");
  });
}

function whoAsked({ lockfile, by }: WrapReport["refused"][number]): string {
  if (lockfile !== undefined) return ` that ${safe(lockfile)} pins`;
  return by === undefined ? "" : ` that ${safe(by)} asks for`;
}

function heldBack({ heldBack: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(
    ({ name, version, verdict, got }) => `  ${safe(name)} ${safe(version)} → got ${safe(got.join(", "))}\n${reasons(verdict, reader)}`,
  );
  return [title(`held back ${count(list.length, "version")}, installed the last admitted one`, reader), shown(rows), why(list[0]!)].join(
    "",
  );
}

function leftOut({ leftOut: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(({ name, version, verdict }) => `  ${safe(name)} ${safe(version)}\n${reasons(verdict, reader)}`);
  return [title(`left ${count(list.length, "version")} out of what the client was told`, reader), shown(rows), why(list[0]!)].join("");
}

function droppedOut({ droppedOut: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(({ name, version, wantedBy, verdict }) => {
    return `  ${safe(name)}${version === undefined ? "" : ` ${safe(version)}`} (wanted by ${safe(wantedBy)})\n${reasons(verdict, reader)}`;
  });
  const what = count(list.length, "optional dependency", "optional dependencies");
  return [title(`${what} for this platform dropped out without a word from the client`, reader), shown(rows)].join("");
}

function monitored({ monitored: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(({ name, version, verdict }) => `  ${safe(name)} ${safe(version)}\n${reasons(verdict, reader)}`);
  return [title(`monitor mode let ${count(list.length, "version")} through`, reader), shown(rows), why(list[0]!)].join("");
}

function differs({ differs: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(({ name, version, path, registry }) => [
    `${safe(name)} ${safe(version)}`,
    safe(path),
    `registry: ${safe(registry.slice(0, 24))}…`,
  ]);
  return `${title(reader.paint("red", `${count(list.length, "package")} whose recorded digest is not the registry's`), reader)}${columns(rows.slice(0, SHOWN))}\n${more(list)}`;
}

function bypass({ bypass: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const hosts = list.map(({ host, port }) => `${host}:${port}`);
  const rows = [...new Set(hosts)].map((host) => `  ${safe(host)}   ${count(hosts.filter((one) => one === host).length, "attempt")}\n`);
  return [
    title(reader.paint("red", "something tried to reach a registry past the gate, and was stopped"), reader),
    shown(rows),
    next("find what", "cordon doctor"),
  ].join("");
}

function unreadable({ unreadable: list }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  const rows = list.map(({ path, why: reason }) => `  ${safe(path)}   ${safe(reason)}\n`);
  return title(`${count(list.length, "place")} could not be read, so what is installed there is not known`, reader) + shown(rows);
}

function undecided({ undecided: list, started }: WrapReport, reader: Reader): string {
  if (list.length === 0) return "";
  // A registry that is down is one reason for hundreds.
  const byReason = new Map<string, WrapReport["undecided"]>();
  for (const one of list) byReason.set(one.why, [...(byReason.get(one.why) ?? []), one]);
  const rows = [...byReason].map(([reason, [first, ...others]]) => {
    const more = others.length === 0 ? "" : ` and ${count(others.length, "other")}`;
    return `  ${safe(first!.name)} ${safe(first!.version)}${more}   ${safe(reason)}\n`;
  });
  if (started) return title(`${count(list.length, "installed version")} could not be checked`, reader) + shown(rows);
  const what = count(list.length, "lockfile entry", "lockfile entries");
  return [
    title(`the client was not started: ${what} could not be checked`, reader),
    shown(rows),
    "  nothing was installed or changed; try again when the registry answers\n",
  ].join("");
}

function title(text: string, { paint }: Reader): string {
  return `${paint("bold", "cordon")} · ${text}\n`;
}

function reasons(verdict: Verdict, { now, env }: Reader, rows: readonly (readonly string[])[] = []): string {
  const why = verdict.reasons.map(({ id, title: said, effect }) => {
    const opens = effect.kind === "hold" && effect.until !== undefined ? ` · opens ${when(effect.until, now, env)}` : "";
    return [id, `${safe(said)}${opens}`];
  });
  const all = [...why, ...rows];
  return all.length === 0 ? "" : `${columns(all, "    ")}\n`;
}

function why({ name, version }: { readonly name: string; readonly version?: string }): string {
  return next("look closer", `cordon why ${name}${version === undefined ? "" : `@${version}`}`);
}

function next(label: string, command: string): string {
  return `  ${label.padEnd(13)} ${safe(command)}\n`;
}

function shown(rows: readonly string[]): string {
  return rows.slice(0, SHOWN).join("") + more(rows);
}

function more(rows: readonly unknown[]): string {
  return rows.length > SHOWN ? `  and ${rows.length - SHOWN} more\n` : "";
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}
