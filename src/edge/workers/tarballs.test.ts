/** Tarballs in the real worker, built for this test; a thread that dies or hangs costs one file, not the package. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pack } from "../../../test/analysis/archives.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { builtWorkshop } from "../../../test/kit/workshop.ts";
import { analyse } from "../../core/analysis/analyse.ts";
import { tarballWork } from "./tarballs.ts";
import type { Threads } from "./threads.ts";

const built = builtWorkshop();
const opened: Threads[] = [];
afterAll(() => Promise.all(opened.map((threads) => threads.close())));

function workshop(worker?: string): Threads {
  const threads = built.open(worker);
  opened.push(threads);
  return threads;
}

const good = pack({ "index.js": 'require("child_process").execSync("true");' });

test("in threads the reports are the same, and the caller keeps its bytes", async () => {
  const work = tarballWork({ threads: workshop() });
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
  const work = tarballWork({ threads: workshop(), seats: 1, heapMb: 32 });
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
  const broken = workshop(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ bytes, skip }) => {
      parentPort.postMessage({ kind: "started" });
      if (skip.length === 0) parentPort.postMessage({ kind: "reading", path: "a.js" });
      if (bytes[0] === 1) for (;;);
      process.exit(0);
    });`);
  const work = tarballWork({ threads: broken, seats: 1, patience: 1_000 });
  try {
    expect((await work.analyse(Buffer.from([0]), { label: "dies" })).unread).toMatchObject([{ path: "(the tarball)", kind: "died" }]);
    expect((await work.analyse(Buffer.from([1]), { label: "hangs" })).unread).toMatchObject([
      { path: "(the tarball)", reason: "reading it took more than 1000 ms" },
    ]);
  } finally {
    await work.close();
  }
  const unreadable = tarballWork({ threads: workshop("this is no JavaScript") });
  await expect(unreadable.analyse(good, { label: "sample" })).rejects.toMatchObject({ code: "WORKER_FAILED" });
  await unreadable.close();
});

test("what is under way when it is closed fails at once", async () => {
  const threads = workshop(`import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { for (;;); });`);
  const work = tarballWork({ threads, seats: 1, patience: 600_000 });
  const waiting = Promise.allSettled(["running", "next"].map((label) => work.analyse(good, { label })));
  await new Promise(setImmediate);
  await work.close();
  expect(await waiting).toMatchObject([
    { status: "rejected", reason: { code: "WORKER_FAILED", message: "running: cordon is shutting down" } },
    { status: "rejected", reason: { code: "WORKER_FAILED", message: "next: cordon is shutting down" } },
  ]);
});

test("a tarball that ends the whole process is never read; what was read beside it is read again, and is not blamed", async () => {
  const marker = JSON.stringify(join(tempFolder({}), "both are read"));
  const [guilty, victim] = [Buffer.from([0]), Buffer.from([1])];
  // The guilty one ends the process whenever it is read, but not before the other one is being read too.
  const work = tarballWork({
    threads: workshop(`
      import { existsSync, writeFileSync } from "node:fs";
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ bytes, skip }) => {
        parentPort.postMessage({ kind: "started" });
        parentPort.postMessage({ kind: "reading", path: "a.js" });
        const end = () => (existsSync(${marker}) ? process.kill(process.pid, "SIGKILL") : setTimeout(end, 5));
        if (bytes[0] === 0) end();
        else if (existsSync(${marker})) parentPort.postMessage({ kind: "report", report: { unread: skip } });
        else writeFileSync(${marker}, "");
      });`),
    seats: 2,
  });
  try {
    const [ended, read] = await Promise.allSettled([guilty, victim].map((bytes) => work.analyse(bytes, { label: "sample" })));
    expect(read).toEqual({ status: "fulfilled", value: { unread: [] } });
    // A process that ends at once takes along what its thread said of how far it had come.
    if (ended?.status === "fulfilled") expect(ended.value.unread).toMatchObject([{ kind: "died", reason: "reading it ended the thread" }]);
    else expect(ended).toMatchObject({ reason: { code: "WORKER_FAILED" } });
  } finally {
    await work.close();
  }
});
