/** A judgement rests on one moment, and on exceptions that were really read. */
import { expect, onTestFinished, test, vi } from "vitest";
import { BALANCED, NO_EXCEPTIONS, UPSTREAM, listing, time } from "../../test/kit/packages.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { observe } from "../core/facts/observe.ts";
import { makeDeny } from "../core/policy/deny.ts";
import type { Exceptions } from "../core/policy/policy.ts";
import { followExceptions } from "./app.ts";
import { openJudgements } from "./judgements.ts";

const NOW = time("2026-03-31T00:59:00Z");
const record = (name: string, published: string, requires: Record<string, string> = {}): PackageRecord =>
  observe(undefined, { summary: listing(name, { "1.0.0": { time: published, requires } }), upstream: UPSTREAM, at: NOW }).record;

const HOST = record("host", "2026-03-30T00:00:00Z", { part: "^1.0.0" });
const PART = record("part", "2025-06-01T00:00:00Z");
const DENIED: Exceptions = {
  ...NO_EXCEPTIONS,
  epoch: NO_EXCEPTIONS.epoch + 1,
  denies: [makeDeny({ name: "part", version: "1.0.0", owner: "mara", reason: "incident", now: NOW })],
};

/** Judgements over two packages; `stored` is what a reading finds, `onRecall` runs while a dependency is looked up. */
async function open(known: readonly PackageRecord[] = [PART]) {
  const world = { stored: (): Exceptions | Promise<Exceptions> => NO_EXCEPTIONS, onRecall: async (): Promise<void> => undefined };
  const none = async () => undefined;
  const judgements = await openJudgements({
    clock: { now: () => NOW },
    policy: () => BALANCED,
    knowledge: {
      revision: () => 1,
      recall: async (name: string) => {
        await world.onRecall();
        return known.find((one) => one.name === name);
      },
    },
    exceptions: { read: async () => world.stored(), touchWaiver: none },
    ledger: { tail: async () => [] },
    upstream: { baseFor: () => ({ base: UPSTREAM, private: false }) },
  });
  return { world, judgements };
}

test("a deny that comes while dependencies are looked up is not taken for judged", async () => {
  const { world, judgements } = await open();
  world.onRecall = async () => {
    world.onRecall = async () => undefined;
    world.stored = () => DENIED;
    await judgements.reload();
  };
  expect(judgements.current(await judgements.ofPackage(HOST))).toBe(false);
  const again = await judgements.ofPackage(HOST);
  expect(judgements.current(again)).toBe(true);
  expect(again.withheld.get("1.0.0")?.reasons.map(({ id }) => id)).toContain("dependency-withheld");
});

test("a dependency is judged by the age of what it requires for the first time, also for its dependents", async () => {
  const part = (version: string, at: string, publisher: string, dependencies: Readonly<Record<string, string>>) => ({
    entry: { [version]: { time: at, requires: dependencies } },
    release: { [version]: { publisher: { name: publisher }, dependencies } },
  });
  const [old, stolen] = [
    part("1.0.0", "2026-01-10T00:00:00Z", "jason", {}),
    part("1.0.1", "2026-03-10T00:00:00Z", "mallory", { helper: "^1.0.0" }),
  ];
  const releases = { ...old.release, ...stolen.release };
  const summary = listing("part", { ...old.entry, ...stolen.entry }, { releases });
  const PART_STOLEN = observe(undefined, { summary, upstream: UPSTREAM, at: NOW }).record;
  const { judgements } = await open([PART_STOLEN, record("helper", "2026-03-09T23:00:00Z")]);
  const reasons = async (one: PackageRecord, version: string) =>
    (await judgements.ofPackage(one)).withheld.get(version)?.reasons.map(({ id }) => id);
  expect(await reasons(PART_STOLEN, "1.0.1")).toContain("new-young-dependency");
  const host = record("host", "2026-03-25T00:00:00Z", { part: "1.0.1" });
  expect(await reasons(host, "1.0.0")).toEqual(["dependency-withheld"]);
});

test("while the exceptions cannot be read nothing is current and nothing is judged", async () => {
  const { world, judgements } = await open();
  const before = await judgements.ofPackage(PART);
  expect(judgements.current(before)).toBe(true);
  world.stored = () => {
    throw new Error("the disk is away");
  };
  await expect(judgements.reload()).rejects.toThrow("the disk is away");
  expect(judgements.current(before)).toBe(false);
  await expect(judgements.ofPackage(PART)).rejects.toThrow("the disk is away");
  await expect(judgements.ofVersion(PART, "1.0.0", { pin: true })).rejects.toThrow("the disk is away");
  world.stored = () => DENIED;
  expect((await judgements.ofPackage(PART)).served.size).toBe(0);
  expect(judgements.current(before)).toBe(false);
});

test("a reading that comes late does not undo a newer one", async () => {
  const { world, judgements } = await open();
  let release = (): void => undefined;
  const slow = new Promise<Exceptions>((resolve) => (release = () => resolve(NO_EXCEPTIONS)));
  world.stored = () => slow;
  const late = judgements.reload();
  world.stored = () => DENIED;
  await judgements.reload();
  release();
  await late;
  expect(judgements.exceptions().epoch).toBe(DENIED.epoch);
});

test("exceptions that could not be read are read again, by one timer, until they are", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let announce = (): void => undefined;
  let readings = 0;
  const troubles: string[] = [];
  const stop = followExceptions(
    { watch: (onChange) => ((announce = () => onChange(1)), () => undefined) },
    {
      reload: async () => {
        if (++readings < 4) throw new Error("the disk is away");
      },
    },
    { trouble: (what) => void troubles.push(what) },
  );
  announce();
  announce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(readings).toBe(4);
  expect(troubles).toHaveLength(3);
  announce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(readings).toBe(5);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
