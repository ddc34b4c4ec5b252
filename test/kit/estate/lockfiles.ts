/** Repositories whose answer stands in a file: every client's lockfile, manifests nothing pins, and what only looks like a hit. */
import type { Tree } from "../tree.ts";
import type { Bytes, Row } from "./estate.ts";

/** Where a registry serves it. */
const tarball = (name: string, version: string): string => `https://registry.test/${name}/-/${name.split("/").at(-1)}-${version}.tgz`;

/** A package-lock of npm 7 and later: one entry a line, the first on line 5. */
export function npmLock(packages: Readonly<Record<string, string>>, lockfileVersion = 3): string {
  const entries = Object.entries(packages).map(
    ([name, version]) => `    "node_modules/${name}": ${JSON.stringify({ version, resolved: tarball(name, version) })}`,
  );
  return `{\n  "name": "site",\n  "lockfileVersion": ${lockfileVersion},\n  "packages": {\n${entries.join(",\n")}\n  }\n}\n`;
}

const manifest = (dependencies: Readonly<Record<string, string>>): Tree => ({ "package.json": { name: "site", dependencies } });
const NAMED = "the lockfile names it";
const clear = (file: string): readonly string[] => ["not-exposed", `because: ${file} names none of them`];

export function lockfileRows({ axios, axiosSha1, payload }: Bytes): readonly Row[] {
  const sha1 = Buffer.from(axiosSha1.slice(5), "base64").toString("hex");
  return [
    {
      at: "npm-v1",
      how: "an old package-lock, nested below another package",
      files: {
        "package-lock.json": `{
  "name": "site",
  "lockfileVersion": 1,
  "dependencies": {
    "wait-on": {
      "version": "8.0.0",
      "resolved": "https://registry.test/wait-on/-/wait-on-8.0.0.tgz",
      "dependencies": {
        "axios": {
          "version": "1.14.1",
          "resolved": "https://registry.test/axios/-/axios-1.14.1.tgz",
          "integrity": "${axios}"
        }
      }
    }
  }
}
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, package-lock.json:9`] },
    },
    {
      at: "npm-v2",
      how: "the version that says everything twice is one finding for each package",
      files: {
        "package-lock.json": `{
  "name": "site",
  "lockfileVersion": 2,
  "packages": {
    "": { "name": "site", "dependencies": { "axios": "^1.13.0" } },
    "node_modules/axios": { "version": "1.14.1", "resolved": "https://registry.test/axios/-/axios-1.14.1.tgz", "integrity": "${axios}" }
  },
  "dependencies": {
    "axios": { "version": "1.14.1", "resolved": "https://registry.test/axios/-/axios-1.14.1.tgz", "integrity": "${axios}" }
  }
}
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, package-lock.json:6`] },
    },
    {
      at: "npm-v3",
      how: "both lines of the package, and the payload",
      files: { "package-lock.json": npmLock({ axios: "1.14.1", "old/node_modules/axios": "0.30.4", "plain-crypto-js": "4.2.1" }) },
      says: {
        "": [
          "resolved",
          `resolved: axios@1.14.1: ${NAMED}, package-lock.json:5`,
          `resolved: axios@0.30.4: ${NAMED}, package-lock.json:6`,
          `resolved: plain-crypto-js@4.2.1: ${NAMED}, package-lock.json:7`,
        ],
      },
    },
    {
      at: "npm-shrinkwrap",
      how: "the lockfile that is published",
      files: { "npm-shrinkwrap.json": npmLock({ axios: "1.14.1" }) },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, npm-shrinkwrap.json:5`] },
    },
    {
      at: "npm-other-bytes",
      how: "the poisoned version with other bytes: a record may be forged, so it counts",
      files: {
        "package-lock.json": {
          lockfileVersion: 3,
          packages: { "node_modules/axios": { version: "1.14.1", resolved: tarball("axios", "1.14.1"), integrity: payload } },
        },
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, with other bytes than the poisoned ones, package-lock.json:1`] },
    },
    {
      at: "npm-mirrored",
      how: "the poisoned bytes, republished under a name of the company's own",
      files: {
        "package-lock.json": {
          lockfileVersion: 3,
          packages: { "node_modules/@corp/http": { version: "7.0.0", resolved: tarball("@corp/http", "7.0.0"), integrity: axios } },
        },
      },
      says: {
        "": ["resolved", `resolved: @corp/http@7.0.0: ${NAMED}, the bytes of axios@1.14.1 under another name, package-lock.json:1`],
      },
    },
    {
      at: "pnpm-5",
      how: "pnpm 5 and 6",
      files: {
        "pnpm-lock.yaml": `lockfileVersion: 5.4

specifiers:
  axios: ^1.13.0

dependencies:
  axios: 1.14.1

packages:

  /axios/1.14.1:
    resolution: {integrity: ${axios}}
    dev: false

  /axios/1.14.0_debug@4.0.0:
    resolution: {integrity: sha512-${"C".repeat(86)}==}
    dev: false
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, pnpm-lock.yaml:11`] },
    },
    {
      at: "pnpm-6",
      how: "pnpm 8, the poisoned package first of all, with a peer in its key",
      files: {
        "pnpm-lock.yaml": `lockfileVersion: '6.0'

dependencies:
  axios:
    specifier: ^1.13.0
    version: 1.14.1(debug@4.3.4)

packages:

  /axios@1.14.1(debug@4.3.4):
    resolution: {integrity: ${axios}}
    peerDependencies:
      debug: '*'
    dev: false

  /debug@4.3.4:
    resolution: {integrity: sha512-${"B".repeat(86)}==}
    dev: false
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, pnpm-lock.yaml:10`] },
    },
    {
      at: "pnpm-9",
      how: "pnpm 9 and later, in one package of a workspace",
      files: {
        "pnpm-lock.yaml": `lockfileVersion: '9.0'

importers:

  .: {}

  packages/web:
    dependencies:
      axios:
        specifier: ^1.13.0
        version: 1.14.1

packages:

  axios@1.14.1:
    resolution: {integrity: ${axios}}

snapshots:

  axios@1.14.1: {}
`,
        "pnpm-workspace.yaml": "packages: ['packages/*']\n",
        "package.json": { name: "site" },
        "packages/web/package.json": { name: "web", dependencies: { axios: "^1.13.0" } },
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, pnpm-lock.yaml:15`] },
    },
    {
      at: "yarn-1",
      how: "yarn 1, two ranges in one entry",
      files: {
        "yarn.lock": `# yarn lockfile v1


axios@^1.12.0, axios@^1.13.0:
  version "1.14.1"
  resolved "https://registry.test/axios/-/axios-1.14.1.tgz#${sha1}"
  integrity ${axios}
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, yarn.lock:4`] },
    },
    {
      at: "yarn-berry",
      how: "yarn 2 and later, where a checksum is not the tarball's",
      files: {
        "yarn.lock": `__metadata:
  version: 8
  cacheKey: 10c0

"axios@npm:^1.13.0":
  version: 1.14.1
  resolution: "axios@npm:1.14.1"
  checksum: 10c0/${"a".repeat(128)}
  languageName: node
  linkType: hard
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, yarn.lock:5`] },
    },
    {
      at: "bun-text",
      how: "bun's text",
      files: {
        "bun.lock": `{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "site", "dependencies": { "axios": "^1.13.0", }, },
  },
  "packages": {
    "axios": ["axios@1.14.1", "", {}, "${axios}"],
  }
}
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, bun.lock:7`] },
    },
    {
      at: "bun-cut-off",
      how: "bun's binary, damaged: nothing is said of what cannot be read",
      files: { "bun.lockb": Buffer.from("#!/usr/bin/env bun\nbun-lockfile-format-v0\n\0\0") },
      says: { "": ["unknown", "missing: bun.lockb: the file ends in its header"] },
    },
    {
      at: "deno",
      how: "deno, from a specifier in the code",
      files: {
        "deno.lock": `{
  "version": "5",
  "specifiers": {
    "npm:axios@^1.13.0": "1.14.1"
  },
  "npm": {
    "axios@1.14.1": {
      "integrity": "${axios}"
    }
  }
}
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED}, deno.lock:7`] },
    },
    {
      at: "alias-hit",
      how: "axios under another name",
      files: {
        "package-lock.json": `{
  "lockfileVersion": 3,
  "packages": {
    "": { "dependencies": { "http": "npm:axios@1.14.1" } },
    "node_modules/http": { "name": "axios", "version": "1.14.1", "resolved": "https://registry.test/axios/-/axios-1.14.1.tgz" }
  }
}
`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED} (installed as http), package-lock.json:5`] },
    },
    {
      at: "alias-yarn",
      how: "the same in yarn 1, whose entries know the name only by their range",
      files: {
        "yarn.lock": `# yarn lockfile v1\n\n\n"http@npm:axios@^1.13.0":\n  version "1.14.1"\n  resolved "https://registry.test/axios/-/axios-1.14.1.tgz#${sha1}"\n`,
      },
      says: { "": ["resolved", `resolved: axios@1.14.1: ${NAMED} (installed as http), yarn.lock:4`] },
    },
    // --- nothing pins it ---------------------------------------------------------------------------------------------------------------------
    {
      at: "range-inside",
      how: "no lockfile, and the range chose the poisoned version while it lived",
      files: manifest({ axios: "^1.13.0" }),
      says: {
        "": [
          "could-have",
          `could-have: axios@1.14.1: "axios": "^1.13.0", with no lockfile, resolved to it in the window, by what is recorded of the registry, package.json`,
          "missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded",
        ],
      },
    },
    {
      at: "range-exact",
      how: "no lockfile needed to know which version was meant",
      files: manifest({ axios: "1.14.1" }),
      says: {
        "": [
          "could-have",
          `could-have: axios@1.14.1: "axios": "1.14.1", with no lockfile, names exactly it, package.json`,
          "missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded",
        ],
      },
    },
    {
      at: "range-catalog",
      how: "no lockfile, and the range stands in the workspace's catalog",
      files: {
        "package.json": { name: "site", dependencies: { axios: "catalog:" } },
        "pnpm-workspace.yaml": "packages: ['packages/*']\ncatalog:\n  axios: ^1.13.0\n",
      },
      says: {
        "": [
          "could-have",
          `could-have: axios@1.14.1: "axios": "^1.13.0", with no lockfile, resolved to it in the window, by what is recorded of the registry, package.json`,
          "missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded",
        ],
      },
    },
    {
      at: "range-deno",
      how: "deno's imports, no lockfile",
      files: { "deno.jsonc": '{\n  // comments are allowed\n  "imports": { "http": "npm:axios@^1.13.0", "fs": "jsr:@std/fs@1" },\n}\n' },
      says: {
        "": [
          "could-have",
          `could-have: axios@1.14.1: "axios": "^1.13.0", with no lockfile, resolved to it in the window, by what is recorded of the registry, deno.jsonc`,
          "missing: deno.jsonc has no lockfile: what its dependencies (2) resolved to is not recorded",
        ],
      },
    },
    {
      at: "range-outside",
      how: "no lockfile; the range allows neither, but nobody knows what else came with it",
      files: manifest({ axios: "~1.13.0", "left-pad": "*" }),
      says: { "": ["unknown", "missing: package.json has no lockfile: what its dependencies (2) resolved to is not recorded"] },
    },
    {
      at: "range-never",
      how: "the range allows the old line's poisoned version, but always chose a newer one",
      files: manifest({ axios: ">=0.30.0 <1.14.1" }),
      says: { "": ["unknown", "missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded"] },
    },
    {
      at: "no-dependencies",
      how: "no lockfile and nothing to lock",
      files: { "package.json": { name: "site" } },
      says: { "": ["not-exposed", "because: it declares no dependencies"] },
    },
    {
      at: "lock-behind",
      how: "a lockfile that was written before somebody added axios to the manifest: an install would have chosen then",
      files: {
        "package.json": { name: "site", dependencies: { axios: "^1.13.0", left: "1.0.0" } },
        "package-lock.json": npmLock({ left: "1.0.0" }),
      },
      says: {
        "": [
          "could-have",
          `could-have: axios@1.14.1: "axios": "^1.13.0", which no lockfile pins, resolved to it in the window, by what is recorded of the registry, package.json`,
        ],
      },
    },
    {
      at: "lock-elsewhere",
      how: "an example inside the repository that its lockfile does not cover, and a member of the workspace that it does",
      files: {
        "package.json": { name: "site", workspaces: ["packages/*"] },
        "packages/web/package.json": { name: "web", dependencies: { axios: "^1.13.0" } },
        "examples/demo/package.json": { name: "demo", dependencies: { axios: "^1.13.0" } },
        "package-lock.json": npmLock({ axios: "1.14.0" }),
      },
      says: {
        "": [
          "could-have",
          `could-have: axios@1.14.1: "axios": "^1.13.0", which no lockfile pins, resolved to it in the window, by what is recorded of the registry, examples/demo/package.json`,
        ],
      },
    },
    {
      at: "script-launcher",
      how: "a script that starts it by a tag; one that starts what is installed anyway is none",
      files: {
        "package.json": {
          name: "site",
          scripts: { fetch: "npx -y axios@latest", crypto: "npx plain-crypto-js" },
          dependencies: { "plain-crypto-js": "4.2.0" },
        },
        "package-lock.json": npmLock({ "plain-crypto-js": "4.2.0" }),
      },
      says: {
        "": [
          "could-have",
          "could-have: axios@1.14.1: started as axios@latest, which resolved to it in the window, by what is recorded of the registry, package.json",
        ],
      },
    },
    {
      at: "no-lock-local",
      how: "no lockfile, and everything it depends on lies beside it",
      files: { "package.json": { name: "site", dependencies: { axios: "file:./vendored/axios", b: "link:../b", c: "workspace:*" } } },
      says: { "": ["not-exposed", "because: what it depends on are folders of this disk"] },
    },
    // --- what only looks like a hit ----------------------------------------------------------------------------------------------------------
    {
      at: "decoy-fixed",
      how: "the versions before and after",
      files: { "package-lock.json": npmLock({ axios: "1.14.0", "a/node_modules/axios": "1.15.0", "b/node_modules/axios": "0.30.3" }) },
      says: { "": clear("package-lock.json") },
    },
    {
      at: "decoy-alias",
      how: "another package that is installed under the name axios",
      files: {
        "package-lock.json": {
          lockfileVersion: 3,
          packages: {
            "": { dependencies: { axios: "npm:redaxios@1.14.1" } },
            "node_modules/axios": { name: "redaxios", version: "1.14.1", resolved: tarball("redaxios", "1.14.1") },
          },
        },
      },
      says: { "": clear("package-lock.json") },
    },
    {
      at: "decoy-scope",
      how: "scopes and names that contain it",
      files: { "package-lock.json": npmLock({ "@acme/axios": "1.14.1", "axios-retry": "1.14.1", "plain-crypto-js2": "4.2.1" }) },
      says: { "": clear("package-lock.json") },
    },
    {
      at: "decoy-workspace",
      how: "a package of the workspace that happens to be called axios@1.14.1",
      files: {
        "package.json": { name: "site", workspaces: ["packages/*"] },
        "packages/axios/package.json": { name: "axios", version: "1.14.1" },
        "package-lock.json": {
          lockfileVersion: 3,
          packages: {
            "": { workspaces: ["packages/*"] },
            "node_modules/axios": { resolved: "packages/axios", link: true },
            "packages/axios": { name: "axios", version: "1.14.1" },
          },
        },
      },
      says: { "": clear("package-lock.json") },
    },
    {
      at: "decoy-link",
      how: "folders of this disk, by link: and file:, in yarn's lockfile",
      files: {
        "yarn.lock": `# yarn lockfile v1\n\n\n"axios@file:./vendored/axios":\n  version "1.14.1"\n\n"axios@link:./vendored/axios":\n  version "0.0.0"\n`,
        "vendored/axios/package.json": { name: "axios", version: "1.14.1" },
      },
      says: { "": clear("yarn.lock") },
    },
    {
      at: "decoy-link-pnpm",
      how: "the same in pnpm's, and a fork from git",
      files: {
        "pnpm-lock.yaml": `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      axios:
        specifier: file:vendored/axios
        version: file:vendored/axios
      other:
        specifier: link:vendored/axios
        version: link:vendored/axios

packages:

  axios@file:vendored/axios:
    resolution: {directory: vendored/axios, type: directory}

  axios@https://codeload.github.com/team/axios/tar.gz/0123456789abcdef0123456789abcdef01234567:
    resolution: {tarball: https://codeload.github.com/team/axios/tar.gz/0123456789abcdef0123456789abcdef01234567}
    version: 1.14.1

snapshots:

  axios@file:vendored/axios: {}
`,
      },
      says: { "": clear("pnpm-lock.yaml") },
    },
    {
      at: "decoy-prose",
      how: "told of in a README, a changelog, a script and an advisory, and shipped by nobody",
      files: {
        "README.md": "Do not install axios@1.14.1 or plain-crypto-js@4.2.1!\n\n+ axios@1.14.1\n",
        "CHANGELOG.md": "- axios 1.14.1 -> 1.14.0 after the compromise\n",
        "check.sh": "npm ls axios@1.14.1 && echo 'installed axios@1.14.1'\n",
        "advisory.json": { affected: [{ package: { name: "axios" }, versions: ["1.14.1"] }] },
        "server.log": "+ axios@1.14.1\n",
        "package.json": { name: "site", dependencies: { axios: "1.15.0" } },
        "package-lock.json": npmLock({ axios: "1.15.0" }),
      },
      says: { "": clear("package-lock.json") },
    },
    {
      at: "decoy-override",
      how: "an override and a resolution that name the poisoned version as what must not be",
      files: {
        "package.json": {
          name: "site",
          overrides: { "axios@1.14.1": "1.14.0" },
          resolutions: { "axios@1.14.1": "1.14.0" },
          dependencies: { axios: "^1" },
        },
        "package-lock.json": npmLock({ axios: "1.14.0" }),
      },
      says: { "": clear("package-lock.json") },
    },
    {
      at: "decoy-generic",
      how: "a file of a name the payload uses too, beside nothing else",
      files: { "ld.py": "print('a linker')\n", "package-lock.json": npmLock({ axios: "1.14.0" }) },
      says: {
        "": [
          "unknown",
          "missing: ld.py is there, as axios-drill leaves it: by itself no proof, look at it",
          "because: package-lock.json names none of them",
        ],
      },
    },
    // --- what cannot be read -----------------------------------------------------------------------------------------------------------------
    {
      at: "lock-is-folder",
      how: "a folder where a lockfile should be",
      files: { "package-lock.json/readme": "?" },
      says: { "": ["unknown", "missing: package-lock.json: not a regular file"] },
    },
    {
      at: "lock-conflict",
      how: "a lockfile in the middle of a merge: either side counts",
      files: {
        "package-lock.json": `{
  "lockfileVersion": 3,
  "packages": {
<<<<<<< HEAD
    "node_modules/axios": { "version": "1.14.1", "resolved": "https://registry.test/axios/-/axios-1.14.1.tgz" }
=======
    "node_modules/axios": { "version": "1.14.0", "resolved": "https://registry.test/axios/-/axios-1.14.0.tgz" }
>>>>>>> main
  }
}
`,
      },
      says: {
        "": ["resolved", `resolved: axios@1.14.1: ${NAMED} (in an unresolved merge), package-lock.json:5`],
      },
    },
  ];
}
