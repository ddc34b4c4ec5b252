/** The long suites, run one by one by `tools/suite.mjs`: real clients, the live registry, kill and fuzz. One file at a time: they start processes of their own. */
import { defineConfig } from "vitest/config";
import { buildConstants } from "./tools/build-constants.ts";

export default defineConfig({
  define: buildConstants(import.meta.dirname),
  test: {
    include: ["clients", "live", "kill", "fuzz", "shared"].map((suite) => `test/${suite}/**/*.test.ts`),
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A machine busy with something else may keep any answer waiting: what never comes is noticed just the same.
    expect: { poll: { timeout: 20_000 } },
    unstubEnvs: true,
  },
});
