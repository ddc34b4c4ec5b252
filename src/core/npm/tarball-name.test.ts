import { expect, test } from "vitest";
import { tarballFile, tarballUrl, versionOfFile } from "./tarball-name.ts";

test("the file name of a tarball URL, as registries write them", () => {
  for (const [url, file] of [
    ["https://registry.test/axios/-/axios-1.14.0.tgz", "axios-1.14.0.tgz"],
    ["https://registry.test/@s/n/-/n-1.0.0-beta.1.tgz", "n-1.0.0-beta.1.tgz"],
    ["http://127.0.0.1:4873/@s%2fn/-/n-1.0.0.tgz?from=cache", "n-1.0.0.tgz"],
    ["https://jsr.test/~/11/@jsr/rus__greet/0.0.3.tgz", "0.0.3.tgz"],
    ["https://pkg.test/download/@acme/private/1.0.0/acme-private-1.0.0.tgz", "acme-private-1.0.0.tgz"],
    ["https://pkg.test/download/@acme/private/1.0.0/5f2c9d1e", "5f2c9d1e"],
    ["https://registry.test/x/-/x-1.0.0+build.tgz", "x-1.0.0+build.tgz"],
  ] as const)
    expect(tarballFile(url), url).toBe(file);
});

test("traversal, encoding, unicode, credentials and other schemes have no file name", () => {
  for (const url of [
    "https://registry.test/x/-/..",
    "https://registry.test/x/-/.",
    "https://registry.test/x/-/.tgz",
    "https://registry.test/x/-/..%2fx.tgz",
    "https://registry.test/x/-/%2e%2e",
    "https://registry.test/x/-/a%2fb.tgz",
    "https://registry.test/x/-/a%5cb.tgz",
    "https://registry.test/x/-/a\\b.tgz",
    "https://registry.test/x/-/x-1.0.0.tgz\n",
    "https://registry.test/x/-/x 1.tgz",
    "https://registry.test/x/-/х-1.0.0.tgz",
    "https://registry.test/x/-/x\u202e-1.tgz",
    "https://registry.test/x/-/-x.tgz",
    "https://registry.test/x/-/",
    "https://registry.test",
    "https://user:pass@registry.test/x/-/x-1.0.0.tgz",
    "https://registry.test/x/-/x-1.0.0.tgz#y",
    "https:///x-1.0.0.tgz",
    "https://[bad/x-1.0.0.tgz",
    "file:///etc/x-1.0.0.tgz",
    "git+https://registry.test/x.tgz",
    "javascript:x.tgz",
    "/x/-/x-1.0.0.tgz",
    `https://registry.test/${"x".repeat(500)}.tgz`,
    "",
  ])
    expect(tarballFile(url), JSON.stringify(url)).toBeUndefined();
});

const listed = (version: string, file: string) => ({ version, tarball: `https://registry.test/a/-/${file}` });

test("a file means the one version whose URL ends in it", () => {
  const versions = [
    listed("1.0.0", "a-1.0.0.tgz"),
    listed("1.0.0-2", "a-1.0.0-2.tgz"),
    listed("2.0.0", "b.tgz"),
    listed("3.0.0", "b.tgz"),
    { version: "4.0.0" },
  ];
  expect(versionOfFile(versions, "a-1.0.0.tgz")?.version).toBe("1.0.0");
  expect(versionOfFile(versions, "a-1.0.0-2.tgz")?.version).toBe("1.0.0-2");
  expect(versionOfFile(versions, "0.0.tgz")).toBeUndefined();
  expect(versionOfFile(versions, "b.tgz")).toBeUndefined();
  expect(versionOfFile(versions, "a-9.9.9.tgz")).toBeUndefined();
});

test("what is served leads to the same file name", () => {
  const url = tarballUrl("http://localhost:4870/p/site/npm/", "@s/n", "n-1.0.0.tgz");
  expect(url).toBe("http://localhost:4870/p/site/npm/@s/n/-/n-1.0.0.tgz");
  expect(tarballFile(url)).toBe("n-1.0.0.tgz");
});
