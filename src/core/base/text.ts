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

/**
 * What looks like a credential, and what is left of it. Every pattern is linear: each starts where the one before it cannot,
 * or consumes what it looked at.
 */
const SECRETS: readonly (readonly [pattern: RegExp, kept: string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, "[secret]"],
  [/\bnpms?_[A-Za-z0-9]{36,48}\b/g, "[secret]"],
  [/\bcordon_[A-Za-z0-9_-]{20,}/g, "[secret]"],
  [/\bgh[pousr]_[A-Za-z0-9._-]{36,}/g, "[secret]"],
  [/\bgithub_pat_[A-Za-z0-9_]{60,}\b/g, "[secret]"],
  [/\bgl(?:pat|cbt|dt|rt|ptt|ft)-[A-Za-z0-9_.-]{20,}/g, "[secret]"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, "[secret]"],
  [/\b(?:AKCp|cmVmd)[A-Za-z0-9]{30,}={0,2}/g, "[secret]"],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)?/g, "[secret]"],
  [/\b((?:proxy-)?authorization["']?\s{0,4}[:=]\s{0,4}["']?)(?:[A-Za-z]{1,20}\s{1,4})?[^\s"',}]+/gi, "$1[secret]"],
  [/\b(?:Bearer|Basic)\s{1,4}[A-Za-z0-9+/=._~-]{8,}/gi, "[secret]"],
  // Quoted, also inside a JSON string; the quotes stay, so that a JSON line stays JSON. Then bare.
  [
    /((?:_authToken|_auth|_password|npmAuthToken|npmAuthIdent)(?:\\?["'])?\s{0,4}[=:]\s{0,4}\\?["'])[^"'\n]*?(?=\\?["'\n]|$)/gi,
    "$1[secret]",
  ],
  [/((?:_authToken|_auth|_password|npmAuthToken|npmAuthIdent)(?:\\?["'])?\s{0,4}[=:]\s{0,4})[^\s"'\\]+/gi, "$1[secret]"],
  [/\b([A-Z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY)=)(?:"[^"\n]*"|'[^'\n]*'|[^\s"']+)/g, "$1[secret]"],
  [
    /([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|(?:access_?|auth_?)?token|api_?key|password|secret)=)[^&\s"'#]+/gi,
    "$1[secret]",
  ],
  [/(\/-\/user\/token\/)[^/\s?"']+/g, "$1[secret]"],
  // Up to the last @ of the authority: passwords may contain one.
  [/(:\/\/)[^/\s"'<>]*@/g, "$1[secret]@"],
];

/** Cuts everything that looks like a credential. Applied at the only exits: log lines, errors, reports. */
export function redact(text: string): string {
  return SECRETS.reduce((left, [pattern, kept]) => left.replace(pattern, kept), text);
}
