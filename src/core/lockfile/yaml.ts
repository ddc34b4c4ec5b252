/**
 * YAML lockfiles onto a tape. What pnpm and yarn write themselves goes through the fast reader (`yaml-plain.ts`);
 * whatever it does not know for certain goes to the strict `yaml` library, which alone decides about errors.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Document, Node, ParsedNode, Scalar } from "yaml";
import { LIMITS } from "../base/limits.ts";
import type { Reader } from "./document.ts";
import { giveUp, reportRepeats } from "./document.ts";
import type { NodeId, NodeKind } from "./tape.ts";
import { append, close, flagsOf, rewind } from "./tape.ts";
import { kindOfPlain, readPlainYaml } from "./yaml-plain.ts";

/** Fills the reader's tape, one root a document; problems go to the reader. */
export function readYaml(reader: Reader): void {
  if (!readPlainYaml(reader.tape)) {
    rewind(reader.tape);
    if (reader.text.length > LIMITS.lockfileSlowYamlBytes)
      return void giveUp(
        reader,
        "too-large",
        0,
        "the file is not written as its client writes it, and too large for the general YAML reader",
      );
    if (!readAnyYaml(reader)) return;
  }
  if (reader.tape.roots.length === 0) giveUp(reader, "truncated", 0, "the file holds no document");
  reportRepeats(reader);
}

/** The same tape by the `yaml` library; false, with the problems reported, when the text is not YAML. */
export function readAnyYaml(reader: Reader): boolean {
  let documents: Document.Parsed<ParsedNode>[];
  try {
    const parsed = parseAllDocuments(reader.text, { uniqueKeys: false, strict: true, lineCounter: new LineCounter(), prettyErrors: false });
    documents = Array.isArray(parsed) ? parsed : [];
    for (const document of documents)
      // An unknown tag is only a warning to the library; no lockfile has tags.
      for (const error of [...document.errors, ...document.warnings])
        giveUp(reader, error.pos[0] >= reader.text.length ? "truncated" : "syntax", error.pos[0], error.message);
    if (!reader.complete) return false;
    for (const document of documents)
      if (document.contents !== null) {
        reader.tape.roots.push(reader.tape.size);
        copyNode(reader, document.contents, undefined, 0);
      }
  } catch (error) {
    // The library recurses: hostile nesting ends in a RangeError, which says nothing about a place.
    giveUp(reader, "syntax", 0, `the YAML reader gave up: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!reader.complete) rewind(reader.tape);
  return reader.complete;
}

function copyNode(reader: Reader, node: Node | null, key: Scalar | undefined, depth: number): void {
  const { tape } = reader;
  if (depth > LIMITS.jsonDepth) return giveUp(reader, "syntax", node?.range?.[0] ?? 0, `values are nested deeper than ${LIMITS.jsonDepth}`);
  const keyQuoted = key !== undefined && key.type !== "PLAIN";
  const keyAt = key === undefined ? -1 : key.range![0] + (keyQuoted ? 1 : 0);
  const keyEnd = key === undefined ? -1 : key.range![1] - (keyQuoted ? 1 : 0);
  const [at, end] = node?.range ?? [keyEnd, keyEnd];
  if (key !== undefined) {
    const text = key.type === "PLAIN" && typeof key.value !== "string" ? String(key.source) : String(key.value);
    if (reader.text.slice(keyAt, keyEnd) !== text) tape.oddKeys.set(tape.size, text);
  }
  const add = (kind: NodeKind, plain: boolean): NodeId => append(tape, flagsOf(kind, plain, keyQuoted), at, end, keyAt, keyEnd);
  if (isMap(node) || isSeq(node)) {
    if (node.anchor !== undefined) giveUp(reader, "syntax", at, "anchors have no place in a lockfile");
    const id = add(isMap(node) ? "map" : "list", false);
    if (isSeq(node)) for (const item of node.items) copyNode(reader, item as Node, undefined, depth + 1);
    else
      for (const { key: name, value } of node.items)
        if (isScalar(name) && name.anchor === undefined && name.range) copyNode(reader, value as Node | null, name, depth + 1);
        else giveUp(reader, "syntax", at, "a key is not a plain string");
    close(tape, id, end);
  } else if (isAlias(node) || (node !== null && "anchor" in node && node.anchor !== undefined))
    giveUp(reader, "syntax", at, "anchors and aliases have no place in a lockfile");
  else if (isScalar(node)) {
    const plain = node.type === "PLAIN";
    const id = add(plain ? kindOfPlain(node.source ?? "") : "text", plain);
    const text = plain ? (node.source ?? "") : String(node.value);
    const inset = plain ? 0 : 1;
    if (reader.text.slice(at + inset, end - inset) !== text) tape.oddValues.set(id, text);
  } else add("null", true);
}
