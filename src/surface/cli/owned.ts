/** What every change of policy from the command line must carry: an owner, a reason, an end; and, where it loosens, a person at a terminal. */
import { Fault } from "../../core/base/fault.ts";
import { type Instant, instant, parseDuration } from "../../core/base/time.ts";
import type { CommandContext } from "./command.ts";
import type { Io } from "./io.ts";

type Options = Readonly<Record<string, unknown>>;

export function ownerOf({ world }: CommandContext, options: Options): string {
  return typeof options["owner"] === "string" ? options["owner"] : world.user();
}

export function reasonOf(options: Options): string {
  if (typeof options["reason"] !== "string" || options["reason"].trim() === "") throw new Fault("USAGE", 'say why: --reason "…"');
  return options["reason"];
}

export function expiryOf({ world }: CommandContext, options: Options): Instant {
  const text = options["expires"];
  if (typeof text !== "string") throw new Fault("USAGE", "say when it ends: --expires 7d");
  const lasts = parseDuration(text);
  if (lasts === undefined) throw new Fault("USAGE", `--expires ${JSON.stringify(text)}: write a duration with its unit, such as 36h or 7d`);
  return instant(world.clock.now() + lasts);
}

/**
 * Loosening is done by a person at a terminal who types the name: never in CI, never by a script, never by a reflex.
 * Design §4: "Adding one needs a terminal and the typed name@version, is refused under CI".
 */
export async function typedAtTerminal(io: Io, what: string, shown: string): Promise<void> {
  const ci = io.env["CI"];
  if (ci !== undefined && ci !== "" && ci !== "false" && ci !== "0")
    throw new Fault("NEEDS_TERMINAL", `${what}: what loosens is not done in CI`);
  if (!io.stdinIsTerminal || !io.stderrIsTerminal) throw new Fault("NEEDS_TERMINAL", `${what}: what loosens needs a person at a terminal`);
  io.stderr(shown);
  const answer = await io.ask(`type ${what} to do it: `);
  if (answer?.trim() !== what) throw new Fault("USAGE", `${JSON.stringify(answer?.trim() ?? "")} is not ${what}; nothing was changed`);
}
