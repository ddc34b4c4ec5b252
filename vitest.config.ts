import { defineConfig } from "vitest/config";
import { buildConstants } from "./tools/build-constants.ts";

export default defineConfig({
  define: buildConstants(import.meta.dirname),
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/clients/**", "test/live/**", "test/kill/**", "test/fuzz/**", "test/shared/**", "node_modules/**"],
    setupFiles: ["test/kit/properties.ts"],
    pool: "threads",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    unstubEnvs: true,
  },
});
