/** Whose an incident pack is, from the signature to the listing: with keys made here, in a data directory that somebody may write to. */
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFixture, openProduct } from "../../../test/gate/open.ts";
import { tempFolder } from "../../../test/kit/temp.ts";

const AXIOS = join(import.meta.dirname, "..", "..", "..", "packs", "axios-2026.json");
const PACK = {
  schema: "cordon.incident-pack/1",
  id: "own-2026",
  revision: 1,
  title: "Ours",
  summary: "Seen here.",
  aliases: [],
  coverage: { kind: "complete" },
  packages: [{ name: "left-pad", role: "carrier", versions: [{ version: "1.3.1" }] }],
  window: { precision: "day" },
  execution: "install",
  sources: [{ title: "us" }],
};

/** A folder with a publisher's keys and a pack, and the product in it. */
async function desk() {
  const keys = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const folder = tempFolder({ "acme.key": keys.privateKey, "acme.pem": keys.publicKey, "pack.json": PACK });
  const { cordon, data } = await openProduct({ fixture: await openFixture(), cwd: folder });
  const incident = (...args: string[]) => cordon(["incident", ...args]);
  return {
    data,
    folder,
    incident,
    trusted: () => cordon(["incident", "trust", "acme.pem"], { terminal: true, answers: ["acme"] }),
    write: (pack: object) => writeFileSync(join(folder, "pack.json"), JSON.stringify(pack)),
    async sign() {
      const { code, stdout } = await incident("sign", "pack.json", "--key", "acme.key");
      expect(code).toBe(0);
      writeFileSync(join(folder, "pack.json.sig"), stdout);
    },
  };
}

test("a pack is signed, its key trusted, and every listing says who answers for it", async () => {
  const { incident, sign, trusted } = await desk();
  await sign();
  expect((await incident("verify", "pack.json")).stdout).toMatch(/unsigned by anybody trusted here: its signature is by key [0-9a-f]{16}/);
  expect((await trusted()).code).toBe(0);
  expect(await incident("import", "pack.json")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("imported, signed by acme (key "),
  });
  expect((await incident("show", "own-2026")).stdout).toContain("signed by acme (key ");
  expect(await incident("verify")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^own-2026 .*signed by acme/m) });
  // Nobody vouches for it any more when the key is not believed any more.
  expect((await incident("trust", "--remove", "acme")).code).toBe(0);
  expect((await incident("show", "own-2026")).stdout).toContain("unsigned by anybody trusted here");
});

test("a file that cordon ships is known by its bytes", async () => {
  const { incident, folder } = await desk();
  expect(await incident("verify", AXIOS)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("axios-2026 revision 1: shipped with this cordon\n"),
  });
  writeFileSync(join(folder, "axios.json"), readFileSync(AXIOS, "utf8").replace("1.14.1", "1.14.2"));
  expect(await incident("verify", "axios.json")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("axios-2026 revision 1: unsigned\n"),
  });
});

test("only somebody trusted replaces what cordon ships, also with a key given for this once", async () => {
  const { incident, write, sign, trusted } = await desk();
  write({ ...PACK, id: "axios-2026", revision: 2 });
  expect(await incident("import", "pack.json")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("what is unsigned does not replace it"),
  });
  await sign();
  expect(await incident("import", "pack.json", "--key", "acme.pem")).toMatchObject({ code: 2 });
  await trusted();
  expect(await incident("import", "pack.json")).toMatchObject({ code: 0 });
});

test("a key given for this once checks the pack and nothing else", async () => {
  const { incident, sign, write, folder } = await desk();
  await sign();
  expect(await incident("verify", "pack.json", "--key", "acme.pem")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("signed by the key given"),
  });
  writeFileSync(
    join(folder, "other.pem"),
    generateKeyPairSync("ed25519", {
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    }).publicKey,
  );
  expect(await incident("import", "pack.json", "--key", "other.pem")).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/is signed by key [0-9a-f]{16}, not by/),
  });
  write({ ...PACK, title: "Theirs" });
  expect(await incident("verify", "pack.json", "--key", "acme.pem")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("signature does not fit"),
  });
});

test("a pack that is changed where it is kept is not used, and said", async () => {
  const { incident, sign, trusted, data } = await desk();
  await sign();
  await trusted();
  await incident("import", "pack.json");
  const folder = join(data, "incidents");
  const file = join(
    folder,
    readdirSync(folder).find((name) => name === "own-2026.json")!,
  );
  writeFileSync(file, readFileSync(file, "utf8").replace("1.3.1", "1.3.0"));
  expect(await incident("verify")).toMatchObject({ code: 1, stdout: expect.stringContaining("it was changed after it was imported") });
  expect((await incident("show", "own-2026")).code).toBe(2);
  // Also when its digest was made to fit: the signature does not.
  const from = join(folder, "own-2026.from.json");
  const provenance = JSON.parse(readFileSync(from, "utf8")) as { sha256: string };
  const { createHash } = await import("node:crypto");
  writeFileSync(from, JSON.stringify({ ...provenance, sha256: createHash("sha256").update(readFileSync(file)).digest("hex") }));
  expect((await incident("verify")).stdout).toContain("acme signed other bytes");
});

test("a key is believed because a person typed its name, and never two keys under one", async () => {
  const { incident, trusted, folder } = await desk();
  expect((await incident("trust", "acme.pem")).stderr).toContain("needs a person at a terminal");
  expect((await incident("trust", "acme.key")).stderr).toContain("that is a private key");
  await trusted();
  writeFileSync(
    join(folder, "other.pem"),
    generateKeyPairSync("ed25519", {
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    }).publicKey,
  );
  expect((await incident("trust", "other.pem", "--name", "acme")).stderr).toMatch(/acme is key [0-9a-f]{16} already/);
  expect((await incident("trust", "acme.pem", "--name", "other")).stderr).toMatch(/acme is key [0-9a-f]{16} already/);
  expect(JSON.parse((await incident("trust", "--json")).stdout)).toMatchObject({
    keys: [{ name: "acme", key: expect.stringMatching(/^[0-9a-f]{16}$/) }],
  });
});

test("damaged keys are said, not taken for none", async () => {
  const { incident, data, trusted } = await desk();
  await trusted();
  writeFileSync(join(data, "incident-keys.json"), "[]");
  expect(await incident("verify", "pack.json")).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("incident-keys.json cannot be read"),
  });
});
