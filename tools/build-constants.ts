/**
 * Host names cordon must know but no committed file spells: npm's default registry and the host yarn 1 writes into its
 * lockfiles. Both are read from npm's own packages when cordon is built (and when its tests start).
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** `root` is this repository's folder: config loaders bundle this file to other places, so its own URL cannot be asked. */
export function buildConstants(root: string): Record<string, string> {
  const manifest = join(root, "package.json");
  const require = createRequire(manifest);
  const options = readFileSync(require.resolve("npm-registry-fetch/lib/default-opts.js"), "utf8");
  const npm = /registry:\s*'(https:\/\/[^']+?)\/?'/.exec(options)?.[1];
  const shrinkwrap = readFileSync(require.resolve("@npmcli/arborist/lib/shrinkwrap.js"), "utf8");
  const yarn = /yarnRegRe\s*=\s*\/\^https\?:\\\/\\\/([a-z\\.]+)\\\//.exec(shrinkwrap)?.[1]?.replaceAll("\\", "");
  if (!npm || !yarn) throw new Error("npm's packages no longer name the default registries where they did; see tools/build-constants.ts");
  return {
    __NPM_REGISTRY__: JSON.stringify(`${npm}/`),
    __YARN_REGISTRY_HOST__: JSON.stringify(yarn),
    __CORDON_VERSION__: JSON.stringify(JSON.parse(readFileSync(manifest, "utf8")).version),
  };
}
