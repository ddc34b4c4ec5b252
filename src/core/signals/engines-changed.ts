/** It asks for another runtime than the release before it: installs may fail, or choose an older version without a word. */
import { mapChanges } from "../analysis/release-diff.ts";
import { baselineOf } from "./baseline.ts";
import type { Check } from "./check.ts";

export const enginesChanged: Check = ({ facts: { release, version } }) => {
  const [before] = release ? baselineOf(version, release) : [];
  if (!release || !before) return undefined;
  const changes = mapChanges("engines", before.release.engines, release.own.engines);
  if (changes.length === 0) return undefined;
  return {
    id: "engines-changed",
    effect: { kind: "note" },
    title: `it asks for another runtime than ${before.version}`,
    evidence: changes.map((one) => ({ text: `${one.key}: ${one.before ?? "any"} before, ${one.after ?? "any"} now`, source: "registry" })),
  };
};
