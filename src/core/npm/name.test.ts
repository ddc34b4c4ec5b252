import * as fc from "fast-check";
import { expect, test } from "vitest";
import { escapeName, isPackageName, nameMatches, parseSpec, purl, scopeOf, unscoped } from "./name.ts";

test("names npm would ask a registry for, old ones included", () => {
  for (const good of ["axios", "@s/n", "JSONStream", "@types/node", "a.b_c-d~e", "crypto'", "0", "@a-b/_x", "constructor", "x".repeat(214)])
    expect(isPackageName(good), good).toBe(true);
  for (const bad of [
    "",
    ".",
    "..",
    ".x",
    "_x",
    "-x",
    "@",
    "@/",
    "@s/",
    "@s",
    "@/n",
    "a/b",
    "@s/n/x",
    "@s/../x",
    "@s/..",
    "@../x",
    "@s/.x",
    "a b",
    " a",
    "a\n",
    "a%2fb",
    "a\\b",
    "é",
    "а",
    "node_modules",
    "Favicon.ico",
    "a@b",
    "a:b",
    "x".repeat(215),
  ])
    expect(isPackageName(bad), JSON.stringify(bad)).toBe(false);
});

test("every valid name stands in a URL path as it is, and escaped", () => {
  const part = fc.string({ unit: fc.constantFrom(..."abzA09-_.!~*'()"), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(part, fc.option(part), (name, scope) => {
      const full = scope === null ? name : `@${scope}/${name}`;
      fc.pre(isPackageName(full));
      expect(new URL(full, "http://h.test/").pathname).toBe(`/${full}`);
      expect(decodeURIComponent(new URL(escapeName(full), "http://h.test/").pathname)).toBe(`/${full}`);
      expect(escapeName(full)).not.toContain("/");
    }),
  );
});

test("a spec splits at the @ that is not the scope's", () => {
  expect(parseSpec("axios@1.14.1")).toEqual({ name: "axios", spec: "1.14.1" });
  expect(parseSpec("@s/n@^1 || 2")).toEqual({ name: "@s/n", spec: "^1 || 2" });
  expect(parseSpec("@s/n@npm:x@1")).toEqual({ name: "@s/n", spec: "npm:x@1" });
  expect(parseSpec("axios")).toEqual({ name: "axios" });
  expect(parseSpec("axios@")).toEqual({ name: "axios" });
  for (const bad of ["", "@1", "../x@1", "a b@1", "a@1\u0000", "a@\u001b[31m", `a@${"1".repeat(1_001)}`])
    expect(parseSpec(bad), bad).toBeUndefined();
});

test("purls encode the scope's @ and build metadata", () => {
  expect(purl("@s/n", "1.0.0+b")).toBe("pkg:npm/%40s/n@1.0.0%2Bb");
  expect(purl("axios")).toBe("pkg:npm/axios");
});

test("a star never crosses the slash", () => {
  expect(nameMatches("@acme/*", "@acme/web")).toBe(true);
  expect(nameMatches("acme-*", "acme-web")).toBe(true);
  expect(nameMatches("*-web-*", "acme-web-ui")).toBe(true);
  expect(nameMatches("@*/*", "@acme/web")).toBe(true);
  expect(nameMatches("*", "axios")).toBe(true);
  for (const [glob, name] of [
    ["*", "@acme/web"],
    ["@acme/*", "@acme-evil/web"],
    ["@acme*", "@acme/web"],
    ["acme-*", "xacme-web"],
    ["acme", "acme-web"],
    ["a.b", "axb"],
    ["acme-*", "Acme-web"],
  ] as const)
    expect(nameMatches(glob, name), `${glob} ${name}`).toBe(false);
});

test("a glob made from a name by putting stars in matches it", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.stringMatching(/^[ab-]{0,3}$/), fc.stringMatching(/^[ab-]{0,3}$/)), { minLength: 1 }), (parts) => {
      const glob = parts.map(([kept]) => kept).join("*");
      const name = parts.map(([kept, covered], index) => (index < parts.length - 1 ? kept + covered : kept)).join("");
      expect(nameMatches(glob, name)).toBe(true);
    }),
  );
});

test("scope and bare name", () => {
  expect([scopeOf("@s/n"), scopeOf("n"), unscoped("@s/n"), unscoped("n")]).toEqual(["@s", undefined, "n", "n"]);
});
