/** `cordon setup`: shows what it would write into each client's own file, asks, writes; `cordon setup undo` takes it back byte for byte. */
import { homedir } from "node:os";
import { applySetup, considerSetup, type SetupHost, type SetupProject, undoSetup } from "../../app/setup.ts";
import { unifiedDiff } from "../../core/base/diff.ts";
import { FAULTS, Fault } from "../../core/base/fault.ts";
import type { FileEdit } from "../../core/client/client.ts";
import type { GateLook } from "../../core/client/gate-look.ts";
import { isProjectLabel, projectLabel, readGateUrl, registryUrl } from "../../core/client/gate-url.ts";
import { clientsInUse } from "../../core/client/uses.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, painter, type Paint, printJson, safe } from "./io.ts";

/** Where `cordon gate` listens when nobody says otherwise. */
const DEFAULT_GATE = "http://localhost:4870/";

export const run: Command = async (context, args, options) => {
  const { io, world } = context;
  const host = await world.projectHost();
  const project = await host.project(io.cwd);
  if (args[0] === "undo") return undo(context, host, project);
  if (args[0] !== undefined) throw new Fault("USAGE", `cordon setup ${safe(args[0])}: say cordon setup, or cordon setup undo`);
  const uses = clientsInUse(project.marks);
  if (uses.length === 0)
    throw new Fault("USAGE", `${safe(project.root)} is no project: there is no package.json, deno.json or lockfile of any client`);

  const dataDir = await world.dataDir(context.flags);
  const gate = await gateOf(options["gate"], async () => (await world.liveGate(dataDir))?.url);
  const registry = registryUrl(gate.base, labelOf(options["project"], gate.project, project.name));
  const looker = await host.looker(project.root);
  const look = await looker.look(registry).finally(() => looker.close());
  const clients = uses.map(({ client }) => client);
  const { edits, problems } = await considerSetup(host, project.root, clients, registry);

  const yes = options["yes"] === true;
  const stop =
    edits.length === 0 ? undefined : whyNotYet(look, yes, io.stdinIsTerminal && io.stderrIsTerminal && context.flags.json !== true);
  if (!context.flags.json) {
    const paint = painter(io, "stdout");
    io.stdout(
      `${paint("bold", "cordon setup")} · ${safe(registry)}\n${columns(uses.map(({ client, because }) => [client, `by ${safe(because)}`]))}\n`,
    );
    io.stdout(edits.map((edit) => `\n${diffText(edit.path, edit.before, edit.after, paint)}`).join(""));
    for (const { path, why } of problems)
      io.stdout(`\n${paint("yellow", "left alone")} ${safe(path)}: ${safe(why)}; the clients that read it are not pointed at the gate\n`);
    io.stdout(gateText(look, registry, paint));
  }
  const declined =
    stop === undefined &&
    edits.length > 0 &&
    !yes &&
    !/^y(es)?$/i.test((await io.ask(`\nwrite ${count(edits.length)}? [y/N] `))?.trim() ?? "");
  const written = edits.length > 0 && stop === undefined && !declined;
  if (written) await applySetup(host, dataDir, project.root, { gate: registry, edits });
  const why = stop ?? (declined ? "you did not say yes" : undefined);

  if (context.flags.json)
    printJson(io, "cordon.setup/1", {
      root: project.root,
      registry,
      gate:
        look.kind === "gate"
          ? { answers: true, cordon: look.health.cordon, tokenNeeded: look.entry.kind === "token-needed" }
          : { answers: false, why: look.why },
      clients: uses,
      changes: edits.map(toJson),
      problems,
      written,
      ...(why === undefined ? {} : { why }),
    });
  else if (written)
    io.stdout(
      `\nwrote ${safe(edits.map(({ path }) => path).join(", "))} · what stood there before is kept in ${safe(short(dataDir))}\n  is it on?     cordon doctor\n  take it back  cordon setup undo\n`,
    );
  else if (why !== undefined) io.stdout(`\nnothing was written: ${safe(why)}\n`);
  else if (problems.length === 0)
    io.stdout("\nnothing to write: every client here is pointed at the gate already\n  is it on?     cordon doctor\n");
  return why !== undefined || problems.length > 0 ? 1 : 0;
};

async function undo({ io, world, flags }: CommandContext, host: SetupHost, project: SetupProject): Promise<number> {
  const dataDir = await world.dataDir(flags);
  const { restored, changed } = await undoSetup(host, dataDir, project.root);
  const message = `${changed.map(({ edit }) => edit.path).join(", ")} changed after cordon wrote ${changed.length === 1 ? "it" : "them"}; nothing in there was touched`;
  if (flags.json) {
    printJson(io, "cordon.setup/1", {
      root: project.root,
      restored: restored.map(({ path, before }) => ({ path, removed: before === undefined })),
      changed: changed.map(({ edit, now }) => ({ path: edit.path, diff: shownDiff(edit.path, edit.after, now) })),
      ...(changed.length === 0 ? {} : { code: "EDITED_SINCE", message, fix: FAULTS.EDITED_SINCE.fix }),
    });
    return changed.length === 0 ? 0 : 1;
  }
  if (restored.length === 0 && changed.length === 0) {
    io.stdout(`nothing to take back: ${safe(short(dataDir))} remembers no set-up of ${safe(project.root)}\n`);
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

/** Why nothing is written without being asked anything more; undefined when it may be asked or done. */
function whyNotYet(look: GateLook, yes: boolean, canAsk: boolean): string | undefined {
  if (yes) return undefined;
  if (look.kind !== "gate") return `${look.why}; --yes writes all the same`;
  if (look.entry.kind === "refused") return `the gate lets nobody in by this URL: ${look.entry.why}; --yes writes all the same`;
  return canAsk ? undefined : "there is no terminal to ask at; --yes writes without asking";
}

function gateText(look: GateLook, registry: string, paint: Paint): string {
  if (look.kind !== "gate") return `\n${paint("red", "the gate does not answer")}: ${safe(look.why)}\n  start it      cordon gate\n`;
  if (look.entry.kind === "refused") return `\n${paint("red", "the gate lets nobody in by this URL")}: ${safe(look.entry.why)}\n`;
  if (look.entry.kind === "open") return "";
  // cordon writes no secret: the token comes from the reader's own file or environment.
  const { host, pathname } = new URL(registry);
  return `\nthis gate asks for a client token; cordon writes none. In your own ~/.npmrc:\n  //${safe(host + pathname)}:_authToken=\${CORDON_TOKEN}\n`;
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

function toJson({ path, before, after }: FileEdit) {
  return { path, created: before === undefined, diff: shownDiff(path, before, after) };
}

function count(files: number): string {
  return files === 1 ? "this file" : `these ${files} files`;
}

function short(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
