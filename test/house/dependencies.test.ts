/** We are what we preach: few packages, each with a written reason, locked by digest, none that runs code when it is installed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, text } from "./tree.ts";

type Locked = {
  readonly name?: string;
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};
type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
};

const manifest: Manifest = JSON.parse(text("package.json"));
const { "": root, ...locked }: Readonly<Record<string, Locked>> = JSON.parse(text("package-lock.json")).packages;
const runtime = Object.entries(locked).filter(([, entry]) => !entry.dev);
const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

test("DEPENDENCIES.md has one line for each runtime package, with who pulls it in and why", () => {
  const pulledBy = new Map<string, string[]>();
  for (const [path, entry] of [["node_modules/cordon", root!] as const, ...runtime])
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies }))
      pulledBy.set(name, [...(pulledBy.get(name) ?? []), nameOf(path)]);
  const wanted = runtime.map(([path]) => `${nameOf(path)} ← ${(pulledBy.get(nameOf(path)) ?? []).sort().join(", ")}`).sort();

  const rows = [...text("DEPENDENCIES.md").matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]*) \|$/gm)];
  expect(rows.map(([, name, by]) => `${name} ← ${by}`).sort()).toEqual(wanted);
  for (const [, name, , why] of rows) expect(why!.length, `the reason for ${name}`).toBeGreaterThan(10);
});

test("at most 50 packages can run in production", () => expect(runtime.length).toBeLessThanOrEqual(50));

test("no package, for production or development, runs code when it is installed", () => {
  const scripted = Object.entries(locked).filter(([, entry]) => entry.hasInstallScript);
  // npm runs node-gyp for a binding.gyp even without a script, and its lock does not say so.
  const compiled = Object.keys(locked).filter((path) => existsSync(join(ROOT, path, "binding.gyp")));
  expect([...scripted.map(([path]) => path), ...compiled]).toEqual([]);
});

test("every locked package is held by a sha512 and names no registry", () => {
  const loose = Object.entries(locked).filter(([, entry]) => !entry.integrity?.startsWith("sha512-") || entry.resolved);
  expect(loose.map(([path]) => path)).toEqual([]);
});

test("the lock was written for this package.json", () => {
  for (const group of ["dependencies", "optionalDependencies", "devDependencies"] as const)
    expect((root as unknown as Manifest)[group]).toEqual(manifest[group]);
});

test("dependencies come from the registry; what decides a test or the build is pinned exactly", () => {
  const all = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
  for (const [name, range] of Object.entries(all)) expect(range, name).toMatch(/^\^?\d+\.\d+\.\d+$/);
  // Newer ones lack platform binaries in some mirrors: `npm install` passes there and `npm ci` then fails.
  for (const name of ["libsql", "knip", "oxfmt", "oxlint", "tsdown", "typescript"]) expect(all[name], name).toMatch(/^\d/);
});

test("no lifecycle script: they do not run under ignore-scripts, so nothing may rely on one", () => {
  const hooks = Object.keys(manifest.scripts).filter(
    (name) =>
      /^(?:install|prepare|prepublish|prepack|postpack|publish|dependencies)$/.test(name) ||
      (/^(?:pre|post)/.test(name) && manifest.scripts[name.replace(/^(?:pre|post)/, "")]),
  );
  expect(hooks).toEqual([]);
});

test("what this repository is held to names every package of its lock, and no other", () => {
  const listed = [...text(".ci/cordon.yaml").matchAll(/^ {4}- "(.+)"$/gm)].map(([, name]) => name!);
  // An alias brings the package of its real name.
  const names = new Set(Object.entries(locked).map(([path, { name }]) => name ?? nameOf(path)));
  expect(listed).toEqual([...names].sort());
});
