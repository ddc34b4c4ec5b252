/** One rehearsal with what is on this machine, told to file descriptor 3: what vitest itself prints is not part of the story. */
import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { test } from "vitest";
import { availableClients, npmOnPath } from "../clients/clients.ts";
import { rehearse } from "./story.ts";

test("the rehearsal", { timeout: 600_000 }, async () => {
  const newest = (kind: "npm" | "pnpm") => availableClients(kind).find(({ id }) => id === `${kind}-11`);
  await rehearse({
    npm: newest("npm") ?? npmOnPath(),
    other: newest("pnpm"),
    git: spawnSync("git", ["--version"]).status === 0,
    say: (text) => void writeSync(3, text),
  });
});
