/**
 * The worker thread: jobs in, finished bytes and compact facts out. Core only; started with an empty environment by
 * `edge/workers/packuments.ts` and `edge/workers/tarballs.ts`, each of which sends its own kind of job.
 */
import { parentPort, type Transferable } from "node:worker_threads";
import type { TarballJob, TarballNews } from "./core/analysis/job.ts";
import { LIMITS } from "./core/base/limits.ts";
import { type PackumentAnswer, type PackumentJob, packumentMemory } from "./core/npm/packument-memory.ts";

const memory = packumentMemory(LIMITS.packumentWorkerMemoryBytes);

/** Buffers that nothing else shares, so that they move between threads instead of being copied. */
function transferable(answer: PackumentAnswer): Transferable[] {
  const bytes = answer.kind === "rendered" ? answer.rendered.gzip : answer.kind === "manifest" ? answer.json : undefined;
  return bytes?.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength ? [bytes.buffer] : [];
}

async function analyseTarball({ bytes, known, skip }: TarballJob): Promise<void> {
  // Loaded by the threads that need it: the parsers are half a megabyte.
  const { analyse } = await import("./core/analysis/analyse.ts");
  const tell = (news: TarballNews): void => parentPort!.postMessage(news, []);
  tell({ kind: "started" });
  const onFile = (path: string): void => tell({ kind: "reading", path });
  tell({ kind: "report", report: analyse(bytes, { skip, onFile, ...(known === undefined ? {} : { known }) }) });
}

// Whatever a job throws is a bug: it ends this thread, fails that one request, and the next job gets a new thread.
parentPort!.on("message", (job: PackumentJob | TarballJob) => {
  if (job.kind === "tarball") {
    void analyseTarball(job);
    return;
  }
  const answer = memory.run(job);
  parentPort!.postMessage(answer, transferable(answer));
});
