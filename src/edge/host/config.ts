/** Finds and reads cordon.yaml: the machine's and the project's. The reader of its contents is loaded only when there is a file. */
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { Layer } from "../../core/config/settings.ts";
import { Fault } from "../../core/base/fault.ts";
import { readText } from "./files.ts";
import { findProject } from "./project.ts";

export type ConfigPlace = {
  readonly cwd: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`. */
  readonly config: string | undefined;
  readonly now: Instant;
};

export type ConfigFile = { readonly path: string; readonly level: "machine" | "project"; readonly text: string };

const NAME = "cordon.yaml";

/** The files in force. A machine file that was named and does not exist is a Fault: somebody believes in it. */
function configFiles({ cwd, home, env, config }: Omit<ConfigPlace, "now">): readonly ConfigFile[] {
  const files: ConfigFile[] = [];
  const named = config ?? env["CORDON_CONFIG"];
  const candidates = named === undefined || named === "" ? machinePlaces(home, env) : [path.resolve(cwd, named)];
  for (const candidate of candidates) {
    const text = readText(candidate, LIMITS.configBytes);
    if (text === undefined) continue;
    files.push({ path: candidate, level: "machine", text });
    break;
  }
  if (named !== undefined && named !== "" && files.length === 0) throw new Fault("CONFIG_INVALID", `${candidates[0]} does not exist`);
  const project = path.join(findProject(cwd).root, NAME);
  const text = files.some((file) => file.path === project) ? undefined : readText(project, LIMITS.configBytes);
  if (text !== undefined) files.push({ path: project, level: "project", text });
  return files;
}

/** Machine files, the first that exists counts: the user's own, then the system's. */
function machinePlaces(home: string, env: ConfigPlace["env"]): readonly string[] {
  return [path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "cordon", NAME), path.join("/etc/cordon", NAME)];
}

export async function readLayers(place: ConfigPlace): Promise<{ readonly machine?: Layer; readonly project?: Layer }> {
  const files = configFiles(place);
  if (files.length === 0) return {};
  const { readDocument } = await import("../../core/policy/document.ts");
  return Object.fromEntries(
    files.map((file) => [file.level, readDocument({ text: file.text, source: file.path, level: file.level, now: place.now })]),
  );
}
