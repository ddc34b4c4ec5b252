/** A file somebody left in the middle of a merge, as each side has it. */

const OURS = 1;
const BASE = 2;
const THEIRS = 3;

/**
 * Both sides, with the other's lines and the markers left blank so that line numbers stay. Undefined where nothing is in conflict. What git
 * writes: `<<<<<<< ours`, with `merge.conflictStyle=diff3` `||||||| base`, `=======`, `>>>>>>> theirs`.
 */
export function mergeSides(text: string): readonly [ours: string, theirs: string] | undefined {
  if (!/^<{7} /m.test(text) || !/^>{7} /m.test(text)) return undefined;
  const ours: string[] = [];
  const theirs: string[] = [];
  let within = 0;
  for (const line of text.split("\n")) {
    const next = within === 0 ? (/^<{7} /.test(line) ? OURS : 0) : afterMarker(line, within);
    const marker = next !== within;
    within = next;
    ours.push(marker || within > OURS ? "" : line);
    theirs.push(marker || within === OURS || within === BASE ? "" : line);
  }
  return [ours.join("\n"), theirs.join("\n")];
}

function afterMarker(line: string, within: number): number {
  if (/^>{7} /.test(line)) return 0;
  if (within === OURS && /^\|{7}(?: |\r?$)/.test(line)) return BASE;
  return within < THEIRS && /^={7}\r?$/.test(line) ? THEIRS : within;
}
