/** It requires a package of which every matching version is withheld, so an install of it would break. */
import { instant } from "../base/time.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";

/** Design §4: "until = the latest of the own holds in the reachable young set; review if one has no end; never deny". */
export const dependencyWithheld: Check = ({ dependencies }) => {
  if (!dependencies) return undefined;
  const { blocked, unseen } = dependencies;
  const unseenEvidence = unseen.map(({ name, spec, why }): Evidence => ({
    text: `${name} ${spec}: not looked at, ${why}`,
    source: "registry",
  }));
  const first = blocked[0];
  if (!first) {
    if (unseen.length === 0) return undefined;
    return {
      id: "dependency-withheld",
      effect: { kind: "note" },
      title: `${count(unseen.length, "dependency", "dependencies")} not looked at`,
      evidence: unseenEvidence,
    };
  }
  const ends = blocked.map(({ until }) => until);
  const until = ends.every((end) => end !== undefined) ? { until: instant(Math.max(...ends)) } : {};
  return {
    id: "dependency-withheld",
    effect: blocked.some(({ review }) => review) ? { kind: "review" } : { kind: "hold", ...until },
    title: `requires ${first.name} ${first.spec}, which is withheld${blocked.length > 1 ? `, and ${blocked.length - 1} more` : ""}`,
    // What is withheld, and nothing that other dependencies could add to: a waiver is pinned to this.
    evidence: blocked.map(({ name, spec, candidates }): Evidence => ({
      text: `${name} ${spec}: ${candidates.join(", ")}`,
      source: "registry",
    })),
  };
};

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
