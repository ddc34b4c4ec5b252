import { expect, test } from "vitest";
import { type FeedOutcome, type FeedState, staleFeeds } from "../core/advisory/feeds.ts";
import { DAY, HOUR, type Instant, instant, MINUTE } from "../core/base/time.ts";
import type { FeedConfig } from "../core/config/values.ts";
import { feedKeeper } from "./feed-keeper.ts";

const START = Date.UTC(2026, 2, 31);
const OSV: FeedConfig = { name: "osv", url: "https://feeds.example.test/npm/all.zip", kind: "osv", claims: "vulnerability", maxAge: DAY };

/** A keeper whose readings end as `outcome` says, and the hours at which it read. */
function kept(outcome: (at: Instant) => Pick<FeedOutcome, "result" | "why">, feed: FeedConfig = OSV) {
  let now = START;
  let states: readonly FeedState[] = [];
  const [reads, lines]: [number[], string[]] = [[], []];
  const keeper = feedKeeper({
    clock: { now: () => instant(now) },
    advisories: { configured: [feed], states: () => states, stale: () => staleFeeds([feed], states, instant(now)) },
    async read() {
      const at = instant(now);
      reads.push((now - START) / MINUTE);
      const { result, why } = outcome(at);
      const [last] = states;
      const failed = result === "failed" ? { failure: why ?? "", failures: (last?.failures ?? 0) + 1 } : {};
      states = [
        {
          name: feed.name,
          records: 1,
          tried: at,
          ...(result === "failed" ? (last?.checked ? { checked: last.checked } : {}) : { checked: at }),
          ...failed,
        },
      ];
      return [{ name: feed.name, result, ...(why === undefined ? {} : { why }) }];
    },
    log: (level, what, { error, why }) => void lines.push(`${level} ${what}: ${String(error ?? why)}`),
  });
  /** Looks every minute. */
  async function pass(milliseconds: number): Promise<void> {
    for (const end = now + milliseconds; now < end; now += MINUTE) await keeper.look();
  }
  return { keeper, pass, reads, lines };
}

test("a feed is read at once, then each quarter of the age it may reach", async () => {
  const { pass, reads, lines } = kept(() => ({ result: "read" }));
  await pass(DAY);
  expect(reads).toEqual([0, 360, 720, 1080]);
  expect(lines).toEqual([]);
});

test("a feed says itself how often, but never more than every five minutes", async () => {
  const hourly = kept(() => ({ result: "unchanged" }), { ...OSV, refresh: HOUR });
  await hourly.pass(3 * HOUR);
  expect(hourly.reads).toEqual([0, 60, 120]);
  const greedy = kept(() => ({ result: "unchanged" }), { ...OSV, refresh: 1 });
  await greedy.pass(16 * MINUTE);
  expect(greedy.reads).toEqual([0, 5, 10, 15]);
});

test("what fails is tried again with growing pauses, loudly each time, and staleness is said once", async () => {
  const { pass, reads, lines } = kept((at) => (at < START + 2 * DAY ? { result: "failed", why: "no answer" } : { result: "read" }));
  await pass(2 * DAY);
  expect(reads.slice(0, 8)).toEqual([0, 1, 3, 7, 15, 31, 63, 127]);
  // At last as often as when it works.
  expect(reads.slice(-2).map((at, index, all) => at - (all[index - 1] ?? at))).toEqual([0, 360]);
  expect(lines.filter((line) => line.startsWith("error a feed could not be read"))).toHaveLength(reads.length);
  expect(lines.filter((line) => line.includes("stale"))).toEqual([
    "error a feed is stale: no hold ends until it is read: never read; the last try failed: no answer",
  ]);
});

test("looks do not overlap, and a keeper that is stopped reads nothing more", async () => {
  let open: () => void = () => undefined;
  let reading = 0;
  const keeper = feedKeeper({
    clock: { now: () => instant(START) },
    advisories: { configured: [OSV], states: () => [], stale: () => [] },
    read: (signal) => {
      reading += 1;
      return new Promise((resolve) => {
        open = () => resolve([]);
        signal.addEventListener("abort", open);
      });
    },
    log: () => undefined,
  });
  void keeper.look();
  void keeper.look();
  await keeper.stop();
  expect(reading).toBe(1);
  await keeper.look();
  expect(reading).toBe(1);
});
