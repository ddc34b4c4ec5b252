/**
 * Text of which no tree is made: TypeScript, shell, gyp, and JavaScript that no parser reads. Comments are blanked, then patterns are
 * searched; this sees less than a tree and believes more, so what it finds counts the same but says `text`.
 */
import { LIMITS } from "../base/limits.ts";
import { countAddress, type Sights, see, seeImport } from "./findings.ts";
import { CODE, HOST, IMPORT, MODULES, STRINGS } from "./patterns.ts";

/** `command`: a line of package.json, which may hold code in quotes; `//` begins no comment there. */
export function scanText(text: string, sights: Sights, language: "script" | "shell" | "command"): void {
  const code = (language === "script" ? withoutComments(text) : text).slice(0, LIMITS.textBytes);
  for (const { id, what, pattern } of STRINGS) {
    // Anchors mean the whole of a string; in a text they would mean the whole text.
    if (pattern.source.startsWith("^")) continue;
    const match = pattern.exec(code);
    if (match) see(sights, id, match.index, what);
  }
  for (const match of code.matchAll(HOST))
    if (match[1]!.includes(".") && sights.hosts.size < LIMITS.hostsPerFile) sights.hosts.add(match[1]!.toLowerCase());
  for (const match of code.matchAll(/["'`]([\w:]{26,105})["'`]/g)) countAddress(sights, match[1]!, match.index);
  if (language === "shell") return;
  for (const { id, what, pattern } of CODE) for (const match of code.matchAll(pattern)) see(sights, id, match.index, what);
  for (const match of code.matchAll(IMPORT)) {
    seeImport(sights, match[1]!);
    const module = match[1]!.replace(/^node:/, "");
    if (Object.hasOwn(MODULES, module)) see(sights, MODULES[module]!, match.index, "import");
  }
}

/** Comments replaced by spaces, line ends kept. Regular expressions are not told from division: good enough for searching. */
export function withoutComments(text: string): string {
  let kept = "";
  let from = 0;
  let at = 0;
  const next = /["'/]/g;
  for (;;) {
    next.lastIndex = at;
    const match = next.exec(text);
    if (!match) return kept + text.slice(from);
    at = match.index;
    if (match[0] !== "/") {
      // What looks like a comment inside a string is none; an unclosed string ends with its line.
      at = stringEnd(text, at);
      continue;
    }
    const kind = text[at + 1];
    if (kind !== "/" && kind !== "*") {
      at++;
      continue;
    }
    const close = kind === "/" ? text.indexOf("\n", at) : text.indexOf("*/", at + 2);
    const end = close < 0 ? text.length : kind === "/" ? close : close + 2;
    kept += text.slice(from, at) + text.slice(at, end).replace(/[^\n]/g, " ");
    at = from = end;
  }
}

function stringEnd(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    const letter = text[at];
    if (letter === quote) return at + 1;
    if (letter === "\n") return at;
    if (letter === "\\") at++;
  }
  return text.length;
}
