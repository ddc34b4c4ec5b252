/** `cordon setup`: shows what it would write into each client's own file, asks, writes; `cordon setup undo` takes it back byte for byte. */
import { homedir } from "node:os";
import type { DoctorHost } from "../../app/doctor-host.ts";
import { applySetup, considerSetup, type SetupChange, type SetupHost, type SetupPlace, undoSetup } from "../../app/setup.ts";
import { unifiedDiff } from "../../core/base/diff.ts";
import { FAULTS, Fault } from "../../core/base/fault.ts";
import type { GateLook } from "../../core/client/gate-look.ts";
import { isProjectLabel, projectLabel, readGateUrl, registryUrl } from "../../core/client/gate-url.ts";
import { CLIENTS } from "../../core/client/table.ts";
import { type ClientUse, clientsInUse } from "../../core/client/uses.ts";
import { isLoopback } from "../gate/listen.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, painter, type Paint, printJson, safe } from "./io.ts";

/** Where `cordon gate` listens when nobody says otherwise. */
const DEFAULT_GATE = "http://localhost:4870/";

export const run: Command = async (context, args, options) => {
  const { io, world, flags } = context;
  const host = await world.projectHost();
  const project = options["user"] === true ? undefined : await host.project(io.cwd);
  const place = project ?? (await host.user());
  if (args[0] === "undo") return undo(context, host, place);
  if (args[0] !== undefined) throw new Fault("USAGE", `cordon setup ${safe(args[0])}: say cordon setup, or cordon setup undo`);

  const uses = project ? clientsInUse(project.marks) : await clientsInstalled(host);
  if (uses.length === 0) throw new Fault("USAGE", project ? noProject(project.root) : "no package manager is on PATH");
  const dataDir = await world.dataDir(flags);
  const gate = await gateOf(options["gate"], async () => (await world.liveGate(dataDir))?.url);
  const registry = registryUrl(gate.base, labelOf(options["project"], gate.project, place.name));
  const looker = await host.looker(place.root);
  const look = await looker.look(registry).finally(() => looker.close());
  const clients = uses.map(({ client }) => client);
  const change = await considerSetup(host, place, clients, registry);
  const proposal: Proposal = { place, registry, uses, look, ...change };

  if (!flags.json) io.stdout(proposalText(proposal, painter(io, "stdout")));
  const stop = change.edits.length === 0 ? undefined : await whyNot(context, proposal, options["yes"] === true);
  const written = change.edits.length > 0 && stop === undefined;
  if (written) await applySetup(host, dataDir, place.root, { gate: registry, edits: change.edits });

  if (flags.json) printJson(io, "cordon.setup/1", { ...toJson(proposal), written, ...(stop === undefined ? {} : { why: stop }) });
  else io.stdout(resultText(proposal, stop, short(dataDir)));
  return stop !== undefined || change.problems.length > 0 ? 1 : 0;
};

type Proposal = SetupChange & {
  readonly place: SetupPlace;
  /** The URL clients get. */
  readonly registry: string;
  readonly uses: readonly ClientUse[];
  readonly look: GateLook;
};

/** Outside a project every client on PATH is meant. */
async function clientsInstalled(host: Pick<DoctorHost, "find">): Promise<readonly ClientUse[]> {
  const uses: ClientUse[] = [];
  for (const { id, commands } of Object.values(CLIENTS)) {
    const found = await host.find(commands[0]!, undefined);
    if (!("missing" in found) && found.client === id) uses.push({ client: id, because: `${commands[0]} ${found.version ?? ""} on PATH` });
  }
  return uses;
}

function noProject(root: string): string {
  return `${safe(root)} is no project: there is no package.json, deno.json or lockfile of any client; --user sets up your own files`;
}

/** Why nothing is written; undefined when it may be. Asks at a terminal. */
async function whyNot({ io, flags }: CommandContext, { edits, look }: Proposal, yes: boolean): Promise<string | undefined> {
  if (yes) return undefined;
  if (look.kind !== "gate") return `${look.why}; --yes writes all the same`;
  if (look.entry.kind === "refused") return `the gate lets nobody in by this URL: ${look.entry.why}; --yes writes all the same`;
  if (!io.stdinIsTerminal || !io.stderrIsTerminal || flags.json) return "there is no terminal to ask at; --yes writes without asking";
  const answer = await io.ask(`\nwrite ${edits.length === 1 ? "this file" : `these ${edits.length} files`}? [y/N] `);
  return /^y(?:es)?$/i.test(answer?.trim() ?? "") ? undefined : "you did not say yes";
}

function proposalText({ registry, uses, edits, problems, look }: Proposal, paint: Paint): string {
  const rows = uses.map(({ client, because }) => [client, `by ${safe(because)}`]);
  return [
    `${paint("bold", "cordon setup")} · ${safe(registry)}\n${columns(rows)}\n`,
    ...edits.map((edit) => diffText(edit.path, edit.before, edit.after, paint)),
    ...problems.map(
      ({ path, why }) =>
        `${paint("yellow", "left alone")} ${safe(path)}: ${safe(why)}; the clients that read it are not pointed at the gate\n`,
    ),
    ...gateText(look, registry, paint),
  ].join("\n");
}

function resultText({ edits, problems }: Proposal, stop: string | undefined, dataDir: string): string {
  if (stop !== undefined) return `\nnothing was written: ${safe(stop)}\n`;
  const next = columns([["is it on?", "cordon doctor"], ...(edits.length > 0 ? [["take it back", "cordon setup undo"]] : [])]);
  if (edits.length > 0) {
    const written = edits.map(({ path }) => path).join(", ");
    return `\nwrote ${safe(written)} · what stood there before is kept in ${safe(dataDir)}\n${next}\n`;
  }
  return problems.length > 0 ? "" : `\nnothing to write: every client here is pointed at the gate already\n${next}\n`;
}

async function undo({ io, world, flags }: CommandContext, host: SetupHost, place: SetupPlace): Promise<number> {
  const dataDir = await world.dataDir(flags);
  const { restored, changed } = await undoSetup(host, dataDir, place.root);
  const message = `${changed.map(({ edit }) => edit.path).join(", ")} changed after cordon wrote ${changed.length === 1 ? "it" : "them"}; nothing in there was touched`;
  if (flags.json) {
    printJson(io, "cordon.setup/1", {
      root: place.root,
      restored: restored.map(({ path, before }) => ({ path, removed: before === undefined })),
      changed: changed.map(({ edit, now }) => ({ path: edit.path, diff: shownDiff(edit.path, edit.after, now) })),
      ...(changed.length === 0 ? {} : { code: "EDITED_SINCE", message, fix: FAULTS.EDITED_SINCE.fix }),
    });
    return changed.length === 0 ? 0 : 1;
  }
  if (restored.length === 0 && changed.length === 0) {
    io.stdout(`nothing to take back: ${safe(short(dataDir))} remembers no set-up of ${safe(place.root)}\n`);
    return 0;
  }
  const paint = painter(io, "stdout");
  for (const { path, before } of restored) io.stdout(`${before === undefined ? "removed" : "restored"} ${safe(path)}\n`);
  for (const { edit, now } of changed)
    io.stdout(
      `\n${paint("yellow", "edited since")}: from what cordon wrote to what stands there now\n${diffText(edit.path, edit.after, now, paint)}`,
    );
  for (const { edit } of changed)
    io.stdout(
      `\n${paint("yellow", "to take it back by hand")}: from what cordon wrote to what stood there before\n${diffText(edit.path, edit.after, edit.before, paint)}`,
    );
  if (changed.length > 0) throw new Fault("EDITED_SINCE", message);
  return 0;
}

async function gateOf(
  option: unknown,
  live: () => Promise<string | undefined>,
): Promise<{ readonly base: string; readonly project?: string }> {
  const text = typeof option === "string" ? option : ((await live()) ?? DEFAULT_GATE);
  const gate = readGateUrl(text);
  if (!gate) throw new Fault("USAGE", `--gate ${safe(text)}: write an http(s) URL without credentials, such as ${DEFAULT_GATE}`);
  return gate;
}

function labelOf(option: unknown, inUrl: string | undefined, name: string): string {
  if (typeof option !== "string") return inUrl ?? projectLabel(name) ?? "project";
  if (!isProjectLabel(option))
    throw new Fault(
      "USAGE",
      `--project ${safe(option)}: write letters, digits, dots, dashes and underscores, such as ${projectLabel(option) ?? "site"}`,
    );
  return option;
}

function gateText(look: GateLook, registry: string, paint: Paint): readonly string[] {
  if (look.kind !== "gate") {
    const start = isLoopback(new URL(registry).hostname) ? "  start it      cordon gate\n" : "";
    return [`${paint("red", "the gate does not answer")}: ${safe(look.why)}\n${start}`];
  }
  if (look.entry.kind === "refused") return [`${paint("red", "the gate lets nobody in by this URL")}: ${safe(look.entry.why)}\n`];
  if (look.entry.kind === "open") return [];
  // cordon writes no secret: the token comes from the reader's own file or environment.
  const { host, pathname } = new URL(registry);
  return [
    `this gate asks for a client token; cordon writes none. In your own ~/.npmrc:\n  //${safe(host + pathname)}:_authToken=\${CORDON_TOKEN}\n`,
  ];
}

function diffText(path: string, before: string | undefined, after: string | undefined, paint: Paint): string {
  const colour = (line: string) => {
    if (/^(?:---|\+\+\+) /.test(line)) return paint("bold", line);
    if (line.startsWith("@@")) return paint("cyan", line);
    return line.startsWith("+") ? paint("green", line) : line.startsWith("-") ? paint("red", line) : line;
  };
  return shownDiff(path, before, after)
    .map((line) => `${colour(line)}\n`)
    .join("");
}

/** Settings files hold tokens beside the lines that change. */
function shownDiff(path: string, before: string | undefined, after: string | undefined): readonly string[] {
  return unifiedDiff(path, before, after).map(safe);
}

function toJson({ place, registry, uses, look, edits, problems }: Proposal) {
  return {
    root: place.root,
    registry,
    gate:
      look.kind === "gate"
        ? { answers: true, cordon: look.health.cordon, tokenNeeded: look.entry.kind === "token-needed" }
        : { answers: false, why: look.why },
    clients: uses,
    changes: edits.map(({ path, before, after }) => ({ path, created: before === undefined, diff: shownDiff(path, before, after) })),
    problems,
  };
}

function short(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
