/** The version to go back to: the newest below every poisoned one of the same major, from before the incident began. */
import semver from "semver";
import { parseInstant } from "../base/time.ts";
import { historyOf, type PackageRecord } from "../facts/history.ts";
import type { IncidentPack } from "../incident/pack.ts";

/** Whether a package of an incident was ever an honest one: what only the attack asked for was not. */
export function hasGood({ packages }: Pick<IncidentPack, "packages">, name: string): boolean {
  return packages.some((one) => one.name === name && one.role !== "payload" && one.everyVersion !== true);
}

/** Where no history is known: everything of the same major below the first poisoned version of it, as a range. */
export function rangeBelow(pack: Pick<IncidentPack, "packages">, name: string, version: string): string {
  const major = semver.major(version);
  const poisoned = pack.packages.flatMap((one) => (one.name === name ? one.versions.map((bad) => bad.version) : []));
  const first = [...poisoned, version]
    .filter((bad) => semver.valid(bad) !== null && semver.major(bad) === major)
    .toSorted(semver.compare)[0];
  return `>=${major}.0.0 <${first}`;
}

/** Undefined where no recorded version is known to be good. */
export function lastGoodBefore(pack: IncidentPack, record: PackageRecord, bad: string): string | undefined {
  const poisoned = new Set(
    pack.packages.flatMap(({ name, versions }) => (name === record.name ? versions.map(({ version }) => version) : [])),
  );
  const decoys = new Set((pack.decoys ?? []).flatMap(({ name, version }) => (name === record.name ? [version] : [])));
  const began = parseInstant(pack.window.from);
  const good = Object.keys(record.versions).filter((version) => {
    const history = historyOf(record, version)!;
    return (
      !poisoned.has(version) &&
      !decoys.has(version) &&
      history.goneSince === undefined &&
      history.changed === undefined &&
      semver.prerelease(version) === null &&
      semver.valid(version) !== null &&
      semver.lt(version, bad) &&
      semver.major(version) === semver.major(bad) &&
      (began === undefined || (history.claimed ?? history.firstSeen) < began)
    );
  });
  return semver.rsort(good)[0];
}
