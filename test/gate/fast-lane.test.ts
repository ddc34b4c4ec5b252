/** The fix of a vulnerability that somebody here runs leaves early, with the packages it pins, through a running gate. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { openGate } from "./open.ts";

test("a fix and its pinned sibling of the same build are served before their hold ends, a stranger's is not", async () => {
  const feed = join(tempFolder({}), "feed.ndjson");
  const advisory = {
    id: "GHSA-1",
    affected: [
      { package: { ecosystem: "npm", name: "core" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.2.4" }] }] },
    ],
  };
  writeFileSync(feed, `${JSON.stringify(advisory)}\n`);
  const { product, fixture, get, gate } = await openGate({ config: `feeds:\n  - { name: own, path: ${JSON.stringify(feed)} }\n` });
  const publish = (name: string, version: string, when: string, builder: string, dependencies: object = {}) =>
    fixture.publish(
      `published ${when} by maker\nprovenance github:acme/${builder}:publish.yml\n-- package.json --\n${JSON.stringify({ name, version, dependencies })}\n-- index.js --\nrequire("parser"); require("other");\n`,
    );
  for (const [name, builder] of [
    ["core", "core"],
    ["parser", "core"],
    ["other", "other"],
  ] as const) {
    publish(name, "1.2.3", "2025-06-01T00:00:00Z", builder, name === "core" ? { parser: "1.2.3", other: "1.2.3" } : {});
    expect((await get(`/${name}`)).status).toBe(200);
  }
  expect((await get("/core/-/core-1.2.3.tgz")).status).toBe(200);
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });

  // MOMENT is 2026-03-31T00:43Z: the advisory is known for more than a day when the fix is seven hours old.
  publish("core", "1.2.4", "2026-04-01T00:00:00Z", "core", { parser: "1.2.4", other: "1.2.3" });
  publish("parser", "1.2.4", "2026-04-01T00:10:00Z", "core");
  publish("other", "1.2.4", "2026-04-01T00:10:00Z", "other");
  fixture.clock.set("2026-04-01T07:30:00Z");
  const status = async (name: string) => (await get(`/${name}/-/${name}-1.2.4.tgz`)).status;
  // A gate that stays looks ahead at what waits only for its age; here that is done by hand.
  for (const name of ["core", "parser", "other"]) {
    await get(`/${name}`);
    const record = (await gate.app.knowledge.recall(name))!;
    const { facts } = await gate.app.judgements.ofVersion(record, "1.2.4", { pin: false });
    await gate.app.inspector.look(record, facts);
  }
  // Within a second the gate has heard of the sync.
  await until(
    () => status("core"),
    (now) => now === 200,
  );
  expect((await get("/core")).body.toString()).toContain('"1.2.4"');
  expect([await status("core"), await status("parser"), await status("other")]).toEqual([200, 200, 403]);
});
