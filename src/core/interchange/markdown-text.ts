/** Foreign text in GitHub's and GitLab's Markdown: nothing in it may become a link, a mention, a table cell or HTML. */
import { printable } from "../base/text.ts";
import { wellFormed } from "./words.ts";

/** A name, a version, a path: code, in which neither mentions nor links nor HTML are read. */
export function code(text: string): string {
  const clean = plain(text);
  if (clean === "") return "";
  // In backticks nothing can be escaped, and GFM ends a table's cell at a `|` even there.
  return /[`|\\]|^ | $/.test(clean) ? `<code>${prose(clean)}</code>` : `\`${clean}\``;
}

/** A sentence. An empty comment breaks what would be a mention, a reference or a link and cannot be seen. */
export function prose(text: string): string {
  return plain(text)
    .replace(/[\\`*_{}[\]()#+!|~$-]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/@|:(?=\/\/)|#(?=\d)|\bwww(?=\.)/gi, "$&<!-- -->");
}

function plain(text: string): string {
  return printable(wellFormed(text).replace(/[\r\n\t]+/g, " "));
}

/** As many lines of a list as there is room for, and how many are left out. */
export function fitting(lines: readonly string[], room: number): { readonly lines: readonly string[]; readonly left: number } {
  let used = 0;
  const end = lines.findIndex((line) => (used += line.length + 1) > room);
  return end < 0 ? { lines, left: 0 } : { lines: lines.slice(0, end), left: lines.length - end };
}
