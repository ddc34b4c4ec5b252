/**
 * Fetches the package managers and Node versions of `pins.json` into `.cache/clients/<client>-<version>/`, from the registry
 * npm is configured for. Nothing is installed: each pin is one tarball, checked against its sha512 and unpacked, so no
 * install script can run. Plain JavaScript, because Node 20 cannot run TypeScript and this runs before any set-up.
 *
 *   node test/clients/fetch.mjs                  all of them; exit 1 and a list when one cannot be had
 *   node test/clients/fetch.mjs npm-11 bun-1     only these
 *   node test/clients/fetch.mjs --allow-missing  the list is printed, the exit status is 0
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Pin
 * @property {string} id        what tests call it: `npm-11`
 * @property {string} kind      a `ClientId` of the product, or `node`
 * @property {string} package   the npm package that carries it
 * @property {string} version
 * @property {string} integrity sha512 of the tarball, as the registry stated it when it was pinned
 * @property {string} [platform] `process.platform-process.arch`, for native binaries
 * @property {string} [node]    id of the Node it needs when ours is too old
 * @property {Record<string, string[]>} commands  command → file in the package, then fixed arguments
 */

const CACHE = fileURLToPath(new URL("../../.cache/clients/", import.meta.url));
/** @type {Pin[]} */
const PINS = JSON.parse(readFileSync(new URL("pins.json", import.meta.url), "utf8"));

process.exitCode = main(process.argv.slice(2));

/** @param {string[]} argv @returns {number} exit status */
function main(argv) {
  const allowMissing = argv.includes("--allow-missing");
  const ids = argv.filter((word) => word !== "--allow-missing");
  const unknown = ids.filter((id) => !PINS.some((pin) => pin.id === id));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(" ")}; pinned are ${PINS.map((pin) => pin.id).join(" ")}`);
    return 2;
  }

  /** @type {string[]} */
  const missing = [];
  for (const pin of PINS.filter((pin) => ids.length === 0 || ids.includes(pin.id))) {
    const problem = fetchPin(pin);
    if (problem) missing.push(`${pin.id} (${pin.package}@${pin.version}): ${problem}`);
  }
  if (missing.length === 0) return 0;
  console.error(
    `\nMISSING CLIENTS: ${missing.length}\n${missing.map((line) => `  ${line}`).join("\n")}\nTests that need them will say so and be skipped.`,
  );
  return allowMissing ? 0 : 1;
}

/** @param {Pin} pin @returns {string | undefined} what went wrong */
function fetchPin(pin) {
  const here = `${process.platform}-${process.arch}`;
  if (pin.platform && pin.platform !== here) return `a binary for ${pin.platform}, this is ${here}`;
  const folder = join(CACHE, `${pin.id.replace(/-\d+$/, "")}-${pin.version}`);
  const stamp = join(folder, ".pin");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === JSON.stringify(pin)) return undefined;

  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, ".fetch-"));
  try {
    const packed = spawnSync(
      "npm",
      ["pack", `${pin.package}@${pin.version}`, "--ignore-scripts", "--loglevel=error", "--pack-destination", scratch],
      {
        encoding: "utf8",
      },
    );
    if (packed.error) return String(packed.error);
    if (packed.status !== 0) return `npm pack failed: ${packed.stderr.trim() || packed.stdout.trim() || `exit ${packed.status}`}`;

    const tarball = join(scratch, packed.stdout.trim().split("\n").at(-1) ?? "");
    const found = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    if (found !== pin.integrity) return `the registry's bytes are not the pinned ones: pinned ${pin.integrity}, got ${found}`;

    const tree = join(scratch, "package");
    mkdirSync(tree);
    const unpacked = spawnSync("tar", ["-xzf", tarball, "-C", tree, "--strip-components=1", "--no-same-owner"], { encoding: "utf8" });
    if (unpacked.status !== 0) return `tar failed: ${unpacked.error ?? unpacked.stderr.trim()}`;

    writeShims(pin, tree);
    writeFileSync(join(tree, ".pin"), JSON.stringify(pin));
    rmSync(folder, { recursive: true, force: true });
    // Last, and in one step: a folder with this name is complete.
    renameSync(tree, folder);
    console.log(`fetched ${pin.id} (${pin.package}@${pin.version})`);
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * `shims/<command>` for a PATH that finds this client: `npm` and `npx` of this version, run by whatever `node` that PATH names.
 * @param {Pin} pin @param {string} tree
 */
function writeShims(pin, tree) {
  mkdirSync(join(tree, "shims"));
  for (const [command, [file = "", ...fixed]] of Object.entries(pin.commands)) {
    const script = /\.[cm]?js$/.test(file);
    if (!script) chmodSync(join(tree, file), 0o755);
    const words = [...(script ? ["node"] : []), `"$(dirname "$0")/../${file}"`, ...fixed, '"$@"'];
    writeFileSync(join(tree, "shims", command), `#!/bin/sh\nexec ${words.join(" ")}\n`, { mode: 0o755 });
  }
}
