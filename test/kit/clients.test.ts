/** How the suites run programs: with nothing of this machine's environment, and never for longer than allowed. */
import { expect, test, vi } from "vitest";
import { npmOnPath, runClient, runProgram } from "../clients/clients.ts";
import { tempFolder } from "./temp.ts";

test("a client sees the home it was given, what the test adds, and nothing of ours", async () => {
  vi.stubEnv("CI", "true");
  vi.stubEnv("npm_config_registry", "http://elsewhere.test/");
  vi.stubEnv("HTTPS_PROXY", "http://proxy.test/");
  const home = tempFolder();
  const run = await runClient({ ...npmOnPath(), command: ["env"] }, [], { cwd: home, home, env: { ADDED: "yes", LANG: undefined } });
  const lines = run.stdout.split("\n");
  expect(lines).toEqual(expect.arrayContaining([`HOME=${home}`, "ADDED=yes"]));
  expect(lines.filter((line) => /^(CI|npm_config_registry|HTTPS_PROXY|LANG)=/i.test(line))).toEqual([]);
});

test("npm keeps its global configuration, its global installs and its cache below that home", async () => {
  const home = tempFolder();
  const run = await runClient(npmOnPath(), ["config", "list", "--long", "--json"], { cwd: home, home });
  const config = JSON.parse(run.stdout) as Record<string, string>;
  for (const key of ["globalconfig", "prefix", "cache", "userconfig"]) expect(config[key], key).toMatch(new RegExp(`^${home}/`));
});

test("what runs too long is killed with everything it started", async () => {
  // The grandchild holds the output open: were it left alive, this would not end before the test's own limit.
  const run = await runProgram("sh", ["-c", "sleep 600 & echo late >&2; wait"], {
    cwd: tempFolder(),
    env: { PATH: process.env["PATH"] },
    timeout: 300,
  });
  expect(run).toMatchObject({ code: null, timedOut: true, stderr: "late\n" });
});
