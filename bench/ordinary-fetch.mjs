/**
 * Fetches what `bench/ordinary.mjs` judges: the tarballs of the versions a lockfile names, and of the release before each.
 * Once, gently, into a folder outside the repository; what is there already is not fetched again.
 *
 *     node bench/ordinary-fetch.mjs --corpus DIR --out DIR
 *
 * DIR of `--corpus` is what the harness's capture.mjs made: a lockfile, full packuments, the locked tarballs. Tarballs come from the
 * registry that npm is configured to use here, six at a time.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import semver from "semver";

const AT_ONCE = 6;

const { values } = parseArgs({ options: { corpus: { type: "string" }, out: { type: "string" } } });
if (values.corpus === undefined || values.out === undefined) {
  console.error("usage: node bench/ordinary-fetch.mjs --corpus DIR --out DIR");
  process.exit(2);
}

const wanted = pairsOf(values.corpus);
const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
fs.mkdirSync(values.out, { recursive: true });
fs.writeFileSync(path.join(values.out, "pairs.json"), JSON.stringify(wanted, null, 1));
const files = wanted.flatMap(({ name, version, before }) => [version, ...(before === undefined ? [] : [before])].map((one) => [name, one]));
const missed = [];
let next = 0;
await Promise.all(Array.from({ length: AT_ONCE }, worker));
console.log(
  `${files.length - missed.length} of ${files.length} tarballs of ${new Set(wanted.map(({ name }) => name)).size} names are in ${values.out}`,
);
for (const one of missed) console.log(`  missed ${one}`);

async function worker() {
  for (let at = next++; at < files.length; at = next++) {
    const [name, version] = files[at];
    const tarball = `${name.replace(/^@.*\//, "")}-${version}.tgz`;
    const to = path.join(values.out, `${encodeURIComponent(name)}@${version}.tgz`);
    if (fs.existsSync(to)) continue;
    const captured = path.join(values.corpus, "tgz", encodeURIComponent(`${name}/-/${tarball}`));
    try {
      fs.writeFileSync(to, fs.existsSync(captured) ? fs.readFileSync(captured) : await download(new URL(`${name}/-/${tarball}`, registry)));
    } catch (error) {
      missed.push(`${name}@${version}: ${error.message}`);
    }
  }
}

async function download(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** Each locked version and the stable release before it: the highest one below it that is listed. */
function pairsOf(corpus) {
  const lock = JSON.parse(fs.readFileSync(path.join(corpus, "package-lock.json"), "utf8"));
  const pairs = new Map();
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === "" || entry.link || !entry.resolved) continue;
    const name = entry.name ?? place.replace(/^.*node_modules\//, "");
    const { version } = entry;
    if (pairs.has(`${name}@${version}`)) continue;
    const packument = JSON.parse(gunzipSync(fs.readFileSync(path.join(corpus, "raw", `${encodeURIComponent(name)}.full.json.gz`))));
    const below = Object.keys(packument.versions).filter((one) => semver.lt(one, version, true) && semver.prerelease(one, true) === null);
    const [before] = below.toSorted((a, b) => semver.rcompare(a, b, true));
    pairs.set(`${name}@${version}`, { name, version, ...(before === undefined ? {} : { before }) });
  }
  return [...pairs.values()];
}
