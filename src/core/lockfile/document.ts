/**
 * One reading of one lockfile: its text and tape, what has been found so far, and typed access that reports what has the wrong type.
 * Every format reader works through this, so that each problem carries a line and no wrong type passes in silence.
 */
import { LIMITS } from "../base/limits.ts";
import type { NodeId, NodeKind, Tape } from "./tape.ts";
import { afterOf, childAt, childrenOf, keyOf, kindOf, openTape, startOf, valueOf } from "./tape.ts";
import type { Declared, Importer, LockfileKind, LockProblem, LockProblemCode, ResolvedPackage } from "./tree.ts";
import { LOCK_PROBLEMS } from "./tree.ts";

/** How a URL is written where it stands, and so how another is written in its place. */
export type PlaceForm = "json" | "yaml" | "yarn-classic" | "archive-url";

/** One recorded URL of the file: what `normalise.ts` may rewrite. */
export type Place = {
  readonly key: string;
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly form: PlaceForm;
  /** The characters that spell the URL. */
  readonly at: number;
  readonly end: number;
  /** The edit that makes the file say nothing here, in the client's own form; absent when the format needs a URL. */
  readonly blank?: { readonly at: number; readonly end: number; readonly text: string };
};

export type Draft<T> = { -readonly [K in keyof T]: T[K] };

export type Reader = {
  kind: LockfileKind;
  version: string;
  readonly path: string;
  readonly text: string;
  readonly tape: Tape;
  readonly packages: Draft<ResolvedPackage>[];
  readonly importers: Importer[];
  readonly problems: LockProblem[];
  /** Collected only for those who edit; reading alone does without. */
  readonly places: Place[] | undefined;
  complete: boolean;
  /** True when every scalar is text whatever it looks like (yarn berry's YAML). */
  allText: boolean;
  lineStarts: Uint32Array | undefined;
};

export function openReader(kind: LockfileKind, path: string, text: string, places?: Place[]): Reader {
  return {
    kind,
    version: "",
    path,
    text,
    tape: openTape(text),
    packages: [],
    importers: [],
    problems: [],
    places,
    complete: true,
    allText: false,
    lineStarts: undefined,
  };
}

/** 1-based line and column of an offset; columns count UTF-16 units, as editors and SARIF do. */
export function position(reader: Reader, at: number): { line: number; column: number } {
  const starts = (reader.lineStarts ??= findLineStarts(reader.text));
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - starts[low]! + 1 };
}

function findLineStarts(text: string): Uint32Array {
  let starts = new Uint32Array(Math.max(16, text.length >> 4));
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    if (line === starts.length) {
      const longer = new Uint32Array(line * 2);
      longer.set(starts);
      starts = longer;
    }
    starts[line++] = at + 1;
  }
  return starts.subarray(0, line);
}

/** Notes a problem at an offset. */
export function report(reader: Reader, code: LockProblemCode, at: number, message: string): void {
  reportAt(reader, code, position(reader, Math.max(0, at)), message);
}

/** Notes a problem at a line. Past the ceiling the file is merely said to have more of them. */
export function reportAt(reader: Reader, code: LockProblemCode, where: { line: number; column: number }, message: string): void {
  const room = LIMITS.lockfileProblems - reader.problems.length;
  const { line, column } = where;
  if (room > 0) reader.problems.push({ code, severity: LOCK_PROBLEMS[code].severity, message, line, column });
  else if (room === 0)
    reader.problems.push({ code: "too-large", severity: "error", message: `more than ${LIMITS.lockfileProblems} problems`, line, column });
}

/** Reports and remembers that what follows could not be read. */
export function giveUp(reader: Reader, code: LockProblemCode, at: number, message: string): void {
  report(reader, code, at, message);
  reader.complete = false;
}

/** Reports the keys that stood twice, in the order of the file. */
export function reportRepeats(reader: Reader): void {
  const { tape } = reader;
  for (const again of tape.repeats.toSorted((a, b) => a - b))
    report(reader, "duplicate-key", startOf(tape, again), `"${keyOf(tape, again)}" stands twice in one place; clients use one of them`);
}

const SPOKEN: Readonly<Record<NodeKind, string>> = {
  map: "a map",
  list: "a list",
  text: "a string",
  number: "a number",
  boolean: "a boolean",
  null: "null",
};

export function wrongType(reader: Reader, node: NodeId, label: string, wanted: string): undefined {
  report(reader, "wrong-type", startOf(reader.tape, node), `${label} should be ${wanted}, is ${SPOKEN[kindOf(reader.tape, node)]}`);
  return undefined;
}

/** True for what the format takes as a string. */
export function isText(reader: Reader, node: NodeId): boolean {
  const kind = kindOf(reader.tape, node);
  return kind === "text" || (reader.allText && kind !== "map" && kind !== "list");
}

/** The map at `key`; undefined when absent, and reported when it is something else. */
export function mapAt(reader: Reader, map: NodeId, key: string, label: string): NodeId | undefined {
  const node = childAt(reader.tape, map, key);
  if (node === undefined || kindOf(reader.tape, node) === "map") return node;
  return wrongType(reader, node, `${label}${key}`, "a map");
}

/** The string at `key`; undefined when absent or, reported, something else. */
export function textNodeAt(reader: Reader, map: NodeId, key: string, label: string): NodeId | undefined {
  const node = childAt(reader.tape, map, key);
  if (node === undefined || isText(reader, node)) return node;
  return wrongType(reader, node, `${label}${key}`, "a string");
}

export function textAt(reader: Reader, map: NodeId, key: string, label: string): string | undefined {
  const node = textNodeAt(reader, map, key, label);
  return node === undefined ? undefined : valueOf(reader.tape, node);
}

/** True for `true`; false when absent or false; anything else is reported and false. */
export function flagAt(reader: Reader, map: NodeId, key: string, label: string): boolean {
  const node = childAt(reader.tape, map, key);
  if (node === undefined) return false;
  const kind = kindOf(reader.tape, node);
  if (kind === "boolean" || (reader.allText && kind === "text")) return valueOf(reader.tape, node) === "true";
  wrongType(reader, node, `${label}${key}`, "a boolean");
  return false;
}

/** A list of strings; a single string counts as one. Other items are reported and left out. */
export function textsAt(reader: Reader, map: NodeId, key: string, label: string): readonly string[] | undefined {
  const node = childAt(reader.tape, map, key);
  if (node === undefined) return undefined;
  if (isText(reader, node)) return [valueOf(reader.tape, node)];
  if (kindOf(reader.tape, node) !== "list") return wrongType(reader, node, `${label}${key}`, "a list of strings");
  const texts: string[] = [];
  for (const item of childrenOf(reader.tape, node))
    if (isText(reader, item)) texts.push(valueOf(reader.tape, item));
    else wrongType(reader, item, `an item of ${label}${key}`, "a string");
  return texts;
}

/** A map of strings to strings, as a record; undefined when absent or empty. */
export function recordAt(reader: Reader, map: NodeId, key: string, label: string): Record<string, string> | undefined {
  const node = mapAt(reader, map, key, label);
  return node === undefined ? undefined : recordOf(reader, node, `${label}${key}`);
}

function recordOf(reader: Reader, map: NodeId, label: string): Record<string, string> | undefined {
  const { tape } = reader;
  let record: Record<string, string> | undefined;
  for (let child = map + 1, end = afterOf(tape, map); child < end; child = afterOf(tape, child)) {
    const name = keyOf(tape, child);
    // Without a prototype any name is only a name, and thousands of different records share one shape.
    if (isText(reader, child)) (record ??= Object.create(null) as Record<string, string>)[name] = valueOf(tape, child);
    else wrongType(reader, child, `${label}.${name}`, "a string");
  }
  return record;
}

/** What an importer declares under one key of its map: names to ranges. */
export function declare(reader: Reader, map: NodeId, key: string, kind: Declared["kind"], into: Declared[], label: string): void {
  const node = mapAt(reader, map, key, label);
  if (node === undefined) return;
  for (const child of childrenOf(reader.tape, node)) {
    const name = keyOf(reader.tape, child);
    if (isText(reader, child))
      into.push({ name, kind, range: valueOf(reader.tape, child), ...position(reader, startOf(reader.tape, child)) });
    else wrongType(reader, child, `${label}${key}.${name}`, "a string");
  }
}
