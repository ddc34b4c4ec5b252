import { expect, test } from "vitest";
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../../core/config/constants.ts";
import { firstTarget, judgeTarget } from "./tarball-target.ts";

const CORP = new URL("https://npm.corp.test/api/npm/");
const REDIRECTS = ["files.test", "files.test:8443", "*.cdn.test"];

function seen(claimed: string, base = CORP): string {
  const target = firstTarget(claimed, base, REDIRECTS);
  return "refused" in target ? "refused" : `${target.publicOnly ? "public " : ""}${target.url.href}`;
}

test.each([
  ["https://npm.corp.test/other/path/x.tgz", "https://npm.corp.test/other/path/x.tgz"],
  ["https://npm.corp.test:443/x.tgz", "https://npm.corp.test/x.tgz"],
  ["http://npm.corp.test/x.tgz", "https://npm.corp.test/x.tgz"],
  ["https://npm.corp.test:8443/x.tgz", "refused"],
  ["https://files.test/x.tgz?sig=a", "https://files.test/x.tgz?sig=a"],
  ["https://files.test:8443/x.tgz", "https://files.test:8443/x.tgz"],
  ["https://files.test:9/x.tgz", "refused"],
  ["http://files.test/x.tgz", "refused"],
  ["https://sub.files.test/x.tgz", "refused"],
  ["https://a.b.cdn.test/x.tgz", "public https://a.b.cdn.test/x.tgz"],
  ["https://cdn.test/x.tgz", "refused"],
  ["https://evilcdn.test/x.tgz", "refused"],
  ["https://npm.corp.test.evil.test/x.tgz", "refused"],
  ["https://npm.corp.test@evil.test/x.tgz", "refused"],
  ["https://169.254.169.254/x.tgz", "refused"],
  ["//npm.corp.test/x.tgz", "refused"],
  ["data:application/x,1", "refused"],
])("of the company's registry: %s", (claimed, expected) => {
  expect(seen(claimed)).toBe(expected);
});

test("public hosts are read as the mirror's own copy, with the mirror's path", () => {
  for (const host of [NPM_REGISTRY_HOST, YARN_REGISTRY_HOST])
    expect(seen(`https://${host}/@acme/ui/-/ui-1.0.0.tgz`)).toBe("https://npm.corp.test/api/npm/@acme/ui/-/ui-1.0.0.tgz");
  expect(seen(`https://${YARN_REGISTRY_HOST}/x/-/x-1.0.0.tgz`, new URL(NPM_REGISTRY))).toBe(`${NPM_REGISTRY}x/-/x-1.0.0.tgz`);
  expect(seen(`${NPM_REGISTRY}x/-/x-1.0.0.tgz`, new URL(NPM_REGISTRY))).toBe(`${NPM_REGISTRY}x/-/x-1.0.0.tgz`);
});

test("a path that looks like an address stays on the mirror", () => {
  expect(seen(`https://${NPM_REGISTRY_HOST}//evil.test/x.tgz`)).toMatch(/^https:\/\/npm\.corp\.test\/|^refused$/);
  expect(seen(`https://${NPM_REGISTRY_HOST}/https://evil.test/x.tgz`)).toMatch(/^https:\/\/npm\.corp\.test\/|^refused$/);
});

test("http between loopback hosts only", () => {
  const here = new URL("http://127.0.0.1:4873/");
  expect("refused" in judgeTarget(new URL("http://127.0.0.1:9/x"), here, ["127.0.0.1:9"])).toBe(false);
  expect("refused" in judgeTarget(new URL("http://files.test/x"), here, ["files.test"])).toBe(true);
  expect("refused" in judgeTarget(new URL("http://127.0.0.1:9/x"), CORP, ["127.0.0.1:9"])).toBe(true);
});
