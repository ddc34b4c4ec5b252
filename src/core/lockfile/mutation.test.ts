/** Random damage: no reading, rewriting or comparing ever throws, and no entry of a JSON lockfile is lost without a word. */
import { readFileSync, readdirSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lockGraph, pathTo } from "./graph.ts";
import { foreignSources } from "./hosts.ts";
import { rewriteSources } from "./normalise.ts";
import { readLockfile } from "./read.ts";
import { LOCK_PROBLEMS } from "./tree.ts";

const SAMPLES = new URL("samples/", import.meta.url);
const NAMES: Readonly<Record<string, string>> = {
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml",
  yarn: "yarn.lock",
  bun: "bun.lock",
  deno: "deno.lock",
};
const samples = readdirSync(SAMPLES)
  .filter((file) => file !== "READ.txt")
  .map((file) => ({ file, name: NAMES[file.split("-")[0]!]!, text: readFileSync(new URL(file, SAMPLES), "utf8") }));

type Damage = {
  readonly kind: "flip" | "cut" | "double" | "drop" | "swap" | "insert";
  readonly a: number;
  readonly b: number;
  readonly scrap: string;
};

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("flip", "cut", "double", "drop", "swap", "insert"),
  a: fc.nat(),
  b: fc.nat(),
  scrap: fc.oneof(
    fc.constantFrom(
      '"',
      "{",
      "}",
      ",",
      ":",
      "\n",
      "  ",
      "null",
      "__proto__",
      "constructor",
      "\u0000",
      "\ud800",
      "@",
      "/",
      "#",
      "npm:",
      "(",
      ")",
    ),
    fc.string({ maxLength: 4 }),
  ),
});

function apply(text: string, { kind, a, b, scrap }: Damage): string {
  const at = a % text.length;
  const lines = text.split("\n");
  const [i, j] = [a % lines.length, b % lines.length];
  switch (kind) {
    case "flip":
      return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << (b % 7))) + text.slice(at + 1);
    case "cut":
      return text.slice(0, at);
    case "double":
      lines.splice(j, 0, lines[i]!);
      break;
    case "drop":
      lines.splice(i, 1 + (b % 3));
      break;
    case "swap":
      [lines[i], lines[j]] = [lines[j]!, lines[i]!];
      break;
    case "insert":
      return text.slice(0, at) + scrap + text.slice(at);
  }
  return lines.join("\n");
}

function applyAll(text: string, damages: readonly Damage[]): string {
  return damages.reduce((before, one) => (before === "" ? before : apply(before, one)), text);
}

test("damage never throws, and what is said has a place in the file", () => {
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(damage, { minLength: 1, maxLength: 4 }), ({ name, text }, damages) => {
      const mutated = applyAll(text, damages);
      const tree = readLockfile(name, mutated);
      const lines = mutated.split("\n").length;
      for (const { line, column, code, severity } of tree.problems) {
        expect(severity).toBe(LOCK_PROBLEMS[code].severity);
        expect(line >= 1 && line <= lines && column >= 1, `${line}:${column}`).toBe(true);
      }
      for (const { line } of tree.packages) expect(line >= 1 && line <= lines).toBe(true);
      // Not complete is never silent.
      if (!tree.complete) expect(tree.problems.some((problem) => problem.severity === "error")).toBe(true);
      const graph = lockGraph(tree);
      for (let wanted = 0; wanted < Math.min(3, tree.packages.length); wanted++) pathTo(graph, wanted);
      foreignSources(tree, ["registry.corp.test"]);
      rewriteSources(tree.kind, mutated, () => null);
    }),
    { numRuns: 400 },
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...Object.values(NAMES), "bun.lockb", "x"), (bytes, name) => {
      readLockfile(name, bytes);
    }),
  );
});

type Plain = { readonly packages?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

test("npm: whatever JSON.parse finds under packages is in the tree, or a problem says why not", () => {
  const npm = samples.filter((sample) => /^npm-[23]/.test(sample.file));
  const edits = fc.tuple(fc.constantFrom(...npm), fc.array(damage, { minLength: 1, maxLength: 2 }));
  let compared = 0;
  fc.assert(
    fc.property(edits, ([sample, damages]) => {
      const mutated = applyAll(sample.text, damages);
      const tree = readLockfile(sample.name, mutated);
      let parsed: Plain;
      try {
        parsed = JSON.parse(mutated) as Plain;
      } catch {
        expect(tree.complete).toBe(false);
        return;
      }
      if (tree.problems.some((problem) => problem.severity === "error")) return;
      // Damage that takes `packages` away leaves what npm reads as a lockfile of version 1.
      if (parsed.packages === undefined) return;
      compared++;
      const listed = Object.entries(parsed.packages).filter(([key]) => key !== "");
      expect(tree.packages.map((entry) => entry.key)).toEqual(listed.map(([key]) => key));
      listed.forEach(([, plain], index) => {
        const entry = tree.packages[index]!;
        // Without a version the URL's is what will be installed, and the file is told so.
        if (plain["version"] !== undefined || entry.version === "") expect(entry.version).toBe(plain["version"] ?? "");
        else expect(tree.problems.map((problem) => problem.code)).toContain("no-version");
        expect(entry.integrity?.value).toBe(plain["integrity"]);
        if (entry.source.kind === "registry" || entry.source.kind === "tarball") expect(entry.source.url).toBe(plain["resolved"]);
      });
    }),
    { numRuns: 500 },
  );
  expect(compared).toBeGreaterThan(20);
});
