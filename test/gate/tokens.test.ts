/** Client tokens: who may ask, under which project, what they may read, and where their secrets are not. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Product } from "../kit/app.ts";
import { openGate } from "./open.ts";

type Made = { readonly id: string; readonly secret: string };

async function make(product: Product, ...argv: readonly string[]): Promise<Made> {
  const { stdout } = await product.cordon(["token", "create", ...argv, "--json"]);
  return JSON.parse(stdout) as Made;
}

const bearer = ({ secret }: Made): { authorization: string } => ({ authorization: `Bearer ${secret}` });

async function guarded() {
  const opened = await openGate();
  const site = await make(opened.product, "--label", "ci", "--project", "site");
  const gate = await opened.product.gate({ requireTokens: true });
  const base = `http://127.0.0.1:${gate.at.port}/`;
  const { send } = await import("../kit/http.ts");
  return {
    ...opened,
    gate,
    site,
    get: (path: string, headers: Record<string, string> = {}) => send(base, { method: "GET", path, headers }),
  };
}

test("without a token nothing is answered but health", async () => {
  const { get, fixture } = await guarded();
  for (const path of [
    "/axios",
    "/axios/-/axios-1.14.0.tgz",
    "/-/cordon/decisions",
    "/-/cordon/metrics",
    "/-/cordon/why/axios",
    "/-/npm/v1/keys",
    "/-/ping",
    "/p/site/npm/axios",
  ]) {
    const { status, headers, reason } = await get(path);
    expect({ status, challenge: headers["www-authenticate"], reason }, path).toEqual({
      status: 401,
      challenge: "Bearer",
      reason: "cordon: this gate needs a client token (`cordon token create`)",
    });
  }
  for (const authorization of [
    "Bearer ",
    "Bearer npm_abc",
    "Bearer cordon_short",
    `Bearer cordon_${"x".repeat(200)}`,
    "Basic Y29yZG9uX3h4eHh4eHh4eHh4eHh4eHh4eHg6eA==",
    `Bearer cordon_${"A".repeat(43)}`,
  ])
    expect((await get("/axios", { authorization })).status, authorization).toBe(401);
  expect((await get("/-/cordon/health")).status).toBe(200);
  expect(fixture.log.entries).toEqual([]);
});

test("a token acts for its projects and for no other; without a prefix it says which it is", async () => {
  const { get, site, product, gate } = await guarded();
  const several = await make(product, "--project", "site", "api");
  const all = await make(product, "--project", "*");
  expect((await get("/p/site/npm/axios", bearer(site))).status).toBe(200);
  expect(await get("/p/api/npm/axios", bearer(site))).toMatchObject({
    status: 403,
    reason: "cordon: this token is not for the project api",
  });
  expect((await get("/p/api/npm/axios/-/axios-1.14.0.tgz", bearer(site))).status).toBe(403);
  for (const token of [several, all]) expect((await get("/p/api/npm/axios", bearer(token))).status).toBe(200);
  for (const token of [site, several, all]) expect((await get("/axios/-/axios-1.14.0.tgz", bearer(token))).status).toBe(200);
  const rows = await gate.app.ledger.tail({ limit: 10, kinds: ["serve"] });
  expect(rows.map(({ entry }) => "asker" in entry && [entry.asker.token, entry.asker.project])).toEqual([
    [site.id, "site"],
    [several.id, undefined],
    [all.id, undefined],
  ]);
});

test("decisions are readable within a token's projects only", async () => {
  const { get, site, product } = await guarded();
  const all = await make(product, "--project", "*");
  await get("/p/site/npm/axios/-/axios-1.14.1.tgz", bearer(site));
  await get("/p/api/npm/axios/-/axios-1.14.1.tgz", bearer(all));
  const seen = async (query: string, token: Made) => {
    const { status, body } = await get(`/-/cordon/decisions${query}`, bearer(token));
    const { decisions = [] } = JSON.parse(body.toString()) as { decisions?: { asker: { project: string } }[] };
    return [status, ...decisions.map(({ asker }) => asker.project)];
  };
  expect(await seen("?project=site", site)).toEqual([200, "site"]);
  expect(await seen("", site)).toEqual([403]);
  expect(await seen("?project=api", site)).toEqual([403]);
  expect(await seen("?project=*", site)).toEqual([403]);
  expect(await seen("?project=api", all)).toEqual([200, "api"]);
  expect(await seen("", all)).toEqual([200, "site", "api"]);
});

test("a token that is revoked or over is refused by the running gate", async () => {
  const { get, site, product, fixture } = await guarded();
  const brief = await make(product, "--project", "site", "--expires", "1h");
  expect((await get("/axios", bearer(brief))).status).toBe(200);
  fixture.clock.advance("59m");
  expect((await get("/axios", bearer(brief))).status).toBe(200);
  fixture.clock.advance("1m");
  expect(await get("/axios", bearer(brief))).toMatchObject({ status: 401, reason: "cordon: this token is unknown, expired or revoked" });
  expect((await get("/axios", bearer(site))).status).toBe(200);
  await product.cordon(["token", "revoke", site.id]);
  await expect.poll(async () => (await get("/axios", bearer(site))).status).toBe(401);
});

test("the secret is in no file, no log, no upstream request; a client's other credentials neither", async () => {
  const { get, site, product, fixture, gate } = await guarded();
  await get("/p/site/npm/axios/-/axios-1.14.0.tgz", bearer(site));
  await get(`/axios?token=${site.secret}`, bearer(site));
  await get(`/-/${site.secret}/nothing`, bearer(site));
  const rows = await gate.app.ledger.tail({ limit: 50, kinds: ["change"] });
  // Packuments fetched ahead are written while this goes on: only then does no file come or go.
  await gate.app.ahead?.idle();
  await gate.close();
  const files = filesIn(product.data).map((path) => readFileSync(path, "latin1"));
  expect(files.length).toBeGreaterThan(2);
  for (const text of [...files, JSON.stringify(product.log)]) expect(text.includes(site.secret)).toBe(false);
  expect(fixture.log.entries.length).toBeGreaterThan(0);
  expect(fixture.log.entries.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  expect(rows.map(({ entry }) => "id" in entry && entry.id)).toContain(site.id);
});

test("npm logout puts the token into the path: it is refused, and neither logged nor remembered", async () => {
  const { gate, product, fixture } = await openGate({ gate: { start: { logRequests: true } } });
  const { send } = await import("../kit/http.ts");
  const secrets = ["npm_abcdefghijklmnopqrstuvwxyz0123456789", "00000000-1111-2222-3333-444444444444", "hunter2"];
  for (const secret of secrets) {
    const answer = await send(`http://127.0.0.1:${gate.at.port}/`, {
      method: "DELETE",
      path: `/-/user/token/${secret}`,
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(answer).toMatchObject({ status: 403, reason: expect.stringContaining("logging in or out does not go through the gate") });
  }
  await gate.app.flush();
  expect(product.log.filter(({ what }) => what === "request").map(({ fields }) => fields["path"])).toEqual(
    secrets.map(() => "/-/user/token/[secret]"),
  );
  const everything = [JSON.stringify(product.log), ...filesIn(product.data).map((path) => readFileSync(path, "latin1"))].join("\n");
  for (const secret of secrets) expect(everything.includes(secret), secret).toBe(false);
  expect(fixture.log.entries).toEqual([]);
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile());
}
