/** What `cordon inspect` found as SARIF 2.1.0: rules from the table of signals, places in the package with file and line. */
import type { Inspection } from "../../app/inspect.ts";
import { sha256 } from "../../core/base/digest.ts";
import { sarifLog, type SarifLevel, type SarifResult, type SarifRule } from "../../core/interchange/sarif.ts";
import { SIGNALS } from "../../core/signals/table.ts";

type Signal = Inspection["signals"][number];

/** SARIF 2.1.0 §3.27.10: what stops an install is an error, what waits is a warning, what only informs is a note. */
const LEVELS: Readonly<Record<string, SarifLevel>> = { deny: "error", review: "error", hold: "warning", note: "note" };

/** `path/in/the/package.js:12` */
const PLACE = /^([^:]+):(\d+)$/;

/** The document; `now` is of no account, so that the same findings give the same bytes. */
export function sarifOf({ name, version, file, signals, notChecked }: Inspection): unknown {
  const subject = file ?? `${name}@${version}`;
  return sarifLog({
    base: "PACKAGE",
    rules: [...new Set(signals.map(({ id }) => id))].map(ruleOf),
    results: signals.map((signal) => resultOf(signal, subject)),
    notChecked: notChecked.map(({ check, reason }) => ({ check, level: "error", text: `${check} could not run: ${reason}` })),
    successful: true,
  });
}

function ruleOf(id: string): SarifRule {
  const row = Object.hasOwn(SIGNALS, id) ? SIGNALS[id as keyof typeof SIGNALS] : undefined;
  return {
    id,
    means: row?.means ?? "A check that could not run.",
    why: row?.why ?? "Missing evidence is never taken for good evidence.",
    level: levelOf(row?.effect ?? "hold"),
  };
}

function levelOf(effect: string): SarifLevel {
  return LEVELS[effect] ?? "warning";
}

function resultOf({ id, effect, title, evidence }: Signal, subject: string): SarifResult {
  const places = evidence.flatMap(({ source, text }) => {
    const found = PLACE.exec(source);
    return found ? [{ path: found[1]!, line: Number(found[2]), snippet: text }] : [];
  });
  const said = evidence.map(({ text, source }) => `${text} [${source}]`).join("\n");
  return {
    rule: id,
    level: levelOf(effect),
    message: `${subject}: ${title}${said === "" ? "" : `\n${said}`}`,
    places: places.length === 0 ? [{ path: "package.json", line: 1 }] : places,
    subject,
    // Without the version: the same finding in the next release is the same finding.
    fingerprint: sha256([subject.replace(/(.)@[^@]*$/, "$1"), id, ...places.map(({ path }) => path)].join("\n")).slice(0, 32),
  };
}
