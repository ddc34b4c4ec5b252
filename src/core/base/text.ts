/** Text from outside on its way to a person: stripped of what could move a cursor, forge a line or split a header. */
import { LIMITS } from "./limits.ts";

// C0, DEL, C1, bidirectional overrides, zero-width and line separators.
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** One line a terminal may print. */
export function printable(text: string): string {
  return text.replace(UNSAFE, "");
}

/** An HTTP reason phrase or header value: printable ASCII, at most `LIMITS.phraseChars`. */
export function headerText(text: string): string {
  const ascii = printable(text).replace(/[^\x20-\x7e]/g, "?");
  return ascii.length > LIMITS.phraseChars ? `${ascii.slice(0, LIMITS.phraseChars - 3)}...` : ascii;
}

const SECRETS: RegExp[] = [
  /\bnpms?_[A-Za-z0-9]{36,48}\b/g,
  /\bcordon_[A-Za-z0-9_-]{20,}\b/g,
  /\bgh[pousr]_[A-Za-z0-9._-]{36,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{60,}\b/g,
  /\bglpat-[A-Za-z0-9_-]{20,}\b/g,
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi,
  /(_authToken|_auth|_password|npmAuthToken|npmAuthIdent)(["']?\s*[=:]\s*["']?)[^\s"']+/gi,
  /(\/-\/user\/token\/)[^/\s?]+/g,
  /(:\/\/)[^/\s@]+@/g,
];

/** Cuts everything that looks like a credential. Applied at the only exits: log lines, errors, reports. */
export function redact(text: string): string {
  let out = text;
  for (const pattern of SECRETS)
    out = out.replace(pattern, (_all, before?: string, between?: string) => {
      const kept = typeof before === "string" ? before + (typeof between === "string" ? between : "") : "";
      return pattern.source.includes("@") ? `${kept}[secret]@` : `${kept}[secret]`;
    });
  return out;
}
