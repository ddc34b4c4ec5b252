/**
 * Threads in a process of their own, which starts with the first and ends with the last: whatever ends that process is no harm to this
 * one, and the memory they took goes back to the system as a whole, which the C library's allocator would not do for threads in here.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { frame, frameReader, LINE, type News, type Order } from "./line.ts";
import type { Thread, ThreadEvents, ThreadLimits, Threads } from "./threads.ts";

/** glibc: few arenas, and large pieces of memory back to the system at once. Nothing else of our environment, which holds secrets. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072" };

/** As in `bin/cordon.js`: reading all packuments of an install cost an eighth less CPU time so, with V8 before 12, of Node 20. */
const V8 = Number.parseInt(process.versions.v8, 10) < 12 ? ["--interrupt-budget=600000"] : [];

/** `program`: the built workshop; `worker`: the built file its threads run. */
export function openWorkshop(files: { readonly program: URL; readonly worker: URL }): Threads {
  const open = new Set<Workshop>();
  let shared: Workshop | undefined;

  return {
    start(limits, events, { alone = false } = {}) {
      const workshop = alone || !shared?.alive() ? startWorkshop(files, () => open.delete(workshop)) : shared;
      open.add(workshop);
      if (!alone) shared = workshop;
      return workshop.start(limits, events);
    },
    async close() {
      await Promise.all([...open].map((workshop) => workshop.close()));
    },
  };
}

type Workshop = {
  /** Whether threads can still be started in it. */
  alive(): boolean;
  start(limits: ThreadLimits, events: ThreadEvents): Thread;
  close(): Promise<void>;
};

type Bench = { readonly events: ThreadEvents; busy: boolean };

function startWorkshop({ program, worker }: { readonly program: URL; readonly worker: URL }, onClosed: () => void): Workshop {
  const threads = new Map<number, Bench>();
  let numbers = 0;
  let ended = false;
  // Loaded when it is needed: a gate that starts needs none of it.
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(process.execPath, [...V8, fileURLToPath(program), worker.href], {
    env: ENVIRONMENT,
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    windowsHide: true,
  });
  // Where there was no handle left to open, there is no line either; `error` says so.
  const line = child.stdio?.[LINE] as Socket | undefined;
  child.once("error", over);
  child.once("exit", over);
  // A line that breaks is the end of the process too, and `exit` says so.
  line?.on("error", () => undefined);
  const read = frameReader((news) => take(news as News));
  line?.on("data", (chunk: Buffer) => {
    try {
      read(chunk);
    } catch {
      over();
    }
  });
  release();

  function take(news: News): void {
    const bench = threads.get(news.thread);
    if (!bench) return;
    if (news.kind === "message") bench.events.onMessage(news.message);
    else {
      leave(news.thread);
      bench.events.onExit({ own: true });
    }
  }

  function tell(order: Order, bytes?: Uint8Array): void {
    if (ended || !line) return;
    line.cork();
    for (const part of frame(order, bytes)) line.write(part);
    line.uncork();
  }

  /** The last one locks up. */
  function leave(thread: number): void {
    threads.delete(thread);
    hold();
    if (threads.size === 0) over();
  }

  function over(): void {
    if (ended) return;
    ended = true;
    child.kill("SIGKILL");
    line?.destroy();
    onClosed();
    const busy = [...threads.values()].filter((bench) => bench.busy).length;
    const left = [...threads.values()];
    threads.clear();
    release();
    for (const { events, busy: atWork } of left) events.onExit({ own: atWork && busy === 1 });
  }

  /** Only threads at work keep this process alive. */
  function hold(): void {
    if ([...threads.values()].some(({ busy }) => busy)) {
      child.ref();
      line?.ref();
    } else release();
  }

  function release(): void {
    child.unref();
    line?.unref();
  }

  return {
    alive: () => !ended,
    start(limits, events) {
      const thread = ++numbers;
      const bench: Bench = { events, busy: false };
      threads.set(thread, bench);
      tell({ kind: "start", thread, limits });
      // The process may be gone already, or may never have come to be; nobody hears of it before this returns.
      if (ended) setImmediate(() => threads.delete(thread) && events.onExit({ own: false }));
      const occupy = (busy: boolean) => (): void => {
        bench.busy = busy;
        hold();
      };
      return {
        post: (job, bytes) => tell({ kind: "job", thread, job }, bytes),
        ref: occupy(true),
        unref: occupy(false),
        end() {
          if (!threads.has(thread)) return;
          tell({ kind: "end", thread });
          leave(thread);
        },
      };
    },
    async close() {
      const exit = child.pid === undefined || hasEnded(child) ? undefined : once(child, "exit");
      over();
      await exit;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
