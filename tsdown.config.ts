/** Builds the two roots into `dist/`: `main` (each command its own chunk) and `worker` (core only). Run by `tools/setup.mjs build`. */
import { defineConfig } from "tsdown";
import { buildConstants } from "./tools/build-constants.ts";

/**
 * What `cordon gate` needs before its first answer, in one file: opening and linking sixty small ones takes longer than running them.
 * All else stays in chunks of its own and is loaded when it is wanted.
 */
const SERVE = [
  "main",
  "app/(?!canary|doctor|lock-|setup|walk-|wrap-)",
  "core/(?:base|config|facts|ledger|npm|policy/(?!document)|signals)",
  "edge/(?:blobs|host/(?:config|files|instance|rest)|store/(?!compiler|.*schema)|workers)",
  "edge/upstream/(?:addresses|bases|config|npm-files|proxies|registry)\\b",
  "surface/(?:gate|cli/(?:cli|command|gate|io|world)\\b)",
];

/** Native code, and packages that start threads from their own files, stay where npm put them. */
const KEPT_OUTSIDE = ["libsql"];

export default defineConfig({
  entry: { main: "src/main.ts", worker: "src/worker.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  clean: true,
  dts: false,
  // Comments and indentation of a bundle are read by nobody and scanned at every start; names stay, for stack traces.
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  outputOptions: {
    legalComments: "none",
    advancedChunks: { groups: [{ name: "serve", test: new RegExp(`/src/(?:${SERVE.join("|")})|/node_modules/(?:commander|semver)/`) }] },
  },
  fixedExtension: false,
  define: buildConstants(import.meta.dirname),
  deps: {
    neverBundle: [...KEPT_OUTSIDE, /^node:/],
    alwaysBundle: [new RegExp(`^(?!(?:${KEPT_OUTSIDE.join("|")})(?:/|$)|node:)`)],
    onlyBundle: false,
  },
});
