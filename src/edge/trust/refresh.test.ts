/** A refresh over HTTP: what is stored and when, what a mirror that lies or stalls can do, and that Sigstore's own client reads the same repository. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initTUF } from "@sigstore/tuf";
import { expect, test } from "vitest";
import { registryKey } from "../../../test/kit/fixture/key.ts";
import { ecdsaKey, REGISTRY_ROLE, tufRepository, type TufOptions } from "../../../test/kit/fixture/tuf.ts";
import { serve } from "../../../test/kit/loopback.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { readTuf } from "../../core/attest/tuf/metadata.ts";
import { refreshTuf } from "../../core/attest/tuf/refresh.ts";
import { assertSigned } from "../../core/attest/tuf/signed.ts";
import { instant, parseInstant } from "../../core/base/time.ts";
import { readProxies } from "../upstream/proxies.ts";
import { refreshTrust } from "./refresh.ts";
import { SHIPPED_TRUST, SHIPPED_TUF } from "./shipped.ts";
import { loadTrust, storeTrust } from "./trust.ts";

const NOW = instant(Date.UTC(2026, 10, 22));
const PATHS = { root: "trusted_root.json", keys: `${REGISTRY_ROLE}/keys.json` };

/** npm's keys as they are shipped, with more or fewer of them. */
function keysText({ more = [], fewer = 0 }: { readonly more?: readonly string[]; readonly fewer?: number } = {}): string {
  const { keys } = JSON.parse(SHIPPED_TRUST.keys) as { keys: object[] };
  return JSON.stringify({
    keys: [...keys.slice(fewer), ...more.map((word) => registryKey(word)).map(({ keyid, key }) => ({ keyid, key }))],
  });
}

const NEWER = keysText({ more: ["newer"] });
const filesOf = (keys: string) => ({ [PATHS.root]: SHIPPED_TRUST.root, [PATHS.keys]: keys });

/** A repository that can be replaced while it is served. */
async function mirror(options: Omit<TufOptions, "files"> & { readonly keys?: string } = {}) {
  const made = ({ keys = NEWER, ...rest }: typeof options) => tufRepository({ files: filesOf(keys), ...rest });
  let files = made(options);
  const server = await serve((request, response) => {
    const bytes = files.get(request.url!.slice("/tuf/".length).split("/").map(decodeURIComponent).join("/"));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  const root = files.get("1.root.json")!.toString();
  return {
    server,
    root,
    source: { mirror: `${server.url}tuf`, root, paths: PATHS },
    becomes: (next: typeof options) => void (files = made(next)),
    without: (path: string) => void files.delete(path),
    set: (path: string, bytes: Buffer) => void files.set(path, bytes),
  };
}

const refresh = (data: string, source: { mirror: string; root: string; paths: typeof PATHS }, now = NOW) =>
  refreshTrust({ dataDir: data, clock: { now: () => now }, source, line: async () => ({ proxies: readProxies({}), ca: [] }) });

test("newer keys are taken, told of once, and used from then on", async () => {
  const [data, { source, becomes }] = [join(tempFolder(), "data"), await mirror()];
  expect(await refresh(data, source)).toEqual({ result: "refreshed", before: 1, root: 1, until: Date.UTC(2199, 0, 1), gone: [] });
  expect(await loadTrust(data)).toMatchObject({
    source: "stored",
    at: NOW,
    keys: NEWER,
    from: `Sigstore's repository at ${source.mirror}, root 1`,
  });
  expect(await refresh(data, source)).toMatchObject({ result: "unchanged" });
  becomes({ roots: [{}, { expires: "2030-01-01T00:00:00Z" }] });
  expect(await refresh(data, source)).toMatchObject({ result: "unchanged", before: 1, root: 2, until: Date.UTC(2030, 0, 1) });
});

test("a key that the repository takes back is gone, also when cordon ships it", async () => {
  const [data, { source }] = [tempFolder(), await mirror({ keys: keysText({ fewer: 1 }) })];
  expect(await refresh(data, source)).toMatchObject({ result: "refreshed", gone: [expect.stringMatching(/^the key SHA256:/)] });
  expect(await loadTrust(data)).toMatchObject({ source: "stored" });
  // A later cordon ships something else: what was stored beside the earlier one is weighed again.
  const file = join(data, "trust.json");
  writeFileSync(file, readFileSync(file, "utf8").replace(/"beside": "[^"]+"/, `"beside": "${"0".repeat(64)}"`));
  expect(await loadTrust(data)).toMatchObject({ source: "shipped", ignored: expect.stringContaining("which cordon ships") });
});

test("what a person named is not taken away", async () => {
  const [data, { source }] = [tempFolder(), await mirror()];
  await storeTrust(data, { keys: Buffer.from(keysText({ more: ["our own registry"] })), from: "/etc/keys.json", at: NOW });
  expect(await refresh(data, source)).toMatchObject({
    result: "not-refreshed",
    why: expect.stringMatching(/a person named \/etc\/keys\.json/),
    used: NOW,
  });
  expect((await loadTrust(data)).from).toBe("/etc/keys.json");
});

test("nothing is stored of a repository of which the last part does not fit", async () => {
  const [data, { source, without }] = [tempFolder(), await mirror()];
  without(`1.${REGISTRY_ROLE}.json`);
  expect(await refresh(data, source)).toEqual({
    result: "not-refreshed",
    why: `the repository has no 1.${REGISTRY_ROLE}.json`,
    used: "shipped",
    asked: true,
  });
  expect(await loadTrust(data)).toMatchObject({ source: "shipped" });
});

test("targets that cannot be used are not stored, whoever signed them", async () => {
  const [data, { source }] = [tempFolder(), await mirror({ keys: '{"keys":[{"keyid":"x","key":"y"}]}' })];
  expect(await refresh(data, source)).toMatchObject({
    result: "not-refreshed",
    why: expect.stringMatching(/registry's keys cannot be read/),
  });
});

test("what was seen is remembered from one run to the next, and a damaged memory is not passed over", async () => {
  const [data, { source, becomes }] = [tempFolder(), await mirror({ timestamp: { version: 4 } })];
  expect(await refresh(data, source)).toMatchObject({ result: "refreshed" });
  becomes({ timestamp: { version: 3 } });
  expect(await refresh(data, source)).toMatchObject({
    result: "not-refreshed",
    why: "timestamp.json is version 3, and 4 was seen before",
    used: NOW,
  });
  writeFileSync(join(data, "trust-seen.json"), '{"schema":"cordon.trust-seen/1","root":"{}","timestamp":{"version":"4"}}');
  expect(await refresh(data, source)).toMatchObject({
    result: "not-refreshed",
    why: expect.stringMatching(/trust-seen\.json is damaged; remove it/),
  });
});

test("a mirror that stopped at an old state is noticed when that ends", async () => {
  const [data, { source }] = [tempFolder(), await mirror({ timestamp: { expires: "2026-11-29T00:00:00Z" } })];
  expect(await refresh(data, source)).toMatchObject({ result: "refreshed" });
  const later = instant(Date.UTC(2026, 10, 30));
  expect(await refresh(data, source, later)).toMatchObject({
    result: "not-refreshed",
    why: expect.stringMatching(/^timestamp\.json ended 2026-11-29/),
    used: NOW,
  });
});

test("roots of other holders need the signatures of those before", async () => {
  const others = [ecdsaKey("six"), ecdsaKey("seven"), ecdsaKey("eight")];
  const [data, { source, becomes }] = [tempFolder(), await mirror({ roots: [{}, { holders: others, signers: others }] })];
  expect(await refresh(data, source)).toMatchObject({
    result: "not-refreshed",
    why: expect.stringMatching(/signed by 0 of the 3 keys that root 1/),
  });
  becomes({ roots: [{}, { holders: others }] });
  expect(await refresh(data, source)).toMatchObject({ result: "refreshed", before: 1, root: 2 });
});

test.each<[string, (answer: import("node:http").ServerResponse) => void, RegExp]>([
  ["answers 500", (answer) => void answer.writeHead(500).end("no"), /answered 500$/],
  ["redirects", (answer) => void answer.writeHead(302, { location: "/elsewhere" }).end(), /answered 302$/],
  ["sends without end", (answer) => void endless(answer), /has more than 512000 bytes$/],
  [
    "breaks off",
    (answer) => void answer.writeHead(200, { "content-length": "100" }).write("{", () => answer.destroy()),
    /closed the connection/,
  ],
  ["is no repository", (answer) => void answer.writeHead(200).end("<html>"), /^2\.root\.json is not JSON$/],
])("a mirror that %s", async (_what, answer, why) => {
  const { root } = await mirror();
  const server = await serve((_request, response) => answer(response));
  const result = await refresh(tempFolder(), { mirror: server.url, root, paths: PATHS });
  expect(result).toMatchObject({ result: "not-refreshed", used: "shipped", why: expect.stringMatching(why) });
});

test("the root cordon ships is signed by its own threshold, as we read and canonicalise it, and by no other bytes", () => {
  const root = readTuf("root", "root.json", SHIPPED_TUF.root);
  const { keys, roles } = root.signed;
  expect(() => assertSigned(root, keys, roles.root, "it")).not.toThrow();
  expect(roles.root.threshold).toBeGreaterThan(1);
  expect(() => assertSigned({ ...root, signatures: root.signatures.slice(0, roles.root.threshold - 1) }, keys, roles.root, "it")).toThrow(
    /is signed by/,
  );
  const other = readTuf("root", "root.json", SHIPPED_TUF.root.replace('"version": ', '"version": 1'));
  expect(() => assertSigned(other, keys, roles.root, "it")).toThrow(/is signed by 0 of/);
});

test("of the real repository the address and the two targets are known, and its shipped root begins a refresh", () => {
  expect(SHIPPED_TUF).toMatchObject({
    mirror: expect.stringMatching(/^https:\/\//),
    paths: { root: "trusted_root.json", keys: expect.stringMatching(/\/keys\.json$/) },
  });
  const { version } = JSON.parse(SHIPPED_TUF.root).signed as { version: number };
  const talk = refreshTuf({
    shipped: SHIPPED_TUF.root,
    targets: Object.values(SHIPPED_TUF.paths),
    now: parseInstant("2026-01-01T00:00:00Z")!,
  });
  expect(talk.next().value).toMatchObject({ want: "file", path: `${version + 1}.root.json` });
});

test("Sigstore's own client reads the same repository to the same bytes", async () => {
  const { source } = await mirror({ roots: [{}, {}] });
  const folder = tempFolder({ "root.json": source.root });
  const client = await initTUF({
    mirrorURL: source.mirror,
    cachePath: join(folder, "cache"),
    rootPath: join(folder, "root.json"),
    retry: 0,
    timeout: 60_000,
  });
  expect(await client.getTarget(PATHS.root)).toBe(SHIPPED_TRUST.root);
  expect(await client.getTarget(PATHS.keys)).toBe(NEWER);
});

function endless(answer: import("node:http").ServerResponse): void {
  answer.writeHead(200);
  const more = () => void (answer.destroyed || answer.write(Buffer.alloc(65_536, 32), () => setImmediate(more)));
  more();
}
