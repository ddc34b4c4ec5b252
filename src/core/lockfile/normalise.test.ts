import { readFileSync, readdirSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { foreignSources } from "./hosts.ts";
import { rewriteSources } from "./normalise.ts";
import { readLockfile } from "./read.ts";
import type { LockfileKind } from "./tree.ts";

const SAMPLES = new URL("samples/", import.meta.url);
const KINDS: Readonly<Record<string, LockfileKind>> = { npm: "package-lock", pnpm: "pnpm", bun: "bun", deno: "deno" };

function kindOf(file: string): LockfileKind {
  return file === "yarn-1.lock" ? "yarn-classic" : file.startsWith("yarn") ? "yarn-berry" : KINDS[file.split("-")[0]!]!;
}

const samples = readdirSync(SAMPLES)
  .filter((file) => file !== "READ.txt")
  .map((file) => ({ file, kind: kindOf(file), text: readFileSync(new URL(file, SAMPLES), "utf8") }));

function sample(file: string): { kind: LockfileKind; text: string } {
  return samples.find((one) => one.file === file)!;
}

/** The lines that differ, `-` before and `+` after. */
function diff(before: string, after: string): string[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  return [
    ...old.filter((line) => !fresh.includes(line)).map((line) => `-${line}`),
    ...fresh.filter((line) => !old.includes(line)).map((line) => `+${line}`),
  ];
}

test("there and back again gives the same bytes, whatever the URL, line endings and indentation", () => {
  // Brackets and commas would need quotes in YAML, which then stay.
  const url = fc.webUrl({ validSchemes: ["http", "https"] }).filter((text) => !/[,[\]{}]/.test(text));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      url,
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      ({ kind, text }, base, newline, trailing) => {
        const original = (trailing ? text : text.trimEnd()).replaceAll("\n", newline);
        const back = new Map<string, string>();
        const there = rewriteSources(kind, original, (entry) => {
          const to = `${base}#${back.size}`;
          back.set(to, entry.url);
          return to;
        });
        expect(there.complete).toBe(true);
        const again = rewriteSources(kind, there.text, (entry) => back.get(entry.url));
        expect(again.text).toBe(original);
        expect(again.changed.length).toBe(there.changed.length);
      },
    ),
    { numRuns: 300 },
  );
});

test("nothing asked, nothing changed", () => {
  for (const { kind, text } of samples) {
    expect(rewriteSources(kind, text, () => undefined)).toEqual({ text, changed: [], kept: [], complete: true });
    expect(rewriteSources(kind, text, (entry) => entry.url).changed).toEqual([]);
  }
});

test("each entry is offered with what its bytes are", () => {
  for (const { file, kind, text } of samples) {
    const offered: string[] = [];
    rewriteSources(kind, text, ({ name, version, url }) => void offered.push(`${name}@${version} ${url}`));
    for (const line of offered) expect(line, file).toMatch(/^(@?[^@]+)@[^ ]* https:\/\/(registry\.corp|files)\.test\//);
    // Never under its alias.
    expect(
      offered.filter((line) => line.startsWith("old-left")),
      file,
    ).toEqual([]);
  }
});

test.each([
  ["npm-3.json", "resolved", ['-      "resolved": "https://registry.corp.test/left/-/left-1.2.3.tgz",']],
  [
    "bun-1.lock",
    "right",
    ['-    "right": ["right@0.1.4", "https://registry.corp.test/right/-/right-0.1.4.tgz", {', '+    "right": ["right@0.1.4", "", {'],
  ],
  ["pnpm-9.0.yaml", "tarball", [", tarball: https://registry.corp.test/right/-/right-0.1.4.tgz}"]],
  ["pnpm-5.0.yaml", "tarball", ["-      tarball: https://registry.corp.test/right/-/right-0.1.4.tgz"]],
  ["yarn-10.lock", "__archiveUrl", ['+  resolution: "right@npm:0.1.4"']],
  ["deno-5.lock", "tarball", ['-      "tarball": "https://registry.corp.test/right/-/right-0.1.4.tgz",']],
])("null leaves %s without %s, in the client's own form", (file, _field, expected) => {
  const { kind, text } = sample(file);
  const blank = rewriteSources(kind, text, (entry) => (entry.url.includes("registry.corp.test") ? null : undefined));
  const lines = diff(text, blank.text).join("\n");
  for (const line of expected) expect(lines).toContain(line);
  expect(blank.kept).toEqual([]);
  const tree = readLockfile(file.startsWith("yarn") ? "yarn.lock" : `x/${file}`, blank.text);
  expect(
    foreignSources(tree, ["files.test", "code.test", "runtime.test", "modules.test"]).filter(({ kind: source }) => source !== "jsr"),
  ).toEqual([]);
  // Everything else is read as before.
  const before = readLockfile(file.startsWith("yarn") ? "yarn.lock" : `x/${file}`, text);
  expect(tree.packages.map((entry) => [entry.name, entry.version, entry.integrity])).toEqual(
    before.packages.map((entry) => [entry.name, entry.version, entry.integrity]),
  );
  expect(tree.complete).toBe(true);
});

test("yarn 1 needs a URL: it is kept, and said", () => {
  const { kind, text } = sample("yarn-1.lock");
  const blank = rewriteSources(kind, text, () => null);
  expect(blank.text).toBe(text);
  expect(blank.kept.map((entry) => entry.line)).toEqual([7, 15, 23, 31, 36, 40]);
});

test("yarn 1's sha1 stays with its URL", () => {
  const { kind, text } = sample("yarn-1.lock");
  const moved = rewriteSources(kind, text, (entry) => entry.url.replace("registry.corp.test", "gate.test"));
  expect(moved.changed.length).toBe(5);
  for (const line of diff(text, moved.text)) expect(line).toMatch(/resolved "https:\/\/.*\.tgz#[0-9a-f]{40}"$/);
});

test("a tarball dependency cannot go without its URL", () => {
  const { kind, text } = sample("npm-2.json");
  const blank = rewriteSources(kind, text, () => null);
  expect(blank.kept.map((entry) => entry.url)).toEqual(["https://files.test/archive-1.0.0.tgz", "https://files.test/archive-1.0.0.tgz"]);
  // Both halves are rewritten.
  expect(blank.changed.filter((change) => change.from.includes("left-1.2.3")).length).toBe(2);
});

test("the last member, the only member, and a member before the last go with their comma", () => {
  const [open, shut] = ['{"lockfileVersion":3,"packages":{"node_modules/a":{', "}}}"];
  const url = '"resolved":"https://r.test/a/-/a-1.0.0.tgz"';
  for (const [before, after] of [
    [`"version":"1.0.0",${url}`, '"version":"1.0.0"'],
    [`${url},"version":"1.0.0"`, '"version":"1.0.0"'],
    [`"version":"1.0.0",${url},"integrity":""`, '"version":"1.0.0","integrity":""'],
    [url, ""],
  ] as const)
    expect(rewriteSources("package-lock", open + before + shut, () => null).text).toBe(open + after + shut);
});

test("a URL that YAML would misread is quoted", () => {
  const { kind, text } = sample("pnpm-9.0.yaml");
  for (const url of ["https://r.test/a,b/x.tgz", "https://r.test/it's.tgz", "https://r.test/x:", "https://r.test/{x}"]) {
    const there = rewriteSources(kind, text, () => url);
    const tree = readLockfile("pnpm-lock.yaml", there.text);
    expect(tree.packages.find((entry) => entry.name === "right")?.source).toEqual({ kind: "registry", url });
  }
});

test("a file that cannot be read to its end is left as it is", () => {
  for (const { kind, text } of samples) {
    const broken = `${text}\n<<<<<<< HEAD\n`;
    expect(rewriteSources(kind, broken, () => null)).toEqual({ text: broken, changed: [], kept: [], complete: false });
  }
  expect(rewriteSources("bun-binary", "x", () => null).complete).toBe(false);
});
