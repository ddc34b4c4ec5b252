/**
 * `cordon exposure` over npm's own source tree, beside what a responder would type without it: `grep -r` for the names of the incident. The
 * tree is the npm that came with this Node, some 2,500 files, unless another is named.
 *
 *     node bench/exposure.mjs --harness DIR [--tree DIR] [--rounds 5]        also run by npm run bench -- --only exposure
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const NPM = path.join(path.dirname(fs.realpathSync(process.execPath)), "..", "lib", "node_modules", "npm");

const { values } = parseArgs({
  options: {
    harness: { type: "string", default: path.join(ROOT, "..", "shared", "bench") },
    tree: { type: "string", default: NPM },
    rounds: { type: "string", default: "5" },
  },
});
const { timed, median } = await import(pathToFileURL(path.join(values.harness, "lib.mjs")).href);
const tree = path.resolve(values.tree);
const work = fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(), "cordon-exposure-"));
try {
  const env = { ...process.env, HOME: work, CORDON_DATA: path.join(work, "data") };
  const cordon = path.join(ROOT, "bin", "cordon.js");
  const tools = {
    grep: ["grep", ["-rlE", "axios|plain-crypto-js", tree]],
    "cordon, one incident": [process.execPath, [cordon, "exposure", "axios-2026", tree, "--no-machine"]],
    "cordon, every incident": [process.execPath, [cordon, "exposure", tree, "--no-machine"]],
  };
  const found = Object.fromEntries(Object.keys(tools).map((tool) => [tool, []]));
  for (let round = -1; round < Number(values.rounds); round++)
    for (const [tool, [program, args]] of Object.entries(tools)) {
      const one = await timed(program, args, { cwd: work, env, log: path.join(work, "out") });
      // The first of each only warms the disk.
      if (round >= 0) found[tool].push(one);
    }
  const files = fs.readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
  console.log("| tool | files | wall ms | vs grep | cpu ms | peak MB | exit |\n|---|---|---|---|---|---|---|");
  for (const [tool, runs] of Object.entries(found)) {
    const of = (field) => median(runs.map((run) => run[field]));
    const beside = median(runs.map((run, at) => run.wall / found["grep"][at].wall));
    const figures = [of("wall") * 1000, beside, of("cpu") * 1000, of("maxrss") / 1e6].map((figure) => figure.toPrecision(3));
    console.log(`| ${[tool, files, ...figures, runs[0].code].join(" | ")} |`);
  }
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}
