/**
 * Packument work off the main thread: documents above a size are read and rendered in one worker thread, smaller ones in place.
 * The thread starts with a big document and stays, with its memory of the newest ones, until nobody needs it.
 */
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { type PackumentAnswer, type PackumentJob, packumentMemory } from "../../core/npm/packument-memory.ts";
import type { PackumentReading, RenderedPackument, RenderPlan } from "../../core/npm/summary.ts";
import { openSeat, type SeatOptions } from "./seat.ts";
import type { Threads } from "./threads.ts";

export type PackumentWorkOptions = {
  /** Without any everything runs in place. */
  readonly threads?: Threads | undefined;
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
  threads,
  threshold = LIMITS.packumentInPlaceBytes,
  patience = LIMITS.packumentWorkMs,
  heapMb = LIMITS.packumentWorkerHeapMb,
  idle = LIMITS.packumentWorkerIdleMs,
}: PackumentWorkOptions = {}) {
  const here = packumentMemory(LIMITS.packumentMemoryBytes);
  const there = threads && oneThread({ threads, patience, heapMb, idle });
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
      there?.close();
    },
  };
}

function expect<K extends PackumentAnswer["kind"]>(answer: PackumentAnswer, kind: K): Extract<PackumentAnswer, { kind: K }> {
  if (answer.kind !== kind) throw new Error(`packument work answered ${answer.kind} instead of ${kind}`);
  return answer as Extract<PackumentAnswer, { kind: K }>;
}

/**
 * One thread, one job at a time. A thread that dies or takes too long fails its job only; the next job gets a new one. What finishes an
 * answer goes before what begins one: somebody waits for it, and the thread still remembers the document.
 */
function oneThread(options: Omit<SeatOptions, "limits"> & { readonly heapMb: number }) {
  const seat = openSeat<PackumentAnswer>({ ...options, limits: { heapMb: options.heapMb } });
  const reads: (() => Promise<void>)[] = [];
  const others: (() => Promise<void>)[] = [];
  let busy = false;
  let closed = false;

  async function answer({ bytes, ...job }: PackumentJob, label: string): Promise<PackumentAnswer> {
    // Once more, with nobody beside it, when it may have died of another's job.
    for (const alone of [false, true]) {
      if (closed) throw new Fault("WORKER_FAILED", `${label}: cordon is shutting down`);
      const ended = await seat.run(job, bytes, isAnswer, { alone });
      if ("answer" in ended) return ended.answer;
      if (closed) continue;
      if (ended.died === "late") throw new Fault("WORKER_FAILED", `${label}: no answer within ${options.patience} ms`);
      if (ended.own) break;
    }
    throw new Fault("WORKER_FAILED", `${label}: the worker died`);
  }

  async function work(): Promise<void> {
    if (busy) return;
    busy = true;
    for (let next = others.shift() ?? reads.shift(); next; next = others.shift() ?? reads.shift()) await next();
    busy = false;
  }

  return {
    run(job: PackumentJob, label: string): Promise<PackumentAnswer> {
      return new Promise((resolve, reject) => {
        (job.kind === "read" ? reads : others).push(() => answer(job, label).then(resolve, reject));
        void work();
      });
    },
    close(): void {
      closed = true;
      seat.end();
    },
  };
}

function isAnswer(message: PackumentAnswer): message is PackumentAnswer {
  return message.kind !== undefined;
}
