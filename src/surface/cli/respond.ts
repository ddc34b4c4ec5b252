/**
 * `cordon respond`: from a compromise to the end of it. Prints the plan and does nothing; `--execute` does what cordon can do, `--confirm` says
 * that a step of yours is done, `--tokens` and `--revoke` help with the one that replaces tokens. Everything is written down with who and when.
 */
import path from "node:path";
import { expose } from "../../app/expose.ts";
import { findIncident } from "../../app/incidents.ts";
import { makePlan, type ResponseVerbs, responseVerbs, type StoredResponse, waiting } from "../../app/respond.ts";
import { projectActions } from "../../app/respond-projects.ts";
import { Fault } from "../../core/base/fault.ts";
import { iso } from "../../core/base/time.ts";
import { CLIENTS } from "../../core/client/table.ts";
import type { Answer } from "../../core/exposure/judge.ts";
import type { IncidentPack } from "../../core/incident/pack.ts";
import { type Plan, type Step, stepOf } from "../../core/response/plan.ts";
import { type Progress, progressOf } from "../../core/response/progress.ts";
import { openPhases } from "../../core/response/report.ts";
import type { Command, CommandContext } from "./command.ts";
import { type Io, printJson, progress, safe } from "./io.ts";
import type { Host } from "./world.ts";

/** Lines of what a step found that are shown at once; the report has all of them. */
const SHOWN = 12;

type Options = Readonly<Record<string, unknown>>;
type Opened = { readonly verbs: ResponseVerbs; readonly world: Awaited<ReturnType<CommandContext["world"]["response"]>> };

export const run: Command = async (context, args, options) => {
  const named = (flag: string): string | undefined => (typeof options[flag] === "string" ? options[flag] : undefined);
  if (named("verifyBundle") !== undefined) return verifyBundle(context, named("verifyBundle")!);
  const acts = ["execute", "confirm", "skip", "undo", "revoke", "tokens"].filter((flag) => options[flag] !== undefined);
  if (acts.length > 1) throw new Fault("USAGE", `one at a time: ${acts.map((flag) => `--${flag}`).join(" or ")}`);
  if (named("execute") !== undefined) return execute(context, args, options, named("execute")!);
  if (acts[0] === "tokens" || acts[0] === "revoke") return onTokens(context, args, options);
  if (acts[0] !== undefined) return onStep(context, args, options, acts[0], named(acts[0])!);
  if (options["report"] !== undefined) return report(context, args, options);
  return show(context, args, options);
};

// --- the plan -------------------------------------------------------------------------------------------------------------------------------

/** Finds out, plans, keeps nothing: `--execute` makes the same plan again and refuses when what it found is not the same any more. */
async function show(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { io, world, flags } = context;
  const line = progress(io);
  const { plan, pack } = await planned(context, args, options, (what) => line.show(`reading ${homed(safe(what), io)}`));
  line.clear();
  const machine = await world.response(flags);
  const open = await machine.list(pack.id);
  if (flags.json) {
    printJson(io, "cordon.respond/1", { plan, open });
    return 0;
  }
  const command = [
    "cordon respond",
    safe(pack.id),
    ...args.slice(1).map(safe),
    ...(options["machine"] === false ? ["--no-machine"] : []),
  ].join(" ");
  const lines = [
    `plan ${plan.id} · ${counted(plan.steps.length, "step")} · nothing has been done yet`,
    ...plan.steps.flatMap((step, index) => stepLines(plan, step, index, io)),
    "",
    ...(plan.exposures.length === 0 ? ["Nothing was found here: what is left is to keep it out."] : []),
    `run it: ${command} --execute ${plan.id}`,
  ];
  for (const id of open)
    if (id !== plan.id) {
      const stored = await machine.read(id);
      const left = openPhases(stored.plan, stored.events);
      lines.push(
        `begun before: plan ${id}, ${left.length === 0 ? "all of it over" : `open: ${left.join(", ")}`}   cordon respond ${safe(pack.id)} --execute ${id}`,
      );
    }
  io.stdout(`${lines.join("\n")}\n`);
  return 0;
}

async function planned(
  context: CommandContext,
  args: readonly string[],
  options: Options,
  tell?: (what: string) => void,
): Promise<{ readonly plan: Plan; readonly pack: IncidentPack }> {
  const { world, flags } = context;
  const [incident, ...paths] = args;
  if (incident === undefined) throw new Fault("USAGE", "say which incident: cordon respond axios-2026 ~/code");
  const { pack } = await findIncident(await world.incidents(flags), incident);
  // Absolute: the second look may be taken from another folder.
  const scope = {
    paths: (paths.length > 0 ? paths : ["."]).map((one) => path.resolve(context.io.cwd, one)),
    machine: options["machine"] !== false,
  };
  const answers = await look(context, pack, scope, tell);
  return { plan: await makePlan(await world.response(flags), pack, answers, scope), pack };
}

async function look(
  { world, flags }: CommandContext,
  pack: IncidentPack,
  scope: Plan["scope"],
  tell: (what: string) => void = () => undefined,
): Promise<readonly Answer[]> {
  const exposure = await expose(await world.incidents(flags), { packs: [pack], ...scope, onExecuted: () => undefined, tell });
  return exposure.incidents[0]?.places ?? [];
}

function stepLines(plan: Plan, step: Step, index: number, io: Io): readonly string[] {
  const first = plan.steps.findIndex(({ phase }) => phase === step.phase) === index;
  const pad = " ".repeat(19);
  const you = step.who === "you" ? step.commands.map((command) => `${pad}$ ${homed(safe(command), io)}`) : [];
  // What was said of the step before is not said again.
  const said = new Set(plan.steps[index - 1]?.warnings);
  return [
    `${String(index + 1).padStart(4)} ${(first ? step.phase : "").padEnd(13)} ${homed(safe(step.title), io)}${step.who === "you" && step.commands.length === 0 ? "; you do this, then confirm" : ""}`,
    ...step.warnings.filter((warning) => !said.has(warning)).map((warning) => `${pad}⚠ ${homed(safe(warning), io)}`),
    ...you,
  ];
}

// --- carrying it out ------------------------------------------------------------------------------------------------------------------------

async function execute(context: CommandContext, args: readonly string[], options: Options, id: string): Promise<number> {
  const { io, world, flags } = context;
  refuseInCi(io);
  const machine = await world.response(flags);
  const [incident] = args;
  if (incident === undefined) throw new Fault("USAGE", `say which incident: cordon respond axios-2026 --execute ${safe(id)}`);
  const begun = (await machine.list((await findIncident(await world.incidents(flags), incident)).pack.id)).filter((one) =>
    one.startsWith(id),
  );
  let fresh: { readonly plan: Plan; readonly pack: IncidentPack } | undefined;
  if (id.length < 4 || begun.length > 1) throw new Fault("USAGE", `${safe(id)} is no one plan: give more of its id`);
  if (begun.length === 0) {
    fresh = await planned(context, args, options);
    if (!fresh.plan.id.startsWith(id))
      throw new Fault(
        "USAGE",
        `what was found has changed since ${safe(id)} was planned: the plan is ${fresh.plan.id} now; look at it first`,
      );
  }
  const planId = fresh?.plan.id ?? begun[0]!;
  await typed(io, incident, `plan ${planId}: cordon will do its own steps now, and stop where you must do something\n`);
  return withVerbs(context, async ({ verbs }) => {
    if (fresh) await verbs.open(fresh.plan, fresh.pack);
    const response = await verbs.run(planId, ({ step, outcome, detail, found }) => {
      if (flags.json) return;
      const lines = [
        detail,
        ...found.slice(0, SHOWN),
        ...(found.length > SHOWN ? [`and ${found.length - SHOWN} more, in the report`] : []),
      ];
      io.stdout(
        `  ${outcome.padEnd(7)} ${step.id.padEnd(14)} ${homed(safe(step.title), io)}\n${lines.map((line) => `${" ".repeat(25)}${homed(safe(line), io)}\n`).join("")}`,
      );
    });
    return tellState(context, response);
  });
}

async function onStep(context: CommandContext, args: readonly string[], options: Options, act: string, wanted: string): Promise<number> {
  const { io, flags } = context;
  refuseInCi(io);
  return withVerbs(context, async ({ verbs, world }) => {
    const { plan } = await chosen(context, world, args, options);
    const step = stepOf(plan, wanted);
    if (!step) throw new Fault("USAGE", `plan ${plan.id} has no step ${safe(wanted)}`);
    const note = typeof options["reason"] === "string" ? options["reason"] : "";
    if (act === "skip" && note.trim() === "") throw new Fault("USAGE", 'say why it is left out: --reason "…"');
    await typed(
      io,
      step.id,
      `${homed(safe(step.title), io)}\ndone when: ${safe(step.done)}${act === "undo" && step.undo !== undefined ? `\nundone by: ${safe(step.undo)}` : ""}\n`,
    );
    if (act === "confirm") await verbs.confirm(plan.id, step, note);
    else if (act === "skip") await verbs.leaveOut(plan.id, step, note);
    else await verbs.undo(plan.id, step, note);
    const now = await world.read(plan.id);
    const { last, state } = progressOf(plan, now.events).get(step.id)!;
    if (!flags.json)
      io.stdout(`${step.id} is ${state}, by ${safe(last!.by)}, ${iso(last!.at)}${last!.detail === "" ? "" : `: ${safe(last!.detail)}`}\n`);
    return tellState(context, now);
  });
}

/** The account's tokens; within the response that has begun for the incident, where there is one. */
async function onTokens(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { world, flags, io } = context;
  const { listTokens, revoke } = await import("./respond-tokens.ts");
  const [incident] = args;
  const wanted = options["revoke"];
  if (typeof wanted === "string") refuseInCi(io);
  const api = await world.tokens(flags);
  try {
    if (typeof wanted !== "string") return await listTokens(context, api, incident);
    const machine = await world.response(flags);
    const known = incident === undefined ? undefined : (await findIncident(await world.incidents(flags), incident)).pack.id;
    const isBegun = typeof options["plan"] === "string" || (known !== undefined && (await machine.list(known)).length > 0);
    const how = { incident, typed: (word: string, shown: string) => typed(io, word, shown) };
    if (!isBegun) return await revoke(context, api, wanted, { ...how, begun: undefined });
    return await withVerbs(context, async (opened) =>
      revoke(context, api, wanted, {
        ...how,
        begun: { verbs: opened.verbs, response: await chosen(context, opened.world, args, options) },
      }),
    );
  } finally {
    await api.close();
  }
}

/** The plan meant: the one named, or the only one begun for the incident. */
async function chosen(
  context: CommandContext,
  world: Opened["world"],
  [incident]: readonly string[],
  options: Options,
): Promise<StoredResponse> {
  if (typeof options["plan"] === "string") return world.read(options["plan"]);
  if (incident === undefined) throw new Fault("USAGE", "say which incident, or which plan: --plan <id>");
  const { pack } = await findIncident(await context.world.incidents(context.flags), incident);
  const begun = await world.list(pack.id);
  if (begun.length === 1) return world.read(begun[0]!);
  throw new Fault(
    "USAGE",
    begun.length === 0
      ? `nothing was begun for ${pack.id}: cordon respond ${pack.id} shows the plan`
      : `several were begun, say which: --plan ${begun.join(" or --plan ")}`,
  );
}

/** How far it is, and the next thing a person has to do. */
function tellState({ io, flags }: CommandContext, response: StoredResponse): number {
  const { plan, events } = response;
  const states = progressOf(plan, events);
  const open = plan.steps.filter(({ id }) => !isOver(states, id));
  const failed = open.filter(({ id }) => states.get(id)!.state === "failed");
  const next = waiting(response);
  if (flags.json) {
    const steps = plan.steps.map(({ id, who, title }) => {
      const { state, last } = states.get(id)!;
      return { id, who, title, state, ...(last && { by: last.by, at: iso(last.at), detail: last.detail }) };
    });
    printJson(io, "cordon.respond-state/1", { plan: plan.id, incident: plan.incident.id, steps, next: next.map(({ id }) => id) });
  } else {
    const lines = [`${plan.steps.length - open.length} of ${counted(plan.steps.length, "step")} over`];
    for (const step of next) lines.push(...waitingLines(step, io));
    if (next[0]) lines.push("", `when it is done: cordon respond ${safe(plan.incident.id)} --plan ${plan.id} --confirm ${next[0].id}`);
    else if (failed[0]) lines.push("", `try again: cordon respond ${safe(plan.incident.id)} --execute ${plan.id}`);
    else if (open.length > 0) lines.push("", `go on: cordon respond ${safe(plan.incident.id)} --execute ${plan.id}`);
    else lines.push("", `It is over. The report: cordon respond ${safe(plan.incident.id)} --plan ${plan.id} --report`);
    io.stdout(`${lines.join("\n")}\n`);
  }
  return failed.length > 0 ? 1 : 0;
}

function waitingLines(step: Step & { readonly who: "you" }, io: Io): readonly string[] {
  return [
    `  your turn  ${step.id}   ${homed(safe(step.title), io)}`,
    ...step.warnings.map((warning) => `             ⚠ ${homed(safe(warning), io)}`),
    ...step.commands.map((command) => `             $ ${homed(safe(command), io)}`),
    `             done when: ${safe(step.done)}`,
  ];
}

function isOver(states: Progress, id: string): boolean {
  return ["done", "skipped"].includes(states.get(id)!.state);
}

// --- report and bundle ----------------------------------------------------------------------------------------------------------------------

async function report(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { io, flags } = context;
  return withVerbs(context, async ({ verbs, world }) => {
    const { plan } = await chosen(context, world, args, options);
    const { report: made, paths, markdown, json } = await verbs.report(plan.id);
    if (flags.json) io.stdout(json);
    else
      io.stdout(
        options["report"] === "-" ? markdown : `${safe(made.summary)}\n${paths.map((one) => `  ${homed(safe(one), io)}`).join("\n")}\n`,
      );
    return made.finished ? 0 : 1;
  });
}

async function verifyBundle({ io, world, flags }: CommandContext, folder: string): Promise<number> {
  const check = (await world.response(flags)).verifyBundle(folder);
  const good = check.problems.length === 0;
  const known = "manifest" in check ? { fingerprint: check.fingerprint, ...check.manifest } : undefined;
  if (flags.json) printJson(io, "cordon.respond-bundle/1", { ...known, problems: check.problems });
  else if (good && known)
    io.stdout(
      `${counted(known.files.length, "file")} as they were when ${safe(known.by)} kept them, ${safe(known.at)}; signed by key ${known.fingerprint}\n  whose key that is, ask whoever made it\n${known.missing.map(({ path, why }) => `  not in it: ${safe(path)}: ${safe(why)}\n`).join("")}`,
    );
  else io.stdout(`this evidence does not hold\n${check.problems.map((one) => `  ${safe(one)}\n`).join("")}`);
  return good ? 0 : 1;
}

// --- people ---------------------------------------------------------------------------------------------------------------------------------

async function withVerbs(context: CommandContext, work: (opened: Opened) => Promise<number>): Promise<number> {
  const { world, flags } = context;
  const app = await world.open(flags);
  try {
    const machine = await world.response(flags);
    const projects = projectActions({
      clock: world.clock,
      branches: machine.branches,
      readFolder: machine.readFolder,
      inFolder: machine.inFolder,
      runClient: (client, folder, args) => runClient(context, CLIENTS[client].commands[0]!, folder, args),
      decide: app.decide,
      versions: app.versions,
      knowledge: app.knowledge,
    });
    const ports = { clock: world.clock, store: machine, actions: machine, projects, exceptions: app.exceptions };
    return await work({
      verbs: responseVerbs({ ...ports, look: (pack, scope) => look(context, pack, scope) }, world.user()),
      world: machine,
    });
  } finally {
    await app.close();
  }
}

/** A client in a folder of its own, through cordon; what it prints is no answer of ours. */
async function runClient(context: CommandContext, command: string, folder: string, args: readonly string[]): Promise<number> {
  const { wrap } = await import("./wrap.ts");
  const { world } = context;
  const host = async (): Promise<Host> => {
    const real = await world.host();
    return { ...real, run: (program, given, how) => real.run(program, given, { ...how, toStderr: true }) };
  };
  return wrap({ ...context, io: { ...context.io, cwd: folder }, world: { ...world, host } }, command, args);
}

function refuseInCi({ env }: Io): void {
  const ci = env["CI"];
  if (ci !== undefined && ci !== "" && ci !== "false" && ci !== "0")
    throw new Fault("NEEDS_TERMINAL", "a response is carried out by people, not in CI; the plan itself can be printed anywhere");
}

async function typed(io: Io, word: string, shown: string): Promise<void> {
  if (!io.stdinIsTerminal || !io.stderrIsTerminal) throw new Fault("NEEDS_TERMINAL", "a response is carried out by a person at a terminal");
  io.stderr(shown);
  const answer = await io.ask(`type ${word} to go on: `);
  if (answer?.trim() !== word) throw new Fault("USAGE", `${JSON.stringify(answer?.trim() ?? "")} is not ${word}; nothing was done`);
}

function homed(text: string, io: Io): string {
  const home = io.env["HOME"];
  return home === undefined || home.length < 2 ? text : text.replaceAll(`${home}/`, "~/");
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
