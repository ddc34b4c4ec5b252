/** What is no lockfile: trees on disk, caches, logs of CI systems, images, settings, and what a payload leaves behind. */
import { chmodSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { gzip, tar } from "../tarball.ts";
import { link, type Tree } from "../tree.ts";
import { zip } from "../zip.ts";
import type { Bytes, Row } from "./estate.ts";
import { npmLock } from "./lockfiles.ts";

const AXIOS = { name: "axios", version: "1.14.1" };
const PAYLOAD = { name: "plain-crypto-js", version: "4.2.1" };
const LIES = "it lies in node_modules";
const LOG_TIME = "2026-03-31T01:40:13.912Z";

/** A job of a workflow as its host writes it: a moment before each line, and colours. */
const ACTIONS = [
  "\ufeff2026-03-31T01:40:00.0000000Z ##[group]Run npm install",
  "2026-03-31T01:40:00.1000000Z \u001b[36;1mnpm install\u001b[0m",
  "2026-03-31T01:40:12.1000000Z npm http fetch GET 200 https://registry.test/axios/-/axios-1.14.1.tgz 231ms (cache miss)",
  "2026-03-31T01:40:13.9120000Z > plain-crypto-js@4.2.1 postinstall",
  "2026-03-31T01:40:13.9130000Z > node setup.js",
].join("\r\n");
const RAN = `executed: plain-crypto-js@4.2.1: its install script was run`;
const FETCHED = `fetched: axios@1.14.1: a log says it was fetched`;

const layer = (files: Readonly<Record<string, string | object>>): Uint8Array =>
  tar(Object.entries(files).map(([path, body]) => ({ path, body: typeof body === "string" ? body : JSON.stringify(body) })));

const LAYERS = [
  layer({ "app/node_modules/axios/package.json": AXIOS, "app/package-lock.json": npmLock({ axios: "1.14.1" }) }),
  layer({ "app/.wh.node_modules": "", "app/package-lock.json": npmLock({ axios: "1.14.0" }) }),
];

const docker = (layers: readonly Uint8Array[]): Uint8Array =>
  tar([
    ...layers.map((body) => ({ path: `${hash(body)}/layer.tar`, body })),
    {
      path: "manifest.json",
      body: JSON.stringify([{ Config: "c.json", RepoTags: ["site:1"], Layers: layers.map((body) => `${hash(body)}/layer.tar`) }]),
    },
  ]);

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Files of an OCI layout, of layers that are packed as they are pushed. */
function oci(layers: readonly Uint8Array[]): Readonly<Record<string, Uint8Array | string>> {
  const blobs: Record<string, Uint8Array | string> = {};
  const put = (bytes: Uint8Array | string): string => {
    const digest = hash(Buffer.from(bytes));
    blobs[`blobs/sha256/${digest}`] = bytes;
    return `sha256:${digest}`;
  };
  const manifest = put(JSON.stringify({ schemaVersion: 2, layers: layers.map((one) => ({ digest: put(one), size: one.length })) }));
  return {
    ...blobs,
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    "index.json": JSON.stringify({ schemaVersion: 2, manifests: [{ digest: manifest }] }),
  };
}

const asTar = (files: Readonly<Record<string, Uint8Array | string>>): Uint8Array =>
  tar(Object.entries(files).map(([path, body]) => ({ path, body })));

const IMAGE = (file: string): readonly string[] => [
  "installed",
  `installed: axios@1.14.1: it lies in a layer of the image (layer 1, deleted by layer 2), images/${file}!app/node_modules/axios`,
  `resolved: axios@1.14.1: the lockfile names it (layer 1), images/${file}!app/package-lock.json:5`,
];

/** An archive of something. */
const ODD = gzip(tar([{ path: "package/package.json", body: "{}" }]));

/** The first bytes of a zstd frame. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]);

/** One line of npm's cache index. */
function indexed(value: object): string {
  const json = JSON.stringify(value);
  return `\n${createHash("sha1").update(json).digest("hex")}\t${json}`;
}

const root = process.getuid?.() === 0;

export function placeRows({ axios }: Bytes): readonly Row[] {
  const hex = Buffer.from(axios.slice(7), "base64").toString("hex");
  const key = "make-fetch-happen:request-cache:https://registry.test/axios/-/axios-1.14.1.tgz";
  const fetched = indexed({ key, integrity: axios, time: Date.parse("2026-03-31T01:07:12Z"), size: 1 });
  const pnpm10 = (bytes: string): string => `index/${bytes.slice(0, 2)}/${bytes.slice(2, 64)}-axios@1.14.1.json`;
  return [
    // --- on disk -----------------------------------------------------------------------------------------------------------------------------
    {
      at: "executed",
      how: "the lockfile says 4.2.1, the folder says 4.2.0: the payload ran and rewrote it",
      files: {
        "package-lock.json": npmLock({ axios: "1.14.1", "plain-crypto-js": "4.2.1" }),
        "node_modules/.package-lock.json": npmLock({ axios: "1.14.1", "plain-crypto-js": "4.2.1" }),
        "node_modules/axios/package.json": AXIOS,
        "node_modules/plain-crypto-js/package.json": { ...PAYLOAD, version: "4.2.0" },
      },
      says: {
        "": [
          "executed",
          "executed: lockfile says plain-crypto-js 4.2.1, folder says 4.2.0: it ran and covered its tracks, node_modules/plain-crypto-js",
          `installed: axios@1.14.1: ${LIES}, node_modules/axios`,
          `installed: plain-crypto-js@4.2.0: ${LIES}, which the payload leaves behind, node_modules/plain-crypto-js`,
          "installed: plain-crypto-js@4.2.1: the client recorded it as installed (by node_modules/.package-lock.json), node_modules/plain-crypto-js",
          "resolved: axios@1.14.1: the lockfile names it, package-lock.json:5",
          "resolved: plain-crypto-js@4.2.1: the lockfile names it, package-lock.json:6",
        ],
      },
    },
    {
      at: "blocked",
      how: "it lies there untouched: its script was never run",
      files: {
        "package-lock.json": npmLock({ "plain-crypto-js": "4.2.1" }),
        "node_modules/plain-crypto-js/package.json": PAYLOAD,
        "node_modules/plain-crypto-js/setup.js": "",
      },
      says: {
        "": [
          "installed",
          `installed: plain-crypto-js@4.2.1: ${LIES}, node_modules/plain-crypto-js`,
          "resolved: plain-crypto-js@4.2.1: the lockfile names it, package-lock.json:5",
        ],
      },
    },
    {
      at: "orphaned",
      how: "a tree with no manifest and no lockfile, the hit nested in another package",
      files: {
        "node_modules/wait-on/package.json": { name: "wait-on", version: "8.0.0" },
        "node_modules/wait-on/node_modules/axios/package.json": AXIOS,
      },
      says: { "": ["installed", `installed: axios@1.14.1: ${LIES}, node_modules/wait-on/node_modules/axios`] },
    },
    {
      at: "healed-tree",
      how: "the folder is clean again, npm's record of the install is not",
      files: {
        "package-lock.json": npmLock({ axios: "1.14.0" }),
        "node_modules/.package-lock.json": npmLock({ axios: "1.14.1" }),
        "node_modules/axios/package.json": { name: "axios", version: "1.14.0" },
      },
      says: {
        "": [
          "installed",
          "installed: axios@1.14.1: the client recorded it as installed (by node_modules/.package-lock.json), node_modules/axios",
        ],
      },
    },
    {
      at: "record-pnpm",
      how: "the folders are gone, pnpm's own record of the install is not",
      files: {
        "node_modules/.modules.yaml": "layoutVersion: 5\n",
        "node_modules/.pnpm/lock.yaml":
          "lockfileVersion: '9.0'\n\npackages:\n\n  axios@1.14.1:\n    resolution: {integrity: " + axios + "}\n",
        "node_modules/.pnpm/left@1.0.0/node_modules/left/package.json": { name: "left", version: "1.0.0" },
      },
      says: { "": ["installed", "installed: axios@1.14.1: the client recorded it as installed, node_modules/.pnpm/lock.yaml"] },
    },
    {
      at: "record-yarn",
      how: "the same of yarn 1",
      files: {
        "node_modules/.yarn-integrity": JSON.stringify(
          { lockfileEntries: { "axios@^1.13.0": "https://registry.test/axios/-/axios-1.14.1.tgz#x" } },
          undefined,
          2,
        ),
      },
      says: { "": ["installed", "installed: axios@1.14.1: the client recorded it as installed, node_modules/.yarn-integrity"] },
    },
    {
      at: "decoy-linked",
      how: "node_modules/axios is a link to a package of the workspace",
      files: {
        "package.json": { name: "site", workspaces: ["packages/*"] },
        "packages/axios/package.json": AXIOS,
        "node_modules/axios": link("../packages/axios"),
        "package-lock.json": npmLock({ left: "1.0.0" }),
        "packages/web/package.json": { name: "web", dependencies: { axios: "workspace:*" } },
        "node_modules/left/package.json": { name: "left", version: "1.0.0" },
      },
      says: { "": ["not-exposed", "because: node_modules holds none of them", "because: package-lock.json names none of them"] },
    },
    {
      at: "no-entry",
      how: root ? "a folder nobody may enter but this test, which runs as root" : "a folder nobody may enter",
      files: { "package-lock.json": npmLock({ axios: "1.14.0" }), "vault/package-lock.json": npmLock({ axios: "1.14.1" }) },
      make(folder) {
        chmodSync(join(folder, "vault"), 0);
        // Or nobody could remove it.
        onTestFinished(() => chmodSync(join(folder, "vault"), 0o755));
      },
      says: root
        ? {
            "": ["not-exposed", "because: package-lock.json names none of them"],
            vault: ["resolved", "resolved: axios@1.14.1: the lockfile names it, package-lock.json:5"],
          }
        : { "": ["unknown", "missing: vault: EACCES", "because: package-lock.json names none of them"] },
    },
    {
      at: "launcher",
      how: "an editor that starts it by a tag, whatever that is by then",
      files: {
        "package-lock.json": npmLock({ left: "1.0.0" }),
        ".vscode/mcp.json": '{ // a comment\n  "servers": { "http": { "command": "npx", "args": ["-y", "axios@latest"] } },\n}\n',
      },
      says: {
        "": [
          "could-have",
          "could-have: axios@1.14.1: started as axios@latest, which resolved to it in the window, by what is recorded of the registry, .vscode/mcp.json",
        ],
      },
    },
    {
      at: "recipe",
      how: "a workflow and an image that start it; one step is commented out, one starts what is installed",
      files: {
        "package.json": { name: "site", dependencies: { "plain-crypto-js": "4.2.0" } },
        "package-lock.json": npmLock({ "plain-crypto-js": "4.2.0" }),
        ".github/workflows/ci.yml": "jobs:\n  a:\n    steps:\n      # - run: npx plain-crypto-js@4.2.1\n      - run: npx plain-crypto-js\n",
        Dockerfile: "FROM node:22\nRUN cd /app && npx --yes axios@^1.14.0 get\n",
      },
      says: {
        "": [
          "could-have",
          "could-have: axios@1.14.1: started as axios@^1.14.0, which resolved to it in the window, by what is recorded of the registry, Dockerfile",
        ],
      },
    },
    // --- caches ------------------------------------------------------------------------------------------------------------------------------
    {
      at: "home/.npm",
      how: "npm's cache and its logs",
      files: {
        "_cacache/content-v2/sha512/.keep": "",
        "_cacache/index-v5/aa/bb/one": fetched,
        "_logs/2026-03-31T01_07_12_345Z-debug-0.log": "30 silly placeDep ROOT axios@1.14.1 OK for: site@ want: ^1.13.0\n",
        "_npx/8b1/package-lock.json": npmLock({ "plain-crypto-js": "4.2.1" }),
      },
      says: {
        _cacache: ["fetched", "fetched: axios@1.14.1: a client's cache holds it, index-v5/aa/bb/one, 2026-03-31T01:07:12.000Z"],
        _logs: [
          "resolved",
          "resolved: axios@1.14.1: a log says it was chosen, 2026-03-31T01_07_12_345Z-debug-0.log:1, 2026-03-31T01:07:12.345Z",
        ],
        "_npx/8b1": ["resolved", "resolved: plain-crypto-js@4.2.1: the lockfile names it, package-lock.json:5"],
      },
    },
    {
      at: "cache-cleaned",
      how: "a cache whose index somebody deleted: the bytes are still there",
      files: { [`_cacache/content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`]: "" },
      says: {
        _cacache: [
          "fetched",
          `fetched: (unnamed): a client's cache holds it, the bytes of axios@1.14.1, content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`,
          "missing: npm's cache has lost its index",
        ],
      },
    },
    {
      at: "cache-corrupt",
      how: "a cache whose index is damaged: said, and the rest still read",
      files: {
        "_cacache/content-v2/sha512/.keep": "",
        "_cacache/index-v5/aa/bb/one": fetched.replace("axios-1.14.1", "axios-1.14.2"),
        "_cacache/index-v5/aa/cc/two": indexed({ key: key.replace("1.14.1", "1.14.0"), integrity: `sha512-${"A".repeat(86)}==`, time: 1 }),
      },
      says: {
        _cacache: [
          "unknown",
          "missing: index-v5/aa/bb/one: a damaged index entry",
          "because: npm's cache index knows none of their tarballs",
        ],
      },
    },
    {
      at: "cache-new",
      how: "a cache of a layout nobody knows yet",
      files: { "_cacache/content-v2/sha512/.keep": "", "_cacache/index-v6/aa/bb/one": fetched, "store/v99/files/.keep": "" },
      says: {
        _cacache: ["unknown", "missing: index-v6: an index of a version cordon does not know"],
        "store/v99": ["unknown", "missing: a pnpm store of a layout cordon does not know (v99)"],
      },
    },
    {
      at: "store-pnpm",
      how: "pnpm 10's store; pnpm 7's, which names no package, by its bytes alone",
      files: {
        "v10/files/.keep": "",
        [`v10/${pnpm10(hex)}`]: {},
        "v3/files/.keep": "",
        [`v3/files/${hex.slice(0, 2)}/${hex.slice(2)}-index.json`]: { files: {} },
      },
      says: {
        v10: ["fetched", `fetched: axios@1.14.1: a client's store holds it, ${pnpm10(hex)}, now`],
        v3: [
          "fetched",
          `fetched: (unnamed): a client's store holds it, the bytes of axios@1.14.1, files/${hex.slice(0, 2)}/${hex.slice(2)}-index.json, now`,
        ],
      },
    },
    {
      at: "archives",
      how: "archives of packages: vendored, in an offline mirror, in a registry's storage; and others that are called nearly so",
      files: {
        "vendored/axios-1.14.1.tgz": ODD,
        "mirror/axios-1.14.0.tgz": ODD,
        "mirror/@corp-axios-1.14.1.tgz": ODD,
        "mirror/xios-1.14.1.tgz": ODD,
        "mirror/axios-1.14.10.tgz": ODD,
        "storage/@corp/axios/axios-1.14.1.tgz": ODD,
        "storage/plain-crypto-js/plain-crypto-js-4.2.1.tgz": ODD,
      },
      says: {
        vendored: ["fetched", "fetched: axios@1.14.1: its archive lies here, with other bytes than the poisoned ones, axios-1.14.1.tgz"],
        "storage/plain-crypto-js": [
          "fetched",
          "fetched: plain-crypto-js@4.2.1: its archive lies here, with other bytes than the poisoned ones, plain-crypto-js-4.2.1.tgz",
        ],
      },
    },
    // --- logs --------------------------------------------------------------------------------------------------------------------------------
    {
      at: "ci",
      how: "logs of CI systems: a folder of them, as a workflow's host writes them",
      files: { "job/3_Install.txt": ACTIONS, "job/4_Test.txt": "2026-03-31T01:41:00.0000000Z all passed: axios@1.14.1 is mentioned\n" },
      says: {
        job: ["executed", `${RAN}, 3_Install.txt:4, ${LOG_TIME}`, `${FETCHED}, 3_Install.txt:3, 2026-03-31T01:40:12.100Z`],
      },
    },
    {
      at: "ci-zip",
      how: "the same as one archive",
      files: { "logs_4711.zip": zip({ "build/3_Install.txt": ACTIONS, "build/4_Test.txt": "ok\n" }) },
      says: {
        "": [
          "executed",
          `${RAN}, logs_4711.zip!build/3_Install.txt:4, ${LOG_TIME}`,
          `${FETCHED}, logs_4711.zip!build/3_Install.txt:3, 2026-03-31T01:40:12.100Z`,
        ],
      },
    },
    {
      at: "ci-plain",
      how: "a log of pnpm's, and one that only talks",
      files: {
        "build.log": "Packages: +5\n+++++\n\ndependencies:\n+ axios 1.14.1\n",
        "talk/review.log":
          "axios@1.14.1 is compromised\nDowngrade axios from 1.14.1 to 1.14.0\n- axios 1.14.1\nnpm error 404 axios@1.14.1\n",
      },
      says: {
        "": ["installed", "installed: axios@1.14.1: a log says it was installed, build.log:5"],
        talk: ["not-exposed", "because: its logs name none of them"],
      },
    },
    // --- images ------------------------------------------------------------------------------------------------------------------------------
    {
      at: "images",
      how: "an image each in both forms, both deleting what they hold; one packed with zstd",
      files: {
        "docker.tar": docker(LAYERS),
        "docker.tar.gz": gzip(docker(LAYERS)),
        "sources.tar": tar([
          { path: "manifest.json", body: "{}" },
          { path: "a/readme", body: "axios@1.14.1" },
        ]),
        "sources.tar.gz": gzip(tar([{ path: "node_modules/axios/package.json", body: JSON.stringify(AXIOS) }])),
        "oci.tar": asTar(oci(LAYERS.map(gzip))),
        "zstd.tar": asTar(oci([ZSTD])),
        "cached.tar": asTar(
          oci([
            layer({
              "app/package-lock.json": npmLock({ axios: "1.14.0" }),
              "root/.npm/_cacache/index-v5/aa/bb/cc": fetched,
              "root/.npm/_logs/2026-03-31T01_07_12_345Z-debug-0.log":
                "9 info run plain-crypto-js@4.2.1 postinstall node_modules/x node setup.js\n",
            }),
          ]),
        ),
        "clean.tar": asTar(oci([layer({ "app/package-lock.json": npmLock({ axios: "1.14.0" }) })])),
      } as Tree,
      says: {
        "docker.tar": IMAGE("docker.tar"),
        "oci.tar": IMAGE("oci.tar"),
        "zstd.tar": ["unknown", `missing: layer 1 (${hash(ZSTD).slice(0, 12)}…): packed with zstd, which cordon does not unpack`],
        "docker.tar.gz": [
          "unknown",
          "missing: images/docker.tar.gz: a packed archive; unpack it with gunzip first, so that its layers can be found",
        ],
        "cached.tar": [
          "executed",
          `${RAN}, images/cached.tar!root/.npm/_logs/2026-03-31T01_07_12_345Z-debug-0.log:1, 2026-03-31T01:07:12.345Z`,
          "fetched: axios@1.14.1: a client's cache holds it (layer 1), images/cached.tar!root/.npm/_cacache/index-v5/aa/bb/cc, 2026-03-31T01:07:12.000Z",
        ],
        "clean.tar": ["not-exposed", "because: none of its layers (1) holds one of them"],
      },
    },
    {
      at: "image-folder",
      how: "an OCI layout that was never put into an archive",
      files: oci(LAYERS.map(gzip)) as Tree,
      says: {
        "": [
          "installed",
          "installed: axios@1.14.1: it lies in a layer of the image (layer 1, deleted by layer 2), image-folder!app/node_modules/axios",
          "resolved: axios@1.14.1: the lockfile names it (layer 1), image-folder!app/package-lock.json:5",
        ],
      },
    },
    {
      at: "sbom",
      how: "a bill of materials, all that is left of a build",
      files: {
        "bom.json": {
          bomFormat: "CycloneDX",
          specVersion: "1.6",
          components: [{ type: "library", name: "axios", version: "1.14.1", purl: "pkg:npm/axios@1.14.1" }],
        },
      },
      says: { "": ["resolved", "resolved: axios@1.14.1: a bill of materials lists it, bom.json"] },
    },
    {
      at: "docs",
      how: "a folder with nothing in it that could be read",
      files: { "guide/readme.md": "axios@1.14.1\n" },
      says: {},
    },
  ];
}
