/** `cordon freeze --before T` · `cordon freeze` (what is in force) · `cordon freeze lift [id]`. */
import { Fault } from "../../core/base/fault.ts";
import { type Instant, iso, parseInstant } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";
import { expiryOf, ownerOf, reasonOf, typedAtTerminal } from "./owned.ts";
import { when } from "./when.ts";

export const run: Command = async (context, args, options) => {
  const { io, world, flags } = context;
  const app = await world.open(flags);
  try {
    const now = world.clock.now();
    if (args[0] === "lift") {
      if (!(await app.exceptions.freezes()).some(({ id }) => args[1] === undefined || id === args[1]))
        throw new Fault("USAGE", args[1] === undefined ? "no freeze is in force" : `no freeze ${safe(args[1])} is in force`);
      await typedAtTerminal(io, "lift", "what was frozen will be judged by the ordinary rules again\n");
      const lifted = await app.exceptions.liftFreeze(args[1], world.user());
      if (flags.json) printJson(io, "cordon.freeze-lift/1", { lifted: lifted.map((one) => one.id) });
      else io.stdout(`lifted ${lifted.map((one) => one.id).join(", ")}\n`);
      return 0;
    }
    if (args[0] !== undefined) throw new Fault("USAGE", `cordon freeze ${safe(args[0])}: say lift, or --before TIME`);
    if (options["before"] === undefined) {
      const freezes = await app.exceptions.freezes();
      if (flags.json)
        printJson(io, "cordon.freeze-list/1", {
          freezes: freezes.map((one) => ({ ...one, before: iso(one.before), created: iso(one.created), expires: iso(one.expires) })),
        });
      else if (freezes.length === 0)
        io.stdout('no freeze is in force\n  start one   cordon freeze --before 2026-03-30T23:00Z --expires 3d --reason "…"\n');
      else
        io.stdout(
          `${columns(
            freezes.map((one) => [
              one.id,
              `nothing from ${iso(one.before)} on`,
              `ends ${when(one.expires, now, io.env)}`,
              `${safe(one.owner)}: ${safe(one.reason)}`,
            ]),
            "",
          )}\n`,
        );
      return 0;
    }
    const freeze = await app.exceptions.freeze(
      { before: moment(options["before"]), expires: expiryOf(context, options) },
      { owner: ownerOf(context, options), reason: reasonOf(options) },
    );
    if (flags.json)
      printJson(io, "cordon.freeze/1", {
        ...freeze,
        before: iso(freeze.before),
        created: iso(freeze.created),
        expires: iso(freeze.expires),
      });
    else
      io.stdout(
        `frozen · nothing whose age begins at ${iso(freeze.before)} or later is admitted, until ${when(freeze.expires, now, io.env)} · ${freeze.id}\n  lift it early   cordon freeze lift ${freeze.id}\n`,
      );
    return 0;
  } finally {
    await app.close();
  }
};

/** `2026-03-30T23:00Z`, `2026-03-30T23:00:00Z`, `2026-03-30` (its first moment, UTC). */
function moment(text: unknown): Instant {
  const plain = String(text);
  const full = /^\d{4}-\d{2}-\d{2}$/.test(plain) ? `${plain}T00:00:00Z` : plain.replace(/T(\d{2}:\d{2})(Z|[+-]\d{2}:?\d{2})$/, "T$1:00$2");
  const at = parseInstant(full);
  if (at === undefined)
    throw new Fault("USAGE", `--before ${JSON.stringify(plain)}: write a time with its zone, such as 2026-03-30T23:00Z`);
  return at;
}
