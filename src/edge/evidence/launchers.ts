/**
 * What starts packages by name: settings of editors and agents, in projects and in a person's home, and the recipes of CI systems and images.
 * Read as JSON or line by line; nothing is started.
 */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { commandsOf, launchedBy } from "../../core/exposure/launcher.ts";
import { artefactsIn } from "../../core/exposure/watch.ts";
import { codeOf, tryReadText } from "../host/files.ts";
import { projectRanges } from "../host/project.ts";
import { MACHINE } from "./artefacts.ts";
import type { Reading } from "./reading.ts";

/** In a project, relative to its folder. */
const IN_PROJECT = [
  ".mcp.json",
  "mcp.json",
  ".vscode/mcp.json",
  ".vscode/tasks.json",
  ".vscode/settings.json",
  ".cursor/mcp.json",
  ".claude/settings.json",
  ".claude/settings.local.json",
  ".gemini/settings.json",
];
/** In a home. */
const IN_HOME = [
  ".claude.json",
  ".claude/settings.json",
  ".cursor/mcp.json",
  ".gemini/settings.json",
  ".codeium/windsurf/mcp_config.json",
  ".config/Claude/claude_desktop_config.json",
  "Library/Application Support/Claude/claude_desktop_config.json",
  ".config/Code/User/mcp.json",
  ".config/Code/User/settings.json",
  "Library/Application Support/Code/User/mcp.json",
];

/** Recipes whose lines are commands. */
export const RECIPE =
  /(?:^|[\\/])(?:\.github[\\/]workflows[\\/][^\\/]+\.ya?ml|\.circleci[\\/]config\.yml|\.gitlab-ci\.yml|(?:azure|bitbucket)-pipelines\.yml|Jenkinsfile|Makefile|(?:Docker|Container)file(?:\.[^\\/]+)?|[^\\/]+\.Dockerfile)$/;

/** `place` is the project: what it depends on itself is started from its node_modules, unless the recipe says a version. */
export function readRecipe({ see, watch, counts }: Reading, place: string, file: string): void {
  const text = readOwn(file);
  if (typeof text !== "string") {
    if (text !== undefined) see({ kind: "missing", place, what: `${file}: ${text.why}` });
    return;
  }
  counts.files += 1;
  const own = projectRanges(place);
  for (const line of text.split("\n"))
    if (!/^\s*#/.test(line))
      for (const { name, range } of launchedBy(line))
        if (watch.knows(name) && (line.includes(`${name}@`) || !own.has(name)))
          see({ kind: "range", place, file, name, range, by: "launcher" });
}

export function readProjectLaunchers(reading: Reading, place: string, folder: string, names: ReadonlySet<string>): void {
  for (const name of IN_PROJECT) if (names.has(name.split("/")[0]!)) readLaunchers(reading, place, path.join(folder, name));
}

export function readHomeLaunchers(reading: Reading): void {
  for (const name of IN_HOME) readLaunchers(reading, MACHINE, path.join(reading.surroundings.home, name));
}

/** A link among settings leads to somebody else's. */
function readOwn(file: string): ReturnType<typeof tryReadText> {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true ? tryReadText(file, LIMITS.lockfileBytes) : undefined;
  } catch (error) {
    return { why: codeOf(error), large: false };
  }
}

function readLaunchers({ see, watch, counts }: Reading, place: string, file: string): void {
  const text = readOwn(file);
  if (typeof text !== "string") {
    if (text !== undefined) see({ kind: "missing", place, what: `${file}: ${text.why}` });
    return;
  }
  counts.files += 1;
  let value: unknown;
  try {
    value = JSON.parse(withoutComments(text));
  } catch {
    // Editors are lenient in ways of their own; as one text its command lines are found all the same.
    value = text.split("\n");
  }
  for (const command of commandsOf(value))
    for (const indicator of artefactsIn(watch, command)) see({ kind: "artefact", place, file, indicator, started: true });
  const own = projectRanges(place);
  for (const { name, range } of launchedBy(value))
    if (watch.knows(name) && (text.includes(`${name}@`) || !own.has(name)))
      see({ kind: "range", place, file, name, range, by: "launcher" });
}

/** Editors allow `//` and block comments and a comma before a closing bracket. Strings are left alone. */
function withoutComments(text: string): string {
  // Each alternative also matches up to the end, so that what is never closed is read once.
  const plain = text.replaceAll(/("(?:[^"\\]|\\[\s\S])*(?:"|$))|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, "$1");
  return plain.replaceAll(/("(?:[^"\\]|\\[\s\S])*(?:"|$))|,(?=\s*[}\]])/g, "$1");
}
