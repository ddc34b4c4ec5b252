/** Which setting reaches which client: client-contract §5, line by line. */
import { expect, test } from "vitest";
import type { ClientId } from "./client.ts";
import { registriesNamed, whyElsewhere } from "./registries.ts";

const GATE = "http://localhost:4870/p/shop/npm/";
const isGate = (url: string) => url.startsWith("http://localhost:4870/");
const file = (path: string, text: string, level: "project" | "user" = "project") => ({ path, text, level });

test.each([
  ["npm_config_registry", ["npm", "pnpm 10", "yarn-classic", "bun"]],
  ["NPM_CONFIG_REGISTRY", ["npm", "pnpm 10", "yarn-classic", "bun", "deno"]],
  ["pnpm_config_registry", ["pnpm 11", "pnpm 12"]],
  ["PNPM_CONFIG_REGISTRY", ["pnpm 11", "pnpm 12"]],
  ["YARN_REGISTRY", ["yarn-classic"]],
  ["YARN_NPM_REGISTRY_SERVER", ["yarn-berry"]],
  ["BUN_CONFIG_REGISTRY", ["bun"]],
])("%s is read by %j", (name, readers) => {
  const [named] = registriesNamed([], { [name]: GATE, HOME: "/x" });
  const all: [ClientId, number | undefined, string][] = [
    ["npm", 11, "npm"],
    ["pnpm", 10, "pnpm 10"],
    ["pnpm", 11, "pnpm 11"],
    ["pnpm", 12, "pnpm 12"],
    ["yarn-classic", 1, "yarn-classic"],
    ["yarn-berry", 4, "yarn-berry"],
    ["bun", 1, "bun"],
    ["deno", 2, "deno"],
  ];
  expect(all.filter(([client, major]) => named!.heededBy(client, major)).map(([, , label]) => label)).toEqual(readers);
});

test("every file that names a registry, the project's before the environment before the user's", () => {
  const named = registriesNamed(
    [
      file("/home/mara/.npmrc", "registry=https://user.test/\n", "user"),
      file(".npmrc", "audit=false\nregistry=https://npm.test/\n"),
      file(".yarnrc", 'registry "https://yarn1.test/"\n'),
      file(".yarnrc.yml", "npmRegistryServer: https://yarn4.test/\n"),
      file("bunfig.toml", '[install]\nregistry = { url = "https://bun.test/", token = "$T" }\n'),
      file("pnpm-workspace.yaml", "registries:\n  default: https://pnpm.test/\n"),
      file("package.json", "{}"),
    ],
    { npm_config_registry: "https://env.test/" },
  );
  expect(named.map(({ url, where }) => `${where} ${url}`)).toEqual([
    ".npmrc:2 https://npm.test/",
    ".yarnrc:1 https://yarn1.test/",
    ".yarnrc.yml:1 https://yarn4.test/",
    "bunfig.toml:2 https://bun.test/",
    "pnpm-workspace.yaml:2 https://pnpm.test/",
    "npm_config_registry https://env.test/",
    "/home/mara/.npmrc:1 https://user.test/",
  ]);
  expect(named[0]!.heededBy("yarn-berry", 4)).toBe(false);
});

test("variables are filled in, so that a gate named by one is found", () => {
  const files = [file(".npmrc", "registry=${GATE_URL}p/shop/npm/\n"), file(".yarnrc.yml", 'npmRegistryServer: "${UNSET}"\n')];
  expect(registriesNamed(files, { GATE_URL: "http://localhost:4870/" }).map(({ url }) => url)).toEqual([GATE, "${UNSET}"]);
});

test("a client that does not read the setting is told which one it reads", () => {
  const named = registriesNamed([], { npm_config_registry: GATE });
  expect(whyElsewhere(named, { client: "pnpm", major: 11, command: "pnpm" }, isGate)).toEqual([
    "npm_config_registry names the gate, and pnpm 11 does not read it; it reads pnpm_config_registry",
  ]);
  expect(whyElsewhere(named, { client: "pnpm", major: 10, command: "pnpm" }, isGate)).toEqual([]);
});

test("a setting that leads elsewhere is named, its secret is not", () => {
  const named = registriesNamed([file(".npmrc", `registry=https://u:secret@other.test/\n`)], {});
  const [line] = whyElsewhere(named, { client: "npm", major: 11, command: "npm" }, isGate);
  expect(line).toBe(".npmrc:1 sends it to https://[secret]@other.test/");
});
