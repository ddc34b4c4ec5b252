/**
 * Packument work off the main thread: documents above a size are read and rendered in one worker thread, smaller ones in place.
 * The thread starts with a big document and stays, with its memory of the newest ones, until nobody needs it.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { type PackumentAnswer, type PackumentJob, packumentMemory } from "../../core/npm/packument-memory.ts";
import type { PackumentReading, RenderedPackument, RenderPlan } from "../../core/npm/summary.ts";

export type PackumentWorkOptions = {
  /** The built worker file; without one everything runs in place. */
  readonly worker?: URL | string;
  /** Bytes from which a document goes to the worker. */
  readonly threshold?: number;
  /** Milliseconds one job may run. */
  readonly patience?: number;
  /** JavaScript heap of the thread. */
  readonly heapMb?: number;
  /** Milliseconds without a job after which the thread ends. */
  readonly idle?: number;
};

/** Fits the port `PackumentWork`; `close` ends the thread. Rejects with WORKER_FAILED, or INPUT_UNREADABLE for a damaged stored document. */
export function packumentWork({
  worker,
  threshold = LIMITS.packumentInPlaceBytes,
  patience = LIMITS.packumentWorkMs,
  heapMb = LIMITS.packumentWorkerHeapMb,
  idle = LIMITS.packumentWorkerIdleMs,
}: PackumentWorkOptions = {}) {
  const here = packumentMemory(LIMITS.packumentMemoryBytes);
  const there = worker === undefined ? undefined : workerThread({ file: worker, patience, heapMb, idle });
  /** Digests the worker was sent lately: it is asked first without sending the document again. */
  const sent = new Set<string>();

  async function run(job: PackumentJob, size: number, label: string): Promise<PackumentAnswer> {
    return there && size >= threshold ? there.run(job, label) : here.run(job);
  }

  function remember(digest: string, size: number): void {
    if (size < threshold) return;
    if (sent.size >= 1_000) sent.clear();
    sent.add(digest);
  }

  /** Loads and sends the document only when nobody remembers it. */
  async function recall(
    digest: string,
    load: () => Promise<Uint8Array>,
    job: (document: { readonly bytes?: Uint8Array }) => PackumentJob,
  ): Promise<PackumentAnswer> {
    const label = `packument ${digest}`;
    const remembered = await run(job({}), sent.has(digest) ? threshold : 0, label);
    if (remembered.kind !== "bytes-needed") return remembered;
    const bytes = await load();
    const answer = await run(job({ bytes }), bytes.length, label);
    if (answer.kind === "unusable") throw new Fault("INPUT_UNREADABLE", `${label}: ${answer.reason}`);
    remember(digest, bytes.length);
    return answer;
  }

  return {
    async read(name: string, bytes: Uint8Array, moment: Instant, young: readonly string[] = []): Promise<PackumentReading> {
      const { reading } = expect(await run({ kind: "read", name, bytes, moment, young }, bytes.length, name), "read");
      if (reading.kind === "packument") remember(reading.summary.digest, bytes.length);
      return reading;
    },
    async render(digest: string, load: () => Promise<Uint8Array>, plan: RenderPlan): Promise<RenderedPackument> {
      const answer = await recall(digest, load, (document) => ({ kind: "render", digest, plan, ...document }));
      return expect(answer, "rendered").rendered;
    },
    async manifest(
      digest: string,
      load: () => Promise<Uint8Array>,
      version: string,
      bases: Pick<RenderPlan, "tarballBase" | "attestationsBase">,
    ): Promise<Uint8Array | undefined> {
      const answer = await recall(digest, load, (document) => ({ kind: "manifest", digest, version, bases, ...document }));
      return expect(answer, "manifest").json;
    },
    async close(): Promise<void> {
      await there?.close();
    },
  };
}

function expect<K extends PackumentAnswer["kind"]>(answer: PackumentAnswer, kind: K): Extract<PackumentAnswer, { kind: K }> {
  if (answer.kind !== kind) throw new Error(`packument work answered ${answer.kind} instead of ${kind}`);
  return answer as Extract<PackumentAnswer, { kind: K }>;
}

/** One thread, one job at a time. A thread that dies or takes too long fails its job only; the next job gets a new one. */
function workerThread({
  file,
  patience,
  heapMb,
  idle,
}: { readonly file: URL | string } & Required<Omit<PackumentWorkOptions, "worker" | "threshold">>) {
  let current: Worker | undefined;
  let leaving: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  function start(): Worker {
    const thread = new Worker(file, {
      // It reads hostile documents and needs no secrets of ours.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    // It may also die between two jobs: an error nobody listens to would end the whole process. `exit` follows it.
    thread.on("error", () => undefined);
    thread.on("exit", () => {
      if (current === thread) current = undefined;
    });
    return thread;
  }

  async function answer(job: PackumentJob, label: string): Promise<PackumentAnswer> {
    if (closed) throw new Fault("WORKER_FAILED", `${label}: cordon is shutting down`);
    clearTimeout(leaving);
    const thread = (current ??= start());
    // The caller keeps its bytes; the copy moves to the thread. (A Buffer's own `slice` would be no copy.)
    const bytes = job.bytes && new Uint8Array(job.bytes);
    thread.postMessage(bytes ? { ...job, bytes } : job, bytes ? [bytes.buffer] : []);
    thread.ref();
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(`no answer within ${patience} ms`), patience);
    const died = (): void => over.abort("the worker died");
    thread.once("exit", died);
    try {
      return (await once(thread, "message", { signal: over.signal }))[0] as PackumentAnswer;
    } catch (error) {
      current = undefined;
      void thread.terminate();
      throw new Fault("WORKER_FAILED", `${label}: ${String(over.signal.reason ?? "the worker died")}`, error);
    } finally {
      clearTimeout(timer);
      thread.off("exit", died);
      // An idle thread does not keep the process alive, and is not kept for long.
      thread.unref();
      leaving = setTimeout(() => {
        if (current !== thread) return;
        current = undefined;
        void thread.terminate();
      }, idle).unref();
    }
  }

  return {
    run(job: PackumentJob, label: string): Promise<PackumentAnswer> {
      const turn = last.then(() => answer(job, label));
      last = turn.catch(() => undefined);
      return turn;
    },
    async close(): Promise<void> {
      closed = true;
      clearTimeout(leaving);
      await current?.terminate();
    },
  };
}
