/**
 * What `cordon setup` writes: the smallest change of a client's own settings file that points it at a gate, and its undoing.
 * Which file wins over which was measured with the real clients; the comment at each rule says what.
 */
import type { ClientId, FileEdit } from "./client.ts";
import {
  type Setting,
  type SettingsReading,
  appendLines,
  lineEnd,
  readBunfig,
  readNpmrc,
  readYaml,
  readYarnrc,
  replaceValue,
  setting,
  tomlTableStart,
} from "./settings.ts";

/** Texts by path relative to the project; an absent file is undefined. */
export type Files = Readonly<Record<string, string | undefined>>;

export type SetupPlan = {
  /** In path order; a file that already says it is not among them. */
  readonly edits: readonly FileEdit[];
  /** Files that could not be read and are left alone: the client is not pointed at the gate then. */
  readonly problems: readonly { readonly path: string; readonly why: string }[];
};

/** The files `planSetup` looks at. */
export const SETUP_FILES = [".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", "pnpm-workspace.yaml"] as const;

type Rule = (text: string | undefined, gate: string) => string | undefined | { readonly problem: string };

const RULES: Readonly<Record<ClientId, Readonly<Partial<Record<(typeof SETUP_FILES)[number], Rule>>>>> = {
  npm: { ".npmrc": (text, gate) => npmrc(text, { registry: gate, "replace-registry-host": "npmjs" }) },
  // pnpm 10 obeys `registries.default`, 11 and 12 also `registry`, before .npmrc; without them .npmrc is enough for all.
  pnpm: { ".npmrc": (text, gate) => npmrc(text, { registry: gate }), "pnpm-workspace.yaml": pnpmWorkspace },
  // yarn 1 obeys .npmrc before .yarnrc, even the user's before the project's.
  "yarn-classic": { ".npmrc": (text, gate) => npmrc(text, { registry: gate }), ".yarnrc": yarnrc },
  "yarn-berry": { ".yarnrc.yml": yarnrcYml },
  // bunfig.toml wins over .npmrc, the user's over the project's .npmrc too.
  bun: { "bunfig.toml": bunfig },
  deno: { ".npmrc": (text, gate) => npmrc(text, { registry: gate }) },
};

/** `gate` is the base URL with trailing slash. Running it on its own result changes nothing. */
export function planSetup(clients: readonly ClientId[], gate: string, files: Files): SetupPlan {
  const problems: { path: string; why: string }[] = [];
  const edits: FileEdit[] = [];
  for (const path of SETUP_FILES) {
    let text = files[path];
    for (const client of clients) {
      const result = RULES[client][path]?.(text, gate);
      if (typeof result === "object") problems.push({ path, why: result.problem });
      else if (result !== undefined) text = result;
    }
    if (text !== undefined && text !== files[path]) edits.push({ path, before: files[path], after: text });
  }
  return { edits, problems };
}

/** Splits earlier edits into those that can be undone byte for byte and those whose file was edited since. */
export function planUndo(
  edits: readonly FileEdit[],
  files: Files,
): { readonly restore: readonly FileEdit[]; readonly changed: readonly FileEdit[] } {
  const restore = edits.filter((edit) => files[edit.path] === edit.after);
  return { restore, changed: edits.filter((edit) => files[edit.path] !== edit.after && files[edit.path] !== edit.before) };
}

function npmrc(text: string | undefined, wanted: Readonly<Record<string, string>>): string {
  let result = text ?? "";
  for (const [key, value] of Object.entries(wanted)) {
    const present = setting(readNpmrc(result).settings, key);
    if (present?.value === value) continue;
    result = present ? replaceValue(result, present, value) : insertBeforeSection(result, `${key}=${value}`);
  }
  return result;
}

/** npm reads nothing behind a section header, so a new key goes in front of the first one. */
function insertBeforeSection(text: string, line: string): string {
  const section = /^[ \t]*\[/m.exec(text);
  if (!section) return appendLines(text, [line]);
  return text.slice(0, section.index) + line + lineEnd(text) + text.slice(section.index);
}

function yarnrc(text: string | undefined, gate: string): string | undefined {
  const present = text === undefined ? undefined : setting(readYarnrc(text).settings, "registry");
  if (text === undefined || !present || present.value === gate) return text;
  return replaceValue(text, present, JSON.stringify(gate));
}

function bunfig(text: string | undefined, gate: string): string {
  const source = text ?? "";
  const { settings } = readBunfig(source);
  const present = setting(settings, "install.registry") ?? setting(settings, "install.registry.url");
  if (present) return present.value === gate ? source : replaceValue(source, present, JSON.stringify(gate));
  const line = `registry = ${JSON.stringify(gate)}`;
  const table = tomlTableStart(source, "install");
  if (table === undefined) return appendLines(source, [...(source.trim() === "" ? [] : [""]), "[install]", line]);
  const eol = lineEnd(source);
  const head = source.slice(0, table);
  return head + (head.endsWith("\n") ? "" : eol) + line + eol + source.slice(table);
}

function pnpmWorkspace(text: string | undefined, gate: string): string | undefined | { problem: string } {
  if (text === undefined) return undefined;
  return editYaml(text, (source, settings) => {
    // From the back, so that the first replacement does not move the second.
    const present = settings.filter((entry) => (entry.key === "registry" || entry.key === "registries.default") && entry.value !== gate);
    return present.toReversed().reduce((result, entry) => replaceValue(result, entry, JSON.stringify(gate)), source);
  });
}

function yarnrcYml(text: string | undefined, gate: string): string | undefined | { problem: string } {
  const pointed = editYaml(text ?? "", (source, settings) => {
    const present = setting(settings, "npmRegistryServer");
    if (present?.value === gate) return source;
    return present
      ? replaceValue(source, present, JSON.stringify(gate))
      : appendLines(source, [`npmRegistryServer: ${JSON.stringify(gate)}`]);
  });
  const url = new URL(gate);
  if (typeof pointed === "object" || url.protocol !== "http:") return pointed;
  return editYaml(pointed, (source, settings) => allowHttp(source, setting(settings, "unsafeHttpWhitelist"), url.hostname));
}

/** yarn 4 refuses plain http except to hosts in this list. */
function allowHttp(source: string, list: Setting | undefined, host: string): string | { problem: string } {
  if (!list) return appendLines(source, ["unsafeHttpWhitelist:", `  - ${JSON.stringify(host)}`]);
  const hosts = [...list.value.matchAll(/"([^"]*)"|'([^']*)'|([^\s,[\]"'#-][^\s,[\]"'#]*)/g)].map((item) => item[1] ?? item[2] ?? item[3]!);
  if (hosts.includes(host) || hosts.includes("*")) return source;
  if (list.value.startsWith("[")) {
    const close = list.end - 1;
    return `${source.slice(0, close).trimEnd()}${hosts.length > 0 ? ", " : ""}${JSON.stringify(host)}${source.slice(close)}`;
  }
  if (!list.value.startsWith("-")) return { problem: `line ${list.line}: unsafeHttpWhitelist is not a list` };
  const lineStart = source.lastIndexOf("\n", list.start) + 1;
  return `${source.slice(0, list.start)}- ${JSON.stringify(host)}${lineEnd(source)}${source.slice(lineStart, list.start)}${source.slice(list.start)}`;
}

function editYaml(
  text: string,
  edit: (source: string, settings: readonly Setting[]) => string | { problem: string },
): string | { problem: string } {
  const reading: SettingsReading = readYaml(text);
  if (reading.problem !== undefined) return { problem: reading.problem };
  const edited = edit(text, reading.settings);
  // A document end marker or a second document would put what was appended out of reach.
  if (typeof edited === "string" && readYaml(edited).problem !== undefined) return { problem: "the key could not be added to it" };
  return edited;
}
