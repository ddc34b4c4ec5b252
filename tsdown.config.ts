/** Builds the two roots into `dist/`: `main` (each command its own chunk) and `worker` (core only). */
import { defineConfig } from "tsdown";
import { buildConstants } from "./tools/build-constants.ts";

export default defineConfig({
  entry: { main: "src/main.ts", worker: "src/worker.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  clean: true,
  dts: false,
  define: buildConstants(),
  // Native code and packages that start threads from their own files stay where npm put them.
  external: ["libsql", "tinypool", /^node:/],
  noExternal: [/^(?!libsql$|tinypool$|node:)/],
});
