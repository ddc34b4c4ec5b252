/** `cordon waiver list|revoke|prune`. */
import { Fault } from "../../core/base/fault.ts";
import { iso } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";
import { when } from "./when.ts";

export const run: Command = async ({ io, world, flags }, args) => {
  const app = await world.open(flags);
  try {
    const now = world.clock.now();
    switch (args[0]) {
      case "list": {
        const waivers = await app.exceptions.waivers();
        if (flags.json)
          printJson(io, "cordon.waiver-list/1", {
            waivers: waivers.map((one) => ({ ...one, created: iso(one.created), expires: iso(one.expires) })),
          });
        else if (waivers.length === 0) io.stdout("there are no waivers: nothing is let through by hand\n");
        else
          io.stdout(
            `${columns(
              waivers.map((one) => [
                one.id,
                `${safe(one.name)}@${safe(one.version)}`,
                one.state === "live" ? `ends ${when(one.expires, now, io.env)}` : one.state,
                one.used === undefined ? "never used" : "used",
                `${safe(one.owner)}: ${safe(one.reason)}`,
              ]),
              "",
            )}\n`,
          );
        return 0;
      }
      case "revoke": {
        if (args[1] === undefined) throw new Fault("USAGE", "say which: cordon waiver revoke <id> (cordon waiver list shows them)");
        await app.exceptions.revokeWaiver(args[1], world.user());
        if (flags.json) printJson(io, "cordon.waiver/1", { id: args[1], revoked: iso(now) });
        else io.stdout(`waiver ${safe(args[1])} is revoked; a running gate knows within a second\n`);
        return 0;
      }
      case "prune": {
        const pruned = await app.exceptions.prune(world.user());
        if (flags.json)
          printJson(io, "cordon.waiver-prune/1", {
            pruned: pruned.map(({ waiver, why }) => ({ id: waiver.id, name: waiver.name, version: waiver.version, why })),
          });
        else if (pruned.length === 0) io.stdout("nothing to prune: every waiver is alive and needed\n");
        else
          io.stdout(
            `${columns(
              pruned.map(({ waiver, why }) => [waiver.id, `${safe(waiver.name)}@${safe(waiver.version)}`, WHY[why] ?? why]),
              "",
            )}\n`,
          );
        return 0;
      }
      default:
        throw new Fault("USAGE", `cordon waiver ${safe(args[0] ?? "")}: say list, revoke or prune`);
    }
  } finally {
    await app.close();
  }
};

const WHY: Readonly<Record<string, string>> = {
  expired: "expired",
  unused: "nobody needed it for 30 days",
  outlived: "the version is admitted without it",
};
