import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../../../test/kit/temp.ts";
import { syncApart } from "./apart.ts";

function program(text: string) {
  const folder = tempFolder({ "cordon.mjs": text });
  return { program: join(folder, "cordon.mjs"), flags: ["--data", "/var/lib/it"], env: { PATH: process.env["PATH"] }, cwd: folder };
}

const never = new AbortController().signal;

test("a process of its own is asked for what is due, with the same data directory, and its outcomes are read", async () => {
  const says = program(
    "console.log(JSON.stringify({ feeds: [{ name: process.argv.slice(2).join(' '), result: 'read' }] })); process.exitCode = 1;",
  );
  expect(await syncApart(says, never)).toMatchObject([{ name: "feeds sync --due --json --data /var/lib/it", result: "read" }]);
});

test("one that says nothing that can be read is an error with its last words", async () => {
  await expect(syncApart(program("console.error('the disk is full'); process.exitCode = 2;"), never)).rejects.toThrow(
    "cordon feeds sync ended with 2: the disk is full",
  );
});

test("it ends when it is told to", async () => {
  const stop = new AbortController();
  const waiting = syncApart(program("setTimeout(() => {}, 60_000);"), stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow(/abort/i);
});
