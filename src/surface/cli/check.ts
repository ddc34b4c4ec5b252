/** `cordon check [paths]`: the truth about lockfiles, from what this machine knows; `--online` also asks the registry. */
import { check, type Checked, type CheckPorts, type CheckedFiles } from "../../app/check.ts";
import type { RepairPorts } from "../../app/repair.ts";
import type { VersionsOf } from "../../app/versions.ts";
import type { CheckedSince } from "../../app/check-since.ts";
import { Fault } from "../../core/base/fault.ts";
import type { VexStatement } from "../../core/interchange/openvex.ts";
import { FORMATS, type Format, written } from "./check-formats.ts";
import { renderChange, renderCheck } from "./check-text.ts";
import type { Command, CommandContext } from "./command.ts";
import { painter, progress, safe } from "./io.ts";
import { grouped } from "./sizes.ts";

/** What the command needs of the machine; paths are as the user gave them. */
export type CheckWorld = {
  readonly ports: CheckPorts;
  /** A path that is a lockfile itself. */
  asLockfile(file: string): { readonly folder: string; readonly name: string } | undefined;
  /** The folder a check in this one is about: itself with a lockfile, else the project it belongs to. */
  folder(given: string): Promise<string>;
  /** Folders with lockfiles below one. */
  below(
    given: string,
    onFolder: (count: number) => void,
  ): Promise<{ readonly folders: readonly string[]; readonly unread: readonly { readonly path: string; readonly why: string }[] }>;
  read(folder: string, only?: string): Promise<CheckedFiles>;
  /** The same files as they were where the branch left a git ref. */
  before(folder: string, since: string, files: CheckedFiles): Promise<CheckedFiles>;
  /** `to` as seen from the folder of the call; forward slashes, empty for that folder itself. */
  relative(to: string): string;
  write(file: string, text: string): Promise<void>;
  /** The files of one folder, for repairs. */
  inFolder(folder: string): Pick<RepairPorts, "read" | "write" | "remove">;
  /** Present when the registry may be asked. */
  readonly versions?: VersionsOf;
  close(): Promise<void>;
};

type Options = Readonly<Record<string, unknown>>;
export type Target = { readonly root: string; readonly only?: string };

export const run: Command = async (context, args, options) => {
  const { io, world, flags } = context;
  const outputs = outputsOf(options, flags.json === true);
  const since = textOf(options, "since");
  // A change has few new versions, and what matters of them is not on this machine.
  const mend = options["fix"] === true;
  const online = flags.offline !== true && (options["online"] === true || since !== undefined || mend);
  const preset = textOf(options, "preset");
  const here = await world.check(flags, { online, ...(preset === undefined ? {} : { preset }) });
  const line = progress(io);
  try {
    const { targets, unread } = await targetsOf(context, here, args, options, line.show);
    const vex = await vexOf(context, options);
    const shared = { root: args[0] ?? ".", unread, onProgress: line.show, ...(vex.length === 0 ? {} : { vex }) };
    if (mend) {
      const { mendFolders } = await import("./check-fix.ts");
      await mendFolders(context, here, targets, { dryRun: options["dryRun"] === true, whole: (of) => whole(here, of, shared) });
    }
    const result = since === undefined ? await whole(here, targets, shared) : await change(here, targets, { ...shared, since });
    line.clear();
    // Nothing to look at is not the same as nothing found.
    if (result.report.lockfiles.length === 0 && result.report.findings.length === 0 && result.report.notChecked.length === 0)
      throw new Fault(
        "USAGE",
        `there is no lockfile and no manifest in ${safe(shared.root)}; name a folder, or look below it with --recursive`,
      );
    for (const { format, file } of outputs) {
      const text =
        format === "text"
          ? textFor(result, { paint: painter(io, "stdout"), all: options["all"] === true })
          : await written(format, result, { at: world.clock.now(), author: world.user() });
      if (file === undefined) io.stdout(text);
      else await here.write(file, text);
    }
    return result.report.summary.exit;
  } finally {
    line.clear();
    await here.close();
  }
};

function textFor(result: Checked | CheckedSince, how: Parameters<typeof renderCheck>[1]): string {
  return "changes" in result ? renderChange(result, how) : renderCheck(result.report, how);
}

type Shared = {
  readonly root: string;
  readonly unread: readonly { readonly path: string; readonly why: string }[];
  readonly onProgress: (text: string) => void;
};

async function whole(here: CheckWorld, targets: readonly Target[], shared: Shared): Promise<Checked> {
  const folders = [];
  for (const { root, only } of targets) folders.push({ at: here.relative(root), files: await here.read(root, only) });
  return check(here.ports, { ...shared, folders });
}

async function change(here: CheckWorld, targets: readonly Target[], shared: Shared & { readonly since: string }): Promise<CheckedSince> {
  const folders = [];
  for (const { root, only } of targets) {
    const files = await here.read(root, only);
    folders.push({ at: here.relative(root), files, before: await here.before(root, shared.since, files) });
  }
  const { checkSince } = await import("../../app/check-since.ts");
  return checkSince(here.ports, { ...shared, folders });
}

/** What is to be checked: the folders and lockfiles named, those a list names, or everything below. */
async function targetsOf(
  { world }: CommandContext,
  here: CheckWorld,
  args: readonly string[],
  options: Options,
  show: (text: string) => void,
): Promise<{ readonly targets: readonly Target[]; readonly unread: Shared["unread"] }> {
  const list = textOf(options, "list");
  const listed = list === undefined ? [] : (await world.readText(list)).split("\n").map((one) => one.trim());
  const given = [...args, ...listed.filter((one) => one !== "" && !one.startsWith("#"))];
  const named = given.length === 0 ? ["."] : given;
  if (options["recursive"] !== true) {
    const targets = await Promise.all(
      named.map(async (one): Promise<Target> => {
        const lockfile = here.asLockfile(one);
        return lockfile ? { root: lockfile.folder, only: lockfile.name } : { root: await here.folder(one) };
      }),
    );
    return { targets, unread: [] };
  }
  const unread: { path: string; why: string }[] = [];
  const roots = new Set<string>();
  for (const one of named) {
    const found = await here.below(one, (count) => show(`looking for lockfiles · ${grouped(count)} folders`));
    for (const folder of found.folders) roots.add(folder);
    unread.push(...found.unread);
  }
  if (roots.size === 0) throw new Fault("USAGE", `there is no lockfile below ${named.map(safe).join(", ")}`);
  return { targets: [...roots].map((root) => ({ root })), unread };
}

/** VEX documents named on the command line; one that cannot be read lifts nothing and stops the run: somebody counts on it. */
async function vexOf({ world }: CommandContext, options: Options): Promise<readonly VexStatement[]> {
  const named = options["vex"];
  const files = Array.isArray(named) ? named.map(String) : typeof named === "string" ? [named] : [];
  if (files.length === 0) return [];
  const { readVex } = await import("../../core/interchange/openvex.ts");
  const statements: VexStatement[] = [];
  for (const file of files) {
    const read = readVex(await world.readText(file));
    if (read.problems.length > 0) throw new Fault("INPUT_UNREADABLE", `${file}: ${read.problems.slice(0, 5).join("; ")}`);
    statements.push(...read.statements);
  }
  return statements;
}

type Output = { readonly format: Format; readonly file?: string };

/** `--format sarif` to stdout, `--write sarif=report.sarif` to a file beside it. */
function outputsOf(options: Options, json: boolean): readonly Output[] {
  const chosen = json ? "json" : (textOf(options, "format") ?? "text");
  const named = options["write"];
  const files = (Array.isArray(named) ? named.map(String) : typeof named === "string" ? [named] : []).map((pair): Output => {
    const at = pair.indexOf("=");
    if (at < 1 || at === pair.length - 1)
      throw new Fault("USAGE", `--write ${safe(pair)}: say which format and which file, as in sarif=report.sarif`);
    return { format: formatOf(pair.slice(0, at)), file: pair.slice(at + 1) };
  });
  return [{ format: formatOf(chosen) }, ...files];
}

function formatOf(name: string): Format {
  const format = FORMATS.find((one) => one === name);
  if (!format) throw new Fault("USAGE", `cordon check writes ${FORMATS.join(", ")}, not ${safe(name)}`);
  return format;
}

function textOf(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
