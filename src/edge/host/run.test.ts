/** A client is started with our streams and without a shell; how it ended is how we end. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { compiled } from "../../../test/kit/compiled.ts";
import { tree } from "../../../test/kit/tree.ts";
import { askClient, exitStatus, runClient } from "./run.ts";

const NODE = process.execPath;

function ended(script: string) {
  return runClient({ binary: NODE, argv: ["-e", script], directory: tree(), env: {} });
}

function ask(script: string) {
  return askClient({ binary: NODE, argv: ["-e", script], directory: tree(), env: {} });
}

test("arguments and environment arrive as they are; nothing reads them as a command line", async () => {
  const root = tree();
  const script = "require('fs').writeFileSync('got', JSON.stringify([process.argv.slice(1), process.cwd(), process.env]))";
  const argv = ["a b", "$HOME", "`x`", "'", '"', "*", ""];
  const outcome = await runClient({ binary: NODE, argv: ["-e", script, ...argv], directory: root, env: { ONLY: "this" } });
  expect(outcome).toEqual({ kind: "exited", status: 0 });
  const [got, directory, env] = JSON.parse(fs.readFileSync(path.join(root, "got"), "utf8")) as [string[], string, Record<string, string>];
  expect(got).toEqual(argv);
  expect(directory).toBe(root);
  expect(env).toEqual({ ONLY: "this" });
});

test("the client's own status, or its signal as a shell would count it", async () => {
  expect(exitStatus(await ended("process.exitCode = 7"))).toBe(7);
  const killed = await ended("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)");
  expect(killed).toEqual({ kind: "signalled", signal: "SIGTERM" });
  expect(exitStatus(killed)).toBe(143);
});

test("a client that cannot be started is named", async () => {
  const root = tree({ plain: "no program" });
  await expect(runClient({ binary: path.join(root, "none"), argv: [], directory: root, env: {} })).rejects.toMatchObject({
    code: "CLIENT_MISSING",
  });
  await expect(runClient({ binary: path.join(root, "plain"), argv: [], directory: root, env: {} })).rejects.toMatchObject({
    code: "CLIENT_MISSING",
  });
});

test("a signal sent to us reaches the client, and we live to tell how it ended", async () => {
  const root = tree({
    "outer.mjs": `
      import { exitStatus, runClient } from ${JSON.stringify(compiled("edge/host/run.ts"))};
      const script = "process.on('SIGTERM', () => { console.log('client got it'); process.exit(5) }); console.log('ready'); setInterval(() => {}, 1000)";
      const outcome = await runClient({ binary: process.execPath, argv: ["-e", script], directory: ".", env: {} });
      console.log("outer saw", exitStatus(outcome));
      process.exitCode = exitStatus(outcome);
    `,
  });
  const outer = spawn(NODE, [path.join(root, "outer.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  outer.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes("ready") && !said.includes("got it")) outer.kill("SIGTERM");
  });
  const status = await new Promise((resolve) => outer.once("close", resolve));
  expect(said.trim().split("\n")).toEqual(["ready", "client got it", "outer saw 5"]);
  expect(status).toBe(5);
});

test("asking a client: its answer, or nothing when it fails, is silent or says too much", async () => {
  expect(await ask("console.log(' 1.2.3 ')")).toBe("1.2.3");
  expect(await ask("console.log('1.2.3'); process.exitCode = 1")).toBeUndefined();
  expect(await ask("")).toBeUndefined();
  expect(await ask("process.stdout.write('x'.repeat(1e6)); setInterval(() => {}, 1000)")).toBeUndefined();
  expect(await askClient({ binary: "/nonexistent", argv: [], directory: tree(), env: {} })).toBeUndefined();
});
