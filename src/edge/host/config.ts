/** Finds and reads cordon.yaml: the machine's and the project's. What reads them, and what finds projects, is loaded only when there is a file. */
import { existsSync } from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import type { Layer } from "../../core/config/settings.ts";
import { Fault } from "../../core/base/fault.ts";
import { readText } from "./files.ts";

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
async function configFiles({ cwd, home, env, config }: Omit<ConfigPlace, "now">): Promise<readonly ConfigFile[]> {
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
  if (!upwards(cwd).some((folder) => existsSync(path.join(folder, NAME)))) return files;
  const { findProject } = await import("./project.ts");
  const project = path.join(findProject(cwd).root, NAME);
  const text = files.some((file) => file.path === project) ? undefined : readText(project, LIMITS.configBytes);
  if (text !== undefined) files.push({ path: project, level: "project", text });
  return files;
}

/**
 * The machine's file as it stands, or where it would stand. Raises CONFIG_INVALID when the one that was named is the project's own: what
 * a checkout holds decides nothing for the machine.
 */
export async function machineFile({
  cwd,
  home,
  env,
  config,
}: Omit<ConfigPlace, "now">): Promise<{ readonly path: string; readonly text: string | undefined }> {
  const named = config ?? env["CORDON_CONFIG"];
  const places = named === undefined || named === "" ? machinePlaces(home, env) : [path.resolve(cwd, named)];
  const found = places.find((place) => existsSync(place)) ?? places[0]!;
  const { findProject } = await import("./project.ts");
  if (found === path.join(findProject(cwd).root, NAME))
    throw new Fault("CONFIG_INVALID", `${found} is the project's file, which may not name feeds; they belong in the machine's`);
  return { path: found, text: readText(found, LIMITS.configBytes) };
}

/** The folder and every one above it. */
function upwards(folder: string): readonly string[] {
  const above = path.dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}

/** Machine files, the first that exists counts: the user's own, then the system's. */
function machinePlaces(home: string, env: ConfigPlace["env"]): readonly string[] {
  return [path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "cordon", NAME), path.join("/etc/cordon", NAME)];
}

export async function readLayers(place: ConfigPlace): Promise<{ readonly machine?: Layer; readonly project?: Layer }> {
  const files = await configFiles(place);
  if (files.length === 0) return {};
  const { readDocument } = await import("../../core/policy/document.ts");
  return Object.fromEntries(
    files.map((file) => [file.level, readDocument({ text: file.text, source: file.path, level: file.level, now: place.now })]),
  );
}
