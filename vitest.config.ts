import { defineConfig } from "vitest/config";
import { buildConstants } from "./tools/build-constants.ts";

export default defineConfig({
  define: buildConstants(import.meta.dirname),
  test: {
    projects: [
      // Pure functions leave nothing behind that the next file could see: half of their time would go into importing them again.
      { extends: true, test: { name: "core", include: ["src/core/**/*.test.ts"], isolate: false } },
      {
        extends: true,
        test: {
          name: "all else",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["src/core/**", ...["clients", "live", "kill", "fuzz", "shared"].map((suite) => `test/${suite}/**`), "node_modules/**"],
        },
      },
    ],
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
