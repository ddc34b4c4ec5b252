/**
 * The projects of the live tests, 200 packages and more each. What they need is old and quiet: a version younger than the hold in one of
 * their trees would rightly be held back, and then the lockfile is not the one written without cordon.
 */
import { existsSync, readFileSync } from "node:fs";
import { NPM_REGISTRY_HOST } from "../../src/core/config/constants.ts";
import { ROOT } from "../house/tree.ts";
import { join } from "node:path";

export type LiveProject = {
  readonly title: string;
  /** Path → text or JSON. */
  readonly files: Readonly<Record<string, unknown>>;
};

/** A workspace of 247 packages from a public repository, with its lockfile; collected beside the repository, not in it. */
export const SAMPLE = join(ROOT, "..", "shared", "samples", "lockfiles", "npm-shrinkwrap", "v3-aikido-safe-chain.json");
/** Stands in the samples where the public registry's host stood. */
const SAMPLE_HOST = "registry.npmj.test";

export const PROJECTS: readonly LiveProject[] = [
  {
    title: "a server with its tests",
    files: {
      "package.json": {
        name: "server",
        version: "1.0.0",
        private: true,
        dependencies: { express: "~4.16.4", request: "^2.88.0" },
        devDependencies: { mocha: "^7.2.0" },
      },
    },
  },
  {
    title: "a bundled site",
    files: { "package.json": { name: "site", version: "1.0.0", private: true, devDependencies: { webpack: "~4.46.0" } } },
  },
  ...(existsSync(SAMPLE) ? [{ title: "a workspace with a lockfile", files: fromLockfile(readFileSync(SAMPLE, "utf8")) }] : []),
];

/** The lockfile, and the manifests it was made from as far as it repeats them. */
function fromLockfile(sample: string): Record<string, unknown> {
  const text = sample.replaceAll(SAMPLE_HOST, NPM_REGISTRY_HOST);
  const { packages } = JSON.parse(text) as { packages: Record<string, object> };
  const manifests = Object.entries(packages).filter(([path]) => !path.includes("node_modules"));
  return {
    "package-lock.json": text,
    ...Object.fromEntries(manifests.map(([path, manifest]) => [join(path, "package.json"), manifest])),
  };
}
