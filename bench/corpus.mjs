/**
 * Puts a withheld version into a copy of the harness's corpus: one old version, which no client would choose, gets a publish time of an
 * hour ago. In every packument whose speed is measured alone, and in every tenth of the others, as on a busy day.
 */
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

/** How the harness chooses what it measures alone: http.mjs, abbreviated forms nearest 30 KB and full forms of 5 MB and more. */
const SMALL = { bytes: 30_000, count: 40 };
const HUGE = 5_000_000;

/** Writes the copy to `to`; the names that have a withheld version. */
export function withWithheldVersions(from, to, now = Date.now()) {
  fs.mkdirSync(path.join(to, "pkg"), { recursive: true });
  for (const file of ["package.json", "package-lock.json", "keys.json"]) fs.copyFileSync(path.join(from, file), path.join(to, file));
  fs.symlinkSync(path.join(path.resolve(from), "tgz"), path.join(to, "tgz"));
  const locked = lockedVersions(JSON.parse(fs.readFileSync(path.join(from, "package-lock.json"), "utf8")));
  const packages = fs
    .readdirSync(path.join(from, "pkg"))
    .filter((file) => file.endsWith(".full.json.gz"))
    .map((file) => ({ file, full: unpack(from, file), abbreviated: unpack(from, file.replace(".full.", ".corgi.")) }));
  const distance = (one) => Math.abs(one.abbreviated.length - SMALL.bytes);
  const measured = new Set(packages.toSorted((a, b) => distance(a) - distance(b)).slice(0, SMALL.count));
  for (const one of packages) if (one.full.length >= HUGE) measured.add(one);
  const names = [];
  for (const [at, one] of packages.entries()) {
    const corgi = one.file.replace(".full.", ".corgi.");
    fs.copyFileSync(path.join(from, "pkg", corgi), path.join(to, "pkg", corgi));
    const changed = measured.has(one) || at % 10 === 0 ? withYoungVersion(JSON.parse(one.full), locked, now) : undefined;
    if (changed) names.push(changed.name);
    else if (measured.has(one)) throw new Error(`${one.file}: no version in it can be withheld`);
    const bytes = changed ? Buffer.from(JSON.stringify(changed)) : one.full;
    fs.writeFileSync(path.join(to, "pkg", one.file), zlib.gzipSync(bytes, { level: 6 }));
  }
  return names;
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

function unpack(from, file) {
  return zlib.gunzipSync(fs.readFileSync(path.join(from, "pkg", file)));
}
