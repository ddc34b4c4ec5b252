/**
 * Reads tarballs in threads of their own, with a ceiling on memory, stack and time. What ends a thread is hostile or a bug; either way the
 * file that did it is left out and said to be unread, and the rest of the package is read.
 */
import { Worker } from "node:worker_threads";
import type { TarballJob, TarballNews } from "../../core/analysis/job.ts";
import { ANALYSER, type TarballReport } from "../../core/analysis/report.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";

export type TarballWorkOptions = {
  /** The built worker file. */
  readonly worker: URL | string;
  readonly threads?: number;
  /** Milliseconds one tarball may take. */
  readonly patience?: number;
  /** JavaScript heap of one thread. */
  readonly heapMb?: number;
  /** Milliseconds without a job after which a thread ends. */
  readonly idle?: number;
};

/** The report, or how the thread ended and which file it was reading. */
type Outcome = { readonly report: TarballReport } | { readonly died: string; readonly started: boolean; readonly path: string | undefined };

type Seat = { thread?: Worker; leaving?: NodeJS.Timeout };

/** Fits the port `TarballWork`. Rejects with WORKER_FAILED only when no thread can be started or the work was closed. */
export function tarballWork({
  worker,
  threads = LIMITS.tarballThreads,
  patience = LIMITS.tarballWorkMs,
  heapMb = LIMITS.tarballWorkerHeapMb,
  idle = LIMITS.packumentWorkerIdleMs,
}: TarballWorkOptions) {
  const free: Seat[] = Array.from({ length: threads }, () => ({}));
  const taken = new Set<Seat>();
  const waiting: ((seat: Seat) => void)[] = [];
  let closed = false;

  async function take(): Promise<Seat> {
    const seat = free.pop() ?? (await new Promise<Seat>((resolve) => waiting.push(resolve)));
    clearTimeout(seat.leaving);
    taken.add(seat);
    return seat;
  }

  function give(seat: Seat): void {
    taken.delete(seat);
    const next = waiting.shift();
    if (next) {
      next(seat);
      return;
    }
    free.push(seat);
    // A heap that grew is not kept for long.
    seat.leaving = setTimeout(() => end(seat), idle).unref();
  }

  function end(seat: Seat): void {
    const { thread } = seat;
    delete seat.thread;
    void thread?.terminate();
  }

  function start(seat: Seat): Worker {
    const thread = new Worker(worker, {
      // It reads hostile code and needs no secrets of ours.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: LIMITS.tarballWorkerStackMb },
    });
    // It may also die between two jobs: an error nobody listens to would end the whole process. `exit` follows it.
    thread.on("error", () => undefined);
    thread.once("exit", () => {
      if (seat.thread === thread) delete seat.thread;
    });
    seat.thread = thread;
    return thread;
  }

  function once(seat: Seat, job: TarballJob): Promise<Outcome> {
    const thread = seat.thread ?? start(seat);
    return new Promise((resolve) => {
      let started = false;
      let path: string | undefined;
      const finish = (report: TarballReport | undefined, died = ""): void => {
        clearTimeout(timer);
        thread.off("message", onMessage).off("exit", onExit).unref();
        if (!report) end(seat);
        resolve(report ? { report } : { died, started, path });
      };
      const onMessage = (news: TarballNews): void => {
        if (news.kind === "report") finish(news.report);
        else if (news.kind === "reading") path = news.path;
        else started = true;
      };
      const onExit = (): void => finish(undefined, "reading it ended the thread");
      const timer = setTimeout(() => finish(undefined, `reading it took more than ${patience} ms`), patience);
      thread.on("message", onMessage).once("exit", onExit).ref();
      thread.postMessage(job, []);
    });
  }

  return {
    async analyse(
      tarball: Uint8Array,
      { label, known }: { readonly label: string; readonly known?: TarballReport },
    ): Promise<TarballReport> {
      const skip: string[] = [];
      const seat = await take();
      try {
        for (;;) {
          if (closed) throw new Fault("WORKER_FAILED", `${label}: cordon is shutting down`);
          const result = await once(seat, { kind: "tarball", bytes: tarball, skip, ...(known === undefined ? {} : { known }) });
          if ("report" in result) return result.report;
          if (closed) continue;
          if (!result.started) throw new Fault("WORKER_FAILED", `${label}: no thread could be started`);
          // A thread that ends without reading anything, or again and again, leaves only this to say.
          if (result.path === undefined || skip.includes(result.path) || skip.length >= LIMITS.tarballRetries)
            return nothingRead(result.died, result.path);
          skip.push(result.path);
        }
      } finally {
        give(seat);
      }
    },
    async close(): Promise<void> {
      closed = true;
      await Promise.all(
        [...free, ...taken].map(async (seat) => {
          clearTimeout(seat.leaving);
          await seat.thread?.terminate();
        }),
      );
    },
  };
}

/** The report of a tarball of which nothing could be found out but that. */
function nothingRead(reason: string, path = "(the tarball)"): TarballReport {
  return {
    analyser: ANALYSER,
    archive: [],
    files: [],
    unpacked: 0,
    capabilities: [],
    chains: [],
    reach: { install: [], entry: [] },
    hosts: [],
    imports: [],
    unmentioned: [],
    unread: [{ path, kind: "died", reason }],
  };
}
