/**
 * Which versions of a document are read in detail: those published lately, and those they will be compared with. By the document's own
 * publish times, as text: they only choose what is read, never what is believed.
 */
import { LIMITS } from "../base/limits.ts";
import { DAY, type Instant, instant, iso } from "../base/time.ts";
import { lineOf } from "./line.ts";
import type { VersionSummary } from "./summary.ts";

/** Earlier releases a young one is compared with, whatever their line. */
const RECENT = 6;
/** Earlier ones of its line: several, because those that are not trusted are passed over. */
const SAME_LINE = 5;
/** Those right below it by number: a thief who publishes 2.0.3 beside 2.9.0 is compared with 2.0.2, however long ago that was. */
const BELOW = 3;
/** A release this much older shows what a package was before anybody could have prepared an attack. */
const MATURE_DAYS = 90;
/** Without any times only the place in the document tells which ones are new. */
const UNTIMED = 16;

/**
 * At most `LIMITS.releases` versions: the newest young ones, each with what it is compared with. Empty when none is young. `young`: those
 * known to be, whatever the document says; they come first.
 */
export function chooseReleases(
  versions: readonly VersionSummary[],
  moment: Instant,
  young: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  if (versions.every(({ time }) => time === undefined)) {
    const told = versions.map(({ version }) => version).filter((version) => young.has(version));
    return new Set([...told, ...versions.slice(-UNTIMED).map(({ version }) => version)].slice(0, LIMITS.releases));
  }
  // A day more than needed, because a time may be written in any zone.
  const horizon = iso(instant(moment - LIMITS.releaseMs - DAY));
  // A version without a time in a document that has some is new until something else is known of it.
  const timeOf = ({ version, time }: VersionSummary): string => (time === undefined || young.has(version) ? iso(moment) : time);
  if (versions.every((entry) => timeOf(entry) <= horizon)) return new Set();

  const newestFirst = versions.toSorted((a, b) => compareText(timeOf(b), timeOf(a)));
  const lines = placesByLine(newestFirst);
  const chosen = new Set<string>();
  let mature = 0;
  for (const [place, entry] of newestFirst.entries()) {
    if (timeOf(entry) <= horizon || chosen.size >= LIMITS.releases) break;
    // Newest first, so what is old enough for one is never newer than what was old enough for the one before it.
    const older = monthsBefore(timeOf(entry));
    while (mature < newestFirst.length && timeOf(newestFirst[mature]!) > older) mature += 1;
    const line = lines.get(lineOf(entry.version))!;
    const earlier = line.slice(line.indexOf(place) + 1);
    for (const one of [place, ...earlier.slice(0, SAME_LINE), ...below(entry, earlier, newestFirst), ...range(place + 1, RECENT), mature])
      if (newestFirst[one]) chosen.add(newestFirst[one].version);
  }
  return new Set([...chosen].slice(0, LIMITS.releases));
}

/** Places of the highest versions under this one. In a line only the last two numbers differ; prereleases follow each other in time. */
function below({ version }: VersionSummary, earlier: readonly number[], all: readonly VersionSummary[]): readonly number[] {
  // Few enough are all chosen already.
  const own = numberOf(version);
  if (own === undefined || earlier.length <= SAME_LINE) return [];
  const highest: { readonly place: number; readonly number: number }[] = [];
  for (const place of earlier) {
    const number = numberOf(all[place]!.version);
    if (number === undefined || number >= own || (highest.length === BELOW && number <= highest[BELOW - 1]!.number)) continue;
    highest.push({ place, number });
    highest.sort((a, b) => b.number - a.number);
    if (highest.length > BELOW) highest.pop();
  }
  return highest.map(({ place }) => place);
}

/** Minor and patch of a stable version as one number. */
function numberOf(version: string): number | undefined {
  const match = /^\d+\.(\d+)\.(\d+)(?:\+.*)?$/.exec(version);
  return match === null ? undefined : Number(match[1]) * 1e12 + Number(match[2]);
}

/** The moment from which on nothing is mature enough; a text that is no time leaves everything to it. */
function monthsBefore(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : new Date(at - MATURE_DAYS * DAY).toISOString();
}

function placesByLine(versions: readonly VersionSummary[]): ReadonlyMap<string, number[]> {
  const lines = new Map<string, number[]>();
  for (const [place, { version }] of versions.entries()) {
    const line = lines.get(lineOf(version));
    if (line) line.push(place);
    else lines.set(lineOf(version), [place]);
  }
  return lines;
}

function range(from: number, length: number): readonly number[] {
  return Array.from({ length }, (_, index) => from + index);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
