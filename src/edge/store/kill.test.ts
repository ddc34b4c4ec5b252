/** Killing a writer at any moment loses no row it was told is durable, and leaves a ledger that verifies. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "tsdown";
import { expect, onTestFinished, test } from "vitest";
import { testClock } from "../../../test/kit/clock.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { openStore } from "./open.ts";

const ROOT = join(import.meta.dirname, "../../..");
const ROUNDS = 5;

/** The writer as one plain JavaScript file; inside the repository, so that it finds libsql. */
async function builtWriter(): Promise<string> {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  const outDir = mkdtempSync(join(ROOT, ".cache", "ledger-writer-"));
  onTestFinished(() => rmSync(outDir, { recursive: true, force: true }));
  await build({
    config: false,
    cwd: ROOT,
    entry: ["test/contract/ledger-writer.ts"],
    outDir,
    format: "esm",
    platform: "node",
    dts: false,
    logLevel: "silent",
  });
  return join(outDir, "ledger-writer.mjs");
}

/** Kills it once it printed `lines` lines; resolves to all it printed. */
async function killedAfter(writer: ChildProcess, lines: number): Promise<{ printed: readonly string[]; complaints: string }> {
  const printed: string[] = [];
  let complaints = "";
  writer.stderr!.on("data", (chunk) => (complaints += String(chunk)));
  for await (const line of createInterface({ input: writer.stdout! })) {
    printed.push(line);
    if (printed.length === lines) writer.kill("SIGKILL");
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, "exit");
  return { printed, complaints };
}

test("ten SIGKILLs, two writers at a time on one directory", { timeout: 60_000 }, async () => {
  const script = await builtWriter();
  const dataDir = tempFolder();
  const durable: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = (lines: number) => killedAfter(spawn(process.execPath, [script, dataDir], { stdio: ["ignore", "pipe", "pipe"] }), lines);
    for (const { printed, complaints } of await Promise.all([
      start(1 + Math.floor(Math.random() * 60)),
      start(1 + Math.floor(Math.random() * 200)),
    ])) {
      // Nothing was said either: Node 22 would call its SQLite experimental.
      expect(complaints).toBe("");
      durable.push(...printed);
    }
  }
  expect(durable.length).toBeGreaterThanOrEqual(2 * ROUNDS);
  const store = await openStore({ dataDir, clock: testClock("2026-03-31T12:00:00Z") });
  onTestFinished(() => store.close());
  const report = await store.ledger.verify();
  expect(report).toMatchObject({ chains: 2 * ROUNDS, problems: [] });
  const kept = new Set<string>();
  for await (const { entry } of store.ledger.export()) if (entry.kind === "serve") kept.add(entry.version);
  expect(durable.filter((version) => !kept.has(version))).toEqual([]);
});
