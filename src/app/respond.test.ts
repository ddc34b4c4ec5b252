import { expect, test } from "vitest";
import { incidentPack, seenAs } from "../../test/samples/incident.ts";
import { Fault } from "../core/base/fault.ts";
import { instant } from "../core/base/time.ts";
import type { Answer } from "../core/exposure/judge.ts";
import type { Form } from "../core/exposure/sighting.ts";
import type { Deny, Freeze } from "../core/policy/policy.ts";
import type { IncidentPack } from "../core/incident/pack.ts";
import { type Plan, stepOf } from "../core/response/plan.ts";
import { planResponse } from "../core/response/planner.ts";
import type { ResponseEvent } from "../core/response/journal.ts";
import { progressOf } from "../core/response/progress.ts";
import { type ResponsePorts, responseVerbs, waiting } from "./respond.ts";

const PACK = incidentPack({ coverage: { kind: "partial" } });

function answer(place: string, form: Form, file: string): Answer {
  const evidence = seenAs(form, file);
  return { place, level: evidence.level, evidence: [evidence], missing: [], reasons: [] };
}

const BUCKET = "/c/_cacache/index-v5/aa/bb/cc";
const HIT = [answer("/p", "folder", "/p/node_modules/left"), answer("/c/_cacache", "cache", BUCKET)];

const PROJECT = {
  root: "/p",
  client: "npm",
  direct: { left: "dependencies" },
  publishes: [],
  git: { why: "it is no repository" },
} as const;

function planned(answers: readonly Answer[]): Plan {
  return planResponse(
    PACK,
    answers,
    { paths: ["/p"], machine: true },
    { platform: "linux", secrets: [], projects: [PROJECT], lastGood: new Map() },
  );
}

/** Everything a response stands on, in memory; `now` is what a look at the machine finds. */
function ground(now: { answers: readonly Answer[] }) {
  const kept = new Map<string, { plan: Plan; pack: IncidentPack; events: ResponseEvent[] }>();
  const did: string[] = [];
  let denies: readonly Deny[] = [];
  let freezes: readonly Freeze[] = [];
  let fail: string | undefined;
  let broken: string | undefined;
  let elsewhere: string | undefined;
  let left: readonly string[] = [];
  let evidence: string | undefined;
  const clock = { now: () => instant(Date.parse("2026-01-02T00:00:00Z")) };
  const owned = { owner: "mara", reason: "x", created: clock.now() };
  const ports: ResponsePorts = {
    clock,
    store: {
      open: async (plan, pack) => void (kept.has(plan.id) || kept.set(plan.id, { plan, pack, events: [] })),
      async read(id) {
        const { plan, pack, events } = kept.get(id)!;
        return { plan, pack, events: [...events], damaged: 0, head: "", ...(broken !== undefined && { broken }) };
      },
      list: async () => [...kept.keys()],
      append: async (id, event) => void kept.get(id)!.events.push(event),
      hold: async (_id, step) => (step === elsewhere ? undefined : { release: async () => {} }),
      write: async (_id, name) => `/data/${name}`,
    },
    actions: {
      async preserve() {
        did.push("preserve");
        if (fail === "preserve") throw new Fault("STORE_BROKEN", "the disk is full");
        return { detail: "copied" };
      },
      async purge({ file }) {
        did.push(`purge ${file}`);
        return { detail: "removed" };
      },
      isPurged: async ({ file }) => did.includes(`purge ${file}`) && fail !== "purge",
      evidenceProblem: async () => evidence,
      leftAt: async () => left,
    },
    projects: {
      async rollBack(_plan, _pack, _step, { branch }) {
        did.push(`branch ${branch}`);
        return { detail: "made", made: ["c0ffee"], found: ["left 1.0.1 to 1.0.0"] };
      },
      rollbackProblem: async () => (fail === "rollback" ? "it still names left@1.0.1" : undefined),
      async takeBack({ branch }, commit) {
        did.push(`delete ${branch} at ${commit}`);
      },
      async revalidate({ kind }) {
        return { detail: kind, found: [kind], ...(fail === kind && { problem: "other bytes" }) };
      },
    },
    exceptions: {
      async deny({ spec }) {
        const deny: Deny = { id: `d-${denies.length}`, name: spec!.split("@")[0]!, version: spec!.split("@")[1]!, ...owned };
        denies = [...denies, deny];
        return deny;
      },
      denies: async () => denies,
      removeDeny: async (id) => void (denies = denies.filter((one) => one.id !== id)),
      async freeze({ before, expires }) {
        const freeze: Freeze = { id: `f-${freezes.length}`, before, expires, ...owned };
        freezes = [...freezes, freeze];
        return freeze;
      },
      freezes: async () => freezes,
      liftFreeze: async (id) => freezes.filter((one) => one.id === id),
    },
    look: async () => now.answers,
  };
  return {
    ports,
    did,
    failing: (what: string | undefined) => void (fail = what),
    inAnotherHand: (step: string | undefined) => void (elsewhere = step),
    leaving: (...paths: readonly string[]) => void (left = paths),
    breaking: (what: string) => void (broken = what),
    losing: (what: string | undefined) => void (evidence = what),
    denied: () => denies,
    events: (id: string) => kept.get(id)!.events,
  };
}

test("it goes as far as it can, waits for people, and goes on where it stopped, also in another process", async () => {
  const now = { answers: HIT as readonly Answer[] };
  const plan = planned(HIT);
  const { ports, did, denied } = ground(now);
  const mara = responseVerbs(ports, "mara");
  await mara.open(plan, PACK);
  await mara.open(plan, PACK);
  let response = await mara.run(plan.id, () => {});
  expect(denied()).toHaveLength(1);
  expect(did).toEqual([]);
  for (let rounds = 0; rounds < 20; rounds += 1) {
    const [next] = waiting(response);
    if (next === undefined) break;
    if (next.phase === "rollback") now.answers = [HIT[1]!];
    await responseVerbs(ports, "jo").confirm(plan.id, next, "done by hand");
    response = await responseVerbs(ports, "mara").run(plan.id, () => {});
  }
  expect([...progressOf(plan, response.events).values()].every(({ state }) => state === "done")).toBe(true);
  expect(did).toEqual(["preserve", `purge ${BUCKET}`]);
  expect(response.events.filter(({ what }) => what === "opened")).toHaveLength(1);
});

test("the second look fails while anything stands, and passes once it is gone; a purged cache's records are no finding", async () => {
  const now = { answers: HIT as readonly Answer[] };
  const plan = planned(HIT);
  const { ports } = ground(now);
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, PACK);
  let response = await verbs.run(plan.id, () => {});
  for (let next = waiting(response)[0]; next !== undefined; next = waiting(response)[0]) {
    await verbs.confirm(plan.id, next, "so I am told");
    response = await verbs.run(plan.id, () => {});
  }
  const state = () => progressOf(plan, response.events).get("verify-1")!;
  expect(state().state).toBe("failed");
  expect(state().last!.detail).toContain("left@1.0.1: it lies in node_modules");
  now.answers = [HIT[1]!];
  response = await verbs.run(plan.id, () => {});
  expect(state().state).toBe("done");
});

test("a step that fails is told, holds back what waits for it, and may be tried again", async () => {
  const plan = planned(HIT);
  const { ports, did, failing } = ground({ answers: HIT });
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, PACK);
  failing("preserve");
  await verbs.confirm(plan.id, stepOf(plan, "isolate-1")!, "");
  const ran: string[] = [];
  let response = await verbs.run(plan.id, ({ step, outcome }) => ran.push(`${step.id} ${outcome}`));
  expect(ran).toEqual(["declare-1 done", "declare-2 done", "preserve-1 failed"]);
  expect(waiting(response)).toEqual([]);
  await expect(verbs.confirm(plan.id, stepOf(plan, "persistence-1")!, "")).rejects.toThrow("it waits for preserve-1");
  failing(undefined);
  response = await verbs.run(plan.id, () => {});
  expect(waiting(response).map(({ id }) => id)).toEqual(["persistence-1"]);
  expect(did).toEqual(["preserve", "preserve"]);
});

test("of two who take one step at once, one gets it; what one has, the other cannot end", async () => {
  const plan = planned(HIT);
  const { ports, events } = ground({ answers: HIT });
  const [mara, jo] = [responseVerbs(ports, "mara"), responseVerbs(ports, "jo")];
  await mara.open(plan, PACK);
  const step = stepOf(plan, "isolate-1")!;
  const both = await Promise.allSettled([mara.confirm(plan.id, step, "mara"), jo.confirm(plan.id, step, "jo")]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(events(plan.id).filter(({ step: id, what }) => id === step.id && what === "done")).toHaveLength(1);
});

test("taking back removes exactly what the step made; what was denied before stays", async () => {
  const plan = planned(HIT);
  const { ports, denied } = ground({ answers: HIT });
  const verbs = responseVerbs(ports, "mara");
  await ports.exceptions.deny({ spec: "other@1.0.0" }, { owner: "jo", reason: "y" });
  await verbs.open(plan, PACK);
  await verbs.run(plan.id, () => {});
  expect(denied().map(({ name }) => name)).toEqual(["other", "left"]);
  await verbs.undo(plan.id, stepOf(plan, "declare-1")!, "");
  expect(denied().map(({ name }) => name)).toEqual(["other"]);
  await expect(verbs.leaveOut(plan.id, stepOf(plan, "isolate-1")!, "hurry")).rejects.toThrow("cannot be left out");
  await expect(verbs.confirm(plan.id, stepOf(plan, "declare-2")!, "")).rejects.toThrow("cordon's own");
});

const IN_GIT = { ...PROJECT, git: { base: "ba5e".padEnd(40, "0") } };
const LOCKED = [answer("/p", "lockfile", "/p/package-lock.json"), answer("/c/_cacache", "cache", BUCKET)] as const;

/** A response in which people do their part at once, up to where cordon fails or nothing is left. */
async function carriedOut(ports: ResponsePorts, plan: Plan, by = "mara") {
  const verbs = responseVerbs(ports, by);
  await verbs.open(plan, PACK);
  let response = await verbs.run(plan.id, () => {});
  for (let next = waiting(response)[0]; next !== undefined; next = waiting(response)[0]) {
    await verbs.confirm(plan.id, next, "");
    response = await verbs.run(plan.id, () => {});
  }
  return { verbs, state: (id: string) => progressOf(plan, response.events).get(id)!, response };
}

function plannedInGit(): Plan {
  return planResponse(
    PACK,
    LOCKED,
    { paths: ["/p"], machine: true },
    { platform: "linux", secrets: [], projects: [{ ...IN_GIT, publishes: ["mine"] }], lastGood: new Map() },
  );
}

test("a branch is made, tested, and deleted again at the commit that was made, once nothing relies on it", async () => {
  const plan = plannedInGit();
  const { ports, did } = ground({ answers: [] });
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, PACK);
  const response = await verbs.run(plan.id, () => {});
  expect(did).toContain("branch cordon/respond-left-2026-p");
  expect(progressOf(plan, response.events).get("rollback-1")).toMatchObject({ state: "done", made: ["c0ffee"] });
  const over = stepOf(plan, "rollback-2")!;
  await verbs.confirm(plan.id, over, "merged");
  await expect(verbs.undo(plan.id, stepOf(plan, "rollback-1")!, "")).rejects.toThrow("rollback-2 came after it and relies on it");
  await verbs.undo(plan.id, over, "reset");
  await verbs.undo(plan.id, stepOf(plan, "rollback-1")!, "");
  expect(did.at(-1)).toBe("delete cordon/respond-left-2026-p at c0ffee");
});

test("a step whose own test fails is not done, although it could be carried out; what it made can be taken back", async () => {
  for (const [what, step, said] of [
    ["rollback", "rollback-1", "it still names left@1.0.1"],
    ["purge", "purge-1", "left@1.0.1 can still be had from /c/_cacache"],
    ["revalidate-own", "revalidate-3", "other bytes"],
  ] as const) {
    const plan = plannedInGit();
    const { ports, did, failing } = ground({ answers: [] });
    failing(what);
    const { state, verbs } = await carriedOut(ports, plan);
    expect(state(step), step).toMatchObject({ state: "failed", last: { detail: said } });
    if (what === "rollback") {
      await verbs.undo(plan.id, stepOf(plan, step)!, "");
      expect(did.at(-1)).toBe("delete cordon/respond-left-2026-p at c0ffee");
    } else await expect(verbs.undo(plan.id, stepOf(plan, step)!, "")).rejects.toThrow("it is failed");
    failing(undefined);
    expect((await carriedOut(ports, plan)).state(step).state).toBe("done");
  }
});

test("what a step relies on is looked at again right before it: no cache is emptied once the evidence or the deny is gone", async () => {
  const plan = planned(HIT);
  const { ports, did, losing, denied } = ground({ answers: HIT });
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, PACK);
  await verbs.run(plan.id, () => {});
  await verbs.confirm(plan.id, stepOf(plan, "isolate-1")!, "");
  await verbs.run(plan.id, () => {});
  await verbs.confirm(plan.id, stepOf(plan, "persistence-1")!, "");
  losing("files/ab is not what was copied");
  let ran: string[] = [];
  await verbs.run(plan.id, ({ step, detail }) => ran.push(`${step.id}: ${detail}`));
  expect(ran).toEqual(["purge-1: preserve-1 was done and holds no more: files/ab is not what was copied; put that right first"]);
  losing(undefined);
  await ports.exceptions.removeDeny(denied()[0]!.id, "jo");
  ran = [];
  await verbs.run(plan.id, ({ step, detail }) => ran.push(`${step.id}: ${detail}`));
  expect(ran).toEqual([
    "purge-1: declare-1 was done and holds no more: left@1.0.1 is not denied: cordon deny add left@1.0.1; put that right first",
  ]);
  expect(did).toEqual(["preserve"]);
  await ports.exceptions.deny({ spec: "left@1.0.1" }, { owner: "jo", reason: "back" });
  await verbs.run(plan.id, () => {});
  expect(did).toEqual(["preserve", `purge ${BUCKET}`]);
});

test("what a step found is kept for the report, also when it failed", async () => {
  const plan = plannedInGit();
  const { ports, failing } = ground({ answers: [] });
  failing("revalidate-lock");
  const { response, verbs } = await carriedOut(ports, plan);
  expect(response.events.some(({ step, what, found }) => step === "revalidate-1" && what === "failed" && found !== undefined)).toBe(true);
  const { report } = await verbs.report(plan.id);
  // Of a step that was tried more than once, what it found the last time.
  expect(report.found).toEqual([
    { step: "rollback-1", text: "left 1.0.1 to 1.0.0" },
    { step: "revalidate-1", text: "revalidate-lock" },
    { step: "revalidate-3", text: "revalidate-own" },
  ]);
});

test("on a journal that somebody changed nothing is done any more; the report says so", async () => {
  const plan = planned(HIT);
  const { ports, did, breaking } = ground({ answers: HIT });
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, PACK);
  breaking("line 3 of its journal does not follow what stands before it");
  const refused = expect.objectContaining({ code: "STORE_BROKEN", message: expect.stringContaining("line 3 of its journal") });
  await expect(verbs.run(plan.id, () => {})).rejects.toEqual(refused);
  await expect(verbs.confirm(plan.id, stepOf(plan, "isolate-1")!, "")).rejects.toEqual(refused);
  await expect(verbs.leaveOut(plan.id, stepOf(plan, "revalidate-1")!, "x")).rejects.toEqual(refused);
  await expect(verbs.undo(plan.id, stepOf(plan, "declare-1")!, "")).rejects.toEqual(refused);
  expect(did).toEqual([]);
  const { report } = await verbs.report(plan.id);
  expect(report.finished).toBe(false);
  expect(report.unknown[0]).toContain("line 3 of its journal does not follow");
});

test("two work on one plan at once: each step is done once, by one of them, and nothing is lost", async () => {
  const plan = planned(HIT);
  const { ports, events, did } = ground({ answers: [] });
  const both = await Promise.all(["mara", "jo"].map(async (by) => ({ by, verbs: responseVerbs(ports, by) })));
  await both[0]!.verbs.open(plan, PACK);
  for (let rounds = 0; rounds < 20; rounds += 1) {
    await Promise.all(both.map(({ verbs }) => verbs.run(plan.id, () => {})));
    const open = waiting({ plan, events: events(plan.id) });
    await Promise.all(open.flatMap((step) => both.map(({ verbs }) => verbs.confirm(plan.id, step, "").catch(expectUsage))));
  }
  expect([...progressOf(plan, events(plan.id)).values()].every(({ state }) => state === "done")).toBe(true);
  for (const { id } of plan.steps)
    expect(
      events(plan.id).filter(({ step, what }) => step === id && what === "done"),
      id,
    ).toHaveLength(1);
  expect(did.toSorted()).toEqual(["preserve", `purge ${BUCKET}`]);
});

test("a step of a person that cordon can see is not done takes a reason, which stands in the report", async () => {
  const pack: IncidentPack = { ...PACK, indicators: { paths: [{ path: "/tmp/implant/run", means: "executed" }] } };
  const estate = { platform: "linux", secrets: [], projects: [PROJECT], lastGood: new Map<string, string>() };
  const plan = planResponse(pack, HIT, { paths: ["/p"], machine: true }, estate);
  const now = { answers: HIT as readonly Answer[] };
  const { ports, leaving } = ground(now);
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, pack);
  await verbs.run(plan.id, () => {});
  const persistence = stepOf(plan, "persistence-1")!;
  await expect(verbs.confirm(plan.id, persistence, "")).rejects.toThrow("it waits for");
  await verbs.confirm(plan.id, stepOf(plan, "isolate-1")!, "");
  await verbs.run(plan.id, () => {});
  leaving("/tmp/implant/run");
  await expect(verbs.confirm(plan.id, persistence, "")).rejects.toThrow(
    'persistence-1 is not done: /tmp/implant/run is still there; if that is as it should be, say why: --reason "…"',
  );
  await verbs.confirm(plan.id, persistence, "our own backup has that name");
  await verbs.run(plan.id, () => {});
  const rollback = stepOf(plan, "rollback-1")!;
  await expect(verbs.confirm(plan.id, rollback, "")).rejects.toThrow("rollback-1 is not done: left@1.0.1: it lies in node_modules");
  now.answers = [];
  await verbs.confirm(plan.id, rollback, "");
  const { report } = await verbs.report(plan.id);
  expect(report.found).toEqual([{ step: "persistence-1", text: "confirmed although /tmp/implant/run is still there" }]);
  expect(report.decisions.find(({ step }) => step === "persistence-1")).toMatchObject({ detail: "our own backup has that name" });
});

test("what the same person does in another terminal is left to it, and the rest is done", async () => {
  const plan = planned(HIT);
  const { ports, inAnotherHand } = ground({ answers: HIT });
  const verbs = responseVerbs(ports, "mara");
  await verbs.open(plan, PACK);
  inAnotherHand("declare-1");
  const ran: string[] = [];
  await verbs.run(plan.id, ({ step }) => ran.push(step.id));
  expect(ran).toEqual(["declare-2"]);
});

function expectUsage(error: unknown): void {
  expect(error).toMatchObject({ code: "USAGE" });
}
