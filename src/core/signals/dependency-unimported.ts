/** A dependency that this release adds and its code never names, of a package or version too young to be known. */
import { DAY, isoMinute } from "../base/time.ts";
import type { NewDependency } from "../facts/release-facts.ts";
import { classifySpec } from "../npm/ranges.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

/** Design §4: "its name is < 90 d or its resolved version < 14 d old". */
const YOUNG_NAME = 90 * DAY;
const YOUNG_VERSION = 14 * DAY;

export const dependencyUnimported: Check = ({ facts }) => {
  const { code, release, start } = facts;
  if (code?.state !== "done" || !release) return undefined;
  const young = ({ known }: NewDependency): boolean =>
    // Without an age nothing is known, and nothing is said.
    known !== undefined && (start - known.since < YOUNG_NAME || (known.matching !== undefined && start - known.matching < YOUNG_VERSION));
  const unnamed = new Set(
    code.unimported.map((name) => {
      const spec = classifySpec(release.own.dependencies?.[name] ?? "*");
      return spec.kind === "alias" ? spec.name : name;
    }),
  );
  const found = release.newDependencies.filter((one) => unnamed.has(one.name) && young(one));
  if (found.length === 0) return undefined;
  return {
    id: "dependency-unimported",
    effect: withinHorizon(facts, { kind: "review" }),
    title: `it newly depends on ${found.map(({ name }) => name).join(", ")}, which its code never names`,
    evidence: found.map(({ name, spec, known }) => ({
      text: `${name}@${spec}: the package is known since ${isoMinute(known!.since)}${known!.matching === undefined ? "" : `, a version this accepts since ${isoMinute(known!.matching)}`}`,
      source: "registry",
      at: known!.since,
    })),
  };
};
