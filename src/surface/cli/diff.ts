/** `cordon diff <spec> <spec>`: what changed between two releases or tarballs; with `--text` the changed lines too. */
import type { ReleaseDiff, TextDiff } from "../../app/diff.ts";
import { CAPABILITIES, CHAINS } from "../../core/analysis/capabilities.ts";
import type { ChainAt, Cut, FileChange, ManifestChange } from "../../core/analysis/release-diff.ts";
import type { Capability } from "../../core/analysis/report.ts";
import type { Command } from "./command.ts";
import { summary } from "./inspect.ts";
import { columns, painter, progress, safe, type Paint } from "./io.ts";
import { count, kilobytes } from "./sizes.ts";
import { subjectOf } from "./subject.ts";

export const run: Command = async ({ io, world, flags }, args, options) => {
  const [from, to] = [await subjectOf(world, args[0]!), await subjectOf(world, args[1]!)];
  const text = options["text"] === true || typeof options["text"] === "string" ? options["text"] : undefined;
  const app = await world.open(flags);
  const line = progress(io);
  try {
    const found = await app.diff(from, to, { onStep: line.show, ...(text === undefined ? {} : { text }) }).finally(() => line.clear());
    if (flags.json) io.stdout(`${JSON.stringify(found, undefined, 2)}\n`);
    else io.stdout(render(found, painter(io, "stdout"), options["all"] === true));
    return 0;
  } finally {
    await app.close();
  }
};

/** Of a changed line: minified code is one line of a whole file. */
const LINE_CHARS = 400;

/** Lines shown of one kind of change without --all. */
const FEW = 8;

export function render(diff: ReleaseDiff, paint: Paint, all: boolean): string {
  const { files, manifest, capabilities, chains, hosts, binaries } = diff;
  const left = { lines: 0 };
  const few = (rows: readonly string[][], total = rows.length): string[][] => {
    const shown = all ? rows : rows.slice(0, FEW);
    left.lines += total - shown.length;
    return [...shown];
  };
  const rows = [
    ...few(manifest.map((change) => manifestRow(change, paint))),
    ...few([...chains.added.map((one) => chainRow("+", one, paint)), ...chains.removed.map((one) => chainRow("-", one, paint))]),
    ...few([
      ...capabilities.added.flatMap((one) => capabilityRows("+", one, paint)),
      ...capabilities.removed.map((one) => [paint("red", "-"), "its code", CAPABILITIES[one.id]]),
    ]),
    ...few([...hostRows("+", hosts.added, paint), ...hostRows("-", hosts.removed, paint)], hosts.added.count + hosts.removed.count),
    ...few(
      binaries.first.map((path) => [paint("green", "+"), "machine code", safe(path)]),
      binaries.count,
    ),
    ...few(
      [
        ...files.changed.first.map((one) => fileRow("~", one, paint)),
        ...files.added.first.map((one) => fileRow("+", one, paint)),
        ...files.removed.first.map((one) => fileRow("-", one, paint)),
      ],
      files.changed.count + files.added.count + files.removed.count,
    ),
  ];
  const lines = [`${paint("bold", `${safe(diff.from)} → ${safe(diff.to)}`)}   ${summary(diff)}`];
  if (rows.length > 0) lines.push(columns(rows));
  if (left.lines > 0) lines.push(`  ${count(left.lines, "line")} more ${all ? "than are kept" : "with --all"}`);
  for (const one of diff.text ?? []) lines.push(...textLines(one, paint));
  return `${lines.join("\n")}\n`;
}

function manifestRow({ field, key, before, after }: ManifestChange, paint: Paint): string[] {
  if (before === undefined) return [paint("green", "+"), field, safe(`${key}: ${after}`)];
  if (after === undefined) return [paint("red", "-"), field, safe(`${key}: ${before}`)];
  return [paint("yellow", "~"), field, safe(`${key}: ${before} → ${after}`)];
}

function chainRow(sign: "+" | "-", { id, path, line, code }: ChainAt, paint: Paint): string[] {
  return [paint(sign === "+" ? "green" : "red", sign), "together", `${CHAINS[id]}   ${paint("dim", safe(`${path}:${line}   ${code}`))}`];
}

function capabilityRows(sign: "+", { id, where }: Capability, paint: Paint): string[][] {
  return where.map(({ path, line, code }, at) => [
    at === 0 ? paint("green", sign) : "",
    at === 0 ? "its code" : "",
    `${at === 0 ? `${CAPABILITIES[id]}   ` : ""}${paint("dim", safe(`${path}${line === undefined ? "" : `:${line}`}   ${code ?? ""}`))}`,
  ]);
}

function hostRows(sign: "+" | "-", { first }: Cut<string>, paint: Paint): string[][] {
  return first.map((host) => [paint(sign === "+" ? "green" : "red", sign), "host", safe(host)]);
}

const SIGN_STYLE = { "~": "yellow", "+": "green", "-": "red" } as const;

function fileRow(sign: "~" | "+" | "-", { path, before, after }: FileChange, paint: Paint): string[] {
  const sizes = [before, after].flatMap((bytes) => (bytes === undefined ? [] : [kilobytes(bytes)])).join(" → ");
  return [paint(SIGN_STYLE[sign], sign), "file", `${safe(path)}   ${sizes}`];
}

function textLines(text: TextDiff, paint: Paint): string[] {
  if ("left" in text) return [`${safe(text.path)}: ${text.left}`];
  return text.lines.map((line) => {
    const shown = safe(line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}… ${line.length - LINE_CHARS} characters more` : line);
    if (line.startsWith("+")) return paint("green", shown);
    return line.startsWith("-") ? paint("red", shown) : shown;
  });
}
