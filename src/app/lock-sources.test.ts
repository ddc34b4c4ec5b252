/** URLs in lockfiles, to the gate and back: what comes back is what stood there, or what the client would have written alone. */
import { expect, test } from "vitest";
import { NPM_REGISTRY, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import type { LockfileKind } from "../core/lockfile/tree.ts";
import { awayFromGate, type Fronted, towardsGate } from "./lock-sources.ts";

const GATE = "http://localhost:4880/p/site/npm/";
const COMPANY = "https://npm.company.test/api/npm/all/";
const YARN = `https://${YARN_REGISTRY_HOST}/`;
const KINDS: readonly LockfileKind[] = ["package-lock", "pnpm", "yarn-classic", "yarn-berry", "bun", "deno"];

const fronted = (upstream: string, scoped: readonly string[] = []): Fronted => ({ gate: GATE, upstream, scoped });
const axios = (base: string) => ({ name: "axios", version: "1.14.0", url: `${base}axios/-/axios-1.14.0.tgz` });
const NO_URLS = new Map<string, string>();
const UNKNOWN = () => undefined;

test.each(KINDS)("%s: entries at a registry we front are pointed at the gate", (kind) => {
  expect(towardsGate(kind, axios(COMPANY), fronted(COMPANY))).toBe(axios(GATE).url);
  expect(towardsGate(kind, axios(YARN), fronted(COMPANY))).toBe(axios(GATE).url);
  expect(towardsGate(kind, axios("https://acme.test/"), fronted(COMPANY, ["https://acme.test/npm/"]))).toBe(axios(GATE).url);
  expect(towardsGate(kind, axios("https://strange.test/"), fronted(COMPANY))).toBeUndefined();
  expect(towardsGate(kind, axios(GATE), fronted(COMPANY))).toBeUndefined();
  expect(towardsGate(kind, { name: "axios", url: `${COMPANY}axios/-/..%2f..%2fetc` }, fronted(COMPANY))).toBeUndefined();
});

test("npm and deno take the public host to the registry they are given; the others are led there", () => {
  const led = KINDS.filter((kind) => towardsGate(kind, axios(NPM_REGISTRY), fronted(NPM_REGISTRY)) !== undefined);
  expect(led).toEqual(["pnpm", "yarn-classic", "yarn-berry", "bun"]);
});

test.each(KINDS)("%s: what stood there comes back", (kind) => {
  const stood = new Map([["axios@1.14.0", axios(YARN).url]]);
  expect(awayFromGate(kind, axios(GATE), fronted(COMPANY), stood, UNKNOWN)).toBe(axios(YARN).url);
});

test("a new entry gets what the client writes with that registry", () => {
  const written = (kind: LockfileKind, upstream: string) => awayFromGate(kind, axios(GATE), fronted(upstream), NO_URLS, UNKNOWN);
  expect(written("package-lock", NPM_REGISTRY)).toBe(axios(NPM_REGISTRY).url);
  // bun writes none for the default registry, yarn 1 its own name for it.
  expect(written("bun", NPM_REGISTRY)).toBeNull();
  expect(written("yarn-classic", NPM_REGISTRY)).toBe(axios(YARN).url);
  expect(written("bun", COMPANY)).toBe(axios(COMPANY).url);
  expect(written("yarn-classic", COMPANY)).toBe(axios(COMPANY).url);
});

test("the registry's own URL goes before the usual naming", () => {
  const published = (name: string, version: string) =>
    `${name}@${version}` === "axios@1.14.0" ? "https://cdn.company.test/blobs/42" : undefined;
  expect(awayFromGate("package-lock", axios(GATE), fronted(COMPANY), NO_URLS, published)).toBe("https://cdn.company.test/blobs/42");
});

test("public URLs that a shared gate gave npm for portability become the upstream's, unless they stood there", () => {
  const url = axios(NPM_REGISTRY).url;
  const back = (kind: LockfileKind, upstream: string, before: ReadonlyMap<string, string>) =>
    awayFromGate(kind, axios(NPM_REGISTRY), fronted(upstream), before, UNKNOWN);
  expect(back("package-lock", COMPANY, NO_URLS)).toBe(axios(COMPANY).url);
  expect(back("package-lock", COMPANY, new Map([["axios@1.14.0", url]]))).toBeUndefined();
  expect(back("package-lock", NPM_REGISTRY, NO_URLS)).toBeUndefined();
  expect(back("bun", COMPANY, NO_URLS)).toBeUndefined();
});

test("what is not the gate's is left alone", () => {
  expect(awayFromGate("yarn-classic", axios("https://strange.test/"), fronted(COMPANY), NO_URLS, UNKNOWN)).toBeUndefined();
});
