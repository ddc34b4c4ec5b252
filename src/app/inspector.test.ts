/** Looks that nobody waits for: when they begin. What looks find is tested through a gate. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Facts } from "../core/facts/facts.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { type InspectorPorts, openInspector } from "./inspector.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const RECORD = { name: "moss" } as PackageRecord;
const versions = (...all: string[]) => all.map((version) => ({ version, integrity: `sha512-${version}` }) as Facts);

/** An inspector whose queued versions turn out to need no look; `taken` lists them as their turn comes. */
function queueOf(answered: () => number) {
  const taken: string[] = [];
  const uninspected = async (_name: string, version: string) => void taken.push(version);
  return { inspector: openInspector({ answered, uninspected } as unknown as InspectorPorts), taken };
}

test("after five seconds without an answer one begins each second, and none twice", async () => {
  const { inspector, taken } = queueOf(() => 7);
  inspector.ahead(RECORD, versions("1.0.0", "1.1.0"));
  inspector.ahead(RECORD, versions("1.1.0", "1.2.0"));
  expect(taken).toEqual([]);
  await vi.advanceTimersByTimeAsync(4_500);
  expect(taken).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(taken).toEqual(["1.0.0"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(taken).toEqual(["1.0.0", "1.1.0", "1.2.0"]);
});

test("while clients are answered one begins every half minute", async () => {
  let answers = 0;
  const { inspector, taken } = queueOf(() => ++answers);
  inspector.ahead(RECORD, versions("1.0.0", "1.1.0"));
  await vi.advanceTimersByTimeAsync(30_500);
  expect(taken).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(taken).toEqual(["1.0.0"]);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(taken).toEqual(["1.0.0", "1.1.0"]);
});

test("none begins after the end", async () => {
  const { inspector, taken } = queueOf(() => 0);
  inspector.ahead(RECORD, versions("1.0.0"));
  inspector.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(taken).toEqual([]);
});
