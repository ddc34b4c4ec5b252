/** What is installed is read from disk, for the layout of every client (as the real ones left them) and for what a hostile tree may hold. */
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Tree, grow, link, tree } from "../../../test/kit/tree.ts";
import { instant } from "../../core/base/time.ts";
import type { ClientId } from "../../core/client/client.ts";
import type { Installed } from "../../core/client/installed.ts";
import { readInstalled, readProject } from "./installed.ts";
import type { Surroundings } from "./places.ts";

const AT: Surroundings = { env: {}, home: "/nonexistent", temporary: "/nonexistent", platform: "linux" };

function pack(name: string, version: string, more: object = {}): object {
  return { name, version, ...more };
}

async function read(client: ClientId, root: string, workspaces: readonly string[] = []): Promise<Installed> {
  return readProject({ client, root, workspaces: workspaces.map((folder) => path.join(root, folder)), surroundings: AT });
}

/** `name@version folder marks`, sorted. */
function brief(installed: Installed, root: string): string[] {
  return installed.packages
    .map((found) =>
      [
        `${found.name}@${found.version}`,
        path.relative(root, found.path),
        found.source !== "registry" && found.source,
        found.alias !== undefined && `as ${found.alias}`,
        found.integrity,
        found.optional && "optional",
        found.orphan && "orphan",
      ]
        .filter(Boolean)
        .join(" "),
    )
    .toSorted();
}

test("npm: nested, scoped, aliased and bundled packages, with what npm recorded about them", async () => {
  const root = tree({
    "package.json": pack("shop", "1.0.0"),
    "node_modules/.package-lock.json": {
      lockfileVersion: 3,
      packages: {
        "node_modules/axios": { version: "1.14.0", resolved: "https://r.test/axios/-/axios-1.14.0.tgz", integrity: "sha512-a" },
        "node_modules/axios/node_modules/form": { version: "2.0.0", integrity: "sha512-f", optional: true },
        "node_modules/pretty": { name: "chalk", version: "5.0.0", integrity: "sha512-c" },
        "node_modules/big": { version: "1.0.0", integrity: "sha512-b" },
        "node_modules/big/node_modules/inner": { version: "0.1.0", inBundle: true },
        "node_modules/mine": { version: "3.0.0", resolved: "git+ssh://git@git.test/mine.git#0f" },
        "node_modules/site": { resolved: "packages/site", link: true },
        "packages/site/node_modules/form": { version: "1.0.0", integrity: "sha512-g" },
      },
    },
    "node_modules/.bin/axios": "",
    "node_modules/axios/package.json": pack("axios", "1.14.0", { dependencies: { form: "^2.0.0" }, optionalDependencies: { fast: "1" } }),
    "node_modules/axios/node_modules/form/package.json": pack("form", "2.0.0"),
    "node_modules/@acme/kit/package.json": pack("@acme/kit", "v1.0.0+build.7"),
    "node_modules/pretty/package.json": pack("chalk", "5.0.0"),
    "node_modules/big/package.json": pack("big", "1.0.0", { bundleDependencies: ["inner"] }),
    "node_modules/big/node_modules/inner/package.json": pack("inner", "0.1.0"),
    "node_modules/mine/package.json": pack("mine", "3.0.0"),
    "node_modules/site": link("../packages/site"),
    "packages/site/package.json": pack("site", "1.0.0"),
    "packages/site/node_modules/form/package.json": pack("form", "1.0.0"),
  });
  const installed = await read("npm", root, ["packages/site"]);
  expect(brief(installed, root)).toEqual([
    "@acme/kit@1.0.0 node_modules/@acme/kit",
    "axios@1.14.0 node_modules/axios sha512-a",
    "big@1.0.0 node_modules/big sha512-b",
    "chalk@5.0.0 node_modules/pretty as pretty sha512-c",
    "form@1.0.0 packages/site/node_modules/form sha512-g",
    "form@2.0.0 node_modules/axios/node_modules/form sha512-f optional",
    "inner@0.1.0 node_modules/big/node_modules/inner bundled",
    "mine@3.0.0 node_modules/mine git",
  ]);
  const axios = installed.packages.find((found) => found.name === "axios")!;
  expect(axios.dependencies).toEqual({ form: "^2.0.0" });
  expect(axios.optionalDependencies).toEqual({ fast: "1" });
  expect(installed).toMatchObject({ disagreements: [], unreadable: [], links: [], notes: [] });
});

test("an implant that rewrote its package.json, or removed itself, is seen against the client's record", async () => {
  const root = tree({
    "node_modules/.package-lock.json": {
      packages: {
        "node_modules/plain": { version: "4.2.1" },
        "node_modules/gone": { version: "1.0.0" },
        "node_modules/old": { version: "1.0.0" },
      },
    },
    "node_modules/plain/package.json": pack("plain", "4.2.0"),
    "node_modules/old/package.json": pack("old", "v1.0.0"),
  });
  const source = path.join("node_modules", ".package-lock.json");
  expect((await read("npm", root)).disagreements).toEqual([
    { path: path.join(root, "node_modules/plain"), folder: "plain@4.2.0", record: "plain@4.2.1", source },
    { path: path.join(root, "node_modules/gone"), record: "gone@1.0.0", source },
  ]);
  const store = tree({
    "node_modules/plain": link(".pnpm/plain@4.2.1/node_modules/plain"),
    "node_modules/.pnpm/plain@4.2.1/node_modules/plain/package.json": pack("plain", "4.2.0"),
  });
  expect((await read("pnpm", store)).disagreements).toMatchObject([{ folder: "plain@4.2.0", record: "plain@4.2.1" }]);
});

const PNPM: Tree = {
  "package.json": pack("shop", "1.0.0"),
  "node_modules/.modules.yaml": { virtualStoreDir: ".pnpm", nodeLinker: "isolated" },
  "node_modules/axios": link(".pnpm/axios@1.14.0/node_modules/axios"),
  "node_modules/loc": link(".pnpm/loc@file+loc/node_modules/loc"),
  "node_modules/.pnpm/lock.yaml":
    "lockfileVersion: '9.0'\n\npackages:\n\n  '@acme/kit@1.0.0':\n    resolution: {integrity: sha512-k}\n\n  axios@1.14.0:\n    resolution: {integrity: sha512-a}\n    engines: {node: '>=18'}\n",
  "node_modules/.pnpm/axios@1.14.0/node_modules/axios/package.json": pack("axios", "1.14.0"),
  "node_modules/.pnpm/axios@1.14.0/node_modules/axios/node_modules/inner/package.json": pack("inner", "0.1.0"),
  "node_modules/.pnpm/axios@1.14.0/node_modules/@acme/kit": link("../../../@acme+kit@1.0.0_form@2.0.0/node_modules/@acme/kit"),
  "node_modules/.pnpm/@acme+kit@1.0.0_form@2.0.0/node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.0"),
  "node_modules/.pnpm/loc@file+loc/node_modules/loc/package.json": pack("loc", "9.0.0"),
  "node_modules/.pnpm/axios@1.14.1/node_modules/axios/package.json": pack("axios", "1.14.1"),
  "node_modules/.pnpm/axios@1.14.1/node_modules/plain": link("../../plain@4.2.1/node_modules/plain"),
  "node_modules/.pnpm/plain@4.2.1/node_modules/plain/package.json": pack("plain", "4.2.1"),
};

test("pnpm: the virtual store, with what was left behind marked as linked from nowhere", async () => {
  const root = tree(PNPM);
  const installed = await read("pnpm", root);
  const store = "node_modules/.pnpm";
  expect(brief(installed, root)).toEqual([
    `@acme/kit@1.0.0 ${store}/@acme+kit@1.0.0_form@2.0.0/node_modules/@acme/kit sha512-k`,
    `axios@1.14.0 ${store}/axios@1.14.0/node_modules/axios sha512-a`,
    `axios@1.14.1 ${store}/axios@1.14.1/node_modules/axios orphan`,
    `inner@0.1.0 ${store}/axios@1.14.0/node_modules/axios/node_modules/inner bundled`,
    `loc@9.0.0 ${store}/loc@file+loc/node_modules/loc file`,
    `plain@4.2.1 ${store}/plain@4.2.1/node_modules/plain orphan`,
  ]);
  expect(installed).toMatchObject({ disagreements: [], unreadable: [], links: [] });
  // A hoisted link makes it loadable again.
  grow(root, { "node_modules/.pnpm/node_modules/plain": link("../plain@4.2.1/node_modules/plain") });
  expect(brief(await read("pnpm", root), root)).toContain(`plain@4.2.1 ${store}/plain@4.2.1/node_modules/plain`);
});

test("pnpm's global store outside the project is followed, one link at a time and nowhere else", async () => {
  const outside = tree({
    "links/@/axios/1.14.0/aa/node_modules/axios/package.json": pack("axios", "1.14.0"),
    "links/@/axios/1.14.0/aa/node_modules/@acme/kit": link("../../../../../../@acme/kit/1.0.0/bb/node_modules/@acme/kit"),
    "links/@acme/kit/1.0.0/bb/node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.1"),
    "links/@/other/1.0.0/cc/node_modules/other/package.json": pack("other", "1.0.0"),
    "elsewhere/secret/package.json": pack("secret", "1.0.0"),
  });
  const root = tree({
    "node_modules/.modules.yaml": { virtualStoreDir: path.join(outside, "links") },
    "node_modules/axios": link(path.join(outside, "links/@/axios/1.14.0/aa/node_modules/axios")),
    "node_modules/secret": link(path.join(outside, "elsewhere/secret")),
    "node_modules/broken": link("../nowhere"),
  });
  const installed = await read("pnpm", root);
  expect(brief(installed, outside)).toEqual([
    "@acme/kit@1.0.1 links/@acme/kit/1.0.0/bb/node_modules/@acme/kit",
    "axios@1.14.0 links/@/axios/1.14.0/aa/node_modules/axios",
  ]);
  expect(installed.disagreements).toMatchObject([{ folder: "@acme/kit@1.0.1", record: "@acme/kit@1.0.0" }]);
  expect(installed.links.map((each) => path.basename(each.path)).toSorted()).toEqual(["broken", "secret"]);
});

test("links into the store of a project above are followed, and what they link to there", async () => {
  const above = tree({
    "node_modules/.pnpm/axios@1.14.0/node_modules/axios/package.json": pack("axios", "1.14.0"),
    "node_modules/.pnpm/axios@1.14.0/node_modules/@acme/kit": link("../../../@acme+kit@1.0.0/node_modules/@acme/kit"),
    "node_modules/.pnpm/@acme+kit@1.0.0/node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.0"),
    "node_modules/.pnpm/other@1.0.0/node_modules/other/package.json": pack("other", "1.0.0"),
    "own/package.json": {},
    "own/node_modules/axios": link("../../node_modules/.pnpm/axios@1.14.0/node_modules/axios"),
  });
  const installed = await read("pnpm", path.join(above, "own"));
  expect(brief(installed, above)).toEqual([
    "@acme/kit@1.0.0 node_modules/.pnpm/@acme+kit@1.0.0/node_modules/@acme/kit",
    "axios@1.14.0 node_modules/.pnpm/axios@1.14.0/node_modules/axios",
  ]);
  expect(installed).toMatchObject({ disagreements: [], unreadable: [], links: [] });
});

test("pnpm hoisted: records by folder", async () => {
  const root = tree({
    "node_modules/.modules.yaml": {
      nodeLinker: "hoisted",
      hoistedLocations: { "axios@1.14.0": ["node_modules/axios"], "loc@file:loc": ["node_modules/loc"] },
    },
    "node_modules/.pnpm/lock.yaml": "packages:\n\n  axios@1.14.0:\n    resolution: {integrity: sha512-a}\n",
    "node_modules/axios/package.json": pack("axios", "1.14.0"),
    "node_modules/loc/package.json": pack("loc", "9.0.0"),
  });
  expect(brief(await read("pnpm", root), root)).toEqual(["axios@1.14.0 node_modules/axios sha512-a", "loc@9.0.0 node_modules/loc file"]);
});

test("yarn 1 and bun record no sources: the project's own manifests tell what is not from a registry", async () => {
  const root = tree({
    "package.json": pack("shop", "1.0.0", { dependencies: { loc: "file:./loc", hub: "acme/hub", pretty: "npm:chalk@5" } }),
    "node_modules/.yarn-integrity": "{}",
    "node_modules/loc/package.json": pack("loc", "9.0.0"),
    "node_modules/hub/package.json": pack("hub", "1.0.0"),
    "node_modules/pretty/package.json": pack("chalk", "5.0.0"),
    "node_modules/big/package.json": pack("big", "1.0.0", { bundledDependencies: true }),
    "node_modules/big/node_modules/inner/package.json": pack("inner", "0.1.0"),
    "node_modules/empty/node_modules/x/package.json": pack("x", "1.0.0"),
  });
  for (const client of ["yarn-classic", "bun"] as const)
    expect(brief(await read(client, root), root)).toEqual([
      "big@1.0.0 node_modules/big",
      "chalk@5.0.0 node_modules/pretty as pretty",
      "hub@1.0.0 node_modules/hub git",
      "inner@0.1.0 node_modules/big/node_modules/inner bundled",
      "loc@9.0.0 node_modules/loc file",
      "x@1.0.0 node_modules/empty/node_modules/x",
    ]);
});

test("bun isolated and deno: store folders named after name and version, with their own suffixes", async () => {
  const root = tree({
    "node_modules/axios": link(".bun/axios@1.14.0/node_modules/axios"),
    "node_modules/.bun/axios@1.14.0/node_modules/axios/package.json": pack("axios", "1.14.0"),
    "node_modules/.bun/axios@1.14.0/node_modules/@acme/kit": link("../../../@acme+kit@1.0.0+6396a973e22c177a/node_modules/@acme/kit"),
    "node_modules/.bun/@acme+kit@1.0.0+6396a973e22c177a/node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.0"),
    "node_modules/.bun/loc@file+loc+6396a973e22c177a/node_modules/loc/package.json": pack("loc", "9.0.0"),
  });
  const installed = await read("bun", root);
  expect(brief(installed, root).map((line) => line.replace(/ node_modules\S*/, ""))).toEqual([
    "@acme/kit@1.0.0",
    "axios@1.14.0",
    "loc@9.0.0 file orphan",
  ]);
  expect(installed.disagreements).toEqual([]);

  const deno = tree({
    "node_modules/axios": link(".deno/axios@1.14.0/node_modules/axios"),
    "node_modules/.deno/.deno.lock": "",
    "node_modules/.deno/shop@1.0.0/.initialized": "",
    "node_modules/.deno/axios@1.14.0/.initialized": "",
    "node_modules/.deno/axios@1.14.0/node_modules/axios/package.json": pack("axios", "1.14.0"),
    "node_modules/.deno/axios@1.14.0_1/node_modules/axios/package.json": pack("axios", "1.14.0"),
  });
  expect(brief(await read("deno", deno), deno)).toHaveLength(2);
  expect((await read("deno", deno)).disagreements).toEqual([]);
});

test("yarn 4: the node-modules linker with its state file, and the pnpm linker", async () => {
  const root = tree({
    "node_modules/.yarn-state.yml":
      '# Warning\n\n__metadata:\n  version: 1\n\n"@acme/kit@virtual:8f#npm:1.0.0":\n  locations:\n    - "node_modules/@acme/kit"\n\n"axios@npm:1.14.1":\n  locations:\n    - "node_modules/axios"\n    - "node_modules/http"\n\n"loc@file:./loc#./loc::hash=d2":\n  locations:\n    - "node_modules/loc"\n\n"shop@workspace:.":\n  locations:\n    - ""\n',
    "node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.0"),
    "node_modules/axios/package.json": pack("axios", "1.14.1"),
    "node_modules/http/package.json": pack("axios", "1.14.0"),
    "node_modules/loc/package.json": pack("loc", "9.0.0"),
  });
  const installed = await read("yarn-berry", root);
  expect(brief(installed, root)).toEqual([
    "@acme/kit@1.0.0 node_modules/@acme/kit",
    "axios@1.14.0 node_modules/http as http",
    "axios@1.14.1 node_modules/axios",
    "loc@9.0.0 node_modules/loc file",
  ]);
  expect(installed.disagreements).toMatchObject([{ folder: "axios@1.14.0", record: "axios@1.14.1" }]);

  const linked = tree({
    "node_modules/axios": link(".store/axios-npm-1.14.0-8f40d39890/package"),
    "node_modules/.store/axios-npm-1.14.0-8f40d39890/package/package.json": pack("axios", "1.14.0"),
    "node_modules/.store/axios-npm-1.14.0-8f40d39890/node_modules/axios": link("../package"),
    "node_modules/.store/axios-npm-1.14.0-8f40d39890/node_modules/@acme/kit": link("../../../@acme-kit-virtual-d5d83300da/package"),
    "node_modules/.store/@acme-kit-virtual-d5d83300da/package/package.json": pack("@acme/kit", "1.0.0"),
    "node_modules/.store/loc-file-9d4729e326/package/package.json": pack("loc", "9.0.0"),
  });
  expect(brief(await read("yarn-berry", linked), linked).map((line) => line.replace(/ node_modules\S*/, ""))).toEqual([
    "@acme/kit@1.0.0",
    "axios@1.14.0",
    "loc@9.0.0 file orphan",
  ]);
});

test("npm's linked strategy nests scopes in its store", async () => {
  const root = tree({
    "node_modules/@acme/kit": link("../.store/@acme/kit@1.0.0-18yZvMifs0sy35xXE8trCA/node_modules/@acme/kit"),
    "node_modules/.store/@acme/kit@1.0.0-18yZvMifs0sy35xXE8trCA/node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.0"),
    "node_modules/.store/@acme/kit@1.0.0-18yZvMifs0sy35xXE8trCA/node_modules/form": link(
      "../../../form@2.0.0-_0KH4Wh_JZOTtSK-XHBfpQ/node_modules/form",
    ),
    "node_modules/.store/form@2.0.0-_0KH4Wh_JZOTtSK-XHBfpQ/node_modules/form/package.json": pack("form", "2.0.1"),
  });
  const installed = await read("npm", root);
  expect(brief(installed, root).map((line) => line.replace(/ node_modules\S*/, ""))).toEqual(["@acme/kit@1.0.0", "form@2.0.1"]);
  expect(installed.disagreements).toMatchObject([{ record: "form@2.0.0" }]);
});

test("what cannot be read is named, never skipped", async () => {
  const root = tree({
    "node_modules/broken/package.json": "{",
    "node_modules/list/package.json": "[]",
    "node_modules/nameless/package.json": { type: "module" },
    "node_modules/bare/index.js": "",
    "node_modules/folder/package.json/x": "",
    "node_modules/huge/package.json": " ".repeat(2_000_001),
    "node_modules/fine/package.json": `\ufeff${JSON.stringify(pack("fine", "1.0.0"))}`,
    "node_modules/.package-lock.json": "{}",
    "node_modules/hollow/node_modules/.keep": "",
    "node_modules/stray.js": "",
  });
  const installed = await read("npm", root);
  expect(brief(installed, root)).toEqual(["fine@1.0.0 node_modules/fine"]);
  expect(installed.unreadable.map((each) => `${path.relative(root, each.path)}: ${each.why}`).toSorted()).toEqual([
    "node_modules/.package-lock.json: not npm's record of an install",
    "node_modules/bare: no package.json",
    "node_modules/broken/package.json: package.json is not a JSON object",
    "node_modules/folder/package.json: not a regular file",
    "node_modules/huge/package.json: larger than 2000000 bytes",
    "node_modules/list/package.json: package.json is not a JSON object",
    "node_modules/nameless: its package.json has no name or no version, and the client recorded none",
  ]);
});

test("links in circles end, and a link to the project's own parent is not followed", async () => {
  const root = tree({
    "app/package.json": pack("app", "1.0.0"),
    "app/node_modules/self": link(".."),
    "app/node_modules/up": link("../.."),
    "app/node_modules/loop": link("loop"),
    "app/node_modules/a/package.json": pack("a", "1.0.0"),
    "app/node_modules/a/node_modules/a": link("../../a"),
    "app/node_modules/b/package.json": pack("b", "1.0.0"),
    "app/node_modules/b/node_modules": link(".."),
    "other/package.json": pack("other", "1.0.0"),
  });
  const installed = await read("npm", path.join(root, "app"));
  expect(brief(installed, root)).toEqual(["a@1.0.0 app/node_modules/a", "b@1.0.0 app/node_modules/b"]);
  expect(installed.links.map((each) => path.basename(each.path)).toSorted()).toEqual(["loop", "node_modules", "up"]);
});

test("an empty project has nothing installed and nothing to complain about", async () => {
  for (const client of ["npm", "pnpm", "yarn-classic", "yarn-berry", "bun", "deno"] as const)
    expect(await read(client, tree())).toEqual({ packages: [], disagreements: [], unreadable: [], links: [], notes: [] });
});

test("npx: the folder npm made for these packages, touched or not", async () => {
  const home = tree({
    // The first 16 hex digits of sha512("tool"), as npm names it.
    ".npm/_npx/62b95004b6eb5f43/package.json": { dependencies: { tool: "^1.0.0" } },
    ".npm/_npx/62b95004b6eb5f43/node_modules/tool/package.json": pack("tool", "1.0.0"),
    ".npm/_npx/0000000000000000/package.json": { dependencies: { tool: "^2.0.0" } },
    ".npm/_npx/0000000000000000/node_modules/tool/package.json": pack("tool", "2.0.0"),
  });
  const request = { client: "npm", root: home, workspaces: [], surroundings: { ...AT, home } } as const;
  const later = instant(Date.now() + 3_600_000);
  const warm = await readInstalled({ ...request, intent: { kind: "exec", specs: ["tool"] }, since: later });
  expect(brief(warm, home)).toEqual(["tool@1.0.0 .npm/_npx/62b95004b6eb5f43/node_modules/tool"]);
  // Named otherwise than npm would: everything made for that package.
  const named = await readInstalled({ ...request, intent: { kind: "exec", specs: ["tool@latest"] }, since: later });
  expect(brief(named, home)).toHaveLength(2);
  const gone = await readInstalled({ ...request, intent: { kind: "exec", specs: ["other"] }, since: later });
  expect(gone).toMatchObject({ packages: [], notes: [expect.stringContaining("not found")] });
  const touched = await readInstalled({ ...request, intent: { kind: "exec", specs: ["other"] }, since: instant(Date.now() - 60_000) });
  expect(brief(touched, home)).toHaveLength(2);
});

test("pnpm dlx, bunx and yarn's dlx", async () => {
  const home = tree({
    ".cache/pnpm/dlx/aa/m1/package.json": { dependencies: { tool: "1" } },
    ".cache/pnpm/dlx/aa/m1/node_modules/tool": link(".pnpm/tool@1.0.0/node_modules/tool"),
    ".cache/pnpm/dlx/aa/m1/node_modules/.pnpm/tool@1.0.0/node_modules/tool/package.json": pack("tool", "1.0.0"),
    ".cache/pnpm/dlx/aa/m0/node_modules/tool/package.json": pack("tool", "0.9.0"),
    ".cache/pnpm/dlx/aa/pkg": link("m1"),
    ".bun/install/cache/.bunx-0/tool@latest/node_modules/tool/package.json": pack("tool", "1.0.0"),
    ".bun/install/cache/.bunx-0/@acme/kit@1.0.0/node_modules/@acme/kit/package.json": pack("@acme/kit", "1.0.0"),
    "tmp/bunx-0-tool@2.0.0@@@/node_modules/tool/package.json": pack("tool", "2.0.0"),
  });
  const surroundings = { ...AT, home, temporary: path.join(home, "tmp") };
  const run = (client: ClientId, spec: string, since: number): Promise<Installed> =>
    readInstalled({ client, intent: { kind: "exec", specs: [spec] }, root: home, workspaces: [], surroundings, since: instant(since) });
  const later = Date.now() + 3_600_000;
  expect(brief(await run("pnpm", "tool", later), home)).toEqual([
    "tool@1.0.0 .cache/pnpm/dlx/aa/m1/node_modules/.pnpm/tool@1.0.0/node_modules/tool",
  ]);
  expect(brief(await run("bun", "tool", later), home)).toEqual(["tool@1.0.0 .bun/install/cache/.bunx-0/tool@latest/node_modules/tool"]);
  expect(brief(await run("bun", "@acme/kit@1.0.0", later), home)).toHaveLength(1);
  expect(brief(await run("bun", "tool", Date.now() - 60_000), home)).toHaveLength(3);
  expect((await run("yarn-berry", "tool", 0)).notes[0]).toContain("removes its folder");
});

test("global installs are read where the client keeps them", async () => {
  const home = tree({
    "lib/node_modules/tool/package.json": pack("tool", "1.0.0"),
    ".bun/install/global/node_modules/tool/package.json": pack("tool", "2.0.0"),
    ".deno/bin/.tool/node_modules/.deno/tool@3.0.0/node_modules/tool/package.json": pack("tool", "3.0.0"),
    ".deno/bin/.tool/node_modules/tool": link(".deno/tool@3.0.0/node_modules/tool"),
    "pnpm/global/v11/aa/node_modules/tool/package.json": pack("tool", "4.0.0"),
  });
  const run = async (client: ClientId, globalRoot?: string): Promise<string[]> => {
    const surroundings = { ...AT, home, ...(globalRoot !== undefined && { globalRoot: path.join(home, globalRoot) }) };
    const found = await readInstalled({
      client,
      intent: { kind: "global", specs: ["tool"] },
      root: home,
      workspaces: [],
      surroundings,
      since: instant(0),
    });
    return found.packages.length > 0 ? found.packages.map((each) => each.version) : [...found.notes];
  };
  expect(await run("npm", "lib/node_modules")).toEqual(["1.0.0"]);
  expect(await run("bun")).toEqual(["2.0.0"]);
  expect(await run("deno")).toEqual(["3.0.0"]);
  expect(await run("pnpm", "pnpm/global/v11")).toEqual(["4.0.0"]);
  expect(await run("npm")).toEqual(["no folder of global installs was found for npm"]);
});

test("deno without node_modules: versions from the lockfile, found in its cache", async () => {
  const home = tree({
    ".cache/deno/npm/r.test/axios/1.14.0/package.json": pack("axios", "1.14.0"),
    ".cache/deno/npm/r.test/axios/1.14.1/package.json": pack("axios", "1.14.1"),
    ".cache/deno/npm/r.test/p/shop/npm/@acme/kit/1.0.0/package.json": pack("@acme/kit", "1.0.0"),
    "app/deno.lock": {
      version: "5",
      npm: { "axios@1.14.0": { integrity: "sha512-a" }, "@acme/kit@1.0.0_axios@1.14.0": {}, "opt@1.0.0": {} },
    },
  });
  const installed = await readProject({ client: "deno", root: path.join(home, "app"), workspaces: [], surroundings: { ...AT, home } });
  expect(brief(installed, path.join(home, ".cache/deno/npm/r.test"))).toEqual([
    "@acme/kit@1.0.0 p/shop/npm/@acme/kit/1.0.0",
    "axios@1.14.0 axios/1.14.0 sha512-a",
  ]);
  fs.writeFileSync(path.join(home, "app/deno.lock"), "{");
  const broken = await readProject({ client: "deno", root: path.join(home, "app"), workspaces: [], surroundings: { ...AT, home } });
  expect(broken.unreadable).toMatchObject([{ why: "not JSON" }]);
});

test("pnpm deploy fills another folder, counted from where it was started", async () => {
  const root = tree({
    "node_modules/axios/package.json": pack("axios", "1.0.0"),
    "sub/out/node_modules/form": link(".pnpm/form@2.0.0/node_modules/form"),
    "sub/out/node_modules/.pnpm/form@2.0.0/node_modules/form/package.json": pack("form", "2.0.0"),
  });
  const intent = { kind: "install", frozen: false, omitDev: true, omitOptional: false, into: "out" } as const;
  const installed = await readInstalled({
    client: "pnpm",
    intent,
    root,
    workspaces: [],
    directory: path.join(root, "sub"),
    surroundings: AT,
    since: instant(0),
  });
  expect(brief(installed, root)).toEqual(["form@2.0.0 sub/out/node_modules/.pnpm/form@2.0.0/node_modules/form"]);
});

test("query and local commands leave nothing to read", async () => {
  const root = tree({ "node_modules/axios/package.json": pack("axios", "1.0.0") });
  for (const kind of ["query", "local"] as const)
    expect(
      (await readInstalled({ client: "npm", intent: { kind }, root, workspaces: [], surroundings: AT, since: instant(0) })).packages,
    ).toEqual([]);
});
