import { join } from "node:path";
import { expect, test } from "vitest";
import { tree, type Tree } from "../../../test/kit/tree.ts";
import type { ClientId } from "../../core/client/client.ts";
import { warmCaches } from "./caches.ts";

function warm(client: ClientId, files: Tree, env: Record<string, string> = {}) {
  const home = tree(files);
  const inHome = Object.fromEntries(Object.entries(env).map(([name, path]) => [name, join(home, path)]));
  const surroundings = { env: { YARN_CACHE_FOLDER: join(home, "none"), ...inHome }, home, temporary: tree(), platform: "linux" } as const;
  return warmCaches(client, surroundings).map((folder) => folder.slice(home.length + 1));
}

test.each([
  ["npm", {}, ".npm/_cacache/content-v2"],
  ["npm", { npm_config_cache: "c" }, "c/_cacache/content-v2"],
  ["pnpm", {}, ".local/share/pnpm/store"],
  ["pnpm", { pnpm_config_store_dir: "s" }, "s"],
  ["pnpm", { PNPM_HOME: "p" }, "p/store"],
  ["yarn-classic", { YARN_CACHE_FOLDER: "y" }, "y/v6"],
  ["yarn-berry", {}, ".yarn/berry/cache"],
  ["bun", { BUN_INSTALL_CACHE_DIR: "b" }, "b"],
  ["deno", { DENO_DIR: "d" }, "d/npm"],
] as const)("%s %j: %s", (client, env, folder) => {
  expect(warm(client, { [`${folder}/entry`]: "x" }, env)).toEqual([folder]);
  expect(warm(client, {}, env)).toEqual([]);
});

test("what deno keeps beside packages does not count", () => {
  expect(warm("deno", { ".cache/deno/gen/file": "x" })).toEqual([]);
});
