/** The whole replay, run by `main.mjs` through vitest: reads the incidents that REPLAY_FILE names and writes the scores to REPLAY_OUT. */
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "vitest";
import { readIncidents } from "./incident.ts";
import { reportOf } from "./report.ts";
import { type Outcome, replay } from "./run.ts";
import { type Score, score } from "./score.ts";

test("every incident through the gate", { timeout: 1_200_000 }, async () => {
  const { incidents, problems } = readIncidents(readFileSync(process.env["REPLAY_FILE"]!, "utf8"));
  const scores: Score[] = [];
  const outcomes: Record<string, { readonly young: readonly Outcome[]; readonly evidence: readonly Outcome[] }> = {};
  const failed: string[] = [...problems];
  for (const incident of incidents) {
    try {
      const both = { young: await replay(incident, "young"), evidence: await replay(incident, "evidence") };
      outcomes[incident.id] = both;
      scores.push(score(incident, both));
    } catch (error) {
      failed.push(`${incident.id}: ${(error as Error).message}`);
    }
  }
  const written = { schema: "cordon.replay/1", scores, outcomes, problems: failed, report: reportOf(scores, failed) };
  writeFileSync(process.env["REPLAY_OUT"]!, JSON.stringify(written, null, 2));
});
