/** The scorecard as text: a table in Markdown, which a terminal shows as well as a page does. */
import { type Headline, type Score, headline, isCounted } from "./score.ts";

export function reportOf(scores: readonly Score[], problems: readonly string[]): string {
  return [
    ...headlines(scores),
    "",
    ...table(
      ["incident", "class", "age off", "by", "reason on record", "age on"],
      scores.map((one) => [
        one.id,
        one.class,
        one.evidence === "partly" ? `${one.stopped} of ${one.releases}` : one.evidence,
        byOf(one),
        one.stopped === 0 ? "" : one.right ? "yes" : "no",
        one.young,
      ]),
    ),
    "",
    "By class, withheld whole:",
    "",
    ...table(
      ["class", "incidents", "age off", "age on"],
      [...new Set(scores.map((one) => one.class))].sort().map((name) => {
        const { of, evidence, young } = headline(scores.filter((one) => one.class === name));
        return [name, String(of), String(evidence), String(young)];
      }),
    ),
    ...missesOf(scores),
    ...problems.map((problem) => `Not replayed: ${problem}`),
    "",
  ].join("\n");
}

function headlines(scores: readonly Score[]): readonly string[] {
  const counted = scores.filter(isCounted);
  const sabotage = scores.filter((one) => one.class === "sabotage" && one.touches);
  return [
    `Hijacks of existing packages that touch install or code: ${sentence(headline(counted))}`,
    `Those whose record is mostly sourced: ${sentence(headline(counted.filter((one) => one.sourced)))}`,
    `With the makers' own sabotage: ${sentence(headline([...counted, ...sabotage]))}`,
    `All incidents: ${sentence(headline(scores))}`,
  ];
}

function sentence({ of, evidence, right, young }: Headline): string {
  if (of === 0) return "none.";
  return `${evidence} of ${of} (${percent(evidence, of)}) withheld at minute 0 with the age rule off, ${right} with a reason on record; ${young} of ${of} with it on.`;
}

function percent(part: number, of: number): string {
  return `${((100 * part) / of).toFixed(0)} %`;
}

function byOf({ by, releases }: Score): string {
  const entries = Object.entries(by).toSorted(([, a], [, b]) => b - a);
  return entries.map(([id, count]) => (count === releases ? id : `${id} (${count} of ${releases})`)).join(", ");
}

function missesOf(scores: readonly Score[]): readonly string[] {
  const missed = scores.filter((one) => one.evidence !== "withheld");
  if (missed.length === 0) return [];
  return [
    "",
    "Not withheld, or not whole, with the age rule off:",
    "",
    ...missed.map(
      ({ id, missed: some, recorded }) =>
        `- ${id}: ${some.map(({ spec, notes }) => `${spec}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`).join(", ")}. On record: ${recorded.join(", ") || "nothing a registry shows"}.`,
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)];
}
