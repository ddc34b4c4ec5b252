/** The rehearsal runs in vitest's process, as the tests do, and alone. */
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { buildConstants } from "../../tools/build-constants.ts";

const ROOT = join(import.meta.dirname, "..", "..");

export default defineConfig({
  root: ROOT,
  define: buildConstants(ROOT),
  test: { include: ["test/rehearsal/all.ts"], pool: "threads" },
});
