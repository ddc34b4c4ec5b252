/**
 * Reads the clients' own settings files as `key = value` with the position of every value, so that one value can be replaced and every
 * other byte (comments, order, line ends) stays. Nothing is evaluated: `${VARIABLES}` stay as they are written.
 */
import { type LineCounter, LineCounter as Lines, type Pair, isMap, isScalar, isSeq, parseDocument } from "yaml";

export type Setting = {
  /** Dotted for nested files: `install.registry`, `npmScopes.acme.npmRegistryServer`. */
  readonly key: string;
  /** The value without its quotes; a list or table is its source text. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where the value stands in the text, quotes included. */
  readonly start: number;
  readonly end: number;
};

export type SettingsReading = {
  readonly settings: readonly Setting[];
  /** Why the file could not be read; nothing may be edited then. */ readonly problem?: string;
};

/** Settings that count: when a key is given twice the last one does, in every client. */
export function setting(settings: readonly Setting[], key: string): Setting | undefined {
  return settings.findLast((entry) => entry.key === key);
}

export function replaceValue(text: string, at: Setting, value: string): string {
  return text.slice(0, at.start) + value + text.slice(at.end);
}

/** The line end this text uses. */
export function lineEnd(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? "\n";
}

/** Appends lines in the text's own line end. */
export function appendLines(text: string, lines: readonly string[]): string {
  const eol = lineEnd(text);
  const separator = text === "" || text.endsWith("\n") ? "" : eol;
  return text + separator + lines.map((line) => line + eol).join("");
}

/** `.npmrc`, line by line as npm's `ini` reads it; npm gives no meaning to what stands behind a section header. */
export function readNpmrc(text: string): SettingsReading {
  const settings: Setting[] = [];
  for (const { content, line, offset } of linesOf(text, /\r\n|\r|\n/g)) {
    // ini.js: /^\[([^\]]*)\]\s*$/ is a header; " [x]" and "[x" are not.
    if (/^\[[^\]]*\]\s*$/.test(content)) break;
    const match = /^\s*[;#]/.test(content) ? null : /^([^=]+)=\s*(.*)$/d.exec(content);
    if (!match) continue;
    const raw = iniWord(match[2]!);
    const start = offset + match.indices![2]![0];
    // ini.js: `key[]` adds to a list, and a list of one is as good as its only text.
    const key = iniValue(iniWord(match[1]!)).replace(/(?<=.)\[\]$/, "");
    settings.push({ key, value: iniValue(raw), line, start, end: start + raw.length });
  }
  return { settings };
}

/** A key or value without the comment behind it. ini.js: what begins and ends with the same quote is taken whole. */
function iniWord(written: string): string {
  const text = written.trim();
  return isIniQuoted(text) ? text : /^(?:\\.?|[^\\;#])*/.exec(text)![0].trimEnd();
}

function isIniQuoted(text: string): boolean {
  return /^["']/.test(text) && text.endsWith(text[0]!);
}

/** ini.js: single quotes are taken off, then JSON may have its say; without quotes a backslash protects `;`, `#` and itself. */
function iniValue(word: string): string {
  if (!isIniQuoted(word)) return word.replace(/\\([\\;#])/g, "$1");
  const inner = word.startsWith("'") ? word.slice(1, -1) : word;
  try {
    return String(JSON.parse(inner));
  } catch {
    // No JSON: it is meant as it stands.
    return inner;
  }
}

/** `.yarnrc` of yarn 1: `key value` a line, either quoted. */
export function readYarnrc(text: string): SettingsReading {
  const settings: Setting[] = [];
  for (const { content, line, offset } of linesOf(text)) {
    const match = /^("[^"]*"|[^\s#"][^\s]*)(:?\s+)("[^"]*"|\S+)/.exec(content);
    if (!match) continue;
    const start = offset + match[1]!.length + match[2]!.length;
    settings.push({ key: unquote(match[1]!).replace(/:$/, ""), value: unquote(match[3]!), line, start, end: start + match[3]!.length });
  }
  return { settings };
}

/** `bunfig.toml`, as far as one-line values go; keys are prefixed with their table. */
export function readBunfig(text: string): SettingsReading {
  const settings: Setting[] = [];
  let table = "";
  for (const { header, content, line, offset } of tomlLines(text)) {
    if (header !== undefined) table = `${header}.`;
    const match = header === undefined ? TOML_PAIR.exec(content) : undefined;
    if (!match) continue;
    const raw = tomlValue(match[3]!);
    const start = offset + match[1]!.length;
    settings.push({ key: table + tomlKey(match[2]!), value: unquote(raw), line, start, end: start + raw.length });
  }
  return { settings };
}

/** Where a new key of `[table]` goes: the offset behind its header line; undefined when there is no such table. */
export function tomlTableStart(text: string, table: string): number | undefined {
  for (const { header, content, offset } of tomlLines(text)) {
    const end = offset + content.length;
    if (header === table) return end + (/^\r?\n/.exec(text.slice(end, end + 2))?.[0].length ?? 0);
  }
  return undefined;
}

const TOML_PAIR = /^(\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=\s*)(.*)$/;

/** The lines of a TOML text, table headers recognised, the insides of multi-line strings left out. */
function* tomlLines(text: string): Generator<Line & { header: string | undefined }> {
  let open: string | undefined;
  for (const line of linesOf(text)) {
    if (open !== undefined) {
      if (line.content.includes(open)) open = undefined;
      continue;
    }
    const header = /^\s*\[\s*([^[\]]+?)\s*\]\s*(?:#.*)?$/.exec(line.content)?.[1];
    const value = TOML_PAIR.exec(line.content)?.[3] ?? "";
    const quotes = /^("""|''')/.exec(value)?.[1];
    if (quotes && !value.slice(3).includes(quotes)) open = quotes;
    yield { ...line, header: header === undefined ? undefined : tomlKey(header) };
  }
}

/** `.yarnrc.yml`, `pnpm-workspace.yaml`. */
export function readYaml(text: string): SettingsReading {
  const lines: LineCounter = new Lines();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "error" });
  const error = document.errors[0];
  if (error) return { settings: [], problem: error.message.split("\n")[0]! };
  if (document.contents !== null && !isMap(document.contents)) return { settings: [], problem: "its top level is not a map" };
  const settings: Setting[] = [];
  const visit = (pairs: readonly Pair[], prefix: string): void => {
    for (const pair of pairs) {
      if (!isScalar(pair.key)) continue;
      const key = `${prefix}${String(pair.key.value)}`;
      if (isMap(pair.value)) visit(pair.value.items as readonly Pair[], `${key}.`);
      const range = (isScalar(pair.value) || isSeq(pair.value) || isMap(pair.value)) && pair.value.range;
      if (!range) continue;
      const value = isScalar(pair.value) ? String(pair.value.value ?? "") : text.slice(range[0], range[1]);
      settings.push({ key, value, line: lines.linePos(pair.key.range?.[0] ?? range[0]).line, start: range[0], end: range[1] });
    }
  };
  if (document.contents !== null) visit((document.contents as { items: readonly Pair[] }).items, "");
  return { settings };
}

type Line = { readonly content: string; readonly line: number; readonly offset: number };

function* linesOf(text: string, ends: RegExp = /\r?\n/g): Generator<Line> {
  let offset = 0;
  let line = 1;
  for (const end of text.matchAll(ends)) {
    yield { content: text.slice(offset, end.index), line: line++, offset };
    offset = end.index + end[0].length;
  }
  yield { content: text.slice(offset), line, offset };
}

function unquote(raw: string): string {
  return /^(["']).*\1$/.test(raw) && raw.length >= 2 ? raw.slice(1, -1) : raw;
}

function tomlKey(written: string): string {
  return [...written.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map((part) => part[1] ?? part[2] ?? part[3]!).join(".");
}

/** The value at the head of `rest`, without a comment behind it. */
function tomlValue(rest: string): string {
  const quoted = /^"(?:\\.|[^"\\])*"|^'[^']*'/.exec(rest)?.[0];
  if (quoted !== undefined && !rest.startsWith('"""') && !rest.startsWith("'''")) return quoted;
  let depth = 0;
  for (const token of rest.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|[[\]{}#]/g)) {
    if (token[0] === "[" || token[0] === "{") depth++;
    if ((token[0] === "]" || token[0] === "}") && --depth === 0) return rest.slice(0, token.index + 1);
    if (token[0] === "#" && depth === 0) return rest.slice(0, token.index).trimEnd();
  }
  return rest.trimEnd();
}
