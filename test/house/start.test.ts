/** `npm start`, and every line it prints, each typed into a terminal of its own: an empty home, an ephemeral gate, a registry of the test's. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CORDON, cordonEnv, startBuiltGate } from "../kit/built.ts";
import { startFixture } from "../kit/fixture.ts";
import { tempFolder } from "../kit/temp.ts";
import { ROOT } from "./tree.ts";

/** util-linux has it wherever there is a Debian; it lends a program a terminal. */
const script = spawnSync("script", ["--version"], { encoding: "utf8" });
const hasTerminals = script.status === 0 && script.stdout.includes("util-linux");
if (!hasTerminals) console.warn("\n!!! there is no `script` of util-linux here: the lines that `npm start` prints were NOT RUN\n");

test.skipIf(!hasTerminals)("every line that npm start prints works as it stands in a new terminal", { timeout: 180_000 }, async () => {
  const fixture = await startFixture({
    packages: 'published 2024-01-01T00:00:00Z by maker\n-- package.json --\n{ "name": "leaf", "version": "1.0.0" }\n',
    at: new Date().toISOString(),
  });
  onTestFinished(() => fixture.stop());
  // A registry other than npm's own stands in lockfiles by its host, past every gate; who has one leaves the hosts out.
  const home = tempFolder({ ".npmrc": "omit-lockfile-registry-resolved=true\n" });
  const project = tempFolder({ "package.json": { name: "site", version: "1.0.0", dependencies: { leaf: "^1.0.0" } } });
  const env = cordonEnv(home, fixture.url, 0);
  const gate = await startBuiltGate(env, [join(ROOT, "tools", "setup.mjs"), "start"]);

  await expect.poll(gate.stdout).toContain("cordon doctor\n");
  const lines = gate
    .stdout()
    .split("\n")
    .slice(1)
    .filter((line) => line !== "");
  const commands = lines.map((line) => /^ {2}\S.*? {2,}(\S.*)$/.exec(line)?.[1] ?? `not a label and a command: ${line}`);
  expect(commands).toEqual([`export PATH="${ROOT}/bin:$PATH"`, "cordon npm install", "cordon setup", "cordon doctor"]);

  /** What a person would have in a new terminal: no more than where the data is, since it is not in its usual place. */
  const person = { PATH: env["PATH"]!, HOME: home, CORDON_DATA: env["CORDON_DATA"]!, TERM: "xterm", SHELL: "/bin/sh" };
  const [path = "", ...rest] = commands;
  expect(await typed(`${path}; command -v cordon`, person, project)).toMatchObject({ status: 0, screen: `${ROOT}/bin/cordon` });

  const shown = new Map<string, string>();
  for (const command of rest) {
    const { status, screen } = await typed(`${path}; ${command}`, person, project, "y");
    expect(status, `${command}\n${screen}`).toBe(0);
    shown.set(command, screen);
  }
  expect(shown.get("cordon npm install")).toContain("1 version checked, none withheld");
  expect(existsSync(join(project, "node_modules", "leaf", "package.json"))).toBe(true);
  expect(shown.get("cordon setup")).toContain("wrote .npmrc");
  expect(shown.get("cordon doctor")).toMatch(/^ACTIVE +npm/m);

  gate.child.kill("SIGINT");
  expect(await gate.ended()).toEqual([0, null]);
});

test("the command on PATH is found behind symbolic links", () => {
  const folder = tempFolder();
  symlinkSync(join(ROOT, "bin", "cordon"), join(folder, "first"));
  symlinkSync("first", join(folder, "cordon"));
  const run = spawnSync("cordon", ["--version"], { encoding: "utf8", env: { PATH: `${folder}:${process.env["PATH"]}` } });
  const straight = spawnSync(process.execPath, [join(ROOT, "bin", "cordon.js"), "--version"], { encoding: "utf8" });
  expect(run).toMatchObject({ status: 0, stdout: straight.stdout, stderr: "" });
});

test("a reader that has seen enough ends it without a word", async () => {
  const child = spawn(process.execPath, [CORDON, "incident", "list", "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  expect(await once(child, "close")).toEqual([0, null]);
  expect(said).toBe("");
});

/** Runs a line in a shell at a terminal; `answer` and Enter are typed ahead. The screen is what can be read on it at the end. */
function typed(
  line: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
  answer?: string,
): Promise<{ status: number | null; screen: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("script", ["--quiet", "--return", "--command", line, "/dev/null"], {
      cwd,
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    let screen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
    // Left open: the end of the input would hang up the terminal under the program.
    if (answer !== undefined) child.stdin.write(`${answer}\n`);
    child.on("error", reject);
    child.on("close", (status) => {
      // What was wiped from its line again, as progress is; then colours and the terminal's own line ends.
      const plain = screen
        .replaceAll(/[^\n]*\r\u001b\[2?K/g, "")
        .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, "")
        .trim();
      resolve({ status, screen: plain });
    });
  });
}
