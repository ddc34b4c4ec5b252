import { expect, test } from "vitest";
import { NPM_REGISTRY, YARN_REGISTRY_HOST } from "../config/constants.ts";
import { firstDifference, makePortable, type Registries } from "./portable.ts";
import { readLockfile } from "./read.ts";

const COMPANY = "https://npm.company.test/api/npm/all/";
const SHA = `sha512-${"A".repeat(86)}==`;
const OLD = "http://old-mirror.test:8080/";

function registries(more: Partial<Registries> = {}): Registries {
  return { base: NPM_REGISTRY, scopes: new Map(), omit: false, ...more };
}

/** Rewrites, and holds the result to the promise: nothing but URLs changes, and a second run changes nothing. */
function portable(path: string, text: string, more: Partial<Registries> = {}) {
  const done = makePortable(path, text, registries(more));
  expect(firstDifference(readLockfile(path, text), readLockfile(path, done.text))).toBeUndefined();
  expect(makePortable(path, done.text, registries(more)).changed).toEqual([]);
  return done;
}

const npmLock = (resolved: string, name = "axios") =>
  `{\r\n\t"lockfileVersion": 3,\r\n\t"packages": {\r\n\t\t"node_modules/${name}": {"version": "1.14.0", "resolved": "${resolved}", "integrity": "${SHA}"}\r\n\t}\r\n}\r\n`;

test("npm gets the public registry's URL, which it takes to whatever registry is configured; or none", () => {
  const text = npmLock(`${OLD}axios/-/axios-1.14.0.tgz`);
  expect(portable("package-lock.json", text).text).toBe(npmLock(`${NPM_REGISTRY}axios/-/axios-1.14.0.tgz`));
  expect(portable("package-lock.json", text, { base: COMPANY }).text).toBe(npmLock(`${NPM_REGISTRY}axios/-/axios-1.14.0.tgz`));
  expect(portable("package-lock.json", text, { omit: true }).text).toBe(text.replace(/"resolved": "[^"]*", /, ""));
  expect(portable("package-lock.json", npmLock(`https://${YARN_REGISTRY_HOST}/axios/-/axios-1.14.0.tgz`)).changed).toHaveLength(1);
});

test("what stands at the configured registry, or at its scope's own, stays", () => {
  expect(portable("package-lock.json", npmLock(`${COMPANY}axios/-/axios-1.14.0.tgz`), { base: COMPANY }).changed).toEqual([]);
  const acme = npmLock("https://npm.acme.test/@acme/ui/-/ui-1.14.0.tgz", "@acme/ui");
  expect(portable("package-lock.json", acme, { scopes: new Map([["@acme", ["https://npm.acme.test/"]]]) }).changed).toEqual([]);
  expect(portable("package-lock.json", acme).changed).toHaveLength(1);
});

test("yarn 1 keeps its sha1 and gets the configured registry, for it asks no other", () => {
  const lock = (url: string) =>
    `# yarn lockfile v1\n\n\naxios@^1.13.0:\n  version "1.14.0"\n  resolved "${url}#${"a".repeat(40)}"\n  integrity ${SHA}\n`;
  const text = lock(`${OLD}axios/-/axios-1.14.0.tgz`);
  expect(portable("yarn.lock", text).text).toBe(lock(`https://${YARN_REGISTRY_HOST}/axios/-/axios-1.14.0.tgz`));
  expect(portable("yarn.lock", text, { base: COMPANY }).text).toBe(lock(`${COMPANY}axios/-/axios-1.14.0.tgz`));
  expect(portable("yarn.lock", lock(`${NPM_REGISTRY}axios/-/axios-1.14.0.tgz`)).changed).toEqual([]);
});

test("pnpm, yarn 4 and bun lose the URL and ask the registry they are configured with", () => {
  const pnpm = `lockfileVersion: '9.0'\npackages:\n  axios@1.14.0:\n    resolution: {integrity: ${SHA}, tarball: ${OLD}axios/-/axios-1.14.0.tgz}\nsnapshots:\n  axios@1.14.0: {}\n`;
  expect(portable("pnpm-lock.yaml", pnpm).text).toBe(pnpm.replace(/, tarball: [^}]*/, ""));
  const bun = `{\n  "lockfileVersion": 1,\n  "workspaces": { "": { "dependencies": { "axios": "^1.13.0" } } },\n  "packages": {\n    "axios": ["axios@1.14.0", "${OLD}axios/-/axios-1.14.0.tgz", {}, "${SHA}"],\n  }\n}\n`;
  expect(portable("bun.lock", bun).text).toBe(bun.replace(`"${OLD}axios/-/axios-1.14.0.tgz"`, '""'));
  const berry = `__metadata:\n  version: 10\n\n"axios@npm:^1.13.0":\n  version: 1.14.0\n  resolution: "axios@npm:1.14.0::__archiveUrl=${encodeURIComponent(`${OLD}axios/-/axios-1.14.0.tgz`)}"\n  checksum: 10/${"a".repeat(128)}\n  languageName: node\n  linkType: hard\n`;
  expect(portable("yarn.lock", berry).text).toBe(berry.replace(/::__archiveUrl=[^"]*/, ""));
});

test("what is not the registry's usual file is left and said: elsewhere it may be other bytes", () => {
  const odd = portable("package-lock.json", npmLock("https://npm.pkg.test/download/@acme/ui/1.14.0/abcdef.tgz", "@acme/ui"));
  expect(odd.changed).toEqual([]);
  const lying = portable("package-lock.json", npmLock(`${OLD}evil/-/evil-6.6.6.tgz`));
  expect(lying.changed).toEqual([]);
  expect(lying.left).toMatchObject([{ key: "node_modules/axios", why: "its URL fetches another package than the entry says" }]);
});

test("a difference in anything but URLs is named", () => {
  const [one, other] = [npmLock(`${OLD}axios/-/axios-1.14.0.tgz`), npmLock(`${OLD}axios/-/axios-1.14.0.tgz`).replace("AAAA", "BBBB")];
  expect(firstDifference(readLockfile("package-lock.json", one), readLockfile("package-lock.json", other))).toBe("node_modules/axios");
});
