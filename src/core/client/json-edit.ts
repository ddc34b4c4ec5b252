/** Changes one value of a JSON or JSONC text and leaves every other byte as it stands: manifests belong to people, comments and layout included. */
import { lineEnd } from "./settings.ts";
import { openReader, position } from "../lockfile/document.ts";
import { readJson } from "../lockfile/json.ts";
import { atOf, childAt, childrenOf, endOf, hasKey, keyOf, kindOf, type NodeId, startOf, type Tape, valueOf } from "../lockfile/tape.ts";

export type JsonValue = string | number | boolean | readonly string[] | { readonly [key: string]: JsonValue };

export type JsonPlace = {
  /** 1-based, of the key. */
  readonly line: number;
  readonly kind: "map" | "list" | "text" | "number" | "boolean" | "null";
  /** A scalar without its quotes; empty for maps and lists. */
  readonly value: string;
  /** Of a list. */
  readonly items: readonly { readonly value: string; readonly line: number }[];
  /** Of a map. */
  readonly members: readonly { readonly key: string; readonly value: string; readonly line: number }[];
};

/** What stands at a path of keys; undefined when nothing does or the text is no JSON. Comments and trailing commas are accepted. */
export function jsonAt(text: string, path: readonly string[]): JsonPlace | undefined {
  const reader = openReader("unknown", "", text);
  readJson(reader, true);
  const { tape } = reader;
  const node = reader.complete ? walk(tape, path).node : undefined;
  if (node === undefined) return undefined;
  const lineOf = (at: number) => position(reader, at).line;
  const kind = kindOf(tape, node);
  const inside = (kind === "list" || kind === "map" ? childrenOf(tape, node) : []).map((child) => ({
    key: hasKey(tape, child) ? keyOf(tape, child) : "",
    value: valueOf(tape, child),
    line: lineOf(startOf(tape, child)),
  }));
  return {
    line: lineOf(startOf(tape, node)),
    kind,
    value: valueOf(tape, node),
    items: kind === "list" ? inside : [],
    members: kind === "map" ? inside : [],
  };
}

/** Why the text cannot be edited; undefined when it is JSON with a map at its top. */
export function jsonProblem(text: string): string | undefined {
  const reader = openReader("unknown", "", text);
  readJson(reader, true);
  const problem = reader.problems[0];
  if (problem) return `line ${problem.line}: ${problem.message}`;
  return kindOf(reader.tape, reader.tape.roots[0]!) === "map" ? undefined : "its top level is not a map";
}

/** The text with `value` at `path`, maps on the way made where they are missing; undefined when the text, or what stands on the way, forbids it. */
export function putJson(text: string, path: readonly string[], value: JsonValue): string | undefined {
  if (jsonProblem(text) !== undefined) return undefined;
  const reader = openReader("unknown", "", text);
  readJson(reader, true);
  const { tape } = reader;
  const { node, deepest, depth } = walk(tape, path);
  const unit = unitOf(tape);
  const eol = lineEnd(text);
  if (node !== undefined)
    return splice(text, atOf(tape, node), endOf(tape, node), printed(value, unit, indentAt(text, startOf(tape, node)), eol));
  if (kindOf(tape, deepest) !== "map") return undefined;
  const nested = path.slice(depth + 1).reduceRight<JsonValue>((inner, key) => ({ [key]: inner }), value);
  const children = childrenOf(tape, deepest);
  const open = atOf(tape, deepest);
  const last = children.at(-1);
  const inOneLine = last !== undefined && !text.slice(open, startOf(tape, children[0]!)).includes("\n");
  const indent = last === undefined ? indentAt(text, open) + unit : indentAt(text, startOf(tape, children[0]!));
  const member = `${JSON.stringify(path[depth]!)}: ${printed(nested, unit, indent, eol)}`;
  if (last === undefined) return splice(text, open, endOf(tape, deepest), `{${eol}${indent}${member}${eol}${indentAt(text, open)}}`);
  return splice(text, endOf(tape, last), endOf(tape, last), inOneLine ? `, ${member}` : `,${eol}${indent}${member}`);
}

/** `deepest` is the last node on the way that exists, `depth` how many keys lead to it. */
function walk(
  tape: Tape,
  path: readonly string[],
): { readonly node: NodeId | undefined; readonly deepest: NodeId; readonly depth: number } {
  let deepest = tape.roots[0]!;
  for (const [depth, key] of path.entries()) {
    const next = kindOf(tape, deepest) === "map" ? childAt(tape, deepest, key) : undefined;
    if (next === undefined) return { node: undefined, deepest, depth };
    deepest = next;
  }
  return { node: deepest, deepest, depth: path.length };
}

function splice(text: string, from: number, to: number, put: string): string {
  return text.slice(0, from) + put + text.slice(to);
}

/** The white space the line of this offset begins with. */
function indentAt(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1))![0];
}

/** One step of indentation, as the document's first member shows it. */
function unitOf(tape: Tape): string {
  const first = childrenOf(tape, tape.roots[0]!)[0];
  return (first === undefined ? "" : indentAt(tape.text, startOf(tape, first))) || "  ";
}

function printed(value: JsonValue, unit: string, indent: string, eol: string): string {
  return JSON.stringify(value, undefined, unit).replaceAll("\n", `${eol}${indent}`);
}
