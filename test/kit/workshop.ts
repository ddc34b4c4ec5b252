/** The built worker and workshop, in a folder of a test file's own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "tsdown";
import { afterAll, beforeAll } from "vitest";
import { openWorkshop } from "../../src/edge/workers/workshop.ts";
import type { Threads } from "../../src/edge/workers/threads.ts";

export type BuiltWorkshop = {
  /** Opens a workshop whose threads run the built worker, or another text in its place. */
  open(worker?: string): Threads;
  /** Writes a worker, and gives its URL. */
  file(worker: string): string;
  /** URLs of the built workshop and of the module that opens one. */
  readonly program: string;
  readonly opener: string;
};

/** Call at the top of a test file. */
export function builtWorkshop(): BuiltWorkshop {
  const folder = mkdtempSync(join(tmpdir(), "cordon-workshop-"));
  const source = (name: string) => fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url));
  const place = (name: string) => pathToFileURL(join(folder, name));
  let others = 0;

  beforeAll(() =>
    build({
      config: false,
      entry: { worker: source("worker"), workshop: source("workshop"), opener: source("edge/workers/workshop") },
      outDir: folder,
      outExtensions: () => ({ js: ".mjs" }),
      format: "esm",
      platform: "node",
      dts: false,
      clean: false,
      noExternal: [/^(?!node:)/],
      logLevel: "error",
    }),
  );
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const program = place("workshop.mjs");
  function file(worker: string): string {
    const name = `other-${++others}.mjs`;
    writeFileSync(join(folder, name), worker);
    return place(name).href;
  }

  return {
    open: (worker) => openWorkshop({ program, worker: worker === undefined ? place("worker.mjs") : new URL(file(worker)) }),
    file,
    program: program.href,
    opener: place("opener.mjs").href,
  };
}
