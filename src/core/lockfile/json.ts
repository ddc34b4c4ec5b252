/**
 * JSON and JSONC onto a tape. `JSON.parse` cannot see a key that stands twice nor say where a value is; this can, in one pass.
 * Accepts exactly JSON; with `relaxed`, also comments and trailing commas (bun.lock). Keeps what was read before an error.
 */
import { LIMITS } from "../base/limits.ts";
import type { Reader } from "./document.ts";
import { giveUp, reportRepeats } from "./document.ts";
import { append, close, flagsOf } from "./tape.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// Every key in JSON stands in quotes, and every value but a string without.
const [MAP, LIST, TEXT] = [flagsOf("map", false, true), flagsOf("list", false, true), flagsOf("text", false, true)];
const [NUMBER, BOOLEAN, NULL] = [flagsOf("number", true, true), flagsOf("boolean", true, true), flagsOf("null", true, true)];
const LITERALS = { t: ["true", BOOLEAN], f: ["false", BOOLEAN], n: ["null", NULL] } as const;
const NUMERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Fills the reader's tape; problems go to the reader. */
export function readJson(reader: Reader, relaxed = false): void {
  const { tape, text } = reader;
  let pos = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let failed = false;

  /** Always false, so that a caller can return it. */
  function fail(at: number, message: string): false {
    if (failed) return false;
    failed = true;
    if (at >= text.length) giveUp(reader, "truncated", text.length, `the file ends where ${message}`);
    else giveUp(reader, "syntax", at, message);
    return false;
  }

  /** Moves to the next character that matters and returns its code, NaN at the end. */
  function next(): number {
    for (;;) {
      const code = text.charCodeAt(pos);
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) pos++;
      else if (relaxed && code === 0x2f) {
        const line = text.charCodeAt(pos + 1) === 0x2f;
        if (!line && text.charCodeAt(pos + 1) !== 0x2a) return code;
        const end = text.indexOf(line ? "\n" : "*/", pos + 2);
        pos = end < 0 ? text.length : end + (line ? 1 : 2);
      } else return code;
    }
  }

  /** Passes the string whose opening quote is at `pos`; true when it holds escapes, undefined when it is broken. */
  function passString(): boolean | undefined {
    let escaped = false;
    for (let at = pos + 1; ; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        pos = at + 1;
        return escaped;
      }
      if (code === BACKSLASH) {
        escaped = true;
        at++;
      } else if (!(code >= 0x20)) {
        fail(at, "a string should go on or be closed");
        return undefined;
      }
    }
  }

  /** Resolves the escapes of the string between two offsets, quotes included. */
  function unescape(at: number, end: number): string | undefined {
    try {
      return JSON.parse(text.slice(at, end)) as string;
    } catch {
      fail(at, "an escape in this string is malformed");
      return undefined;
    }
  }

  function readValue(keyAt: number, keyEnd: number, depth: number): boolean {
    const code = next();
    const at = pos;
    if (code === QUOTE) {
      const escaped = passString();
      if (escaped === undefined) return false;
      const id = append(tape, TEXT, at, pos, keyAt, keyEnd);
      if (!escaped) return true;
      const value = unescape(at, pos);
      if (value !== undefined) tape.oddValues.set(id, value);
      return !failed;
    }
    if (code === 0x7b || code === 0x5b) {
      if (depth > LIMITS.jsonDepth) return fail(at, `values are nested deeper than ${LIMITS.jsonDepth}`);
      const id = append(tape, code === 0x7b ? MAP : LIST, at, at, keyAt, keyEnd);
      pos++;
      if (code === 0x7b) readMembers(depth + 1);
      else readItems(depth + 1);
      close(tape, id, pos);
      return !failed;
    }
    const literal = LITERALS[text[at] as keyof typeof LITERALS];
    NUMERAL.lastIndex = at;
    const word = literal === undefined ? NUMERAL.exec(text)?.[0] : literal[0];
    if (word === undefined || !text.startsWith(word, at)) return fail(at, "a value is expected");
    pos += word.length;
    append(tape, literal?.[1] ?? NUMBER, at, pos, keyAt, keyEnd);
    return true;
  }

  /** What follows a member or item: true to go on, false at the closing character (passed) or an error. */
  function goesOn(closing: number): boolean {
    const code = next();
    if (code !== closing && code !== 0x2c) return fail(pos, `"," or "${String.fromCharCode(closing)}" is expected`);
    pos++;
    if (code === closing) return false;
    if (!relaxed || next() !== closing) return true;
    pos++;
    return false;
  }

  function readMembers(depth: number): void {
    if (next() === 0x7d) return void pos++;
    do {
      if (next() !== QUOTE) return void fail(pos, "a key is expected");
      const at = pos;
      const escaped = passString();
      if (escaped === undefined) return;
      const end = pos;
      const odd = escaped ? unescape(at, end) : undefined;
      if (next() !== 0x3a) return void fail(pos, '":" is expected');
      pos++;
      if (odd !== undefined) tape.oddKeys.set(tape.size, odd);
      if (!readValue(at + 1, end - 1, depth)) return;
    } while (goesOn(0x7d));
  }

  function readItems(depth: number): void {
    if (next() === 0x5d) return void pos++;
    do {
      if (!readValue(-1, -1, depth)) return;
    } while (goesOn(0x5d));
  }

  if (Number.isNaN(next())) return void giveUp(reader, "truncated", 0, "the file is empty");
  tape.roots.push(tape.size);
  const read = readValue(-1, -1, 0);
  if (read && !Number.isNaN(next())) fail(pos, "nothing may follow the document");
  if (!read && tape.size === 0) tape.roots.pop();
  reportRepeats(reader);
}
