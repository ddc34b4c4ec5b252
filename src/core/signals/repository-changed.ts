/** It names another repository than the releases before it did. */
import { everSettled } from "./baseline.ts";
import type { Check } from "./check.ts";

export const repositoryChanged: Check = ({ facts }) => {
  const { release } = facts;
  const repository = release?.own.repository;
  if (!release || repository === undefined) return undefined;
  const before = everSettled(release).flatMap((one) => one.release.repository ?? []);
  if (before.length === 0 || before.some((one) => isKin(one, repository))) return undefined;
  return {
    id: "repository-changed",
    effect: { kind: "note" },
    title: `its repository is ${repository} now`,
    evidence: [{ text: `before: ${[...new Set(before)].join(", ")}; now ${repository}`, source: "registry" }],
  };
};

/**
 * The same project under another owner, or another project of the same owner: one ordinary release in thirty (measured over 2,036), when a
 * project moves to an organisation, or its package into and out of a monorepo.
 */
function isKin(a: string, b: string): boolean {
  const [one, other] = [a.split("/"), b.split("/")];
  return one[0] === other[0] && (one[1] === other[1] || one.at(-1) === other.at(-1));
}
