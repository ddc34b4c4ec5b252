/** `cordon notify test`: sends one alert to every configured target and says what came of it. */
import { Fault } from "../../core/base/fault.ts";
import type { Command } from "./command.ts";
import { columns, painter, printJson, safe } from "./io.ts";
import { count } from "./sizes.ts";

export const run: Command = async ({ io, world, flags }, args) => {
  if (args[0] !== "test") throw new Fault("USAGE", `cordon notify ${safe(args[0] ?? "")}: say test`);
  const found = await world.tryAlerts(flags, {
    at: world.clock.now(),
    what: "test",
    name: "cordon",
    detail: `a test by ${world.user()}; nothing has happened`,
  });
  if (found.length === 0) throw new Fault("USAGE", "nobody is to be told; name targets under notify in the machine's cordon.yaml");
  const failed = found.filter(({ result }) => !result.ok);
  if (flags.json) {
    printJson(io, "cordon.notify/1", { targets: found.map(({ target, result }) => ({ target, ...result })) });
    return failed.length === 0 ? 0 : 3;
  }
  const paint = painter(io, "stdout");
  io.stdout(
    `${columns(
      found.map(({ target, result }) =>
        result.ok ? [target, paint("green", "told")] : [target, `${paint("red", "FAILED")}   ${safe(result.message)}`],
      ),
      "",
    )}\n`,
  );
  if (failed.length > 0) io.stdout(`${count(failed.length, "target")} could not be told\n`);
  return failed.length === 0 ? 0 : 3;
};
