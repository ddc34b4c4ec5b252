/**
 * How many ordinary releases would any rule but age hold? Judges what `ordinary-fetch.mjs` fetched, each release twice: a minute after it
 * was published, beside what stood then; and now, as a gate without a past meets it in `npm ci`.
 *
 *     node bench/ordinary.mjs --corpus DIR --tarballs DIR [--half tune|show] [--json FILE]
 *
 * Thresholds are tuned on half of the names (`tune`), figures are given for the other half (`show`): which one a name is in, its hash says.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const { values } = parseArgs({
  options: { corpus: { type: "string" }, tarballs: { type: "string" }, half: { type: "string" }, json: { type: "string" } },
});
if (values.corpus === undefined || values.tarballs === undefined) {
  console.error("usage: node bench/ordinary.mjs --corpus DIR --tarballs DIR [--half tune|show] [--json FILE]");
  process.exit(2);
}

/** Oddities that rest on no time. The others a mirror makes and hides as it likes. */
const UNTIMED = new Set(["repository-changed", "size-jump", "publisher-changed"]);

const { judgeRelease, publishMoment, analyse, HORIZON_MS } = await judge();
const pairs = JSON.parse(fs.readFileSync(path.join(values.tarballs, "pairs.json"), "utf8"));
const wanted = pairs.filter(({ name }) => values.half === undefined || halfOf(name) === values.half);
const packuments = new Map();
const reports = new Map();
const sources = { packument, report };
const rows = [];
let slowest = { ms: 0 };
const started = performance.now();
for (const [index, { name, version, before }] of wanted.entries()) {
  for (const [which, one] of [
    ["locked", version],
    ["before", before],
  ]) {
    if (one === undefined) continue;
    const moment = publishMoment(packument(name), one);
    for (const [when, at] of [
      ["published", moment],
      ["now", Date.now()],
    ]) {
      if (at === undefined || (when === "now" && which === "before")) continue;
      const judged = judgeRelease(name, one, one === version ? before : undefined, at, sources);
      if (judged) rows.push({ name, version: one, which, when, half: halfOf(name), ...judged });
    }
  }
  packuments.delete(name);
  for (const one of [version, before]) reports.delete(`${name}@${one}`);
  if (process.stderr.isTTY && index % 50 === 0) process.stderr.write(`\r${index} of ${wanted.length}`);
}
if (values.json !== undefined) fs.writeFileSync(values.json, JSON.stringify(rows, null, 1));
print();

/** The judging functions, built from the sources as they are. */
async function judge() {
  const { build } = await import("tsdown");
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "cordon-ordinary-"));
  try {
    await build({
      config: false,
      cwd: ROOT,
      entry: { judge: path.join(ROOT, "bench", "ordinary-judge.ts") },
      outDir: work,
      format: "esm",
      platform: "node",
      noExternal: () => true,
      fixedExtension: false,
      dts: false,
      define: constants(),
    });
    return await import(pathToFileURL(path.join(work, "judge.js")).href);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** A shrinkwrap may name the registry the corpus came from. What else a build puts in is not asked for here. */
function constants() {
  const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  return {
    __NPM_REGISTRY__: JSON.stringify(registry),
    __YARN_REGISTRY_HOST__: JSON.stringify(new URL(registry).hostname),
    __SHIPPED_TRUST__: "undefined",
    __CORDON_VERSION__: '"0.0.0"',
  };
}

function packument(name) {
  if (!packuments.has(name)) {
    const file = path.join(values.corpus, "raw", `${encodeURIComponent(name)}.full.json.gz`);
    packuments.set(name, fs.existsSync(file) ? JSON.parse(gunzipSync(fs.readFileSync(file))) : undefined);
  }
  return packuments.get(name);
}

function report(name, version) {
  const key = `${name}@${version}`;
  if (!reports.has(key)) {
    const file = path.join(values.tarballs, `${encodeURIComponent(name)}@${version}.tgz`);
    const before = performance.now();
    reports.set(key, fs.existsSync(file) ? analyse(fs.readFileSync(file)) : undefined);
    const ms = performance.now() - before;
    if (ms > slowest.ms) slowest = { ms, key };
  }
  return reports.get(key);
}

function halfOf(name) {
  return createHash("sha256").update(name).digest()[0] % 2 === 0 ? "tune" : "show";
}

/** Whether it would still be held if nothing were known of when anything was published: a mirror does not know. */
function holdsWithoutTimes({ reasons, notes }) {
  const odd = notes.filter(({ id }) => UNTIMED.has(id)).length;
  const holds = ({ id, title }) =>
    id === "odd-release" ? odd > 1 || (odd === 1 && title.endsWith("for the first time")) : id !== "new-young-dependency";
  return reasons.some(holds);
}

function print() {
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${rows.length} judgements in ${seconds} s; slowest tarball ${Math.round(slowest.ms)} ms (${slowest.key})`);
  for (const [when, title] of [
    ["published", "a minute after publish"],
    ["now", "now, without a past"],
  ])
    for (const half of ["tune", "show"]) {
      const all = rows.filter((row) => row.when === when && row.half === half);
      const young = all.filter((row) => row.age < HORIZON_MS);
      const held = all.filter((row) => row.action !== "allow");
      const sure = held.filter(holdsWithoutTimes);
      const compared = young.filter((row) => row.compared !== undefined).length;
      console.log(`\n${title}, ${half}: ${all.length} releases, ${young.length} under 90 days, ${compared} of these with both tarballs`);
      console.log(`  held by any rule but age: ${share(held, young)}; by more than the mirror's times: ${share(sure, young)}`);
      for (const row of held) {
        const why = row.reasons.map(({ id, title: said }) => `${id}: ${said}`).join(" | ");
        console.log(`  ${sure.includes(row) ? "!" : "~"} ${row.name}@${row.version} (${row.which}): ${why}`);
      }
    }
}

function share(part, whole) {
  return `${part.length} (${((100 * part.length) / Math.max(1, whole.length)).toFixed(2)} %)`;
}
