import { assert, dictionary, property, string } from "fast-check";
import { expect, test } from "vitest";
import { credentialFor, expand, mergeNpmrc, npmrcFromEnvironment, parseNpmrc, readBase, steering } from "./npmrc.ts";

const read = (text: string, env: Record<string, string> = {}) => mergeNpmrc([parseNpmrc(text, "/home/mara/.npmrc", env)]);
const header = (settings: ReturnType<typeof read>, url: string) => credentialFor(new URL(url), settings.credentials)?.authorization?.();

test.each([
  ["${TOKEN}", "abc", []],
  ["a${TOKEN}b${TOKEN}", "aabcbabc", []],
  ["${GONE}", "${GONE}", ["GONE"]],
  ["${GONE?}", "", []],
  ["${TOKEN?}", "abc", []],
  ["\\${TOKEN}", "${TOKEN}", []],
  ["\\\\${TOKEN}", "\\abc", []],
  ["${TOKEN:-x}", "${TOKEN:-x}", ["TOKEN:-x"]],
  ["${__proto__}", "${__proto__}", ["__proto__"]],
])("expands %s as npm does", (text, expected, unset) => {
  expect(expand(text, { TOKEN: "abc" })).toEqual({ text: expected, unset });
});

test("registry, scopes and where each was said", () => {
  const settings = mergeNpmrc([
    npmrcFromEnvironment({ NPM_CONFIG_REGISTRY: "https://env.test/npm", npm_config_empty: "" }),
    parseNpmrc("registry=https://user.test/\n@Acme:registry=https://acme.test/npm\n", "user", {}),
    parseNpmrc("@acme:registry=https://old.test/\n@lib:registry=http://lib.test/\n", "global", {}),
  ]);
  expect(settings.registry).toEqual({ url: "https://env.test/npm/", source: "environment" });
  expect([...settings.scopes]).toEqual([
    ["@acme", { url: "https://old.test/", source: "global" }],
    ["@lib", { url: "http://lib.test/", source: "global" }],
  ]);
});

const levels = (user: string) => mergeNpmrc([parseNpmrc(user, "user", {}), parseNpmrc("registry=https://corp.test/", "global", {})]);

test("a registry that says nothing leaves the word to the next level; an unusable one stops", () => {
  expect(levels("registry=").registry?.url).toBe("https://corp.test/");
  expect(levels("registry=null").registry?.url).toBe("https://corp.test/");
  for (const bad of ["registry=corp.test", "registry=https://${HOST}/", "registry=ftp://corp.test/", "registry"])
    expect(levels(bad), bad).toMatchObject({ registry: undefined, problems: [{ source: "user", key: "registry", blocking: true }] });
  expect(levels("@acme:registry=javascript:x").problems).toMatchObject([{ key: "@acme:registry", blocking: true }]);
});

test("credentials go to the longest place that contains the address, and nowhere else", () => {
  const settings = read(
    [
      "//corp.test/:_authToken=${TOKEN}",
      "//corp.test/npm/:_auth=dTpw",
      "//corp.test/legacy:username=mara",
      "//corp.test/legacy:_password=cGFzcw==",
      "//corp.test:8443/:_authToken=other",
    ].join("\n"),
    { TOKEN: "abc" },
  );
  expect(header(settings, "https://corp.test/x")).toBe("Bearer abc");
  expect(header(settings, "https://corp.test/npm/x")).toBe("Basic dTpw");
  expect(header(settings, "https://corp.test/legacy/x")).toBe(`Basic ${Buffer.from("mara:pass").toString("base64")}`);
  expect(header(settings, "https://corp.test/legacyx")).toBe("Bearer abc");
  expect(header(settings, "https://corp.test:8443/x")).toBe("Bearer other");
  for (const foreign of ["https://corp.test.evil.test/", "https://evil.test/corp.test/", "https://xcorp.test/", "https://corp.test:444/"])
    expect(header(settings, foreign), foreign).toBeUndefined();
});

test("halves of a credential count together over levels; a certificate stands beside a token", () => {
  const settings = mergeNpmrc([
    npmrcFromEnvironment({ "npm_config_//corp.test/:username": "mara" }),
    parseNpmrc("//corp.test/:_password=cGFzcw==\n//corp.test/:certfile=/c.pem\n//corp.test/:keyfile=/k.pem\n", "user", {}),
  ]);
  expect(settings.credentials).toMatchObject([{ at: "//corp.test/", certificate: { certfile: "/c.pem", keyfile: "/k.pem" } }]);
  expect(header(settings, "https://corp.test/x")).toBe(`Basic ${Buffer.from("mara:pass").toString("base64")}`);
});

test("a credential with a variable that is not set is not sent, and said", () => {
  const settings = read("//corp.test/:_authToken=${NPM_TOKEN}");
  expect(settings.credentials).toEqual([]);
  expect(settings.problems).toMatchObject([{ key: "//corp.test/:_authToken", message: expect.stringContaining("NPM_TOKEN") }]);
});

test("credentials inside a registry's URL come apart from it", () => {
  const settings = read("registry=https://mara:p%40ss@corp.test/npm");
  expect(settings.registry?.url).toBe("https://corp.test/npm/");
  expect(header(settings, "https://corp.test/npm/x")).toBe(`Basic ${Buffer.from("mara:p@ss").toString("base64")}`);
  expect(readBase("https://u:%zz@corp.test/")?.authorization?.()).toBe(`Basic ${Buffer.from("u:%zz").toString("base64")}`);
});

test("no secret is in the JSON of the settings", () => {
  const settings = read("//corp.test/:_authToken=hush\nregistry=https://u:hush@corp.test/\n_authToken=hush");
  expect(JSON.stringify({ ...settings, scopes: [...settings.scopes] })).not.toContain("hush");
});

test("what is not honoured is said", () => {
  const settings = read("strict-ssl=false\n_authToken=x\ncert=x\n//corp.test/:tokenHelper=/bin/x\n");
  expect(settings.problems.map(({ key, blocking }) => [key, blocking])).toEqual([
    ["strict-ssl", false],
    ["_authToken", false],
    ["cert", false],
    ["//corp.test/:tokenHelper", false],
  ]);
  expect(read("strict-ssl=true").problems).toEqual([]);
});

test("proxies, authorities and lists", () => {
  const settings = read(
    'https-proxy=http://proxy.test:8080\nproxy=null\nnoproxy[]=a.test\nnoproxy[]=b.test\ncafile=~/ca.pem\nca[]="-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----"',
  );
  expect(settings).toMatchObject({ httpsProxy: "http://proxy.test:8080", proxy: undefined, noproxy: "a.test,b.test", cafile: "~/ca.pem" });
  expect(settings.ca).toEqual(["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"]);
});

test("keys the user did not say himself can be left out of the environment", () => {
  const env = { npm_config_registry: "https://project.test/", npm_config_https_proxy: "http://p.test/" };
  const settings = mergeNpmrc([npmrcFromEnvironment(env, new Set(["registry"]))]);
  expect(settings.registry).toBeUndefined();
  expect(settings.httpsProxy).toBe("http://p.test/");
});

test("a project's file is only told of, without its secrets", () => {
  const project = parseNpmrc("registry=https://p.test/\nfund=false\n//p.test/:_authToken=hush\nreplace-registry-host=never", ".npmrc", {});
  expect(steering(project)).toEqual([
    { key: "registry", value: "https://p.test/" },
    { key: "//p.test/:_authToken", value: "[secret]" },
    { key: "replace-registry-host", value: "never" },
  ]);
});

test("sections and __proto__ change nothing", () => {
  const settings = read("[registry]\nx=1\n[__proto__]\nregistry=https://evil.test/\n__proto__[]=x");
  expect(settings.registry).toBeUndefined();
  expect(({} as Record<string, unknown>)["registry"]).toBeUndefined();
});

test("no text and no environment makes it throw", () => {
  assert(
    property(string({ unit: "binary", maxLength: 300 }), dictionary(string({ maxLength: 20 }), string({ maxLength: 20 })), (text, env) => {
      const prefixed = Object.fromEntries(Object.entries(env).map(([key, value]) => [`npm_config_${key}`, value]));
      mergeNpmrc([
        npmrcFromEnvironment(prefixed),
        parseNpmrc(text, "fuzz", env),
        parseNpmrc(`registry=${text}\n//h/:_auth=${text}`, "fuzz", env),
      ]);
    }),
  );
});
