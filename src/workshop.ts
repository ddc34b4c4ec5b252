/**
 * The workshop: the process that worker threads live in, started by `edge/workers/workshop.ts` with an empty environment. It decides nothing
 * and reads nothing; it passes orders to threads and their answers back, and ends with the one who started it.
 */
import { Socket } from "node:net";
import type { Worker } from "node:worker_threads";
import { frame, frameReader, LINE, type News, type Order } from "./edge/workers/line.ts";
import { startWorker } from "./edge/workers/threads.ts";

const worker = new URL(process.argv[2]!);
const line = new Socket({ fd: LINE, readable: true, writable: true });
const threads = new Map<number, Worker>();

function tell(news: News): void {
  for (const part of frame(news)) line.write(part);
}

function start({ thread, limits }: Extract<Order, { kind: "start" }>): void {
  const started = startWorker(worker, limits);
  started.on("message", (message: unknown) => tell({ kind: "message", thread, message }));
  started.once("exit", () => threads.delete(thread) && tell({ kind: "exit", thread }));
  threads.set(thread, started);
}

function follow(order: Order, bytes: Uint8Array<ArrayBuffer> | undefined): void {
  if (order.kind === "start") return start(order);
  const thread = threads.get(order.thread);
  if (order.kind === "job") return thread?.postMessage(bytes ? { ...order.job, bytes } : order.job, bytes ? [bytes.buffer] : []);
  threads.delete(order.thread);
  void thread?.terminate();
}

/** Nothing here is worth an orderly end, and a thread that hangs must not delay it. */
function end(): void {
  process.kill(process.pid, "SIGKILL");
}

line.on(
  "data",
  frameReader((order, bytes) => follow(order as Order, bytes)),
);
line.once("error", end).once("close", end);
// Whoever stops a gate often signals the whole group, and answers that are under way need this process to the last.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
