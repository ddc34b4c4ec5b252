/**
 * A parsed JSON or YAML file as a tape: numbers in arrays instead of an object for each value, in the order of the text.
 * A lockfile of 20,000 entries has a quarter of a million values; the tape costs 6 MB and no garbage where objects cost 80 MB,
 * and it keeps what a plain parse loses: where each value stands, and whether a key stands twice.
 * A node is its index. The children of a node follow it; `after` is the first index that no longer belongs to it.
 */

export type NodeId = number;
export type NodeKind = "map" | "list" | "text" | "number" | "boolean" | "null";

export type Tape = {
  readonly text: string;
  size: number;
  flags: Uint8Array;
  /** Offsets of the value, quotes included. */
  at: Int32Array;
  end: Int32Array;
  /** Offsets of the key's characters, quotes excluded; -1 for what has no key. */
  keyAt: Int32Array;
  keyEnd: Int32Array;
  after: Int32Array;
  /** Of a map: one bit for each key in it, so that a key that is not there is mostly known without looking. */
  filter: Int32Array;
  /** Values and keys that are not simply the characters between the offsets: escapes, blocks. */
  readonly oddValues: Map<NodeId, string>;
  readonly oddKeys: Map<NodeId, string>;
  /** Short strings cut lately, by what they look like: the same names and ranges stand thousands of times in one file. */
  readonly recent: (string | undefined)[];
  /** One root for each document; JSON has at most one. */
  readonly roots: NodeId[];
};

const KINDS: readonly NodeKind[] = ["map", "list", "text", "number", "boolean", "null"];
const KIND_BITS = 0b111;
const PLAIN = 0b1000;
const KEY_QUOTED = 0b10000;
const RECENT = 4096;
/** Longer strings are digests and URLs, which stand once. */
const SHORT = 40;

export function openTape(text: string): Tape {
  const capacity = Math.max(64, text.length >> 5);
  return {
    text,
    size: 0,
    flags: new Uint8Array(capacity),
    at: new Int32Array(capacity),
    end: new Int32Array(capacity),
    keyAt: new Int32Array(capacity),
    keyEnd: new Int32Array(capacity),
    after: new Int32Array(capacity),
    filter: new Int32Array(capacity),
    oddValues: new Map(),
    oddKeys: new Map(),
    recent: Array.from({ length: RECENT }, () => undefined),
    roots: [],
  };
}

function grow(tape: Tape): void {
  const capacity = tape.flags.length * 2;
  tape.flags = copyInto(new Uint8Array(capacity), tape.flags);
  tape.at = copyInto(new Int32Array(capacity), tape.at);
  tape.end = copyInto(new Int32Array(capacity), tape.end);
  tape.keyAt = copyInto(new Int32Array(capacity), tape.keyAt);
  tape.keyEnd = copyInto(new Int32Array(capacity), tape.keyEnd);
  tape.after = copyInto(new Int32Array(capacity), tape.after);
  tape.filter = copyInto(new Int32Array(capacity), tape.filter);
}

function copyInto<A extends Uint8Array | Int32Array>(fresh: A, old: A): A {
  fresh.set(old);
  return fresh;
}

/** Appends a node. The key offsets exclude quotes; a container's `end` and `after` are set by `close`. */
export function append(
  tape: Tape,
  kind: NodeKind,
  at: number,
  end: number,
  plain: boolean,
  keyAt: number,
  keyEnd: number,
  keyQuoted: boolean,
): NodeId {
  const id = tape.size++;
  if (id === tape.flags.length) grow(tape);
  tape.flags[id] = KINDS.indexOf(kind) | (plain ? PLAIN : 0) | (keyQuoted ? KEY_QUOTED : 0);
  tape.at[id] = at;
  tape.end[id] = end;
  tape.keyAt[id] = keyAt;
  tape.keyEnd[id] = keyEnd;
  tape.after[id] = id + 1;
  return id;
}

/** Ends a container: what was appended since belongs to it. */
export function close(tape: Tape, id: NodeId, end: number): void {
  const { size } = tape;
  tape.end[id] = end;
  tape.after[id] = size;
  let filter = 0;
  for (let child = id + 1; child < size; child = tape.after[child]!)
    filter |= bitOf(tape.text.charCodeAt(tape.keyAt[child]!), tape.keyEnd[child]! - tape.keyAt[child]!);
  tape.filter[id] = filter;
}

function bitOf(first: number, length: number): number {
  return 1 << ((first + 5 * length) & 31);
}

/** Takes back everything appended since `size`. */
export function truncate(tape: Tape, size: number): void {
  tape.size = size;
  for (const odd of [tape.oddValues, tape.oddKeys]) for (const id of odd.keys()) if (id >= size) odd.delete(id);
  while (tape.roots.length > 0 && tape.roots[tape.roots.length - 1]! >= size) tape.roots.pop();
}

export function kindOf(tape: Tape, id: NodeId): NodeKind {
  return KINDS[tape.flags[id]! & KIND_BITS]!;
}

/** True for a scalar that stands without quotes. */
export function isPlain(tape: Tape, id: NodeId): boolean {
  return (tape.flags[id]! & PLAIN) !== 0;
}

/** The text of a scalar as meant: quotes removed, escapes resolved. Empty for containers. */
export function valueOf(tape: Tape, id: NodeId): string {
  const kind = tape.flags[id]! & KIND_BITS;
  if (kind < 2) return "";
  const odd = tape.oddValues.size > 0 ? tape.oddValues.get(id) : undefined;
  if (odd !== undefined) return odd;
  const inset = isPlain(tape, id) ? 0 : 1;
  return cut(tape, tape.at[id]! + inset, tape.end[id]! - inset);
}

export function keyOf(tape: Tape, id: NodeId): string {
  const odd = tape.oddKeys.size > 0 ? tape.oddKeys.get(id) : undefined;
  return odd ?? cut(tape, tape.keyAt[id]!, tape.keyEnd[id]!);
}

/** The characters between two offsets, as the string already made of them if there is one. */
function cut(tape: Tape, from: number, to: number): string {
  const { text, recent } = tape;
  const length = to - from;
  if (length > SHORT || length < 2) return text.slice(from, to);
  const middle = text.charCodeAt(from + (length >> 1));
  const hash =
    text.charCodeAt(from) * 7 + text.charCodeAt(from + 1) * 131 + middle * 1031 + text.charCodeAt(to - 1) * 8209 + length * 65_537;
  const slot = (hash ^ (hash >>> 12)) & (RECENT - 1);
  const known = recent[slot];
  if (known !== undefined && known.length === length && text.startsWith(known, from)) return known;
  return (recent[slot] = text.slice(from, to));
}

/** Where the entry begins: its key with the quote, or the value itself when it has no key. */
export function startOf(tape: Tape, id: NodeId): number {
  if (tape.keyAt[id]! < 0) return tape.at[id]!;
  return (tape.flags[id]! & KEY_QUOTED) !== 0 ? tape.keyAt[id]! - 1 : tape.keyAt[id]!;
}

export function childrenOf(tape: Tape, id: NodeId): NodeId[] {
  const children: NodeId[] = [];
  for (let child = id + 1, end = tape.after[id]!; child < end; child = tape.after[child]!) children.push(child);
  return children;
}

/** The value at `key` in a map; the last one when the key stands twice, as `JSON.parse` and yarn have it. */
export function childAt(tape: Tape, map: NodeId, key: string): NodeId | undefined {
  if ((tape.filter[map]! & bitOf(key.charCodeAt(0), key.length)) === 0 && tape.oddKeys.size === 0) return undefined;
  let found: NodeId | undefined;
  for (let child = map + 1, end = tape.after[map]!; child < end; child = tape.after[child]!) if (isKey(tape, child, key)) found = child;
  return found;
}

function isKey(tape: Tape, id: NodeId, key: string): boolean {
  if (tape.oddKeys.size > 0 && tape.oddKeys.has(id)) return tape.oddKeys.get(id) === key;
  const at = tape.keyAt[id]!;
  return tape.keyEnd[id]! - at === key.length && tape.text.charCodeAt(at) === key.charCodeAt(0) && tape.text.startsWith(key, at);
}

/** Keys that stand again in the same map: the later nodes. */
export function repeatedKeys(tape: Tape, map: NodeId): readonly NodeId[] {
  const { after } = tape;
  const end = after[map]!;
  let repeated: NodeId[] | undefined;
  let count = 0;
  for (let later = map + 1; later < end; later = after[later]!) {
    // Comparing pairs is cheapest for the few keys an entry has; a map of thousands gets a set.
    if (++count > 24) return repeatedAmongMany(tape, map);
    for (let earlier = map + 1; earlier < later; earlier = after[earlier]!)
      if (sameKey(tape, earlier, later)) {
        (repeated ??= []).push(later);
        break;
      }
  }
  return repeated ?? NONE;
}

const NONE: readonly NodeId[] = [];

function repeatedAmongMany(tape: Tape, map: NodeId): NodeId[] {
  const seen = new Set<string>();
  return childrenOf(tape, map).filter((child) => {
    const size = seen.size;
    return seen.add(keyOf(tape, child)).size === size;
  });
}

function sameKey(tape: Tape, a: NodeId, b: NodeId): boolean {
  if (tape.oddKeys.size > 0 && (tape.oddKeys.has(a) || tape.oddKeys.has(b))) return keyOf(tape, a) === keyOf(tape, b);
  const { text, keyAt, keyEnd } = tape;
  const length = keyEnd[a]! - keyAt[a]!;
  if (length !== keyEnd[b]! - keyAt[b]!) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(keyAt[a]! + i) !== text.charCodeAt(keyAt[b]! + i)) return false;
  return true;
}
