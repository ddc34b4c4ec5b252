/** A dependency that this release adds and its code never names, of a package or version too young to be known. */
import { isoMinute } from "../base/time.ts";
import { classifySpec } from "../npm/ranges.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";
import { youthOf } from "./new-young-dependency.ts";

export const dependencyUnimported: Check = ({ facts }) => {
  const { code, release, start } = facts;
  if (code?.state !== "done" || !release) return undefined;
  const unnamed = new Set(
    code.unimported.map((name) => {
      const spec = classifySpec(release.own.dependencies?.[name] ?? "*");
      return spec.kind === "alias" ? spec.name : name;
    }),
  );
  const found = release.newDependencies.filter((one) => unnamed.has(one.name) && youthOf(one, start) !== undefined);
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
