/**
 * `cordon check` beside a process that only does JSON.parse of the same lockfile, whole processes in turn: the harness's lockfile of about
 * 1,100 entries, and the same nested under 5 and 18 workspaces; offline, with 250,000 advisories.
 *
 *     node bench/check.mjs --harness DIR [--rounds 5]        also run by npm run bench -- --only check
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const ADVISORIES = 250_000;
const WORKSPACES = [1, 5, 18];
const REGISTRY = "https://registry.example.test/";

const { values } = parseArgs({
  options: {
    harness: { type: "string", default: path.join(ROOT, "..", "shared", "bench") },
    rounds: { type: "string", default: "5" },
  },
});
// The tools run in the projects' folders.
values.harness = path.resolve(values.harness);
const { timed, median } = await import(pathToFileURL(path.join(values.harness, "lib.mjs")).href);
const work = fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(), "cordon-check-"));
try {
  const own = {
    HOME: work,
    CORDON_DATA: path.join(work, "data"),
    CORDON_CONFIG: path.join(work, "cordon.yaml"),
    CORDON_TRUST_MIRROR: "off",
  };
  const env = { ...process.env, ...own };
  const cordon = path.join(ROOT, "bin", "cordon.js");
  writeFeed();
  const synced = spawnSync(process.execPath, [cordon, "feeds", "sync"], { env, encoding: "utf8" });
  if (synced.status !== 0) throw new Error(`the advisories were not read: ${synced.stdout}${synced.stderr}`);
  // The history a sync opens is not what is measured: a machine that never ran a gate has none.
  for (const file of fs.readdirSync(env.CORDON_DATA)) if (/^(?:cordon|ledger)\.db/.test(file)) fs.rmSync(path.join(env.CORDON_DATA, file));

  console.log("| entries | file MB | tool | wall ms | vs JSON.parse | cpu ms | peak MB | exit |\n|---|---|---|---|---|---|---|---|");
  for (const dir of WORKSPACES.map(writeProject)) {
    const lockfile = path.join(dir, "package-lock.json");
    const tools = {
      "JSON.parse": [path.join(values.harness, "lockcheck.mjs"), "--one", "json-parse", "--dir", dir],
      cordon: [cordon, "check", "--upstream", REGISTRY],
    };
    const found = { "JSON.parse": [], cordon: [] };
    for (let round = -1; round < Number(values.rounds); round++)
      for (const [tool, args] of Object.entries(tools)) {
        const one = await timed(process.execPath, args, { cwd: dir, env, log: path.join(work, "out") });
        if (one.code !== 0) throw new Error(`${tool} ended with ${one.code}: ${fs.readFileSync(path.join(work, "out"), "utf8")}`);
        // The first of each only warms the disk.
        if (round >= 0) found[tool].push(one);
      }
    const entries = Object.keys(JSON.parse(fs.readFileSync(lockfile, "utf8")).packages).length - 1;
    for (const [tool, runs] of Object.entries(found)) {
      const of = (field) => median(runs.map((run) => run[field]));
      const beside = median(runs.map((run, at) => run.wall / found["JSON.parse"][at].wall));
      const cells = [
        entries,
        fs.statSync(lockfile).size / 1e6,
        tool,
        of("wall") * 1000,
        beside,
        of("cpu") * 1000,
        of("maxrss") / 1e6,
        runs[0].code,
      ];
      console.log(
        `| ${cells.map((cell) => (typeof cell === "number" && !Number.isInteger(cell) ? cell.toPrecision(4) : cell)).join(" | ")} |`,
      );
    }
  }
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

/** Names no lockfile here has: what is measured is looking, not finding. */
function writeFeed() {
  const file = path.join(work, "osv.ndjson");
  const out = fs.openSync(file, "w");
  let lines = "";
  for (let i = 0; i < ADVISORIES; i++) {
    const ranges = [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: `${i % 9}.${i % 7}.1` }] }];
    const affected = [{ package: { ecosystem: "npm", name: `synthetic-${Math.floor(i * 0.85)}` }, ranges }];
    lines += `${JSON.stringify({ schema_version: "1.7.0", id: `SYN-${i}`, modified: "2026-01-01T00:00:00Z", summary: "synthetic", affected })}\n`;
    if (i % 5_000 === 0) lines = (fs.writeSync(out, lines), "");
  }
  fs.writeSync(out, lines);
  fs.closeSync(out);
  fs.writeFileSync(path.join(work, "cordon.yaml"), `feeds:\n  - { name: synthetic, path: ${JSON.stringify(file)}, maxAge: 30d }\n`);
}

/** The harness's lockfile, or a monorepo of that many workspaces with it nested under each, as npm writes it without hoisting. */
function writeProject(workspaces) {
  const app = path.join(values.harness, "app");
  const read = (name) => JSON.parse(fs.readFileSync(path.join(app, name), "utf8"));
  const [base, root] = [read("package-lock.json"), read("package.json")];
  for (const entry of Object.values(base.packages))
    if (entry.resolved) entry.resolved = entry.resolved.replace(/^https?:\/\/[^/]+\//, REGISTRY);
  const dir = path.join(work, `x${workspaces}`);
  let [lock, manifest] = [base, root];
  if (workspaces > 1) {
    const names = Array.from({ length: workspaces }, (_, i) => `ws${i}`);
    const dependencies = Object.fromEntries(names.map((name) => [name, "1.0.0"]));
    manifest = { name: "mono", version: "1.0.0", private: true, workspaces: ["packages/*"], dependencies };
    const packages = { "": { name: "mono", version: "1.0.0", workspaces: ["packages/*"], dependencies } };
    for (const name of names) packages[`node_modules/${name}`] = { resolved: `packages/${name}`, link: true };
    for (const name of names)
      for (const [place, entry] of Object.entries(base.packages))
        packages[`packages/${name}${place === "" ? "" : `/${place}`}`] = place === "" ? { ...entry, name, version: "1.0.0" } : entry;
    lock = { name: "mono", version: "1.0.0", lockfileVersion: 3, requires: true, packages };
    for (const name of names) write(path.join(dir, "packages", name, "package.json"), { ...root, name, version: "1.0.0" });
  }
  write(path.join(dir, "package.json"), manifest);
  write(path.join(dir, "package-lock.json"), lock);
  return dir;
}

function write(file, value) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
