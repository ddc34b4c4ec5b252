/**
 * A strict JSON scanner over raw bytes. It sees what `JSON.parse` hides: keys given twice, `__proto__`, nesting, and where each value stands.
 * `scanJson` judges a whole document; the cursor functions below it walk a document of known shape and skip the rest.
 * Iterative throughout: nesting costs one byte a level, so no document can overflow the stack.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";

export type JsonProblem = {
  /** `encoding` and `syntax` mean that the document is not JSON; the others are JSON that readers disagree about. */
  readonly kind: "encoding" | "syntax" | "too-deep" | "too-many-keys" | "duplicate-key" | "prototype-key";
  /** In bytes from the start. */
  readonly offset: number;
  readonly message: string;
  /** Of a duplicate key: where it stood first. */
  readonly first?: number;
};

export type JsonScan = {
  /** Whether the bytes are one JSON value, as `JSON.parse` would have it. */
  readonly valid: boolean;
  /** At most `LIMITS.jsonProblems`, in document order. */
  readonly problems: readonly JsonProblem[];
};

/** Judges a whole document. `depth` = containers that may be open at once. Never throws. */
export function scanJson(bytes: Uint8Array, depth: number = LIMITS.jsonDepth): JsonScan {
  const scan = openDocument(bytes, depth);
  skipValue(scan);
  closeDocument(scan);
  return { valid: scan.failure === undefined, problems: scan.failure ? [...scan.problems, scan.failure] : scan.problems };
}

/** Line and column of a byte offset, both from 1; the column counts UTF-16 units, as editors do. */
export function jsonPosition(bytes: Uint8Array, offset: number): { readonly line: number; readonly column: number } {
  const before = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(offset, bytes.length));
  let line = 1;
  let start = 0;
  for (let at = before.indexOf(0x0a); at >= 0; at = before.indexOf(0x0a, at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, column: before.toString("utf8", start).length + 1 };
}

/** A document being walked. Created by `openDocument`; only the functions of this file write to it. */
export type JsonCursor = {
  readonly bytes: Buffer;
  /** The next byte to read; at the first byte of a value whenever a caller gets it. */
  pos: number;
  /** Containers open around `pos`. */
  depth: number;
  /** Set once the bytes turn out not to be JSON; every later call does nothing. */
  failure: JsonProblem | undefined;
  /** What is JSON but unsafe. A caller may take and empty it. */
  problems: JsonProblem[];
  /** The member key read last: its bytes between the quotes. */
  keyStart: number;
  keyEnd: number;

  readonly maxDepth: number;
  keyHash: number;
  keyEscaped: boolean;
  /** One byte a level: which bracket opened it. */
  kinds: Uint8Array;
  /** Keys seen in the open objects: `FEW_KEYS` slots of (hash, start, end) a depth. */
  readonly seen: Int32Array;
  readonly seenCount: Int32Array;
  /** The same for objects with many or escaped keys: text → offset. */
  readonly seenText: (Map<string, number> | undefined)[];
  /** Recent short keys by hash, so that the keys every manifest repeats are decoded once. */
  readonly interned: (string | undefined)[];
};

const FEW_KEYS = 64;
const INTERNED = 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const MINUS = 0x2d;
const ZERO = 0x30;

// RFC 8259 §7: inside a string everything stands for itself except quotation mark, reverse solidus and U+0000 to U+001F.
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0));
// RFC 8259 §7: \" \\ \/ \b \f \n \r \t; \u takes four hexadecimal digits.
const SHORT_ESCAPES = new Set([...'"\\/bfnrt'].map((char) => char.charCodeAt(0)));

/** Starts a walk at the first value. Encoding and byte order mark are judged here. */
export function openDocument(bytes: Uint8Array, maxDepth: number = LIMITS.jsonDepth): JsonCursor {
  const scan: JsonCursor = {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    pos: 0,
    depth: 0,
    failure: undefined,
    problems: [],
    keyStart: 0,
    keyEnd: 0,
    maxDepth,
    keyHash: 0,
    keyEscaped: false,
    kinds: new Uint8Array(256),
    seen: new Int32Array((maxDepth + 1) * FEW_KEYS * 3),
    seenCount: new Int32Array(maxDepth + 1),
    seenText: Array.from({ length: maxDepth + 1 }, () => undefined),
    interned: Array.from({ length: INTERNED }, () => undefined),
  };
  // RFC 8259 §8.1: JSON text exchanged between systems is UTF-8, and no byte order mark is added to it.
  if (!isUtf8(bytes)) fail(scan, firstBadByte(bytes), "not UTF-8", "encoding");
  else if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) fail(scan, 0, "starts with a byte order mark");
  else scan.pos = spaceEnd(scan.bytes, 0);
  return scan;
}

/** Ends a walk: nothing but white space may follow the value. */
export function closeDocument(scan: JsonCursor): void {
  const at = spaceEnd(scan.bytes, scan.pos);
  if (at < scan.bytes.length) fail(scan, at, "something follows the end of the document");
}

/** True when the value at `pos` is an object. */
export function atObject(scan: JsonCursor): boolean {
  return scan.bytes[scan.pos] === OPEN_OBJECT;
}

/**
 * Walks the object at `pos`. `visit` gets each key and must consume the value at `pos` (`skipValue`, `readText`, `eachMember`).
 * Precondition: `atObject`.
 */
export function eachMember(scan: JsonCursor, visit: (key: string) => void): void {
  const { bytes } = scan;
  scan.depth++;
  openObject(scan, scan.depth, scan.pos);
  let at = spaceEnd(bytes, scan.pos + 1);
  if (bytes[at] === CLOSE_OBJECT) scan.pos = at + 1;
  else
    for (;;) {
      scan.pos = memberKey(scan, at, scan.depth);
      if (scan.failure) return;
      visit(keyText(scan));
      if (scan.failure) return;
      at = spaceEnd(bytes, scan.pos);
      if (bytes[at] === CLOSE_OBJECT) {
        scan.pos = at + 1;
        break;
      }
      if (bytes[at] !== COMMA) return void fail(scan, at, "expected `,` or `}`");
      at = spaceEnd(bytes, at + 1);
    }
  scan.depth--;
}

/** Consumes the value at `pos`: its text when it is a string, undefined when it is anything else. */
export function readText(scan: JsonCursor): string | undefined {
  const start = scan.pos;
  skipValue(scan);
  if (scan.failure || scan.bytes[start] !== QUOTE) return undefined;
  const raw = scan.bytes.toString("utf8", start + 1, scan.pos - 1);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}

/** Consumes the value at `pos`, whatever it is, and judges every key inside it. */
export function skipValue(scan: JsonCursor): void {
  if (scan.failure) return;
  const { bytes, depth } = scan;
  const end = bytes.length;
  let level = 0;
  let at = scan.pos;
  for (;;) {
    const first = at < end ? bytes[at]! : 0;
    if (first === QUOTE) at = stringEnd(scan, at + 1);
    else if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      level++;
      if (level >= scan.kinds.length) scan.kinds = grown(scan.kinds);
      scan.kinds[level] = first;
      if (first === OPEN_OBJECT) openObject(scan, depth + level, at);
      else checkDepth(scan, depth + level, at);
      at = spaceEnd(bytes, at + 1);
      // `}` and `]` stand two above their opening brackets in ASCII.
      if (at < end && bytes[at] === first + 2) {
        at++;
        level--;
      } else {
        if (first === OPEN_OBJECT) at = memberKey(scan, at, depth + level);
        if (at < 0) return;
        continue;
      }
    } else at = scalarEnd(scan, at, first);
    if (at < 0) return;

    // A value ended at `at`: close what it was the last of, or go on to the next one.
    for (;;) {
      if (level === 0) {
        scan.pos = at;
        return;
      }
      at = spaceEnd(bytes, at);
      const kind = scan.kinds[level]!;
      const next = at < end ? bytes[at]! : 0;
      if (next === kind + 2) {
        at++;
        level--;
        continue;
      }
      if (next !== COMMA) return void fail(scan, at, kind === OPEN_OBJECT ? "expected `,` or `}`" : "expected `,` or `]`");
      at = spaceEnd(bytes, at + 1);
      if (kind === OPEN_OBJECT) at = memberKey(scan, at, depth + level);
      if (at < 0) return;
      break;
    }
  }
}

/** Records the first failure and parks the cursor; returns -1, which is no position. */
function fail(scan: JsonCursor, offset: number, message: string, kind: "encoding" | "syntax" = "syntax"): -1 {
  const at = Math.min(offset, scan.bytes.length);
  scan.failure ??= { kind, offset: at, message: at === scan.bytes.length && kind === "syntax" ? "ends too early" : message };
  scan.pos = scan.bytes.length;
  return -1;
}

function note(scan: JsonCursor, problem: JsonProblem): void {
  if (scan.problems.length < LIMITS.jsonProblems) scan.problems.push(problem);
}

function checkDepth(scan: JsonCursor, depth: number, offset: number): void {
  if (depth === scan.maxDepth + 1) note(scan, { kind: "too-deep", offset, message: `nested more than ${scan.maxDepth} deep` });
}

function openObject(scan: JsonCursor, depth: number, offset: number): void {
  checkDepth(scan, depth, offset);
  if (depth > scan.maxDepth) return;
  scan.seenCount[depth] = 0;
  scan.seenText[depth] = undefined;
}

// RFC 8259 §2: white space is space, tab, line feed and carriage return.
function spaceEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
    at++;
  }
  return at;
}

/** `from` is behind the opening quote; returns the position behind the closing one. */
function stringEnd(scan: JsonCursor, from: number): number {
  const { bytes } = scan;
  const end = bytes.length;
  let at = from;
  for (;;) {
    while (at < end && PLAIN[bytes[at]!] === 1) at++;
    const stop = bytes[at];
    if (stop === QUOTE) return at + 1;
    if (stop !== BACKSLASH) return fail(scan, at, "control character in a string");
    const escape = bytes[at + 1];
    if (escape === 0x75) {
      for (let digit = at + 2; digit < at + 6; digit++) if (!isHex(bytes[digit])) return fail(scan, digit, "broken \\u escape");
      at += 6;
    } else {
      if (escape === undefined || !SHORT_ESCAPES.has(escape)) return fail(scan, at + 1, "unknown escape");
      at += 2;
    }
  }
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66));
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** A number, `true`, `false` or `null`. */
function scalarEnd(scan: JsonCursor, from: number, first: number): number {
  const { bytes } = scan;
  const word = first === 0x74 ? "true" : first === 0x66 ? "false" : first === 0x6e ? "null" : undefined;
  if (word !== undefined) {
    for (let index = 1; index < word.length; index++)
      if (bytes[from + index] !== word.charCodeAt(index)) return fail(scan, from + index, "expected a value");
    return from + word.length;
  }
  // RFC 8259 §6: number = [ "-" ] ( "0" / digit1-9 *DIGIT ) [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT ]
  let at = first === MINUS ? from + 1 : from;
  if (!isDigit(bytes[at])) return fail(scan, at, "expected a value");
  if (bytes[at] === ZERO) at++;
  else while (isDigit(bytes[at])) at++;
  if (bytes[at] === 0x2e) {
    at++;
    if (!isDigit(bytes[at])) return fail(scan, at, "number without digits behind the point");
    while (isDigit(bytes[at])) at++;
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++;
    if (bytes[at] === 0x2b || bytes[at] === MINUS) at++;
    if (!isDigit(bytes[at])) return fail(scan, at, "number without digits in its exponent");
    while (isDigit(bytes[at])) at++;
  }
  return at;
}

/** Reads `"key" :` at `from` into the cursor and checks it against its siblings; returns where the value starts. */
function memberKey(scan: JsonCursor, from: number, depth: number): number {
  const { bytes } = scan;
  const end = bytes.length;
  if (bytes[from] !== QUOTE) return fail(scan, from, "expected a key in quotes");
  let at = from + 1;
  // FNV-1a: cheap, and good enough because equal hashes are always compared byte by byte.
  let hash = 0x811c9dc5 | 0;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (PLAIN[byte] !== 1) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const escaped = bytes[at] !== QUOTE;
  const behind = escaped ? stringEnd(scan, at) : at + 1;
  if (behind < 0) return -1;
  scan.keyStart = from + 1;
  scan.keyEnd = behind - 1;
  scan.keyHash = hash;
  scan.keyEscaped = escaped;
  if (depth <= scan.maxDepth) checkKey(scan, depth);
  at = spaceEnd(bytes, behind);
  if (bytes[at] !== COLON) return fail(scan, at, "expected `:`");
  return spaceEnd(bytes, at + 1);
}

const PROTOTYPE_KEY = "__proto__";
const PROTOTYPE_HASH = [...Buffer.from(PROTOTYPE_KEY)].reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5 | 0);

/**
 * Few plain keys are compared by hash and bytes, in place. Many keys, or one with an escape (`"a\u0062"` is `"ab"`), are compared
 * as decoded text in a Map, so that neither 100,000 keys nor keys made to collide cost more than linear time.
 */
function checkKey(scan: JsonCursor, depth: number): void {
  if (scan.keyEscaped || scan.keyHash === PROTOTYPE_HASH) {
    if (keyText(scan) === PROTOTYPE_KEY)
      note(scan, { kind: "prototype-key", offset: scan.keyStart - 1, message: `key "${PROTOTYPE_KEY}"` });
  }
  const known = scan.seenText[depth];
  const count = scan.seenCount[depth]!;
  if (known !== undefined || scan.keyEscaped || count === FEW_KEYS) return checkKeyText(scan, depth, known ?? seenAsText(scan, depth));
  const { bytes, seen, keyStart, keyEnd, keyHash } = scan;
  const base = depth * FEW_KEYS * 3;
  const free = base + count * 3;
  for (let slot = base; slot < free; slot += 3)
    if (seen[slot] === keyHash && sameBytes(bytes, seen[slot + 1]!, seen[slot + 2]!, keyStart, keyEnd))
      return duplicate(scan, seen[slot + 1]! - 1, keyText(scan));
  seen[free] = keyHash;
  seen[free + 1] = keyStart;
  seen[free + 2] = keyEnd;
  scan.seenCount[depth] = count + 1;
}

function checkKeyText(scan: JsonCursor, depth: number, known: Map<string, number>): void {
  scan.seenText[depth] = known;
  // The quote in front keeps V8 from hashing number-like keys by their value, which an attacker could make collide.
  const text = `"${keyText(scan)}`;
  const first = known.get(text);
  if (first !== undefined) duplicate(scan, first, text.slice(1));
  else if (known.size < LIMITS.jsonKeys) known.set(text, scan.keyStart - 1);
  else note(scan, { kind: "too-many-keys", offset: scan.keyStart - 1, message: `more than ${LIMITS.jsonKeys} keys in one object` });
}

function seenAsText(scan: JsonCursor, depth: number): Map<string, number> {
  const known = new Map<string, number>();
  const base = depth * FEW_KEYS * 3;
  for (let slot = base; slot < base + scan.seenCount[depth]! * 3; slot += 3) {
    const start = scan.seen[slot + 1]!;
    known.set(`"${scan.bytes.toString("utf8", start, scan.seen[slot + 2]!)}`, start - 1);
  }
  return known;
}

function duplicate(scan: JsonCursor, first: number, key: string): void {
  note(scan, { kind: "duplicate-key", offset: scan.keyStart - 1, first, message: `key "${printable(key).slice(0, 80)}" given twice` });
}

function sameBytes(bytes: Buffer, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let index = 0; index < end - start; index++) if (bytes[start + index] !== bytes[otherStart + index]) return false;
  return true;
}

/** The key read last, decoded. */
function keyText(scan: JsonCursor): string {
  const { bytes, keyStart, keyEnd } = scan;
  if (scan.keyEscaped) return JSON.parse(bytes.toString("utf8", keyStart - 1, keyEnd + 1)) as string;
  const slot = scan.keyHash & (INTERNED - 1);
  const known = scan.interned[slot];
  if (known !== undefined && isAscii(known, bytes, keyStart, keyEnd)) return known;
  const text = bytes.toString("utf8", keyStart, keyEnd);
  if (text.length <= 64) scan.interned[slot] = text;
  return text;
}

/** Whether `text` is exactly these bytes, each one character. */
function isAscii(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    const byte = bytes[start + index]!;
    if (byte > 0x7f || byte !== text.charCodeAt(index)) return false;
  }
  return true;
}

function grown(kinds: Uint8Array): Uint8Array {
  const larger = new Uint8Array(kinds.length * 2);
  larger.set(kinds);
  return larger;
}

/** Where UTF-8 breaks: the longest prefix that is still valid, found by halving. */
function firstBadByte(bytes: Uint8Array): number {
  // A prefix may end inside a character, so up to three of its last bytes are given back.
  const validPrefix = (length: number): number | undefined =>
    [0, 1, 2, 3].map((back) => Math.max(0, length - back)).find((shorter) => isUtf8(bytes.subarray(0, shorter)));
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (validPrefix(middle) === undefined) bad = middle;
    else good = middle;
  }
  return validPrefix(good) ?? 0;
}
