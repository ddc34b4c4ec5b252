/** Findings as SARIF 2.1.0, for code scanning: rules from the table of signals, places with file and line, fingerprints that stay. */
import type { Inspection } from "../../app/inspect.ts";
import { sha256 } from "../../core/base/digest.ts";
import { SIGNALS } from "../../core/signals/table.ts";
import { VERSION } from "../../core/config/constants.ts";

type Signal = Inspection["signals"][number];

/** SARIF 2.1.0 §3.27.10: what stops an install is an error, what waits is a warning, what only informs is a note. */
const LEVELS: Readonly<Record<string, "error" | "warning" | "note">> = { deny: "error", review: "error", hold: "warning", note: "note" };

/** `path/in/the/package.js:12` */
const PLACE = /^([^:]+):(\d+)$/;

/** The document; `now` is of no account, so that the same findings give the same bytes. */
export function sarifOf({ name, version, file, signals, notChecked }: Inspection): unknown {
  const subject = file ?? `${name}@${version}`;
  const ids = [...new Set(signals.map(({ id }) => id))];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "cordon",
            semanticVersion: VERSION,
            rules: ids.map((id) => ruleOf(id)),
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            // §3.58: what could not be checked is said where tools look for it.
            toolExecutionNotifications: notChecked.map(({ check, reason }) => ({
              level: "error",
              descriptor: { id: `not-checked:${check}` },
              message: { text: `${check} could not run: ${reason}` },
            })),
          },
        ],
        results: signals.map((signal) => resultOf(signal, subject)),
      },
    ],
  };
}

function ruleOf(id: string): unknown {
  const row = Object.hasOwn(SIGNALS, id) ? SIGNALS[id as keyof typeof SIGNALS] : undefined;
  return {
    id,
    shortDescription: { text: row?.means ?? "A check that could not run." },
    fullDescription: { text: row?.why ?? "Missing evidence is never taken for good evidence." },
    defaultConfiguration: { level: LEVELS[row?.effect ?? "hold"] },
  };
}

function resultOf({ id, effect, title, evidence }: Signal, subject: string): unknown {
  const places = evidence.flatMap(({ source, text }) => {
    const found = PLACE.exec(source);
    return found ? [{ path: found[1]!, line: Number(found[2]), text }] : [];
  });
  const said = evidence.map(({ text, source }) => `${text} [${source}]`).join("\n");
  return {
    ruleId: id,
    level: LEVELS[effect],
    message: { text: `${subject}: ${title}${said === "" ? "" : `\n${said}`}` },
    // Without the version: the same finding in the next release is the same finding.
    partialFingerprints: {
      "cordon/1": sha256([subject.replace(/(.)@[^@]*$/, "$1"), id, ...places.map(({ path }) => path)].join("\n")).slice(0, 32),
    },
    locations: (places.length === 0 ? [{ path: "package.json", line: 1, text: "" }] : places).map(({ path, line, text }) => ({
      physicalLocation: {
        artifactLocation: { uri: encodeURI(path), uriBaseId: "PACKAGE" },
        region: { startLine: line, ...(text === "" ? {} : { snippet: { text } }) },
      },
      logicalLocations: [{ fullyQualifiedName: subject, kind: "module" }],
    })),
  };
}
