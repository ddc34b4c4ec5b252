/**
 * The advisory index beside the obvious alternative, in one run: 250,000 synthetic records over 214,000 names, look-ups of which 2 % hit.
 * Each candidate is opened in a process of its own, so that neither warms the other's code or memory.
 *
 *     node bench/advisories.mjs [records]        also run by npm run bench -- --only advisories
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const LOOKUPS = 1_000_000;
const [role, folder, count = "250000"] = process.argv[2] === "open" ? process.argv.slice(3) : ["all", undefined, process.argv[2]];

if (role === "all") await measureAll(Number(count));
else await measureOne(role, folder, Number(count));

async function measureAll(records) {
  const work = mkdtempSync(path.join(tmpdir(), "cordon-advisories-"));
  try {
    const { build } = await import("tsdown");
    await build({
      config: false,
      entry: { build: path.join(ROOT, "src/core/advisory/index-build.ts"), index: path.join(ROOT, "src/edge/feeds/index-on-disk.ts") },
      outDir: work,
      format: "esm",
      platform: "node",
      fixedExtension: false,
      dts: false,
      logLevel: "silent",
    });
    const { buildIndex } = await import(pathToFileURL(path.join(work, "build.js")).href);
    const advisories = [...synthetic(records)];
    const started = performance.now();
    const index = buildIndex(advisories, ["synthetic"]);
    console.log(`${records} records, built in ${Math.round(performance.now() - started)} ms, ${megabytes(index.length)} MB`);
    writeFileSync(path.join(work, "index.bin"), index);
    writeFileSync(path.join(work, "records.json"), JSON.stringify(advisories));
    console.log("\n| store | open ms | look-ups/CPU s first pass | warm | RSS MB over node |\n|---|---|---|---|---|");
    for (const candidate of ["index", "map", "index", "map"]) {
      const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "open", candidate, work, String(records)], {
        stdio: "inherit",
      });
      if (status !== 0) process.exitCode = 1;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Opens one candidate and asks it. */
async function measureOne(candidate, work, records) {
  const asked = questions(records);
  const module = await import(pathToFileURL(path.join(work, "index.js")).href);
  const bare = process.memoryUsage().rss;
  const started = performance.now();
  const find = candidate === "index" ? openFlat(module, work) : openMap(work);
  const openMs = performance.now() - started;
  const rss = process.memoryUsage().rss - bare;
  const passes = [1, 2].map(() => {
    const from = process.cpuUsage();
    let hits = 0;
    for (const [name, version] of asked) hits += find(name, version);
    if (hits < LOOKUPS / 100 || hits > LOOKUPS / 25) throw new Error(`${candidate}: ${hits} hits are not what was asked for`);
    const { user, system } = process.cpuUsage(from);
    return Math.round(LOOKUPS / ((user + system) / 1e6));
  });
  console.log(`| ${[candidate === "index" ? "flat index" : "Map from JSON", openMs.toFixed(1), ...passes, megabytes(rss)].join(" | ")} |`);
}

function openFlat({ openIndexFile }, work) {
  const { index } = openIndexFile(path.join(work, "index.bin"), (error) => {
    throw error;
  });
  return (name, version) => index.claims(name, version).length;
}

/** Only exact versions and bare ranges, which is less than the index does. */
function openMap(work) {
  const map = new Map();
  for (const { advisory } of JSON.parse(readFileSync(path.join(work, "records.json"), "utf8")))
    for (const entry of advisory.affected) map.set(entry.name, [...(map.get(entry.name) ?? []), entry]);
  return (name, version) => (map.get(name) ?? []).filter((entry) => entry.versions.includes(version) || entry.ranges.length > 0).length;
}

/** Records as malware feeds hold them: six in ten an explicit version, the others a bare `introduced: 0`; a seventh of them on a name already named. */
function* synthetic(records) {
  for (let index = 0; index < records; index++) {
    const versions = index % 10 < 6 ? [`${index % 20}.${index % 7}.0`] : [];
    yield {
      feed: "synthetic",
      firstSeen: 1_775_000_000_000 + index,
      advisory: {
        id: `MAL-2026-${index}`,
        aliases: index % 3 === 0 ? [`GHSA-${index.toString(36).padStart(4, "0")}-aaaa-bbbb`] : [],
        kind: "malware",
        origins: ["ghsa-malware"],
        modified: 1_775_000_000_000 - index,
        affected: [
          {
            name: nameOf(index % Math.ceil((records * 6) / 7)),
            versions,
            ranges: versions.length > 0 ? [] : [[{ kind: "introduced", version: "0" }]],
            integrities: [],
          },
        ],
      },
    };
  }
}

function nameOf(number) {
  const word = ((number * 2_654_435_761) % 4_294_967_296).toString(36);
  return number % 4 === 0 ? `@scope-${number % 997}/${word}-kit` : `${word}-helper`;
}

/** Two in a hundred names are in the index, at a version that is affected. */
function questions(records) {
  return Array.from({ length: LOOKUPS }, (_, index) => {
    if (index % 50 !== 0) return [`${nameOf(index)}-js`, "1.0.0"];
    const record = (index * 7) % Math.ceil((records * 6) / 7);
    return [nameOf(record), record % 10 < 6 ? `${record % 20}.${record % 7}.0` : "1.2.3"];
  });
}

function megabytes(bytes) {
  return Math.round(bytes / 1_000_000);
}
