/**
 * Replays recorded incidents, inert, through the gate and prints the scorecard.
 *
 *     npm run replay -- [incidents.json] [--json] [--write]
 *
 * The file is any of the schema of `incidents.json`; without one, those of this folder. `--json`: every outcome. `--write`: into docs/replays.md.
 * Exit status: 0 whatever the score is, 1 when an incident could not be replayed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, write: { type: "boolean" } },
});
const file = positionals[0] === undefined ? join(HERE, "incidents.json") : resolve(process.env.INIT_CWD ?? ".", positionals[0]);
const work = mkdtempSync(join(tmpdir(), "cordon-replay-"));
try {
  const out = join(work, "scores.json");
  const { status, said } = await vitest({ REPLAY_FILE: file, REPLAY_OUT: out });
  if (status !== 0) {
    process.stderr.write(said);
    throw new Error(`the replay ended with status ${status}`);
  }
  const { report, ...scores } = JSON.parse(readFileSync(out, "utf8"));
  process.stdout.write(values.json ? `${JSON.stringify(scores, null, 2)}\n` : report);
  if (values.write) writeFileSync(join(ROOT, "docs", "replays.md"), page(report));
  if (scores.problems.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`replay: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** vitest, because it runs these sources as they are; what it prints is shown only when it fails. */
function vitest(env) {
  const argv = [join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run", "--config", join(HERE, "vitest.config.ts")];
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, argv, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
    child.on("error", failed);
    child.on("close", (status) => done({ status, said }));
  });
}

/** docs/replays.md: what the numbers mean stands in the page's own head, up to its first rule. */
function page(report) {
  const [head] = readFileSync(join(ROOT, "docs", "replays.md"), "utf8").split("\n---\n");
  return `${head}\n---\n\n${report}`;
}
