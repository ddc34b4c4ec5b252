/** Lockfiles that lead past the gate: none of them starts the client. The npm on PATH is the client; the fixture's log proves what was fetched. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { product } from "../kit/app.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { tempFolder } from "../kit/temp.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ packages: ["axios"], at: "2026-03-31T00:43:00Z" });
});
afterAll(() => fixture.stop());

/** A project installed once, honestly. */
async function installed(manifest = MANIFEST) {
  const cwd = tempFolder({ "package.json": manifest });
  const { cordon } = await product({ fixture, cwd });
  expect((await cordon(["npm", "install"])).code).toBe(0);
  return { cwd, cordon, lockfile: join(cwd, "package-lock.json"), lock: readFileSync(join(cwd, "package-lock.json"), "utf8") };
}

const MANIFEST = JSON.stringify({ name: "site", dependencies: { axios: "^1.13.0" } });
const AXIOS = () => `"resolved": "${fixture.url}axios/-/axios-1.14.0.tgz"`;

test.each([
  ["an archive beside no registry path", () => '"resolved": "https://cdn.example.test/axios-1.14.0.tgz"'],
  ["a git commit", () => '"resolved": "git+https://git.example.test/axios.git#0123456789012345678901234567890123456789"'],
  ["an address in capitals", () => '"resolved": "HTTPS://cdn.example.test/axios-1.14.0.tgz"'],
  ["a foreign registry", () => '"resolved": "https://registry.example.test/axios/-/axios-1.14.0.tgz"'],
])("%s that no manifest asks for stops the run", async (_what, resolved) => {
  const { cordon, lock, lockfile } = await installed();
  expect(lock).toContain(AXIOS());
  writeFileSync(lockfile, lock.replace(AXIOS(), resolved()));
  const ran = await cordon(["npm", "ci"]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("was not started");
  expect(ran.stderr).toContain("package-lock.json");
  expect(ran.stdout).toBe("");
});

test("a lockfile that cannot be read whole stops the run: the client would guess", async () => {
  const { cordon, lock, lockfile } = await installed();
  const half = Math.floor(lock.length / 2);
  writeFileSync(lockfile, `${lock.slice(0, half)}\n<<<<<<< ours\n=======\n>>>>>>> theirs\n${lock.slice(half)}`);
  const ran = await cordon(["npm", "ci"]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("cannot be read whole");
  expect(ran.stdout).toBe("");
});

test("what a project bundles itself is checked like everything else", async () => {
  const manifest = JSON.stringify({ name: "site", dependencies: { axios: "^1.13.0" }, bundleDependencies: ["axios"] });
  const { cordon, lock } = await installed(manifest);
  expect(JSON.parse(lock).packages["node_modules/axios"].inBundle).toBe(true);
  await cordon(["deny", "add", "axios@1.14.0", "--reason", "test"]);
  const again = await cordon(["npm", "install", "--prefer-offline", "--no-package-lock"]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("denied-by-policy");
});
