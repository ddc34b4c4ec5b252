/** The command line by itself: a command is known by its name alone, and whoever asks for help hears of all of them. */
import { expect, test } from "vitest";
import { openWorld } from "../../main.ts";
import { COMMANDS, run } from "./cli.ts";

async function typed(...argv: readonly string[]) {
  const said = { out: "", err: "" };
  const io = {
    stdout: (text: string) => void (said.out += text),
    stderr: (text: string) => void (said.err += text),
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    stdinIsTerminal: false,
    env: {},
    cwd: "/",
    ask: async () => undefined,
  };
  return { status: await run(argv, io, openWorld({ env: {}, cwd: "/", home: "/" })), ...said };
}

test("each command says the same of itself by its name and by help", async () => {
  for (const [name, { usage, summary }] of Object.entries(COMMANDS)) {
    const own = await typed(name, "--help");
    expect(own).toMatchObject({ status: 0, err: "", out: expect.stringContaining(`Usage: cordon ${usage.split(" ")[0]}`) });
    expect(own.out.replace(/\s+/g, " ")).toContain(summary);
    expect(await typed("help", name)).toEqual(own);
    expect(await typed("--offline", name, "--help")).toEqual(own);
    expect(await typed(name, "--no-such-option")).toMatchObject({ status: 2, out: "", err: expect.stringContaining("unknown option") });
  }
});

test("help lists every command, and a wrong one is told which was meant", async () => {
  const { status, out } = await typed("--help");
  expect(status).toBe(0);
  for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^ +${name} `, "m"));
  expect(await typed("chekc")).toMatchObject({ status: 2, err: expect.stringContaining("check") });
  expect(await typed("toString")).toMatchObject({ status: 2, err: expect.stringContaining("unknown command") });
});
