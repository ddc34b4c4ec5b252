/**
 * Every real lockfile of the shared collection, read and held against counts that were made without us (`MANIFEST.json`), against npm's own
 * reader, and against the `yaml` library. The collection is not part of this repository: without it these tests say so and pass nothing.
 */
import { createRequire } from "node:module";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openReader } from "../../src/core/lockfile/document.ts";
import { lockGraph } from "../../src/core/lockfile/graph.ts";
import { rewriteSources } from "../../src/core/lockfile/normalise.ts";
import { LOCKFILE_NAMES, readLockfile } from "../../src/core/lockfile/read.ts";
import { afterOf, hasKey, keyOf, kindOf, openTape, valueOf } from "../../src/core/lockfile/tape.ts";
import type { Tape } from "../../src/core/lockfile/tape.ts";
import type { ResolvedPackage, ResolvedTree } from "../../src/core/lockfile/tree.ts";
import { readPlainYaml } from "../../src/core/lockfile/yaml-plain.ts";
import { readAnyYaml } from "../../src/core/lockfile/yaml.ts";

const SHARED = fileURLToPath(new URL("../../../shared/samples/lockfiles/", import.meta.url));
const present = existsSync(join(SHARED, "MANIFEST.json"));
if (!present) console.error(`NOT RUN: no lockfiles at ${SHARED}; nothing is shown about real ones`);

type Line = { readonly file: string; readonly stat: string };
const manifest = present ? (JSON.parse(readFileSync(join(SHARED, "MANIFEST.json"), "utf8")) as Line[]) : [];

/** The name a client would give the file: the collection's own names only describe. */
function clientName(file: string): string {
  const folder = file.slice(0, file.indexOf("/"));
  if (file.endsWith(".lockb")) return "bun.lockb";
  const names: Readonly<Record<string, string>> = {
    "package-lock": "package-lock.json",
    "npm-shrinkwrap": "npm-shrinkwrap.json",
    hidden: ".package-lock.json",
    "pnpm-lock": "pnpm-lock.yaml",
    "yarn-classic": "yarn.lock",
    "yarn-berry": "yarn.lock",
    bun: "bun.lock",
    deno: "deno.lock",
  };
  return names[folder]!;
}

const trees = new Map<string, ResolvedTree>();
function treeOf(file: string): ResolvedTree {
  const known = trees.get(file) ?? readLockfile(clientName(file), readFileSync(join(SHARED, file)));
  trees.set(file, known);
  return known;
}

const count = (tree: ResolvedTree, which: (entry: ResolvedPackage) => boolean): number => tree.packages.filter(which).length;
const isFetched = ({ source }: ResolvedPackage): boolean => source.kind !== "link" && source.kind !== "workspace";

/** `lockfileVersion=2 packages=3 …` as numbers. */
function statOf(stat: string): Readonly<Record<string, number>> {
  return Object.fromEntries([...stat.matchAll(/(\w+)=(\d+)\b/g)].map((match) => [match[1]!, Number(match[2])]));
}

/** Our counts by the names the manifest uses; only what can be compared. */
function ours(file: string, tree: ResolvedTree): Readonly<Record<string, number>> {
  const aliased = count(tree, (entry) => entry.alias !== undefined);
  switch (tree.kind) {
    case "package-lock":
    case "npm-shrinkwrap":
    case "npm-hidden": {
      const git = count(tree, (entry) => entry.source.kind === "git");
      if (Number(tree.version) < 2)
        return { depsTree: tree.packages.length, git, sha1: count(tree, (entry) => entry.integrity?.kind === "sha1") };
      // The manifest counts the root entry, which is an importer here.
      const root = tree.importers.some((importer) => importer.path === ".") ? 1 : 0;
      const link = count(tree, (entry) => entry.source.kind === "link");
      const without = count(tree, (entry) => entry.integrity === undefined && entry.source.kind !== "link");
      // What the manifest calls an alias is an entry with a name of its own; directories of a workspace have one too.
      const named = tree.importers.filter((importer) => importer.path !== "." && importer.name !== undefined).length;
      return { packages: tree.packages.length + root, link, nointegrity: without, git, alias: aliased + named };
    }
    case "pnpm":
      return {
        integrity: count(tree, (entry) => entry.integrity !== undefined),
        tarball: count(tree, (entry) => entry.source.kind === "git"),
      };
    case "yarn-classic":
      return {
        entries: tree.packages.length,
        resolved: count(tree, (entry) => entry.source.kind !== "file"),
        sha1frag: count(tree, (entry) => entry.integrity !== undefined),
        git: count(tree, (entry) => entry.source.kind === "git"),
        file: count(tree, (entry) => entry.source.kind === "file"),
        alias: aliased,
      };
    case "yarn-berry":
      return {
        entries: tree.packages.length,
        workspace: count(tree, (entry) => entry.source.kind === "workspace"),
        checksum: count(tree, (entry) => entry.integrity?.kind === "berry-checksum"),
        patch: count(tree, (entry) => entry.patched !== undefined),
        conditions: count(tree, (entry) => entry.os !== undefined || entry.cpu !== undefined || entry.libc !== undefined),
      };
    case "bun":
      return { pkgs: tree.packages.length, integrity: count(tree, (entry) => entry.integrity !== undefined) };
    case "deno": {
      const npm = count(tree, (entry) => entry.source.kind === "registry");
      return {
        npm,
        jsr: count(tree, (entry) => entry.source.kind === "jsr"),
        remote: count(tree, (entry) => entry.source.kind === "module"),
      };
    }
    default:
      throw new Error(`${file}: ${tree.kind}`);
  }
}

/** Where the manifest's quick count and the truth differ, and why; `docs/lockfiles.md` says it for people. */
const EXPLAINED: Readonly<Record<string, Readonly<Record<string, readonly [count: number, why: string]>>>> = {
  "yarn-classic/lavamoat-mmm-3748.lock": { sha1frag: [3746, "the manifest counted the commit behind a git URL too"] },
  "deno/v2-hono-benchmarks.lock": { npm: [38, "the manifest counted the two keys of `npm`, specifiers and packages"] },
  "bun/v0-shorthash.lock": { pkgs: [1, "the manifest's pattern wants a tuple on one line"] },
  "package-lock/ancient-lockfile-invalid.json": { sha1: [0, "its one digest is malformed, so no client checks it"] },
  "hidden/workspaces.package-lock.json": { link: [1, "the file is one line, and the manifest's pattern wants a space"] },
  "package-lock/v2-git-file-odd-osv-scalibr.json": {
    packages: [12, "11 keys as JSON.parse sees them; a twelfth stands twice, and both are listed"],
  },
};

describe.runIf(present)("the counts of the manifest", () => {
  test.each(manifest.filter((line) => !line.file.endsWith(".lockb")).map((line) => [line.file, line] as const))("%s", (file, line) => {
    const wanted = statOf(line.stat);
    for (const [name, found] of Object.entries(ours(file, treeOf(file)))) {
      const explained = EXPLAINED[file]?.[name];
      if (wanted[name] !== undefined) expect(found, `${name}${explained ? ` (${explained[1]})` : ""}`).toBe(explained?.[0] ?? wanted[name]);
    }
  });

  // As `bun bun.lockb` of bun 1.4.5 prints them: every name, version, URL and integrity was equal when this was written.
  test.each([
    ["bun/lockb-elysia-2022.lockb", 200],
    ["bun/lockb-hono-2024.lockb", 851],
    ["bun/lockb-elysia-test-node.lockb", 288],
  ])("%s", (file, packages) => {
    expect(treeOf(file).packages.length).toBe(packages);
    expect(treeOf(file).complete).toBe(true);
  });
});

/** The collection has two made-up files that are wrong on purpose, and one that npm itself calls invalid. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  "package-lock/v1-git-file-odd-osv-scalibr.json": ["identity-mismatch"],
  "package-lock/v2-git-file-odd-osv-scalibr.json": ["contradiction", "duplicate-key"],
  "package-lock/ancient-lockfile-invalid.json": ["bad-integrity"],
};

/** Everything a format reader can see of a tape, a node a line. */
function seen(tape: Tape): string {
  const line = (id: number): string =>
    `${kindOf(tape, id)} ${hasKey(tape, id) ? keyOf(tape, id) : ""} ${valueOf(tape, id)} ${afterOf(tape, id)}`;
  return Array.from({ length: tape.size }, (_, id) => line(id)).join("\n");
}

describe.runIf(present)("real lockfiles", () => {
  test.each(manifest.map((line) => line.file))("%s is read whole, without an error that is not there", (file) => {
    const tree = treeOf(file);
    expect(tree.complete).toBe(true);
    expect([...new Set(tree.problems.filter((problem) => problem.severity === "error").map((problem) => problem.code))].toSorted()).toEqual(
      WRONG[file] ?? [],
    );
    // yarn's `resolutions` stand in no lockfile, so a few references of yarn 4 stay open; the made-up files are not whole.
    const few = tree.kind === "yarn-berry" ? tree.packages.length / 200 : 0;
    if (WRONG[file] === undefined) expect(lockGraph(tree).dangling.length).toBeLessThanOrEqual(few);
  });

  test.each(manifest.filter((line) => !line.file.endsWith(".lockb")).map((line) => line.file))("%s: URLs there and back again", (file) => {
    const text = readFileSync(join(SHARED, file), "utf8");
    const { kind } = treeOf(file);
    const back = new Map<string, string>();
    const there = rewriteSources(kind, text, ({ url }) => {
      const to = `https://elsewhere.test/${back.size}`;
      back.set(to, url);
      return to;
    });
    expect(rewriteSources(kind, there.text, ({ url }) => back.get(url)).text).toBe(text);
  });

  test.each(manifest.filter((line) => /^pnpm|^yarn-berry/.test(line.file)).map((line) => line.file))(
    "%s: the fast YAML reader and the library agree",
    (file) => {
      const text = readFileSync(join(SHARED, file), "utf8");
      const fast = openTape(text);
      expect(readPlainYaml(fast)).toBe(true);
      const slow = openReader("pnpm", "", text);
      expect(readAnyYaml(slow)).toBe(true);
      expect(seen(fast) === seen(slow.tape)).toBe(true);
    },
  );
});

type Node = {
  readonly location: string;
  readonly packageName: string;
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly isRoot: boolean;
  readonly isLink: boolean;
};
type Arborist = new (options: { path: string }) => { loadVirtual(): Promise<{ readonly inventory: ReadonlyMap<string, Node> }> };
// The package has no types of its own.
const { Arborist } = createRequire(import.meta.url)("@npmcli/arborist") as { readonly Arborist: Arborist };

const npmFiles = manifest
  .map((line) => line.file)
  .filter((file) => /^package-lock|^npm-shrinkwrap/.test(file) && !/odd|ancient|v0-/.test(file));

describe.runIf(present)("npm's own reader", () => {
  test.each(npmFiles)("%s: the same places, names, versions, digests and URLs", async (file) => {
    const directory = mkdtempSync(join(tmpdir(), "cordon-lock-"));
    try {
      const text = readFileSync(join(SHARED, file), "utf8");
      writeFileSync(join(directory, basename(clientName(file))), text);
      mkdirSync(join(directory, "node_modules"));
      const lock = JSON.parse(text) as { packages?: Record<string, object> };
      writeFileSync(join(directory, "package.json"), JSON.stringify(lock.packages?.[""] ?? {}));
      const virtual = await new Arborist({ path: directory }).loadVirtual();
      const theirs = new Map<string, string>();
      for (const node of virtual.inventory.values())
        if (!node.isRoot && !node.isLink && node.location.includes("node_modules/"))
          theirs.set(
            node.location,
            `${node.packageName}@${node.version} ${node.integrity ?? ""} ${/^https?:/.test(node.resolved ?? "") ? node.resolved : ""}`,
          );
      const found = new Map<string, string>();
      for (const entry of treeOf(file).packages.filter(isFetched))
        found.set(
          entry.key,
          `${entry.name}@${entry.version} ${entry.integrity?.value ?? ""} ${"url" in entry.source && /^https?:/.test(entry.source.url ?? "") ? entry.source.url : ""}`,
        );
      for (const [location, line] of theirs) expect(found.get(location), location).toBe(line);
      expect([...found.keys()].filter((location) => location.includes("node_modules/") && !theirs.has(location))).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

test.runIf(present)("every name a client gives a lockfile has a reader", () => {
  for (const name of manifest.map((line) => clientName(line.file))) expect(Object.hasOwn(LOCKFILE_NAMES, name)).toBe(true);
});
