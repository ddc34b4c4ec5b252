import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "./limits.ts";
import { headerText, printable, redact } from "./text.ts";

const BASE62 = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789";

test.each([
  ["an npm token", `npm_${BASE62.slice(0, 36)}`],
  ["a session token of npm", `npms_${BASE62.slice(0, 40)}`],
  ["one of our tokens that ends in a dash", `cordon_${BASE62.slice(0, 24)}-`],
  ["a GitHub token of the long kind", `ghs_123456_${BASE62}.${BASE62}-${BASE62}`],
  ["a GitLab runner token", `glrt-${BASE62.slice(0, 20)}`],
  ["an AWS key id", "AKIAABCDEFGHIJ234567"],
  ["a JWT", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.${BASE62}`],
])("%s is cut wherever it stands", (_what, secret) => {
  expect(redact(`before ${secret}, after`)).toBe("before [secret], after");
});

test.each([
  ["//npm.corp.test/:_authToken=short", "//npm.corp.test/:_authToken=[secret]"],
  ['_password = "two words"', '_password = "[secret]"'],
  ['{"npmAuthToken":"abc"}', '{"npmAuthToken":"[secret]"}'],
  ['{"msg":"{\\"_authToken\\":\\"abc\\"}"}', '{"msg":"{\\"_authToken\\":\\"[secret]\\"}"}'],
  ["authorization: Bearer x", "authorization: [secret]"],
  ['"Proxy-Authorization":"Basic dTpw"', '"Proxy-Authorization":"[secret]"'],
  ["NODE_AUTH_TOKEN=abc npm ci", "NODE_AUTH_TOKEN=[secret] npm ci"],
  ["https://cdn.test/x.tgz?X-Amz-Signature=0af&x=1", "https://cdn.test/x.tgz?X-Amz-Signature=[secret]&x=1"],
  ["https://user:pass@corp.test/x", "https://[secret]@corp.test/x"],
  ["http://user:p@ss@proxy.test:8080", "http://[secret]@proxy.test:8080"],
  ["DELETE /-/user/token/abc", "DELETE /-/user/token/[secret]"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- done", "[secret] done"],
])("%s", (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test.each([
  "http://localhost:4870/@acme/ui/-/ui-1.0.0.tgz",
  "GET https://npm.corp.test/@acme%2fui answered 404",
  "the token ci-main has expired; basic facts bear repeating",
  "integrity sha512-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
])("ordinary text stays: %s", (text) => {
  expect(redact(text)).toBe(text);
});

test("a password in a URL never survives, whatever it is made of", () => {
  const password = string({ minLength: 6, maxLength: 30 }).filter((text) => !/[/\s"'<>]/.test(text) && !"[secret]@".includes(text));
  assert(property(password, (secret) => !redact(`cannot reach http://user:${secret}@proxy.test/`).includes(`:${secret}@`)));
});

test("redacting long hostile text ends", () => {
  for (const unit of ["eyJ-", "://", "_auth=", '_auth="', "-----BEGIN PRIVATE KEY-----", "TOKEN_", "authorization:", "cordon_"])
    expect(redact(unit.repeat(200_000)).length, unit).toBeLessThanOrEqual(200_000 * (unit.length + "[secret]".length));
});

test("nothing that moves a cursor or splits a header gets through", () => {
  expect(printable("a\u001b[31mb\r\nc\u202ed")).toBe("a[31mbcd");
  expect(headerText("é\r\nx-evil: 1")).toBe("?x-evil: 1");
  expect(headerText("x".repeat(5_000))).toHaveLength(LIMITS.phraseChars);
});
