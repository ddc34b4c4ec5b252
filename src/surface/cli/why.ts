/** `cordon why <spec>`: the verdict first, then the few findings that matter, then the one next command. */
import type { WhyReport } from "../../app/why.ts";
import { instant, span } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, painter, safe, type Io, type Paint } from "./io.ts";
import { when } from "./when.ts";

export const run: Command = async ({ io, world, flags }, args, options) => {
  const app = await world.open(flags);
  try {
    const report = await app.why(args[0]!);
    if (flags.json) io.stdout(`${JSON.stringify(report, undefined, 2)}\n`);
    else io.stdout(render(report, io, painter(io, "stdout"), world.clock.now(), options["all"] === true));
    return report.withheld ? 1 : 0;
  } finally {
    await app.close();
  }
};

const HEADLINE = { allow: "ADMITTED", hold: "HELD", review: "HELD for review", deny: "DENIED" } as const;

export function render(report: WhyReport, io: Io, paint: Paint, now: number, all: boolean): string {
  const { verdict, facts } = report;
  const age = span(now - Date.parse(facts.ageStarts));
  const colour = verdict.action === "allow" ? "green" : verdict.action === "deny" ? "red" : "yellow";
  const head = `${paint(colour, HEADLINE[verdict.action])}   ${paint("bold", safe(`${report.name} ${report.version ?? ""}`.trim()))}   ${AGE[facts.ageBasis]} ${age} ago`;
  const lines = [head];
  if (verdict.monitored) lines.push("  monitor mode: it is served all the same");
  if (report.stale !== undefined) lines.push(`  the registry could not be asked (${safe(report.stale)}); this rests on what is stored`);
  const strong = report.signals.filter((signal) => signal.effect !== "note");
  const notes = report.signals.filter((signal) => signal.effect === "note");
  const rows: string[][] = [];
  for (const signal of [...strong, ...(all || strong.length === 0 ? notes : [])]) {
    const waived = verdict.waived.includes(signal.id) ? " (waived)" : "";
    rows.push([
      signal.id,
      safe(signal.title) + waived + (signal.until === undefined ? "" : ` · opens ${when(instant(Date.parse(signal.until)), now, io.env)}`),
    ]);
    for (const evidence of signal.evidence.slice(0, all ? 50 : 3))
      rows.push(["", paint("dim", safe(`${evidence.text}  [${evidence.source}]`))]);
    if (all && signal.means !== undefined) rows.push(["", paint("dim", safe(`${signal.means} ${signal.why ?? ""}`))]);
    if (signal.until === undefined && signal.ends !== undefined) rows.push(["", safe(`ends: ${signal.ends}`)]);
  }
  if (rows.length > 0) lines.push(columns(rows));
  if (!all && strong.length > 0 && notes.length > 0)
    lines.push(`  ${notes.length} ${notes.length === 1 ? "note" : "notes"} more with --all`);
  if (all && facts.integrity !== undefined)
    lines.push(
      `  ${safe(report.age)}`,
      columns([
        ["integrity", facts.integrity],
        ["first seen here", facts.firstSeen],
        ["last listed", facts.lastListed],
        ["registry time", facts.registryTime ?? "none"],
      ]),
    );
  for (const [tag, change] of Object.entries(report.tags))
    lines.push(
      `  the tag ${safe(tag)} answers ${change.answers === undefined ? "nothing" : safe(change.answers)} instead of ${safe(change.upstream ?? "nothing")} (${change.why})`,
    );
  if (report.uninspected)
    lines.push(`  its tarball has not been looked at yet · cordon inspect ${safe(`${report.name}@${report.version}`)}`);
  if (report.withheld) {
    lines.push(
      report.instead.length > 0
        ? `  install instead   ${safe(`${report.name}@${report.instead[0]}`)}`
        : "  nothing of this package is admitted yet",
    );
    if (verdict.action === "hold" || verdict.action === "review")
      lines.push(`  let it through    cordon admit ${safe(`${report.name}@${report.version}`)} --reason "…" --expires 7d`);
  }
  if (report.others.length > 0)
    lines.push(
      `  also withheld     ${report.others
        .slice(0, 5)
        .map((other) => safe(other.version))
        .join(", ")}${report.others.length > 5 ? ` and ${report.others.length - 5} more` : ""}`,
    );
  return `${lines.join("\n")}\n`;
}

const AGE: Record<WhyReport["facts"]["ageBasis"], string> = {
  "registry-time": "published",
  "first-seen": "first seen here",
  "absent-before": "appeared",
  returned: "came back",
  baseline: "first listed",
};
