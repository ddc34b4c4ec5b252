/** The clients' settings files as `cordon policy sync` reads and writes them: one key at a time, every other byte as it stands. */
import { isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { jsonAt, jsonProblem, type JsonValue, putJson } from "./json-edit.ts";
import {
  appendLines,
  lineEnd,
  readBunfig,
  readNpmrc,
  readYaml,
  replaceValue,
  setting,
  type SettingsReading,
  tomlTableStart,
} from "./settings.ts";

/** The files a policy is written into, relative to the project. */
export const SYNC_FILES = [
  ".npmrc",
  "pnpm-workspace.yaml",
  ".yarnrc.yml",
  "bunfig.toml",
  "deno.json",
  "deno.jsonc",
  "package.json",
] as const;
export type SyncFile = (typeof SYNC_FILES)[number];

/** A key as it is given to these functions: dotted where the file nests (`install.minimumReleaseAge`). */
export type Found = { readonly value: string; readonly line: number };

/** Why the file may not be edited; undefined when it may. */
export function fileProblem(file: SyncFile, text: string): string | undefined {
  if (isJson(file)) return jsonProblem(text);
  return read(file, text).problem;
}

/** The scalar a key has; undefined when it has none. */
export function valueAt(file: SyncFile, text: string | undefined, key: string): Found | undefined {
  if (text === undefined) return undefined;
  if (isJson(file)) {
    const place = jsonAt(text, key.split("."));
    return place === undefined || place.kind === "map" ? undefined : place;
  }
  return setting(read(file, text).settings, key);
}

/** The items of a list; a key that is written once for each item counts as one. */
export function itemsAt(file: SyncFile, text: string | undefined, key: string): readonly Found[] {
  if (text === undefined) return [];
  switch (file) {
    case ".npmrc":
      return readNpmrc(text).settings.filter((one) => one.key === key);
    case "bunfig.toml":
      return tomlItems(text, key);
    case "pnpm-workspace.yaml":
    case ".yarnrc.yml":
      return yamlItems(text, key);
    default:
      return jsonAt(text, key.split("."))?.items ?? [];
  }
}

/** Every key that ends in `suffix`, with what stands before it: settings that a file repeats for each scope. */
export function keysEnding(file: SyncFile, text: string | undefined, suffix: string): readonly (Found & { readonly key: string })[] {
  if (text === undefined || isJson(file)) return [];
  return read(file, text).settings.filter(({ key }) => key.endsWith(suffix) && key !== suffix);
}

/** The text with the key set; undefined when it cannot be set there. An absent file is begun. */
export function put(file: SyncFile, text: string | undefined, key: string, value: JsonValue): string | undefined {
  switch (file) {
    case ".npmrc":
      return putNpmrc(text ?? "", key, String(value));
    case "bunfig.toml":
      return putBunfig(text ?? "", key, JSON.stringify(value));
    case "pnpm-workspace.yaml":
    case ".yarnrc.yml":
      return putYaml(text ?? "", key, JSON.stringify(value));
    default:
      return putJson(text ?? "{}\n", key.split("."), value);
  }
}

function isJson(file: SyncFile): boolean {
  return file.endsWith(".json") || file.endsWith(".jsonc");
}

function read(file: SyncFile, text: string): SettingsReading {
  if (file === ".npmrc") return readNpmrc(text);
  return file === "bunfig.toml" ? readBunfig(text) : readYaml(text);
}

function putNpmrc(text: string, key: string, value: string): string {
  const present = setting(readNpmrc(text).settings, key);
  if (present) return replaceValue(text, present, value);
  // npm reads nothing behind a section header, so a new key goes in front of the first one.
  const section = /^\[[^\]]*\]\s*$/m.exec(text);
  if (!section) return appendLines(text, [`${key}=${value}`]);
  return `${text.slice(0, section.index)}${key}=${value}${lineEnd(text)}${text.slice(section.index)}`;
}

function putBunfig(text: string, key: string, value: string): string {
  const present = setting(readBunfig(text).settings, key);
  if (present) return replaceValue(text, present, value);
  const [table, name] = key.split(".") as [string, string];
  const line = `${name} = ${value}`;
  const at = tomlTableStart(text, table);
  if (at === undefined) return appendLines(text, [...(text.trim() === "" ? [] : [""]), `[${table}]`, line]);
  const eol = lineEnd(text);
  const head = text.slice(0, at);
  return head + (head.endsWith("\n") ? "" : eol) + line + eol + text.slice(at);
}

function putYaml(text: string, key: string, value: string): string | undefined {
  const present = setting(readYaml(text).settings, key);
  // The range of a block list takes the line end with it.
  const edited = present
    ? replaceValue(text, present, text.slice(present.start, present.end).endsWith("\n") ? `${value}${lineEnd(text)}` : value)
    : appendLines(text, [`${key}: ${value}`]);
  // A document end marker, a second document or an inline map would put what was written out of reach.
  const again = readYaml(edited);
  return again.problem === undefined && setting(again.settings, key)?.value.trim() === unquoted(value) ? edited : undefined;
}

function unquoted(value: string): string {
  return /^"[^"\\]*"$/.test(value) ? value.slice(1, -1) : value;
}

function yamlItems(text: string, key: string): readonly Found[] {
  const lines = new LineCounter();
  const node = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "error" }).get(key, true);
  if (!isSeq(node)) return [];
  return node.items.flatMap((item) =>
    isScalar(item) && item.range ? [{ value: String(item.value), line: lines.linePos(item.range[0]).line }] : [],
  );
}

/** Strings between the brackets, which may stand on many lines; what a `#` hides is passed over. */
function tomlItems(text: string, key: string): readonly Found[] {
  const list = setting(readBunfig(text).settings, key);
  if (!list || text[list.start] !== "[") return [];
  const items: Found[] = [];
  for (const token of text.slice(list.start).matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|#.*|\]/g)) {
    if (token[0] === "]") break;
    if (token[0].startsWith("#")) continue;
    const line = list.line + (text.slice(list.start, list.start + token.index).split("\n").length - 1);
    items.push({ value: token[1] ?? token[2]!, line });
  }
  return items;
}
