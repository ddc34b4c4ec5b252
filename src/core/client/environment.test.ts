/** W1 and W4 of the client contract: every variable some client needs, set for all of them. */
import { expect, test } from "vitest";
import { environment, registryEnvironment, withEnvironment } from "./environment.ts";

const GATE = "http://127.0.0.1:4870/p/shop/npm/";

test("every client is pointed at the gate, whichever was wrapped", () => {
  expect(environment(GATE, "11.19.1")).toEqual({
    npm_config_registry: GATE,
    NPM_CONFIG_REGISTRY: GATE,
    pnpm_config_registry: GATE,
    YARN_REGISTRY: GATE,
    YARN_NPM_REGISTRY_SERVER: GATE,
    BUN_CONFIG_REGISTRY: GATE,
    COREPACK_NPM_REGISTRY: "http://127.0.0.1:4870/p/shop/npm",
    npm_config_replace_registry_host: "npmjs",
    YARN_UNSAFE_HTTP_WHITELIST: "localhost,127.0.0.1",
  });
});

test("yarn's list of plain-http hosts grows by the gate's and keeps the user's; https needs none", () => {
  expect(
    registryEnvironment({ registry: "http://gate.test:4870/", httpAllowed: "old.test, *.corp.test" })["YARN_UNSAFE_HTTP_WHITELIST"],
  ).toBe("old.test,*.corp.test,localhost,127.0.0.1,gate.test");
  expect(environment("https://gate.test/", "4.18.1")).not.toHaveProperty("YARN_UNSAFE_HTTP_WHITELIST");
});

test("scopes the gate fronts are routed to it", () => {
  expect(registryEnvironment({ registry: GATE, scopes: ["@acme"] })["npm_config_@acme:registry"]).toBe(GATE);
});

test("what the user exported in another spelling does not compete with ours; the rest is untouched", () => {
  const ours = registryEnvironment({ registry: GATE, scopes: ["@acme"] });
  const merged = withEnvironment(
    {
      PATH: "/bin",
      Npm_Config_Registry: "http://elsewhere.test/",
      "npm-config-registry": "http://dashes.test/",
      "NPM_CONFIG_@acme:registry": "http://elsewhere.test/",
      "npm_config_replace-registry-host": "never",
      npm_config_cache: "/tmp/c",
      absent: undefined,
    },
    ours,
  );
  expect(merged).toEqual({ PATH: "/bin", npm_config_cache: "/tmp/c", ...ours });
});
