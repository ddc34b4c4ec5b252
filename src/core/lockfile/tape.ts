/**
 * A parsed JSON or YAML file as a tape: seven numbers for each value in one array, in the order of the text, instead of an object each.
 * A lockfile of 20,000 entries has a quarter of a million values; the tape costs 6 MB and no garbage where objects cost 80 MB,
 * and it keeps what a plain parse loses: where each value stands, and whether a key stands twice.
 * A node is its index. The children of a node follow it; `afterOf` is the first index that no longer belongs to it.
 */

export type NodeId = number;
export type NodeKind = "map" | "list" | "text" | "number" | "boolean" | "null";

export type Tape = {
  readonly text: string;
  /** Nodes on the tape. */
  size: number;
  cells: Int32Array;
  /** Values and keys that are not simply the characters between the offsets: escapes, blocks. */
  readonly oddValues: Map<NodeId, string>;
  readonly oddKeys: Map<NodeId, string>;
  /** Keys that stand again in the same map: the later nodes, in the order their maps were closed. */
  readonly repeats: NodeId[];
  /** One root for each document; JSON has at most one. */
  readonly roots: NodeId[];
  /** Short strings cut lately, by what they look like: the same names and ranges stand thousands of times in one file. */
  readonly recent: (string | undefined)[];
};

/** The cells of a node, its flags first. `AT` and `END` include the value's quotes, `KEY_AT` (-1 without a key) and `KEY_END` exclude the key's. */
const AT = 1;
const END = 2;
const KEY_AT = 3;
const KEY_END = 4;
const AFTER = 5;
/** Of a map: one bit for each key in it, so that a key that is not there is mostly known without looking. */
const FILTER = 6;
const CELLS = 7;

const KINDS: readonly NodeKind[] = ["map", "list", "text", "number", "boolean", "null"];
const KIND_BITS = 0b111;
const PLAIN = 0b1000;
const KEY_QUOTED = 0b10000;

const RECENT = 4096;
/** Longer strings are digests and URLs, which stand once. */
const SHORT = 40;
/** Up to here comparing every pair of keys is cheaper than a set. */
const FEW_KEYS = 24;

export function openTape(text: string): Tape {
  return {
    text,
    size: 0,
    // Not every text is put on it.
    cells: new Int32Array(0),
    oddValues: new Map(),
    oddKeys: new Map(),
    repeats: [],
    roots: [],
    recent: Array<undefined>(RECENT).fill(undefined),
  };
}

// --- writing --------------------------------------------------------------------------------------------------------------------------------

/** Flags of a node, for `append`: its kind, whether it stands without quotes, whether its key stands with them. */
export function flagsOf(kind: NodeKind, plain: boolean, keyQuoted: boolean): number {
  return KINDS.indexOf(kind) | (plain ? PLAIN : 0) | (keyQuoted ? KEY_QUOTED : 0);
}

/** Appends a node; the key offsets exclude quotes, and are -1 without a key. A container's end is set by `close`. */
export function append(tape: Tape, flags: number, at: number, end: number, keyAt: number, keyEnd: number): NodeId {
  const id = tape.size++;
  const base = id * CELLS;
  if (base === tape.cells.length) {
    const longer = new Int32Array(base === 0 ? CELLS * Math.max(64, tape.text.length >> 5) : base * 2);
    longer.set(tape.cells);
    tape.cells = longer;
  }
  const { cells } = tape;
  cells[base] = flags;
  cells[base + AT] = at;
  cells[base + END] = end;
  cells[base + KEY_AT] = keyAt;
  cells[base + KEY_END] = keyEnd;
  cells[base + AFTER] = id + 1;
  cells[base + FILTER] = 0;
  return id;
}

/** Ends a container: what was appended since belongs to it. Keys that stand twice in a map are noted. */
export function close(tape: Tape, id: NodeId, end: number): void {
  const { cells, size, text } = tape;
  cells[id * CELLS + END] = end;
  cells[id * CELLS + AFTER] = size;
  if ((cells[id * CELLS]! & KIND_BITS) !== 0) return;
  let filter = 0;
  let keys = 0;
  let suspect = tape.oddKeys.size > 0;
  for (let child = id + 1; child < size; child = cells[child * CELLS + AFTER]!) {
    const keyAt = cells[child * CELLS + KEY_AT]!;
    const bit = bitOf(text.charCodeAt(keyAt), cells[child * CELLS + KEY_END]! - keyAt);
    suspect ||= (filter & bit) !== 0;
    filter |= bit;
    keys++;
  }
  cells[id * CELLS + FILTER] = filter;
  if (suspect) noteRepeats(tape, id, keys);
}

function bitOf(first: number, length: number): number {
  return 1 << ((first + 5 * length) & 31);
}

function noteRepeats(tape: Tape, map: NodeId, keys: number): void {
  if (keys > FEW_KEYS || tape.oddKeys.size > 0) {
    const seen = new Set<string>();
    for (const child of childrenOf(tape, map)) {
      const { size } = seen;
      if (seen.add(keyOf(tape, child)).size === size) tape.repeats.push(child);
    }
    return;
  }
  for (let later = map + 1; later < tape.size; later = afterOf(tape, later))
    for (let earlier = map + 1; earlier < later; earlier = afterOf(tape, earlier))
      if (sameKey(tape, earlier, later)) {
        tape.repeats.push(later);
        break;
      }
}

function sameKey(tape: Tape, a: NodeId, b: NodeId): boolean {
  const { cells, text } = tape;
  const [atA, atB] = [cells[a * CELLS + KEY_AT]!, cells[b * CELLS + KEY_AT]!];
  const length = cells[a * CELLS + KEY_END]! - atA;
  if (length !== cells[b * CELLS + KEY_END]! - atB) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(atA + i) !== text.charCodeAt(atB + i)) return false;
  return true;
}

/** Takes everything back. */
export function rewind(tape: Tape): void {
  tape.size = 0;
  tape.oddValues.clear();
  tape.oddKeys.clear();
  tape.repeats.length = 0;
  tape.roots.length = 0;
}

// --- reading --------------------------------------------------------------------------------------------------------------------------------

export function kindOf(tape: Tape, id: NodeId): NodeKind {
  return KINDS[tape.cells[id * CELLS]! & KIND_BITS]!;
}

/** True for a scalar that stands without quotes. */
export function isPlain(tape: Tape, id: NodeId): boolean {
  return (tape.cells[id * CELLS]! & PLAIN) !== 0;
}

/** Where the value begins, quote included. */
export function atOf(tape: Tape, id: NodeId): number {
  return tape.cells[id * CELLS + AT]!;
}

/** Where the value has ended, quote included. */
export function endOf(tape: Tape, id: NodeId): number {
  return tape.cells[id * CELLS + END]!;
}

export function afterOf(tape: Tape, id: NodeId): NodeId {
  return tape.cells[id * CELLS + AFTER]!;
}

export function hasKey(tape: Tape, id: NodeId): boolean {
  return tape.cells[id * CELLS + KEY_AT]! >= 0;
}

/** Where the entry begins: its key with the quote, or the value itself when it has no key. */
export function startOf(tape: Tape, id: NodeId): number {
  const keyAt = tape.cells[id * CELLS + KEY_AT]!;
  if (keyAt < 0) return atOf(tape, id);
  return (tape.cells[id * CELLS]! & KEY_QUOTED) !== 0 ? keyAt - 1 : keyAt;
}

/** The text of a scalar as meant: quotes removed, escapes resolved. Empty for containers. */
export function valueOf(tape: Tape, id: NodeId): string {
  const flags = tape.cells[id * CELLS]!;
  if ((flags & KIND_BITS) < 2) return "";
  const odd = tape.oddValues.size > 0 ? tape.oddValues.get(id) : undefined;
  const inset = (flags & PLAIN) !== 0 ? 0 : 1;
  return odd ?? cut(tape, atOf(tape, id) + inset, endOf(tape, id) - inset);
}

export function keyOf(tape: Tape, id: NodeId): string {
  const odd = tape.oddKeys.size > 0 ? tape.oddKeys.get(id) : undefined;
  return odd ?? cut(tape, tape.cells[id * CELLS + KEY_AT]!, tape.cells[id * CELLS + KEY_END]!);
}

/** The characters between two offsets, as the string already made of them if there is one. */
function cut(tape: Tape, from: number, to: number): string {
  const { text, recent } = tape;
  const length = to - from;
  if (length > SHORT || length < 2) return text.slice(from, to);
  const ends = text.charCodeAt(from) * 7 + text.charCodeAt(from + 1) * 131 + text.charCodeAt(to - 1) * 8209;
  const hash = ends + text.charCodeAt(from + (length >> 1)) * 1031 + length * 65_537;
  const slot = (hash ^ (hash >>> 12)) & (RECENT - 1);
  const known = recent[slot];
  if (known !== undefined && known.length === length && standsAt(text, from, known)) return known;
  return (recent[slot] = text.slice(from, to));
}

export function childrenOf(tape: Tape, id: NodeId): NodeId[] {
  const children: NodeId[] = [];
  for (let child = id + 1, end = afterOf(tape, id); child < end; child = afterOf(tape, child)) children.push(child);
  return children;
}

/** The value at `key` in a map; the last one when the key stands twice, as `JSON.parse` and yarn have it. */
export function childAt(tape: Tape, map: NodeId, key: string): NodeId | undefined {
  const { cells } = tape;
  if ((cells[map * CELLS + FILTER]! & bitOf(key.charCodeAt(0), key.length)) === 0 && tape.oddKeys.size === 0) return undefined;
  let found: NodeId | undefined;
  for (let child = map + 1, end = cells[map * CELLS + AFTER]!; child < end; child = cells[child * CELLS + AFTER]!)
    if (isKey(tape, child, key)) found = child;
  return found;
}

function isKey(tape: Tape, id: NodeId, key: string): boolean {
  if (tape.oddKeys.size > 0 && tape.oddKeys.has(id)) return tape.oddKeys.get(id) === key;
  const at = tape.cells[id * CELLS + KEY_AT]!;
  return tape.cells[id * CELLS + KEY_END]! - at === key.length && standsAt(tape.text, at, key);
}

/** `text.startsWith(word, at)`, which for a few characters is several times slower than comparing them. */
export function standsAt(text: string, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (text.charCodeAt(at + i) !== word.charCodeAt(i)) return false;
  return true;
}
