/** It names another repository than the releases before it did. */
import { everSettled } from "./baseline.ts";
import type { Check } from "./check.ts";

export const repositoryChanged: Check = ({ facts }) => {
  const { release } = facts;
  const repository = release?.own.repository;
  if (!release || repository === undefined) return undefined;
  const before = everSettled(release).flatMap((one) => one.release.repository ?? []);
  if (before.length === 0 || before.includes(repository)) return undefined;
  return {
    id: "repository-changed",
    effect: { kind: "note" },
    title: `its repository is ${repository} now`,
    evidence: [{ text: `before: ${[...new Set(before)].join(", ")}; now ${repository}`, source: "registry" }],
  };
};
