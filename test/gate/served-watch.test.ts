/** What a gate served and should not have: it asks again by itself, tells once for each event, and who fetched it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { alertsIn } from "../kit/alerts.ts";
import { tempFolder } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { openGate } from "./open.ts";

const MONITOR = "policy:\n  mode: { monitor: { owner: mara, expires: 2026-06-01 } }\n";

async function open({ config = MONITOR, notes = "" }: { readonly config?: string; readonly notes?: string } = {}) {
  const file = join(tempFolder({}), "alerts.jsonl");
  const opened = await openGate({ config: `${config}notify:\n  - { name: log, file: ${JSON.stringify(file)} }\n${notes}` });
  const told = () => alertsIn(file);
  return { ...opened, told, toldOf: (count: number) => until(told, (alerts) => alerts.length >= count) };
}

test("a version that was served and is taken back is told of although nobody asks for it", async () => {
  const { product, fixture, gate, get, told, toldOf } = await open();
  for (const project of ["site", "shop", "site"])
    expect((await get(`/p/${project}/npm/axios/-/axios-1.14.1.tgz`, { "user-agent": "npm/11.19.1 node/v20.20.2 linux x64" })).status).toBe(
      200,
    );
  const { round } = gate.app.servedWatch;
  expect(await round()).toMatchObject({ packages: 1, versions: 1, looked: 1, exposed: [] });

  // Fourteen minutes later it is not due; one absence is no proof; the second is, and it is asked for as soon as it can be one.
  fixture.withdraw("axios", "1.14.1");
  fixture.log.clear();
  fixture.clock.advance("14m");
  expect(await round()).toMatchObject({ looked: 0 });
  fixture.clock.advance("2m");
  expect(await round()).toMatchObject({ looked: 1, exposed: [] });
  fixture.clock.advance("11m");
  const withdrawn = fixture.clock.now();
  expect((await round()).exposed).toMatchObject([{ name: "axios", version: "1.14.1", what: "version-withdrawn", fetched: { times: 3 } }]);
  expect(fixture.log.lines().filter((line) => line.includes(".tgz"))).toEqual([]);
  expect(await toldOf(1)).toMatchObject([
    {
      what: "version-withdrawn",
      version: "1.14.1",
      detail: "the registry took it back · fetched 3 times by shop, site; npm/11.19.1, 2026-03-31T00:43Z",
      fetched: { times: 3, projects: ["shop", "site"], clients: ["npm/11.19.1"] },
      next: "cordon exposure axios-2026",
    },
  ]);

  // Neither another round nor another gate tells it again.
  await round({ all: true });
  await gate.close();
  fixture.clock.advance("1h");
  const second = await product.gate();
  expect((await second.app.servedWatch.round()).exposed).toMatchObject([{ version: "1.14.1", told: withdrawn }]);
  await second.close();
  expect(told()).toHaveLength(1);
});

test("what was taken back while no gate ran is told by the next one", async () => {
  const { product, fixture, gate, get, toldOf } = await open();
  expect((await get("/axios/-/axios-1.14.1.tgz")).status).toBe(200);
  await gate.close();
  fixture.withdraw("axios", "1.14.1");
  fixture.clock.advance("1d");
  const second = await product.gate();
  expect(await second.app.servedWatch.round()).toMatchObject({ looked: 1, exposed: [] });
  await second.close();
  fixture.clock.advance("1d");
  const third = await product.gate();
  expect((await third.app.servedWatch.round()).exposed).toMatchObject([{ version: "1.14.1" }]);
  expect(await toldOf(1)).toMatchObject([{ what: "version-withdrawn" }]);
});

test("a deny of what was served is told of, with its own words; the same deny once, another again", async () => {
  const { product, get, toldOf } = await open();
  expect((await get("/axios/-/axios-1.13.6.tgz")).status).toBe(200);
  const deny = async (reason: string) => {
    const ran = await product.cordon(["deny", "add", "axios@1.13.6", "--reason", reason, "--json"], {
      terminal: true,
      answers: ["axios@1.13.6"],
    });
    expect(ran.code, ran.stderr).toBe(0);
  };
  await deny("incident 12");
  const [first] = await toldOf(1);
  expect(first).toMatchObject({ what: "served-now-withheld", version: "1.13.6", next: "cordon exposure axios@1.13.6" });
  expect(first!.detail).toMatch(/^denied here by mara: incident 12 \(mara, 2026-03-31\) · fetched once by /);
  await deny("incident 13");
  expect((await toldOf(2))[1]!.detail).toMatch(/incident 13/);
});

test("two gates on one data directory that see the same tell it once", async () => {
  const { product, gate, fixture, get, told } = await open();
  const other = await product.gate();
  expect((await get("/axios/-/axios-1.14.1.tgz")).status).toBe(200);
  fixture.withdraw("axios", "1.14.1");
  for (const _ of [1, 2, 3]) {
    fixture.clock.advance("20m");
    await Promise.all([gate.app.servedWatch.round(), other.app.servedWatch.round()]);
  }
  await Promise.all([gate.app.flush(), other.app.flush()]);
  await gate.close();
  await other.close();
  expect(told().map(({ what, version }) => `${what} ${version}`)).toEqual(["version-withdrawn 1.14.1"]);
});

test("a report on a version that is gone already is another event", async () => {
  const folder = tempFolder({ "feed.ndjson": "" });
  const feed = join(folder, "feed.ndjson");
  const { product, fixture, gate, get, toldOf } = await open({ notes: `feeds:\n  - { name: own, path: ${JSON.stringify(feed)} }\n` });
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });
  expect((await get("/axios/-/axios-1.14.1.tgz")).status).toBe(200);
  fixture.withdraw("axios", "1.14.1");
  for (const _ of [1, 2]) {
    fixture.clock.advance("20m");
    await gate.app.servedWatch.round();
  }
  await toldOf(1);
  writeFileSync(
    feed,
    `${JSON.stringify({ id: "MAL-1", affected: [{ package: { ecosystem: "npm", name: "axios" }, versions: ["1.14.1"] }] })}\n`,
  );
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });
  expect((await toldOf(2)).map(({ detail }) => detail.split(" · ")[0])).toEqual(["the registry took it back", "reported as malware"]);
});

test("a registry that does not answer is named, and what is known already is told all the same", async () => {
  const { fixture, gate, get } = await open();
  expect((await get("/axios/-/axios-1.14.1.tgz")).status).toBe(200);
  await fixture.down();
  const { unasked, looked } = await gate.app.servedWatch.round({ all: true });
  expect({ looked, names: unasked.map(({ name }) => name) }).toEqual({ looked: 1, names: ["axios"] });
});
