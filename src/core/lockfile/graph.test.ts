import { readFileSync, readdirSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { edgesOf, type GraphInput, isPlaced, lockGraph, pathTo, placed, reach } from "./graph.ts";
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

/** The edges of each node that lead somewhere, and the roots. */
function told(tree: GraphInput, { first, nameOf, to, packageOf, roots }: ReturnType<typeof edgesOf>) {
  const nodes = tree.packages.map((_, node) =>
    Array.from(to.subarray(first[node], first[node + 1]), (target, at) => ({ target, name: nameOf(first[node]! + at, node) })).flatMap(
      ({ target, name }) => (target < 0 ? [] : [`${name} ${target}`]),
    ),
  );
  return { nodes, packages: nodes.map((_, node) => packageOf(node)), roots };
}

function expectSame(tree: GraphInput): void {
  const { edges, rootsOf } = placed(tree);
  expect(told(tree, { ...edges, roots: rootsOf(tree.importers) })).toEqual(told(tree, edgesOf(lockGraph(tree))));
}

test("what is placed in directories leads where the graph of it leads", () => {
  for (const file of samples) {
    const tree = read(file);
    if (isPlaced(tree.kind)) expectSame(tree);
  }
  const name = fc.constantFrom("a", "b", "@s/a", "@s/b", "node_modules", "@s");
  const keys = fc.record({
    package: fc
      .tuple(fc.constantFrom("", "packages/site/"), fc.array(name, { minLength: 1, maxLength: 3 }))
      .map(([folder, names]) => `${folder}node_modules/${names.join("/node_modules/")}`),
    folder: fc.constantFrom("packages/site", "packages/site/src"),
  });
  const entry = fc.record({
    keys,
    inside: fc.boolean(),
    link: fc.boolean(),
    dependencies: fc.dictionary(name, fc.constant("*"), { maxKeys: 3 }),
    peerDependencies: fc.dictionary(name, fc.constant("*"), { maxKeys: 2 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.constantFrom("package-lock", "bun"), fc.array(name), (entries, kind, declared) => {
      const packages = entries.map(({ keys: key, inside, link, dependencies, peerDependencies }) => ({
        key: kind === "bun" ? key.package.replaceAll("node_modules/", "") : inside ? key.package : key.folder,
        name: "x",
        version: "1.0.0",
        source: link ? ({ kind: "link", path: "packages/site" } as const) : ({ kind: "registry" } as const),
        dev: false,
        optional: false,
        peer: false,
        line: 1,
        column: 1,
        dependencies,
        peerDependencies,
      }));
      const dependencies = declared.map((each) => ({ name: each, kind: "prod" as const, range: "*", line: 1, column: 1 }));
      const importers = [".", "packages/site"].map((path) => ({ path, dependencies, line: 1, column: 1 }));
      expectSame({ kind, version: "3", packages, importers });
    }),
    { numRuns: 1_000 },
  );
});
