/** `cordon inspect <spec | path.tgz>`: the verdict first, then the few findings that matter, then what is as it was. A decision in ten seconds. */
import type { Inspection, InspectionFacts, Provenance } from "../../app/inspect.ts";
import type { Told } from "../../app/why.ts";
import { CAPABILITIES, CHAINS } from "../../core/analysis/capabilities.ts";
import type { TarballDiff } from "../../core/analysis/release-diff.ts";
import { instant, span } from "../../core/base/time.ts";
import type { Publisher } from "../../core/npm/release.ts";
import type { Command } from "./command.ts";
import { columns, painter, progress, safe, type Io, type Paint } from "./io.ts";
import { sarifOf } from "./sarif.ts";
import { count, kilobytes } from "./sizes.ts";
import { subjectOf } from "./subject.ts";
import { when } from "./when.ts";

export const run: Command = async ({ io, world, flags }, args, options) => {
  const subject = await subjectOf(world, args[0]!);
  const against = typeof options["against"] === "string" ? await subjectOf(world, options["against"]) : undefined;
  const app = await world.open(flags);
  const line = progress(io);
  try {
    const inspection = await app
      .inspect(subject, { onStep: line.show, ...(against === undefined ? {} : { against }) })
      .finally(() => line.clear());
    if (options["sarif"] === true) io.stdout(`${JSON.stringify(sarifOf(inspection), undefined, 2)}\n`);
    else if (flags.json) io.stdout(`${JSON.stringify(inspection, undefined, 2)}\n`);
    else io.stdout(render(inspection, io, painter(io, "stdout"), world.clock.now(), options["all"] === true));
    return statusOf(inspection);
  } finally {
    await app.close();
  }
};

/** What a person must act on goes before what could not be checked; both go before a hold that ends by itself. */
function statusOf({ verdict, withheld, notChecked }: Inspection): number {
  if (verdict.action === "deny" || verdict.review) return 1;
  if (notChecked.length > 0) return 3;
  return withheld ? 1 : 0;
}

const HEADLINE = { allow: "ADMITTED", hold: "HELD", review: "HELD for review", deny: "DENIED" } as const;
const FILE_HEADLINE = { allow: "NOTHING FOUND", hold: "LOOK CLOSER", review: "LOOK CLOSER", deny: "LOOK CLOSER" } as const;

/** Lines of evidence shown of one signal without --all. */
const FEW = 3;

export function render(inspection: Inspection, io: Io, paint: Paint, now: number, all: boolean): string {
  const { verdict, facts, file, notChecked, signals } = inspection;
  const { action } = verdict;
  const spec = safe(`${inspection.name}@${inspection.version}`);
  const colour = action === "allow" ? "green" : action === "deny" ? "red" : "yellow";
  const head = [
    paint(colour, (file === undefined ? HEADLINE : FILE_HEADLINE)[action]),
    paint("bold", safe(`${inspection.name} ${inspection.version}`.trim() || (file ?? ""))),
    file === undefined ? publishedBy(facts, now) : safe(file),
  ].join("   ");

  const strong = signals.filter(({ effect }) => effect !== "note");
  const notes = signals.filter(({ effect }) => effect === "note");
  const rows: string[][] = [];
  const { comparedWith, difference } = facts;
  if (comparedWith !== undefined && difference) rows.push(["compared with", `${safe(comparedWith)}: ${summary(difference)}`]);
  else if (facts.files !== undefined) rows.push(["compared with", "nothing: there is no earlier release to compare it with"]);
  for (const { check, reason } of notChecked) rows.push(["not checked", `${safe(check)}: ${safe(reason)}`]);
  for (const signal of [...strong, ...(all ? notes : [])]) rows.push(...signalRows(signal, verdict.waived, { io, paint, now, all }));
  for (const { name, spec: range, since } of all ? [] : facts.newDependencies.slice(0, FEW))
    rows.push([
      "new dependency",
      `${safe(name)} ${safe(range)}, ${since === undefined ? "its age is not known" : `known for ${span(now - Date.parse(since))}`}`,
    ]);
  for (const { key, after, before } of newScripts(facts, strong))
    rows.push(["runs on install", `${safe(key)}: ${safe(after!)} (${before === undefined ? "new" : `before: ${safe(before)}`})`]);
  const usual = unchanged(facts, strong);
  if (usual.length > 0) rows.push(["otherwise", usual.join(", ")]);
  if (all) rows.push(...everything(facts, paint));

  const lines = [head, columns(rows)];
  if (!all) lines.push(`  ${more(notes.length, facts)}`);
  const next: string[][] = [];
  if (comparedWith !== undefined && file === undefined)
    next.push([
      "see the change",
      `cordon diff ${comparedWith.includes("@", 1) ? safe(comparedWith) : safe(`${inspection.name}@${comparedWith}`)} ${spec}`,
    ]);
  if (inspection.instead[0] !== undefined) next.push(["install instead", safe(`${inspection.name}@${inspection.instead[0]}`)]);
  if (file === undefined && (action === "hold" || action === "review"))
    next.push(["let it through", `cordon admit ${spec} --reason "…" --expires 7d`]);
  if (next.length > 0) lines.push(columns(next));
  return `${lines.filter((one) => one !== "").join("\n")}\n`;
}

type How = { readonly io: Io; readonly paint: Paint; readonly now: number; readonly all: boolean };

function signalRows({ id, title, until, evidence, means, why }: Told, waived: readonly string[], { io, paint, now, all }: How): string[][] {
  const end = until === undefined ? "" : ` · opens ${when(instant(Date.parse(until)), now, io.env)}`;
  const lines = evidence.slice(0, all ? undefined : FEW);
  return [
    [id, safe(title) + (waived.includes(id) ? " (waived)" : "") + end],
    ...lines.map((one) => ["", paint("dim", `${safe(one.source)}   ${safe(one.text)}`)]),
    ...(lines.length < evidence.length ? [["", paint("dim", `and ${evidence.length - lines.length} more with --all`)]] : []),
    ...(all && means !== undefined ? [["", paint("dim", safe(`${means} ${why ?? ""}`))]] : []),
  ];
}

/** `published 2 h ago by mallory, no provenance (as before)`. */
function publishedBy(
  { ageStarts, ageBasis, publisher, publisherBefore, provenance, provenanceBefore }: InspectionFacts,
  now: number,
): string {
  const begun = ageBasis === "registry-time" ? "published" : ageBasis === "returned" ? "came back" : "first seen here";
  const age = ageStarts === undefined ? "" : `${begun} ${span(now - Date.parse(ageStarts))} ago`;
  const by =
    publisher &&
    ` by ${person(publisher)}${publisherBefore && person(publisherBefore) !== person(publisher) ? ` (before: ${person(publisherBefore)})` : ""}`;
  const now_ = provenance && proof(provenance);
  const before = provenanceBefore && proof(provenanceBefore);
  const proved = now_ && `, ${now_}${before === undefined ? "" : before === now_ ? " (as before)" : ` (before: ${before})`}`;
  return `${age}${by ?? ""}${proved ?? ""}`;
}

function person({ name, email, trusted, approver }: Publisher): string {
  if (trusted) return safe(`trusted publisher ${trusted.id}${approver === undefined ? "" : `, approved by ${approver}`}`);
  return safe([name ?? "somebody", ...(email === undefined ? [] : [`<${email}>`])].join(" "));
}

function proof(provenance: Provenance): string {
  switch (provenance.state) {
    case "valid":
      return safe(`built by ${provenance.workflow ?? provenance.repository}`);
    case "absent":
      return "no provenance";
    case "claimed":
      return "provenance not verified";
    case "not-checked":
      return "provenance not checked";
    default:
      return `provenance ${provenance.state}`;
  }
}

/** `1 file changed, 2 added · index.js 4 KB → 31 KB`. */
export function summary({ files, size }: TarballDiff): string {
  const { added, removed, changed } = files;
  const counts = [
    ...(changed.count > 0 ? [`${count(changed.count, "file")} changed`] : []),
    ...(added.count > 0 ? [`${count(added.count, "file")} added`] : []),
    ...(removed.count > 0 ? [`${count(removed.count, "file")} removed`] : []),
  ].join(", ");
  if (counts === "") return "the same files, byte for byte";
  const largest = [...changed.first, ...added.first].toSorted((a, b) => grown(b) - grown(a))[0];
  const example =
    largest &&
    ` · ${safe(largest.path)} ${largest.before === undefined ? "new, " : `${kilobytes(largest.before)} → `}${kilobytes(largest.after ?? 0)}`;
  return `${counts}${example ?? ""} · ${kilobytes(size.after)} in all`;
}

function grown({ before = 0, after = 0 }: { readonly before?: number; readonly after?: number }): number {
  return Math.abs(after - before);
}

/** What an install runs and did not before; nothing where a signal says so already. */
function newScripts({ scripts, difference }: InspectionFacts, strong: readonly Told[]): TarballDiff["manifest"] {
  if (strong.some(({ id }) => id === "install-execution-added")) return [];
  return (difference?.manifest ?? []).filter(
    ({ field, key, after }) => (field === "scripts" || field === "build") && after !== undefined && Object.hasOwn(scripts, key),
  );
}

/** What a person would ask next, and is as it was: said in a few words, so that nobody has to look. */
function unchanged(facts: InspectionFacts, strong: readonly Told[]): readonly string[] {
  if (facts.files === undefined) return [];
  const told = new Set(strong.map(({ id }) => id));
  const scripts = Object.keys(facts.scripts);
  const { publisher, publisherBefore, newDependencies } = facts;
  return [
    ...(told.has("install-execution-added") || newScripts(facts, strong).length > 0
      ? []
      : [scripts.length === 0 ? "no install scripts" : `runs ${safe(scripts.join(", "))} on install`]),
    ...(newDependencies.length > 0 || facts.comparedWith === undefined ? [] : ["no new dependencies"]),
    ...(publisher && publisherBefore && person(publisher) === person(publisherBefore) ? ["same publisher"] : []),
    ...(facts.archive.some(({ grave }) => grave) ? [] : ["a well-formed archive"]),
    ...(facts.unread.length === 0 ? ["every file read"] : [`${count(facts.unread.length, "file")} could not be read`]),
  ];
}

function more(notes: number, { capabilities, newDependencies }: InspectionFacts): string {
  const parts = [
    ...(newDependencies.length > 0
      ? [`${newDependencies.length} new ${newDependencies.length === 1 ? "dependency" : "dependencies"}`]
      : []),
    ...(notes > 0 ? [count(notes, "note")] : []),
    capabilities.length > 0 ? `${count(capabilities.length, "thing")} its code can do` : "all facts",
  ];
  return `${parts.join(", ")} more with --all`;
}

/** All that was found, for who wants to read on. */
function everything(facts: InspectionFacts, paint: Paint): string[][] {
  const list = (label: string, lines: readonly string[]): string[][] => lines.map((text, at) => [at === 0 ? label : "", safe(text)]);
  const did = facts.difference;
  const gained = new Set(did?.capabilities.added.map(({ id }) => id));
  return [
    ...list(
      "new dependencies",
      facts.newDependencies.map(
        ({ name, spec, since }) => `${name} ${spec}   ${since === undefined ? "its age is not known" : `known since ${since}`}`,
      ),
    ),
    ...list(
      "runs on install",
      Object.entries(facts.scripts).map(([name, script]) => `${name}: ${script}`),
    ),
    ...facts.capabilities.flatMap(({ id, where, count: times }): string[][] => [
      ["its code", `${CAPABILITIES[id]}${gained.has(id) ? " (new)" : ""} · ${count(times, "place")}`],
      ...where.map(({ path, line, code }) => ["", paint("dim", safe(`${path}${line === undefined ? "" : `:${line}`}   ${code ?? ""}`))]),
    ]),
    ...facts.chains.map(({ id, path, line, code }) => ["together", `${CHAINS[id]}   ${safe(`${path}:${line}   ${code}`)}`]),
    ...list("hosts it names", facts.hosts),
    ...list("machine code", facts.binaries),
    ...list("contradictions", facts.mismatches),
    ...list(
      "archive",
      facts.archive.map(({ problem, path }) => (path === undefined ? problem : `${path}: ${problem}`)),
    ),
    ...list(
      "not read",
      facts.unread.map(({ path, reason }) => `${path}: ${reason}`),
    ),
    ...(facts.integrity === undefined ? [] : [["integrity", facts.integrity]]),
    ...(facts.files === undefined ? [] : [["files", `${facts.files}, ${kilobytes(facts.unpacked ?? 0)} unpacked`]]),
  ];
}
