/**
 * A tree of text files in one text file: a comment, then `-- path --` lines, each followed by that file's lines.
 * Easy to write by hand and to read in a diff. Every text is valid; a file with no marker is all comment.
 */

export type Txtar = { readonly comment: string; readonly files: readonly { readonly path: string; readonly text: string }[] };

const MARKER = /^-- (.+) --$/;

export function parseTxtar(text: string): Txtar {
  let comment = "";
  const files: { path: string; text: string }[] = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const marker = MARKER.exec(line);
    const open = files.at(-1);
    if (marker) files.push({ path: marker[1]!.trim(), text: "" });
    else if (open) open.text += `${line}\n`;
    else comment += `${line}\n`;
  }
  return { comment, files };
}
