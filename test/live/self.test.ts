/** We are what we preach: this repository's own lockfile passes `cordon check` with the strict preset, advisories and age checked. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../clients/clients.ts";
import { ROOT, text } from "../house/tree.ts";
import { CORDON } from "../kit/built.ts";

/** Recorded advisories where they are, else what their publisher says now. */
const RECORDED = join(ROOT, "..", "shared", "data", "osv-npm.ndjson.gz");
const PUBLISHED = "https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip";

test("this repository's own lockfile, strictly", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cordon-self-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const feed = existsSync(RECORDED) ? { name: "osv", path: RECORDED } : { name: "osv", url: PUBLISHED };
  const config = join(folder, "cordon.yaml");
  writeFileSync(config, `${text(".ci/cordon.yaml")}feeds:\n  - ${JSON.stringify(feed)}\n`);
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    CORDON_DATA: join(folder, "data"),
    CORDON_CONFIG: config,
    CORDON_UPSTREAM: execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim(),
    HTTPS_PROXY: process.env["HTTPS_PROXY"],
  };
  const synced = await runProgram(process.execPath, [CORDON, "feeds", "sync"], { cwd: ROOT, env });
  expect(synced.code, synced.stderr).toBe(0);
  const { code, stdout, stderr } = await runProgram(process.execPath, [CORDON, "check", "--online", "--all"], { cwd: ROOT, env });
  expect(stdout, stderr).toMatch(/^OK {3}nothing to act on/);
  expect(code).toBe(0);
}, 240_000);
