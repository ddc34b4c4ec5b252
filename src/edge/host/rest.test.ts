import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { until } from "../../../test/kit/until.ts";
import { restAfterBursts } from "./rest.ts";

afterEach(() => void vi.useRealTimers());

test("after a burst, in the first quiet second, what can be made again is let go and what nobody holds is collected", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  let served = 0;
  const cache: { kept?: object } = { kept: Array.from({ length: 100_000 }, () => 0) };
  const stop = restAfterBursts(
    () => served,
    () => void delete cache.kept,
  );
  const forgotten = new WeakRef({ big: Array.from({ length: 100_000 }, () => 0) });
  const letGo = new WeakRef(cache.kept!);
  await turn();
  served = 1_000;
  vi.advanceTimersByTime(2_000);
  expect(await until(() => forgotten.deref() === undefined && letGo.deref() === undefined, Boolean)).toBe(true);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
