/** `cordon watch` in the foreground: the first look at everything, what comes to light later, and its end. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { run } from "../../src/surface/cli/cli.ts";
import { alertsIn } from "../kit/alerts.ts";
import { tempFolder } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { openFixture, openGate, openProduct } from "./open.ts";

test("it says what is wrong at once, tells whoever is to be told, and ends with what it found", async () => {
  const folder = tempFolder({});
  const told = join(folder, "alerts.jsonl");
  const config = `policy:\n  mode: { monitor: { owner: mara, expires: 2026-06-01 } }\nnotify:\n  - { name: log, file: ${JSON.stringify(told)} }\n`;
  const { product, fixture, gate, get } = await openGate({ config });
  expect((await get("/p/site/npm/axios/-/axios-1.14.1.tgz")).status).toBe(200);
  await gate.close();
  fixture.withdraw("axios", "1.14.1");
  expect((await product.cordon(["watch", "--once"])).code).toBe(3);
  fixture.clock.advance("11m");

  let stop: (why: string) => void = () => undefined;
  const world = { ...product.world, stopped: () => new Promise<string>((resolve) => (stop = resolve)), liveGate: async () => undefined };
  let said = "";
  const io = {
    stdout: (text: string) => void (said += text),
    stderr: () => undefined,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    stdinIsTerminal: false,
    env: {},
    cwd: folder,
    ask: async () => undefined,
  };
  const ended = run(["watch"], io, world);
  onTestFinished(() => stop("over"));
  await until(
    () => said,
    (text) => text.includes("Looked at"),
  );
  expect(said).toContain("cordon watch · tells log");
  expect(said).toContain("WITHDRAWN   axios@1.14.1   the registry took it back");
  const alerts = await until(
    () => alertsIn(told),
    (lines) => lines.length > 0,
  );
  expect(alerts).toMatchObject([{ what: "version-withdrawn", version: "1.14.1", next: "cordon exposure axios-2026" }]);

  // A colleague denies it: that is told too, without another look at the registry.
  const denied = await product.cordon(["deny", "add", "axios@1.14.1", "--reason", "incident 12"], {
    terminal: true,
    answers: ["axios@1.14.1"],
  });
  expect(denied.code, denied.stderr).toBe(0);
  await until(
    () => said,
    (text) => text.includes("incident 12"),
  );
  expect(said).toContain("WITHHELD    axios@1.14.1   denied here by mara: incident 12");
  stop("SIGINT");
  expect(await ended).toBe(1);
});

test("a feed whose time has come is read first, and one that cannot be read is named", async () => {
  const folder = tempFolder({ "feed.ndjson": "" });
  const feed = join(folder, "feed.ndjson");
  const fixture = await openFixture();
  const config = `feeds:\n  - { name: own, path: ${JSON.stringify(feed)} }\n  - { name: away, path: ${JSON.stringify(join(folder, "nothing.ndjson"))} }\n`;
  const product = await openProduct({ fixture, config });
  const ran = await product.cordon(["watch", "--once"]);
  expect(ran.code, ran.stdout).toBe(3);
  expect(ran.stdout).toContain("feed away could not be read");
  writeFileSync(feed, "{");
  expect((await product.cordon(["watch", "--once", "--offline"])).code).toBe(3);
});

test("beside a gate that stays there is nothing to watch", async () => {
  const { product } = await openGate({ gate: { announce: true } });
  const ran = await product.cordon(["watch"]);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("watches by itself");
});
