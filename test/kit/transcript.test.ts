/** The transcript runner: it shows what came, puts names for what differs, and fails when anything else does. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { testClock } from "./clock.ts";
import { startFixture } from "./fixture.ts";
import { send } from "./http.ts";
import { replay, type Stage, transcripts } from "./transcript.ts";

transcripts(fileURLToPath(new URL("transcripts", import.meta.url)), async () => {
  const registry = await startFixture({ packages: ["axios", "axios-after"], at: "2026-03-30T00:00:00Z" });
  return {
    clock: registry.clock,
    request: (request) => send(registry.url, request),
    verbs: { withdraw: registry.withdraw },
    names: { REGISTRY: registry.url },
    close: registry.stop,
  };
});

/** A program that says what it was given. */
const echo: Stage = {
  run: async (argv) => ({
    code: argv.includes("--fail") ? 3 : 0,
    stdout: `${argv.join("|")}\n`,
    stderr: argv.includes("--loud") ? "first\n\nlast\n" : "",
  }),
};

test("output, errors and status are written below the line that made them", async () => {
  const text = "# why\n$ say 'a b' --loud --fail\n> stale\nexit 9\n\n$ say {TMP}/x\n";
  expect(await replay(text, { ...echo, names: { TMP: "/some/where" } })).toBe(
    "# why\n$ say 'a b' --loud --fail\n> say|a b|--loud|--fail\n2> first\n2>\n2> last\nexit 3\n\n$ say {TMP}/x\n> say|{TMP}/x\n",
  );
});

test("a transcript that is right comes back as it went in, files too", async () => {
  const text = "$ say hello\n> say|hello\n-- package.json --\n{}\n\n-- src/x.js --\n1;\n";
  expect(await replay(text, echo)).toBe(text);
});

test("ports, scratch folders and milliseconds differ from run to run and are not shown", async () => {
  const text = "$ say http://127.0.0.1:49152/p /tmp/cordon-test-a1B2c3/y '12 ms' 'in 1.5 s' '2 d 3 h' 72h\n";
  expect((await replay(text, echo)).split("\n")[1]).toMatch(/^> say\|http:\/\/127\.0\.0\.1:PORT\/p\|\S+\/y\|N ms\|in N s\|2 d 3 h\|72h$/);
});

test("time is a verb", async () => {
  const clock = testClock("2026-01-01T00:00:00Z");
  await replay("at 2026-03-31T00:00:00Z\nadvance 3d\n", { clock });
  expect(new Date(clock.now()).toISOString()).toBe("2026-04-03T00:00:00.000Z");
});

test("what cannot be played is an error, never skipped", async () => {
  for (const line of ["advance 3d", "$ say", "GET /x", "withdraw x"])
    await expect(replay(`${line}\n`, {}), line).rejects.toThrow(`cannot play "${line}"`);
});
