/** `cordon exposure --merge`: one answer for many machines, from the reports they wrote. */
import { type Fleet, fleetOf, readFleetReport } from "../../core/exposure/fleet.ts";
import type { Level } from "../../core/exposure/sighting.ts";
import type { CommandContext } from "./command.ts";
import { SHOWN } from "./exposure.ts";
import { columns, type Paint, painter, printJson, safe } from "./io.ts";
import { count } from "./sizes.ts";

/** Places of one machine that are told without --all. */
const TOLD = 3;

/** Prints the matrix; the worst answer in it. */
export async function mergeReports({ io, world, flags }: CommandContext, files: readonly string[], all: boolean): Promise<Level> {
  const machines = [];
  for (const file of files) machines.push(readFleetReport(machineOf(file), await world.readReport(file)));
  const fleet = fleetOf(machines);
  if (flags.json) printJson(io, "cordon.exposure-fleet/1", { ...fleet });
  else io.stdout(fleetText(fleet, painter(io, "stdout"), all));
  return fleet.overall;
}

/** `reports/build-7.json` → `build-7`. */
function machineOf(file: string): string {
  return file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1).replace(/\.json$/, "");
}

function fleetText({ incidents, machines }: Fleet, paint: Paint, all: boolean): string {
  const lines: string[] = [];
  for (const incident of incidents) {
    const cells = machines.map(({ machine, cells: own }) => ({ machine, cell: own.find((one) => one.incident === incident)! }));
    const told = cells.filter(({ cell }) => cell.level !== "not-exposed");
    const clear = cells.length - told.length;
    if (told.length === 0 && !all) continue;
    lines.push(paint("bold", safe(incident)));
    const rows = told.flatMap(({ machine, cell }) =>
      cell.places
        .slice(0, all ? undefined : TOLD)
        .map(({ place, level, because }, at) => [
          at === 0 ? safe(machine) : "",
          SHOWN[level],
          `${place === machine ? "" : `${safe(place)}${because === undefined ? "" : "   "}`}${because === undefined ? "" : safe(because)}`,
        ])
        .concat(!all && cell.places.length > TOLD ? [["", "", `and ${count(cell.places.length - TOLD, "other place")}`]] : []),
    );
    if (rows.length > 0) lines.push(columns(rows));
    if (clear > 0) lines.push(`  ${count(clear, "machine")} not exposed`);
    lines.push("");
  }
  // Where any incident is told, they stand there as unknown.
  const unread = incidents.length > 0 ? [] : machines.filter((one) => one.unread !== undefined);
  for (const { machine, unread: why } of unread) lines.push(`  ${safe(machine)}: its report says nothing: ${safe(why!)}`);
  if (lines.length === 0) lines.push(`Not exposed: ${count(machines.length, "machine")}, ${count(incidents.length, "incident")}.`);
  return `${lines.join("\n").trimEnd()}\n`;
}
