/**
 * The part of YAML that pnpm and yarn write, read line by line, some thirty times faster than a general reader: block maps, lists of
 * scalars and maps, quoted and plain scalars on one line, flow collections on one line, literal blocks, several documents.
 * It gives up at the first thing outside of that part, so it decides nothing about errors; a test holds it to the general reader's result.
 */
import { LIMITS } from "../base/limits.ts";
import type { NodeId, NodeKind, Tape } from "./tape.ts";
import { append, close, endOf, flagsOf } from "./tape.ts";

/** YAML 1.2 core schema, as pnpm's reader has it. Berry reads every scalar as text; its reader asks for that. */
export function kindOfPlain(text: string): NodeKind {
  if (text === "" || /^(?:~|null|Null|NULL)$/.test(text)) return "null";
  if (/^(?:true|True|TRUE|false|False|FALSE)$/.test(text)) return "boolean";
  if (/^[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$/.test(text))
    return "number";
  return "text";
}

/** What a plain scalar or key may start with here: no indicator, no sign that could be a list item or an alias. */
const PLAIN_START = /[A-Za-z0-9/._^~<=+$(]/;
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

/** False at the first thing outside the subset; the tape is then in no defined state. */
export function readPlainYaml(tape: Tape): boolean {
  const { text } = tape;
  // Carriage returns are allowed only before a newline, and then count as part of it.
  if (CONTROL.test(text) && (/\r(?!\n)/.test(text) || CONTROL.test(text.replaceAll("\r\n", "\n")))) return false;
  /** The current line: its start, its end without the line break, and its indent. After the last one `end` and `indent` are -1. */
  const here = { line: 0, end: -1, indent: 0 };

  function load(at: number): void {
    for (let line = at; line < text.length;) {
      const newline = text.indexOf("\n", line);
      const stop = newline < 0 ? text.length : newline;
      const end = stop > line && text.charCodeAt(stop - 1) === 0x0d ? stop - 1 : stop;
      let first = line;
      while (first < end && text.charCodeAt(first) === 0x20) first++;
      // Empty lines and whole-line comments mean nothing.
      if (first < end && text.charCodeAt(first) !== 0x23) {
        here.line = line;
        here.end = end;
        here.indent = first - line;
        return;
      }
      line = stop + 1;
    }
    here.line = text.length;
    here.end = here.indent = -1;
  }

  function advance(): void {
    const newline = text.indexOf("\n", here.end);
    load(newline < 0 ? text.length : newline + 1);
  }

  /** The scalar from `at` to the end of the line, as value or item. */
  function readInline(at: number, keyAt: number, keyEnd: number, keyQuoted: boolean): boolean {
    const end = here.end;
    const first = text.charCodeAt(at);
    if (first === 0x7b || first === 0x5b) return readFlow(at, keyAt, keyEnd, keyQuoted);
    const quoted = first === 0x27 || first === 0x22;
    if (quoted ? quotedEnd(at, end) !== end : !isPlainText(at, end)) return false;
    const id = append(tape, flagsOf(quoted ? "text" : kindOfPlain(text.slice(at, end)), !quoted, keyQuoted), at, end, keyAt, keyEnd);
    if (quoted) noteQuotes(id, at, end);
    const own = here.indent;
    advance();
    // A deeper line would continue a plain scalar.
    return here.indent <= own;
  }

  /** The end of the quoted scalar that starts at `at`, or -1. */
  function quotedEnd(at: number, end: number): number {
    const quote = text.charCodeAt(at);
    for (let i = at + 1; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x5c && quote === 0x22) return -1;
      if (code !== quote) continue;
      if (quote === 0x27 && text.charCodeAt(i + 1) === 0x27) i++;
      else return i + 1;
    }
    return -1;
  }

  function noteQuotes(id: NodeId, at: number, end: number): void {
    if (text.charCodeAt(at) !== 0x27) return;
    const inner = text.slice(at + 1, end - 1);
    if (inner.includes("''")) tape.oddValues.set(id, inner.replaceAll("''", "'"));
  }

  function isPlainText(at: number, end: number): boolean {
    if (at >= end || !PLAIN_START.test(text[at]!)) return false;
    for (let i = at; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x3a && (i + 1 === end || text.charCodeAt(i + 1) === 0x20)) return false;
      if (code === 0x20 && (i + 1 === end || text.charCodeAt(i + 1) === 0x23)) return false;
    }
    return true;
  }

  /** The end of the key that starts at `at` (before its colon), or -1. */
  function keyEnds(at: number): number {
    const first = text.charCodeAt(at);
    if (first === 0x27 || first === 0x22) {
      const end = quotedEnd(at, here.end);
      return end > 0 && text.charCodeAt(end) === 0x3a ? end : -1;
    }
    // `...` may end the document.
    if (!PLAIN_START.test(text[at]!) || text.startsWith("...", at)) return -1;
    for (let i = at; i < here.end; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x3a && (i + 1 === here.end || text.charCodeAt(i + 1) === 0x20)) return text.charCodeAt(i - 1) === 0x20 ? -1 : i;
      if (code === 0x20 && text.charCodeAt(i + 1) === 0x23) return -1;
    }
    return -1;
  }

  function readBlock(keyAt: number, keyEnd: number, keyQuoted: boolean, depth: number): boolean {
    if (depth > LIMITS.jsonDepth) return false;
    const at = here.line + here.indent;
    return isItem(at) ? readItems(at, keyAt, keyEnd, keyQuoted, depth) : readMembers(at, keyAt, keyEnd, keyQuoted, depth);
  }

  function isItem(at: number): boolean {
    return text.charCodeAt(at) === 0x2d && (at + 1 === here.end || text.charCodeAt(at + 1) === 0x20);
  }

  /** Items are scalars or maps that begin on the line of their dash; a list of lists is left to the general reader. */
  function readItems(start: number, keyAt: number, keyEnd: number, keyQuoted: boolean, depth: number): boolean {
    const own = here.indent;
    const id = append(tape, flagsOf("list", false, keyQuoted), start, start, keyAt, keyEnd);
    let end = start;
    while (here.indent === own && isItem(here.line + here.indent)) {
      const at = here.line + here.indent + 2;
      end = here.end;
      if (at >= here.end || text.charCodeAt(at) === 0x20 || isItem(at)) return false;
      if (keyEnds(at) >= 0) {
        here.indent += 2;
        if (!readBlock(-1, -1, false, depth + 1)) return false;
        end = endOf(tape, tape.size - 1);
      } else if (!readInline(at, -1, -1, false)) return false;
    }
    close(tape, id, end);
    return here.indent <= own;
  }

  function readMembers(start: number, keyAt: number, keyEnd: number, keyQuoted: boolean, depth: number): boolean {
    const own = here.indent;
    const id = append(tape, flagsOf("map", false, keyQuoted), start, start, keyAt, keyEnd);
    let end = start;
    while (here.indent === own && !isItem(here.line + here.indent) && !isMarker()) {
      // "at most 1024 Unicode characters" (YAML 1.2.2, 7.4.2): longer keys are written `? key`, with the value on the next line.
      const explicit = text.startsWith("? ", here.line + here.indent);
      const at = here.line + here.indent + (explicit ? 2 : 0);
      const keyEndHere = explicit ? explicitKeyEnd(at) : keyEnds(at);
      if (keyEndHere < 0 || (!explicit && keyEndHere - at > 1024)) return false;
      const quoted = text.charCodeAt(at) === 0x27 || text.charCodeAt(at) === 0x22;
      const inset = quoted ? 1 : 0;
      const name = text.slice(at + inset, keyEndHere - inset);
      // `<<` merges in pnpm's reader.
      if (name === "<<") return false;
      if (text.charCodeAt(at) === 0x27 && name.includes("''")) tape.oddKeys.set(tape.size, name.replaceAll("''", "'"));
      if (explicit) {
        advance();
        if (here.indent !== own || text.charCodeAt(here.line + here.indent) !== 0x3a) return false;
      }
      const colon = explicit ? here.line + here.indent : keyEndHere;
      end = here.end;
      if (colon + 1 === here.end) {
        advance();
        if (here.indent > own || (here.indent === own && isItem(here.line + here.indent))) {
          if (!readBlock(at + inset, keyEndHere - inset, quoted, depth + 1)) return false;
          end = endOf(tape, tape.size - 1);
        } else append(tape, flagsOf("null", true, quoted), colon + 1, colon + 1, at + inset, keyEndHere - inset);
      } else if (text.charCodeAt(colon + 1) !== 0x20 || !readInlineOrBlock(colon + 2, at + inset, keyEndHere - inset, quoted)) return false;
    }
    close(tape, id, end);
    return here.indent <= own;
  }

  function explicitKeyEnd(at: number): number {
    const quoted = text.charCodeAt(at) === 0x27 || text.charCodeAt(at) === 0x22;
    if (quoted) return quotedEnd(at, here.end) === here.end ? here.end : -1;
    return isPlainText(at, here.end) ? here.end : -1;
  }

  function readInlineOrBlock(at: number, keyAt: number, keyEnd: number, keyQuoted: boolean): boolean {
    return text.charCodeAt(at) === 0x7c ? readLiteral(at, keyAt, keyEnd, keyQuoted) : readInline(at, keyAt, keyEnd, keyQuoted);
  }

  /** `|-` and `|`: the deeper lines that follow, as they stand. */
  function readLiteral(at: number, keyAt: number, keyEnd: number, keyQuoted: boolean): boolean {
    const header = text.slice(at, here.end);
    if (header !== "|-" && header !== "|") return false;
    const own = here.indent;
    const lines: string[] = [];
    let start = text.indexOf("\n", here.end) + 1;
    if (start === 0) return false;
    let margin = -1;
    let end = start;
    for (; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const stop = newline < 0 ? text.length : newline;
      const shown = stop > start && text.charCodeAt(stop - 1) === 0x0d ? stop - 1 : stop;
      let first = start;
      while (first < shown && text.charCodeAt(first) === 0x20) first++;
      if (first === shown) {
        // A blank line with spaces could set or exceed the margin; pnpm writes none.
        if (first !== start) return false;
        lines.push("");
      } else {
        if (margin < 0) margin = first - start;
        if (first - start <= own) break;
        if (first - start < margin) return false;
        lines.push(text.slice(start + margin, shown));
        end = stop;
      }
      start = stop + 1;
    }
    if (margin <= own) return false;
    while (lines.length > 0 && lines[lines.length - 1] === "") lines.pop();
    const id = append(tape, flagsOf("text", false, keyQuoted), at, Math.min(end + 1, text.length), keyAt, keyEnd);
    tape.oddValues.set(id, lines.join("\n") + (header === "|" ? "\n" : ""));
    load(Math.min(start, text.length));
    return here.indent <= own;
  }

  /** A flow map or list that begins and ends on this line. */
  function readFlow(at: number, keyAt: number, keyEnd: number, keyQuoted: boolean): boolean {
    const end = readFlowValue(at, keyAt, keyEnd, keyQuoted, 0);
    if (end !== here.end) return false;
    const own = here.indent;
    advance();
    return here.indent <= own;
  }

  /** The offset after the value, or -1. */
  function readFlowValue(at: number, keyAt: number, keyEnd: number, keyQuoted: boolean, depth: number): number {
    const first = text.charCodeAt(at);
    if (first !== 0x7b && first !== 0x5b) {
      const quoted = first === 0x27 || first === 0x22;
      const end = quoted ? quotedEnd(at, here.end) : flowPlainEnd(at);
      if (end < 0) return -1;
      const id = append(tape, flagsOf(quoted ? "text" : kindOfPlain(text.slice(at, end)), !quoted, keyQuoted), at, end, keyAt, keyEnd);
      if (quoted) noteQuotes(id, at, end);
      return end;
    }
    if (depth > 20) return -1;
    const map = first === 0x7b;
    const closing = map ? 0x7d : 0x5d;
    const id = append(tape, flagsOf(map ? "map" : "list", false, keyQuoted), at, at, keyAt, keyEnd);
    let pos = at + 1;
    if (text.charCodeAt(pos) === closing) {
      close(tape, id, pos + 1);
      return pos + 1;
    }
    for (;;) {
      let [memberAt, memberEnd, memberQuoted] = [-1, -1, false];
      if (map) {
        memberQuoted = text.charCodeAt(pos) === 0x27 || text.charCodeAt(pos) === 0x22;
        const keyStop = memberQuoted ? quotedEnd(pos, here.end) : flowPlainEnd(pos);
        if (keyStop < 0 || text.charCodeAt(keyStop) !== 0x3a || text.charCodeAt(keyStop + 1) !== 0x20) return -1;
        [memberAt, memberEnd] = memberQuoted ? [pos + 1, keyStop - 1] : [pos, keyStop];
        if (text.slice(memberAt, memberEnd).includes("''")) return -1;
        pos = keyStop + 2;
      }
      pos = readFlowValue(pos, memberAt, memberEnd, memberQuoted, depth + 1);
      if (pos < 0) return -1;
      const code = text.charCodeAt(pos);
      if (code === closing) {
        close(tape, id, pos + 1);
        return pos + 1;
      }
      if (code !== 0x2c || text.charCodeAt(pos + 1) !== 0x20) return -1;
      pos += 2;
    }
  }

  /** A plain scalar inside brackets ends before `,`, a bracket, or `: `. */
  function flowPlainEnd(at: number): number {
    if (at >= here.end || !PLAIN_START.test(text[at]!)) return -1;
    for (let i = at; i < here.end; i++) {
      const code = text.charCodeAt(i);
      const ends = code === 0x2c || code === 0x7d || code === 0x5d || (code === 0x3a && text.charCodeAt(i + 1) === 0x20);
      if (ends) return text.charCodeAt(i - 1) === 0x20 ? -1 : i;
      if (code === 0x7b || code === 0x5b || (code === 0x20 && text.charCodeAt(i + 1) === 0x23)) return -1;
      // `a:b` is fine, `a:,` is an empty value in some readers.
      if (code === 0x3a && !/[A-Za-z0-9/._+@-]/.test(text[i + 1] ?? "")) return -1;
    }
    return -1;
  }

  /** A document boundary stands alone on its line. */
  function isMarker(): boolean {
    return here.indent === 0 && here.end - here.line === 3 && text.startsWith("---", here.line);
  }

  load(0);
  while (here.end >= 0) {
    if (isMarker()) {
      advance();
      // An empty document: the general reader knows what that means.
      if (here.end < 0 || isMarker()) return false;
    } else if (tape.roots.length > 0) return false;
    if (here.indent !== 0 || isItem(here.line)) return false;
    tape.roots.push(tape.size);
    if (!readBlock(-1, -1, false, 0)) return false;
  }
  return tape.roots.length > 0;
}
