import { expect, test } from "vitest";
import type { BuildIdentity } from "./attested.ts";
import { compareIdentity } from "./compare-identity.ts";

const before: BuildIdentity = {
  issuer: "https://token.actions.githubusercontent.com",
  repository: "https://github.com/acme/widget",
  repositoryId: "1",
  ownerId: "2",
  workflow: "https://github.com/acme/widget/.github/workflows/publish.yml",
  ref: "refs/tags/v1.0.0",
  commit: "a",
  runner: "github-hosted",
  trigger: "release",
};
const changed = (own: Partial<BuildIdentity>, from: BuildIdentity = before) => compareIdentity(from, { ...from, ...own });

test("another tag, commit or trigger is the same place", () => {
  expect(changed({ ref: "refs/tags/v1.0.1", commit: "b", trigger: "push" })).toEqual({ changes: [] });
});

test.each<[string, Partial<BuildIdentity>]>([
  ["CI service", { issuer: "https://gitlab.com" }],
  [
    "repository",
    {
      repository: "https://github.com/acme/gadget",
      repositoryId: "9",
      workflow: "https://github.com/acme/gadget/.github/workflows/publish.yml",
    },
  ],
  ["repository", { repositoryId: "9" }],
  ["repository's owner id", { ownerId: "9" }],
  ["workflow", { workflow: "https://github.com/acme/widget/.github/workflows/evil.yml" }],
  ["workflow", { workflow: "https://github.com/mallory/widget/.github/workflows/publish.yml" }],
  ["kind of ref", { ref: "refs/heads/main" }],
  ["kind of ref", { ref: "refs/pull/7/merge" }],
  ["runner", { runner: "self-hosted" }],
])("another %s", (what, own) => {
  expect(changed(own).changes.map((one) => one.what)).toEqual([what]);
});

test("a rename keeps its ids", () => {
  const renamed = {
    repository: "https://github.com/Acme-Inc/widgets",
    workflow: "https://github.com/Acme-Inc/widgets/.github/workflows/publish.yml",
  };
  expect(changed(renamed)).toEqual({ changes: [], renamed: { what: "repository", from: before.repository, to: renamed.repository } });
});

test("without ids names decide, in any case of letters", () => {
  const { repositoryId: _id, ownerId: _owner, ...old } = before;
  expect(compareIdentity(old, { ...before, repository: "https://github.com/ACME/widget" }).changes).toEqual([]);
  expect(compareIdentity(old, { ...before, repository: "https://github.com/acme/other" }).changes.map(({ what }) => what)).toContain(
    "repository",
  );
});

test("what an old certificate does not say is not compared", () => {
  const { issuer, repository } = before;
  expect(compareIdentity({ issuer, repository }, before)).toEqual({ changes: [] });
});
