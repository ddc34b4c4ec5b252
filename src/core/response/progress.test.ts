import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../base/time.ts";
import type { ResponseEvent } from "./journal.ts";
import type { Plan, Step } from "./plan.ts";
import { isOver, maySkip, progressOf, ready, whyNot, whyNotUndo } from "./progress.ts";

function step(phase: Step["phase"], needs: readonly string[], undo?: string): Step {
  const shared = {
    id: `${phase}-1`,
    phase,
    title: phase,
    needs,
    evidence: "",
    done: "",
    warnings: [],
    ...(undo !== undefined && { undo }),
  };
  return { ...shared, who: "you", commands: [] };
}

const PLAN = {
  steps: [
    step("declare", [], "take it off"),
    step("isolate", [], "connect"),
    step("preserve", ["isolate-1"]),
    step("rotate", ["isolate-1", "preserve-1"]),
  ],
} as unknown as Plan;

function event(what: ResponseEvent["what"], id: string, by = "mara", made?: string[]): ResponseEvent {
  return { at: instant(1_000), by, step: id, what, detail: "", ...(made && { made }) };
}

const events = fc.array(
  fc.record({
    at: fc.constant(instant(1)),
    by: fc.constantFrom("mara", "jo"),
    step: fc.constantFrom("declare-1", "isolate-1", "preserve-1", "rotate-1", "plan"),
    what: fc.constantFrom("opened" as const, "claimed" as const, "done" as const, "failed" as const, "undone" as const, "skipped" as const),
    detail: fc.string(),
  }),
);

test("of two claims the first has the step, and only who has it can end it", () => {
  const both = [event("claimed", "isolate-1"), event("claimed", "isolate-1", "jo"), event("done", "isolate-1", "jo")];
  const { state, last } = progressOf(PLAN, both).get("isolate-1")!;
  expect([state, last?.by]).toEqual(["running", "mara"]);
  expect(whyNot(PLAN.steps[1]!, progressOf(PLAN, both), "jo")).toBe("mara is at it");
  expect(whyNot(PLAN.steps[1]!, progressOf(PLAN, both), "mara")).toBeUndefined();
});

test("a step becomes ready when everything before it is over", () => {
  const names = (list: readonly ResponseEvent[]): readonly string[] => ready(PLAN, progressOf(PLAN, list)).map(({ id }) => id);
  expect(names([])).toEqual(["declare-1", "isolate-1"]);
  expect(names([event("claimed", "isolate-1"), event("done", "isolate-1")])).toEqual(["declare-1", "preserve-1"]);
  expect(whyNot(PLAN.steps[3]!, progressOf(PLAN, []), "mara")).toBe("it waits for isolate-1, preserve-1");
});

test("nothing is done without having been claimed, whatever the journal says", () => {
  fc.assert(
    fc.property(events, (list) => {
      const progress = progressOf(PLAN, list);
      for (const { id } of PLAN.steps)
        if (isOver(progress.get(id)!))
          expect(list.some((one) => one.step === id && one.what === "claimed" && one.by === progress.get(id)!.last!.by)).toBe(true);
    }),
  );
});

test("what a later step relies on is not taken back, and what has no undo never", () => {
  const list = [
    event("claimed", "isolate-1"),
    event("done", "isolate-1"),
    event("claimed", "declare-1"),
    event("done", "declare-1", "mara", ["d-1"]),
  ];
  const more = [...list, event("claimed", "preserve-1"), event("done", "preserve-1")];
  expect(whyNotUndo(PLAN, PLAN.steps[1]!, progressOf(PLAN, list))).toBeUndefined();
  expect(whyNotUndo(PLAN, PLAN.steps[1]!, progressOf(PLAN, more))).toBe("preserve-1 came after it and relies on it");
  expect(whyNotUndo(PLAN, PLAN.steps[2]!, progressOf(PLAN, more))).toBe("it cannot be taken back");
  expect(progressOf(PLAN, list).get("declare-1")!.made).toEqual(["d-1"]);
  expect(progressOf(PLAN, [...list, event("undone", "declare-1")]).get("declare-1")).toMatchObject({ state: "undone", made: [] });
});

test("what cuts off, keeps and cleans is never left out", () => {
  expect(PLAN.steps.filter(maySkip).map(({ id }) => id)).toEqual(["rotate-1"]);
});
