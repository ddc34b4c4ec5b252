/** Unified diffs of small texts, as `diff -u` writes them: a change is shown before it is made. */

/** Lines around a change that are shown with it. */
const CONTEXT = 3;
/** Above this many pairs of lines the changed part is shown as a whole: a settings file is never that long. */
const PAIRS = 4_000_000;

type Line = { readonly sign: " " | "-" | "+"; readonly text: string };

/** Lines without their ends, header first; empty when nothing differs. Undefined is a file that is not there. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): readonly string[] {
  if (before === after) return [];
  const lines = compare(linesOf(before), linesOf(after));
  return [`--- ${before === undefined ? "/dev/null" : path}`, `+++ ${after === undefined ? "/dev/null" : path}`, ...hunks(lines)];
}

/** `diff -u` marks a last line without an end, or two files that differ in nothing else would look the same. */
const UNENDED = "\n\\ No newline at end of file";

function linesOf(text: string | undefined): readonly string[] {
  if (text === undefined || text === "") return [];
  const lines = text.split("\n");
  const last = lines.pop()!;
  return last === "" ? lines : [...lines, last + UNENDED];
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < before.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const kept = (text: string): Line => ({ sign: " ", text });
  return [
    ...before.slice(0, head).map(kept),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(kept),
  ];
}

/** The longest common subsequence decides which lines stay. */
function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const removed = (text: string): Line => ({ sign: "-", text });
  const added = (text: string): Line => ({ sign: "+", text });
  if (before.length * after.length > PAIRS) return [...before.map(removed), ...after.map(added)];
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      common[i * width + j] =
        before[i] === after[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: " ", text: before[i]! });
      i += 1;
      j += 1;
    } else if (j === after.length || (i < before.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!))
      lines.push(removed(before[i++]!));
    else lines.push(added(after[j++]!));
  }
  return lines;
}

function hunks(lines: readonly Line[]): readonly string[] {
  const shown: string[] = [];
  let [at, oldLine, newLine] = [0, 1, 1];
  for (const { start, end } of windows(lines)) {
    const hunk = lines.slice(start, end);
    const olds = hunk.filter(({ sign }) => sign !== "+").length;
    const news = hunk.filter(({ sign }) => sign !== "-").length;
    oldLine += start - at;
    newLine += start - at;
    shown.push(
      `@@ -${range(oldLine, olds)} +${range(newLine, news)} @@`,
      ...hunk.flatMap(({ sign, text }) => `${sign}${text}`.split("\n")),
    );
    oldLine += olds;
    newLine += news;
    at = end;
  }
  return shown;
}

/** The lines to show: every change with its surroundings; what touches stands in one hunk. */
function windows(lines: readonly Line[]): readonly { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    const last = found.at(-1);
    const end = Math.min(lines.length, index + CONTEXT + 1);
    if (last && index - CONTEXT <= last.end) last.end = end;
    else found.push({ start: Math.max(0, index - CONTEXT), end });
  }
  return found;
}

/** `diff -u` numbers an empty side by the line before it. */
function range(line: number, count: number): string {
  return count === 1 ? String(line) : `${count === 0 ? line - 1 : line},${count}`;
}
