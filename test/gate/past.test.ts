/** What a gate remembers of a name must not speak for it when the rules about whom to ask have changed, or when the package is gone. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { product } from "../kit/app.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { send } from "../kit/http.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ packages: ["axios"], at: "2026-03-31T00:43:00Z" });
});
afterAll(() => fixture.stop());

const get = (url: string, path: string) => send(url, { method: "GET", path });

test("a name that became private is not served from its public past, and nobody is asked for it", async () => {
  const before = await product({ fixture });
  const open = await before.gate();
  expect((await get(open.url, "/axios")).status).toBe(200);
  expect((await get(open.url, "/axios/-/axios-1.14.0.tgz")).status).toBe(200);
  await before.stop();
  fixture.log.clear();

  const after = await product({ fixture, config: 'policy:\n  private: ["axios"]\n', env: { CORDON_DATA: before.data } });
  const gate = await after.gate();
  for (const path of ["/axios", "/axios/-/axios-1.14.0.tgz", "/axios/-/axios-1.14.1.tgz", "/axios/1.14.1"]) {
    const answer = await get(gate.url, path);
    expect([403, 404, 502], `${path} ${answer.status}`).toContain(answer.status);
    expect(answer.headers["content-type"]).toContain("json");
  }
  expect(fixture.log.lines().filter((line) => line.includes("axios"))).toEqual([]);
  await after.stop();
});

test("a package answered with 404 twice is withdrawn, although its tarball is stored", async () => {
  const one = await product({ fixture });
  const gate = await one.gate();
  expect((await get(gate.url, "/follow-redirects/-/follow-redirects-1.15.11.tgz")).status).toBe(200);
  const lift = fixture.faults.add({ name: "follow-redirects", route: "packument" }, { status: 404 });
  fixture.clock.advance("6m");
  expect((await get(gate.url, "/follow-redirects")).status).toBe(200);
  fixture.clock.advance("11m");
  await get(gate.url, "/follow-redirects");
  const gone = await get(gate.url, "/follow-redirects");
  expect(gone.status).toBe(403);
  expect((await one.cordon(["why", "follow-redirects@1.15.11"])).stdout).toContain("withdrawn-upstream");
  lift();
  await one.stop();
});
