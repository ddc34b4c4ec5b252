/** Its number is not what comes next: thieves and saboteurs number by hand. Ordinary projects skip numbers too, so it is only told. */
import type { Check } from "./check.ts";

export const versionOdd: Check = ({ facts: { release } }) => {
  const odd = release?.oddNumber;
  if (!odd) return undefined;
  const { kind, from } = odd;
  return {
    id: "version-odd",
    effect: { kind: "note" },
    title: TITLES[kind](from),
    evidence: [{ text: `${from} stood before it`, source: "registry" }],
  };
};

const TITLES = {
  skips: (from: string) => `its number skips a major version after ${from}`,
  "begins-late": (from: string) => `the first of its major version after ${from}, and no x.0.0`,
  below: (from: string) => `published after ${from}, which is a higher patch of the same minor version`,
};
