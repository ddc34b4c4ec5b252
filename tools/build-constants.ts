/**
 * What cordon ships but no committed file holds, read from npm packages when cordon is built (and when its tests start): the host names of
 * npm's default registry and of yarn 1's lockfiles, and the keys and authorities by which signatures are verified.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
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
    __SHIPPED_TRUST__: JSON.stringify(shippedTrust(require.resolve("@sigstore/tuf/seeds.json"))),
    __SHIPPED_PACKS__: JSON.stringify(shippedPacks(join(root, "packs"))),
    __CORDON_VERSION__: JSON.stringify(JSON.parse(readFileSync(manifest, "utf8")).version),
  };
}

/**
 * The seeds of Sigstore's own client: its root of trust, npm's keys as npm publishes them there, and what newer ones are found and verified
 * with (the address, the root its signatures begin with, the paths of the two). Taken from the file as it is: asking that client for them
 * would go to the network, for the seeds' own signatures have expired.
 */
function shippedTrust(seeds: string): object {
  const repositories = Object.entries(
    JSON.parse(readFileSync(seeds, "utf8")) as Record<string, { "root.json": string; targets: Record<string, string> }>,
  );
  const [mirror, repository] = repositories[0] ?? [];
  if (mirror === undefined || repository === undefined || repositories.length !== 1)
    throw new Error("@sigstore/tuf no longer seeds one repository; see tools/build-constants.ts");
  const text = (base64: string) => Buffer.from(base64, "base64").toString("utf8");
  const target = (suffix: string) => {
    const found = Object.entries(repository.targets).find(([name]) => name.endsWith(suffix));
    if (found === undefined) throw new Error(`@sigstore/tuf no longer seeds ${suffix}; see tools/build-constants.ts`);
    return { path: decodeURIComponent(found[0]), text: text(found[1]) };
  };
  const [root, keys] = [target("trusted_root.json"), target("keys.json")];
  const tuf = { mirror, root: text(repository["root.json"]), paths: { root: root.path, keys: keys.path } };
  return { root: root.text, keys: keys.text, tuf };
}

/** Every incident pack with the digest of its file; one that is not as `packs/SHA256SUMS` pins it stops the build. */
function shippedPacks(folder: string): readonly { readonly sha256: string; readonly pack: unknown }[] {
  const pinned = new Map(
    readFileSync(join(folder, "SHA256SUMS"), "utf8")
      .trim()
      .split("\n")
      .map((line): [string, string] => [line.slice(66), line.slice(0, 64)]),
  );
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  if (files.length !== pinned.size) throw new Error("packs/SHA256SUMS and the packs beside it are not the same list");
  return files.toSorted().map((file) => {
    const bytes = readFileSync(join(folder, file));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (pinned.get(file) !== sha256) throw new Error(`packs/${file} is not the file packs/SHA256SUMS pins`);
    return { sha256, pack: JSON.parse(bytes.toString("utf8")) };
  });
}
