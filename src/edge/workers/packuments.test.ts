/** Small documents in place, big ones in the real worker, built for this test; a worker that dies or hangs costs one request. */
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { builtWorkshop } from "../../../test/kit/workshop.ts";
import { bytes, manifest, packument } from "../../../test/samples/packument.ts";
import { instant } from "../../core/base/time.ts";
import { packumentWork } from "./packuments.ts";
import type { Threads } from "./threads.ts";
import { openWorkshop } from "./workshop.ts";

const built = builtWorkshop();
const opened: Threads[] = [];
afterAll(() => Promise.all(opened.map((threads) => threads.close())));

function workshop(worker?: string): Threads {
  const threads = built.open(worker);
  opened.push(threads);
  return threads;
}

// In a buffer of its own, as a large body is: from Node's shared pool it could not be moved to a thread by mistake.
const document = Buffer.from(Uint8Array.from(bytes(packument("axios", [manifest("axios", "1.14.0"), manifest("axios", "1.14.1")]))).buffer);
const plan = {
  form: "full" as const,
  withheld: ["1.14.1"],
  tags: { latest: "1.14.0" },
  time: { "1.14.0": "2020-01-01T00:00:00.000Z" },
  tarballBase: "http://localhost:4870/",
  attestationsBase: "http://localhost:4870/",
};

/** A day after the documents' versions were published: their releases are read in detail. */
const MOMENT = instant(Date.parse("2020-01-03T00:00:00Z"));

/** A loader that counts how often the document was asked for. */
function loader(of: Uint8Array = document) {
  const load = async (): Promise<Uint8Array> => {
    load.calls++;
    return of;
  };
  load.calls = 0;
  return load;
}

async function digestOf(work: ReturnType<typeof packumentWork>): Promise<string> {
  const reading = await work.read("axios", document, MOMENT);
  if (reading.kind === "unreadable") throw new Error(reading.reason);
  return reading.summary.digest;
}

const never = async (): Promise<Uint8Array> => {
  throw new Error("the document was asked for");
};

test("in place and in the worker the answers are the same, and a render after a read needs no document", async () => {
  const here = packumentWork();
  const there = packumentWork({ threads: workshop(), threshold: 0 });
  try {
    expect(await there.read("axios", document, MOMENT)).toEqual(await here.read("axios", document, MOMENT));
    // The caller's bytes were copied, not taken.
    expect(document.length).toBeGreaterThan(0);
    const digest = await digestOf(here);
    const [one, other] = [await here.render(digest, never, plan), await there.render(digest, never, plan)];
    expect({ ...other, gzip: Buffer.from(other.gzip) }).toEqual({ ...one, gzip: Buffer.from(one.gzip) });
    expect(JSON.parse(gunzipSync(other.gzip).toString())).toMatchObject({ "dist-tags": { latest: "1.14.0" } });
    expect(Buffer.from((await there.manifest(digest, never, "1.14.1", plan))!).toString()).toContain(
      '"http://localhost:4870/axios/-/axios-1.14.1.tgz"',
    );
    expect(await there.manifest(digest, never, "9.9.9", plan)).toBeUndefined();
    expect(await there.read("axios", Buffer.from("{"), MOMENT)).toMatchObject({ kind: "unreadable", offset: 1 });
  } finally {
    await there.close();
  }
});

test("a document nobody remembers is loaded once, and must be the one that was judged", async () => {
  const digest = await digestOf(packumentWork());
  for (const work of [packumentWork(), packumentWork({ threads: workshop(), threshold: 0 })]) {
    const load = loader();
    await work.render(digest, load, plan);
    await work.render(digest, load, { ...plan, form: "abbreviated" });
    expect(load.calls).toBe(1);
    await expect(work.render("other", loader(), plan)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await expect(work.render("other", loader(Buffer.from("{")), plan)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await work.close();
  }
});

const nobody: Threads = {
  start() {
    throw new Error("a thread was asked for");
  },
  close: async () => undefined,
};

test("no thread is started for small documents", async () => {
  const work = packumentWork({ threads: nobody, threshold: document.length + 1 });
  const digest = await digestOf(work);
  await expect(work.render(digest, never, plan)).resolves.toMatchObject({ length: expect.any(Number) as number });
  await work.close();
});

test("what is under way when it is closed fails at once", async () => {
  const threads = workshop(`import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { for (;;); });`);
  const work = packumentWork({ threads, threshold: 0, patience: 600_000 });
  const waiting = Promise.allSettled(["running", "next"].map((name) => work.read(name, document, MOMENT)));
  await work.close();
  expect(await waiting).toMatchObject([
    { status: "rejected", reason: { code: "WORKER_FAILED", message: "running: cordon is shutting down" } },
    { status: "rejected", reason: { code: "WORKER_FAILED", message: "next: cordon is shutting down" } },
  ]);
});

test("a worker that hangs, dies or is missing fails that request with a Fault; the next one gets a new worker", async () => {
  // Misbehaves as the package's name tells it to, and answers everything else.
  const broken = workshop(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ name }) => {
      const hold = [];
      if (name === "hang") for (;;);
      if (name === "exit") process.exit(0);
      if (name === "throw") throw new Error("boom");
      if (name === "kill") process.kill(process.pid, "SIGKILL");
      while (name === "exhaust") hold.push(new Array(1e5).fill({}));
      parentPort.postMessage({ kind: "read", reading: { kind: "unreadable", reason: name } });
    });`);
  const work = packumentWork({ threads: broken, threshold: 0, heapMb: 32 });
  for (const name of ["exit", "throw", "exhaust", "kill"]) {
    const [failed, after] = await Promise.allSettled([work.read(name, document, MOMENT), work.read("fine", document, MOMENT)]);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "WORKER_FAILED", message: `${name}: the worker died` } });
    expect(after).toMatchObject({ status: "fulfilled", value: { reason: "fine" } });
  }
  await work.close();
  await expect(work.read("late", document, MOMENT)).rejects.toMatchObject({
    code: "WORKER_FAILED",
    message: "late: cordon is shutting down",
  });

  const impatient = packumentWork({ threads: broken, threshold: 0, patience: 300 });
  await expect(impatient.read("hang", document, MOMENT)).rejects.toMatchObject({
    code: "WORKER_FAILED",
    message: "hang: no answer within 300 ms",
  });
  await impatient.close();

  const unreadable = packumentWork({ threads: workshop("this is no JavaScript"), threshold: 0 });
  await expect(unreadable.read("fine", document, MOMENT)).rejects.toMatchObject({ code: "WORKER_FAILED" });
  await unreadable.close();

  const missing = new URL("missing.js", import.meta.url);
  const nowhere = packumentWork({ threads: openWorkshop({ program: missing, worker: missing }), threshold: 0 });
  await expect(nowhere.read("fine", document, MOMENT)).rejects.toMatchObject({ code: "WORKER_FAILED" });
  await nowhere.close();
});
