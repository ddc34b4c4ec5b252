/** "Were we hit?": reads all evidence once, judges it for every incident asked about, and gives one answer per place. */
import { LIMITS } from "../core/base/limits.ts";
import { type Answer, type Evidence, judge, worst } from "../core/exposure/judge.ts";
import { FORMS, type Level, type Sighting } from "../core/exposure/sighting.ts";
import { type Watch, watchFor } from "../core/exposure/watch.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { IncidentPack } from "../core/incident/pack.ts";

export type ExposurePorts = {
  readEvidence(request: {
    readonly paths: readonly string[];
    readonly machine: boolean;
    readonly watch: Watch;
    readonly see: (sighting: Sighting) => void;
    readonly tell: (what: string) => void;
  }): Promise<{
    readonly roots: readonly string[];
    readonly absent: readonly string[];
    readonly folders: number;
    readonly files: number;
    readonly entries: number;
  }>;
  /** What the gate's ledger says was served. Says what is missing where it cannot be read. */
  readLedger(watch: Watch, see: (sighting: Sighting) => void): Promise<void>;
  /** Recorded histories of these packages, of those that have one. */
  recorded(names: readonly string[]): Promise<ReadonlyMap<string, PackageRecord>>;
};

export type ExposeRequest = {
  readonly packs: readonly IncidentPack[];
  readonly paths: readonly string[];
  readonly machine: boolean;
  /** Called as soon as something is known to have run, long before the end. */
  readonly onExecuted: (pack: IncidentPack, place: string, evidence: Evidence) => void;
  readonly tell: (what: string) => void;
};

export type Exposure = {
  readonly incidents: readonly { readonly pack: IncidentPack; readonly places: readonly Answer[]; readonly overall: Level }[];
  readonly overall: Level;
  readonly roots: readonly string[];
  /** Places this machine does not have. */
  readonly absent: readonly string[];
  readonly folders: number;
  readonly files: number;
  readonly entries: number;
};

/** Sightings of one place; gaps and reasons are kept once. */
type Place = { readonly found: Sighting[]; readonly rest: Map<string, Sighting>; more: number };

export async function expose(ports: ExposurePorts, { packs, paths, machine, onExecuted, tell }: ExposeRequest): Promise<Exposure> {
  const places = new Map<string, Place>();
  const told = new Set<string>();
  const see = (sighting: Sighting): void => {
    const place = places.get(sighting.place) ?? { found: [], rest: new Map(), more: 0 };
    places.set(sighting.place, place);
    if (!keep(place, sighting)) return;
    for (const pack of packs.filter((one) => couldProve(one, sighting)))
      for (const evidence of judge(pack, sighting.place, place.found).evidence) {
        const key = `${pack.id} ${sighting.place} ${evidence.text}`;
        if (evidence.level !== "executed" || told.has(key)) continue;
        told.add(key);
        onExecuted(pack, sighting.place, evidence);
      }
  };
  const watch = watchFor(packs);
  const summary = await ports.readEvidence({ paths, machine, watch, see, tell });
  if (machine) await ports.readLedger(watch, see);
  const ranged = [...places.values()].flatMap(({ found }) => found.flatMap((one) => (one.kind === "range" ? [one.name] : [])));
  const records = await ports.recorded([...new Set(ranged)]);
  const incidents = packs.map((pack) => {
    const answers = [...places].map(([place, { found, rest, more }]) =>
      judge(pack, place, [...found, ...rest.values(), ...(more > 0 ? [tooMuch(place, more)] : [])], (name) => records.get(name)),
    );
    return { pack, places: answers, overall: worst(answers.map(({ level }) => level)) };
  });
  return { incidents, overall: worst(incidents.map(({ overall }) => overall)), ...summary };
}

/** Whether this sighting may be what shows that something ran: the rest need not be judged before the end. */
function couldProve({ tells = [] }: IncidentPack, sighting: Sighting): boolean {
  if (sighting.kind === "artefact") return true;
  return sighting.kind === "package" && (FORMS[sighting.form].level === "executed" || tells.some(({ name }) => name === sighting.name));
}

/** False when it was not new or there was no room. */
function keep(place: Place, sighting: Sighting): boolean {
  if (sighting.kind === "missing" || sighting.kind === "looked") {
    const key = `${sighting.kind} ${sighting.what}`;
    if (place.rest.size < LIMITS.exposureMissing || place.rest.has(key)) place.rest.set(key, sighting);
    else place.more += 1;
    return false;
  }
  if (place.found.length < LIMITS.exposureSightings) return place.found.push(sighting) > 0;
  place.more += 1;
  return false;
}

function tooMuch(place: string, more: number): Sighting {
  return { kind: "missing", place, what: `${more} further findings or gaps were not kept` };
}
