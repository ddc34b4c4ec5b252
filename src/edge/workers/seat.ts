/** A place for one thread at a time: it starts with a job, is replaced when it dies or takes too long, and leaves when it has had none for a while. */
import type { Thread, ThreadEvents, ThreadLimits, Threads } from "./threads.ts";

export type SeatOptions = {
  readonly threads: Threads;
  readonly limits: ThreadLimits;
  /** Milliseconds one job may take. */
  readonly patience: number;
  /** Milliseconds without a job after which the thread ends. */
  readonly idle: number;
};

/** Why there is no answer. `own`: the job's own doing; false when it may have died of another's. */
export type Ended = { readonly died: "exit" | "late"; readonly own: boolean };

export type Seat<Message> = {
  /**
   * Runs one job; one at a time. `isAnswer` sees each message and says which is the last one. `alone`: in a process of its own, for a job
   * that may have ended one.
   */
  run<Answer extends Message>(
    job: object,
    bytes: Uint8Array | undefined,
    isAnswer: (message: Message) => message is Answer,
    how?: { readonly alone: boolean },
  ): Promise<{ readonly answer: Answer } | Ended>;
  /** A job that is running ends with it. */
  end(): void;
};

export function openSeat<Message>({ threads, limits, patience, idle }: SeatOptions): Seat<Message> {
  let thread: Thread | undefined;
  let events: ThreadEvents | undefined;
  let leaving: NodeJS.Timeout | undefined;
  /** Ends the job that is running. A thread that was told to end says nothing more of it. */
  let cut: ((ended: Ended) => void) | undefined;

  function start(how: { readonly alone: boolean }): Thread {
    const started = threads.start(
      limits,
      {
        onMessage: (message) => events?.onMessage(message),
        onExit(end) {
          if (thread === started) thread = undefined;
          events?.onExit(end);
        },
      },
      how,
    );
    return started;
  }

  function end(): void {
    clearTimeout(leaving);
    const ended = thread;
    thread = undefined;
    ended?.end();
    cut?.({ died: "exit", own: false });
  }

  return {
    run(job, bytes, isAnswer, how = { alone: false }) {
      clearTimeout(leaving);
      if (how.alone) end();
      const worker = (thread ??= start(how));
      return new Promise((resolve) => {
        const finish: typeof resolve = (outcome) => {
          clearTimeout(timer);
          events = undefined;
          cut = undefined;
          worker.unref();
          if ("died" in outcome || how.alone) end();
          // A heap that grew is not kept for long.
          else leaving = setTimeout(end, idle).unref();
          resolve(outcome);
        };
        const timer = setTimeout(() => finish({ died: "late", own: true }), patience);
        events = {
          onMessage: (message) => isAnswer(message as Message) && finish({ answer: message as never }),
          onExit: ({ own }) => finish({ died: "exit", own }),
        };
        cut = finish;
        worker.ref();
        worker.post(job, bytes);
      });
    },
    end,
  };
}
