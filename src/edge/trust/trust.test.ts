import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readKeys } from "../../core/attest/keys.ts";
import { Fault } from "../../core/base/fault.ts";
import { instant } from "../../core/base/time.ts";
import { registryKey } from "../../../test/kit/fixture/key.ts";
import { attestationsOf, FIXTURE_TRUST, parseBuild, SIGNING } from "../../../test/kit/fixture/sigstore.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { SHIPPED_TRUST } from "./shipped.ts";
import { loadTrust, openAttestor, storeTrust } from "./trust.ts";

const at = instant(Date.UTC(2026, 2, 31, 0, 21));
const integrity = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

/** What is shipped, with one more key. */
function moreKeys(): { readonly text: string; readonly keyid: string } {
  const { keyid, key } = registryKey("a new key");
  const { keys } = JSON.parse(SHIPPED_TRUST.keys) as { keys: object[] };
  return { text: JSON.stringify({ keys: [...keys, { keyid, key }] }), keyid };
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "nothing was wrong",
    (reason: unknown) => reason,
  );
  return error instanceof Fault ? error.code : String(error);
}

test("cordon ships npm's keys for both uses, and a root that can be read", async () => {
  const trust = await loadTrust(tempFolder());
  expect(trust).toMatchObject({ source: "shipped", digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const reading = readKeys(trust.keys);
  if (reading.kind === "unreadable") throw new Error(reading.reason);
  for (const usage of ["npm:signatures", "npm:attestations"] as const)
    expect(reading.keys.filter((key) => key.usage.includes(usage) && key.until === undefined)).toHaveLength(1);
});

test("newer trust is kept with its origin and used from then on", async () => {
  const data = join(tempFolder(), "data");
  const { text, keyid } = moreKeys();
  const stored = await storeTrust(data, { keys: bytes(text), from: "https://keys.test/keys.json", at });
  expect(stored).toMatchObject({ source: "stored", from: "https://keys.test/keys.json", at, root: SHIPPED_TRUST.root });
  const loaded = await loadTrust(data);
  expect(loaded).toEqual(stored);
  expect(loaded.keys).toContain(keyid);
});

test("what holds less than is believed now is refused: it is older, or not what it seems", async () => {
  const data = tempFolder();
  const { keys } = JSON.parse(SHIPPED_TRUST.keys) as { keys: object[] };
  expect(await faultOf(storeTrust(data, { keys: bytes({ keys: keys.slice(1) }), from: "/tmp/keys.json", at }))).toBe("USAGE");
  expect(await faultOf(storeTrust(data, { root: bytes(FIXTURE_TRUST.root), from: "/tmp/root.json", at }))).toBe("USAGE");
  expect((await loadTrust(data)).source).toBe("shipped");
});

test.each<[string, object, string]>([
  ["plain http", { keys: bytes(SHIPPED_TRUST.keys), from: "http://keys.test/keys.json" }, "USAGE"],
  ["keys that are no JSON", { keys: bytes("{"), from: "k" }, "INPUT_UNREADABLE"],
  ["a root that is no JSON", { root: bytes("<html>"), from: "k" }, "INPUT_UNREADABLE"],
  ["a root of another shape", { root: bytes({ tlogs: [{}] }), from: "k" }, "INPUT_UNREADABLE"],
  ["far too much", { keys: Buffer.alloc(1_000_001), from: "k" }, "INPUT_TOO_LARGE"],
])("not stored: %s", async (_what, offered, code) => {
  const data = tempFolder();
  expect(await faultOf(storeTrust(data, { at, ...(offered as { from: string }) }))).toBe(code);
  expect((await loadTrust(data)).source).toBe("shipped");
});

test("a stored file that was changed is said, not passed over", async () => {
  const data = tempFolder();
  await storeTrust(data, { keys: bytes(moreKeys().text), from: "k", at });
  const file = join(data, "trust.json");
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace(SIGNING.listed.keyid, SIGNING.foreign.keyid).replace("2026-03-31", "2026-04-01").replace('"digest": "', '"digest": "0'),
  );
  expect(await faultOf(loadTrust(data))).toBe("INPUT_UNREADABLE");
  writeFileSync(file, "[]");
  expect(await faultOf(loadTrust(data))).toBe("INPUT_UNREADABLE");
});

test("a cordon that ships more than was stored uses what it ships, and says so", async () => {
  const data = tempFolder();
  const older = { ...JSON.parse(SHIPPED_TRUST.keys), keys: (JSON.parse(SHIPPED_TRUST.keys) as { keys: object[] }).keys.slice(1) };
  // As a cordon from before the newest key would have stored it.
  const { canonical, sha256 } = await import("../../core/base/digest.ts");
  const texts = { root: SHIPPED_TRUST.root, keys: JSON.stringify(older) };
  const kept = { schema: "cordon.trust/1", from: "k", at: "2026-01-01T00:00:00.000Z", digest: sha256(canonical(texts)), ...texts };
  writeFileSync(join(data, "trust.json"), JSON.stringify(kept));
  expect(await loadTrust(data)).toMatchObject({ source: "shipped", ignored: expect.stringContaining("2026-01-01") });
});

test("an attestor verifies a release with the trust it is handed", async () => {
  const attest = openAttestor(() => Promise.resolve(FIXTURE_TRUST));
  const of = { name: "widget", version: "1.0.0", integrity };
  const signatures = [{ keyid: SIGNING.listed.keyid, sig: SIGNING.listed.sign(`widget@1.0.0:${integrity}`) }];
  const attestations = bytes(attestationsOf(of, parseBuild("github:acme/widget:publish.yml", "1.0.0"), at));
  const [whole, none, failed] = await Promise.all([
    attest({ ...of, signatures, attestations }),
    attest({ ...of, attestations: "absent" }),
    attest({ ...of, signatures, attestations: { failed: "the registry is down" } }),
  ]);
  expect(whole).toMatchObject({ signature: { state: "valid" }, publish: { state: "valid" }, provenance: { state: "valid" } });
  expect(none).toEqual({ signature: { state: "absent" }, publish: { state: "absent" }, provenance: { state: "absent" } });
  const unknown = { state: "not-checked", reason: "the registry is down" };
  expect(failed).toMatchObject({ signature: { state: "valid" }, publish: unknown, provenance: unknown });
});

test("the next release is verified with the trust of that moment", async () => {
  let texts: { root: string; keys: string } = { root: "", keys: "" };
  const attest = openAttestor(() => Promise.resolve(texts));
  const signatures = [{ keyid: SIGNING.listed.keyid, sig: SIGNING.listed.sign(`widget@1.0.0:${integrity}`) }];
  const release = { name: "widget", version: "1.0.0", integrity, signatures, attestations: "absent" as const };
  expect(await faultOf(attest(release))).toBe("INPUT_UNREADABLE");
  texts = SHIPPED_TRUST;
  expect(await attest(release)).toMatchObject({ signature: { state: "unverifiable" } });
  texts = FIXTURE_TRUST;
  expect(await attest(release)).toMatchObject({ signature: { state: "valid" } });
});
