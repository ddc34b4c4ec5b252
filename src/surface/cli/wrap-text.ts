/** The report of a wrapped run, for people: the finding first, the evidence, then the one next command. All of it goes to stderr. */
import type { WrapReport } from "../../app/wrap-report.ts";
import type { Verdict } from "../../core/policy/verdict.ts";
import { columns, safe, type Paint } from "./io.ts";
import { when } from "./when.ts";

type Reader = { readonly paint: Paint; readonly now: number; readonly env: Readonly<Record<string, string | undefined>> };

/** Longest list shown before "and N more". */
const SHOWN = 8;

export function wrapText(report: WrapReport, reader: Reader): string {
  const sections = [
    installedWithheld(report, reader),
    refused(report, reader),
    heldBack(report, reader),
    droppedOut(report, reader),
    differs(report, reader),
    bypass(report, reader),
    unknown(report, reader),
  ].filter((section) => section !== "");
  if (sections.length > 0) return `\n${sections.join("\n")}`;
  if (report.checked === 0) return "";
  const warm = report.requests === 0 ? ", all from the client's own cache" : "";
  return `${reader.paint("dim", `cordon · ${count(report.checked, "version")} checked, none withheld${warm}`)}\n`;
}

function title(text: string, { paint }: Reader): string {
  return `${paint("bold", "cordon")} · ${text}\n`;
}

function installedWithheld(report: WrapReport, reader: Reader): string {
  const list = report.installedWithheld;
  if (list.length === 0) return "";
  return (
    title(
      reader.paint("red", `${count(list.length, "version")} that should not be there ${list.length === 1 ? "is" : "are"} installed`),
      reader,
    ) +
    list
      .slice(0, SHOWN)
      .map(
        (one) =>
          `  ${safe(one.name)} ${safe(one.version)}   ${safe(one.paths[0] ?? "")}${one.paths.length > 1 ? ` and ${one.paths.length - 1} more` : ""}\n${reasons(one.verdict, reader)}`,
      )
      .join("") +
    more(list.length) +
    "  it came from the client's own cache or past the gate; remove node_modules and the client's cache, then install again\n" +
    next("look closer", `cordon why ${list[0]!.name}@${list[0]!.version}`)
  );
}

function refused(report: WrapReport, reader: Reader): string {
  const list = report.refused;
  if (list.length === 0) return "";
  const pinned = list.find((one) => one.lockfile !== undefined);
  return (
    title(`refused ${count(list.length, "version")}${pinned ? ` that ${safe(pinned.lockfile!)} pins` : ""}`, reader) +
    list
      .slice(0, SHOWN)
      .map(
        (one) =>
          `  ${safe(one.name)} ${safe(one.version)}${one.line === undefined ? "" : ` (line ${one.line})`}\n${reasons(one.verdict, reader)}`,
      )
      .join("") +
    more(list.length) +
    next("look closer", `cordon why ${list[0]!.name}@${list[0]!.version}`)
  );
}

function heldBack(report: WrapReport, reader: Reader): string {
  const list = report.heldBack;
  if (list.length === 0) return "";
  return (
    title(`held back ${count(list.length, "version")}, installed the last admitted one`, reader) +
    list
      .slice(0, SHOWN)
      .map((one) => `  ${safe(one.name)} ${safe(one.version)} → got ${safe(one.got.join(", "))}\n${reasons(one.verdict, reader)}`)
      .join("") +
    more(list.length) +
    next("look closer", `cordon why ${list[0]!.name}@${list[0]!.version}`)
  );
}

function droppedOut(report: WrapReport, reader: Reader): string {
  const list = report.droppedOut;
  if (list.length === 0) return "";
  return (
    title(
      `${count(list.length, "optional dependency", "optional dependencies")} for this platform dropped out without a word from the client`,
      reader,
    ) +
    list
      .slice(0, SHOWN)
      .map(
        (one) =>
          `  ${safe(one.name)}${one.version === undefined ? "" : ` ${safe(one.version)}`} (wanted by ${safe(one.wantedBy)})\n${one.verdict ? reasons(one.verdict, reader) : ""}`,
      )
      .join("") +
    more(list.length)
  );
}

function differs(report: WrapReport, reader: Reader): string {
  const list = report.differs;
  if (list.length === 0) return "";
  return (
    title(reader.paint("red", `${count(list.length, "package")} whose recorded digest is not the registry's`), reader) +
    `${columns(list.slice(0, SHOWN).map((one) => [`${safe(one.name)} ${safe(one.version)}`, safe(one.path), `registry: ${one.registry.slice(0, 24)}…`]))}\n` +
    more(list.length)
  );
}

function bypass(report: WrapReport, reader: Reader): string {
  const list = report.bypass;
  if (list.length === 0) return "";
  const hosts = [...new Set(list.map((one) => `${one.host}:${one.port}`))];
  return (
    title(reader.paint("red", `something tried to reach a registry past the gate, and was stopped`), reader) +
    hosts
      .slice(0, SHOWN)
      .map((host) => `  ${safe(host)}   ${count(list.filter((one) => `${one.host}:${one.port}` === host).length, "attempt")}\n`)
      .join("") +
    next("find what", "cordon doctor")
  );
}

function unknown(report: WrapReport, reader: Reader): string {
  const lines: string[] = [];
  if (report.unreadable.length > 0)
    lines.push(
      title(`${count(report.unreadable.length, "place")} could not be read, so what is installed there is not known`, reader) +
        report.unreadable
          .slice(0, SHOWN)
          .map((one) => `  ${safe(one.path)}   ${safe(one.why)}\n`)
          .join("") +
        more(report.unreadable.length),
    );
  if (report.undecided.length > 0)
    lines.push(
      title(`${count(report.undecided.length, "installed version")} could not be checked`, reader) +
        report.undecided
          .slice(0, SHOWN)
          .map((one) => `  ${safe(one.name)} ${safe(one.version)}   ${safe(one.why)}\n`)
          .join("") +
        more(report.undecided.length),
    );
  return lines.join("\n");
}

function reasons(verdict: Verdict, { now, env }: Reader): string {
  const rows = verdict.reasons.map((signal) => {
    const opens =
      signal.effect.kind === "hold" && signal.effect.until !== undefined ? ` · opens ${when(signal.effect.until, now, env)}` : "";
    return [signal.id, `${safe(signal.title)}${opens}`];
  });
  return rows.length === 0 ? "" : `${columns(rows, "    ")}\n`;
}

function next(label: string, command: string): string {
  return `  ${label.padEnd(13)} ${safe(command)}\n`;
}

function more(total: number): string {
  return total > SHOWN ? `  and ${total - SHOWN} more\n` : "";
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}
