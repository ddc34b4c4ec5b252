/**
 * What is on record of an incident, as far as a registry could show it. Read from `incidents.json` beside this file or from any file of
 * the catalogue's schema: there every value stands in `{ v, src }`, and may be null, missing or of a kind nobody foresaw.
 */
import { printable } from "../../src/core/base/text.ts";

export type RecordedValue = true | number | string;

export type RecordedPackage = {
  /** As recorded: a name, or words such as `42 @tanstack/* packages`. */
  readonly name: string;
  /** As recorded: versions, or words such as `all`. */
  readonly malicious: readonly string[];
  readonly lastGood?: string;
  /** `carrier`: a known name, a bad version; `payload`: the attacker's own; `worm`: a victim of a victim; `decoy (clean)`. */
  readonly role: string;
};

export type Incident = {
  readonly id: string;
  readonly title: string;
  readonly class: string;
  /** Of the first malicious publish; to the day, month or year where no more is known. */
  readonly at: string;
  readonly packages: readonly RecordedPackage[];
  readonly delivery: readonly string[];
  /** `install`, `install+runtime`, `import`, `browser`, `none`; "" when not recorded. */
  readonly execution: string;
  /** What was seen: unknown (null) and absent (false) signals are left out. */
  readonly signals: Readonly<Record<string, RecordedValue>>;
  /** Most of its values have a source that was read; the others are the catalogue's memory. */
  readonly sourced: boolean;
};

export type ReadIncidents = { readonly incidents: readonly Incident[]; readonly problems: readonly string[] };

/** Never throws on content: an entry that cannot be replayed is a problem that names its place. */
export function readIncidents(text: string): ReadIncidents {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { incidents: [], problems: [`not JSON: ${(error as Error).message}`] };
  }
  const entries = Array.isArray(document) ? document : isRecord(document) ? document["incidents"] : undefined;
  if (!Array.isArray(entries)) return { incidents: [], problems: ["not a list of incidents"] };
  const incidents: Incident[] = [];
  const problems: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const read = readIncident(entry, index);
    if (read) incidents.push(read);
    else problems.push(`entry ${index + 1}: not an object`);
  }
  return { incidents, problems };
}

function readIncident(entry: unknown, index: number): Incident | undefined {
  if (!isRecord(entry)) return undefined;
  const id = text(entry["id"]) ?? `incident-${index + 1}`;
  const counts = isRecord(entry["signal_values"]) ? entry["signal_values"] : {};
  return {
    id,
    title: text(entry["title"]) ?? id,
    class: text(valueOf(entry["class"])) ?? "unknown",
    at: text(entry["at"]) ?? firstPublish(entry["times"]) ?? text(entry["date"]) ?? "2025-01-01",
    packages: list(entry["packages"]).flatMap(readPackage),
    delivery: words(entry["delivery"]),
    execution: text(valueOf(entry["execution_point"])) ?? text(entry["execution"]) ?? "",
    signals: readSignals(entry["signals"]),
    sourced: entry["sourced"] === true || Number(counts["sourced"] ?? 0) > Number(counts["recall"] ?? 0),
  };
}

/** `times` holds moments under keys of the compiler's choice. */
function firstPublish(times: unknown): string | undefined {
  if (!isRecord(times)) return undefined;
  const key = [
    "first_publish",
    "carrier_publish",
    ...Object.keys(times)
      .filter((one) => one.endsWith("publish"))
      .sort(),
  ].find((one) => isRecord(times[one]));
  const found = key === undefined ? undefined : times[key];
  return isRecord(found) ? text(found["utc"]) : undefined;
}

function readPackage(entry: unknown): RecordedPackage[] {
  if (typeof entry === "string") return [{ name: entry, malicious: [], role: "carrier" }];
  if (!isRecord(entry)) return [];
  const lastGood = text(entry["last_good"]) ?? text(entry["lastGood"]);
  return [
    {
      name: text(entry["name"]) ?? "",
      malicious: words(entry["malicious"]),
      ...(lastGood === undefined ? {} : { lastGood }),
      role: text(entry["role"]) ?? "carrier",
    },
  ];
}

/** The two groups of the schema become one: no key is in both. */
function readSignals(signals: unknown): Incident["signals"] {
  if (!isRecord(signals)) return {};
  const groups = ["metadata", "code"].map((group) => signals[group]).filter(isRecord);
  const entries = (groups.length > 0 ? groups : [signals]).flatMap((group) => Object.entries(group));
  return Object.fromEntries(
    entries.flatMap(([key, entry]) => {
      const value = saidBy(valueOf(entry));
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}

/** Somebody's own spelling of a value counts as that value; "unknown" and its like as nothing. */
function saidBy(value: unknown): RecordedValue | undefined {
  if (value === true || typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  const word = value.trim().toLowerCase();
  if (/^(?:true|yes)$/.test(word)) return true;
  if (/^(?:|false|no|none|null|unknown|n\/a|\?)$/.test(word)) return undefined;
  return /^\d+(?:\.\d+)?$/.test(word) ? Number(word) : value;
}

function valueOf(entry: unknown): unknown {
  if (!isRecord(entry)) return entry;
  return "v" in entry ? entry["v"] : entry["value"];
}

function words(value: unknown): readonly string[] {
  return list(valueOf(value)).flatMap((one) => text(one) ?? []);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === null || value === undefined ? [] : [value];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && printable(value) !== "" ? printable(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
