/** Type check, lint, format and dead code, as tests: nothing is checked only somewhere else. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "./tree.ts";

/** What the tool complains about; empty when it ends with status 0. */
function complaints(tool: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) =>
    execFile(process.execPath, [join(ROOT, "node_modules", tool), ...args], { cwd: ROOT, maxBuffer: 20_000_000 }, (error, stdout, stderr) =>
      resolve(error ? stripVTControlCharacters(`${stdout}${stderr}`) || error.message : ""),
    ),
  );
}

test("types", async () => {
  // What it found out is kept: the next run reads anew only what changed and what depends on that.
  const kept = ["--incremental", "--tsBuildInfoFile", ".cache/types.tsbuildinfo"];
  expect(await complaints("typescript/bin/tsc", "-p", ".", ...kept)).toBe("");
}, 300_000);

test("lint", async () => expect(await complaints("oxlint/bin/oxlint")).toBe(""), 60_000);

test("format; `npx oxfmt` mends it", async () => expect(await complaints("oxfmt/bin/oxfmt", "--check")).toBe(""), 60_000);

test("dead code: unused files, exports and dependencies", async () => {
  expect(await complaints("knip/bin/knip.js", "--no-progress", "--no-config-hints")).toBe("");
}, 120_000);

test("dead code: nothing in production is there for a test alone", async () => {
  const only = ["--include", "files,dependencies"];
  expect(await complaints("knip/bin/knip.js", "--production", "--no-progress", "--no-config-hints", ...only)).toBe("");
}, 120_000);
