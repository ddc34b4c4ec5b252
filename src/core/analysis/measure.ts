/** Measures of a text as a whole: written so that nobody can read it, or holding what nobody can see. Minified code is neither. */
import { type Sights, see } from "./findings.ts";

/** Names as the common obfuscators make them; bundlers and minifiers make none. */
const HEX_NAME = /\b_0x[0-9a-f]{3,8}\b/g;
/** Letters written as escapes, which no tool does without intent: printable ASCII only, because tables of other letters are escaped by all. */
const ESCAPED_LETTER = /\\x[2-7][0-9a-fA-F]|\\u00[2-7][0-9a-fA-F]/g;
/** Variation selectors and tags in a row can carry bytes; one or two belong to an emoji. Then zero-width letters in a row. */
const HIDDEN_RUN = /[\u{fe00}-\u{fe0f}\u{e0000}-\u{e01ef}]{8,}|[\u200b-\u200d\u2060-\u2064\u{ffa0}\u{3164}]{8,}/u;
/** Overrides and isolates, written and not escaped: they show code in another order than it runs. */
const REORDER = /[\u202a-\u202e\u2066-\u2069]/g;
/** The letters of both, or half of one: a search for one of these is much faster than for a run of them. */
const UNSEEN = /[\ufe00-\ufe0f\u200b-\u200d\u202a-\u202e\u2060-\u2069\u3164\uffa0\udb40]/;
/** Code written with six letters. */
const SYMBOLS = /[[\]()!+]/g;

/** `bytes`: what the source takes in UTF-8. */
export function measure(source: string, bytes: number, sights: Sights): void {
  // Of 1,400 ordinary packages none has twenty such names; a payload is dense wherever it stands, and padding does not thin it.
  const names = source.includes("_0x") ? crowd(source, HEX_NAME, 40, 16_000) : -1;
  if (names >= 0) see(sights, "obfuscated", names, "hex-names");
  const escapes = source.includes("\\x") || source.includes("\\u00") ? crowd(source, ESCAPED_LETTER, 300, 12_000) : -1;
  if (escapes >= 0) see(sights, "obfuscated", escapes, "escapes");
  if (source.length > 2_000 && source.startsWith("[]", source.search(/[^\s!+(]/)) && count(source, SYMBOLS) > source.length * 0.9)
    see(sights, "obfuscated", 0, "symbols");
  // What is looked for from here on are letters of three bytes and more; most sources hold none, and nearly all others none of these.
  if (source.length === bytes || !UNSEEN.test(source)) return;
  const hidden = HIDDEN_RUN.exec(source);
  if (hidden) see(sights, "invisible-text", hidden.index, "hidden");
  const reordered = count(source, REORDER);
  if (reordered > 0 && reordered <= 50) see(sights, "invisible-text", source.search(REORDER), "reordered");
}

/** Where `many` matches first stand within `span` characters; -1 when they never do. */
function crowd(text: string, pattern: RegExp, many: number, span: number): number {
  const last: number[] = [];
  for (const { index } of text.matchAll(pattern)) {
    last.push(index);
    if (last.length >= many) {
      const begin = last[last.length - many]!;
      if (index - begin <= span) return begin;
      // Only the newest are compared.
      if (last.length > many * 100) last.splice(0, last.length - many);
    }
  }
  return -1;
}

function count(text: string, pattern: RegExp): number {
  let found = 0;
  pattern.lastIndex = 0;
  while (pattern.test(text)) found++;
  return found;
}
