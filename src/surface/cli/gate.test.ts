/** `cordon gate` as the process that starts it sees it. What it serves is tested in test/gate. */
import { expect, onTestFinished, test } from "vitest";
import { product } from "../../../test/kit/app.ts";
import { startFixture } from "../../../test/kit/fixture.ts";
import { run } from "./cli.ts";

test("a signal that comes the moment it says that it serves already ends it in order", async () => {
  const fixture = await startFixture({ packages: "axios", at: "2026-03-31T00:43:00Z" });
  onTestFinished(() => fixture.stop());
  const { world } = await product({ fixture });
  const order: string[] = [];
  const io = {
    stdout: () => void order.push("says that it serves"),
    stderr: () => undefined,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    stdinIsTerminal: false,
    env: {},
    cwd: "/",
    ask: async () => undefined,
  };
  const stopped = async () => {
    order.push("hears signals");
    return "SIGTERM";
  };
  expect(await run(["gate", "--listen", "127.0.0.1:0"], io, { ...world, stopped })).toBe(0);
  expect(order[0]).toBe("hears signals");
  expect(order).toContain("says that it serves");
});
