import { defineConfig } from "vitest/config";
import { buildConstants } from "./tools/build-constants.ts";

/**
 * What replaces the clock or a function of Node's has a thread to itself. So has what is read at the length of its ceilings: a thread that
 * has compiled very many regular expressions compiles further ones without the loop that needs no stack. `tools` waits longest: it begins first.
 */
const ALONE = [
  "src/app/{inspector,judgements,served-watch}.test.ts",
  "src/edge/actions/actions.test.ts",
  "src/edge/host/rest.test.ts",
  "test/analysis/hostile.test.ts",
  "test/house/tools.test.ts",
  "test/kit/clients.test.ts",
];

export default defineConfig({
  define: buildConstants(import.meta.dirname),
  test: {
    projects: [
      { extends: true, test: { name: "alone", include: ALONE } },
      {
        extends: true,
        test: {
          name: "together",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...ALONE, ...["clients", "live", "kill", "fuzz", "shared"].map((suite) => `test/${suite}/**`), "node_modules/**"],
          // They leave nothing behind that the next file could see: half of the time would go into importing everything again for each.
          isolate: false,
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
