/** `cordon exposure`: were we hit, where, by which path, did it run? One answer per place, and what nobody could look at. */
import { type Exposure, expose } from "../../app/expose.ts";
import { findIncident, type IncidentPorts, lookUp } from "../../app/incidents.ts";
import { type Instant, iso, parseInstant } from "../../core/base/time.ts";
import type { Answer, Evidence } from "../../core/exposure/judge.ts";
import { LEVELS, type Level } from "../../core/exposure/sighting.ts";
import { type IncidentPack, poisonedText } from "../../core/incident/pack.ts";
import type { Command } from "./command.ts";
import { type Io, type Paint, painter, printJson, progress, safe } from "./io.ts";

export const SHOWN: Readonly<Record<Level, string>> = {
  executed: "EXECUTED",
  installed: "INSTALLED",
  fetched: "FETCHED",
  resolved: "RESOLVED",
  "could-have": "COULD-HAVE",
  unknown: "unknown",
  "not-exposed": "not exposed",
};

/** Of each package in a headline. */
const VERSIONS_NAMED = 4;

/** Exit status: 0 only if nothing is unknown, 1 for any exposure, 3 where something could not be looked at. */
const EXIT: Readonly<Record<Level, number>> = {
  executed: 1,
  installed: 1,
  fetched: 1,
  resolved: 1,
  "could-have": 1,
  unknown: 3,
  "not-exposed": 0,
};

export const run: Command = async (context, args, options) => {
  if (Array.isArray(options["merge"])) {
    const { mergeReports } = await import("./exposure-fleet.ts");
    return EXIT[await mergeReports(context, options["merge"].map(String), options["all"] === true)];
  }
  const { io, world, flags } = context;
  const ports = await world.incidents(flags);
  const { packs, paths, problems } = await meant(ports, args);
  for (const problem of problems) io.stderr(`cordon: a pack that cannot be read is not looked for: ${safe(problem)}\n`);
  const line = progress(io);
  const exposure = await expose(ports, {
    packs,
    paths: paths.length > 0 ? paths : ["."],
    machine: options["machine"] !== false,
    onExecuted(pack, place, evidence) {
      line.clear();
      io.stderr(`${SHOWN.executed} · ${pack.id} · ${shortened(place, io)} · ${safe(evidence.text)}\n`);
    },
    tell: (what) => line.show(`reading ${shortened(what, io)}`),
  });
  line.clear();
  if (flags.json) printJson(io, "cordon.exposure/1", { ...asJson(exposure), problems });
  else io.stdout(asText(exposure, io, options["all"] === true));
  return EXIT[exposure.overall] || (problems.length > 0 ? 3 : 0);
};

type Meant = {
  readonly packs: readonly IncidentPack[];
  readonly paths: readonly string[];
  /** Imported packs that cannot be read. */
  readonly problems: readonly string[];
};

/** The first word may name an incident; else every known one is looked for. A word that is neither an incident nor a path is a mistake. */
async function meant(ports: IncidentPorts, args: readonly string[]): Promise<Meant> {
  const [first, ...rest] = args;
  if (first !== undefined && /^[A-Za-z0-9@][^\\]*[^\\/]$/.test(first)) {
    const found = await lookUp(ports, first);
    if (found) return { packs: [found.pack], paths: rest, problems: [] };
    if (!(await ports.exists(first))) await findIncident(ports, first);
  }
  const { known, problems } = await ports.packs();
  return { packs: known.map(({ pack }) => pack), paths: args, problems };
}

// --- text -----------------------------------------------------------------------------------------------------------------------------------

function asText(exposure: Exposure, io: Io, all: boolean): string {
  const paint = painter(io, "stdout");
  const { incidents } = exposure;
  const [only] = incidents;
  const lines: string[] = [];
  if (incidents.length === 1 && only) lines.push(safe(headline(only.pack)), "");
  const hit = incidents.filter(({ overall }) => EXIT[overall] === 1);
  for (const { pack, places } of hit) {
    if (incidents.length > 1) lines.push(safe(headline(pack)));
    for (const place of sorted(places)) if (EXIT[place.level] === 1) lines.push(...placeLines(place, io, paint, all));
    lines.push("");
  }
  if (hit.length === 0 && incidents.length > 1)
    lines.push(
      `${paint("bold", "nothing found")} of ${incidents.length} incidents, ${count(incidents.map(({ pack }) => pack))} poisoned versions`,
      "",
    );
  const unknown = merged(incidents.flatMap(({ places }) => places.filter(({ level }) => level === "unknown"))).filter(
    ({ place }) => !hit.some(({ places }) => places.some((one) => one.place === place && EXIT[one.level] === 1)),
  );
  for (const { place, missing } of unknown) lines.push(...missingLines(place, missing, io, all));
  const clear = merged(incidents.flatMap(({ places }) => places)).filter(({ place }) =>
    incidents.every(({ places }) => places.every((one) => one.place !== place || one.level === "not-exposed")),
  );
  if (clear.length > 0) {
    lines.push(
      `  ${SHOWN["not-exposed"].padEnd(12)} ${plural(clear.length, "place")}${all ? "" : "              --all gives each one's reason"}`,
    );
    if (all) for (const { place, reasons } of clear) lines.push(`    ${shortened(place, io)}: ${safe(reasons.join("; "))}`);
  }
  if (all && exposure.absent.length > 0) lines.push(`  not on this machine: ${exposure.absent.join(", ")}`);
  lines.push(
    "",
    ...ending(
      exposure,
      hit.map(({ pack }) => pack),
      unknown.length,
    ),
  );
  return `${lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "")
    .trimEnd()}\n`;
}

function headline(pack: IncidentPack): string {
  const versions = pack.packages.map((one) => `${one.name} ${poisonedText(one, VERSIONS_NAMED)}`);
  const listed = versions.length <= 4 ? versions.join(", ") : `${versions.slice(0, 3).join(", ")} and ${versions.length - 3} more packages`;
  return `${pack.id} · ${listed}${liveText(pack)}`;
}

function liveText({ window }: IncidentPack): string {
  const [from, until] = [parseInstant(window.from), parseInstant(window.until)];
  if (from === undefined) return "";
  const caches =
    window.cachesUntil === undefined ? "in caches until purged" : `in caches until ${moment(parseInstant(window.cachesUntil)!, false)}`;
  const day = window.precision === "day";
  return ` · live ${moment(from, false, day)} – ${until === undefined ? "nobody recorded when it was removed" : moment(until, false, day)}${day ? "" : " UTC"}, ${caches}`;
}

function placeLines(answer: Answer, io: Io, paint: Paint, all: boolean): readonly string[] {
  const [first, ...rest] = answer.evidence;
  if (first === undefined) return [];
  const colour = answer.level === "executed" || answer.level === "installed" ? "red" : "yellow";
  const shown = all ? rest : [];
  const more = rest.length > 0 && !all ? ` (+${rest.length})` : "";
  const pad = " ".repeat(15);
  return [
    `  ${paint(colour, SHOWN[answer.level].padEnd(12))} ${shortened(answer.place, io)}`,
    `${pad}${evidenceText(first, answer.place, io)}${more}`,
    ...shown.map((one) => `${pad}${SHOWN[one.level].toLowerCase()}: ${evidenceText(one, answer.place, io)}`),
    ...(all ? answer.missing : answer.missing.slice(0, 1)).map((what) => `${pad}missing: ${homed(safe(what), io)}`),
  ];
}

function evidenceText(one: Evidence, place: string, io: Io): string {
  const file = one.file.startsWith(`${place}/`) ? one.file.slice(place.length + 1) : one.file === place ? "" : shortened(one.file, io);
  const where =
    file === "" ? (one.line === undefined ? "" : `, line ${one.line}`) : `, ${safe(file)}${one.line === undefined ? "" : `:${one.line}`}`;
  return `${safe(one.text)}${where}${one.at === undefined ? "" : `, ${moment(one.at, true)} UTC`}`;
}

function missingLines(place: string, missing: readonly string[], io: Io, all: boolean): readonly string[] {
  const shown = all ? missing : missing.slice(0, 2);
  const rest = missing.length - shown.length;
  return [
    `  ${SHOWN.unknown.padEnd(12)} ${shortened(place, io)}`,
    ...shown.map((what) => `               ${homed(safe(what), io)}`),
    ...(rest > 0 ? [`               and ${rest} more; --all lists them`] : []),
  ];
}

/** What to do next, in one line. */
function ending(exposure: Exposure, hit: readonly IncidentPack[], unknown: number): readonly string[] {
  const looked = `${plural(exposure.folders, "folder")} and ${plural(exposure.entries, "line")} of lockfiles, caches, trees and logs were read`;
  if (hit.length > 0) {
    const isolate = new Set(
      exposure.incidents.flatMap(({ places }) =>
        places.filter(({ level }) => level === "executed" || level === "installed").map(({ place }) => place),
      ),
    ).size;
    const first =
      isolate === 0 ? "Nothing was seen installed." : `${plural(isolate, "place")} ${isolate === 1 ? "needs" : "need"} isolating now.`;
    return [`${first}   cordon respond ${hit[0]!.id}`];
  }
  if (unknown > 0)
    return [`No evidence of exposure, and no proof of the opposite: ${plural(unknown, "place")} could not be looked at whole.`, looked];
  return [`Not exposed, as far as ${looked}.`];
}

function sorted(places: readonly Answer[]): readonly Answer[] {
  return places.toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || (a.place < b.place ? -1 : 1));
}

/** Answers of several incidents about one place as one. */
function merged(
  answers: readonly Answer[],
): readonly { readonly place: string; readonly missing: readonly string[]; readonly reasons: readonly string[] }[] {
  const places = new Map<string, { missing: Set<string>; reasons: Set<string> }>();
  for (const { place, missing, reasons } of answers) {
    const one = places.get(place) ?? { missing: new Set(), reasons: new Set() };
    for (const each of missing) one.missing.add(each);
    for (const each of reasons) one.reasons.add(each);
    places.set(place, one);
  }
  return [...places]
    .map(([place, { missing, reasons }]) => ({ place, missing: [...missing], reasons: [...reasons] }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1));
}

function shortened(place: string, io: Io): string {
  return safe(homed(place, io));
}

function homed(text: string, io: Io): string {
  const home = io.env["HOME"];
  return home === undefined || home.length < 2 ? text : text.replaceAll(`${home}/`, "~/");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `31 Mar 2026 01:07` in UTC, seconds where evidence has them. */
function moment(at: Instant, seconds: boolean, day = false): string {
  const date = new Date(at);
  const text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return day ? text : `${text} ${iso(at).slice(11, seconds ? 19 : 16)}`;
}

function count(packs: readonly IncidentPack[]): string {
  return packs
    .reduce((sum, { packages }) => sum + packages.reduce((inner, { versions }) => inner + versions.length, 0), 0)
    .toLocaleString("en");
}

function plural(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

// --- json -----------------------------------------------------------------------------------------------------------------------------------

function asJson({ incidents, overall, roots, absent, folders, files, entries }: Exposure): { readonly [key: string]: unknown } {
  const one = ({ pack, places, overall: level }: Exposure["incidents"][number]) => ({
    incident: pack.id,
    places: sorted(places).map((place) => ({
      place: place.place,
      level: place.level,
      evidence: place.evidence.map(({ at, ...rest }) => ({ ...rest, ...(at !== undefined && { at: iso(at) }) })),
      missing: place.missing,
      reasons: place.reasons,
    })),
    overall: level,
  });
  const looked = { roots, absent, folders, files, entries };
  const [only] = incidents;
  return incidents.length === 1 && only ? { ...one(only), looked } : { incidents: incidents.map(one), overall, looked };
}
