/** What payloads leave on a machine: only whether it is there is looked at; nothing is opened. */
import fs from "node:fs";
import path from "node:path";
import { codeOf } from "../host/files.ts";
import type { Reading } from "./reading.ts";

export const MACHINE = "this machine";

export function readArtefacts({ watch, see, surroundings }: Reading): void {
  for (const { path: indicator, platform } of watch.paths) {
    if (platform !== undefined && platform !== surroundings.platform) continue;
    const file = located(indicator, surroundings);
    if (file === undefined) continue;
    try {
      if (fs.lstatSync(file, { throwIfNoEntry: false })) see({ kind: "artefact", place: MACHINE, file, indicator });
    } catch (error) {
      if (codeOf(error) !== "ENOTDIR") see({ kind: "missing", place: MACHINE, what: `${file}: ${codeOf(error)}` });
    }
  }
  see({ kind: "looked", place: MACHINE, what: "nothing the payload is known to leave behind is there" });
}

/** `~/x` and `%NAME%\x` as this machine's paths. */
export function located(indicator: string, { env, home }: Pick<Reading["surroundings"], "env" | "home">): string | undefined {
  if (indicator.startsWith("~/")) return path.join(home, indicator.slice(2));
  const variable = /^%(\w+)%\\(.*)$/.exec(indicator);
  if (variable === null) return path.isAbsolute(indicator) ? indicator : undefined;
  const base = env[variable[1]!];
  return base === undefined ? undefined : path.join(base, variable[2]!);
}
