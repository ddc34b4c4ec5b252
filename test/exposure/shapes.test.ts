/**
 * Shapes in which an incident of the shipped packs stands in a folder, and the answer each must get: a table to add to whenever somebody
 * shows one that is answered wrongly. Contents are inert; "clean" is only said where something was read that rules the incident out.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expose } from "../../src/app/expose.ts";
import type { Level } from "../../src/core/exposure/sighting.ts";
import { readPack } from "../../src/core/incident/pack.ts";
import { readEvidence } from "../../src/edge/evidence/read.ts";
import { tree, type Tree } from "../kit/tree.ts";

const PACKS = join(import.meta.dirname, "..", "..", "packs");
const packs = readdirSync(PACKS)
  .filter((file) => file.endsWith(".json"))
  .flatMap((file) => {
    const read = readPack(readFileSync(join(PACKS, file), "utf8"));
    return "pack" in read ? [read.pack] : [];
  });

/** The answer, and the incidents that were found. */
async function asked(files: Tree): Promise<{ readonly level: Level; readonly found: readonly string[] }> {
  const root = tree(files);
  const { overall, incidents } = await expose(
    {
      readEvidence: (request) =>
        readEvidence(request, { surroundings: { env: {}, home: "/nonexistent", temporary: "/nonexistent", platform: "linux" }, cwd: root }),
      readLedger: async () => undefined,
      recorded: async () => new Map(),
    },
    { packs, paths: [root], machine: false, onExecuted: () => undefined, tell: () => undefined },
  );
  const found = incidents.filter(({ overall: level }) => level !== "not-exposed" && level !== "unknown").map(({ pack }) => pack.id);
  return { level: overall, found };
}

const needs = (dependencies: object, more: object = {}): object => ({ name: "site", version: "1.0.0", dependencies, ...more });
const npmLock = (packages: object): object => ({ name: "site", lockfileVersion: 3, requires: true, packages });

const SHAPES: readonly (readonly [shape: string, files: Tree, level: Level, incidents?: readonly string[]])[] = [
  // A manifest alone: nothing says what its ranges became.
  ["an exact pin, no lockfile", { "package.json": needs({ "size-sensor": "1.0.4" }) }, "could-have", ["antv-2026"]],
  ["a range over a poisoned version", { "package.json": needs({ debug: "^4.0.1" }) }, "could-have", ["qix-chalk-debug-2025"]],
  ["wildcards over a poisoned version", { "package.json": needs({ "@ctrl/tinycolor": "4.x" }) }, "could-have", ["shai-hulud-2025"]],
  ["wildcards of other names", { "package.json": needs({ widget: "4.x", gadget: "x.x.x" }) }, "unknown"],
  ["a name that begins with a digit", { "package.json": needs({ "02-echo": "0.0.7" }) }, "could-have", ["shai-hulud-2025"]],
  ["the release before the poisoned one", { "package.json": needs({ "@tanstack/react-router": "1.169.4" }) }, "unknown"],
  ["the same scope, another release", { "package.json": needs({ "@ctrl/tinycolor": "3.0.0" }) }, "unknown"],
  ["a name that only looks alike", { "package.json": needs({ dayjs: "1.11.13", chalkk: "5.6.1" }) }, "unknown"],
  ["an alias", { "package.json": needs({ store: "npm:keyv@6.0.0" }) }, "could-have", ["keyv-2026"]],
  ["a peer that npm installs", { "package.json": needs({}, { peerDependencies: { keyv: "6.0.0" } }) }, "could-have", ["keyv-2026"]],
  ["a forced version", { "package.json": needs({ widget: "1.0.0" }, { overrides: { keyv: "6.0.0" } }) }, "could-have", ["keyv-2026"]],
  [
    "the front end of a project in another language",
    { "mix.exs": "", "assets/package.json": needs({ "@ctrl/tinycolor": "4.1.1" }) },
    "could-have",
    ["shai-hulud-2025"],
  ],
  [
    "a folder with a space in its name",
    { "package.json": {}, "my app/package.json": needs({ keyv: "6.0.0" }) },
    "could-have",
    ["keyv-2026"],
  ],
  [
    "any version of a name that was never honest",
    { "package.json": needs({ "token-usage-tracker": "0.0.3" }) },
    "could-have",
    ["trapdoor-2026"],
  ],
  [
    "very high versions of companies' internal names",
    { "package.json": needs({ "oc-aa-module-client": "9.9.10" }) },
    "could-have",
    ["sl4x0-2025"],
  ],
  ["a manifest that is no JSON", { "package.json": '{ "dependencies": { "keyv": "6.0.0", } }' }, "unknown"],
  ["a manifest that asks for nothing", { "package.json": needs({}), "doc/api.yaml": "on: discussion\n" }, "not-exposed"],

  // A lockfile decides.
  [
    "npm, version 3",
    { "package-lock.json": npmLock({ "node_modules/@ctrl/tinycolor": { version: "4.1.2" } }) },
    "resolved",
    ["shai-hulud-2025"],
  ],
  [
    "npm, version 2, with digests that are none",
    {
      "package.json": needs({ chalk: "^5.5.0" }),
      "package-lock.json": {
        lockfileVersion: 2,
        packages: { "node_modules/chalk": { version: "5.6.1", integrity: "sha512-not-a-digest" } },
        dependencies: { chalk: { version: "5.6.1" } },
      },
    },
    "resolved",
    ["qix-chalk-debug-2025"],
  ],
  ["npm, a shrinkwrap", { "npm-shrinkwrap.json": npmLock({ "node_modules/keyv": { version: "6.0.0" } }) }, "resolved", ["keyv-2026"]],
  [
    "npm, a poisoned version that another name has",
    { "package-lock.json": npmLock({ "node_modules/color-convert": { version: "1.9.3" }, "node_modules/widget": { version: "3.1.1" } }) },
    "not-exposed",
  ],
  [
    "npm, a safe version of a range that allows a poisoned one",
    { "package.json": needs({ debug: "^4.0.1" }), "package-lock.json": npmLock({ "node_modules/debug": { version: "4.4.1" } }) },
    "not-exposed",
  ],
  [
    "pnpm, a first entry and nothing else",
    { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\npackages:\n\n  keyv@6.0.0:\n    resolution: {integrity: sha512-0000}\n" },
    "resolved",
    ["keyv-2026"],
  ],
  [
    "pnpm, a quoted scope and an empty resolution",
    { "pnpm-lock.yaml": "lockfileVersion: '9.0'\npackages:\n  '@ctrl/tinycolor@4.1.2':\n    resolution: {}\n" },
    "resolved",
    ["shai-hulud-2025"],
  ],
  [
    "yarn 1, several ranges for one version",
    {
      "yarn.lock":
        '# yarn lockfile v1\n\n\nkeyv@^6.0.0, keyv@^6.1.0:\n  version "6.0.0"\n  resolved "https://registry.test/keyv/-/keyv-6.0.0.tgz#0000"\n',
    },
    "resolved",
    ["keyv-2026"],
  ],
  [
    "yarn 1, a safe version",
    {
      "yarn.lock":
        '# yarn lockfile v1\n\n\nkeyv@^5.0.0:\n  version "5.3.4"\n  resolved "https://registry.test/keyv/-/keyv-5.3.4.tgz#0000"\n',
    },
    "not-exposed",
  ],
  [
    "yarn 2 and later",
    {
      "yarn.lock":
        '__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"flat-cache@npm:6.1.24":\n  version: 6.1.24\n  resolution: "flat-cache@npm:6.1.24"\n  checksum: 10c0/0000\n  languageName: node\n  linkType: hard\n',
    },
    "resolved",
    ["keyv-2026"],
  ],

  // On disk.
  [
    "installed with nothing that asked for it",
    { "node_modules/keyv/package.json": { name: "keyv", version: "6.0.0" } },
    "installed",
    ["keyv-2026"],
  ],
  [
    "an honest version installed with nothing that asked for it",
    { "node_modules/keyv/package.json": { name: "keyv", version: "5.3.4" } },
    "not-exposed",
  ],
  [
    "the attacker's own package, unpacked",
    { "package.json": { name: "mouse5212-super-formatter", version: "1.0.0" } },
    "fetched",
    ["malware-slop-2026"],
  ],
  ["a known package under the number of its poisoned release", { "package.json": { name: "keyv", version: "6.0.0" } }, "unknown"],
  ["a known package's own source", { "package.json": { name: "debug", version: "4.4.3" } }, "not-exposed"],
  [
    "a payload's file beside an honest version",
    {
      "package-lock.json": npmLock({ "node_modules/keyv": { version: "5.3.4" } }),
      "node_modules/keyv/package.json": { name: "keyv", version: "5.3.4" },
      "node_modules/keyv/Math_Symbol.js": "",
    },
    "unknown",
  ],
  [
    "a file of that name where it belongs",
    {
      "package-lock.json": npmLock({}),
      "node_modules/regenerate-unicode-properties/package.json": { name: "regenerate-unicode-properties", version: "10.2.2" },
      "node_modules/regenerate-unicode-properties/Math_Symbol.js": "",
    },
    "not-exposed",
  ],

  // What payloads leave, and who starts it.
  ["a loader and what it loads", { "setup_bun.js": "", "bun_environment.js": "" }, "installed", ["shai-hulud-2025"]],
  [
    "a workflow that the worm writes",
    { "package.json": {}, ".github/workflows/shai-hulud-workflow.yml": "" },
    "executed",
    ["shai-hulud-2025"],
  ],
  ["a workflow by a name that others use too", { "package.json": {}, ".github/workflows/discussion.yaml": "" }, "unknown"],
  ["a workflow of that name elsewhere", { "package.json": {}, "docs/discussion.yaml": "" }, "not-exposed"],
  [
    "a watcher of the stolen token",
    { "package.json": {}, "gh-token-monitor.sh": "", "com.user.gh-token-monitor.plist": "" },
    "executed",
    ["keyv-2026", "tanstack-2026"],
  ],
  [
    "a script that starts the payload",
    { "package.json": needs({}, { scripts: { prepare: "bun run tanstack_runner.js && exit 1" } }) },
    "installed",
    ["tanstack-2026"],
  ],
  [
    "an agent's hook that starts the payload, in a folder without a manifest",
    { ".claude/settings.json": { hooks: { SessionStart: [{ command: "node .claude/router_runtime.js" }] } } },
    "installed",
    ["tanstack-2026"],
  ],
  [
    "an editor's task that starts a file others have too",
    { "package.json": {}, ".vscode/tasks.json": { tasks: [{ command: "node .claude/setup.mjs" }] } },
    "unknown",
  ],
  [
    "a project's own setup script",
    { "package.json": needs({}, { scripts: { postinstall: "node setup.mjs" } }), "setup.mjs": "" },
    "not-exposed",
  ],

  // Nothing that could say anything.
  ["an empty folder", {}, "unknown"],
  ["only other languages", { "requirements.txt": "x==1\n", "Cargo.toml": "", "composer.json": "{}" }, "unknown"],
  ["source that talks about attacks", { "notes/scan.js": "// trufflehog, shai-hulud\n" }, "unknown"],
];

test.each(SHAPES.map(([shape, files, level, found = []]) => ({ shape, files, level, found })))(
  "$shape",
  async ({ files, level, found }) => {
    expect(await asked(files)).toEqual({ level, found });
  },
);
