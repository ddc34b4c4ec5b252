/** Reads one OSV record (schema 1.7). Never throws: what cannot be used is named, what can be used counts. */
import { Buffer } from "node:buffer";
import { LIMITS } from "../base/limits.ts";
import { present } from "../base/present.ts";
import { printable } from "../base/text.ts";
import { type Instant, parseInstant } from "../base/time.ts";
import { parseIntegrity } from "../npm/integrity.ts";
import type { Advisory, AdvisoryProblem, AdvisoryReading, Affected, RangeEvent } from "./advisory.ts";
import { EVENT_KINDS } from "./advisory.ts";
import type { Severity } from "./claim.ts";
import { placed } from "./order.ts";

export type OsvOptions = {
  /** What a record claims that does not say so itself. */
  readonly claims?: Advisory["kind"];
};

type Fields = Readonly<Record<string, unknown>>;

/** `record` is a record's text, or what JSON gave for it. `source` says where it stands, for the problem. */
export function readOsv(record: unknown, source: string, { claims = "vulnerability" }: OsvOptions = {}): AdvisoryReading {
  const problem = (reason: string, id?: string): AdvisoryProblem => present({ source, id, reason });
  const value = typeof record === "string" ? parsed(record) : record;
  if (typeof value === "string") return { problem: problem(value) };
  if (!isFields(value)) return { problem: problem("it is no OSV record: not a JSON object") };
  const id = idOf(value["id"]);
  if (id === undefined) return { problem: problem("it has no usable id") };

  const entries = listOf(value["affected"], LIMITS.advisoryAffected);
  if (entries === undefined) return { problem: problem(`"affected" is no list of at most ${LIMITS.advisoryAffected}`, id) };
  const faults: string[] = [];
  const affected = entries.flatMap((entry) => readAffected(entry, faults) ?? []);
  const withdrawn = parseInstant(value["withdrawn"]);
  // A withdrawal that cannot be read is not believed: what is lifted by mistake is installed by mistake.
  if (value["withdrawn"] !== undefined && value["withdrawn"] !== null && withdrawn === undefined)
    faults.push(`"withdrawn" is not a time; the record counts as not withdrawn`);
  const first = faults[0];
  const told = first === undefined ? {} : { problem: problem(faults.length > 1 ? `${first}, and ${faults.length - 1} more` : first, id) };
  // Other ecosystems stand in the same feeds, and are no mistake.
  if (affected.length === 0) return told;

  const aliases = aliasesOf(value, id);
  return {
    advisory: present({
      id,
      aliases,
      kind: isMalware([id, ...aliases], value, entries) ? "malware" : claims,
      origins: originsOf(id, value),
      modified: timeOf(value["modified"]),
      withdrawn,
      severity: severityOf(value),
      summary: summaryOf(value["summary"]),
      affected,
    }),
    ...told,
  };
}

function parsed(text: string): unknown {
  if (Buffer.byteLength(text) > LIMITS.advisoryBytes) return `it is larger than ${LIMITS.advisoryBytes} bytes`;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? "it is no OSV record: not a JSON object" : value;
  } catch {
    return "it is not JSON";
  }
}

function readAffected(entry: unknown, faults: string[]): Affected | undefined {
  if (!isFields(entry) || !isFields(entry["package"])) {
    faults.push("an affected entry names no package");
    return undefined;
  }
  const { ecosystem, name } = entry["package"];
  // reference A.3.1: "package.ecosystem == npm (strip :suffix) and package.name equal, case-sensitive, scope included"
  if (typeof ecosystem !== "string" || ecosystem.split(":", 1)[0] !== "npm") return undefined;
  if (typeof name !== "string" || name === "" || name.length > LIMITS.nameChars || printable(name) !== name) {
    faults.push("an affected package has no usable name");
    return undefined;
  }
  const versions = listOf(entry["versions"] ?? [], LIMITS.advisoryVersions);
  const exact = versions?.filter(isVersionText);
  if (versions === undefined || exact?.length !== versions.length) faults.push(`versions of ${name} are not all short texts`);
  const ranges = listOf(entry["ranges"] ?? [], LIMITS.advisoryRanges);
  if (ranges === undefined) faults.push(`ranges of ${name} are no list of at most ${LIMITS.advisoryRanges}`);
  const read = (ranges ?? []).map((range) => readRange(range, name, faults)).filter((range) => range !== undefined);
  const integrities = integritiesOf(entry);
  // reference A.3.6: "Empty versions and empty ranges → no match (report as data error)"
  if ((exact ?? []).length === 0 && read.length === 0) {
    if (!(ranges ?? []).some(isGit)) faults.push(`it names no version of ${name}`);
    if (integrities.length === 0) return undefined;
  }
  return { name, versions: exact ?? [], ranges: read, integrities };
}

function isGit(range: unknown): boolean {
  return isFields(range) && range["type"] === "GIT";
}

function readRange(range: unknown, name: string, faults: string[]): readonly RangeEvent[] | undefined {
  // reference A.3.8: "GIT ranges are irrelevant to registry versions: skip that range and go on"
  if (isGit(range)) return undefined;
  const events = isFields(range) ? listOf(range["events"], LIMITS.advisoryEvents) : undefined;
  // reference A.3.2: "inside any ranges[] of type SEMVER/ECOSYSTEM"
  const known = isFields(range) && (range["type"] === "SEMVER" || range["type"] === "ECOSYSTEM");
  const read = events?.flatMap(readEvent);
  if (!known || read === undefined || read.length === 0 || read.includes(undefined)) {
    faults.push(`a range of ${name} cannot be read`);
    return undefined;
  }
  return read.filter((event) => event !== undefined);
}

/** An event object holds one event; some records put two into one. Undefined among them: it cannot be read. */
function readEvent(event: unknown): readonly (RangeEvent | undefined)[] {
  if (!isFields(event)) return [undefined];
  const kinds = EVENT_KINDS.filter((kind) => event[kind] !== undefined);
  if (kinds.length === 0) return [undefined];
  return kinds.map((kind) => {
    const version = event[kind];
    if (!isVersionText(version)) return undefined;
    return placed(version) !== undefined || (kind === "limit" && version === "*") ? { kind, version } : undefined;
  });
}

/** Where records name the bytes: in the indicators of an affected package. */
function integritiesOf({ database_specific: specific }: Fields): readonly string[] {
  if (!isFields(specific)) return [];
  const places = [
    isFields(specific["indicators"]) ? specific["indicators"]["package_integrity"] : undefined,
    specific["package_integrity"],
  ];
  const digests = places
    .flatMap((place) => (Array.isArray(place) ? place.slice(0, LIMITS.advisoryVersions) : [place]))
    .filter(isFields)
    .flatMap((one) => [one["sha512_sri"], isFields(one["hashes"]) ? one["hashes"]["sha512_sri"] : undefined])
    .flatMap((sri) => (typeof sri === "string" && sri.length <= LIMITS.versionChars ? [parseIntegrity(sri)] : []))
    .flatMap((sri) => (sri.kind === "integrity" ? (sri.digests.sha512 ?? []) : []));
  return [...new Set(digests)].map((digest) => `sha512-${digest}`);
}

/** reference A.3.7: "aliases (+upstream) form one equivalence class …; related is not an alias". */
function aliasesOf(record: Fields, own: string): readonly string[] {
  const named = ["aliases", "upstream"].flatMap((key) => listOf(record[key] ?? [], LIMITS.advisoryAliases) ?? []);
  return [...new Set(named.flatMap((each) => idOf(each) ?? []))].filter((each) => each !== own).toSorted();
}

/** CWE-506 is "Embedded Malicious Code". */
function isMalware(ids: readonly string[], record: Fields, entries: readonly unknown[]): boolean {
  const holders = [record, ...entries.filter(isFields)].map((holder) => holder["database_specific"]).filter(isFields);
  const weaknesses = holders.flatMap((holder) => [
    ...(listOf(holder["cwe_ids"] ?? [], LIMITS.advisoryAliases) ?? []),
    ...(listOf(holder["cwes"] ?? [], LIMITS.advisoryAliases) ?? []).map((one) => (isFields(one) ? one["cweId"] : undefined)),
  ]);
  return ids.some((id) => id.startsWith("MAL-")) || weaknesses.includes("CWE-506");
}

/** The sources a malicious-packages record was put together from; a GHSA is GitHub's own. Else its feed is all there is: empty. */
function originsOf(id: string, { database_specific: specific }: Fields): readonly string[] {
  const listed = isFields(specific) ? (listOf(specific["malicious-packages-origins"] ?? [], LIMITS.advisoryRanges) ?? []) : [];
  const sources = listed.flatMap((one) => (isFields(one) ? (idOf(one["source"]) ?? []) : []));
  if (sources.length === 0 && id.startsWith("GHSA-")) return ["ghsa-malware"];
  return [...new Set(sources)].toSorted();
}

const SEVERITY_WORDS: Readonly<Record<string, Severity>> = {
  LOW: "low",
  MODERATE: "moderate",
  MEDIUM: "moderate",
  HIGH: "high",
  CRITICAL: "critical",
};

function severityOf({ database_specific: specific }: Fields): Severity | undefined {
  const word = isFields(specific) ? specific["severity"] : undefined;
  return typeof word === "string" && Object.hasOwn(SEVERITY_WORDS, word.toUpperCase()) ? SEVERITY_WORDS[word.toUpperCase()] : undefined;
}

function summaryOf(text: unknown): string | undefined {
  const line = typeof text === "string" ? printable(text.slice(0, 4 * LIMITS.phraseChars)).slice(0, LIMITS.phraseChars) : "";
  return line === "" ? undefined : line;
}

/** Some records of before the schema say 1970: not known is what they mean. */
function timeOf(text: unknown): Instant | undefined {
  return parseInstant(text);
}

function idOf(text: unknown): string | undefined {
  return typeof text === "string" && /^[\x21-\x7e]{1,100}$/.test(text) ? text : undefined;
}

function isVersionText(text: unknown): text is string {
  return typeof text === "string" && text !== "" && text.length <= LIMITS.versionChars && printable(text) === text;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown, most: number): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length <= most ? value : undefined;
}
