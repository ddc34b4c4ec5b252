/**
 * One answer per place: the strongest thing seen there wins, and nothing seen is an answer only where somebody looked.
 * One more sighting never lowers the answer, and what is missing never becomes "not exposed" (tested as properties).
 */
import semver from "semver";
import { type Instant, iso, parseInstant } from "../base/time.ts";
import type { PackageRecord } from "../facts/history.ts";
import type { IncidentPack } from "../incident/pack.ts";
import { digestsOf } from "./watch.ts";
import { type Poison, wouldResolve } from "./time-travel.ts";
import { FORMS, type FoundLevel, LEVELS, type Level, type PackageSighting, type Sighting } from "./sighting.ts";

export type Evidence = {
  readonly level: FoundLevel;
  /** One line for a person. */
  readonly text: string;
  /** Absolute. */
  readonly file: string;
  readonly line?: number;
  readonly at?: Instant;
  readonly name?: string;
  readonly version?: string;
};

export type Answer = {
  readonly place: string;
  readonly level: Level;
  /** Strongest first. */
  readonly evidence: readonly Evidence[];
  /** What could not be looked at. */
  readonly missing: readonly string[];
  /** Why nothing found means something. */
  readonly reasons: readonly string[];
};

/** What was recorded of a package's history, where something was. */
export type Recorded = (name: string) => PackageRecord | undefined;

/** How alarming an answer is. `unknown` stands above `not-exposed`: somebody has to look. */
const RANK = {
  "not-exposed": 0,
  unknown: 1,
  "could-have": 2,
  resolved: 3,
  fetched: 4,
  installed: 5,
  executed: 6,
} as const satisfies Record<Level, number>;

export function worst(levels: readonly Level[]): Level {
  return levels.reduce<Level>((left, right) => (RANK[right] > RANK[left] ? right : left), "not-exposed");
}

/** `sightings` are all of one place, in any order. */
export function judge(pack: IncidentPack, place: string, sightings: readonly Sighting[], recorded: Recorded = () => undefined): Answer {
  const packages = sightings.filter((one) => one.kind === "package");
  const certain: Evidence[] = [...packages.flatMap((one) => ofPackage(pack, one) ?? []), ...ofTells(pack, packages)];
  const generic: Evidence[] = [];
  for (const one of sightings)
    if (one.kind === "artefact") for (const found of ofArtefact(pack, one)) (found.generic ? generic : certain).push(found.evidence);
  // What other programs leave behind too counts only beside something that is certain.
  const corroborated = certain.length > 0;
  if (corroborated) certain.push(...generic);
  const missing = new Set(sightings.flatMap((one) => (one.kind === "missing" ? [one.what] : [])));
  for (const one of packages)
    if (mayBeSource(pack, one))
      missing.add(`${one.file} calls itself ${one.name}@${one.version}: the poisoned package unpacked, or its own source; look at it`);
  for (const one of sightings) if (one.kind === "range") certain.push(...ofRange(pack, one, recorded));
  if (!corroborated) for (const { text } of generic) missing.add(`${text}: by itself no proof, look at it`);
  const reasons = [...new Set(sightings.flatMap((one) => (one.kind === "looked" ? [one.what] : [])))];
  if (certain.length === 0 && pack.coverage.kind === "partial" && reasons.length > 0)
    missing.add(pack.coverage.note ?? "more was poisoned than this pack lists");
  if (reasons.length === 0 && certain.length === 0 && missing.size === 0) missing.add("nothing there was looked at");
  const level = certain.length > 0 ? worst(certain.map((one) => one.level)) : missing.size > 0 ? "unknown" : "not-exposed";
  return {
    place,
    level,
    evidence: unique(certain).toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level)),
    missing: [...missing],
    reasons: certain.length > 0 ? [] : reasons,
  };
}

function ofPackage(pack: IncidentPack, one: PackageSighting): Evidence | undefined {
  const match = poisoned(pack, one);
  if (match === undefined || mayBeSource(pack, one)) return undefined;
  const { level, says } = FORMS[one.form];
  return evidence(
    one,
    match === "decoy" ? "installed" : level,
    `${one.version === "" ? one.name : `${one.name}@${one.version}`}: ${says}${match === "decoy" ? `, ${noteOf(pack, one)}` : match}${one.note ? ` (${one.note})` : ""}`,
  );
}

/** A known package's own repository calls itself by the poisoned version too, where the attacker raised it there; the attacker's has none. */
function mayBeSource(pack: IncidentPack, one: PackageSighting): boolean {
  return (
    one.form === "unpacked" &&
    pack.packages.some(({ name, role }) => name === one.name && role !== "payload") &&
    poisoned(pack, one) !== undefined
  );
}

/** How a sighting is one of the pack's: by its bytes, by its version; `undefined` when it is none. */
function poisoned(
  pack: IncidentPack,
  { name, version, integrity, form }: Pick<PackageSighting, "name" | "version" | "integrity" | "form">,
): string | undefined {
  const digests = integrity === undefined ? [] : digestsOf(integrity);
  for (const each of pack.packages) {
    for (const bad of each.versions) {
      const known = (bad.integrity ?? []).flatMap(digestsOf);
      const same = digests.some((digest) => known.includes(digest));
      if (each.name !== name || bad.version !== version) {
        if (same) return `, the bytes of ${each.name}@${bad.version}${version === "" ? "" : " under another name"}`;
        continue;
      }
      // The same name and version with other bytes of the same algorithm: said, but a record may be forged, so it counts.
      const differs = !same && digests.some((digest) => known.some((other) => other.split("-")[0] === digest.split("-")[0]));
      return differs ? ", with other bytes than the poisoned ones" : "";
    }
    if (each.everyVersion && each.name === name) return ", and no version of it was ever honest";
  }
  const decoy = pack.decoys?.some((one) => one.name === name && one.version === version);
  return decoy && (form === "folder" || form === "hidden-lockfile" || form === "image-file") ? "decoy" : undefined;
}

function noteOf(pack: IncidentPack, one: PackageSighting): string {
  return pack.decoys?.find(({ name, version }) => name === one.name && version === one.version)?.note ?? "";
}

/** A record names one version, the folder another: something rewrote the folder after it was installed. */
function ofTells(pack: IncidentPack, packages: readonly PackageSighting[]): readonly Evidence[] {
  return (pack.tells ?? []).flatMap((tell) => {
    const of = (version: string, folder: boolean) =>
      packages.find(
        (one) => one.name === tell.name && one.version === version && (one.form === "folder" || one.form === "image-file") === folder,
      );
    const locked = of(tell.locked, false);
    const folder = of(tell.folder, true);
    if (locked === undefined || folder === undefined) return [];
    return [evidence(folder, "executed", `lockfile says ${tell.name} ${tell.locked}, folder says ${tell.folder}: ${tell.says}`)];
  });
}

function* ofArtefact(
  pack: IncidentPack,
  one: Extract<Sighting, { kind: "artefact" }>,
): Generator<{ generic: boolean; evidence: Evidence }> {
  for (const each of [...(pack.indicators?.paths ?? []), ...(pack.indicators?.files ?? [])])
    if (each.path === one.indicator)
      yield {
        generic: each.generic === true,
        // A command that names the payload's file is not the file, and does not say that it ever ran.
        evidence: one.started
          ? { level: "installed", text: `a command there starts ${one.indicator}, as ${pack.id} leaves it`, file: one.file }
          : { level: each.means, text: `${one.indicator} is there, as ${pack.id} leaves it`, file: one.file },
      };
}

/** A range with no lockfile: what an install inside the window would have chosen, by what the registry is recorded to have answered. */
function ofRange(pack: IncidentPack, one: Extract<Sighting, { kind: "range" }>, recorded: Recorded): readonly Evidence[] {
  const [from, until] = [parseInstant(pack.window.from), parseInstant(pack.window.until)];
  const pinned = one.by === "unpinned" ? "which no lockfile pins," : "with no lockfile,";
  const who =
    one.by === "launcher"
      ? `started as ${one.name}@${one.range || "latest"}, which`
      : `"${one.name}": "${one.range}"${stood(one)}, ${pinned}`;
  return pack.packages
    .filter(({ name }) => name === one.name)
    .flatMap(({ versions, everyVersion }): readonly Evidence[] => {
      if (everyVersion)
        return [
          {
            level: "could-have",
            text: `${one.name}: ${who} asks for a name under which nothing honest was ever published`,
            file: one.file,
            name: one.name,
          },
        ];
      return versions.flatMap(({ version, published, removed }): readonly Evidence[] => {
        const allowed =
          semver.validRange(one.range, true) === null ? isTag(one.range) : semver.satisfies(version, one.range, { loose: true });
        if (!allowed) return [];
        const record = recorded(one.name);
        const life = during(one, { version, published: parseInstant(published) ?? from, removed: parseInstant(removed) ?? until });
        if (life === undefined) return [];
        const would = record && wouldResolve(record, one.range, life);
        if (would === false) return [];
        const how =
          one.range === version
            ? "names exactly it"
            : would
              ? "resolved to it in the window, by what is recorded of the registry"
              : "allows it; what the registry answered then is not recorded";
        return [{ level: "could-have", text: `${one.name}@${version}: ${who} ${how}`, file: one.file, name: one.name, version }];
      });
    });
}

function stood({ since, until }: { readonly since?: Instant; readonly until?: Instant }): string {
  return until === undefined
    ? ""
    : ` (${since === undefined ? "" : `${iso(since).slice(0, 16).replace("T", " ")} `}– ${iso(until).slice(0, 16).replace("T", " ")})`;
}

/** The part of a version's life in which the range stood there; undefined when they never met. */
function during({ since, until }: { readonly since?: Instant; readonly until?: Instant }, life: Poison): Poison | undefined {
  const published = since === undefined || (life.published ?? since) > since ? life.published : since;
  const removed = until === undefined || (life.removed ?? until) < until ? life.removed : until;
  return published !== undefined && removed !== undefined && removed <= published ? undefined : { ...life, published, removed };
}

function isTag(range: string): boolean {
  return /^[a-z][\w.-]*$/i.test(range);
}

function evidence(one: PackageSighting, level: FoundLevel, text: string): Evidence {
  return {
    level,
    text,
    file: one.file,
    ...(one.line !== undefined && { line: one.line }),
    ...(one.at !== undefined && { at: one.at }),
    name: one.name,
    version: one.version,
  };
}

function unique(all: readonly Evidence[]): Evidence[] {
  const seen = new Map(all.map((one) => [`${one.level} ${one.text} ${one.file} ${one.line ?? ""} ${one.at ?? ""}`, one]));
  return [...seen.values()];
}
