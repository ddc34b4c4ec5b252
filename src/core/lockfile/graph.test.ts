import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { lockGraph, pathTo, reach } from "./graph.ts";
import { readLockfile } from "./read.ts";

const SAMPLES = new URL("samples/", import.meta.url);
const NAMES: Readonly<Record<string, string>> = {
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml",
  yarn: "yarn.lock",
  bun: "bun.lock",
  deno: "deno.lock",
};
const samples = readdirSync(SAMPLES).filter((file) => file !== "READ.txt");

function read(file: string): ReturnType<typeof readLockfile> {
  return readLockfile(NAMES[file.split("-")[0]!]!, readFileSync(new URL(file, SAMPLES), "utf8"));
}

/** `. > @corp/tool@2.0.0 > right@0.1.4` */
function way(file: string, name: string, version: string): string | undefined {
  const tree = read(file);
  const wanted = tree.packages.findIndex((entry) => entry.name === name && entry.version === version);
  const found = pathTo(lockGraph(tree), wanted);
  if (found === undefined) return undefined;
  const steps = found.packages.map((index) => `${tree.packages[index]!.name}@${tree.packages[index]!.version}`);
  return [...(found.importer === undefined ? [] : [tree.importers[found.importer]!.path]), ...steps].join(" > ");
}

test.each(samples.filter((file) => /npm-[23]|pnpm-[569]\.0\.yaml|yarn-10|bun|deno-[45]/.test(file)))(
  "%s: the way to what only a tool needs",
  (file) => {
    expect(way(file, "right", "0.1.4")).toBe(". > @corp/tool@2.0.0 > right@0.1.4");
  },
);

test("without importers the way begins at what nothing depends on", () => {
  expect(way("yarn-1.lock", "right", "0.1.4")).toBe("@corp/tool@2.0.0 > right@0.1.4");
  expect(way("npm-1.json", "right", "0.1.4")).toBe("@corp/tool@2.0.0 > right@0.1.4");
});

test("an alias leads to the package behind it", () => {
  for (const file of samples.filter((name) => /npm-[23]|pnpm-[569]\.0\.yaml|yarn-10/.test(name)))
    expect(way(file, "left", "0.9.0"), file).toMatch(/^(?:\.|packages\/app) > left@0\.9\.0$/);
});

test("the flags a format does not write are those npm writes for the same project", () => {
  const flags = (file: string): Map<string, string> =>
    new Map(
      read(file)
        .packages.filter((entry) => entry.source.kind === "registry")
        .map((entry) => [`${entry.name}@${entry.version}`, `${entry.dev} ${entry.optional}`]),
    );
  const npm = flags("npm-3.json");
  // In the pnpm sample a workspace needs the tool for production.
  for (const [id, found] of flags("bun-1.lock")) expect(found, id).toBe(npm.get(id));
  const tree = read("npm-3.json");
  reach(tree, lockGraph(tree)).forEach(({ dev, optional }, index) => {
    const entry = tree.packages[index]!;
    if (entry.source.kind !== "workspace") expect({ dev, optional }, entry.key).toEqual({ dev: entry.dev, optional: entry.optional });
  });
});

test("good files refer to nothing that is not there", () => {
  for (const file of samples.filter((name) => name !== "npm-0.json")) expect(lockGraph(read(file)).dangling, file).toEqual([]);
});
