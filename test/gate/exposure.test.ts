/** What a gate remembers counts as evidence: what it served, and what the registry answered when a range was resolved. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tree } from "../kit/tree.ts";
import { openGate } from "./open.ts";

type Answer = {
  readonly place: string;
  readonly level: string;
  readonly evidence: readonly { readonly text: string }[];
  readonly missing: readonly string[];
};

test("the ledger says which poisoned version was served, to whom; a range is decided by recorded answers", async () => {
  const { product, get } = await openGate();
  const served = await get("/p/site/npm/axios/-/axios-1.14.0.tgz", { "user-agent": "npm/11.19.1 node/v20.20.2 linux x64" });
  expect(served.status).toBe(200);
  const folder = tree({
    "tilde/package.json": { dependencies: { axios: "~1.13.0" } },
    "caret/package.json": { dependencies: { axios: "^1.13.0" } },
    "until/package.json": { dependencies: { axios: "1.13.0 - 1.14.0" } },
  });
  const ask = async (what: string): Promise<readonly Answer[]> => {
    const { stdout } = await product.cordon(["exposure", what, ".", "--json"], { cwd: folder });
    return (JSON.parse(stdout) as { readonly places: readonly Answer[] }).places;
  };

  const places = await ask("axios@1.14.0");
  const ledger = places.find(({ place }) => place === join(product.data, "ledger.db"));
  expect(ledger?.level).toBe("fetched");
  expect(ledger?.evidence[0]?.text).toMatch(/^axios@1\.14\.0: the gate served it \(row \d+ of \S+, to site, npm\/11\.19\.1/);
  expect(places.find(({ place }) => place === join(folder, "tilde"))?.level).toBe("unknown");
  const caret = places.find(({ place }) => place === join(folder, "caret"));
  expect(caret?.level).toBe("could-have");
  // Since the gate first asked, the range leads past it; what it led to before nobody here recorded.
  expect(caret?.evidence[0]?.text).toContain("what the registry answered then is not recorded");
  const until = places.find(({ place }) => place === join(folder, "until"));
  expect(until?.evidence[0]?.text).toContain("resolved to it in the window, by what is recorded of the registry");

  const other = await ask("axios@9.9.9");
  expect(other.find(({ place }) => place === join(product.data, "ledger.db"))).toMatchObject({ level: "not-exposed" });
});

test("an advisory of the feeds is an incident by its id: its exact versions, or a name of which every version is bad", async () => {
  const feed = tree({
    "feed.json": [
      {
        id: "MAL-2026-9001",
        modified: "2026-03-31T00:00:00Z",
        affected: [{ package: { ecosystem: "npm", name: "left-pad" }, versions: ["1.3.0"] }],
      },
      {
        id: "MAL-2026-9002",
        modified: "2026-03-31T00:00:00Z",
        affected: [{ package: { ecosystem: "npm", name: "phantom-kit" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] }],
      },
    ],
  });
  const config = `feeds:\n  - name: ours\n    path: ${join(feed, "feed.json")}\n    claims: malware\n`;
  const { product } = await openGate({ config });
  const synced = await product.cordon(["feeds", "sync"]);
  expect(synced.code, synced.stderr).toBe(0);
  const lock = {
    lockfileVersion: 3,
    packages: {
      "node_modules/left-pad": { version: "1.3.0", resolved: "https://registry.test/left-pad/-/left-pad-1.3.0.tgz" },
      "node_modules/phantom-kit": { version: "7.0.0", resolved: "https://registry.test/phantom-kit/-/phantom-kit-7.0.0.tgz" },
    },
  };
  const cwd = tree({ "package-lock.json": lock });
  const asked = await product.cordon(["exposure", "MAL-2026-9001", "--no-machine"], { cwd });
  expect(asked.stdout).toContain("left-pad@1.3.0: the lockfile names it");
  expect(asked.code).toBe(1);
  const every = await product.cordon(["exposure", "MAL-2026-9002", "--no-machine"], { cwd });
  expect(every.stdout).toContain("phantom-kit@7.0.0: the lockfile names it, and no version of it was ever honest");
});

test("the shipped packs are those that were pinned", async () => {
  const { product } = await openGate();
  const ran = await product.cordon(["incident", "verify", "--json"]);
  expect(ran.code).toBe(0);
  const { results, problems } = JSON.parse(ran.stdout) as {
    readonly results: readonly { readonly origin: string }[];
    readonly problems: unknown;
  };
  expect(problems).toEqual([]);
  expect(results.length).toBeGreaterThan(20);
  for (const { origin } of results) expect(origin).toMatch(/pinned by sha256 [0-9a-f]{64}$/);
});

test("an imported pack that was damaged since is not skipped in silence", async () => {
  const { product } = await openGate();
  const folder = tree({ "package-lock.json": { lockfileVersion: 3, packages: {} } });
  const clean = await product.cordon(["exposure", "--no-machine"], { cwd: folder });
  expect(clean.code, clean.stdout).toBe(0);
  mkdirSync(join(product.data, "incidents"), { recursive: true });
  writeFileSync(join(product.data, "incidents", "own.json"), "{}");
  const ran = await product.cordon(["exposure", "--no-machine"], { cwd: folder });
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("a pack that cannot be read is not looked for");
  expect((await product.cordon(["incident", "list"])).code).toBe(3);
});
