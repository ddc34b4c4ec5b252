import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkedPackage } from "../../../test/kit/check-report.ts";
import { NPM_REGISTRY, YARN_REGISTRY_HOST } from "../config/constants.ts";
import { publicUrl, purlOf, readPurl } from "./purl.ts";

test.each([
  [{}, "pkg:npm/left-pad@1.0.0"],
  [{ name: "@s/n" }, "pkg:npm/%40s/n@1.0.0"],
  [{ name: "JSONStream" }, "pkg:npm/JSONStream@1.0.0"],
  [{ version: "" }, "pkg:npm/left-pad"],
  [{ url: `${NPM_REGISTRY}left-pad/-/left-pad-1.0.0.tgz` }, "pkg:npm/left-pad@1.0.0"],
  [{ url: `https://${YARN_REGISTRY_HOST}/left-pad/-/left-pad-1.0.0.tgz#hash` }, "pkg:npm/left-pad@1.0.0"],
  [
    { name: "@s/n", url: "https://u:p@npm.ours.test/base/@s%2fn/-/n-1.0.0.tgz?token=x" },
    "pkg:npm/%40s/n@1.0.0?repository_url=https%3A%2F%2Fnpm.ours.test%2Fbase",
  ],
  [{ source: "tarball", url: "https://cdn.test/x.tgz" }, "pkg:npm/left-pad@1.0.0?download_url=https%3A%2F%2Fcdn.test%2Fx.tgz"],
  [{ source: "git", url: "https://git.test/a/b#abcdef1" }, "pkg:npm/left-pad@1.0.0?vcs_url=git%2Bhttps%3A%2F%2Fgit.test%2Fa%2Fb%40abcdef1"],
  [{ source: "bundled" }, "pkg:npm/left-pad@1.0.0"],
] as const)("%j is %s", (fields, purl) => expect(purlOf(checkedPackage(fields))).toBe(purl));

test.each([{ source: "file" }, { source: "jsr" }, { source: "module" }, { name: "../x" }, { name: "a/b/c" }, { name: "\ud800" }] as const)(
  "%j is no npm package, and is not called one",
  (fields) => expect(purlOf(checkedPackage(fields))).toBeUndefined(),
);

test("what may be a secret is left out of a location, `git@` and a commit are not", () => {
  expect(publicUrl("https://user:p@ss@host.test/x.tgz?token=1#frag")).toBe("https://host.test/x.tgz");
  expect(publicUrl("git+ssh://git@host.test/a/b.git#0123456789abcdef")).toBe("git+ssh://git@host.test/a/b.git#0123456789abcdef");
  expect(publicUrl("git+https://token@host.test/a.git#semver:^1")).toBe("git+https://host.test/a.git");
  expect(publicUrl("git@host.test:a/b.git#commit=abcdef0")).toBe("git@host.test:a/b.git#abcdef0");
  expect(publicUrl("https://host.test/@scope/n/-/n-1.tgz")).toBe("https://host.test/@scope/n/-/n-1.tgz");
});

test.each([
  ["pkg:npm/left-pad@1.0.0", { name: "left-pad", version: "1.0.0", qualifiers: [] }],
  ["pkg:npm/%40s/n@1.0.0%2Bb", { name: "@s/n", version: "1.0.0+b", qualifiers: [] }],
  ["pkg:npm/@s/n", { name: "@s/n", qualifiers: [] }],
  ["pkg:NPM//JSONStream@1?arch=x&os=y#sub/path", { name: "JSONStream", version: "1", qualifiers: ["arch=x", "os=y"] }],
] as const)("reads %s", (text, read) => expect(readPurl(text)).toEqual(read));

test.each(["pkg:pypi/a@1", "npm/a@1", "pkg:npm/", "pkg:npm/a@", "pkg:npm/%zz@1", "pkg:npm/a/b/c@1", "pkg:npm/../x@1", "", "pkg:npm/%00@1"])(
  "%j is no npm package's purl",
  (text) => expect(readPurl(text)).toBeUndefined(),
);

test("any text is read without throwing, and what is written is read as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom("a", "@s/n", "JSONStream", "a.b_c~d"), (version, name) => {
      readPurl(`pkg:npm/${version}`);
      publicUrl(version);
      const read = readPurl(purlOf(checkedPackage({ name, version }))!);
      expect([read?.name, read?.version ?? ""]).toEqual([
        name,
        version.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd"),
      ]);
    }),
  );
});
