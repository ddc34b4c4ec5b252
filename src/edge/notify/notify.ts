/**
 * Tells targets of alerts, one after the other for each target, with a bounded queue and tries again with growing pauses. Nothing waits
 * for it; a target that fails is logged once, and once more when it works again. What was not delivered is kept on disk, and told by the
 * next process that stays.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import type { NotifyTarget } from "../../core/config/values.ts";
import type { Alert } from "../../core/ledger/alert.ts";
import type { Proxies } from "../upstream/proxies.ts";
import { openTransport, type Transport } from "../upstream/transport.ts";
import { type Delivery, deliver } from "./deliver.ts";
import { openOutbox } from "./outbox.ts";

export type NotifyOptions = {
  readonly targets: readonly NotifyTarget[];
  /** Where undelivered alerts are kept. */
  readonly folder: string;
  readonly clock: Clock;
  /** Proxies and authorities of the upstream. */
  readonly line: () => Promise<{ readonly proxies: Proxies; readonly ca: readonly string[] }>;
  readonly log: (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
  /** Pauses before each further try, in milliseconds. */
  readonly pauses?: readonly number[];
};

const PAUSES_MS = [1_000, 5_000, 30_000, 120_000, 600_000] as const;

/** How long closing waits for what is under way. */
const PARTING_MS = 3_000;

export function openNotify({ targets, folder, clock, line, log, pauses = PAUSES_MS }: NotifyOptions) {
  const outbox = openOutbox(folder, log);
  const stop = new AbortController();
  let opened: Promise<Transport> | undefined;
  const transport = () => (opened ??= line().then((way) => openTransport({ ...way, limits: LIMITS })));
  const queues = targets.map((target) => ({
    target,
    waiting: [] as Alert[],
    work: undefined as Promise<void> | undefined,
    failing: false,
  }));
  type Queue = (typeof queues)[number];

  async function drain(queue: Queue): Promise<void> {
    for (let alert = queue.waiting[0]; alert !== undefined; alert = queue.waiting[0]) {
      const delivery = await insist(queue, alert);
      if (stop.signal.aborted && !delivery.ok) return;
      if (delivery.ok) outbox.done(queue.target.name, alert);
      // While it failed, the oldest may have been dropped to make room.
      if (queue.waiting[0] === alert) queue.waiting.shift();
    }
  }

  async function insist(queue: Queue, alert: Alert): Promise<Delivery> {
    for (let attempt = 0; ; attempt += 1) {
      const delivery = await deliver(queue.target, alert, transport);
      if (delivery.ok) {
        if (queue.failing) log("info", "alerts are delivered again", { target: queue.target.name });
        queue.failing = false;
        return delivery;
      }
      if (!queue.failing) log("error", "an alert cannot be delivered", { target: queue.target.name, error: delivery.message });
      queue.failing = true;
      const pause = pauses[attempt];
      if (!delivery.retry || pause === undefined || stop.signal.aborted) return delivery;
      await sleep(pause, undefined, { ref: false, signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) return delivery;
    }
  }

  function add(queue: Queue, alert: Alert): void {
    if (queue.waiting.length >= LIMITS.notifyQueue) {
      const dropped = queue.waiting.shift()!;
      outbox.done(queue.target.name, dropped);
      log("error", "an alert was dropped: too many wait", { target: queue.target.name, name: dropped.name, what: dropped.what });
    }
    queue.waiting.push(alert);
    queue.work ??= drain(queue)
      .catch((error: unknown) => log("error", "bug while telling of an alert", { target: queue.target.name, error: String(error) }))
      .finally(() => (queue.work = undefined));
  }

  return {
    /** Returns at once; what was told stands on disk until it is delivered. */
    tell(alert: Alert): void {
      for (const queue of queues) {
        outbox.keep(queue.target.name, alert);
        add(queue, alert);
      }
    },
    /** Tells what processes that ended could not deliver, once, however many gates share the folder. For a process that stays. */
    resume(): void {
      const known = new Map(queues.map((queue) => [queue.target.name, queue]));
      for (const { target, alert } of outbox.left(clock.now())) {
        const queue = known.get(target);
        if (queue) add(queue, alert);
        else outbox.done(target, alert);
      }
    },
    /** One try for each target, and what came of it. */
    async test(alert: Alert): Promise<readonly { readonly target: string; readonly result: Delivery }[]> {
      return Promise.all(targets.map(async (target) => ({ target: target.name, result: await deliver(target, alert, transport) })));
    },
    /** Resolves when nothing is waiting. */
    async idle(): Promise<void> {
      await Promise.all(queues.map(({ work }) => work));
    },
    /** Waits a moment for what is under way; what still waits then is told by the next process that stays. */
    async close(): Promise<void> {
      await Promise.race([Promise.all(queues.map(({ work }) => work)), sleep(PARTING_MS, undefined, { ref: false })]);
      stop.abort();
      await (await opened)?.close();
    },
  };
}
