/** `tools/setup.mjs` in a small repository of its own: what it does when something changed, and that it is silent when nothing did. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./tree.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "cordon-setup-")));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
};

type Run = { readonly status: number | null; readonly out: string; readonly err: string };

/** What the children wrote to stderr, as it came. */
const heard: string[] = [];

function node(...argv: readonly string[]): Promise<Run> {
  // Nothing of the npm that may run this test reaches the npm it starts; NODE_ENV is what most servers set.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:npm_|vitest|node_env$)/i.test(name));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      cwd: tmpdir(),
      env: { ...Object.fromEntries(inherited), NODE_ENV: "production", HOME: home },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => {
      err += chunk;
      heard.push(String(chunk));
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

const setup = (...argv: readonly string[]): Promise<Run> => node(join(home, "tools", "setup.mjs"), ...argv);
const cordon = (...argv: readonly string[]): Promise<Run> => node(join(home, "bin", "cordon.js"), ...argv);

beforeAll(() => {
  const tools = ["tools/setup.mjs", "tools/build-constants.ts", "tools/code-cache.mjs"];
  for (const path of [...tools, "bin/cordon.js", "bin/chunks.js", "bin/package.json", "tsdown.config.ts", "tsconfig.json"])
    cpSync(join(ROOT, path), join(home, path));
  cpSync(join(ROOT, "packs"), join(home, "packs"), { recursive: true });
  // One dependency, from the repository itself: npm ci needs no network for it.
  const manifest = { name: "tiny", version: "7.0.0", type: "module", dependencies: { leaf: "file:leaf" } };
  write("package.json", JSON.stringify(manifest));
  write("leaf/package.json", `{ "name": "leaf", "version": "1.0.0" }\n`);
  const packages = { "": manifest, leaf: { version: "1.0.0" }, "node_modules/leaf": { resolved: "leaf", link: true } };
  write("package-lock.json", JSON.stringify({ name: "tiny", version: "7.0.0", lockfileVersion: 3, requires: true, packages }));
  write("src/worker.ts", "export {};\n");
  write("src/workshop.ts", "export {};\n");
  write("src/main.ts", `export async function main(argv: string[]): Promise<number> { console.log("ran", ...argv); return 7; }\n`);
});

test("an unknown word and no word at all are explained", async () => {
  for (const argv of [[], ["toString"]])
    expect(await setup(...argv)).toMatchObject({ status: 2, out: "", err: expect.stringContaining("usage:") });
});

test("an old Node is told which one is needed", async () => {
  write("old.cjs", `Object.defineProperty(process.versions, "node", { value: "18.20.8" });\n`);
  for (const script of ["bin/cordon.js", "tools/setup.mjs"])
    expect(await node("--require", join(home, "old.cjs"), join(home, script), "start")).toMatchObject({
      status: 2,
      out: "",
      err: expect.stringContaining("needs Node 20.19"),
    });
});

test("the executable says what to run when there is no build", async () => {
  expect(await cordon("gate")).toMatchObject({ status: 2, out: "", err: expect.stringContaining(`npm run build --prefix ${home}`) });
});

test("two at once install once, and a build that fails starts nothing", async () => {
  const both = await Promise.all([setup("build"), setup("build")]);
  expect(both.flatMap(({ err }) => err.match(/running npm ci/g) ?? [])).toHaveLength(1);
  // This repository has no tsdown yet.
  expect(both).toMatchObject([
    { status: 1, err: expect.stringContaining("the build failed; nothing was started") },
    { status: 1, err: expect.stringContaining("the build failed; nothing was started") },
  ]);
  expect(existsSync(join(home, "dist"))).toBe(false);
});

test("it builds, then is silent until a source changes; a failed build leaves the last one", async () => {
  for (const name of ["tsdown", "npm-registry-fetch", "@npmcli/arborist", "@sigstore/tuf"]) {
    mkdirSync(dirname(join(home, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name));
  }
  expect(await setup("build")).toEqual({ status: 0, out: "", err: "setup: dist/ is missing, building\n" });
  expect(await setup("build")).toEqual({ status: 0, out: "", err: "" });
  expect(await cordon("why", "a b")).toEqual({ status: 7, out: "ran why a b\n", err: "" });

  write("src/main.test.ts", "not part of the product\n");
  expect((await setup("build")).err).toBe("");

  write("src/main.ts", `export async function main(argv: string[]): Promise<number> { throw new Error("oh"); }\n`);
  expect(await setup("start", "--listen", "x")).toMatchObject({
    status: 70,
    out: "",
    err: expect.stringMatching(/older than the sources, building\n[^]*please report it[^]*oh/),
  });

  write("src/main.ts", "export const main = (;\n");
  expect(await setup("start")).toMatchObject({ status: 1, out: "", err: expect.stringContaining("nothing was started") });
  expect(readFileSync(join(home, "dist", "main.js"), "utf8")).toContain("oh");
});

test("it waits for another set-up that is at work, and says so", async () => {
  write("src/main.ts", `export async function main(): Promise<number> { return 3; }\n`);
  write(".cache/setup.lock/pid", String(process.pid));
  const waiting = setup("start");
  await expect.poll(() => heard.at(-1)).toContain("waiting for it");
  expect(existsSync(join(home, ".cache", "setup.lock"))).toBe(true);
  rmSync(join(home, ".cache", "setup.lock"), { recursive: true });
  expect(await waiting).toMatchObject({ status: 3, err: expect.stringContaining("building") });
});

test("a lock left by a set-up that was killed does not stop the next", async () => {
  write("src/main.ts", `export async function main(): Promise<number> { return 0; }\n`);
  // A process that has ended for certain.
  const gone = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => gone.on("close", resolve));
  write(".cache/setup.lock/pid", String(gone.pid));
  expect(await setup("start")).toMatchObject({ status: 0, err: expect.stringContaining("building") });
  expect(existsSync(join(home, ".cache", "setup.lock"))).toBe(false);
});
