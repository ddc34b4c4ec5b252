/** What `deploy/` promises against what the product does. */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import { SECOND } from "../../src/core/base/time.ts";
import { COMMANDS } from "../../src/surface/cli/cli.ts";
import { text } from "./tree.ts";

const unit = text("deploy/cordon.service");
const container = text("deploy/Containerfile");

test("systemd waits longer than the gate drains", () => {
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  expect(seconds * SECOND).toBeGreaterThan(LIMITS.drainMs);
});

test("the image installs without install scripts and runs as nobody special", () => {
  const installs = container.split("\n").filter((line) => /^RUN .*npm/.test(line));
  expect(installs.length).toBeGreaterThan(0);
  for (const line of installs) expect(line).toContain("--ignore-scripts");
  expect(/^USER (\S+)$/m.exec(container)?.[1]).toBe("node");
});

test("the port is the gate's own default", () => {
  const port = /default [\d.]+:(\d+)/.exec(JSON.stringify(COMMANDS["gate"]))?.[1];
  expect(container).toContain(`EXPOSE ${port}\n`);
  expect(container).toContain(`http://127.0.0.1:${port}/-/cordon/health`);
});
