/**
 * Rehearses an incident from the first install to the report, and tells it while it goes on: `npm run rehearse`. A real gate, the npm that is
 * here (and pnpm and git where they are), a registry on this machine, packages that do nothing. The story is test/rehearsal/story.ts.
 * Exit status: 0 when all of it went as the story says, else 1 with what did not.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const argv = [join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run", "--config", join(ROOT, "test", "rehearsal", "vitest.config.ts")];

// vitest, because it runs the sources as they are; what it prints itself is shown only when it fails.
const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe", "pipe"] });
let said = "";
for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
child.stdio[3].pipe(process.stdout);
child.on("error", (error) => end(1, error.message));
child.on("close", (status) => end(status === 0 ? 0 : 1, said));

function end(status, why) {
  if (status !== 0) process.stderr.write(`\n${why}\nthe rehearsal did not come to its end\n`);
  process.exitCode = status;
}
