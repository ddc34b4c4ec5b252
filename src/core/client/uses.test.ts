import { expect, test } from "vitest";
import { clientsInUse, type ProjectMarks } from "./uses.ts";

const uses = (marks: Partial<ProjectMarks>) =>
  clientsInUse({ files: [], berryLockfile: false, ...marks }).map(({ client, because }) => `${client}: ${because}`);

test("a lockfile, a settings file or the packageManager field names the client", () => {
  expect(uses({ files: ["package.json", "package-lock.json"] })).toEqual(["npm: package-lock.json"]);
  expect(uses({ files: ["package.json", "pnpm-workspace.yaml"] })).toEqual(["pnpm: pnpm-workspace.yaml"]);
  expect(uses({ files: ["deno.jsonc"] })).toEqual(["deno: deno.jsonc"]);
  expect(uses({ files: ["package.json"], packageManager: "pnpm@11.2.0+sha512.abc" })).toEqual(["pnpm: packageManager pnpm@11"]);
});

test("the two yarns are told apart by the lockfile's format and the version", () => {
  expect(uses({ files: ["yarn.lock"] })).toEqual(["yarn-classic: yarn.lock"]);
  expect(uses({ files: ["yarn.lock"], berryLockfile: true })).toEqual(["yarn-berry: yarn.lock"]);
  expect(uses({ packageManager: "yarn@1.22.22" })).toEqual(["yarn-classic: packageManager yarn@1"]);
  expect(uses({ packageManager: "yarn@4.18.1" })).toEqual(["yarn-berry: packageManager yarn@4"]);
});

test("every client once, and npm when nothing says otherwise", () => {
  expect(uses({ files: ["package-lock.json", "bun.lock", "bunfig.toml", ".npmrc"] })).toEqual(["npm: package-lock.json", "bun: bun.lock"]);
  expect(uses({ files: ["package.json", ".npmrc"] })).toEqual(["npm: package.json"]);
  expect(uses({ files: [".npmrc"] })).toEqual([]);
});
