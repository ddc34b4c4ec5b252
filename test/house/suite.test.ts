/** `tools/suite.mjs` counts what vitest counts and what it does not: a file that fails to load is a failure, no files are no success. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./tree.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "cordon-suite-")));
afterAll(() => rmSync(home, { recursive: true, force: true }));

beforeAll(() => {
  for (const path of ["tools/suite.mjs", "tools/build-constants.ts", "vitest.long.config.ts", "package.json"])
    cpSync(join(ROOT, path), join(home, path));
  cpSync(join(ROOT, "packs"), join(home, "packs"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(home, "node_modules"));
});

function write(path: string, ...lines: readonly string[]): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), [`import { expect, test } from "vitest";`, ...lines].join("\n"));
}

function suite(...argv: readonly string[]): Promise<{ readonly status: unknown; readonly out: string }> {
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      [join(home, "tools", "suite.mjs"), ...argv],
      { cwd: tmpdir(), env: { ...process.env, NO_COLOR: "1" } },
      (error, stdout) => resolve({ status: error ? error.code : 0, out: stdout }),
    ),
  );
}

test("a suite without files is named, not passed", async () => {
  expect(await suite("kill")).toEqual({
    status: 0,
    out: expect.stringMatching(/^EMPTY {3}kill: [^]*no tests yet[^]*\n0 passed, 0 failed\n$/m),
  });
});

test("passes, failures, files that do not load and tests that did not run are all counted", async () => {
  write(
    "test/fuzz/mixed.test.ts",
    `test("good", () => {});`,
    `test("bad", () => expect(1).toBe(2));`,
    `test.runIf(false)("absent", () => {});`,
  );
  write("test/fuzz/unloaded.test.ts", `throw new Error("cannot load");`);
  const { status, out } = await suite("fuzz");
  expect(status).toBe(1);
  expect(out).toContain("test/fuzz/unloaded.test.ts failed as a whole: cannot load");
  expect(out).toMatch(/1 NOT RUN:\n +absent\n/);
  expect(out).toMatch(/\n1 passed, 2 failed\n$/);
});

test("a path chooses within the suite; an error outside every test is a failure", async () => {
  write(
    "test/fuzz/late.test.ts",
    `test("good", () => void setTimeout(() => { throw new Error("late"); }, 5));`,
    `test("waits", () => new Promise((done) => setTimeout(done, 50)));`,
  );
  expect(await suite("fuzz", "late")).toEqual({ status: 1, out: expect.stringMatching(/although no test failed\n2 passed, 1 failed\n$/) });
});
