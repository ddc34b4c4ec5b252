import { expect, test } from "vitest";
import {
  gitSource,
  isUsualPath,
  isVersion,
  readSri,
  registryIdentity,
  sameVersion,
  sha1FromHex,
  sourceOf,
  splitAtVersion,
  versionInFile,
} from "./identity.ts";

test.each([
  ["https://registry.corp.test/left/-/left-1.2.3.tgz", "left", "1.2.3"],
  ["https://registry.corp.test/@corp/tool/-/tool-2.0.0-rc.1.tgz", "@corp/tool", "2.0.0-rc.1"],
  ["https://registry.corp.test/@corp%2ftool/-/tool-2.0.0.tgz", "@corp/tool", "2.0.0"],
  ["https://registry.corp.test/@corp/tool/-/@corp/tool-2.0.0.tgz", "@corp/tool", "2.0.0"],
  ["https://corp.test/artifactory/api/npm/npm-virtual/left/-/left-1.2.3.tgz?x=1#y", "left", "1.2.3"],
  ["https://corp.test/p/shop/npm/left/-/left-1.0.0+build.tgz", "left", "1.0.0+build"],
  ["https://mirror.test/left/download/left-1.2.3.tgz?cache=0", "left", "1.2.3"],
  ["https://cdn.mirror.test/packages/left/1.2.3/left-1.2.3.tgz", "left", "1.2.3"],
  ["https://npm.pkg.test/download/@corp/tool/2.0.0/0123456789abcdef0123456789abcdef01234567", "@corp/tool", "2.0.0"],
  ["https://npm.jsr.test/~/11/@jsr/std__path/1.0.0.tgz", "@jsr/std__path", "1.0.0"],
])("%s is a registry's path for %s@%s", (url, name, version) => {
  expect(registryIdentity(url)).toEqual({ name, version });
});

test.each([
  "https://files.test/left-1.2.3.tgz",
  "https://github.com/team/left/releases/download/v1.2.3/left-1.2.3.tgz",
  "https://registry.corp.test/left/-/right-1.2.3.tgz",
  "https://registry.corp.test/left/-/",
  "https://codeload.github.com/team/left/tar.gz/main",
])("%s is no registry's path", (url) => {
  expect(registryIdentity(url)).toBeUndefined();
});

test("the usual path is what the slow way says it is", () => {
  for (const [name, version] of [
    ["left", "1.2.3"],
    ["@corp/tool", "2.0.0-rc.1"],
    ["a", "0.0.0"],
  ] as const) {
    const url = `https://r.test/${name}/-/${name.split("/").pop()}-${version}.tgz`;
    expect(isUsualPath(url, 0, url.length, name, version)).toBe(true);
    expect(isUsualPath(`"${url}"`, 1, url.length + 1, name, version)).toBe(true);
    expect(registryIdentity(url)).toEqual({ name, version });
    for (const other of [
      `${url}x`,
      url.replace(version, "9.9.9"),
      url.replace("/-/", "/_/"),
      url.replace(`/${name}`, `/x${name}`),
      url.replace("https", "ftp"),
    ])
      expect(isUsualPath(other, 0, other.length, name, version), other).toBe(false);
  }
});

const commit = "0123456789abcdef0123456789abcdef01234567";

test.each([
  [`git+ssh://git@code.test/t/x.git#${commit}`, "git+ssh://git@code.test/t/x.git", commit],
  [`github:t/x#${commit}`, "github:t/x", commit],
  [`git@code.test:t/x.git#commit=${commit}`, "git@code.test:t/x.git", commit],
  [`https://code.test/t/x.git#workspace=y&commit=${commit}`, "https://code.test/t/x.git", commit],
  [`https://codeload.github.com/t/x/tar.gz/${commit}`, `https://codeload.github.com/t/x/tar.gz/${commit}`, commit],
  [`https://gitlab.com/t/x/-/archive/${commit}/x-${commit}.tar.gz`, undefined, undefined],
  ["git+https://code.test/t/x.git#v1.0.0", "git+https://code.test/t/x.git#v1.0.0", undefined],
  ["github:t/x#bca26e4", "github:t/x#bca26e4", undefined],
  ["https://codeload.github.com/t/x/tar.gz/main", "https://codeload.github.com/t/x/tar.gz/main", undefined],
])("git: %s", (location, url, pinned) => {
  const found = gitSource(location);
  if (url === undefined) return expect(found?.commit).toBeUndefined();
  return expect(found).toEqual(pinned === undefined ? { kind: "git", url } : { kind: "git", url, commit: pinned });
});

test("a location is what its protocol says", () => {
  expect(sourceOf("file:../x")).toEqual({ kind: "file", path: "../x" });
  expect(sourceOf("link:../x")).toEqual({ kind: "link", path: "../x" });
  expect(sourceOf("portal:../x")).toEqual({ kind: "link", path: "../x" });
  expect(sourceOf("workspace:packages/x")).toEqual({ kind: "workspace", path: "packages/x" });
  expect(sourceOf("../x.tgz")).toEqual({ kind: "file", path: "../x.tgz" });
  expect(sourceOf("https://files.test/x.tgz")).toEqual({ kind: "tarball", url: "https://files.test/x.tgz" });
  expect(sourceOf("https://r.test/x/-/x-1.0.0.tgz")).toEqual({ kind: "registry", url: "https://r.test/x/-/x-1.0.0.tgz" });
});

test("names and versions", () => {
  expect(splitAtVersion("@a/b@npm:c@1")).toEqual({ name: "@a/b", rest: "npm:c@1" });
  expect(splitAtVersion("@a/b")).toBeUndefined();
  for (const good of ["1.2.3", "0.0.0-alpha.1", "1.0.0+build", "1.0.0beta", "10.20.30-next.5"]) expect(isVersion(good), good).toBe(true);
  for (const bad of ["", "latest", "^1.0.0", "1.2", "v1.2.3", "npm:1.0.0"]) expect(isVersion(bad), bad).toBe(false);
  expect(sameVersion("1.0.0", "1.0.0+build")).toBe(true);
  expect(sameVersion("1.0.0-beta", "1.0.0beta")).toBe(true);
  expect(sameVersion("1.0.0", "1.0.1")).toBe(false);
  expect(versionInFile("https://files.test/tool-1.2.3.tgz", "@corp/tool")).toBe("1.2.3");
  expect(versionInFile("https://files.test/other-1.2.3.tgz", "tool")).toBe("");
});

test("digests: the strongest counts, a malformed one is none", () => {
  const sha512 = `sha512-${"A".repeat(86)}==`;
  const sha1 = `sha1-${"A".repeat(27)}=`;
  expect(readSri(sha512)).toEqual({ kind: "sri", value: sha512 });
  expect(readSri(`${sha1} ${sha512}`)).toEqual({ kind: "sri", value: `${sha1} ${sha512}` });
  expect(readSri(sha1)).toEqual({ kind: "sha1", value: sha1 });
  // One character short, one bit that no 64 bytes have, another alphabet, another algorithm.
  for (const bad of [sha512.slice(0, -3), `sha512-${"A".repeat(85)}B==`, `sha512-${"A".repeat(85)}-==`, "md5-AAAA", "x", ""])
    expect(readSri(bad), bad).toBeUndefined();
  expect(sha1FromHex("00".repeat(20))).toEqual({ kind: "sha1", value: sha1 });
  expect(sha1FromHex("00")).toBeUndefined();
});
