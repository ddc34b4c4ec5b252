/**
 * `cordon respond`: makes a plan, and carries it out step by step with no choices left. What is done, by whom and when is in the journal of
 * the response before and after each step, so that a killed run is gone on with and two people can work at once.
 */
import { Fault } from "../core/base/fault.ts";
import { DAY, type Clock, instant, iso, parseInstant } from "../core/base/time.ts";
import type { Answer } from "../core/exposure/judge.ts";
import type { IncidentPack } from "../core/incident/pack.ts";
import { formOf, isStanding } from "../core/response/cache-entry.ts";
import type { Action, Plan, PurgeAction, Step } from "../core/response/plan.ts";
import { type Estate, planResponse } from "../core/response/planner.ts";
import { maySkip, type Progress, progressOf, ready, type ResponseEvent, whyNot, whyNotUndo } from "../core/response/progress.ts";
import { reportHtml, reportJson, reportMarkdown, reportOf, type ResponseReport } from "../core/response/report.ts";
import type { ExceptionVerbs } from "./exceptions.ts";

export type StoredResponse = {
  readonly plan: Plan;
  readonly pack: IncidentPack;
  readonly events: readonly ResponseEvent[];
  /** Lines of the journal that cannot be read. */
  readonly damaged: number;
};

export type ResponseStore = {
  /** Keeps a plan; the same plan again changes nothing. */
  open(plan: Plan, pack: IncidentPack): Promise<void>;
  /** By a prefix of its id. Fault USAGE when none or several are meant, STORE_BROKEN when it is not the plan its id names. */
  read(id: string): Promise<StoredResponse>;
  /** Ids of what was begun, for an incident. */
  list(incident: string): Promise<readonly string[]>;
  /** Durable when it resolves. Lines of two processes never mix. */
  append(id: string, event: ResponseEvent): Promise<void>;
  /** Writes a file beside the plan; gives its path. */
  write(id: string, name: string, text: string): Promise<string>;
};

/** What a file action did, in one line. */
export type Done = { readonly detail: string; readonly made?: readonly string[] };

export type FileActions = {
  preserve(plan: Plan, files: readonly string[], by: string): Promise<Done>;
  purge(action: PurgeAction): Promise<Done>;
  /** Whether the client can no longer get the version from there. */
  isPurged(action: PurgeAction): Promise<boolean>;
};

export type ResponsePorts = {
  readonly clock: Clock;
  readonly store: ResponseStore;
  readonly actions: FileActions;
  readonly exceptions: Pick<ExceptionVerbs, "deny" | "denies" | "removeDeny" | "freeze" | "freezes" | "liftFreeze">;
  /** Asks again what was asked when the plan was made. */
  look(pack: IncidentPack, scope: Plan["scope"]): Promise<readonly Answer[]>;
};

export type Surveyor = {
  /** Names of secrets and projects in reach of these answers; reads no value. */
  survey(pack: IncidentPack, answers: readonly Answer[]): Promise<Estate>;
};

export async function makePlan(surveyor: Surveyor, pack: IncidentPack, answers: readonly Answer[], scope: Plan["scope"]): Promise<Plan> {
  return planResponse(pack, answers, scope, await surveyor.survey(pack, answers));
}

export type Ran = { readonly step: Step; readonly outcome: "done" | "failed"; readonly detail: string };

export function responseVerbs(ports: ResponsePorts, by: string) {
  const { clock, store } = ports;

  async function record(plan: Plan, step: string, what: ResponseEvent["what"], { detail, made }: Done): Promise<void> {
    await store.append(plan.id, { at: clock.now(), by, step, what, detail, ...(made !== undefined && { made: [...made] }) });
  }

  /** Takes a step, or says why not. Of two who try at once, the one whose line came first has it. */
  async function claim(plan: Plan, step: Step): Promise<Progress> {
    const before = progressOf(plan, (await store.read(plan.id)).events);
    const why = whyNot(step, before, by);
    if (why !== undefined) throw new Fault("USAGE", `${step.id}: ${why}`);
    await record(plan, step.id, "claimed", { detail: "" });
    const progress = progressOf(plan, (await store.read(plan.id)).events);
    const { state, last } = progress.get(step.id)!;
    if (state !== "running" || last!.by !== by) throw new Fault("USAGE", `${step.id}: ${last?.by ?? "somebody else"} was faster`);
    return progress;
  }

  async function execute({ plan, pack }: StoredResponse, step: Step & { readonly who: "cordon" }): Promise<Ran> {
    await claim(plan, step);
    try {
      const done = await act(plan, pack, step.action);
      await record(plan, step.id, "done", done);
      return { step, outcome: "done", detail: done.detail };
    } catch (error) {
      // A step that failed is told and stays failed; whatever waits for it goes on waiting.
      if (!(error instanceof Fault)) {
        await record(plan, step.id, "failed", { detail: "a bug of cordon ended it" });
        throw error;
      }
      await record(plan, step.id, "failed", { detail: error.message });
      return { step, outcome: "failed", detail: error.message };
    }
  }

  async function act(plan: Plan, pack: IncidentPack, action: Action): Promise<Done> {
    const owned = { owner: by, reason: `${plan.incident.id}, response ${plan.id}` };
    switch (action.kind) {
      case "deny": {
        const { name, version, integrity } = action;
        const same = (await ports.exceptions.denies()).find(
          (one) => one.name === name && one.version === version && (integrity === undefined || one.integrity === integrity),
        );
        if (same) return { detail: "it was denied already, which is left as it is" };
        const deny = await ports.exceptions.deny({ spec: `${name}@${version}`, ...(integrity !== undefined && { integrity }) }, owned);
        const bytes = deny.integrity === undefined ? "by name; its bytes are not known here" : "by name and by bytes";
        return { detail: `denied ${bytes}`, made: [deny.id] };
      }
      case "freeze": {
        const before = parseInstant(action.before);
        if (before === undefined)
          throw new Fault("STORE_BROKEN", `the plan freezes before ${JSON.stringify(action.before)}, which is no time`);
        const freeze = await ports.exceptions.freeze({ before, expires: instant(clock.now() + action.days * DAY) }, owned);
        return { detail: `${freeze.id}, until ${iso(freeze.expires)}`, made: [freeze.id] };
      }
      case "preserve":
        return ports.actions.preserve(plan, action.files, by);
      case "purge":
        return ports.actions.purge(action);
      case "recheck":
        return recheck(plan, pack);
      case "report": {
        const { paths } = await writeReport(plan.id);
        return { detail: paths.join(", ") };
      }
    }
  }

  /** Fails while anything poisoned still stands. A purged cache keeps the record of what it held; that is no finding any more. */
  async function recheck(plan: Plan, pack: IncidentPack): Promise<Done> {
    const answers = await ports.look(pack, plan.scope);
    const gone = new Set<string>();
    for (const step of plan.steps)
      if (step.who === "cordon" && step.action.kind === "purge" && (await ports.actions.isPurged(step.action)))
        gone.add(keyOf(step.action.file, step.action.name, step.action.version));
    const standing = answers.flatMap(({ place, evidence }) =>
      evidence.filter((one) => isStanding(one) && !gone.has(keyOf(one.file, one.name, one.version))).map((one) => ({ place, ...one })),
    );
    const first = standing[0];
    if (first) throw new Fault("USAGE", `${standing.length} still there, first ${first.place}: ${first.text} (${first.file})`);
    const records = answers.flatMap(({ evidence }) => evidence.filter((one) => formOf(one) !== undefined)).length;
    const unknown = answers.reduce((sum, { missing }) => sum + missing.length, 0);
    return { detail: `nothing poisoned stands any more; ${records} records of the past, ${unknown} gaps in what could be looked at` };
  }

  async function writeReport(
    id: string,
  ): Promise<{ readonly report: ResponseReport; readonly markdown: string; readonly json: string; readonly paths: readonly string[] }> {
    const { plan, pack, events, damaged } = await store.read(id);
    const report = reportOf(plan, pack, events, damaged);
    const [markdown, json] = [reportMarkdown(report), reportJson(report)];
    const files = { "report.md": markdown, "report.html": reportHtml(report), "report.json": json };
    const paths: string[] = [];
    for (const [name, text] of Object.entries(files)) paths.push(await store.write(plan.id, name, text));
    return { report, markdown, json, paths };
  }

  return {
    async open(plan: Plan, pack: IncidentPack): Promise<void> {
      await store.open(plan, pack);
      const { events } = await store.read(plan.id);
      if (events.length === 0) await record(plan, "plan", "opened", { detail: plan.incident.title });
    },

    /** Everything cordon can do now, in the plan's order; ends where only people can go on. A failed step is tried once. */
    async run(id: string, tell: (ran: Ran) => void): Promise<StoredResponse> {
      const tried = new Set<string>();
      for (;;) {
        const response = await store.read(id);
        const progress = progressOf(response.plan, response.events);
        // A step of ours that a killed run left running is gone on with.
        const next = response.plan.steps.find(
          (step) => step.who === "cordon" && !tried.has(step.id) && whyNot(step, progress, by) === undefined,
        );
        if (next?.who !== "cordon") return response;
        tried.add(next.id);
        tell(await execute(response, next));
      }
    },

    /** A person says that a step of theirs is done. */
    async confirm(id: string, step: Step, note: string): Promise<void> {
      const { plan } = await store.read(id);
      if (step.who !== "you") throw new Fault("USAGE", `${step.id} is cordon's own: cordon respond --execute ${plan.id}`);
      await claim(plan, step);
      await record(plan, step.id, "done", { detail: note });
    },

    async leaveOut(id: string, step: Step, reason: string): Promise<void> {
      const { plan } = await store.read(id);
      if (!maySkip(step)) throw new Fault("USAGE", `${step.id} cannot be left out: later steps rely on it`);
      await claim(plan, step);
      await record(plan, step.id, "skipped", { detail: reason });
    },

    async undo(id: string, step: Step, note: string): Promise<string> {
      const { plan, events } = await store.read(id);
      const progress = progressOf(plan, events);
      const why = whyNotUndo(plan, step, progress);
      if (why !== undefined) throw new Fault("USAGE", `${step.id}: ${why}`);
      const { made } = progress.get(step.id)!;
      if (step.who === "cordon" && step.action.kind === "deny") for (const one of made) await ports.exceptions.removeDeny(one, by);
      if (step.who === "cordon" && step.action.kind === "freeze") for (const one of made) await ports.exceptions.liftFreeze(one, by);
      const detail =
        step.who === "you" ? note : made.length === 0 ? "there was nothing of ours to take back" : `took back ${made.join(", ")}`;
      await record(plan, step.id, "undone", { detail });
      return detail;
    },

    report: writeReport,
  };
}

export type ResponseVerbs = ReturnType<typeof responseVerbs>;

/** Steps of people whose turn it is. */
export function waiting({ plan, events }: Pick<StoredResponse, "plan" | "events">): readonly (Step & { readonly who: "you" })[] {
  return ready(plan, progressOf(plan, events)).filter((step) => step.who === "you");
}

function keyOf(file: string, name: string | undefined, version: string | undefined): string {
  return `${file}\n${name}@${version}`;
}
