/** Tarballs in the real worker, built for this test; a thread that dies or hangs costs one file, not the package. */
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pack } from "../../../test/analysis/archives.ts";
import { analyse } from "../../core/analysis/analyse.ts";
import { tarballWork } from "./tarballs.ts";

const directory = mkdtempSync(join(tmpdir(), "cordon-tarballs-"));
const worker = join(directory, "worker.js");
const good = pack({ "index.js": 'require("child_process").execSync("true");' });

beforeAll(async () => {
  await build({
    config: false,
    entry: { worker: fileURLToPath(new URL("../../worker.ts", import.meta.url)) },
    outDir: directory,
    outExtensions: () => ({ js: ".js" }),
    format: "esm",
    platform: "node",
    dts: false,
    clean: false,
    noExternal: [/^(?!node:)/],
    logLevel: "error",
  });
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("in threads the reports are the same, and the caller keeps its bytes", async () => {
  const work = tarballWork({ worker });
  try {
    const others = [1, 2, 3].map((n) => pack({ "index.js": `exports.n = ${n};` }));
    const reports = await Promise.all([good, ...others].map((bytes) => work.analyse(bytes, { label: "sample" })));
    expect(reports).toEqual([good, ...others].map((bytes) => analyse(bytes)));
    expect(await work.analyse(good, { label: "sample", known: reports[0]! })).toEqual(reports[0]);
    expect(good.length).toBeGreaterThan(0);
  } finally {
    await work.close();
  }
  await expect(work.analyse(good, { label: "late" })).rejects.toMatchObject({ code: "WORKER_FAILED" });
});

test("a file that ends its thread is named, and the rest of the package is read", async () => {
  const work = tarballWork({ worker, threads: 1, heapMb: 32 });
  const heavy = pack({ "index.js": 'require("child_process");', "heavy.js": `[${"[],".repeat(1_500_000)}]` });
  try {
    const report = await work.analyse(heavy, { label: "heavy" });
    expect(report.unread).toEqual([{ path: "heavy.js", kind: "died", reason: expect.stringMatching(/ended the thread/) as string }]);
    expect(report.capabilities).toMatchObject([{ id: "process" }]);
    // The thread was replaced.
    expect((await work.analyse(good, { label: "sample" })).unread).toEqual([]);
  } finally {
    await work.close();
  }
});

test("a thread that hangs, or dies of nothing in particular, leaves a report that says so; one that never starts is no finding", async () => {
  const broken = join(directory, "broken.js");
  writeFileSync(
    broken,
    `import { parentPort } from "node:worker_threads";
     parentPort.on("message", ({ bytes, skip }) => {
       parentPort.postMessage({ kind: "started" });
       if (skip.length === 0) parentPort.postMessage({ kind: "reading", path: "a.js" });
       if (bytes[0] === 1) for (;;);
       process.exit(0);
     });`,
  );
  const work = tarballWork({ worker: broken, threads: 1, patience: 1_000 });
  try {
    expect((await work.analyse(Buffer.from([0]), { label: "dies" })).unread).toMatchObject([{ path: "(the tarball)", kind: "died" }]);
    expect((await work.analyse(Buffer.from([1]), { label: "hangs" })).unread).toMatchObject([
      { path: "(the tarball)", reason: "reading it took more than 1000 ms" },
    ]);
  } finally {
    await work.close();
  }
  const missing = tarballWork({ worker: join(directory, "missing.js") });
  await expect(missing.analyse(good, { label: "sample" })).rejects.toMatchObject({ code: "WORKER_FAILED" });
  await missing.close();
});
