/**
 * Writes V8's code cache beside the chunks of a build: reads advisories and checks a lockfile with it, and keeps what V8 compiled for that.
 * Run by tsdown.config.ts with the folder of the build, in a process of its own, because it works in a home of its own.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { openChunks } = createRequire(import.meta.url)("../bin/chunks.js");
const chunks = openChunks(resolve(process.argv[2]));
const home = mkdtempSync(join(tmpdir(), "cordon-build-"));
try {
  const project = join(home, "project");
  mkdirSync(project);
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(root, file), join(project, file));
  writeFileSync(join(home, "list.yaml"), '- { name: nobody-has-this, versions: "*", reason: sample }\n');
  writeFileSync(join(home, "cordon.yaml"), "feeds:\n  - { name: sample, path: list.yaml, kind: list }\n");
  process.env = { PATH: process.env.PATH, HOME: home, CORDON_DATA: join(home, "data"), CORDON_CONFIG: join(home, "cordon.yaml") };
  process.chdir(project);
  const { main } = chunks.load("main.js");
  await main(["feeds", "sync"]);
  await main(["check"]);
} finally {
  // Also after a failure: what is kept only saves time, and the failure is the build's to show.
  chunks.keep();
  process.chdir(root);
  rmSync(home, { recursive: true, force: true });
}
