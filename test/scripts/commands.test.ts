/** What transcripts cannot show: colours, files that a command writes and another reads, and how a bug ends. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMANDS, run } from "../../src/surface/cli/cli.ts";
import type { Io } from "../../src/surface/cli/io.ts";
import { baseOf, openFixture, openProduct, receive } from "../gate/open.ts";

function terminal(env: Readonly<Record<string, string>> = {}): Io & { said: string } {
  const io = {
    said: "",
    stdout: (text: string) => void (io.said += text),
    stderr: (text: string) => void (io.said += text),
    stdoutIsTerminal: true,
    stderrIsTerminal: true,
    stdinIsTerminal: true,
    env: { TZ: "UTC", TERM: "xterm-256color", ...env },
    cwd: "/",
    ask: async () => undefined,
  };
  return io;
}

test("colours on a terminal, none with NO_COLOR or a dumb one, none through a pipe", async () => {
  const product = await openProduct({ fixture: await openFixture() });
  const said = async (io: Io & { said: string }): Promise<string> => {
    await run(["why", "axios@1.14.1"], io, product.world);
    return io.said;
  };
  const plain = (await product.cordon(["why", "axios@1.14.1"])).stdout;
  expect(plain).not.toContain("\u001b");
  const coloured = await said(terminal());
  expect(coloured).toContain("\u001b[33mHELD\u001b[39m");
  // eslint-disable-next-line no-control-regex
  expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(plain);
  expect(await said(terminal({ NO_COLOR: "1" }))).toBe(plain);
  expect(await said(terminal({ TERM: "dumb" }))).toBe(plain);
  expect(await said({ ...terminal(), stdoutIsTerminal: false } as Io & { said: string })).not.toContain("\u001b[33m");
});

test("times are told in the reader's zone, with UTC beside it", async () => {
  const product = await openProduct({ fixture: await openFixture() });
  const io = terminal({ NO_COLOR: "1", TZ: "Europe/Berlin" });
  await run(["why", "axios@1.14.1"], io, product.world);
  expect(io.said).toMatch(/opens 3 Apr 02:21 \S+ = 00:21 UTC \(in 2 d 23 h\)/);
});

test("every command has an example in its help, and one that reads speaks JSON with a schema", async () => {
  const product = await openProduct({ fixture: await openFixture() });
  for (const [name, { example }] of Object.entries(COMMANDS)) {
    const help = await product.cordon([name, "--help"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain(`Example: ${example}`);
    for (const flag of ["--json", "--data <dir>", "--config <file>", "--upstream <url>", "--offline"])
      expect(help.stdout, name).toContain(flag);
  }
  const reads = [
    "held",
    "waiver list",
    "deny list",
    "freeze",
    "policy show",
    "policy explain",
    "policy check",
    "policy init",
    "ledger tail",
    "ledger verify",
    "ledger head",
    "token list",
    "why axios@1.14.1",
  ];
  for (const line of reads) {
    const { stdout, stderr } = await product.cordon([...line.split(" "), "--json"]);
    expect(JSON.parse(stdout), line).toMatchObject({ schema: expect.stringMatching(/^cordon\.[a-z-]+\/1$/) });
    expect(stderr, line).toBe("");
  }
});

test("what `policy init` writes is a policy that checks, and its schema line names the schema", async () => {
  const fixture = await openFixture();
  const product = await openProduct({ fixture });
  const template = (await product.cordon(["policy", "init"])).stdout;
  expect(template).toMatch(/^# yaml-language-server: \$schema=\.\/cordon\.schema\.json\n/);
  const file = join(product.home, "cordon.yaml");
  writeFileSync(file, template);
  const checked = await product.cordon(["policy", "check", "--config", file]);
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse((await product.cordon(["policy", "schema"])).stdout)).toMatchObject({ type: "object", additionalProperties: false });
  const { stdout } = await product.cordon(["policy", "show"]);
  expect(stdout).toMatch(
    /^policy balanced · enforce · new versions wait 3 d · [0-9a-f]{12}\n {2}upstream\.url +http:\S+ +from CORDON_UPSTREAM\n/,
  );
});

test("a ledger that was cut, changed or rolled back is told from one that is whole", async () => {
  const fixture = await openFixture();
  const product = await openProduct({ fixture });
  const gate = await product.gate();
  await receive(baseOf(gate), "/axios/-/axios-1.14.0.tgz");
  await gate.close();
  const early = readFileSync(join(product.data, "ledger.db"));
  const again = await product.gate();
  await receive(baseOf(again), "/axios/-/axios-1.14.1.tgz");
  await receive(baseOf(again), "/axios/-/axios-1.13.6.tgz");
  await again.close();

  const head = join(product.home, "head.json");
  writeFileSync(head, (await product.cordon(["ledger", "head"])).stdout);
  const rows = (await product.cordon(["ledger", "export"])).stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { entry: { kind: string } });
  expect(rows.filter(({ entry }) => entry.kind === "serve")).toHaveLength(2);
  expect(await product.cordon(["ledger", "verify", "--head", head])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^whole {3}\d+ rows in 2 chains/),
  });

  // The disk of an hour ago: whole by itself, but not the one the head was taken from.
  const restored = join(product.home, "restored");
  cpSync(product.data, restored, { recursive: true });
  for (const rest of ["ledger.db-wal", "ledger.db-shm"]) rmSync(join(restored, rest), { force: true });
  writeFileSync(join(restored, "ledger.db"), early);
  expect((await product.cordon(["ledger", "verify", "--data", restored])).code).toBe(0);
  const rolled = await product.cordon(["ledger", "verify", "--data", restored, "--head", head, "--json"]);
  expect(rolled.code).toBe(1);
  expect((JSON.parse(rolled.stdout) as { problems: unknown[] }).problems.length).toBeGreaterThan(0);
});

test("a bug ends with 70, says so, and keeps secrets", async () => {
  const product = await openProduct({ fixture: await openFixture() });
  const broken = { ...product.world, open: () => Promise.reject(new TypeError("cannot read npm_abcdefghijklmnopqrstuvwxyz0123456789")) };
  const io = terminal({ NO_COLOR: "1" });
  expect(await run(["held"], io, broken)).toBe(70);
  expect(io.said).toMatch(
    /^cordon: this is a bug, and nothing was decided from it\. Please report it\.\nTypeError: cannot read \[secret\]\n/,
  );
  const json = terminal();
  expect(await run(["held", "--json"], json, broken)).toBe(70);
  expect(JSON.parse(json.said)).toMatchObject({ schema: "cordon.error/1", code: "BUG" });
});
