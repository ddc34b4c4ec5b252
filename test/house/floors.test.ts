/** The floor plan of ARCHITECTURE.md, kept: who may import whom, and what each floor must not contain. */
import { expect, test } from "vitest";
import { parse, resolveImport, sources, type SourceFile } from "./tree.ts";

type Floor = {
  /** Floors it may import. */
  readonly floors: readonly string[];
  /** `node:` modules it may import; undefined = any. */
  readonly node?: readonly string[];
  /** Packages it may import; undefined = any. */
  readonly packages?: readonly string[];
  /** Names it may not use, with the reason a reader of the failure needs. */
  readonly without: Readonly<Record<string, string>>;
};

const CLOCK = {
  "Date.now": "the clock is handed in",
  "new Date()": "the clock is handed in",
  "Date()": "the clock is handed in",
};
const CHANCE = {
  "Math.random": "randomness is handed in",
  randomBytes: "randomness is handed in",
  randomUUID: "randomness is handed in",
  randomInt: "randomness is handed in",
  getRandomValues: "randomness is handed in",
};
const WORLD = {
  process: "the process belongs to surface and edge",
  console: "only the surface speaks",
  fetch: "only the edge goes out",
};
const TIMERS = Object.fromEntries(
  ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "performance.now"].map((name) => [name, "nothing here waits"]),
);
const LOADERS = { "import(variable)": "an import nobody can follow", require: "ESM only" };

const FLOORS: Readonly<Record<string, Floor>> = {
  core: {
    floors: ["core"],
    node: ["crypto", "buffer", "zlib"],
    packages: [
      "semver",
      "yaml",
      "zod",
      "ini",
      "meriyah",
      "acorn",
      "@sigstore/bundle",
      "@sigstore/protobuf-specs",
      "@sigstore/verify",
      // Its model and its JSON form, which are plain objects in and out.
      "@cyclonedx/cyclonedx-library",
    ],
    without: { ...CLOCK, ...CHANCE, ...WORLD, ...TIMERS, ...LOADERS, globalThis: "no way round this list", eval: "no", Function: "no" },
  },
  app: {
    floors: ["app", "core"],
    node: ["crypto", "buffer", "zlib", "stream", "stream/promises", "events", "util"],
    packages: ["semver"],
    without: { ...CLOCK, ...CHANCE, ...WORLD, ...LOADERS },
  },
  edge: {
    floors: ["edge", "core"],
    packages: ["undici", "kysely", "libsql", "pino", "semver", "yaml", "ini"],
    without: { ...CLOCK, console: "only the surface speaks", ...LOADERS },
  },
  surface: {
    floors: ["surface", "app", "core"],
    packages: ["commander", "hono", "@hono/node-server", "pino", "prom-client", "semver", "yaml"],
    without: {
      ...CLOCK,
      fetch: "only the edge goes out",
      "http.request": "only the edge goes out",
      "https.request": "only the edge goes out",
      ...LOADERS,
    },
  },
  worker: {
    floors: ["core"],
    node: ["worker_threads", "crypto", "buffer", "zlib"],
    packages: [],
    without: { ...CLOCK, ...CHANCE },
  },
  workshop: { floors: ["core", "edge"], packages: [], without: { ...CLOCK, ...CHANCE } },
  main: { floors: ["core", "app", "edge", "surface"], without: {} },
};

/** `src/core/base/time.ts` → `core`; `src/main.ts` → `main`. */
function floorOf(path: string): string {
  return path.split("/")[1]!.replace(/\.ts$/, "");
}

/** SQL stays in one folder, so that another store is a one-folder decision. */
const SQL = /(?<![-\w])(?:select\s[^;]*\sfrom\s|insert (?:or \w+ )?into|update\s[^;]*\sset\s|delete from|create (?:table|index)|pragma)\b/i;

/** What is wrong with a file, one line each. */
function violations(path: string, { imports, uses, strings }: SourceFile): readonly string[] {
  const floor = FLOORS[floorOf(path)];
  if (!floor) return [`${path}: no floor is called "${floorOf(path)}"`];
  const broken: string[] = [];

  for (const { from, line, typeOnly, names } of imports) {
    const at = `${path}:${line}`;
    if (from.startsWith(".")) {
      const target = resolveImport(path, from);
      if (!from.endsWith(".ts")) broken.push(`${at} imports end in .ts: ${from}`);
      if (!target.startsWith("src/")) broken.push(`${at} the product imports nothing outside src: ${from}`);
      else if (!floor.floors.includes(floorOf(target))) broken.push(`${at} ${floorOf(path)} may not import ${floorOf(target)}: ${from}`);
      if (["edge", "surface"].includes(floorOf(path)) && !typeOnly && target === "src/core/policy/decide.ts")
        broken.push(`${at} decisions are asked for through a verb in app: ${from}`);
      continue;
    }
    const node = /^node:(.+)$/.exec(from)?.[1];
    if (node !== undefined) {
      if (floor.node && !floor.node.includes(node)) broken.push(`${at} ${floorOf(path)} may not import ${from}`);
      if (node === "sqlite" && !path.startsWith("src/edge/store/")) broken.push(`${at} SQL stays in src/edge/store: ${from}`);
      // Asynchronous zlib needs the thread pool: in the core bytes go in and bytes come out.
      if (node === "zlib" && floorOf(path) === "core")
        for (const name of names.filter((each) => !/Sync$|^constants$|^crc32$/.test(each)))
          broken.push(`${at} synchronous zlib only: ${name}`);
      continue;
    }
    const name = from.startsWith("@") ? from.split("/").slice(0, 2).join("/") : from.split("/")[0]!;
    if (floor.packages && !floor.packages.includes(name)) broken.push(`${at} ${floorOf(path)} may not import the package ${name}`);
    if (["kysely", "libsql"].includes(name) && !path.startsWith("src/edge/store/"))
      broken.push(`${at} SQL stays in src/edge/store: ${from}`);
  }
  for (const { name, line } of uses) {
    const why = Object.hasOwn(floor.without, name) ? floor.without[name] : undefined;
    if (why) broken.push(`${path}:${line} ${name}: ${why}`);
  }
  if (!path.startsWith("src/edge/store/"))
    for (const { text, line } of strings)
      if (SQL.test(text)) broken.push(`${path}:${line} SQL stays in src/edge/store: ${text.slice(0, 60)}`);

  return broken;
}

test.each(sources())("%s keeps its floor", (path) => expect(violations(path, parse(path))).toEqual([]));

test.each([
  ["src/core/npm/x.ts", `const t = Date.now();`, "Date.now"],
  ["src/core/npm/x.ts", `const t = new Date();`, "new Date()"],
  ["src/core/npm/x.ts", `const t = { random: Math.random };`, "Math.random"],
  ["src/core/npm/x.ts", `import { readFileSync } from "node:fs";`, "node:fs"],
  ["src/core/npm/x.ts", `import { gunzip } from "node:zlib";`, "gunzip"],
  ["src/core/npm/x.ts", `type T = import("../../app/ports.ts").Ledger;`, "may not import app"],
  ["src/core/npm/x.ts", `const x = await import(name);`, "import(variable)"],
  ["src/app/x.ts", `import { a } from "../edge/store/open.ts";`, "may not import edge"],
  ["src/app/x.ts", `db.run(\`select a from t where b = \${b}\`);`, "SQL"],
  ["src/edge/x.ts", `export { a } from "../surface/cli/main.ts";`, "may not import surface"],
  ["src/edge/x.ts", `import { decide } from "../core/policy/decide.ts";`, "verb in app"],
  ["src/surface/cli/x.ts", `await fetch(url);`, "fetch"],
  ["src/surface/cli/x.ts", `import { request } from "undici";`, "undici"],
  ["src/surface/cli/x.ts", `import { a } from "../../core/base/time";`, "end in .ts"],
])("%s may not say: %s", (path, code, wanted) => expect(violations(path, parse(path, code)).join("\n")).toContain(wanted));

test("comments, strings and names of its own are not taken for the clock", () => {
  const code = `/** Date.now, process */ const text = "Math.random()"; export const f = (fetch: () => void) => { fetch(); return { process: 1, text }; };`;
  expect(violations("src/core/npm/x.ts", parse("x.ts", code))).toEqual([]);
});

test("the roots are imported by nobody", () => {
  const importers = sources().filter((path) =>
    parse(path).imports.some(
      ({ from }) => from.startsWith(".") && ["src/main.ts", "src/worker.ts", "src/workshop.ts"].includes(resolveImport(path, from)),
    ),
  );
  expect(importers).toEqual([]);
});
