import { defineConfig } from "vitest/config";
import { buildConstants } from "./tools/build-constants.ts";

export default defineConfig({
  define: buildConstants(import.meta.dirname),
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/clients/**", "test/live/**", "test/kill/**", "test/fuzz/**", "test/shared/**", "node_modules/**"],
    setupFiles: ["test/kit/properties.ts"],
    pool: "threads",
    // By default one core is left idle, which on a small machine is half of it.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A machine busy with something else may keep any answer waiting: what never comes is noticed just the same.
    expect: { poll: { timeout: 20_000 } },
    unstubEnvs: true,
  },
});
