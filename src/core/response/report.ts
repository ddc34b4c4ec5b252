/** What happened, what proves it, who decided what, and what nobody knows: one report, as JSON, Markdown and HTML. */
import { printable, redact } from "../base/text.ts";
import { iso } from "../base/time.ts";
import type { IncidentPack } from "../incident/pack.ts";
import { isStanding } from "./cache-entry.ts";
import { PHASES, type Plan } from "./plan.ts";
import type { Journal, ResponseEvent } from "./journal.ts";
import { progressOf, type StepState } from "./progress.ts";

export type TimelineRow = { readonly at: string; readonly what: string; readonly by?: string };

export type ResponseReport = {
  readonly schema: "cordon.response-report/1";
  readonly plan: string;
  readonly incident: Plan["incident"];
  readonly summary: string;
  /** Whether every step is over. */
  readonly finished: boolean;
  readonly timeline: readonly TimelineRow[];
  readonly evidence: readonly {
    readonly place: string;
    readonly level: string;
    readonly text: string;
    readonly file: string;
    readonly standing: boolean;
  }[];
  readonly decisions: readonly {
    readonly step: string;
    readonly title: string;
    readonly state: StepState;
    readonly by?: string;
    readonly at?: string;
    readonly detail?: string;
  }[];
  /** What each step found the last time, a line each. */
  readonly found: readonly { readonly step: string; readonly text: string }[];
  readonly unknown: readonly string[];
  /** Digest of the last line that counts: whoever keeps it can tell later that nothing was cut off. */
  readonly journal: { readonly events: number; readonly head: string; readonly whole: boolean };
};

export function reportOf(
  plan: Plan,
  pack: Pick<IncidentPack, "window" | "coverage">,
  { events, damaged, head, broken }: Pick<Journal, "events" | "damaged" | "head" | "broken">,
): ResponseReport {
  const progress = progressOf(plan, events);
  const states = plan.steps.map((step) => ({ step, ...progress.get(step.id)! }));
  const open = states.filter(({ step, state }) => state !== "done" && state !== "skipped" && step.phase !== "report");
  const places = plan.exposures.filter(({ level }) => level !== "unknown");
  return {
    schema: "cordon.response-report/1",
    plan: plan.id,
    incident: plan.incident,
    summary: `${plan.incident.title}: findings in ${places.length} ${places.length === 1 ? "place" : "places"}, ${states.length - open.length} of ${states.length} steps over`,
    finished: open.length === 0 && broken === undefined,
    timeline: timeline(plan, pack, events),
    evidence: plan.exposures.flatMap(({ place, evidence }) =>
      evidence.map((one) => ({ place, level: one.level, text: one.text, file: one.file, standing: isStanding(one) })),
    ),
    decisions: states.map(({ step, state, last }) => ({
      step: step.id,
      title: step.title,
      state,
      ...(last && { by: last.by, at: iso(last.at), ...(last.detail !== "" && { detail: last.detail }) }),
    })),
    found: states.flatMap(({ step, last }) => (last?.found ?? []).map((text) => ({ step: step.id, text }))),
    unknown: [
      ...(broken === undefined
        ? []
        : [`what was done after this: ${broken}; it was changed by somebody, and nothing behind it is believed`]),
      ...plan.exposures.flatMap(({ place, missing }) => missing.map((what) => `${place}: ${what}`)),
      ...(pack.coverage.kind === "partial" ? [pack.coverage.note ?? "more was poisoned than the incident's pack lists"] : []),
      ...(pack.window.cachesUntil === undefined ? ["how long other people's caches and mirrors went on serving it"] : []),
      ...open.map(({ step, state }) => `${step.id} is ${state}: ${step.title}`),
      ...(damaged > 0 ? [`${damaged} lines of the journal of this response cannot be read`] : []),
    ],
    journal: { events: events.length, head, whole: broken === undefined },
  };
}

function timeline(plan: Plan, { window }: Pick<IncidentPack, "window">, events: readonly ResponseEvent[]): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  if (window.from !== undefined) rows.push({ at: window.from, what: "the first poisoned version could be had" });
  if (window.until !== undefined) rows.push({ at: window.until, what: "the last one was gone from the registry" });
  for (const { place, evidence } of plan.exposures)
    for (const { at, text } of evidence) if (at !== undefined) rows.push({ at: iso(at), what: `${place}: ${text}` });
  for (const { at, by, step, what, detail } of events)
    if (what !== "claimed") rows.push({ at: iso(at), by, what: `${step} ${what}${detail === "" ? "" : `: ${detail}`}` });
  return rows.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

// --- for people -----------------------------------------------------------------------------------------------------------------------------

type Table = {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly none: string;
};

function tables(report: ResponseReport): readonly Table[] {
  return [
    {
      title: "Timeline",
      head: ["when (UTC)", "what", "who"],
      rows: report.timeline.map(({ at, what, by = "" }) => [at, what, by]),
      none: "Nothing has a time.",
    },
    {
      title: "Evidence",
      head: ["place", "level", "what", "file"],
      rows: report.evidence.map(({ place, level, text, file }) => [place, level, text, file]),
      none: "Nothing was found.",
    },
    {
      title: "Decisions",
      head: ["step", "state", "what", "who", "when (UTC)", "outcome"],
      rows: report.decisions.map(({ step, state, title, by = "", at = "", detail = "" }) => [step, state, title, by, at, detail]),
      none: "There was nothing to do.",
    },
    {
      title: "What steps found",
      head: ["step", "what"],
      rows: report.found.map(({ step, text }) => [step, text]),
      none: "No step found anything of its own.",
    },
    { title: "What remains unknown", head: ["what"], rows: report.unknown.map((what) => [what]), none: "Nothing that we know of." },
  ];
}

export function reportJson(report: ResponseReport): string {
  return `${JSON.stringify(report, (_key, value: unknown) => (typeof value === "string" ? clean(value) : value), 2)}\n`;
}

export function reportMarkdown(report: ResponseReport): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(markdown).join(" | ")} |`;
  return [
    `# ${markdown(report.incident.id)}: response ${report.plan}`,
    "",
    markdown(report.summary),
    ...tables(report).flatMap(({ title, head, rows, none }) => [
      "",
      `## ${title}`,
      "",
      ...(rows.length === 0 ? [none] : [row(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(row)]),
    ]),
    "",
    journalLine(report),
    "",
  ].join("\n");
}

/** One file with nothing in it that loads or runs. */
export function reportHtml(report: ResponseReport): string {
  const cells = (tag: "td" | "th", row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${html(cell)}</${tag}>`).join("")}</tr>`;
  const parts = tables(report).map(
    ({ title, head, rows, none }) =>
      `<h2>${title}</h2>\n${rows.length === 0 ? `<p>${none}</p>` : `<table>\n${cells("th", head)}\n${rows.map((row) => cells("td", row)).join("\n")}\n</table>`}`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${html(report.incident.id)}: response ${html(report.plan)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{border:1px solid;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}</style>
</head>
<body>
<h1>${html(report.incident.id)}: response ${html(report.plan)}</h1>
<p>${html(report.summary)}</p>
${parts.join("\n")}
<p>${html(journalLine(report))}</p>
</body>
</html>
`;
}

function journalLine({ journal: { events, head, whole } }: ResponseReport): string {
  return `Journal: ${events} events, ${whole ? "whole" : "BROKEN"}, up to ${head}`;
}

function markdown(text: string): string {
  return clean(text).replace(/[\\`*_[\]<>|#!&]/g, (mark) => `\\${mark}`);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function html(text: string): string {
  return clean(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark]!);
}

function clean(text: string): string {
  return printable(redact(text));
}

/** The phases in which steps still wait, for the one line that says how far it is. */
export function openPhases(plan: Plan, events: readonly ResponseEvent[]): readonly string[] {
  const progress = progressOf(plan, events);
  return PHASES.filter((phase) =>
    plan.steps.some((step) => step.phase === phase && !["done", "skipped"].includes(progress.get(step.id)!.state)),
  );
}
