/** `cordon held`: what is withheld here, since when, who asked, until when. Exit 1 when something was asked for by name and refused. */
import type { Held } from "../../core/policy/held.ts";
import { iso, span } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, painter, printJson, safe } from "./io.ts";
import { when } from "./when.ts";
import type { OpenApp } from "./world.ts";

export const run: Command = async ({ io, world, flags }) => {
  const app = await world.open(flags);
  try {
    const now = world.clock.now();
    const held = await current(app);
    const refused = held.filter((one) => one.asked > 0 && !one.verdict.monitored);
    const status = refused.length > 0 ? 1 : 0;
    if (flags.json) {
      printJson(io, "cordon.held/1", { held: held.map(told) });
      return status;
    }
    if (held.length === 0) {
      io.stdout("nothing is held: everything asked for so far was admitted\n");
      return status;
    }
    const paint = painter(io, "stdout");
    const rows = held.map((one) => [
      `${safe(one.name)} ${safe(one.version)}`,
      one.verdict.reasons.map((reason) => reason.id).join(", "),
      one.verdict.until === undefined ? OPEN_END[one.verdict.action] : `opens ${when(one.verdict.until, now, io.env)}`,
      seen(one),
      `since ${span(now - one.since)} ago`,
    ]);
    const monitored = held.filter((one) => one.verdict.monitored).length;
    const counts = [
      ...(held.length > monitored ? [`${held.length - monitored} held`] : []),
      ...(monitored > 0 ? [`${monitored} would be held, and ${monitored === 1 ? "is" : "are"} served in monitor mode`] : []),
    ].join(" · ");
    io.stdout(
      `${paint("bold", counts)} · ${refused.length} asked for by name and refused\n${columns(rows)}\n  look closer   cordon why ${safe(`${held[0]!.name}@${held[0]!.version}`)}\n`,
    );
    return status;
  } finally {
    await app.close();
  }
};

const OPEN_END = { allow: "", hold: "until the registry answers again", review: "until reviewed", deny: "denied" } as const;

function seen({ asked, projects, verdict }: Held): string {
  if (verdict.monitored) return "served";
  return asked === 0 ? "left out of ranges" : `asked ${asked}× ${safe(projects.join(", "))}`.trim();
}

function told(one: Held) {
  return {
    name: one.name,
    version: one.version,
    since: iso(one.since),
    lastAsked: iso(one.lastAsked),
    asked: one.asked,
    projects: one.projects,
    action: one.verdict.action,
    monitored: one.verdict.monitored,
    ...(one.verdict.until === undefined ? {} : { until: iso(one.verdict.until) }),
    reasons: one.verdict.reasons.map((reason) => reason.id),
  };
}

/** As judged now: rows outlive their reason, and a version that opened since nobody asked again is not held. */
async function current(app: OpenApp): Promise<readonly Held[]> {
  const kept: Held[] = [];
  for (const one of await app.held.list()) {
    const verdict = (await app.verdictNow(one.name, one.version)) ?? one.verdict;
    if (verdict.action !== "allow") kept.push({ ...one, verdict });
  }
  return kept.toSorted((a, b) => b.asked - a.asked || b.since - a.since);
}
