/**
 * Copies the harness's corpus with what an ordinary day has and the harness lacks, or has too much of.
 *
 * A withheld version: one old version, which no client would choose, gets a publish time of an hour ago. In every packument whose speed is
 * measured alone, and in every tenth of the others, as on a busy day.
 *
 * Ordinary ages: the harness publishes the newest version of every package 70 days ago, so that each would be a release to look at. Of the
 * 1,027 it captured 136 were under 90 days old, about one in eight; the other packages are moved back by half a year.
 *
 * Ordinary provenance: the harness gives it to a sixth of the versions by chance, with nothing behind it. A release without it, after some
 * that came with it, is held, and rightly: real packages do not do that. None has it here.
 */
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

/** How the harness chooses what it measures alone: http.mjs, abbreviated forms nearest 30 KB and full forms of 5 MB and more. */
const SMALL = { bytes: 30_000, count: 40 };
const HUGE = 5_000_000;
/** One package in so many has a release of the last 90 days. */
const RECENT = 8;
const HALF_A_YEAR = 180 * 86_400_000;

/** Writes the copy to `to`; the names that have a withheld version. */
export function withWithheldVersions(from, to, now = Date.now()) {
  fs.mkdirSync(path.join(to, "pkg"), { recursive: true });
  for (const file of ["package.json", "package-lock.json", "keys.json"]) fs.copyFileSync(path.join(from, file), path.join(to, file));
  fs.symlinkSync(path.join(path.resolve(from), "tgz"), path.join(to, "tgz"));
  const locked = lockedVersions(JSON.parse(fs.readFileSync(path.join(from, "package-lock.json"), "utf8")));
  const packages = fs
    .readdirSync(path.join(from, "pkg"))
    .filter((file) => file.endsWith(".full.json.gz"))
    .map((file) => ({ file, full: unpack(from, file), abbreviated: unpack(from, corgiOf(file)) }));
  const distance = (one) => Math.abs(one.abbreviated.length - SMALL.bytes);
  const measured = new Set(packages.toSorted((a, b) => distance(a) - distance(b)).slice(0, SMALL.count));
  for (const one of packages) if (one.full.length >= HUGE) measured.add(one);
  const names = [];
  for (const [at, one] of packages.entries()) {
    const packument = ordinary(JSON.parse(one.full), at % RECENT === 0);
    const changed = measured.has(one) || at % 10 === 0 ? withYoungVersion(packument, locked, now) : undefined;
    if (changed) names.push(changed.name);
    else if (measured.has(one)) throw new Error(`${one.file}: no version in it can be withheld`);
    pack(to, one.file, changed ?? packument);
    pack(to, corgiOf(one.file), ordinary(JSON.parse(one.abbreviated), at % RECENT === 0));
  }
  return names;
}

/** Either form, changed in place. */
function ordinary(packument, recent) {
  for (const { dist } of Object.values(packument.versions)) delete dist.attestations;
  if (recent) return packument;
  const back = (time) => new Date(Date.parse(time) - HALF_A_YEAR).toISOString();
  if (packument.modified !== undefined) packument.modified = back(packument.modified);
  for (const [version, time] of Object.entries(packument.time ?? {})) packument.time[version] = back(time);
  return packument;
}

/** The packument with its oldest spare version published an hour before `now`; undefined when every version is needed. */
function withYoungVersion(packument, locked, now) {
  const tagged = new Set(Object.values(packument["dist-tags"]));
  const spare = Object.keys(packument.versions).filter((version) => !tagged.has(version) && !locked.has(`${packument.name}@${version}`));
  const [oldest] = spare.toSorted((a, b) => Date.parse(packument.time[a]) - Date.parse(packument.time[b]));
  if (oldest === undefined) return undefined;
  return { ...packument, time: { ...packument.time, [oldest]: new Date(now - 3_600_000).toISOString() } };
}

function lockedVersions(lock) {
  const entries = Object.entries(lock.packages).filter(([place]) => place !== "");
  return new Set(entries.map(([place, entry]) => `${entry.name ?? place.replace(/^.*node_modules\//, "")}@${entry.version}`));
}

function corgiOf(file) {
  return file.replace(".full.", ".corgi.");
}

function pack(to, file, packument) {
  fs.writeFileSync(path.join(to, "pkg", file), zlib.gzipSync(JSON.stringify(packument), { level: 6 }));
}

function unpack(from, file) {
  return zlib.gunzipSync(fs.readFileSync(path.join(from, "pkg", file)));
}
