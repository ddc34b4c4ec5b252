/** Builds the two roots into `dist/`: `main` (each command its own chunk) and `worker` (core only). Run by `tools/setup.mjs build`. */
import { defineConfig } from "tsdown";
import { buildConstants } from "./tools/build-constants.ts";

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
  fixedExtension: false,
  define: buildConstants(import.meta.dirname),
  deps: {
    neverBundle: [...KEPT_OUTSIDE, /^node:/],
    alwaysBundle: [new RegExp(`^(?!(?:${KEPT_OUTSIDE.join("|")})(?:/|$)|node:)`)],
    onlyBundle: false,
  },
});
