import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { foreignSources, hostOf } from "./hosts.ts";
import { readLockfile } from "./read.ts";

function sample(name: string, file: string): ReturnType<typeof readLockfile> {
  return readLockfile(name, readFileSync(new URL(`samples/${file}`, import.meta.url), "utf8"));
}

test("every host a lockfile names is found, by whatever protocol", () => {
  const found = foreignSources(sample("package-lock.json", "npm-3.json"), ["registry.corp.test"]);
  expect(found.map(({ package: entry, host, protocol, kind }) => `${entry.line} ${entry.name} ${kind} ${protocol}://${host}`)).toEqual([
    "44 archive tarball https://files.test",
    "49 forked git ssh://code.test",
  ]);
  expect(foreignSources(sample("pnpm-lock.yaml", "pnpm-9.0.yaml"), ["registry.corp.test"]).map((source) => source.host)).toEqual([
    "files.test",
    "code.test",
    "runtime.test",
    "runtime.test",
  ]);
  expect(foreignSources(sample("deno.lock", "deno-5.lock"), ["registry.corp.test"]).map((source) => source.url)).toEqual([
    "https://modules.test/std@1/mod.ts",
  ]);
});

test("what names no host is foreign to nobody", () => {
  expect(foreignSources(sample("pnpm-lock.yaml", "pnpm-9.0-documents.yaml"), [])).toEqual([]);
});

/** A lockfile of one package at this origin. */
function lock(origin: string): ReturnType<typeof readLockfile> {
  const packages = { "node_modules/a": { version: "1.0.0", resolved: `${origin}/a/-/a-1.0.0.tgz` } };
  return readLockfile("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages }));
}

test("an allowed host with a port is that port alone", () => {
  expect(foreignSources(lock("http://127.0.0.1:4873"), ["127.0.0.1:4873"])).toEqual([]);
  expect(foreignSources(lock("http://127.0.0.1:4874"), ["127.0.0.1:4873"])).toMatchObject([{ host: "127.0.0.1:4874", protocol: "http" }]);
  expect(foreignSources(lock("http://127.0.0.1:4874"), ["127.0.0.1"])).toEqual([]);
  expect(foreignSources(lock("https://REGISTRY.corp.test"), ["Registry.Corp.test"])).toEqual([]);
});

test.each([
  ["https://registry.corp.test/x", "registry.corp.test", "https"],
  ["https://user:secret@registry.corp.test:8443/x", "registry.corp.test:8443", "https"],
  ["https://registry.corp.test@evil.test/x", "evil.test", "https"],
  ["https://registry.corp.test\\@evil.test/x", "registry.corp.test", "https"],
  ["git+ssh://git@code.test/team/x.git", "code.test", "ssh"],
  ["git+https://code.test/team/x.git", "code.test", "https"],
  ["git://code.test/x.git", "code.test", "git"],
  ["git@code.test:team/x.git", "code.test", "ssh"],
  ["git+git@code.test:team/x.git", "code.test", "ssh"],
  ["github:team/x", "github.com", "git"],
  ["custom:", "", "custom"],
  ["https://", "", "https"],
])("%s", (url, host, protocol) => {
  expect(hostOf(url)).toMatchObject({ host, protocol });
});
