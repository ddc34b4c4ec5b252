/**
 * `cordon respond`: makes a plan, and carries it out step by step with no choices left. What is done, by whom and when is in the journal of
 * the response before and after each step, so that a killed run is gone on with and two people can work at once.
 */
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { DAY, type Clock, instant, iso, parseInstant } from "../core/base/time.ts";
import type { Answer } from "../core/exposure/judge.ts";
import type { IncidentPack } from "../core/incident/pack.ts";
import { formOf, isStanding } from "../core/response/cache-entry.ts";
import type { Journal, ResponseEvent } from "../core/response/journal.ts";
import type { Action, OwnTest, Plan, PurgeAction, RevalidateAction, RollbackAction, Step } from "../core/response/plan.ts";
import { type Estate, planResponse } from "../core/response/planner.ts";
import { maySkip, progressOf, ready, whyNot, whyNotUndo } from "../core/response/progress.ts";
import { reportHtml, reportJson, reportMarkdown, reportOf, type ResponseReport } from "../core/response/report.ts";
import type { ExceptionVerbs } from "./exceptions.ts";

export type StoredResponse = Omit<Journal, "digests"> & { readonly plan: Plan; readonly pack: IncidentPack };

export type ResponseStore = {
  /** Keeps a plan; the same plan again changes nothing. */
  open(plan: Plan, pack: IncidentPack): Promise<void>;
  /**
   * By a prefix of its id; a journal whose chain breaks is given as far as it holds. Fault USAGE when none or several are meant, STORE_BROKEN
   * when it is not the plan its id names.
   */
  read(id: string): Promise<StoredResponse>;
  /** Ids of what was begun, for an incident. */
  list(incident: string): Promise<readonly string[]>;
  /** Durable when it resolves. Lines of two processes never mix. Fault STORE_BROKEN when the journal's chain breaks. */
  append(id: string, event: ResponseEvent): Promise<void>;
  /** A step for this process alone while it does it; undefined when another living one has it in hand. */
  hold(id: string, step: string): Promise<{ release(): Promise<void> } | undefined>;
  /** Writes a file beside the plan; gives its path. */
  write(id: string, name: string, text: string): Promise<string>;
};

export type Done = {
  /** What it did, in one line. */
  readonly detail: string;
  /** What undoing it needs. */
  readonly made?: readonly string[];
  /** What it found, a line each. */
  readonly found?: readonly string[];
  /** Why it counts as failed although it could be carried out. */
  readonly problem?: string;
};

export type FileActions = {
  preserve(plan: Plan, files: readonly string[], by: string): Promise<Done>;
  purge(action: PurgeAction): Promise<Done>;
  /** Whether the client can no longer get the version from there. */
  isPurged(action: PurgeAction): Promise<boolean>;
  /** Which of these places of the machine, as a pack writes them, hold something. */
  leftAt(paths: readonly string[]): Promise<readonly string[]>;
  /** Why the evidence of a plan is not what was kept; undefined while it is. */
  evidenceProblem(plan: Plan): Promise<string | undefined>;
};

/** What is done to projects, on branches of their own (`respond-projects.ts`). */
export type ProjectActions = {
  rollBack(plan: Plan, pack: IncidentPack, step: string, action: RollbackAction, by: string): Promise<Done>;
  /** Why the branch is not what it should be; undefined when it is. */
  rollbackProblem(pack: IncidentPack, action: RollbackAction): Promise<string | undefined>;
  /** Deletes the branch while it stands at `commit`. */
  takeBack(action: RollbackAction, commit: string): Promise<void>;
  revalidate(action: RevalidateAction): Promise<Done>;
};

export type ResponsePorts = {
  readonly clock: Clock;
  readonly store: ResponseStore;
  readonly actions: FileActions;
  readonly projects: ProjectActions;
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

export type Ran = {
  readonly step: Step;
  readonly outcome: "done" | "failed";
  readonly detail: string;
  readonly found: readonly string[];
};

/** Actions whose outcome has to last while later steps rely on it; a branch may be taken over and deleted, a freeze ends by itself. */
const LASTING: ReadonlySet<Action["kind"]> = new Set(["deny", "preserve", "purge"]);

export function responseVerbs(ports: ResponsePorts, by: string) {
  const { clock, store } = ports;

  async function record(plan: Plan, step: string, what: ResponseEvent["what"], { detail, made, found }: Done): Promise<void> {
    await store.append(plan.id, {
      at: clock.now(),
      by,
      step,
      what,
      detail,
      ...(made !== undefined && { made: [...made] }),
      ...(found !== undefined && found.length > 0 && { found: found.slice(0, LIMITS.responseFound) }),
    });
  }

  /** Nothing is done on a journal that somebody changed: who did what is no longer known. */
  async function sound(id: string): Promise<StoredResponse> {
    const response = await store.read(id);
    if (response.broken !== undefined)
      throw new Fault("STORE_BROKEN", `plan ${response.plan.id}: ${response.broken}; --report tells what stood before`);
    return response;
  }

  /** Takes a step, or says why not. Of two who try at once, the one whose line came first has it. */
  async function claim(plan: Plan, step: Step): Promise<string | undefined> {
    const before = progressOf(plan, (await sound(plan.id)).events);
    const why = whyNot(step, before, by);
    if (why !== undefined) return why;
    await record(plan, step.id, "claimed", { detail: "" });
    const { state, last } = progressOf(plan, (await sound(plan.id)).events).get(step.id)!;
    return state === "running" && last!.by === by ? undefined : `${last?.by ?? "somebody else"} was faster`;
  }

  async function claimOrThrow(plan: Plan, step: Step): Promise<void> {
    const why = await claim(plan, step);
    if (why !== undefined) throw new Fault("USAGE", `${step.id}: ${why}`);
  }

  /** A step that is claimed. `seen`: what was found whole in this run already and is large. */
  async function execute({ plan, pack }: StoredResponse, step: Step & { readonly who: "cordon" }, seen: Set<string>): Promise<Ran> {
    try {
      await stillHolds(plan, pack, step, seen);
      const done = await act(plan, pack, step);
      const problem = done.problem ?? (await undone(plan, pack, step.action));
      await record(plan, step.id, problem === undefined ? "done" : "failed", { ...done, detail: problem ?? done.detail });
      const { found = [] } = done;
      return { step, outcome: problem === undefined ? "done" : "failed", detail: problem ?? done.detail, found };
    } catch (error) {
      // A step that failed is told and stays failed; whatever waits for it goes on waiting.
      if (!(error instanceof Fault)) {
        await record(plan, step.id, "failed", { detail: "a bug of cordon ended it" });
        throw error;
      }
      await record(plan, step.id, "failed", { detail: error.message });
      return { step, outcome: "failed", detail: error.message, found: [] };
    }
  }

  /**
   * What a step relies on was done some time ago, perhaps by somebody else: right before it begins it is looked at again. Above all nothing is
   * taken out of a cache whose copy among the evidence is not whole.
   */
  async function stillHolds(plan: Plan, pack: IncidentPack, step: Step, seen: Set<string>): Promise<void> {
    const progress = progressOf(plan, (await sound(plan.id)).events);
    for (const id of step.needs) {
      const needed = plan.steps.find((one) => one.id === id)!;
      if (needed.who !== "cordon" || !LASTING.has(needed.action.kind) || progress.get(id)!.state !== "done" || seen.has(id)) continue;
      const why = await undone(plan, pack, needed.action);
      // All of the evidence is read for it: once is enough for the caches that are emptied one after another.
      if (needed.action.kind === "preserve") seen.add(id);
      if (why !== undefined) throw new Fault("USAGE", `${id} was done and holds no more: ${why}; put that right first`);
    }
  }

  /** The step's own test: why it is not done. Undefined when it is, or when doing it was the test. */
  async function undone(plan: Plan, pack: IncidentPack, action: Action): Promise<string | undefined> {
    switch (action.kind) {
      case "deny": {
        const spec = specOf(action);
        return (await denyOf(action)) === undefined ? `${spec} is not denied: cordon deny add ${spec}` : undefined;
      }
      case "freeze":
        return (await ports.exceptions.freezes()).some(({ before }) => before === parseInstant(action.before))
          ? undefined
          : `no freeze from ${action.before} on is in force`;
      case "preserve":
        return ports.actions.evidenceProblem(plan);
      case "purge":
        return (await ports.actions.isPurged(action))
          ? undefined
          : `${action.name}@${action.version} can still be had from ${action.folder}`;
      case "rollback":
        return ports.projects.rollbackProblem(pack, action);
      case "revalidate-lock":
      case "revalidate-own":
      case "recheck":
      case "report":
        return undefined;
    }
  }

  /** What cordon sees of a person's step that is not done. */
  async function leftBy(pack: IncidentPack, test: OwnTest): Promise<string | undefined> {
    if (test.kind === "gone") {
      const left = await ports.actions.leftAt(test.paths);
      return left.length === 0 ? undefined : `${left.join(", ")} ${left.length === 1 ? "is" : "are"} still there`;
    }
    const answers = await ports.look(pack, { paths: [test.folder], machine: false });
    // Projects below it have steps of their own.
    const standing = answers.filter(({ place }) => place === test.folder).flatMap(({ evidence }) => evidence.filter(isStanding));
    return standing[0] && `${standing[0].text} (${standing[0].file})${standing.length > 1 ? ` and ${standing.length - 1} more` : ""}`;
  }

  async function denyOf({ name, version, integrity }: Extract<Action, { readonly kind: "deny" }>) {
    return (await ports.exceptions.denies()).find(
      (one) => one.name === name && one.version === version && (integrity === undefined || one.integrity === integrity),
    );
  }

  async function act(plan: Plan, pack: IncidentPack, { id, action }: Step & { readonly who: "cordon" }): Promise<Done> {
    const owned = { owner: by, reason: `${plan.incident.id}, response ${plan.id}` };
    switch (action.kind) {
      case "deny": {
        const { integrity } = action;
        if (await denyOf(action)) return { detail: "it was denied already, which is left as it is" };
        const deny = await ports.exceptions.deny({ spec: specOf(action), ...(integrity !== undefined && { integrity }) }, owned);
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
      case "rollback":
        return ports.projects.rollBack(plan, pack, id, action, by);
      case "revalidate-lock":
      case "revalidate-own":
        return ports.projects.revalidate(action);
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
    if (first)
      return {
        detail: "",
        problem: `${standing.length} still there, first ${first.place}: ${first.text} (${first.file})`,
        found: standing.map(({ place, text, file }) => `still there: ${place}: ${text} (${file})`),
      };
    const records = answers.flatMap(({ evidence }) => evidence.filter((one) => formOf(one) !== undefined)).length;
    const unknown = answers.reduce((sum, { missing }) => sum + missing.length, 0);
    return { detail: `nothing poisoned stands any more; ${records} records of the past, ${unknown} gaps in what could be looked at` };
  }

  /** What somebody took back by hand before is gone already. */
  async function takeBack(action: Action, made: string): Promise<void> {
    switch (action.kind) {
      case "deny":
        if ((await ports.exceptions.denies()).some(({ id }) => id === made)) await ports.exceptions.removeDeny(made, by);
        return;
      case "freeze":
        if ((await ports.exceptions.freezes()).some(({ id }) => id === made)) await ports.exceptions.liftFreeze(made, by);
        return;
      case "rollback":
        return ports.projects.takeBack(action, made);
      case "preserve":
      case "purge":
      case "revalidate-lock":
      case "revalidate-own":
      case "recheck":
      case "report":
        return;
    }
  }

  async function writeReport(
    id: string,
  ): Promise<{ readonly report: ResponseReport; readonly markdown: string; readonly json: string; readonly paths: readonly string[] }> {
    const { plan, pack, ...journal } = await store.read(id);
    const report = reportOf(plan, pack, journal);
    const [markdown, json] = [reportMarkdown(report), reportJson(report)];
    const files = { "report.md": markdown, "report.html": reportHtml(report), "report.json": json };
    const paths: string[] = [];
    for (const [name, text] of Object.entries(files)) paths.push(await store.write(plan.id, name, text));
    return { report, markdown, json, paths };
  }

  return {
    async open(plan: Plan, pack: IncidentPack): Promise<void> {
      await store.open(plan, pack);
      const { events } = await sound(plan.id);
      if (events.length === 0) await record(plan, "plan", "opened", { detail: plan.incident.title });
    },

    /** Everything cordon can do now, in the plan's order; ends where only people can go on. A failed step is tried once. */
    async run(id: string, tell: (ran: Ran) => void): Promise<StoredResponse> {
      const tried = new Set<string>();
      const seen = new Set<string>();
      for (;;) {
        const response = await sound(id);
        const progress = progressOf(response.plan, response.events);
        // A step of ours that a killed run left running is gone on with.
        const next = response.plan.steps.find(
          (step) => step.who === "cordon" && !tried.has(step.id) && whyNot(step, progress, by) === undefined,
        );
        if (next?.who !== "cordon") return response;
        tried.add(next.id);
        // Whoever was faster does it, in another terminal of one's own too; there may be more to do.
        const hold = await store.hold(response.plan.id, next.id);
        if (hold === undefined) continue;
        try {
          if ((await claim(response.plan, next)) === undefined) tell(await execute(response, next, seen));
        } finally {
          await hold.release();
        }
      }
    },

    /** A person says that a step of theirs is done. Where cordon can see that it is not, that takes a reason. */
    async confirm(id: string, step: Step, note: string): Promise<void> {
      const { plan, pack, events } = await sound(id);
      if (step.who !== "you") throw new Fault("USAGE", `${step.id} is cordon's own: cordon respond --execute ${plan.id}`);
      const early = whyNot(step, progressOf(plan, events), by);
      if (early !== undefined) throw new Fault("USAGE", `${step.id}: ${early}`);
      const left = step.test && (await leftBy(pack, step.test));
      if (left !== undefined && note.trim() === "")
        throw new Fault("USAGE", `${step.id} is not done: ${left}; if that is as it should be, say why: --reason "…"`);
      await claimOrThrow(plan, step);
      await record(plan, step.id, "done", { detail: note, ...(left !== undefined && { found: [`confirmed although ${left}`] }) });
    },

    async leaveOut(id: string, step: Step, reason: string): Promise<void> {
      const { plan } = await store.read(id);
      if (!maySkip(step)) throw new Fault("USAGE", `${step.id} cannot be left out: later steps rely on it`);
      await claimOrThrow(plan, step);
      await record(plan, step.id, "skipped", { detail: reason });
    },

    async undo(id: string, step: Step, note: string): Promise<string> {
      const { plan, events } = await sound(id);
      const progress = progressOf(plan, events);
      const why = whyNotUndo(plan, step, progress);
      if (why !== undefined) throw new Fault("USAGE", `${step.id}: ${why}`);
      const { made } = progress.get(step.id)!;
      if (step.who === "cordon") for (const one of made) await takeBack(step.action, one);
      const detail =
        step.who === "you" ? note : made.length === 0 ? "there was nothing of ours to take back" : `took back ${made.join(", ")}`;
      await record(plan, step.id, "undone", { detail });
      return detail;
    },

    /** What a person did within a step, with cordon's help: a token revoked. */
    async note(id: string, step: Step, detail: string): Promise<void> {
      const { plan } = await sound(id);
      await record(plan, step.id, "noted", { detail });
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

/** A deny without a version is for every version of the name. */
function specOf({ name, version }: Extract<Action, { readonly kind: "deny" }>): string {
  return version === undefined ? name : `${name}@${version}`;
}
