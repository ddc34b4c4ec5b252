/** It no longer requires what the release before it did: replaced, taken over into its own code, or swapped for something else. */
import { dependenciesOf } from "../facts/release-facts.ts";
import { baselineOf } from "./baseline.ts";
import type { Check } from "./check.ts";

export const dependencyRemoved: Check = ({ facts: { release, version } }) => {
  const [before] = release ? baselineOf(version, release) : [];
  if (!release || !before) return undefined;
  const own = new Set([...dependenciesOf(release.own).map(({ name }) => name), ...(release.own.bundled ?? [])]);
  const gone = [...new Set(dependenciesOf(before.release).map(({ name }) => name))].filter((name) => !own.has(name));
  if (gone.length === 0) return undefined;
  return {
    id: "dependency-removed",
    effect: { kind: "note" },
    title: gone.length === 1 ? `it no longer requires ${gone[0]}` : `it no longer requires ${gone[0]} and ${gone.length - 1} more`,
    evidence: [{ text: `required by ${before.version} and not by it: ${gone.join(", ")}`, source: "registry" }],
  };
};
