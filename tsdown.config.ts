/**
 * Builds the roots into `dist/`: `main` (each command its own chunk), `worker` (core only) and `workshop`, which starts workers. Run by
 * `tools/setup.mjs build`.
 * CommonJS, because only of that can Node 20 keep what V8 compiled: see `bin/chunks.js`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "tsdown";
import { buildConstants } from "./tools/build-constants.ts";

/**
 * What every command needs, what `cordon check` needs, what `cordon gate` needs before its first answer, and what these two share, in one
 * file each: opening and linking sixty small ones takes longer than running them. All else stays in chunks of its own and is loaded when
 * it is wanted.
 */
const EVERY = [
  "main",
  "core/(?:base|config/(?!feed-edits)|npm/(?:integrity|name)\\b|policy/combine\\b)",
  "edge/host/(?:config|files)\\b",
  "surface/cli/(?:cli|command|flags|io|world)\\b",
];
const BOTH = [
  "core/(?:advisory/(?:advisory|claim|contested|index-file|index-layout|match|order)|facts/(?:lookalike|popular-names)|npm/(?:npmrc|ranges))\\b",
  "edge/upstream/(?:addresses|config|npm-files|proxies)\\b",
];
const CHECK = [
  "app/check\\.",
  "core/(?:check/(?!change|packages|repair)|lockfile/(?!diff|drop|normalise|portable))",
  "edge/host/(?:check-files|workspaces)\\b",
  "surface/cli/(?:check|sizes)",
];
const SERVE = [
  "app/(?!canary|check|doctor|expose|feed-keeper|incident|lock-|policy-sync|repair|respond|setup|walk-|wrap-)",
  "core/(?:facts|ledger|npm|policy/(?!document)|signals)",
  "edge/(?:blobs|host/(?:instance|rest)|store/(?!compiler|.*schema)|workers)",
  "edge/upstream/(?:bases|registry)\\b",
  "surface/(?:gate|cli/gate\\b)",
];

/** Of two groups that fit, the one of the higher priority has a module. */
const chunk = (name: string, parts: readonly string[], priority: number) => ({
  name,
  priority,
  test: new RegExp(`/src/(?:${parts.join("|")})`),
});

/**
 * The entry of undici also loads its fetch, WebSockets, caches and mocks, three quarters of what it weighs, and cordon calls none of them.
 * Where a part it leaves out were needed after all, the tests that speak HTTP fail.
 */
const undiciParts = {
  name: "undici-parts",
  resolveId: (source: string, importer?: string) =>
    /[\\/]undici[\\/]index\.js$/.test(importer ?? "") && /^\.\/lib\/(?:cache|interceptor|mock|web)\//.test(source) ? NOTHING : undefined,
  load: (id: string) => (id === NOTHING ? "module.exports = new Proxy(function () {}, { get: () => function () {} });" : undefined),
};
const NOTHING = "\0nothing";

/** Every character beyond Latin-1 in escapes: with a single one of them in its text V8 keeps a whole chunk in two bytes a character. */
function escapeWide(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".js"))) {
    const file = path.join(folder, name);
    const text = readFileSync(file, "utf8");
    const escaped = text.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    if (escaped !== text) writeFileSync(file, escaped);
  }
}

/** Native code, and packages that start threads from their own files, stay where npm put them. */
const KEPT_OUTSIDE = ["libsql"];

export default defineConfig({
  entry: { main: "src/main.ts", worker: "src/worker.ts", workshop: "src/workshop.ts" },
  format: "cjs",
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  clean: true,
  dts: false,
  // Comments and indentation of a bundle are read by nobody and scanned at every start; names stay, for stack traces.
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  outputOptions: {
    legalComments: "none",
    // As it was written: modules are strict, and what is loaded late is loaded from here.
    strict: true,
    dynamicImportInCjs: false,
    advancedChunks: {
      groups: [
        // A group takes what its modules import along, unless a stronger one has it.
        { name: "semver", priority: 9, test: /\/node_modules\/semver\// },
        { name: "yaml", priority: 9, test: /\/node_modules\/yaml\// },
        chunk("every", EVERY, 4),
        chunk("both", BOTH, 3),
        chunk("check", CHECK, 2),
        chunk("serve", SERVE, 1),
      ],
    },
  },
  outExtensions: () => ({ js: ".js" }),
  define: buildConstants(import.meta.dirname),
  hooks: {
    "build:done": ({ options: { outDir } }) => {
      escapeWide(outDir);
      writeFileSync(path.join(outDir, "package.json"), '{ "type": "commonjs" }\n');
      // A build without it is slower, and right.
      spawnSync(process.execPath, [path.join(import.meta.dirname, "tools", "code-cache.mjs"), outDir], { stdio: "inherit" });
    },
  },
  plugins: [undiciParts],
  deps: {
    neverBundle: [...KEPT_OUTSIDE, /^node:/],
    alwaysBundle: [new RegExp(`^(?!(?:${KEPT_OUTSIDE.join("|")})(?:/|$)|node:)`)],
    onlyBundle: false,
  },
});
