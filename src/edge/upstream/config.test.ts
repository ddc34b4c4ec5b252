import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder, writeFiles } from "../../../test/kit/temp.ts";
import { NPM_REGISTRY } from "../../core/config/constants.ts";
import { resolveUpstream, type UpstreamSettings } from "./config.ts";

/** A machine: `home/` with the user's files, `usr/` as the prefix Node stands in. */
function machine(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const root = tempFolder({ "home/.keep": "", "usr/bin/.keep": "", ...files });
  const place = { env, home: join(root, "home"), execPath: join(root, "usr/bin/node"), platform: "linux" as const };
  return { root, resolve: (settings: UpstreamSettings = {}) => resolveUpstream(settings, place) };
}

test("with nothing configured it is npm's public registry", async () => {
  const { base, notes, ca } = await machine({}).resolve();
  expect(base).toEqual({ url: NPM_REGISTRY, private: false, source: "npm's default" });
  expect([notes, ca]).toEqual([[], []]);
});

test("explicit, environment, user, global, builtin: the first that says it wins and is named", async () => {
  const files = {
    "home/.npmrc": "registry=https://user.test/",
    "usr/etc/npmrc": "registry=https://global.test/\n@acme:registry=https://acme.test/",
    "usr/lib/node_modules/npm/npmrc": "registry=https://builtin.test/",
  };
  const { root, resolve } = machine(files, { npm_config_registry: "https://env.test" });
  expect((await resolve({ url: "https://flag.test/npm", from: "--upstream" })).base).toEqual({
    url: "https://flag.test/npm/",
    private: false,
    source: "--upstream",
  });
  const config = await resolve();
  expect(config.base).toMatchObject({ url: "https://env.test/", source: "environment" });
  expect(config.scopes.get("@acme")).toEqual({ url: "https://acme.test/", private: false, source: join(root, "usr/etc/npmrc") });
  expect((await machine({ "usr/etc/npmrc": files["usr/etc/npmrc"] }).resolve()).base.url).toBe("https://global.test/");
  expect((await machine(files).resolve()).base.url).toBe("https://user.test/");
});

test("npm's own file is found beside the npm on PATH, never in a project's node_modules", async () => {
  const { root, resolve } = machine({
    "opt/lib/node_modules/npm/npmrc": "prefix=${OPT}",
    "opt/lib/node_modules/npm/bin/npm-cli.js": "",
    "opt/etc/npmrc": "registry=https://opt.test/",
    "project/node_modules/npm/npmrc": "registry=https://evil.test/",
    "project/node_modules/npm/bin/npm-cli.js": "",
    "opt/bin/.keep": "",
    "project/node_modules/.bin/.keep": "",
  });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "opt/bin/npm"));
  symlinkSync("../npm/bin/npm-cli.js", join(root, "project/node_modules/.bin/npm"));
  const env = { PATH: `${root}/project/node_modules/.bin:relative:${root}/opt/bin`, OPT: join(root, "opt") };
  const place = { env, home: join(root, "home"), execPath: join(root, "usr/bin/node"), platform: "linux" as const };
  expect((await resolveUpstream({}, place)).base.url).toBe("https://opt.test/");
  expect((await resolve()).base.url).toBe(NPM_REGISTRY);
});

test("userconfig, globalconfig and prefix move the files as in npm", async () => {
  const { root } = machine({ "ci/npmrc": "globalconfig=${ROOT}/ci/global", "ci/global": "registry=https://ci.test/" });
  const at = (env: Record<string, string>) =>
    resolveUpstream({}, { env: { ...env, ROOT: root }, home: join(root, "home"), execPath: "/none/bin/node", platform: "linux" });
  expect((await at({ NPM_CONFIG_USERCONFIG: join(root, "ci/npmrc") })).base.url).toBe("https://ci.test/");
  writeFiles(root, { "pre/etc/npmrc": "registry=https://prefix.test/" });
  expect((await at({ npm_config_prefix: join(root, "pre") })).base.url).toBe("https://prefix.test/");
  expect((await at({ PREFIX: join(root, "pre") })).base.url).toBe("https://prefix.test/");
  expect((await at({ npm_config_userconfig: "/dev/null" })).base.url).toBe(NPM_REGISTRY);
});

test("what npm exported from a project's file is not the user's word", async () => {
  const files = { "project/.npmrc": "registry=https://project.test/\nuserconfig=./evil", "home/.npmrc": "registry=https://user.test/" };
  const { root } = machine(files);
  const env = {
    npm_lifecycle_event: "start",
    npm_config_local_prefix: join(root, "project"),
    npm_config_registry: "https://project.test/",
    npm_config_userconfig: join(root, "project/evil"),
    npm_config_https_proxy: "http://proxy.test:1",
  };
  const config = await resolveUpstream({}, { env, home: join(root, "home"), execPath: "/none/bin/node", platform: "linux" });
  expect(config.base.url).toBe("https://user.test/");
  expect(config.proxies.https?.host).toBe("proxy.test:1");
});

test("a registry that cannot be used stops; npm's default is not guessed in its place", async () => {
  const broken = machine({ "home/.npmrc": "registry=https://${HOST}/\n//x.test/:_authToken=hush" });
  await expect(broken.resolve()).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(".npmrc: registry") });
  const config = await broken.resolve({ url: "https://flag.test/" });
  expect(config.notes).toHaveLength(1);
  await expect(machine({ "home/.npmrc": "@acme:registry=x" }).resolve({ url: "https://flag.test/" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
  });
  for (const url of ["flag.test", "ftp://flag.test", ""])
    await expect(machine({}).resolve({ url }), url).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("a folder in the place of a file, and a file beyond the ceiling, stop", async () => {
  await expect(machine({ "home/.npmrc/x": "" }).resolve()).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  await expect(machine({ "home/.npmrc": ";".repeat(1_000_001) }).resolve()).rejects.toMatchObject({ code: "INPUT_TOO_LARGE" });
});

test("scopes of the settings stand over npm's; private without a registry is asked of nobody", async () => {
  const { resolve } = machine({ "home/.npmrc": "@acme:registry=https://old.test/\n@lib:registry=https://lib.test/" });
  const config = await resolve({
    scopes: { "@Acme": { url: "https://u:p@acme.test/npm", private: true }, "@lib": { private: true }, "@own": { private: true } },
    privateNames: ["tool-*"],
  });
  expect(Object.fromEntries(config.scopes)).toMatchObject({
    "@acme": { url: "https://acme.test/npm/", private: true },
    "@lib": { url: "https://lib.test/", private: true },
  });
  expect(config.privateNames).toEqual(["tool-*", "@own/*"]);
  expect(config.credentials.map(({ at, authorization }) => [at, authorization?.()])).toEqual([
    ["//acme.test/npm/", `Basic ${Buffer.from("u:p").toString("base64")}`],
  ]);
  for (const scopes of [{ acme: { private: true } }, { "@none": {} }, { "@x": { url: "nothing" } }])
    await expect(resolve({ scopes }), JSON.stringify(scopes)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("what is weak or missing is noted without secrets", async () => {
  const { resolve } = machine({
    "home/.npmrc": "registry=http://corp.test/\nstrict-ssl=false\ncafile=~/none.pem\n_authToken=npm_hush\n//corp.test/:_authToken=${GONE}",
  });
  const { notes } = await resolve();
  expect(notes.map((note) => note.replace(/^.*\.npmrc: /, ""))).toEqual([
    "strict-ssl is not honoured: certificates are always verified; name your authority with cafile",
    "_authToken belongs to no registry and is not sent; write it under //host/path/",
    "//corp.test/:_authToken names GONE, which is not set; no credential is sent",
    "http://corp.test/ is plain http; anyone on the way can read and change what it sends",
    expect.stringMatching(/^cafile: there is no file .*none\.pem$/),
  ]);
});
