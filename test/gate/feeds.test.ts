/** What a feed says reaches a running gate: the version is denied within a second, two people may waive it, and nobody alone. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../kit/temp.ts";
import { releaseText } from "../kit/stage.ts";
import { until } from "../kit/until.ts";
import { openGate } from "./open.ts";

test("a report denies at a running gate, and takes two people to waive", async () => {
  const folder = tempFolder({});
  const feed = join(folder, "feed.ndjson");
  writeFileSync(feed, "");
  const { product, get } = await openGate({ config: `feeds:\n  - { name: own, path: ${JSON.stringify(feed)} }\n` });
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });
  const asked = () => get("/axios/-/axios-1.13.6.tgz");
  expect((await asked()).status).toBe(200);

  const affected = [{ package: { ecosystem: "npm", name: "axios" }, versions: ["1.13.6"] }];
  const origins = { "malicious-packages-origins": [{ source: "ghsa-malware" }, { source: "amazon-inspector" }] };
  writeFileSync(feed, `${JSON.stringify({ id: "MAL-1", affected, database_specific: origins })}\n`);
  expect((await product.cordon(["feeds", "sync"])).stdout).toMatch(/^own   1 record · 1 new · 0 changed · 0 withdrawn · 0 problems\n/);
  const answer = await until(asked, ({ status }) => status === 403);
  expect(answer.body.toString()).toContain("malware-report");
  expect((await product.cordon(["why", "axios@1.13.6"])).stdout).toContain("reported as malware by amazon-inspector, ghsa-malware");

  const admit = (owner: string) =>
    product.cordon(["admit", "axios@1.13.6", "--reason", "we read it", "--expires", "1d", "--owner", owner], {
      terminal: true,
      answers: ["axios@1.13.6"],
    });
  expect((await admit("mara")).stdout).toContain("is still held: a malware report is waived by two people");
  expect((await product.cordon(["why", "axios@1.13.6"])).code).toBe(1);
  expect((await admit("joe")).stdout).toContain("is let through until");
  expect(await until(asked, ({ status }) => status === 200)).toMatchObject({ status: 200 });
});

test.each([
  ["1d", 403, "a feed was last read 2026-03-31T00:43Z"],
  ["7d", 200, '"action":"allow"'],
])("a hold ends only on feeds that are young enough by their own maxAge: %s", async (maxAge, status, said) => {
  const feed = join(tempFolder({}), "feed.ndjson");
  writeFileSync(feed, "");
  const { product, fixture, get } = await openGate({
    config: `feeds:\n  - { name: own, path: ${JSON.stringify(feed)}, maxAge: ${maxAge} }\n`,
  });
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });
  fixture.publish(releaseText("quiet@1.0.0", "2026-03-31T00:00:00Z", []));
  fixture.clock.advance("5d");
  const whyOf = async (spec: string) => (await get(`/-/cordon/why/${spec}`)).body.toString();
  // Until the gate heard of the sync, the feed was never read.
  const read = async () => (await get("/quiet/-/quiet-1.0.0.tgz")).status === status && (await whyOf("quiet@1.0.0")).includes(said);
  expect(await until(read, (done) => done)).toBe(true);
});
