/** The clients' own records of an install, read as data. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readHiddenLockfile, readPnp, readPnpmLock, readStoreFolder, readYarnState, sourceOfRange } from "./installed.ts";

test.each([
  ["axios@1.14.0", { name: "axios", version: "1.14.0" }],
  ["@acme+kit@1.0.0_react@18.0.0", { name: "@acme/kit", version: "1.0.0" }],
  ["kit@1.0.0(react@18.0.0)", { name: "kit", version: "1.0.0" }],
  ["kit@0.0.0-experimental-2a1bc9e-20240101", { name: "kit", version: "0.0.0-experimental-2a1bc9e-20240101" }],
  ["@acme+kit@1.0.0+6396a973e22c177a", { name: "@acme/kit", version: "1.0.0" }],
  ["kit@1.0.0_1", { name: "kit", version: "1.0.0" }],
  ["loc@file+loc_fol@2.0.0", { name: "loc", source: "file" }],
  ["loc@file:loc(fol@2.0.0)", { name: "loc", source: "file" }],
  ["mine@git+ssh+++git.test+mine+0f", { name: "mine", source: "git" }],
  ["mine@https+++codeload.test+mine+tar.gz+0f", { name: "mine", source: "url" }],
  ["axios-npm-1.14.0-8f40d39890", { version: "1.14.0" }],
  ["loc-file-9d4729e326", { source: "file" }],
  ["@acme-kit-virtual-d5d83300da", {}],
  [`${"long".repeat(20)}@1.0.0-be_${"0".repeat(32)}`, { name: "long".repeat(20) }],
  ["node_modules", {}],
])("store folder %s", (folder, record) => {
  expect(readStoreFolder(folder)).toEqual(record);
});

test("npm's linked store ends in a hash that may hold dashes and underscores", () => {
  expect(readStoreFolder("@acme/kit@1.0.0-_0KH4Wh_JZOTtSK-XHBfpQ", true)).toEqual({ name: "@acme/kit", version: "1.0.0" });
  expect(readStoreFolder("kit@1.0.0-rc.1-18yZvMifs0sy35xXE8trCA", true)).toEqual({ name: "kit", version: "1.0.0-rc.1" });
});

test("pnpm's integrities in the notations of lockfile 5, 6 and 9", () => {
  const text = `packages:

  axios@1.14.0:
    resolution: {integrity: sha512-a==}
    engines: {node: '>=18'}

  '@acme/kit@1.0.0':
    resolution: {integrity: sha512-b, tarball: https://r.test/kit.tgz}

  /form@2.0.0(react@18.0.0):
    resolution: {integrity: sha512-c}

  /@acme/old/3.0.0_react@17.0.0:
    resolution: {integrity: sha512-d}

  loc@file:loc:
    resolution: {directory: loc, type: directory}

  hub@https://codeload.test/acme/hub/tar.gz/0f:
    resolution: {tarball: https://codeload.test/acme/hub/tar.gz/0f}

  mine@git+https://git.test/mine.git#0f:
    resolution: {commit: 0f, repo: https://git.test/mine.git, type: git}
`;
  expect(Object.fromEntries(readPnpmLock(text).integrities)).toEqual({
    "axios@1.14.0": "sha512-a==",
    "@acme/kit@1.0.0": "sha512-b",
    "form@2.0.0": "sha512-c",
    "@acme/old@3.0.0": "sha512-d",
  });
  expect(Object.fromEntries(readPnpmLock(text).sources)).toEqual({ loc: "file", hub: "url", mine: "git" });
});

test("yarn's state: virtual, patched, aliased and foreign locators", () => {
  const text = `__metadata:
  version: 1

"axios@npm:1.14.0":
  locations:
    - "node_modules/axios"

"@acme/kit@virtual:8f#npm:1.0.0":
  locations:
    - "node_modules/@acme/kit"

"fixed@patch:fixed@npm%3A2.0.0#~/.yarn/patches/fixed.patch::version=2.0.0&hash=0f":
  locations:
    - "node_modules/fixed"

"mine@https://git.test/mine.git#commit=0f":
  locations:
    - "node_modules/mine"

"site@workspace:packages/site":
  locations:
    - "node_modules/site"
`;
  expect(Object.fromEntries(readYarnState(text))).toEqual({
    "node_modules/axios": { name: "axios", version: "1.14.0", source: "registry" },
    "node_modules/@acme/kit": { name: "@acme/kit", version: "1.0.0", source: "registry" },
    "node_modules/fixed": { name: "fixed", version: "2.0.0", source: "registry" },
    "node_modules/mine": { name: "mine", source: "git" },
  });
});

const PNP = {
  packageRegistryData: [
    [null, [[null, { packageLocation: "./", packageDependencies: [] }]]],
    ["axios", [["npm:1.14.0", { packageLocation: "../cache/axios-npm-1.14.0-8f-10c0.zip/node_modules/axios/", linkType: "HARD" }]]],
    [
      "@acme/kit",
      [
        ["npm:1.0.0", { packageLocation: "../cache/kit.zip/node_modules/@acme/kit/", linkType: "SOFT" }],
        [
          "virtual:8f#npm:1.0.0",
          { packageLocation: "./.yarn/__virtual__/kit-8f/2/cache/kit.zip/node_modules/@acme/kit/", linkType: "HARD" },
        ],
        [
          "virtual:9d#npm:2.0.0",
          { packageLocation: "./.yarn/__virtual__/kit-9d/1/cache/it's.zip/node_modules/@acme/kit/", linkType: "HARD" },
        ],
      ],
    ],
    ["shop", [["workspace:.", { packageLocation: "./", linkType: "SOFT" }]]],
  ],
};

/** As yarn writes it: one string literal over many lines. */
function pnpFile(data: object): string {
  const literal = JSON.stringify(data, null, 2).replace(/\\/g, "\\\\").replace(/'/g, "\\'").replace(/\n/g, "\\\n");
  return `#!/usr/bin/env node\n"use strict";\n\nconst RAW_RUNTIME_STATE =\n'${literal}';\n\nfunction $$SETUP_STATE() { return JSON.parse(RAW_RUNTIME_STATE) }\n`;
}

test("Plug'n'Play data is the same from the script and from the data file; virtual copies count once, workspaces not at all", () => {
  const wanted = {
    packages: [
      {
        name: "axios",
        location: "../cache/axios-npm-1.14.0-8f-10c0.zip/node_modules/axios/",
        record: { name: "axios", version: "1.14.0", source: "registry" },
      },
      {
        name: "@acme/kit",
        location: "../cache/kit.zip/node_modules/@acme/kit/",
        record: { name: "@acme/kit", version: "1.0.0", source: "registry" },
      },
      {
        name: "@acme/kit",
        location: "./../cache/it's.zip/node_modules/@acme/kit/",
        record: { name: "@acme/kit", version: "2.0.0", source: "registry" },
      },
    ],
  };
  expect(readPnp(JSON.stringify(PNP))).toEqual(wanted);
  expect(readPnp(pnpFile(PNP))).toEqual(wanted);
});

test("what is no Plug'n'Play data is a problem, not an empty install", () => {
  for (const text of [
    "",
    "{}",
    "const RAW_RUNTIME_STATE = '{",
    pnpFile({ packageRegistryData: [1] }),
    pnpFile({ packageRegistryData: [["a", [["npm:1.0.0", {}]]]] }),
  ])
    expect(readPnp(text)).toHaveProperty("problem");
});

test.each([
  ["^1.0.0", "registry"],
  ["npm:chalk@5", "registry"],
  ["latest", "registry"],
  ["*", "registry"],
  ["", "registry"],
  ["file:./x", "file"],
  ["link:../x", "file"],
  ["./x", "file"],
  ["~/x.tgz", "file"],
  ["~1.2.3", "registry"],
  ["workspace:*", "file"],
  ["acme/hub", "git"],
  ["acme/hub#v1", "git"],
  ["github:acme/hub", "git"],
  ["git+ssh://git@git.test/x.git#semver:^1", "git"],
  ["https://git.test/x.git", "git"],
  ["https://r.test/x.tgz", "url"],
])("range %s comes from %s", (range, source) => {
  expect(sourceOfRange(range)).toBe(source);
});

test("no text makes a reader throw", () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(pnpFile(PNP).slice(0, 200), "RAW_RUNTIME_STATE = '\\", '{"packages":{"node_modules/a":null}}'),
  );
  fc.assert(
    fc.property(text, (each) => {
      readHiddenLockfile(each);
      readPnpmLock(each);
      readYarnState(each);
      readStoreFolder(each);
      readPnp(each);
      sourceOfRange(each);
    }),
  );
});
