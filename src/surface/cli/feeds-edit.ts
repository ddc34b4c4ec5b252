/** `cordon feeds add|remove`: edits the machine's cordon.yaml, shows the change first, and asks. */
import { resolve } from "node:path";
import { unifiedDiff } from "../../core/base/diff.ts";
import { Fault } from "../../core/base/fault.ts";
import { addFeed, type NewFeed, removeFeed } from "../../core/config/feed-edits.ts";
import { readDocument } from "../../core/policy/document.ts";
import type { CommandContext } from "./command.ts";
import { painter, printJson, safe } from "./io.ts";

type Options = Readonly<Record<string, unknown>>;

export async function edit(context: CommandContext, action: "add" | "remove", args: readonly string[], options: Options): Promise<number> {
  const { io, world, flags } = context;
  const [name, place] = args;
  if (name === undefined || (action === "add") !== (place !== undefined) || args.length > 2)
    throw new Fault("USAGE", action === "add" ? "say cordon feeds add <name> <url-or-path>" : "say cordon feeds remove <name>");
  const file = await world.machineConfig(flags);
  const text =
    action === "add" ? addFeed(file.text, feedOf(name, place!, options, io.cwd), file.path) : removeFeed(file.text, name, file.path);
  assertReads(context, file, text, name);
  const lines = unifiedDiff(file.path, file.text, text);
  const paint = painter(io, "stderr");
  const shown = lines.map((line) =>
    line.startsWith("+") ? paint("green", safe(line)) : line.startsWith("-") ? paint("red", safe(line)) : safe(line),
  );
  if (!flags.json) io.stderr(`${shown.join("\n")}\n`);
  if (options["yes"] !== true) {
    if (!io.stdinIsTerminal || !io.stderrIsTerminal || flags.json)
      throw new Fault("USAGE", "there is no terminal to ask at; --yes writes without asking");
    const answer = await io.ask(`${action === "add" ? "Add" : "Remove"} feed ${name}? [y/N] `);
    if (!/^y(?:es)?$/i.test(answer?.trim() ?? "")) throw new Fault("USAGE", "you did not say yes; nothing was changed");
  }
  await file.write(text);
  if (flags.json) printJson(io, `cordon.feeds-${action}/1`, { name, file: file.path, diff: lines });
  else if (action === "add")
    io.stdout(`${safe(name)} is in ${safe(file.path)}; a running gate reads it after its next start\n  read it now   cordon feeds sync\n`);
  else
    io.stdout(
      `${safe(name)} is no longer in ${safe(file.path)}; what it said counts until the next sync\n  do that now   cordon feeds sync\n`,
    );
  return 0;
}

/** Nothing is written that would not be read; a file that cannot be read as it is says so itself. */
function assertReads(
  { world }: CommandContext,
  { path, text: before }: { readonly path: string; readonly text: string | undefined },
  text: string,
  name: string,
): void {
  const reads = (one: string) => readDocument({ text: one, source: path, level: "machine", now: world.clock.now() });
  reads(before ?? "");
  try {
    reads(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(
      "USAGE",
      `${JSON.stringify(name)} cannot be a feed: a name is of a-z, 0-9, dots and dashes, an address begins with https`,
      error,
    );
  }
}

/** A path is kept as it is from here: the file that names it may stand elsewhere. */
function feedOf(name: string, place: string, options: Options, cwd: string): NewFeed {
  const { kind } = options;
  if (kind !== undefined && kind !== "osv" && kind !== "list") throw new Fault("USAGE", "--kind is osv or list");
  const from = /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? { url: place } : { path: resolve(cwd, place) };
  return { name, ...from, ...(kind === undefined ? {} : { kind }) };
}
