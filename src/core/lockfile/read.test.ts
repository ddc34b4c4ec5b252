import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LIMITS } from "../base/limits.ts";
import { readLockfile } from "./read.ts";
import type { ResolvedPackage, ResolvedTree } from "./tree.ts";

const SAMPLES = new URL("samples/", import.meta.url);
const NAMES: Readonly<Record<string, string>> = {
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml",
  yarn: "yarn.lock",
  bun: "bun.lock",
  deno: "deno.lock",
};
const samples = readdirSync(SAMPLES).filter((file) => file !== "READ.txt");

function sample(file: string): string {
  return readFileSync(new URL(file, SAMPLES), "utf8");
}

function read(file: string): ResolvedTree {
  return readLockfile(NAMES[file.split("-")[0]!]!, sample(file));
}

/** One entry on one line, everything a decision may need. */
function line(entry: ResolvedPackage): string {
  const { source } = entry;
  const place = "url" in source ? (source.url ?? "") : "path" in source ? source.path : "";
  const commit = source.kind === "git" && source.commit !== undefined ? "pinned" : "";
  const flags = [entry.dev && "dev", entry.optional && "optional", entry.peer && "peer", entry.hasInstallScript && "script"];
  const platforms = [entry.os, entry.cpu, entry.libc].map((list) => list?.join("+"));
  return [
    `${entry.line}:${entry.column}`,
    `${entry.name}@${entry.version}`,
    entry.alias && `as ${entry.alias}`,
    source.kind,
    place,
    commit,
    entry.integrity ? `${entry.integrity.kind}:${entry.integrity.value.slice(0, 16)}` : "no digest",
    ...flags,
    ...platforms,
    entry.patched && `patched by ${entry.patched}`,
    entry.deprecated && "deprecated",
  ]
    .filter(Boolean)
    .join(" ");
}

function told(file: string): string {
  const tree = read(file);
  const importers = tree.importers.map((importer) => {
    const asks = importer.dependencies.map(
      (one) => `${one.kind} ${one.name} ${one.range ?? "?"}${one.resolved ? ` → ${one.resolved}` : ""}`,
    );
    return [`  ${importer.line}:${importer.column} ${importer.path} asks for`, ...asks.map((ask) => `    ${ask}`)].join("\n");
  });
  const problems = tree.problems.map((problem) => `  ${problem.line}:${problem.column} ${problem.code}: ${problem.message}`);
  return [`${file}: ${tree.kind} ${tree.version}`, ...importers, ...tree.packages.map((entry) => `  ${line(entry)}`), ...problems].join(
    "\n",
  );
}

test("every format is read as samples/READ.txt says; UPDATE=1 accepts what came", () => {
  const golden = new URL("READ.txt", SAMPLES);
  const actual = `${samples.map(told).join("\n\n")}\n`;
  if (process.env["UPDATE"] === "1") writeFileSync(golden, actual);
  expect(actual).toBe(readFileSync(golden, "utf8"));
});

test("one project, whoever locked it: the same packages from the registry", () => {
  const wanted = ["@corp/tool@2.0.0", "left@0.9.0", "left@1.2.3"];
  for (const file of samples.filter((name) => !/npm-0|deno-3|documents/.test(name))) {
    const found = new Set(
      read(file)
        .packages.filter((entry) => entry.source.kind === "registry")
        .map((entry) => `${entry.name}@${entry.version}`),
    );
    expect([...found].toSorted(), file).toEqual(expect.arrayContaining(wanted));
    // An alias, a link, a git or URL dependency is never a package of the registry.
    for (const never of ["old-left", "app", "archive", "forked", "local", "node"])
      expect(
        [...found].filter((id) => id.startsWith(`${never}@`)),
        `${file} ${never}`,
      ).toEqual([]);
  }
});

test("a hidden lockfile and a shrinkwrap are known by their names, yarn's two formats by their content", () => {
  expect(readLockfile("a/node_modules/.package-lock.json", sample("npm-hidden.json")).kind).toBe("npm-hidden");
  expect(readLockfile("npm-shrinkwrap.json", sample("npm-1.json")).kind).toBe("npm-shrinkwrap");
  expect(readLockfile("yarn.lock", sample("yarn-1.lock")).kind).toBe("yarn-classic");
  expect(readLockfile("yarn.lock", sample("yarn-10.lock")).kind).toBe("yarn-berry");
});

test("a file of another name is known by what it says", () => {
  for (const file of samples.filter((name) => name !== "npm-0.json")) {
    const named = read(file);
    const unnamed = readLockfile(`backup/${file}.old`, sample(file));
    expect(unnamed.kind, file).toBe(named.kind);
    expect(unnamed.packages, file).toEqual(named.packages);
  }
  expect(readLockfile("notes.txt", "hello")).toMatchObject({ kind: "unknown", complete: false, problems: [{ code: "unknown-format" }] });
});

test("bytes and text, Windows line endings and a byte order mark read the same", () => {
  for (const file of samples) {
    const plain = read(file);
    const name = NAMES[file.split("-")[0]!]!;
    expect(readLockfile(name, new TextEncoder().encode(sample(file))), file).toEqual(plain);
    expect(readLockfile(name, sample(file).replaceAll("\n", "\r\n")), file).toEqual(plain);
    const marked = readLockfile(name, `\ufeff${sample(file)}`);
    expect(marked.complete, file).toBe(true);
    expect(
      marked.packages.map((entry) => entry.name),
      file,
    ).toEqual(plain.packages.map((entry) => entry.name));
  }
});

test("a file over the ceiling is refused unread", () => {
  const tree = readLockfile("package-lock.json", " ".repeat(LIMITS.lockfileBytes + 1));
  expect(tree).toMatchObject({ complete: false, packages: [], problems: [{ code: "too-large" }] });
});

test("bytes that are not UTF-8 are an error, not replaced", () => {
  const bytes = new TextEncoder().encode(sample("npm-3.json"));
  bytes[400] = 0xff;
  expect(readLockfile("package-lock.json", bytes)).toMatchObject({ complete: false, packages: [], problems: [{ code: "syntax" }] });
});
