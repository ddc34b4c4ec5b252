/** The worker thread: packument jobs in, finished bytes and compact facts out. Core only; started by `edge/workers/packuments.ts` with an empty environment. */
import { parentPort, type Transferable } from "node:worker_threads";
import { LIMITS } from "./core/base/limits.ts";
import { type PackumentAnswer, type PackumentJob, packumentMemory } from "./core/npm/packument-memory.ts";

const memory = packumentMemory(LIMITS.packumentWorkerMemoryBytes);

/** Buffers that nothing else shares, so that they move between threads instead of being copied. */
function transferable(answer: PackumentAnswer): Transferable[] {
  const bytes = answer.kind === "rendered" ? answer.rendered.gzip : answer.kind === "manifest" ? answer.json : undefined;
  return bytes?.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength ? [bytes.buffer] : [];
}

// Whatever a job throws is a bug: it ends this thread, fails that one request, and the next job gets a new thread.
parentPort!.on("message", (job: PackumentJob) => {
  const answer = memory.run(job);
  parentPort!.postMessage(answer, transferable(answer));
});
