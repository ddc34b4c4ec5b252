/** The process that threads live in: it comes with the first thread, goes with the last, and with the process that started it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { builtWorkshop } from "../../../test/kit/workshop.ts";
import { until } from "../../../test/kit/until.ts";
import { frame, frameReader } from "./line.ts";
import type { Threads } from "./threads.ts";

const built = builtWorkshop();
const LIMITS = { heapMb: 64 };
/** Says which process it is in, and what it was told. */
const ECHO = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", (job) => parentPort.postMessage({ pid: process.pid, env: Object.keys(process.env), job }));`;

type Echo = { readonly pid: number; readonly env: readonly string[]; readonly job: object };

function echo(threads: Threads, alone = false) {
  let told: (echo: Echo) => void = () => undefined;
  const thread = threads.start(LIMITS, { onMessage: (message) => told(message as Echo), onExit: () => undefined }, { alone });
  const ask = (job: object, bytes?: Uint8Array) =>
    new Promise<Echo>((resolve) => {
      told = resolve;
      thread.ref();
      thread.post(job, bytes);
    }).finally(() => thread.unref());
  return { thread, ask };
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("threads share a process, which ends with the last of them; one that is to be alone has its own", async () => {
  const threads = built.open(ECHO);
  onTestFinished(() => threads.close());
  const [one, other, apart] = [echo(threads), echo(threads), echo(threads, true)];
  const bytes = new Uint8Array(300_000).fill(7);
  const first = await one.ask({ text: "ä", list: [undefined, 1n] }, bytes);
  expect(first).toMatchObject({ env: [], job: { text: "ä", list: [undefined, 1n] } });
  expect((first.job as { bytes: Uint8Array }).bytes).toEqual(bytes);
  expect((await one.ask({}, new Uint8Array())).job).toEqual({ bytes: new Uint8Array() });
  expect((await one.ask({})).job).toEqual({});
  const [second, third] = [await other.ask({}), await apart.ask({})];
  expect(first.pid).not.toBe(process.pid);
  expect(second.pid).toBe(first.pid);
  expect(third.pid).not.toBe(first.pid);

  one.thread.end();
  // A gate that is asked to end, with all of its group, still has answers to give.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(first.pid, signal);
  expect(await other.ask({})).toMatchObject({ pid: first.pid });
  other.thread.end();
  apart.thread.end();
  const left = () => [first, third].filter(({ pid }) => runs(pid));
  expect(await until(left, (pids) => pids.length === 0)).toEqual([]);
  const later = echo(threads);
  expect((await later.ask({})).pid).not.toBe(first.pid);
});

test("whoever is killed leaves no workshop behind, even one whose thread hangs", async () => {
  const worker = built.file(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", () => {
      parentPort.postMessage(process.pid);
      for (;;);
    });`);
  const script = `
    import { openWorkshop } from ${JSON.stringify(built.opener)};
    const threads = openWorkshop({ program: new URL(${JSON.stringify(built.program)}), worker: new URL(${JSON.stringify(worker)}) });
    const thread = threads.start(${JSON.stringify(LIMITS)}, { onMessage: (pid) => console.log(pid), onExit() {} });
    thread.ref();
    thread.post({});`;
  const starter = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void starter.kill("SIGKILL"));
  const [line] = (await once(createInterface(starter.stdout), "line")) as [string];
  const pid = Number(line);
  expect(runs(pid)).toBe(true);
  starter.kill("SIGKILL");
  expect(
    await until(
      () => runs(pid),
      (running) => !running,
    ),
  ).toBe(false);
});

test("frames arrive as they were sent, however the stream cuts them; one that claims too much is refused", () => {
  const sent: [unknown, Uint8Array | undefined][] = [
    [{ a: [1, "ü", undefined] }, undefined],
    ["", new Uint8Array()],
    [new Map([[1, 2]]), new Uint8Array([1, 2, 3])],
  ];
  const stream = Buffer.concat(sent.flatMap(([value, bytes]) => frame(value, bytes)));
  for (const step of [1, 3, 8, stream.length]) {
    const got: unknown[] = [];
    const read = frameReader((value, bytes) => got.push([value, bytes && new Uint8Array(bytes)]));
    for (let at = 0; at < stream.length; at += step) read(stream.subarray(at, at + step));
    expect(got).toEqual(sent);
  }
  expect(() => frameReader(() => undefined, 10)(stream)).toThrow("too large");
});
