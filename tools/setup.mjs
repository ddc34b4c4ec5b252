#!/usr/bin/env node
/**
 * The one way into a checkout: `npm start`, `npm test` and every other script come through here.
 * Installs the dependencies when the lock changed, builds when the sources changed, says so, and then does what was asked.
 * Plain JavaScript without dependencies, because it runs before there are any.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
const DIST = join(ROOT, "dist");
const CACHE = join(ROOT, ".cache");
const VITEST = join("node_modules", "vitest", "vitest.mjs");

/** What each script runs once the set-up is done. `rest` is what stood behind the script's name. */
const COMMANDS = {
  start: (rest) => become("bin/cordon.js", ["gate", ...rest]),
  build: async () => 0,
  test: (rest) => run([VITEST, "run", ...rest]),
  suite: (rest) => run([join("tools", "suite.mjs"), ...rest]),
  docs: (rest) => run([VITEST, "run", "test/house/reference.test.ts", ...rest], { UPDATE: "1" }),
  bench: (rest) => run([join("bench", "run.mjs"), ...rest]),
  replay: (rest) => run([join("test", "replay", "main.mjs"), ...rest]),
  rehearse: () => run([join("tools", "rehearse.mjs")]),
};
/** These read the sources alone, and help while the sources do not build. */
const WITHOUT_BUILD = ["docs", "replay", "rehearse"];

const [command, ...rest] = process.argv.slice(2);
if (tooOld(process.versions.node)) {
  say("cordon needs Node 20.19 or newer; this is " + process.version + " (" + process.execPath + ").");
  process.exitCode = 2;
} else if (!Object.keys(COMMANDS).includes(command)) {
  say("usage: node tools/setup.mjs " + Object.keys(COMMANDS).join("|") + " [arguments]");
  process.exitCode = 2;
} else {
  setUp(!WITHOUT_BUILD.includes(command))
    .then(() => COMMANDS[command](rest))
    .then((status) => {
      if (status !== undefined) process.exitCode = status;
    })
    .catch((error) => {
      say(error.message);
      process.exitCode = 1;
    });
}

async function setUp(withBuild) {
  if (installed() && (built() || !withBuild)) return;
  await alone(async () => {
    if (!installed()) await install();
    if (withBuild && !built()) await build();
  });
}

// --- dependencies -----------------------------------------------------------------------------------------------------------------------

function installStamp() {
  return digest([join(ROOT, "package-lock.json")]) + " " + process.platform + "-" + process.arch;
}

function installed() {
  return read(join(MODULES, ".cordon-stamp")) === installStamp();
}

async function install() {
  say("setup: package-lock.json is new here, running npm ci (no install scripts)");
  const stamp = installStamp();
  // Said in full, so that NODE_ENV=production or an `omit` in the user's npmrc cannot leave out what the tests and the store need.
  const flags = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--no-audit", "--no-fund"];
  const status = await npm(flags);
  if (status !== 0) throw new Error("setup: npm ci failed with status " + status + "; nothing was started.");
  writeFileSync(join(MODULES, ".cordon-stamp"), stamp);
}

/** The npm that started us, else the one beside this Node, else the one on PATH. pnpm and yarn also set npm_execpath: they are not npm. */
function npm(args) {
  const started = process.env.npm_execpath;
  const beside = join(dirname(dirname(process.execPath)), "lib", "node_modules", "npm", "bin", "npm-cli.js");
  const script = [started, beside].find((path) => path && path.endsWith("npm-cli.js") && existsSync(path));
  const [file, argv] = script ? [process.execPath, [script, ...args]] : ["npm", args];
  // Windows finds npm.cmd only through a shell; the arguments are constants.
  return child(file, argv, { stdio: ["ignore", 2, 2], shell: !script && process.platform === "win32" });
}

// --- build ------------------------------------------------------------------------------------------------------------------------------

function buildStamp() {
  const tools = ["build-constants.ts", "code-cache.mjs"].map((name) => join("tools", name));
  const fixed = ["package-lock.json", "package.json", "tsconfig.json", "tsdown.config.ts", join("bin", "chunks.js"), ...tools];
  const sources = filesUnder(join(ROOT, "src")).filter((path) => !path.endsWith(".test.ts"));
  return digest([...fixed.map((path) => join(ROOT, path)), ...sources, ...filesUnder(join(ROOT, "packs"))]);
}

function built() {
  return read(join(DIST, ".cordon-stamp")) === buildStamp();
}

/** Built beside `dist` and swapped in whole: a failed build leaves the last one standing, and nobody meets half of one. */
async function build() {
  say("setup: dist/ is " + (existsSync(DIST) ? "older than the sources" : "missing") + ", building");
  const stamp = buildStamp();
  const fresh = join(CACHE, "dist-" + process.pid);
  const output = [];
  const status = await child(process.execPath, [join("node_modules", "tsdown", "dist", "run.mjs"), "--out-dir", fresh], { output });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(Buffer.concat(output).toString("utf8") + "setup: the build failed; nothing was started.");
  }
  writeFileSync(join(fresh, ".cordon-stamp"), stamp);
  const old = fresh + "-old";
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(fresh, DIST);
  rmSync(old, { recursive: true, force: true });
}

// --- one at a time ----------------------------------------------------------------------------------------------------------------------

/** Two terminals may start at once; the second waits and then finds the work done. The folder is the lock: mkdir either makes it or fails. */
async function alone(work) {
  const lock = join(CACHE, "setup.lock");
  mkdirSync(CACHE, { recursive: true });
  for (let waited = false; !take(lock); waited = true) {
    if (!waited) say("setup: another cordon set-up is at work here, waiting for it");
    if (abandoned(lock)) release(lock);
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await work();
  } finally {
    release(lock);
  }
}

function take(lock) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  writeFileSync(join(lock, "pid"), String(process.pid));
  return true;
}

/** Its owner is gone, or it is so old that the number now belongs to somebody else. */
function abandoned(lock) {
  let age;
  try {
    age = Date.now() - statSync(lock).mtimeMs;
  } catch {
    return false; // released while we looked
  }
  if (age > 30 * 60_000) return true;
  const pid = Number(read(join(lock, "pid")));
  if (!pid) return age > 10_000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Renamed before it is removed, so that of two who both find it abandoned only one takes it away. */
function release(lock) {
  const mine = lock + "-" + process.pid + "-" + process.hrtime.bigint();
  try {
    renameSync(lock, mine);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  rmSync(mine, { recursive: true, force: true });
}

// --- small things -----------------------------------------------------------------------------------------------------------------------

function tooOld(version) {
  const [major, minor] = version.split(".").map(Number);
  return major < 20 || (major === 20 && minor < 19);
}

/** Runs one of our own scripts in this process: signals, the terminal and the exit status are then its own. */
async function become(script, argv) {
  process.argv.splice(1, process.argv.length, join(ROOT, script), ...argv);
  await import(pathToFileURL(join(ROOT, script)).href);
}

function run(argv, env = {}) {
  return child(process.execPath, argv, { env: { ...process.env, ...env }, stdio: "inherit" });
}

/** Runs a program in the repository's folder; resolves with its exit status. `output` collects what it prints instead of showing it. */
function child(file, argv, { output, ...options }) {
  return new Promise((resolve, reject) => {
    const started = spawn(file, argv, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], ...options });
    if (output) for (const stream of [started.stdout, started.stderr]) stream.on("data", (chunk) => output.push(chunk));
    const pass = (signal) => started.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, pass);
    started.on("error", reject);
    started.on("close", (status, signal) => {
      for (const each of signals) process.off(each, pass);
      resolve(status === null ? 128 + (signal === "SIGINT" ? 2 : 15) : status);
    });
  });
}

function digest(paths) {
  const hash = createHash("sha256");
  for (const path of paths)
    hash.update(path.slice(ROOT.length) + "\0" + createHash("sha256").update(readFileSync(path)).digest("hex") + "\n");
  return hash.digest("hex");
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]));
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

function say(line) {
  process.stderr.write(line + "\n");
}
