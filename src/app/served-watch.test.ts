import { expect, onTestFinished, test, vi } from "vitest";
import { LIMITS } from "../core/base/limits.ts";
import { DAY, HOUR, type Instant, instant, MINUTE } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { openServedWatch } from "./served-watch.ts";

const START = Date.UTC(2026, 2, 31);

/** Packages by name: how old the version that was served is, and since when the registry lacks it. */
type Package = { readonly age: number; readonly missing?: boolean };

function open(packages: Readonly<Record<string, Package>>) {
  let now = START;
  const asked: string[] = [];
  const answered = new Map<string, number>();
  const record = (name: string): PackageRecord => {
    const { age, missing } = packages[name]!;
    const lastAnswer = instant(answered.get(name) ?? START);
    const version = { firstSeen: instant(START - age), claimed: instant(START - age), ...(missing ? { goneSince: lastAnswer } : {}) };
    const summary = { name, digest: "", bytes: 0, tags: {}, versions: [], problems: [], timed: true };
    return {
      name,
      upstream: "https://registry.test/",
      firstSeen: instant(START - age),
      lastAnswer,
      answers: 1,
      versions: { "1.0.0": version },
      tags: {},
      summary,
    };
  };
  const watch = openServedWatch({
    clock: { now: () => instant(now) },
    ledger: {
      served: async ({ after }) => ({
        served: after === undefined ? Object.keys(packages).map((name) => ({ name, version: "1.0.0", at: instant(START) })) : [],
        next: 1,
        done: true,
      }),
    },
    knowledge: {
      recall: async (name) => record(name),
      async know(name, { maxAge = 0 } = {}) {
        if (now - record(name).lastAnswer >= maxAge) {
          asked.push(name);
          answered.set(name, now);
        }
        return { kind: "known", record: record(name), document: async () => new Uint8Array() };
      },
    },
    judgements: { ofPackage: async (one) => ({ record: one }) as never },
    exposures: { raise: async () => [], lock: () => undefined, listen: () => undefined },
    trouble: (what, error) => {
      throw new Error(what, { cause: error });
    },
  });
  return {
    watch,
    /** Who is asked about in a round so much later. */
    async after(milliseconds: number): Promise<readonly string[]> {
      now += milliseconds;
      asked.length = 0;
      await watch.round();
      return [...asked].toSorted();
    },
    asked,
    set: (at: Instant) => (now = at),
  };
}

test("young releases are asked about every quarter of an hour, old ones twice a day, a missing one as soon as that can prove something", async () => {
  const { after } = open({ young: { age: DAY }, old: { age: 400 * DAY }, lost: { age: 400 * DAY, missing: true } });
  expect(await after(0)).toEqual([]);
  expect(await after(9 * MINUTE)).toEqual([]);
  expect(await after(MINUTE)).toEqual(["lost"]);
  expect(await after(5 * MINUTE)).toEqual(["young"]);
  expect(await after(14 * MINUTE)).toEqual(["lost"]);
  expect(await after(11 * HOUR)).toEqual(["lost", "young"]);
  expect(await after(HOUR)).toEqual(["lost", "old", "young"]);
});

test("what was served too long ago is asked about no more", async () => {
  const { after, watch } = open({ young: { age: DAY } });
  expect((await watch.round()).packages).toBe(1);
  expect(await after(LIMITS.servedWatchMs + DAY)).toEqual([]);
  expect((await watch.round()).packages).toBe(0);
});

test("all of it at once, when somebody waits for it", async () => {
  const names = Array.from({ length: 40 }, (_, n) => `p${n}`);
  const { asked, watch } = open(Object.fromEntries(names.map((name) => [name, { age: 400 * DAY }])));
  const told: string[] = [];
  expect((await watch.round({ all: true, tell: (name) => void told.push(name) })).looked).toBe(40);
  expect(asked.toSorted()).toEqual(names.toSorted());
  expect(told).toHaveLength(40);
});

test("once it is started it looks every minute, until it is stopped", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { asked, set, watch } = open({ young: { age: DAY } });
  watch.start();
  watch.start();
  set(instant(START + 20 * MINUTE));
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(asked).toEqual(["young"]);
  set(instant(START + 40 * MINUTE));
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(asked).toEqual(["young", "young"]);
  await watch.stop();
  set(instant(START + DAY));
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(asked).toEqual(["young", "young"]);
});
