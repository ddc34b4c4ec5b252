/**
 * Runs test suites and counts them: `node tools/suite.mjs clients [vitest arguments]` for one, `--ci` for all of them in turn.
 * A suite that times out, crashes or cannot start counts as a failure; one without files is named and counts as nothing.
 * The last line is always `N passed, N failed`.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPORTS = join(ROOT, ".cache", "reports");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const CLIENTS = join(ROOT, ".cache", "clients");
const MINUTE = 60_000;
/** All suites together; CI allows 40 minutes. */
const BUDGET = 38 * MINUTE;
/** Suites that run what is not ours, other people's clients and a registry: only there may a failure be somebody else's. */
const OTHERS = new Set(["clients", "live"]);
/** More failures than this in one of them are no accident. */
const AGAIN = 3;

/** The long suites by name: the folder under `test/`, and the longest each may take. */
const LONG = { clients: 16 * MINUTE, live: 8 * MINUTE, kill: 6 * MINUTE, fuzz: 5 * MINUTE };
/** Other Node versions the unit tests must pass on, as pinned in test/clients/pins.json. */
const NODES = ["node-22", "node-24", "node-26"];

const [first, ...rest] = process.argv.slice(2);
if (first === "--ci") process.exitCode = await everything();
else if (first in LONG) process.exitCode = verdict([await long(first, LONG[first], rest)]);
else {
  console.error("usage: node tools/suite.mjs --ci | " + Object.keys(LONG).join(" | ") + " [vitest arguments]");
  process.exitCode = 2;
}

/** The README's test command, then the rest, each within what is left of the budget. */
async function everything() {
  const started = performance.now();
  const left = (wanted) => Math.max(0, Math.min(wanted, BUDGET - (performance.now() - started)));
  const results = [];

  results.push(await suite("unit", ["npm", "test", "--"], left(8 * MINUTE)));
  const fetched = await timed(process.execPath, [join(ROOT, "test", "clients", "fetch.mjs")], left(10 * MINUTE));
  if (fetched.status !== 0) results.push(failure("fetching the pinned clients", fetched));
  for (const [folder, limit] of Object.entries(LONG)) {
    const result = await long(folder, left(limit), []);
    results.push(OTHERS.has(folder) ? await again(result, (paths) => long(folder, left(limit), paths, `${folder} again`)) : result);
  }
  for (const id of NODES) {
    const binary = pinnedNode(id);
    if (!binary) results.push({ name: `unit on ${id}`, passed: 0, failed: 1, notes: ["its binary is not in .cache/clients"] });
    else
      results.push(
        await suite(`unit on ${id}`, [binary, VITEST, "run"], left(5 * MINUTE), { PATH: dirname(binary) + delimiter + process.env.PATH }),
      );
  }
  return verdict(results);
}

async function long(suiteFolder, limit, argv, name = suiteFolder) {
  const folder = join(ROOT, "test", suiteFolder);
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(".test.ts")) : [];
  if (files.length === 0) return { name, passed: 0, failed: 0, notes: ["has no tests yet: nothing was shown"] };
  // vitest takes paths and options; a path here is one below the suite's folder, none is all of it.
  const paths = argv.filter((word) => !word.startsWith("-"));
  const prefix = `test/${suiteFolder}/`;
  const wanted = (paths.length > 0 ? paths : [""]).map((path) => (path.startsWith(prefix) ? path : prefix + path));
  const options = argv.filter((word) => word.startsWith("-"));
  return suite(name, [process.execPath, VITEST, "run", "--config", "vitest.long.config.ts", ...wanted, ...options], limit);
}

/**
 * The files of a few failed tests once more by themselves. What then passes counts as passed and is named as unstable with what it said, so
 * that it is mended; what fails again has failed. Never for tests of ours alone: a kill, a fuzz or a property that failed once has found something.
 */
async function again(result, run) {
  const { files = [], failed, told: said = [] } = result;
  if (failed === 0 || failed > AGAIN || files.length === 0) return result;
  const second = await run(files);
  if (second.failed > 0 || second.passed === 0) return { ...result, notes: [...result.notes, "failed again when run by itself"] };
  const others = result.notes.filter((note) => !said.includes(note));
  return {
    ...result,
    passed: result.passed + failed,
    failed: 0,
    notes: [...others, ...said.map((note) => `UNSTABLE, failed once and passed when run by itself: ${note}`)],
  };
}

/** Runs one vitest command and reads its JSON report. */
async function suite(name, [program, ...argv], limit, env = {}) {
  const report = join(REPORTS, name.replaceAll(" ", "-") + ".json");
  mkdirSync(REPORTS, { recursive: true });
  rmSync(report, { force: true });
  console.log(`\n=== ${name}`);
  if (limit < 10_000) return { name, passed: 0, failed: 1, notes: ["not started: the time for all suites is used up"] };
  const ended = await timed(program, [...argv, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`], limit, env);
  return count(name, ended, existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined);
}

/** What vitest counted, plus what it does not count as a test: a file that did not load, an error outside every test, a run without a report. */
function count(name, ended, report) {
  if (!report) return failure(name, ended);
  const { numPassedTests: passed, numFailedTests: failedTests, numPendingTests: skipped, testResults } = report;
  const unloaded = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((each) => each.status === "failed"),
  );
  const unstable = testResults.flatMap((file) =>
    file.assertionResults.filter((each) => each.status === "failed").map((each) => told(file, each)),
  );
  // A file that did not load has no test to look at again.
  const files = unloaded.length > 0 ? [] : testResults.filter((file) => file.status === "failed").map(within);
  const notes = [...unloaded.map((file) => `${within(file)} failed as a whole: ${file.message.split("\n")[0]}`), ...unstable];
  let failed = failedTests + unloaded.length;
  if (failed === 0 && ended.status !== 0) {
    failed = 1;
    notes.push(`vitest ended with ${ended.reason} although no test failed`);
  }
  if (skipped > 0) notes.push(`${skipped} NOT RUN:`, ...skippedNames(testResults));
  return { name, passed, failed, notes, files, told: unstable };
}

/** A test file's path in the repository. */
function within(file) {
  return file.name.slice(ROOT.length + 1);
}

/** A failed test by file, name and the beginning of what it said: whoever reads only the last lines of a run must find it. */
function told(file, test) {
  const said = (test.failureMessages ?? []).join("\n").split("\n").slice(0, 6).join("\n          ");
  return `${within(file)}: ${test.fullName}\n          ${said}`;
}

function skippedNames(testResults) {
  const names = testResults.flatMap((file) =>
    file.assertionResults.filter((each) => each.status === "skipped" || each.status === "pending").map((each) => `  ${each.fullName}`),
  );
  return names.length > 30 ? [...names.slice(0, 30), `  and ${names.length - 30} more`] : names;
}

function failure(name, ended) {
  return { name, passed: 0, failed: 1, notes: [`ended with ${ended.reason} and no report`] };
}

/** Prints one line a suite and the sum; the exit status. Nothing passed at all is no success either. */
function verdict(results) {
  console.log("");
  for (const { name, passed, failed, notes } of results) {
    console.log(`${failed > 0 ? "FAILED" : passed > 0 ? "passed" : "EMPTY "}  ${name}: ${passed} passed, ${failed} failed`);
    for (const note of notes) console.log(`        ${note}`);
  }
  const sum = (key) => results.reduce((total, each) => total + each[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
  return sum("failed") > 0 ? 1 : 0;
}

/** Runs a program in the repository's folder without input; at the limit its whole process group is ended. */
function timed(program, argv, limit, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, argv, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    let reason;
    const end = () => {
      reason = `a timeout after ${Math.round(limit / 1000)} s`;
      process.kill(-child.pid, "SIGKILL");
    };
    const timer = setTimeout(end, limit);
    const interrupted = (signal) => {
      process.kill(-child.pid, signal);
      process.exitCode = 130;
    };
    process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
    child.on("error", (error) => (reason = error.message));
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
      resolve({ status, reason: reason ?? (signal ? `signal ${signal}` : `status ${status}`) });
    });
  });
}

/** The fetched binary of a pinned Node, if it is here and runs. */
function pinnedNode(id) {
  const folder = existsSync(CLIENTS) ? readdirSync(CLIENTS).find((name) => name.startsWith(id + ".")) : undefined;
  const binary = folder && join(CLIENTS, folder, "bin", "node");
  return binary && existsSync(binary) && spawnSync(binary, ["--version"]).status === 0 ? binary : undefined;
}
