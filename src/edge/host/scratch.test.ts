import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compiled } from "../../../test/kit/compiled.ts";
import { tree } from "../../../test/kit/tree.ts";
import { inScratch } from "./scratch.ts";

const sh = (script: string) => ["/bin/sh", ["-c", script]] as const;
const env = { PATH: process.env["PATH"] ?? "" };

test("the folder is there during the work and gone after it, also when the work fails", async () => {
  const temporary = tree();
  const seen = await inScratch(temporary, async (folder) => [existsSync(folder), folder.startsWith(temporary)]);
  expect(seen).toEqual([true, true]);
  await expect(inScratch(temporary, async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(readdirSync(temporary)).toEqual([]);
});

test("output is kept to its ceiling, the end of it", async () => {
  const { output } = await inScratch(tree(), (cwd, run) =>
    run(...sh("yes 0123456 | head -c 200000; echo end"), { cwd, env, ceiling: 60_000 }),
  );
  expect(output.length).toBe(64_000);
  expect(output.endsWith("end\n")).toBe(true);
});

test("told to end, it takes the folder and the program with it and dies of that signal", async () => {
  const temporary = tree();
  const script = `
    import { inScratch } from ${JSON.stringify(compiled("edge/host/scratch.ts"))};
    await inScratch(${JSON.stringify(temporary)}, (cwd, run) => run("/bin/sh", ["-c", "echo started >&2; touch " + ${JSON.stringify(join(temporary, "running"))} + "; sleep 60"], { cwd, env: { PATH: process.env.PATH }, ceiling: 60_000 }));
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", (_status, signal) => resolve(signal)));
  while (!existsSync(join(temporary, "running"))) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(readdirSync(temporary)).toHaveLength(2);
  child.kill("SIGTERM");
  expect(await ended).toBe("SIGTERM");
  expect(readdirSync(temporary)).toEqual(["running"]);
});
