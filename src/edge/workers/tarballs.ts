/**
 * Reads tarballs in threads of their own, with a ceiling on memory, stack and time. What ends a thread is hostile or a bug; either way the
 * file that did it is left out and said to be unread, and the rest of the package is read.
 */
import type { TarballNews } from "../../core/analysis/job.ts";
import { ANALYSER, type TarballReport } from "../../core/analysis/report.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { openSeat, type Seat } from "./seat.ts";
import type { Threads } from "./threads.ts";

export type TarballWorkOptions = {
  readonly threads: Threads;
  /** Tarballs read at the same time. */
  readonly seats?: number;
  /** Milliseconds one tarball may take. */
  readonly patience?: number;
  /** JavaScript heap of one thread. */
  readonly heapMb?: number;
  /** Milliseconds without a job after which a thread ends. */
  readonly idle?: number;
};

/** Fits the port `TarballWork`. Rejects with WORKER_FAILED only when no thread can be started or the work was closed. */
export function tarballWork({
  threads,
  seats = LIMITS.tarballThreads,
  patience = LIMITS.tarballWorkMs,
  heapMb = LIMITS.tarballWorkerHeapMb,
  idle = LIMITS.packumentWorkerIdleMs,
}: TarballWorkOptions) {
  const limits = { heapMb, youngMb: LIMITS.tarballWorkerYoungMb, stackMb: LIMITS.tarballWorkerStackMb };
  const all = Array.from({ length: seats }, () => openSeat<TarballNews>({ threads, limits, patience, idle }));
  const free = [...all];
  const waiting: ((seat: Seat<TarballNews>) => void)[] = [];
  let closed = false;

  async function take(): Promise<Seat<TarballNews>> {
    return free.pop() ?? new Promise((resolve) => waiting.push(resolve));
  }

  function give(seat: Seat<TarballNews>): void {
    const next = waiting.shift();
    if (next) next(seat);
    else free.push(seat);
  }

  return {
    async analyse(bytes: Uint8Array, { label, known }: { readonly label: string; readonly known?: TarballReport }): Promise<TarballReport> {
      const skip: string[] = [];
      let alone = false;
      const seat = await take();
      try {
        for (;;) {
          if (closed) throw new Fault("WORKER_FAILED", `${label}: cordon is shutting down`);
          let started = false;
          let path: string | undefined;
          const isReport = (news: TarballNews): news is Extract<TarballNews, { kind: "report" }> => {
            if (news.kind === "started") started = true;
            if (news.kind === "reading") path = news.path;
            return news.kind === "report";
          };
          const job = { kind: "tarball", skip, ...(known === undefined ? {} : { known }) };
          const ended = await seat.run(job, bytes, isReport, { alone });
          if ("answer" in ended) return ended.answer.report;
          if (closed) continue;
          if (!ended.own && !alone) {
            // It may have died of another's tarball: once more, where there is none.
            alone = true;
            continue;
          }
          if (!started) throw new Fault("WORKER_FAILED", `${label}: no thread could be started`);
          // A thread that ends without reading anything, or again and again, leaves only this to say.
          if (path === undefined || skip.includes(path) || skip.length >= LIMITS.tarballRetries)
            return nothingRead(ended.died === "late" ? `reading it took more than ${patience} ms` : "reading it ended the thread", path);
          skip.push(path);
        }
      } finally {
        give(seat);
      }
    },
    async close(): Promise<void> {
      closed = true;
      for (const seat of all) seat.end();
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
