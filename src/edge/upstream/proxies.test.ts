import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { proxyFor, readBypass, readProxies } from "./proxies.ts";

test.each([
  ["corp.test", "corp.test", 443, true],
  ["corp.test", "npm.corp.test", 443, true],
  ["corp.test", "xcorp.test", 443, false],
  [".corp.test", "npm.corp.test", 443, true],
  ["*.corp.test", "npm.corp.test", 443, true],
  ["CORP.test.", "npm.corp.TEST.", 443, true],
  ["corp.test:8443", "corp.test", 8443, true],
  ["corp.test:8443", "corp.test", 443, false],
  ["*", "anything.test", 443, true],
  ["10.0.0.0/8", "10.1.2.3", 443, true],
  ["10.0.0.0/8", "11.1.2.3", 443, false],
  ["10.0.0.0/99", "10.1.2.3", 443, false],
  ["fd00::/8", "[fd00::1]", 443, true],
  ["::1", "[::1]", 80, true],
  ["[::1]:81", "[::1]", 80, false],
  ["127.0.0.1", "127.0.0.1", 80, true],
  ["0.0.1", "127.0.0.1", 80, false],
  ["a.test b.test,, c.test", "c.test", 80, true],
  ["", "a.test", 80, false],
])("NO_PROXY=%s and %s:%i", (entries, host, port, expected) => {
  expect(readBypass(entries).matches(host, port)).toBe(expected);
});

test("npm's settings win over the environment, lower case over upper", () => {
  const env = { https_proxy: "http://lower.test:1", HTTPS_PROXY: "http://upper.test:1", HTTP_PROXY: "plain.test:2", NO_PROXY: "a.test" };
  const secure = { secure: true, host: "b.test", port: 443 };
  expect(proxyFor(secure, readProxies(env))?.host).toBe("lower.test:1");
  expect(proxyFor({ ...secure, secure: false }, readProxies(env))?.host).toBe("plain.test:2");
  expect(proxyFor({ ...secure, host: "a.test" }, readProxies(env))).toBeUndefined();
  const npm = { httpsProxy: "http://npm.test:3", proxy: undefined, noproxy: "b.test" };
  expect(proxyFor({ ...secure, host: "a.test" }, readProxies(env, npm))?.host).toBe("npm.test:3");
  expect(proxyFor(secure, readProxies(env, npm))).toBeUndefined();
  expect(proxyFor(secure, readProxies({ https_proxy: "" }))).toBeUndefined();
});

test.each(["socks5://p.test:1", "http://", "http://${PROXY}/", "http://u:%zz@p.test/"])("the proxy %s stops, without its text", (proxy) => {
  expect(() => readProxies({ https_proxy: proxy })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  try {
    readProxies({ https_proxy: "socks5://user:hush@p.test" });
  } catch (error) {
    expect(String(error)).not.toContain("hush");
  }
});

test("no NO_PROXY makes it throw", () => {
  assert(
    property(
      string({ maxLength: 60 }),
      string({ maxLength: 30 }),
      (entries, host) => typeof readBypass(entries).matches(host, 1) === "boolean",
    ),
  );
});
