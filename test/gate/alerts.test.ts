/** Alerts through a running gate: each event is told once, with who fetched the version, and a restart tells nobody again. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { alertsIn } from "../kit/alerts.ts";
import { send } from "../kit/http.ts";
import { tempFolder } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { openGate } from "./open.ts";

test("a served version that a feed reports is told of once, with who fetched it", async () => {
  const folder = tempFolder({});
  const [feed, told] = [join(folder, "feed.ndjson"), join(folder, "alerts.jsonl")];
  writeFileSync(feed, "");
  const config = `feeds:\n  - { name: own, path: ${JSON.stringify(feed)} }\nnotify:\n  - { name: log, file: ${JSON.stringify(told)} }\n`;
  const { product, get } = await openGate({ config });
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });
  expect((await get("/p/site/npm/axios/-/axios-1.13.6.tgz")).status).toBe(200);
  expect((await get("/p/shop/npm/axios/-/axios-1.13.6.tgz")).status).toBe(200);

  const affected = [{ package: { ecosystem: "npm", name: "axios" }, versions: ["1.13.6"] }];
  const origins = { "malicious-packages-origins": [{ source: "ghsa-malware" }, { source: "amazon-inspector" }] };
  writeFileSync(feed, `${JSON.stringify({ id: "MAL-1", affected, database_specific: origins })}\n`);
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 0 });

  const alerts = () => alertsIn(told);
  const asked = async () => {
    await get("/axios");
    return alerts();
  };
  expect(await until(asked, (all) => all.length > 0)).toMatchObject([
    {
      schema: "cordon.alert/1",
      what: "served-now-withheld",
      name: "axios",
      version: "1.13.6",
      detail: "reported as malware · fetched 2 times by shop, site, 2026-03-31T00:43Z",
      fetched: { times: 2, projects: ["shop", "site"], tokens: [], first: "2026-03-31T00:43:00.000Z" },
      next: "cordon exposure axios@1.13.6",
    },
  ]);

  const second = await product.gate();
  expect((await send(second.url, { method: "GET", path: "/axios" })).status).toBe(200);
  await second.app.flush();
  await second.close();
  expect(alerts()).toHaveLength(1);
});

test("a version taken back is told once, and again when it was taken back again after it returned", async () => {
  const told = join(tempFolder({}), "alerts.jsonl");
  const { product, fixture, get } = await openGate({ config: `notify:\n  - { name: log, file: ${JSON.stringify(told)} }\n` });
  const whats = () => alertsIn(told).map(({ what }) => what);
  /** The upstream's next answers are asked for, and what they bring is waited for. */
  const ask = (alerts: number) => {
    const asked = async () => {
      fixture.clock.advance("10m");
      expect((await get("/axios")).status).toBe(200);
      return whats();
    };
    return until(asked, (all) => all.length >= alerts);
  };
  await get("/axios");
  fixture.withdraw("axios", "1.14.1");
  await ask(1);
  fixture.restore("axios", "1.14.1");
  await ask(2);
  fixture.withdraw("axios", "1.14.1");
  await ask(3);
  expect(whats()).toEqual(["version-withdrawn", "version-returned", "version-withdrawn"]);
  const second = await product.gate();
  expect((await send(second.url, { method: "GET", path: "/axios" })).status).toBe(200);
  await second.close();
  expect(whats()).toHaveLength(3);
});

test("a good version that is deprecated, and a tag that goes back to it, are told of while a feed says nothing", async () => {
  const told = join(tempFolder({}), "alerts.jsonl");
  const { fixture, get } = await openGate({ config: `notify:\n  - { name: log, file: ${JSON.stringify(told)} }\n` });
  expect((await get("/axios")).status).toBe(200);
  fixture.deprecate("axios", "1.13.6", "Security hole in this version: upgrade to 1.14.1 now");
  fixture.deprecate("axios", "1.14.1", "under 72 hours old, so nobody has it");
  fixture.tag("axios", "latest", "1.13.6");
  fixture.clock.advance("10m");
  expect((await get("/axios")).status).toBe(200);
  const alerts = await until(
    () => alertsIn(told),
    (all) => all.length >= 2,
  );
  expect(alerts).toMatchObject([
    { what: "deprecation-text-new", name: "axios", version: "1.13.6" },
    { what: "tag-moved-back", name: "axios", version: "1.13.6", detail: "the tag latest was moved back to it from 1.14.1" },
  ]);
});
