/** The rehearsal that `npm run rehearse` prints, as a test: with repositories of git and a second client, and with npm alone. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rehearse } from "../rehearsal/story.ts";
import { availableClients, missingClients, npmOnPath } from "./clients.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

const client = (id: string) => availableClients().filter((one) => one.id === id);

async function told(rehearsal: Omit<Parameters<typeof rehearse>[0], "say">): Promise<string> {
  let story = "";
  await rehearse({ ...rehearsal, say: (text) => void (story += text) });
  return story;
}

test.each(client("npm-11"))("$id and another client, in repositories of git", { timeout: 600_000 }, async (npm) => {
  const [other] = client("pnpm-11");
  const story = await told({ npm, other, git: true });
  expect(story).toContain("It is over.");
  // The README shows what it prints: the alert, word for word but for the clients that happened to be there.
  const alert = /cordon · axios@1\.14\.1 · version withdrawn: .*? · fetched/.exec(story)?.[0];
  expect(readFileSync(new URL("../../README.md", import.meta.url), "utf8")).toContain(alert);
});

test("the npm of this machine alone, without git: people make the way back", { timeout: 600_000 }, async () => {
  const story = await told({ npm: npmOnPath(), git: false });
  expect(story).toContain("npm pkg set");
  expect(story).toContain("It is over.");
});
