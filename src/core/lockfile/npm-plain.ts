/**
 * npm's version 3 lockfiles as npm itself writes them: nearly all there are. Each value stands on a line of its own, so the file is read
 * line by line, each by one expression, and what nobody asks about is passed over without becoming an object. Whatever is unusual beyond
 * that - another layout, a key that stands twice, a field of the wrong type - is left to `npm.ts`, which reads every file and says what is
 * wrong where.
 */
import { isPackageName, unscoped } from "../npm/name.ts";
import type { Draft, Reader } from "./document.ts";
import { reportAt } from "./document.ts";
import { LOCAL, trustProblem, USUAL_NAME } from "./entry.ts";
import { isHttp, isVersion, readSri, sourceOf } from "./identity.ts";
import { folderName, nameAtLocation } from "./npm.ts";
import type { Declared, DependencyKind, LockSource, ResolvedPackage } from "./tree.ts";

/** False, with nothing added, when the file is not this plain. */
export function readPlainNpm(reader: Reader): boolean {
  const indentation = /^\{\n( {1,10}|\t{1,10})"/.exec(reader.text)?.[1];
  const lines = indentation && openLines(reader.text, indentation.length);
  if (lines && readRoot(reader, lines)) return true;
  reader.packages.length = 0;
  reader.importers.length = 0;
  reader.problems.length = 0;
  return false;
}

function readRoot(reader: Reader, lines: Lines): boolean {
  const seen = new Set<string>();
  let version = "";
  let packages = false;
  do {
    if (!next(lines, 1) || isAgain(seen, lines.key)) return false;
    if (lines.key === "lockfileVersion") version = lines.word;
    if (lines.key === "packages") {
      if (!readPackages(reader, lines)) return false;
      packages = true;
    } else if (lines.key === "dependencies" || !pass(lines, 1)) return false;
  } while (lines.comma);
  if (!closes(lines, 0, "}") || lines.comma || lines.at !== reader.text.length) return false;
  reader.version = version;
  return packages && version === "3";
}

function readPackages(reader: Reader, lines: Lines): boolean {
  const seen = new Set<string>();
  const place = { reader, lines, seen, bundlers: new Set<string>(), bodies: new Map<string, Body[]>() };
  if (lines.word !== "{") return false;
  do {
    if (!next(lines, 2) || isAgain(seen, lines.key) || !readEntry(place, lines.key!)) return false;
  } while (lines.comma);
  return closes(lines, 1, "}");
}

// --- lines ------------------------------------------------------------------------------------------------------------------------------

/** What stands on the line read last. */
type Lines = {
  readonly text: string;
  /** Characters each level is indented by. */
  readonly indent: number;
  /** Where the next line begins. */
  at: number;
  line: number;
  key: string | undefined;
  /** The value when it is a string, with its escapes resolved. */
  value: string | undefined;
  /** Any other value, or its first character when it goes on on the lines that follow; the closing character of such a one. */
  word: string;
  comma: boolean;
};

function openLines(text: string, indent: number): Lines {
  return { text, indent, at: 2, line: 1, key: undefined, value: undefined, word: "", comma: false };
}

/** A key, if there is one; a string without escapes, or what is no string; a comma. */
const LINE =
  // The words of JSON: https://www.rfc-editor.org/rfc/rfc8259 §3 and §6.
  /[ \t]*(?:"([^"\\\0-\x1f]*)": )?(?:"([^"\\\0-\x1f]*)"|(\{\}?|\[\]?|[}\]]|true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?))(,?)(?:\n|$)/y;
/** The same with a string that has escapes. */
const ESCAPED = /[ \t]*(?:"([^"\\\0-\x1f]*)": )?("[^\n]*")()(,?)(?:\n|$)/y;

/** Reads the next line; false when it is not one of JSON's values, or stands at another level. */
function next(lines: Lines, depth: number): boolean {
  const { text, at, indent } = lines;
  LINE.lastIndex = at;
  let found = LINE.exec(text);
  if (found !== null) lines.value = found[2];
  else {
    ESCAPED.lastIndex = at;
    found = ESCAPED.exec(text);
    lines.value = found === null ? undefined : unescaped(found[2]!);
    if (found === null || lines.value === undefined) return false;
  }
  const first = at + depth * indent;
  lines.key = found[1];
  lines.word = found[3] ?? "";
  lines.comma = found[4] !== "";
  lines.at = at + found[0].length;
  lines.line++;
  return !isBlank(text.charCodeAt(first)) && (depth === 0 || (first < lines.at && isBlank(text.charCodeAt(first - 1))));
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function unescaped(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function closes(lines: Lines, depth: number, word: "}" | "]"): boolean {
  return next(lines, depth) && lines.key === undefined && lines.word === word;
}

/** Whether a member has no key, or one that was there before. */
function isAgain(seen: Set<string>, key: string | undefined): boolean {
  return key === undefined || seen.size === seen.add(key).size;
}

/** Deeper than npm writes anything. */
const DEEP = 10;

/** Passes the value that begins on the line read last, and all that is in it; false when it is not plain. */
function pass(lines: Lines, depth: number): boolean {
  switch (lines.word) {
    case "}":
    case "]":
      return false;
    case "{": {
      if (depth > DEEP) return false;
      // Most maps have one key.
      let first: string | undefined;
      let others: Set<string> | undefined;
      do {
        if (!next(lines, depth + 1) || lines.key === first) return false;
        if (first === undefined) first = lines.key;
        else if (isAgain((others ??= new Set()), lines.key)) return false;
        if (!pass(lines, depth + 1)) return false;
      } while (lines.comma);
      return closes(lines, depth, "}");
    }
    case "[":
      return depth <= DEEP && eachItem(lines, depth, () => pass(lines, depth + 1));
    default:
      return true;
  }
}

function eachItem(lines: Lines, depth: number, read: () => boolean): boolean {
  do {
    if (!next(lines, depth + 1) || lines.key !== undefined || !read()) return false;
  } while (lines.comma);
  return closes(lines, depth, "]");
}

// --- entries ----------------------------------------------------------------------------------------------------------------------------

type Place = {
  readonly reader: Reader;
  readonly lines: Lines;
  /** Locations so far, and those of packages that say they bundle something. */
  readonly seen: ReadonlySet<string>;
  readonly bundlers: Set<string>;
  /** By the name of the folder, what was read of packages in such a one. */
  readonly bodies: Map<string, Body[]>;
};

/** The lines between an entry's braces, how many they are, and what they make of a package that stands in a folder of this name. */
type Body = { readonly text: string; readonly lines: number; readonly added: ResolvedPackage };

/** Of one name; a monorepo has dozens of copies of a few versions. */
const BODIES_KEPT = 16;

/** What an entry says besides what is kept of it. */
type Said = {
  name: string | undefined;
  resolved: string;
  link: boolean;
  inBundle: boolean;
  /** Of what may be a project: what it declares, by `DECLARED`. */
  readonly declared: readonly Declared[][] | undefined;
};

/** In which order a project's declarations are listed. */
const DECLARED = {
  dependencies: { at: 0, kind: "prod" },
  devDependencies: { at: 1, kind: "dev" },
  optionalDependencies: { at: 2, kind: "optional" },
  peerDependencies: { at: 3, kind: "peer" },
} as const;

/** Adds what stands at a key; false when it is unusual. */
function readEntry(place: Place, key: string): boolean {
  const { reader, lines } = place;
  const { line } = lines;
  const located = nameAtLocation(key);
  const again = located === undefined || lines.word !== "{" ? undefined : bodyAgain(place, located);
  if (again === undefined) return readBody(place, key, located);
  return closes(lines, 2, "}") && !isOddPath(key) && add(reader, { ...again.added, key, line });
}

/** `located`: the name of the folder, for what stands in a `node_modules`. */
function readBody(place: Place, key: string, located: string | undefined): boolean {
  const { reader, lines } = place;
  const { line, at: from } = lines;
  if (lines.word !== "{" && lines.word !== "{}") return false;
  const added: Draft<ResolvedPackage> = {
    key,
    name: "",
    version: "",
    source: { kind: "registry" },
    dev: false,
    optional: false,
    peer: false,
    line,
    column: 2 * lines.indent + 1,
  };
  const said: Said = {
    name: undefined,
    resolved: "",
    link: false,
    inBundle: false,
    declared: located === undefined ? [[], [], [], []] : undefined,
  };
  let body = "";
  if (lines.word === "{") {
    if (!readFields(place, added, said)) return false;
    body = reader.text.slice(from, lines.at);
    if (!closes(lines, 2, "}")) return false;
  }

  if (located === undefined && !said.link) {
    if (said.resolved !== "") return false;
    const name = said.name === undefined ? {} : { name: said.name };
    reader.importers.push({ path: key || ".", ...name, dependencies: said.declared!.flat(), line, column: added.column });
    if (key === "") return true;
  }
  // npm writes to the location as it stands: what is no plain path is looked at closely elsewhere.
  if (located === "" || isOddPath(key)) return false;

  const installedAs = located ?? said.name ?? folderName(key);
  added.name = said.name ?? installedAs;
  if (added.name !== installedAs) added.alias = installedAs;
  const source = sourceFor(place, added, said, located !== undefined);
  if (source === undefined) return false;
  added.source = source;
  if (source.kind === "registry" && !isVersion(added.version)) return false;
  if (!LOCAL.has(source.kind) || source.kind === "bundled")
    for (const name of [added.name, added.alias]) if (name !== undefined && !USUAL_NAME.test(name) && !isPackageName(name)) return false;
  // What is in a bundle, or has one, depends on what is around it.
  if (located !== undefined && body !== "" && !said.inBundle && !place.bundlers.has(key))
    remember(place, located, { text: body, lines: lines.line - line - 1, added });
  return add(reader, added);
}

function readFields(place: Place, added: Draft<ResolvedPackage>, said: Said): boolean {
  const { lines } = place;
  let seen = 0;
  let others: Set<string> | undefined;
  do {
    if (!next(lines, 3) || lines.key === undefined) return false;
    const field = FIELDS.get(lines.key);
    if (field === undefined) {
      if (isAgain((others ??= new Set()), lines.key) || !pass(lines, 3)) return false;
    } else {
      if ((seen & field.bit) !== 0 || !field.take(place, added, said)) return false;
      seen |= field.bit;
    }
  } while (lines.comma);
  return true;
}

function isOddPath(key: string): boolean {
  return key.includes("/.") || key.includes("//");
}

function add(reader: Reader, added: ResolvedPackage): true {
  const problem = trustProblem(added);
  if (problem !== undefined) reportAt(reader, problem.code, added, problem.message);
  reader.packages.push(added);
  return true;
}

/**
 * Passes the lines of an entry that stood before, letter for letter, in another folder of this name: in a monorepo most do. They are compared
 * as one text, where reading them takes ten times longer, and copies share what was made of them.
 */
function bodyAgain({ lines, bodies }: Place, name: string): Body | undefined {
  const known = bodies.get(name);
  if (known === undefined) return undefined;
  const { text, at } = lines;
  for (const one of known) {
    const end = at + one.text.length;
    if (text.slice(at, end) !== one.text) continue;
    lines.at = end;
    lines.line += one.lines;
    return one;
  }
  return undefined;
}

function remember({ bodies }: Place, name: string, body: Body): void {
  const known = bodies.get(name);
  if (known === undefined) bodies.set(name, [body]);
  else if (known.length < BODIES_KEPT) known.push(body);
}

/** Takes in the field of the line read last; false when it is not of its type. */
type Take = (place: Place, added: Draft<ResolvedPackage>, said: Said) => boolean;

const text =
  (field: "version" | "deprecated"): Take =>
  ({ lines: { value } }, added) => {
    if (value !== undefined) added[field] = value;
    return value !== undefined;
  };
const said =
  (field: "name" | "resolved"): Take =>
  ({ lines: { value } }, _added, words) => {
    if (value !== undefined) words[field] = value;
    return value !== undefined;
  };
const flag =
  (field: "dev" | "optional" | "peer" | "hasInstallScript"): Take =>
  ({ lines: { word } }, added) => {
    if (word === "true") added[field] = true;
    return word === "true" || word === "false";
  };
const saidFlag =
  (field: "link" | "inBundle"): Take =>
  ({ lines: { word } }, _added, words) => {
    if (word === "true") words[field] = true;
    return word === "true" || word === "false";
  };
const platforms =
  (field: "os" | "cpu" | "libc"): Take =>
  ({ lines }, added) => {
    const values = lines.value === undefined ? [] : [lines.value];
    const read =
      lines.value !== undefined ||
      lines.word === "[]" ||
      (lines.word === "[" && eachItem(lines, 3, () => lines.value !== undefined && values.push(lines.value) > 0));
    if (values.length > 0) added[field] = values;
    return read;
  };
const ranges =
  (field: "dependencies" | "optionalDependencies" | "peerDependencies"): Take =>
  ({ lines }, added, { declared }) => {
    const record = readRanges(lines, declared?.[DECLARED[field].at], DECLARED[field].kind);
    if (record !== undefined && record !== EMPTY) added[field] = record;
    return record !== undefined;
  };
const passed: Take = ({ lines }) => pass(lines, 3);

/**
 * A function each: V8 optimises what runs often, one by one. A single one with a case for each took it as long as reading 5,000 entries.
 */
const TAKES: Readonly<Record<string, Take>> = {
  version: text("version"),
  resolved: said("resolved"),
  integrity: ({ lines: { value } }, added) => {
    if (value === undefined || value === "") return value !== undefined;
    const integrity = SHA512.test(value) ? ({ kind: "sri", value } as const) : readSri(value);
    if (integrity !== undefined) added.integrity = integrity;
    return integrity !== undefined;
  },
  dev: flag("dev"),
  optional: flag("optional"),
  devOptional: flag("optional"),
  peer: flag("peer"),
  hasInstallScript: flag("hasInstallScript"),
  link: saidFlag("link"),
  inBundle: saidFlag("inBundle"),
  name: said("name"),
  deprecated: text("deprecated"),
  os: platforms("os"),
  cpu: platforms("cpu"),
  libc: platforms("libc"),
  dependencies: ranges("dependencies"),
  optionalDependencies: ranges("optionalDependencies"),
  peerDependencies: ranges("peerDependencies"),
  // Only those of a project are anybody's.
  devDependencies: ({ lines }, _added, { declared }) =>
    declared ? readRanges(lines, declared[DECLARED.devDependencies.at], "dev") !== undefined : pass(lines, 3),
  bundleDependencies: ({ lines, bundlers }, { key }) => {
    bundlers.add(key);
    return pass(lines, 3);
  },
  // Of these only that they stand once.
  license: passed,
  engines: passed,
  bin: passed,
  funding: passed,
  peerDependenciesMeta: passed,
  workspaces: passed,
  extraneous: passed,
  hasShrinkwrap: passed,
};

/** With a bit each, so that one that stands twice is told without comparing texts. */
const FIELDS: ReadonlyMap<string, { readonly bit: number; readonly take: Take }> = new Map(
  Object.entries(TAKES).map(([field, take], index) => [field, { bit: 1 << index, take }]),
);

const EMPTY: Readonly<Record<string, string>> = Object.freeze({});

/** Names to ranges, without a prototype as everywhere; undefined when it is something else. What a project declares has a line for each. */
function readRanges(lines: Lines, declared: Declared[] | undefined, kind: DependencyKind): Readonly<Record<string, string>> | undefined {
  if (lines.word === "{}") return EMPTY;
  if (lines.word !== "{") return undefined;
  const record = Object.create(null) as Record<string, string>;
  do {
    if (!next(lines, 4)) return undefined;
    const { key, value } = lines;
    if (key === undefined || value === undefined || record[key] !== undefined) return undefined;
    record[key] = value;
    declared?.push({ name: key, kind, range: value, line: lines.line, column: 4 * lines.indent + 1 });
  } while (lines.comma);
  return closes(lines, 3, "}") ? record : undefined;
}

/** Undefined: not one that is known for certain here. */
function sourceFor(place: Place, { key, name, version }: ResolvedPackage, said: Said, inside: boolean): LockSource | undefined {
  const { resolved, link, inBundle } = said;
  if (link) return isHttp(resolved) ? undefined : { kind: "link", path: resolved };
  if (resolved !== "") {
    if (isUsual(resolved, name, version)) return { kind: "registry", url: resolved };
    const source = sourceOf(resolved);
    return source.kind === "registry" ? undefined : source;
  }
  if (!inside) return { kind: "workspace", path: key };
  const bundled = inBundle && isBundled(place, key);
  return bundled === undefined ? undefined : { kind: bundled ? "bundled" : "registry" };
}

/** As `isUsualPath`. What the engine does by itself is quick from the first entry on. */
function isUsual(url: string, name: string, version: string): boolean {
  const path = `/${name}/-/${unscoped(name)}-${version}.tgz`;
  return url.endsWith(path) && url.length - path.length > "http://".length && isHttp(url);
}

/** 64 bytes, in the one spelling base64 has for them. */
const SHA512 = /^sha512-[A-Za-z0-9+/]{85}[AQgw]==$/;

/** True when a package around this location, itself in `node_modules`, says it bundles something; undefined when that may still come. */
function isBundled({ seen, bundlers }: Place, key: string): boolean | undefined {
  for (let end = key.lastIndexOf("/node_modules/"); end > 0; end = key.lastIndexOf("/node_modules/", end - 1)) {
    const outer = key.slice(0, end);
    if (nameAtLocation(outer) === undefined) continue;
    if (bundlers.has(outer)) return true;
    if (!seen.has(outer)) return undefined;
  }
  return false;
}
