/**
 * yarn 1's yarn.lock: its own line grammar, kept here as its parser has it. An entry stands under every descriptor it answers;
 * its bytes are whatever `resolved` names, fetched verbatim, with the sha1 in the fragment.
 */
import type { Reader } from "./document.ts";
import { giveUp, recordAt, report, reportRepeats, textAt, textNodeAt } from "./document.ts";
import { addPackage, notePlace, settleIdentity, settleSri, settleTrust } from "./entry.ts";
import { lockGraph, settleReach } from "./graph.ts";
import { gitSource, isHttp, isUsualPath, registryIdentity, sha1FromHex, sourceOf, splitAtVersion } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { append, atOf, childrenOf, close, flagsOf, startOf, valueOf } from "./tape.ts";
import type { LockSource } from "./tree.ts";

export function readYarnClassic(reader: Reader): void {
  const { tape } = reader;
  reader.version = /^# yarn lockfile v(\d+)/m.exec(reader.text.slice(0, 1_000))?.[1] ?? "";
  if (reader.version !== "" && reader.version !== "1")
    report(reader, "unknown-format", 0, `yarn lockfile v${reader.version} is not one yarn writes`);
  const descriptors = readLines(reader);
  // A project without dependencies still has the comment at the top. An empty file locks nothing and says so: both yarns tell people
  // to make one where a project of its own begins ("create an empty yarn.lock").
  if (descriptors.size === 0 && reader.version === "" && reader.complete && reader.text.trim() !== "")
    giveUp(reader, "truncated", 0, "the file is empty");
  const seen = new Set<string>();
  for (const node of childrenOf(tape, tape.roots[0]!)) {
    for (const descriptor of descriptors.get(node) ?? []) {
      const size = seen.size;
      if (seen.add(descriptor).size === size)
        report(reader, "duplicate-key", startOf(tape, node), `"${descriptor}" stands twice; yarn uses the last entry`);
    }
    readEntry(reader, node, descriptors.get(node) ?? []);
  }
  settleReach(reader, lockGraph(reader), ["optional"]);
}

// --- the grammar ----------------------------------------------------------------------------------------------------------------------------

/** Quoted strings are JSON; a bare word starts with a letter, `/`, `.` or `-` and goes to a space, colon or comma (yarn's tokeniser). */
const TOKEN = /"(?:[^"\\\n\r]|\\[^\n\r])*"|[A-Za-z/.-][^\s:,]*|\d+|[:,]/y;

type Token = {
  readonly at: number;
  readonly end: number;
  readonly value: string;
  readonly kind: "text" | "number" | ":" | ",";
  /** Stands in quotes, which `at` and `end` include. */
  readonly quoted: boolean;
};

/** Puts the file on the tape, a list of maps, one an entry, and returns the descriptors each entry stands under. */
function readLines(reader: Reader): Map<NodeId, string[]> {
  const { tape, text } = reader;
  const descriptors = new Map<NodeId, string[]>();
  const root = append(tape, flagsOf("list", false, false), 0, text.length, -1, -1);
  tape.roots.push(root);
  /** Open containers, the innermost last; a line at indent n belongs to `open[n / 2]`. */
  const open: NodeId[] = [root];
  const shut = (depth: number, at: number): void => {
    while (open.length > depth) close(tape, open.pop()!, at);
  };

  let previousEnd = 0;
  for (let line = text.charCodeAt(0) === 0xfeff ? 1 : 0; line < text.length;) {
    const newline = text.indexOf("\n", line);
    const next = newline < 0 ? text.length : newline + 1;
    const end = newline < 0 ? text.length : newline > line && text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline;
    let first = line;
    while (first < end && text.charCodeAt(first) === 0x20) first++;
    const indent = first - line;
    line = next;
    if (first === end || text.charCodeAt(first) === 0x23) continue;
    const tokens = tokenise(reader, first, end);
    const depth = indent / 2 + 1;
    if (tokens === undefined) break;
    if (indent % 2 !== 0 || depth > open.length) {
      giveUp(reader, "syntax", first, `the indentation of ${indent} does not fit`);
      break;
    }
    shut(depth, previousEnd);
    previousEnd = end;
    if (!placeLine(reader, tokens, open, descriptors)) break;
  }
  shut(0, previousEnd);
  reportRepeats(reader);
  return descriptors;
}

function tokenise(reader: Reader, from: number, end: number): Token[] | undefined {
  const { text } = reader;
  const tokens: Token[] = [];
  for (let at = from; at < end;) {
    if (text.charCodeAt(at) === 0x20) {
      at++;
      continue;
    }
    TOKEN.lastIndex = at;
    const raw = TOKEN.exec(text)?.[0];
    const quoted = text.charCodeAt(at) === 0x22;
    const value = raw !== undefined && quoted ? unquote(raw) : raw;
    if (raw === undefined || value === undefined) {
      const code = end === text.length ? "truncated" : "syntax";
      giveUp(reader, code, at, `no word of yarn's lockfile grammar: ${text.slice(at, Math.min(end, at + 40))}`);
      return undefined;
    }
    const kind = raw === ":" || raw === "," ? raw : /^\d/.test(raw) ? "number" : "text";
    tokens.push({ at, end: at + raw.length, value, kind, quoted });
    at += raw.length;
  }
  return tokens;
}

function unquote(raw: string): string | undefined {
  if (!raw.includes("\\")) return raw.slice(1, -1);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return undefined;
  }
}

/** `a, b:` opens a map; `key value` adds a field. */
function placeLine(reader: Reader, tokens: readonly Token[], open: NodeId[], descriptors: Map<NodeId, string[]>): boolean {
  const last = tokens[tokens.length - 1]!;
  const [first, second] = tokens as [Token, Token?];
  const inEntry = open.length > 1;
  if (last.kind === ":" && isKeyList(tokens, inEntry)) {
    const id = addNode(reader, "map", first, tokens[tokens.length - 2]!, last);
    if (!inEntry)
      descriptors.set(
        id,
        tokens.flatMap((token) => (token.kind === "text" ? [token.value] : [])),
      );
    open.push(id);
    return true;
  }
  const isField = tokens.length === 2 && first.kind === "text" && (second?.kind === "text" || second?.kind === "number");
  if (isField && inEntry) {
    addNode(reader, last.kind as "text" | "number", first, first, last);
    return true;
  }
  giveUp(reader, last.end === reader.text.length ? "truncated" : "syntax", first.at, "neither an entry nor a field of one");
  return false;
}

/** Words and commas in turn, then the colon; inside of an entry a single word. */
function isKeyList(tokens: readonly Token[], inEntry: boolean): boolean {
  const regular = tokens.every((token, i) => token.kind === (i % 2 === 0 ? "text" : i === tokens.length - 1 ? ":" : ","));
  return regular && tokens.length % 2 === 0 && (!inEntry || tokens.length === 2);
}

/** A node whose key is the words from `first` to `lastOfKey`. The colon that opens a map stands where its fields will begin. */
function addNode(reader: Reader, kind: "map" | "text" | "number", first: Token, lastOfKey: Token, value: Token): NodeId {
  const { tape } = reader;
  const inset = first.quoted && first === lastOfKey ? 1 : 0;
  const flags = flagsOf(kind, kind !== "map" && !value.quoted, inset === 1);
  const at = kind === "map" ? value.end : value.at;
  const id = append(tape, flags, at, value.end, first.at + inset, lastOfKey.end - inset);
  if (inset === 1 && first.value.length !== first.end - first.at - 2) tape.oddKeys.set(id, first.value);
  if (value.quoted && value.value.length !== value.end - value.at - 2) tape.oddValues.set(id, value.value);
  return id;
}

// --- entries --------------------------------------------------------------------------------------------------------------------------------

/** `name@range`, or `alias@npm:name@range`. */
function identityOf(descriptor: string): { installedAs: string; name: string; range: string } {
  const parts = splitAtVersion(descriptor) ?? { name: descriptor, rest: "" };
  const alias = parts.rest.startsWith("npm:") ? parts.rest.slice(4) : undefined;
  // Who asks for an archive by its address gives it a name of his own.
  const archive = isHttp(parts.rest) ? registryIdentity(parts.rest) : undefined;
  if (alias === undefined) return { installedAs: parts.name, name: archive?.name ?? parts.name, range: parts.rest };
  const target = splitAtVersion(alias) ?? { name: alias, rest: "" };
  return { installedAs: parts.name, name: target.name, range: target.rest };
}

function readEntry(reader: Reader, node: NodeId, descriptors: readonly string[]): void {
  const { tape } = reader;
  const at = startOf(tape, node);
  const key = descriptors.join(", ");
  const label = `${key}: `;
  const identities = descriptors.map(identityOf);
  const first = identities[0]!;
  const other = identities.find((identity) => identity.name !== first.name);
  if (other !== undefined) report(reader, "contradiction", at, `one entry answers for ${first.name} and for ${other.name}`);
  const resolvedNode = textNodeAt(reader, node, "resolved", label);
  const resolved = resolvedNode === undefined ? "" : valueOf(tape, resolvedNode);
  const hash = resolved.lastIndexOf("#");
  const fragment = hash < 0 ? "" : resolved.slice(hash + 1);
  const version = textAt(reader, node, "version", label) ?? "";
  const bare = hash < 0 ? resolved : resolved.slice(0, hash);
  const usual = isUsualPath(bare, 0, bare.length, first.name, version);
  const source: LockSource = usual ? { kind: "registry", url: bare } : sourceOfResolved(resolved, bare, first.range);
  const added = addPackage(reader, at, { key, name: first.name, version, source });
  // Installed under its own name by anyone, it needs no alias.
  if (identities.every((identity) => identity.installedAs !== first.name)) added.alias = first.installedAs;
  settleIdentity(reader, at, added, usual);
  settleSri(reader, at, added, textNodeAt(reader, node, "integrity", label));
  const sha1 = source.kind === "git" ? undefined : sha1FromHex(fragment);
  if (added.integrity === undefined && sha1 !== undefined) added.integrity = sha1;
  settleTrust(reader, at, added);
  for (const field of ["dependencies", "optionalDependencies"] as const) {
    const record = recordAt(reader, node, field, label);
    if (record !== undefined) added[field] = record;
  }
  if (resolvedNode !== undefined && (source.kind === "registry" || source.kind === "tarball") && source.url !== undefined) {
    const quote = reader.text.charCodeAt(atOf(tape, resolvedNode)) === 0x22 ? 1 : 0;
    const start = atOf(tape, resolvedNode) + quote;
    // A URL written with escapes stands otherwise in the text than it reads.
    if (reader.text.startsWith(source.url, start))
      notePlace(reader, added, { url: source.url, form: "yarn-classic", at: start, end: start + source.url.length });
  }
}

function sourceOfResolved(resolved: string, bare: string, range: string): LockSource {
  if (resolved === "") {
    const local = /^(?:file|link|portal):/.test(range) || /^\.{0,2}\//.test(range);
    return local ? sourceOf(range) : (gitSource(range) ?? { kind: "registry" });
  }
  const git = gitSource(resolved);
  if (git !== undefined) return git;
  // An offline mirror is a folder of tarballs, named by file.
  return isHttp(bare) ? sourceOf(bare) : { kind: "file", path: bare.replace(/^file:/, "") };
}

export function looksLikeYarnClassic(text: string): boolean {
  return /^(?:\ufeff)?(?:#[^\n]*\n|\s)*# yarn lockfile v\d/.test(text.slice(0, 2_000));
}
