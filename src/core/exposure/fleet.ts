/**
 * Many machines' answers as one matrix: what `cordon exposure --json` wrote on each, read strictly. A report that cannot be read, or that
 * does not speak of an incident the others speak of, is unknown: never clean.
 */
import { LIMITS } from "../base/limits.ts";
import { worst } from "./judge.ts";
import { LEVELS, type Level } from "./sighting.ts";

export type FleetPlace = {
  readonly place: string;
  readonly level: Level;
  /** The strongest piece of evidence, else the reason, else what is missing. */
  readonly because?: string;
};

/** One machine's answer about one incident. */
export type FleetCell = {
  readonly incident: string;
  readonly level: Level;
  /** Strongest first; those not exposed are counted alone. */
  readonly places: readonly FleetPlace[];
  readonly notExposed: number;
};

export type FleetMachine = {
  readonly machine: string;
  readonly cells: readonly FleetCell[];
  /** Why its report says nothing. */
  readonly unread?: string;
};

export type Fleet = {
  /** Sorted. */
  readonly incidents: readonly string[];
  /** Each has a cell for every incident; the worst machine first. */
  readonly machines: readonly FleetMachine[];
  readonly overall: Level;
};

/** Reads one report. `machine` is what to call it. Never throws on content. */
export function readFleetReport(machine: string, text: string): FleetMachine {
  const unread = (why: string): FleetMachine => ({ machine, cells: [], unread: why });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return unread("it is not JSON");
  }
  if (!isRecord(document) || document["schema"] !== "cordon.exposure/1") return unread("it is no report of cordon exposure --json");
  const incidents = "incident" in document ? [document] : document["incidents"];
  if (!Array.isArray(incidents) || incidents.length > LIMITS.fleetCells) return unread("it lists no incidents");
  const cells = incidents.map(cellOf);
  const whole = cells.every((cell) => cell !== undefined);
  return whole ? { machine, cells } : unread("an incident in it is not as cordon writes it");
}

function cellOf(given: unknown): FleetCell | undefined {
  if (!isRecord(given) || typeof given["incident"] !== "string" || !Array.isArray(given["places"])) return undefined;
  if (given["places"].length > LIMITS.fleetCells) return undefined;
  const places = given["places"].map(placeOf);
  if (!places.every((one) => one !== undefined)) return undefined;
  const told = places.filter(({ level }) => level !== "not-exposed").toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  // What it says of all places together is not believed over what it says of each.
  const level = worst([...(isLevel(given["overall"]) ? [given["overall"]] : (["unknown"] as const)), ...places.map((one) => one.level)]);
  return { incident: given["incident"], level, places: told, notExposed: places.length - told.length };
}

function placeOf(given: unknown): FleetPlace | undefined {
  if (!isRecord(given) || typeof given["place"] !== "string" || !isLevel(given["level"])) return undefined;
  const [evidence] = Array.isArray(given["evidence"]) ? (given["evidence"] as readonly unknown[]) : [];
  const said = isRecord(evidence) ? evidence["text"] : [...list(given["missing"]), ...list(given["reasons"])][0];
  return { place: given["place"], level: given["level"], ...(typeof said === "string" ? { because: said } : {}) };
}

export function fleetOf(machines: readonly FleetMachine[]): Fleet {
  const incidents = [...new Set(machines.flatMap(({ cells }) => cells.map(({ incident }) => incident)))].toSorted();
  const rows = machines.map((row) => ({
    ...row,
    cells: incidents.map((incident) => row.cells.find((cell) => cell.incident === incident) ?? nothingSaid(incident, row)),
  }));
  const levelOf = ({ cells, unread }: FleetMachine): Level =>
    worst([...cells.map(({ level }) => level), ...(unread === undefined ? [] : (["unknown"] as const))]);
  return {
    incidents,
    machines: rows.toSorted((a, b) => LEVELS.indexOf(levelOf(a)) - LEVELS.indexOf(levelOf(b)) || (a.machine < b.machine ? -1 : 1)),
    overall: machines.length === 0 ? "unknown" : worst(rows.map(levelOf)),
  };
}

function nothingSaid(incident: string, { machine, unread }: FleetMachine): FleetCell {
  const because = unread ?? "its report does not speak of this incident";
  return { incident, level: "unknown", places: [{ place: machine, level: "unknown", because }], notExposed: 0 };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLevel(value: unknown): value is Level {
  return LEVELS.some((level) => level === value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
