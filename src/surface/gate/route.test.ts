import { expect, test } from "vitest";
import { readRequest } from "./route.ts";

const route = (target: string, method = "GET") => readRequest(method, target).route;

test("every measured form of a package name is one name", () => {
  for (const path of ["/@s/n", "/@s%2fn", "/@s%2Fn", "/%40s%2fn"])
    expect(route(path), path).toEqual({ kind: "packument", name: "@s/n", write: false });
  expect(route("/axios")).toEqual({ kind: "packument", name: "axios", write: false });
  expect(route("/@s%2fdemo/-/demo-1.0.0.tgz")).toEqual({ kind: "tarball", name: "@s/demo", file: "demo-1.0.0.tgz" });
  expect(route("/@s/demo/-/demo-1.0.0.tgz")).toEqual({ kind: "tarball", name: "@s/demo", file: "demo-1.0.0.tgz" });
  expect(route("/@s%2fdemo/1.0.0")).toEqual({ kind: "manifest", name: "@s/demo", selector: "1.0.0" });
});

test("the packages named p and metrics stay installable beside the reserved root", () => {
  expect(route("/p")).toEqual({ kind: "packument", name: "p", write: false });
  expect(route("/p/-/p-1.0.0.tgz")).toEqual({ kind: "tarball", name: "p", file: "p-1.0.0.tgz" });
  expect(route("/p/1.0.0")).toEqual({ kind: "manifest", name: "p", selector: "1.0.0" });
  expect(route("/metrics")).toEqual({ kind: "packument", name: "metrics", write: false });
  expect(readRequest("GET", "/p/site/npm/axios")).toEqual({
    project: "site",
    prefix: "/p/site/npm/",
    route: { kind: "packument", name: "axios", write: false },
  });
  expect(readRequest("GET", "/p/site/npm/p/-/p-1.0.0.tgz").route).toEqual({ kind: "tarball", name: "p", file: "p-1.0.0.tgz" });
});

test("traversal, double encoding, encoded slashes and control characters have no known shape", () => {
  for (const path of [
    "/axios/-/..%2f..%2fetc",
    "/axios/-/a%252e.tgz",
    "/axios/-/a%00.tgz",
    "/axios/../x/-/y.tgz",
    "/a%5cb",
    "/axios/-/x/y.tgz",
    "/axios%2f-%2fx.tgz",
    "/@s%2f..",
    "/%zz",
    "//axios",
    "/@s",
    "/axios/-/",
    "/@s%2fn%2fm",
  ]) {
    const kind = route(path).kind;
    expect(["unknown", "manifest"].includes(kind), `${path} is ${kind}`).toBe(true);
  }
});

test("what must pass is known, what changes something is refused by name", () => {
  expect(route("/-/npm/v1/security/advisories/bulk", "POST")).toEqual({ kind: "audit", quick: false });
  expect(route("/-/npm/v1/attestations/@s%2fn@1.0.0")).toEqual({ kind: "attestations", name: "@s/n", version: "1.0.0" });
  expect(route("/-/npm/v1/attestations/axios@1.14.0")).toEqual({ kind: "attestations", name: "axios", version: "1.14.0" });
  expect(route("/-/package/@s%2fn/dist-tags")).toEqual({ kind: "tags", name: "@s/n" });
  expect(route("/-/package/axios/dist-tags/latest", "PUT")).toEqual({ kind: "write", what: "moving a dist-tag" });
  expect(route("/axios", "PUT")).toEqual({ kind: "write", what: "publishing" });
  expect(route("/-/v1/login", "POST")).toEqual({ kind: "write", what: "logging in" });
  expect(route("/-/user/token/abc", "DELETE")).toEqual({ kind: "write", what: "logging in or out" });
  expect(route("/-/cordon/health")).toEqual({ kind: "ours", path: "/health" });
});

test("the spec of an attestation is a package name and a version, so that no path of the upstream's is reached through it", () => {
  for (const spec of [
    "../../-/whoami@1.0.0",
    "axios@1.0.0/../../-/whoami",
    "axios@",
    "@1.0.0",
    "axios",
    "a%2fb@1.0.0",
    "axios@1.0.0%2f..",
    "@s%2f..@1.0.0",
    "axios@1.0.0?x",
  ])
    expect(route(`/-/npm/v1/attestations/${spec}`).kind, spec).toBe(spec.endsWith("?x") ? "attestations" : "unknown");
});
