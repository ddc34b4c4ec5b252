/** `cordon feeds sync` takes newer keys, says so in one line, and a running gate verifies with them; when it cannot, the feeds are read all the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SHIPPED_TRUST } from "../../src/edge/trust/shipped.ts";
import { FIXTURE_TRUST } from "../kit/fixture/sigstore.ts";
import { REGISTRY_ROLE, tufRepository } from "../kit/fixture/tuf.ts";
import { send } from "../kit/http.ts";
import { serve } from "../kit/loopback.ts";
import { releaseText } from "../kit/stage.ts";
import { tempFolder } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { openFixture, openProduct } from "./open.ts";

const PATHS = { root: "trusted_root.json", keys: `${REGISTRY_ROLE}/keys.json` };

/** The shipped trust with the fixture registry's keys, signed as Sigstore would. */
async function withFixtureKeys() {
  const { keys } = JSON.parse(SHIPPED_TRUST.keys) as { keys: object[] };
  const more = JSON.stringify({ keys: [...keys, ...(JSON.parse(FIXTURE_TRUST.keys) as { keys: object[] }).keys] });
  const roots = [{}, { expires: "2027-05-01T00:00:00Z" }];
  const files = tufRepository({ roots, files: { [PATHS.root]: SHIPPED_TRUST.root, [PATHS.keys]: more } });
  const server = await serve((request, response) => {
    const bytes = files.get(request.url!.slice(1));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  return { files, tuf: { mirror: server.url, root: files.get("1.root.json")!.toString(), paths: PATHS } };
}

function feedConfig(): string {
  const feed = join(tempFolder(), "feed.ndjson");
  writeFileSync(feed, "");
  return `policy:\n  hold: 0s\nfeeds:\n  - { name: own, path: ${JSON.stringify(feed)} }\n`;
}

test("newer keys reach a running gate", async () => {
  const fixture = await openFixture();
  const { tuf } = await withFixtureKeys();
  const product = await openProduct({ fixture: { url: fixture.url, clock: fixture.clock }, config: feedConfig(), tuf });
  const gate = await product.gate();
  for (const [version, when] of [
    ["1.0.0", "2025-06-01T00:00:00Z"],
    ["1.0.1", "2026-03-30T00:00:00Z"],
  ] as const)
    fixture.publish(releaseText(`quiet@${version}`, when, []));
  const status = async () => (await send(gate.url, { method: "GET", path: "/quiet/-/quiet-1.0.1.tgz" })).status;
  expect(await status()).toBe(403);

  const synced = await product.cordon(["feeds", "sync"]);
  expect(synced.stderr).toBe("");
  expect(synced.stdout).toContain("\ntrust: sigstore root 1 → 2, newer keys taken, good until 2027-05-01T00:00:00.000Z\n");
  expect(await until(status, (now) => now === 200)).toBe(200);
  expect((await product.cordon(["feeds", "trust"])).stdout).toMatch(
    /^signatures are checked with Sigstore's repository at http:\S+, root 2, taken 2026-03-31/,
  );
  const again = await product.cordon(["feeds", "sync", "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({
    trust: { result: "unchanged", before: 2, root: 2, until: "2027-05-01T00:00:00.000Z", gone: [] },
  });
});

test("a repository that cannot be believed is said in a line of its own; the feeds are read and the exit status is theirs", async () => {
  const fixture = await openFixture();
  const { tuf, files } = await withFixtureKeys();
  const product = await openProduct({ fixture, config: feedConfig(), tuf });
  files.delete("timestamp.json");
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({
    code: 0,
    stdout:
      "own   0 records · 0 new · 0 changed · 0 withdrawn · 0 problems\ntrust: not refreshed: the repository has no timestamp.json; the one cordon was built with is used\n",
  });
});

test("what a gate does by itself, and what is done offline, asks no repository", async () => {
  const fixture = await openFixture();
  const { tuf } = await withFixtureKeys();
  const product = await openProduct({ fixture, config: feedConfig(), tuf });
  expect(JSON.parse((await product.cordon(["feeds", "sync", "--due", "--json"])).stdout)).not.toHaveProperty("trust");
  expect((await product.cordon(["feeds", "sync", "--offline"])).stdout).toContain("trust: not refreshed: nothing is asked with --offline;");
  expect((await product.cordon(["feeds", "trust"])).stdout).toContain("what this cordon was built with");
});

test("without feeds the keys are refreshed all the same", async () => {
  const fixture = await openFixture();
  const { tuf } = await withFixtureKeys();
  const product = await openProduct({ fixture, tuf });
  expect(await product.cordon(["feeds", "sync"])).toMatchObject({
    code: 2,
    stdout: expect.stringContaining("newer keys taken"),
    stderr: expect.stringContaining("no feeds are configured"),
  });
  const json = await product.cordon(["feeds", "sync", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ feeds: [], trust: { result: "unchanged" } });
});

test.each(["http://tuf.example.test/", "https://user:pass@tuf.example.test/", "https://tuf.example.test/?token=x", "no"])(
  "no mirror: %s",
  async (mirror) => {
    const product = await openProduct({ fixture: await openFixture(), env: { CORDON_TRUST_MIRROR: mirror } });
    expect(await product.cordon(["feeds", "sync"])).toMatchObject({ code: 2, stderr: expect.stringContaining("CORDON_TRUST_MIRROR: ") });
  },
);
