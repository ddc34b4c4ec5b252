import { expect, test } from "vitest";
import { guardEnvironment } from "./environment.ts";

const GUARD = "http://127.0.0.1:9999";

test("every client's own variables name the guard, and the gate goes past it", () => {
  const { variables } = guardEnvironment({
    client: "npm",
    guard: GUARD,
    gate: "http://localhost:4870/p/app/npm/",
    refuse: ["registry.test"],
    env: {},
  });
  const proxies = Object.entries(variables).filter(([name]) => !/no_?proxy/i.test(name));
  expect(proxies.map(([name]) => name).sort()).toEqual([
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "YARN_HTTPS_PROXY",
    "YARN_HTTP_PROXY",
    "http_proxy",
    "https_proxy",
    "npm_config_https_proxy",
    "npm_config_proxy",
    "pnpm_config_http_proxy",
    "pnpm_config_https_proxy",
  ]);
  expect(new Set(proxies.map(([, value]) => value))).toEqual(new Set([GUARD]));
  for (const name of ["NO_PROXY", "no_proxy", "npm_config_noproxy", "pnpm_config_noproxy"]) expect(variables[name]).toBe("localhost");
});

test("the user's exceptions stay, in front of the gate's", () => {
  const env = { NO_PROXY: "a.test, b.test", no_proxy: "b.test", npm_config_noproxy: "c.test" };
  const { variables, withheld } = guardEnvironment({
    client: "npm",
    guard: GUARD,
    gate: "https://gate.corp.test/",
    refuse: ["registry.test"],
    env,
  });
  expect(variables["NO_PROXY"]).toBe("b.test,a.test,c.test,gate.corp.test");
  expect(withheld).toEqual([]);
});

test.each(["*", "registry.test", ".registry.test", "test", "registry.test:443", "127.0.0.0/8"])(
  "an exception that would let a registry past is withheld: %s",
  (entry) => {
    const env = { no_proxy: `a.corp,${entry}` };
    const { variables, withheld } = guardEnvironment({
      client: "npm",
      guard: GUARD,
      gate: "http://gate.corp/",
      refuse: ["registry.test", "127.0.0.1:4873"],
      env,
    });
    expect(variables["no_proxy"]).toBe("a.corp,gate.corp");
    expect(withheld).toEqual([entry]);
  },
);

test("a gate at an IPv6 address is written without brackets", () => {
  const { variables } = guardEnvironment({ client: "npm", guard: GUARD, gate: "http://[::1]:4870/", refuse: [], env: {} });
  expect(variables["NO_PROXY"]).toBe("::1");
});

test.each([
  ["pnpm", "localhost"],
  ["npm", undefined],
] as const)("%s and the second name of the setting, of which npm warns", (client, expected) => {
  const { variables } = guardEnvironment({ client, guard: GUARD, gate: "http://localhost:4870/", refuse: [], env: {} });
  expect([variables["npm_config_no_proxy"], variables["pnpm_config_no_proxy"]]).toEqual([expected, "localhost"]);
});
