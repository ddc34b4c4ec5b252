/**
 * Writes V8's code cache beside the chunks of a build: reads advisories and checks lockfiles with it, and keeps what V8 compiled for that.
 * Run by tsdown.config.ts with the folder of the build, in a process of its own, because it works in a home of its own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { openChunks } = createRequire(import.meta.url)("../bin/chunks.js");
const chunks = openChunks(resolve(process.argv[2]));
const REGISTRY = "https://registry.example.test/";
const home = mkdtempSync(join(tmpdir(), "cordon-build-"));
try {
  write("list.yaml", '- { name: reported, versions: "*", reason: sample }\n');
  write("cordon.yaml", "feeds:\n  - { name: sample, path: list.yaml, kind: list }\n");
  for (const file of ["package.json", "package-lock.json"]) write(`own/${file}`, readFileSync(join(root, file)));
  write(
    "sample/package.json",
    JSON.stringify({ name: "sample", dependencies: { reported: "^1.0.0", strange: "git+https://git.example.test/x" } }),
  );
  write("sample/package-lock.json", JSON.stringify(lockfile(), undefined, 2));
  process.env = { PATH: process.env.PATH, HOME: home, CORDON_DATA: join(home, "data"), CORDON_CONFIG: join(home, "cordon.yaml") };
  const { main } = chunks.load("main.js");
  // A build asks nobody anything.
  await main(["feeds", "sync", "--offline"]);
  for (const project of ["own", "sample"]) {
    process.chdir(join(home, project));
    await main(["check", "--upstream", REGISTRY]);
  }
} finally {
  // Also after a failure: what is kept only saves time, and the failure is the build's to show.
  chunks.keep();
  process.chdir(root);
  rmSync(home, { recursive: true, force: true });
}

function write(file, content) {
  mkdirSync(dirname(join(home, file)), { recursive: true });
  writeFileSync(join(home, file), content);
}

/** As npm writes one, with something to say: a script, a commit, a digest and a range that are not the usual ones, what a list denies. */
function lockfile() {
  const entry = (name, version, more = {}) => ({
    version,
    resolved: `${REGISTRY}${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`,
    integrity: `sha512-${"A".repeat(86)}==`,
    ...more,
  });
  const packages = {
    "": { name: "sample", dependencies: { reported: "^1.0.0", strange: "git+https://git.example.test/x" } },
    "node_modules/@sample/scoped": entry("@sample/scoped", "0.1.2", { dev: true, engines: { node: ">=20", npm: "*" } }),
    "node_modules/reported": entry("reported", "1.2.3", {
      hasInstallScript: true,
      dependencies: { "@sample/scoped": "0.1 - 1", strange: "*" },
    }),
    "node_modules/reported/node_modules/@sample/scoped": entry("@sample/scoped", "0.2.0-rc.1", {
      integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    }),
    "node_modules/strange": { version: "1.0.0", resolved: `git+https://git.example.test/x#${"0".repeat(40)}`, deprecated: 'say "no"' },
  };
  return { name: "sample", lockfileVersion: 3, requires: true, packages };
}
