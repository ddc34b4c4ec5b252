#!/usr/bin/env node
/**
 * How fast tarballs are analysed, beside what cannot be avoided (gunzip and untar) and what everybody pays (every file to acorn's tree), on
 * the same tarballs in one interleaved run. Only the ratios mean anything on another machine; they are of CPU time, which a busy one distorts least.
 *
 *   node bench/tarballs.mjs FOLDER [--rounds 3] [--limit 200]
 *
 * FOLDER holds .tgz files, for example what `npm pack --ignore-scripts <name>...` writes. `npm run bench -- --only tarballs` runs it too.
 */
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "tsdown";
import { acorn, untar } from "./acorn.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, limit: { type: "string", default: "200" } },
});
if (positionals.length !== 1) {
  console.error("usage: node bench/tarballs.mjs FOLDER [--rounds 3] [--limit 200]");
  process.exit(2);
}
const [folder] = positionals;
const files = fs.readdirSync(folder).filter((file) => file.endsWith(".tgz"));
// From all of the alphabet: packages of one family resemble each other.
const step = Math.max(1, Math.floor(files.length / Number(values.limit)));
const chosen = files.filter((_, at) => at % step === 0).slice(0, Number(values.limit));
const tarballs = chosen.map((file) => fs.readFileSync(path.join(folder, file)));
if (tarballs.length === 0) {
  console.error(`${folder} holds no .tgz file`);
  process.exit(2);
}

const built = fs.mkdtempSync(path.join(os.tmpdir(), "cordon-bench-"));
try {
  await run();
} finally {
  fs.rmSync(built, { recursive: true, force: true });
}

async function run() {
  const source = (file) => fileURLToPath(new URL(`../src/${file}.ts`, import.meta.url));
  await build({
    config: false,
    entry: {
      analyse: source("core/analysis/analyse"),
      worker: source("worker"),
      tarballs: source("edge/workers/tarballs"),
      threads: source("edge/workers/threads"),
    },
    outDir: built,
    outExtensions: () => ({ js: ".js" }),
    format: "esm",
    platform: "node",
    dts: false,
    noExternal: [/^(?!node:)/],
    logLevel: "error",
  });
  fs.writeFileSync(path.join(built, "package.json"), '{"type":"module"}');
  const load = (file) => import(pathToFileURL(path.join(built, `${file}.js`)).href);
  const [{ analyse }, { tarballWork }, { startWorker }] = await Promise.all([load("analyse"), load("tarballs"), load("threads")]);
  // In this process, where their CPU time is counted.
  const threads = {
    start(limits, { onMessage, onExit }) {
      const thread = startWorker(pathToFileURL(path.join(built, "worker.js")), limits);
      thread.on("message", onMessage).once("exit", () => onExit({ own: true }));
      return {
        post: (job, bytes) => thread.postMessage(bytes ? { ...job, bytes } : job, []),
        ref: () => thread.ref(),
        unref: () => thread.unref(),
        end: () => void thread.terminate(),
      };
    },
  };

  const reports = tarballs.map((bytes) => analyse(bytes));
  const code = reports.flatMap((report) => report.files.filter(({ kind }) => kind === "js"));
  const megabytes = code.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  // A release that changes one file in ten, and at least one: the others are known from the one before it.
  const known = reports.map((report) => {
    let at = 0;
    return { ...report, files: report.files.filter(({ kind }) => kind !== "js" || at++ % 10 !== 0) };
  });
  const work = tarballWork({ threads, seats: 2, idle: 60_000 });
  const label = "bench";
  // Largest first: the last of the alphabet is one of the largest, and the other thread would stand idle while one reads it.
  const queue = tarballs.toSorted((a, b) => b.length - a.length);
  const readers = Array.from({ length: 2 }, () => new Worker(new URL("./acorn.mjs", import.meta.url)));
  // Threads are as warm as this one before time is measured, as they are in a gate that is busy.
  await Promise.all(tarballs.map((bytes) => work.analyse(bytes, { label })));
  await shared(readers, queue);

  const stages = {
    "gunzip + untar": () => each((bytes) => untar(bytes).length),
    "acorn, every file": () => each((bytes) => untar(bytes).forEach(acorn)),
    "cordon, every file": () => each((bytes) => analyse(bytes)),
    "cordon, changed files": () => each((bytes, index) => analyse(bytes, { known: known[index] })),
    "acorn, 2 threads": () => shared(readers, queue),
    "cordon, 2 threads": () => Promise.all(queue.map((bytes) => work.analyse(bytes, { label }))),
  };
  const times = Object.fromEntries(Object.keys(stages).map((name) => [name, []]));
  const cpu = Object.fromEntries(Object.keys(stages).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [name, stage] of Object.entries(stages)) {
      const start = performance.now();
      const before = process.cpuUsage();
      await stage();
      const { user, system } = process.cpuUsage(before);
      cpu[name].push((user + system) / 1e6);
      times[name].push((performance.now() - start) / 1_000);
    }
  await work.close();
  await Promise.all(readers.map((reader) => reader.terminate()));

  const slowest = tarballs.map(cpuOf).toSorted((a, b) => a - b);
  console.log(
    `${tarballs.length} tarballs, ${code.length} JavaScript files, ${megabytes.toFixed(1)} MB of JavaScript, ${values.rounds} rounds, medians; p99 of one package ${slowest[Math.floor(slowest.length * 0.99)].toFixed(2)} s of CPU\n`,
  );
  const columns = ["stage", "packages/s", "JS MB/s", "packages/CPU s", "times untar", "times acorn"];
  console.log(`| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}`);
  for (const [name, all] of Object.entries(times)) {
    const ratio = (to) => median(cpu[name].map((time, round) => time / cpu[to][round])).toFixed(2);
    const rate = (amount, list) => (amount / median(list)).toFixed(1);
    const cells = [
      rate(tarballs.length, all),
      rate(megabytes, all),
      rate(tarballs.length, cpu[name]),
      ratio("gunzip + untar"),
      ratio("acorn, every file"),
    ];
    console.log(`| ${[name, ...cells].join(" | ")} |`);
  }
  const unread = reports.flatMap((report) => report.unread);
  console.log(
    `\n${unread.length} files could not be read to a tree; ${reports.flatMap(({ archive }) => archive.filter(({ grave }) => grave)).length} grave archive problems`,
  );

  function cpuOf(bytes) {
    const before = process.cpuUsage();
    analyse(bytes);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  }
}

/** Each thread takes the next tarball when it is done with one. */
async function shared(threads, queue) {
  const rest = [...queue];
  await Promise.all(
    threads.map(async (thread) => {
      for (let bytes = rest.shift(); bytes; bytes = rest.shift()) {
        thread.postMessage(bytes, []);
        await once(thread, "message");
      }
    }),
  );
}

function each(stage) {
  for (const [index, bytes] of tarballs.entries()) stage(bytes, index);
}

function median(list) {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
}
