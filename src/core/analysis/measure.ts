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
/** Code written with six letters. */
const SYMBOLS = /[[\]()!+]/g;

export function measure(source: string, sights: Sights): void {
  if (source.includes("_0x")) {
    const names = count(source, HEX_NAME);
    // Of 1,400 ordinary packages none has twenty.
    if (names >= 40 && names * 400 > source.length) see(sights, "obfuscated", source.search(HEX_NAME), "hex-names");
  }
  if (source.includes("\\x") || source.includes("\\u00")) {
    const escapes = count(source, ESCAPED_LETTER);
    if (escapes >= 300 && escapes * 4 * 10 > source.length) see(sights, "obfuscated", source.search(ESCAPED_LETTER), "escapes");
  }
  if (source.length > 2_000 && source.startsWith("[]", source.search(/[^\s!+(]/)) && count(source, SYMBOLS) > source.length * 0.9)
    see(sights, "obfuscated", 0, "symbols");
  const hidden = HIDDEN_RUN.exec(source);
  if (hidden) see(sights, "invisible-text", hidden.index, "hidden");
  const reordered = count(source, REORDER);
  if (reordered > 0 && reordered <= 50) see(sights, "invisible-text", source.search(REORDER), "reordered");
}

function count(text: string, pattern: RegExp): number {
  let found = 0;
  pattern.lastIndex = 0;
  while (pattern.test(text)) found++;
  return found;
}
