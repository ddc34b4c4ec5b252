/**
 * How far a plan is carried out: a fold over events that are only ever appended. A step belongs to the one whose claim came first, and only
 * while it runs; what the file says is the whole state, so a restart forgets nothing.
 */
import type { ResponseEvent } from "./journal.ts";
import { PHASES, type Plan, type Step } from "./plan.ts";

export const STATES = ["pending", "running", "done", "failed", "undone", "skipped"] as const;
export type StepState = (typeof STATES)[number];

export type StepProgress = {
  readonly state: StepState;
  /** Who has it or had it last, and since when. */
  readonly last?: ResponseEvent;
  /** What doing it made, for undoing it. */
  readonly made: readonly string[];
};

export type Progress = ReadonlyMap<string, StepProgress>;

export function progressOf({ steps }: Plan, events: readonly ResponseEvent[]): Progress {
  const progress = new Map<string, StepProgress>(steps.map(({ id }) => [id, { state: "pending", made: [] }]));
  for (const event of events) {
    const before = progress.get(event.step);
    if (before !== undefined) progress.set(event.step, after(before, event));
  }
  return progress;
}

/** What does not fit the state it meets changes nothing: the second of two claims, an end by somebody who does not have the step. */
function after(before: StepProgress, event: ResponseEvent): StepProgress {
  const owns = before.state === "running" && before.last?.by === event.by;
  switch (event.what) {
    case "opened":
    case "noted":
      return before;
    case "claimed":
      return before.state === "pending" || before.state === "failed" || before.state === "undone"
        ? { ...before, state: "running", last: event }
        : before;
    case "done":
      return owns ? { state: "done", last: event, made: [...before.made, ...(event.made ?? [])] } : before;
    case "failed":
      return owns ? { ...before, state: "failed", last: event, made: [...before.made, ...(event.made ?? [])] } : before;
    case "skipped":
      return owns ? { ...before, state: "skipped", last: event } : before;
    case "undone":
      return before.state === "done" || before.state === "skipped" || before.state === "failed"
        ? { state: "undone", last: event, made: [] }
        : before;
  }
}

/** Whether nothing that waits for this step need wait any more. */
export function isOver({ state }: StepProgress): boolean {
  return state === "done" || state === "skipped";
}

/** Ids of steps that still have to be over before this one may begin. */
function waitsOn(step: Step, progress: Progress): readonly string[] {
  return step.needs.filter((id) => {
    const one = progress.get(id);
    return one === undefined || !isOver(one);
  });
}

/** Steps whose turn it is, in the plan's order; those that somebody has are not among them. */
export function ready(plan: Plan, progress: Progress): readonly Step[] {
  return plan.steps.filter((step) => {
    const { state } = progress.get(step.id)!;
    return (state === "pending" || state === "failed" || state === "undone") && waitsOn(step, progress).length === 0;
  });
}

/** Why somebody may not begin a step; undefined when he may. Who has it already may go on with it: his run may have been killed. */
export function whyNot(step: Step, progress: Progress, by: string): string | undefined {
  const { state, last } = progress.get(step.id)!;
  if (state === "running" && last!.by !== by) return `${last!.by} is at it`;
  if (state === "done" || state === "skipped") return `it is ${state}, by ${last!.by}`;
  const waits = waitsOn(step, progress);
  return waits.length === 0 ? undefined : `it waits for ${waits.join(", ")}`;
}

/** Why a step may not be taken back: something that was done relies on it. Undefined when it may. */
export function whyNotUndo(plan: Plan, step: Step, progress: Progress): string | undefined {
  const { state, made } = progress.get(step.id)!;
  // What failed may have made something before it did.
  if (state !== "done" && state !== "skipped" && (state !== "failed" || made.length === 0)) return `it is ${state}`;
  if (step.undo === undefined) return "it cannot be taken back";
  const later = plan.steps.filter(({ id, needs }) => needs.includes(step.id) && ["done", "running"].includes(progress.get(id)!.state));
  return later.length === 0
    ? undefined
    : `${later.map(({ id }) => id).join(", ")} came after it and ${later.length === 1 ? "relies" : "rely"} on it`;
}

/** Steps that may be left out: never what cuts off, keeps evidence or removes what persists, which is what later steps rely on. */
export function maySkip({ phase }: Step): boolean {
  return PHASES.indexOf(phase) > PHASES.indexOf("persistence") && phase !== "verify" && phase !== "report";
}
