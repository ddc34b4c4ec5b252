/** What the gate says of itself under `/-/cordon/`: health, metrics, decisions, why, decide. */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import { send } from "../kit/http.ts";
import { openGate, type Opened } from "./open.ts";

async function json({ get }: Opened, path: string): Promise<{ status: number; said: Record<string, unknown> }> {
  const { status, body } = await get(path);
  return { status, said: JSON.parse(body.toString()) as Record<string, unknown> };
}

async function post({ base }: Opened, path: string, body: string): Promise<{ status: number; said: Record<string, unknown> }> {
  const answer = await send(base, { method: "POST", path, headers: { "content-type": "application/json" }, body });
  return { status: answer.status, said: JSON.parse(answer.body.toString()) as Record<string, unknown> };
}

test("health says what runs and by which policy", async () => {
  const opened = await openGate();
  expect(await json(opened, "/-/cordon/health")).toEqual({
    status: 200,
    said: {
      schema: "cordon.health/1",
      ok: true,
      cordon: expect.stringMatching(/^\d+\.\d+\.\d+/),
      instance: opened.gate.instance,
      role: "gate",
      since: "2026-03-31T00:43:00.000Z",
      now: "2026-03-31T00:43:00.000Z",
      policy: "balanced",
      mode: "enforce",
      policyDigest: opened.gate.app.policy().digest,
      upstream: opened.fixture.url,
    },
  });
});

test("metrics count what was served and refused, and name no package", async () => {
  const opened = await openGate();
  const { get } = opened;
  for (const path of ["/axios", "/axios", "/axios/-/axios-1.14.0.tgz", "/axios/-/axios-1.14.1.tgz", "/only-young"]) await get(path);
  const { headers, body } = await get("/-/cordon/metrics");
  const text = body.toString();
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  expect(value("cordon_packuments_served_total")).toBe(2);
  expect(value("cordon_tarballs_served_total")).toBe(1);
  expect(value("cordon_tarball_bytes_total")).toBe(379);
  expect(value("cordon_refused_total")).toBe(2);
  expect(value("cordon_held_versions")).toBe(2);
  expect(value("cordon_cache_bytes")).toBeGreaterThan(100);
  expect(text).not.toMatch(/axios|only-young/);
});

test("decisions since a moment, of one project, after an earlier answer", async () => {
  const opened = await openGate();
  const { get, fixture } = opened;
  await get("/p/site/npm/axios/-/axios-1.14.0.tgz");
  fixture.clock.advance("1h");
  await get("/p/site/npm/axios");
  await get("/p/api/npm/axios/-/axios-1.14.1.tgz");
  const kinds = async (query: string) => {
    const { said } = await json(opened, `/-/cordon/decisions${query}`);
    return {
      next: said["next"],
      seen: (said["decisions"] as { kind: string; version: string }[]).map(({ kind, version }) => `${kind} ${version}`).sort(),
    };
  };
  const all = await kinds("");
  expect(all.seen).toEqual(["left-out 0.30.4", "left-out 1.14.1", "refused 1.14.1", "served 1.14.0"]);
  expect((await kinds("?project=site")).seen).toEqual(["left-out 0.30.4", "left-out 1.14.1", "served 1.14.0"]);
  expect((await kinds("?since=2026-03-31T01:00:00Z")).seen).toEqual(["left-out 0.30.4", "left-out 1.14.1", "refused 1.14.1"]);
  expect((await kinds(`?after=${String(all.next)}`)).seen).toEqual([]);
  await get("/axios/-/axios-1.13.6.tgz");
  expect((await kinds(`?after=${String(all.next)}`)).seen).toEqual(["served 1.13.6"]);
});

test("why over HTTP is why on the command line", async () => {
  const opened = await openGate();
  const { said } = await json(opened, "/-/cordon/why/axios@1.14.1");
  expect(said).toEqual(JSON.parse((await opened.product.cordon(["why", "axios@1.14.1", "--json"])).stdout));
  for (const path of ["@acme/widget@2.0.0", "@acme%2fwidget@2.0.0", "%40acme%2Fwidget%402.0.0"])
    expect(await json(opened, `/-/cordon/why/${path}`), path).toMatchObject({
      status: 200,
      said: { name: "@acme/widget", withheld: true },
    });
  expect(await json(opened, "/-/cordon/why/no-such-package")).toMatchObject({ status: 404, said: { code: "NOT_FOUND" } });
  for (const bad of ["%zz", "a%20b", "../../etc", "%00"])
    expect((await opened.get(`/-/cordon/why/${bad}`)).status, bad).toBeGreaterThanOrEqual(400);
  expect((await opened.get("/-/cordon/why/%zz")).status).toBe(400);
  expect(opened.product.log).toEqual([]);
});

test("decide answers for every entry, or says why it cannot", async () => {
  const opened = await openGate();
  const entries = [
    { name: "axios", version: "1.14.1" },
    { name: "axios", version: "1.14.0", integrity: opened.fixture.integrity("axios", "1.13.6") },
    { name: "axios", version: "9.9.9" },
    { name: "no-such-package", version: "1.0.0" },
    { name: "../evil", version: "1.0.0" },
    { name: "chain-a", version: "1.1.0" },
  ];
  const { status, said } = await post(opened, "/-/cordon/decide", JSON.stringify({ entries }));
  expect(status).toBe(200);
  expect(said["decided"]).toMatchObject([
    { name: "axios", version: "1.14.1", withheld: true, instead: expect.arrayContaining(["1.14.0"]) },
    { name: "axios", version: "1.14.0", withheld: false, differs: opened.fixture.integrity("axios", "1.14.0") },
    { name: "chain-a", version: "1.1.0", withheld: false },
  ]);
  expect((said["unknown"] as { name: string; why: string }[]).map(({ name }) => name)).toEqual(["axios", "no-such-package", "../evil"]);
  expect(opened.fixture.log.entries.filter(({ url }) => url.includes("evil"))).toEqual([]);
  for (const body of ["", "{}", "[]", '{"entries":{}}', '{"entries":[null]}', '{"entries":[{"name":1,"version":"1.0.0"}]}', "not json"])
    expect((await post(opened, "/-/cordon/decide", body)).status, body).toBe(400);
  const many = JSON.stringify({ entries: Array.from({ length: LIMITS.decideEntries + 1 }, () => ({ name: "axios", version: "1.0.0" })) });
  expect((await post(opened, "/-/cordon/decide", many)).status).toBe(413);
});

test("nothing else is there, and nothing is changed over HTTP", async () => {
  const opened = await openGate();
  for (const [method, path] of [
    ["GET", "/-/cordon"],
    ["GET", "/-/cordon/"],
    ["POST", "/-/cordon/deny"],
    ["DELETE", "/-/cordon/waivers/w-1"],
    ["POST", "/-/cordon/health"],
  ] as const)
    expect((await send(opened.base, { method, path })).status, `${method} ${path}`).toBe(404);
  for (const path of ["/-/cordon/health/../decisions", "/-/cordon/%2e%2e/axios", "/-/cordon/x/.%2E/health"])
    expect((await opened.get(path)).status, path).toBe(403);
});
