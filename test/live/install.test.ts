/**
 * The promise of the README against the real registry: `cordon npm install` and `cordon npm ci` of real projects, as a stranger runs
 * them (the built `bin/cordon.js`, an empty home, an empty client cache), through an empty gate, and again with the upstream cut off.
 * Whoever has no network is told so: nothing here passes without it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NPM_REGISTRY } from "../../src/core/config/constants.ts";
import type { LedgerRow } from "../../src/core/ledger/entry.ts";
import { runProgram } from "../clients/clients.ts";
import { CORDON } from "../kit/built.ts";
import { writeFiles } from "../kit/temp.ts";
import { type Line, openLine } from "./line.ts";
import { type LiveProject, PROJECTS, SAMPLE } from "./projects.ts";

/** Nobody's scripts run here, and npm's messages about itself are not what is looked at. */
const QUIET = ["--ignore-scripts", "--no-fund"];
const TIMEOUT = 240_000;

/** The machine's own settings, read before any home is emptied. */
const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
const outer = process.env["HTTPS_PROXY"] ?? process.env["https_proxy"];

if (!existsSync(SAMPLE)) console.warn(`\n!!! ${SAMPLE} is not here: no project with a lockfile of others is installed\n`);
test.skipIf(!existsSync(SAMPLE))("one of three projects comes with a lockfile of others", () => {
  expect(PROJECTS.filter(({ files }) => "package-lock.json" in files)).toHaveLength(1);
  expect(PROJECTS).toHaveLength(3);
});

beforeAll(async () => {
  const line = await openLine(outer);
  try {
    const asked = await npm(["view", "is-number", "version", "--fetch-retries=0"], { cwd: tmpdir(), home: temporary(), line });
    if (asked.code !== 0)
      throw new Error(`NO NETWORK, so the live tests show nothing: ${upstream} does not answer npm\n${asked.stderr.trimEnd()}`);
  } finally {
    await line.close();
  }
});

const rubbish: string[] = [];
afterAll(() => {
  for (const folder of rubbish) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "cordon-live-"));
  rubbish.push(folder);
  return folder;
}

describe.each(PROJECTS)("$title", ({ files }: LiveProject) => {
  let line: Line;
  beforeAll(async () => {
    line = await openLine(outer);
  });
  afterAll(() => line.close());

  /** As npm writes it without cordon, and as it stands once cordon's install is through: what `npm ci` is given. */
  let lockfile = "";

  test("cordon npm install, then again with the upstream cut off", { timeout: 2 * TIMEOUT }, async () => {
    const plain = project(files);
    const without = await npm(["install", ...QUIET, "--no-audit"], { cwd: plain, home: temporary(), line });
    expect(without, without.stderr).toMatchObject({ code: 0 });
    line.reset();

    const data = temporary();
    const first = await cordon(["install", ...QUIET], { files, data, line });
    expect(first.output, first.stderr).toMatchObject({ client: 0, exit: 0, installedWithheld: [], unreadable: [], undecided: [] });
    expectServed(first);
    expect(first.installed.length).toBeGreaterThanOrEqual(200);
    expect(line.opened()).toBeGreaterThan(0);
    lockfile = first.lockfile;
    expectPortable(lockfile, readFileSync(join(plain, "package-lock.json"), "utf8"), first.output);

    line.cut();
    line.reset();
    // npm's audit is a live question to the registry; everything else is answered from what the first run left.
    const second = await cordon(["install", ...QUIET, "--no-audit"], { files, data, line });
    expect(second.output, second.stderr).toMatchObject({ client: 0, exit: 0, heldBack: first.output.heldBack });
    expectServed(second);
    expect(second.lockfile).toBe(lockfile);
    expect(line.asked()).toBe(0);
    await expectWhole(data);
  });

  test("cordon npm ci, then again with the upstream cut off", { timeout: 2 * TIMEOUT }, async () => {
    expect(lockfile, "the install before left no lockfile").not.toBe("");
    const locked = { ...files, "package-lock.json": lockfile };
    line.mend();
    line.reset();

    const data = temporary();
    const first = await cordon(["ci", ...QUIET], { files: locked, data, line });
    expect(first.output, first.stderr).toMatchObject({
      client: 0,
      exit: 0,
      refused: [],
      installedWithheld: [],
      unreadable: [],
      undecided: [],
    });
    expectServed(first);
    expect(first.lockfile).toBe(lockfile);
    expect(line.opened()).toBeGreaterThan(0);

    line.cut();
    line.reset();
    const second = await cordon(["ci", ...QUIET], { files: locked, data, line });
    expect(second.output, second.stderr).toMatchObject({ client: 0, exit: 0, undecided: [] });
    expectServed(second);
    expect(second.lockfile).toBe(lockfile);
    // The one thing asked of the upstream is npm's audit, once; it is no reason to fail.
    expect({ asked: line.asked(), opened: line.opened() }).toEqual({ asked: second.audits, opened: 0 });
    await expectWhole(data);
  });
});

// --- what is run ------------------------------------------------------------------------------------------------------------------------

type Place = { readonly home: string; readonly line: Line };

function project(files: Readonly<Record<string, unknown>>): string {
  const folder = temporary();
  writeFiles(folder, files);
  return folder;
}

/** An empty home's environment, with the line as the only way out. How this machine reaches its registry is in its global npmrc and these. */
function environment({ home, line }: Place): Record<string, string> {
  const certificates = process.env["NODE_EXTRA_CA_CERTS"];
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    LANG: "C.UTF-8",
    npm_config_update_notifier: "false",
    HTTPS_PROXY: line.url,
    HTTP_PROXY: line.url,
    ...(upstream === NPM_REGISTRY ? {} : { npm_config_registry: upstream }),
    ...(certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates }),
  };
}

function npm(args: readonly string[], { cwd, ...place }: Place & { readonly cwd: string }) {
  return runProgram("npm", args, { cwd, env: environment(place), timeout: TIMEOUT });
}

type Report = {
  readonly client: number;
  readonly exit: number;
  readonly heldBack: readonly { readonly name: string; readonly version: string }[];
};

/** One wrapped run in a copy of the project with an empty home: what it reported, what it left, what the ledger got for it. */
async function cordon(
  args: readonly string[],
  { files, data, line }: { readonly files: Readonly<Record<string, unknown>>; readonly data: string; readonly line: Line },
) {
  const cwd = project(files);
  const home = temporary();
  const env = { ...environment({ home, line }), CORDON_DATA: data };
  const before = new Set((await ledger(data)).map(({ chain }) => chain));
  const started = performance.now();
  const { stderr, code } = await runProgram(process.execPath, [CORDON, "--json", "npm", ...args], { cwd, env, timeout: TIMEOUT });
  const report = stderr.split("\n").find((text) => text.startsWith('{"schema":"cordon.run/1"'));
  if (report === undefined) throw new Error(`cordon npm ${args.join(" ")} ended with ${code} and no report:\n${stderr}`);
  const output = JSON.parse(report) as Report;
  const entries = (await ledger(data)).filter(({ chain }) => !before.has(chain)).map(({ entry }) => entry);
  const serves = entries.flatMap((entry) => (entry.kind === "serve" ? [`${entry.name}@${entry.version}`] : [])).sort();
  console.log(
    `cordon npm ${args[0]}: ${serves.length} serves, ${line.opened()} connections upstream, ${Math.round((performance.now() - started) / 100) / 10} s`,
  );
  return {
    stderr,
    output,
    lockfile: readFileSync(join(cwd, "package-lock.json"), "utf8"),
    serves,
    fetched: fetched(home),
    installed: installed(cwd),
    audits: entries.filter(({ kind }) => kind === "tree").length,
  };
}

/** The registry entries of the lockfile that fit this machine, as npm's own record of what it installed has them: each name@version once. */
function installed(cwd: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(cwd, "node_modules", ".package-lock.json"), "utf8")) as {
    packages: Record<string, { name?: string; version: string; resolved?: string; link?: boolean; inBundle?: boolean }>;
  };
  const ofRegistry = Object.entries(packages).filter(([, one]) => one.resolved?.startsWith("http") && !one.link && !one.inBundle);
  return unique(ofRegistry.map(([path, { name, version }]) => `${name ?? path.split("node_modules/").at(-1)}@${version}`));
}

/** Every tarball npm's own log says it got over HTTP. One that stands in several places it may ask for as often. */
function fetched(home: string): string[] {
  const logs = join(home, ".npm", "_logs");
  return readdirSync(logs)
    .flatMap((file) => readFileSync(join(logs, file), "utf8").split("\n"))
    .flatMap((text) => {
      const [, name, version] = /http fetch GET 200 \S+?\/npm\/((?:@[^/]+\/)?[^/]+)\/-\/[^/]+?-(\d[^/]*)\.tgz /.exec(text) ?? [];
      return name === undefined ? [] : [`${decodeURIComponent(name)}@${version}`];
    })
    .sort();
}

function unique(specs: readonly string[]): string[] {
  return [...new Set(specs)].sort();
}

/** One row for each tarball npm got, and every entry of the lockfile among them. */
function expectServed({ serves, fetched, installed }: Awaited<ReturnType<typeof cordon>>): void {
  expect(serves).toEqual(fetched);
  expect(unique(serves)).toEqual(installed);
}

async function ledger(data: string): Promise<LedgerRow[]> {
  const { stdout } = await runProgram(process.execPath, [CORDON, "ledger", "export"], {
    cwd: data,
    env: { ...process.env, CORDON_DATA: data },
  });
  return stdout
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text) as LedgerRow);
}

async function expectWhole(data: string): Promise<void> {
  const verified = await runProgram(process.execPath, [CORDON, "ledger", "verify"], {
    cwd: data,
    env: { ...process.env, CORDON_DATA: data },
  });
  expect(verified, verified.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("whole") });
}

/** The same bytes as without cordon. Only when a version this young is in the tree may it differ, and then it is said. */
function expectPortable(lockfile: string, without: string, { heldBack }: Report): void {
  expect(lockfile).not.toMatch(/localhost|127\.0\.0\.1/);
  if (heldBack.length === 0) expect(lockfile).toBe(without);
  else {
    const held = heldBack.map(({ name, version }) => `${name}@${version}`);
    console.warn(
      `\n!!! ${held.join(", ")} younger than the hold: that the lockfile is npm's own byte for byte is NOT SHOWN for this project\n`,
    );
    for (const { name, version } of heldBack) expect(lockfile).not.toContain(`/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`);
  }
}
