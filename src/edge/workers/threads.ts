/** Where threads that work on hostile bytes are started: in this process, or in a workshop (a process that may die). */
import { Worker } from "node:worker_threads";

export type ThreadLimits = {
  /** JavaScript heap, in MB: what lives long, and what is new. */
  readonly heapMb: number;
  readonly youngMb?: number;
  readonly stackMb?: number;
};

export type Thread = {
  /** `bytes` arrive as the job's own field of that name. They must not change afterwards. */
  post(job: object, bytes?: Uint8Array): void;
  /** At work: it keeps this process alive. */
  ref(): void;
  unref(): void;
  /** Ends it at once, whatever it does. */
  end(): void;
};

export type ThreadEvents = {
  onMessage(message: unknown): void;
  /** Once, and nothing after it. `own`: by its own work; false when others may have taken it along. */
  onExit(how: { readonly own: boolean }): void;
};

export type Threads = {
  /** `alone`: with nobody whom it could take along. */
  start(limits: ThreadLimits, events: ThreadEvents, how?: { readonly alone?: boolean }): Thread;
  /** Ends all of them. */
  close(): Promise<void>;
};

/** One of the built worker file. It gets no environment: it reads hostile bytes and needs no secrets of ours. */
export function startWorker(worker: URL, { heapMb, youngMb, stackMb }: ThreadLimits): Worker {
  const thread = new Worker(worker, {
    env: {},
    execArgv: [],
    resourceLimits: {
      maxOldGenerationSizeMb: heapMb,
      ...(youngMb === undefined ? {} : { maxYoungGenerationSizeMb: youngMb }),
      ...(stackMb === undefined ? {} : { stackSizeMb: stackMb }),
    },
  });
  // It may also die between two jobs: an error nobody listens to would end the whole process. `exit` follows it.
  thread.on("error", () => undefined);
  return thread;
}
