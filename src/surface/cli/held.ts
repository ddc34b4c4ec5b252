/** `cordon held`: what is withheld here, since when, who asked, until when. Exit 1 when something was asked for and refused. */
import type { Held } from "../../core/policy/held.ts";
import { iso, span } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, painter, printJson, safe } from "./io.ts";
import { when } from "./when.ts";

export const run: Command = async ({ io, world, flags }) => {
  const app = await world.open(flags);
  try {
    const now = world.clock.now();
    const held = await current(await app.held.list(), (name, version) => app.stillWithheld(name, version));
    const asked = held.filter((one) => one.asked > 0);
    if (flags.json) {
      printJson(io, "cordon.held/1", {
        held: held.map((one) => ({
          name: one.name,
          version: one.version,
          since: iso(one.since),
          lastAsked: iso(one.lastAsked),
          asked: one.asked,
          projects: one.projects,
          action: one.verdict.action,
          ...(one.verdict.until === undefined ? {} : { until: iso(one.verdict.until) }),
          reasons: one.verdict.reasons.map((reason) => reason.id),
        })),
      });
      return asked.length > 0 ? 1 : 0;
    }
    if (held.length === 0) {
      io.stdout("nothing is held: everything asked for so far was admitted\n");
      return 0;
    }
    const paint = painter(io, "stdout");
    const rows = held.map((one) => [
      `${safe(one.name)} ${safe(one.version)}`,
      one.verdict.reasons.map((reason) => reason.id).join(", "),
      one.verdict.until === undefined
        ? one.verdict.action === "deny"
          ? "denied"
          : "until reviewed"
        : `opens ${when(one.verdict.until, now, io.env)}`,
      one.asked === 0 ? "left out of ranges" : `asked ${one.asked}× ${safe(one.projects.join(", "))}`.trim(),
      `since ${span(now - one.since)} ago`,
    ]);
    io.stdout(
      `${paint("bold", `${held.length} held`)} · ${asked.length} asked for by name and refused\n${columns(rows)}\n  look closer   cordon why ${safe(`${held[0]!.name}@${held[0]!.version}`)}\n`,
    );
    return asked.length > 0 ? 1 : 0;
  } finally {
    await app.close();
  }
};

/** Rows outlive their reason: a version that opened since nobody asked again is not held. */
async function current(
  held: readonly Held[],
  stillWithheld: (name: string, version: string) => Promise<boolean>,
): Promise<readonly Held[]> {
  const kept: Held[] = [];
  for (const one of held) if (await stillWithheld(one.name, one.version)) kept.push(one);
  return kept.toSorted((a, b) => b.asked - a.asked || b.since - a.since);
}
