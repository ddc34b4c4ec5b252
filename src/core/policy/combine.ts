/** Several levels of policy become one: the strictest of each key wins, so a project or a flag tightens and never loosens. */
import { canonical, sha256 } from "../base/digest.ts";
import { nameMatches } from "../npm/name.ts";
import type { Policy } from "./policy.ts";

/** What one level says, by the path of its key in cordon.yaml. */
export type PolicyLayer = {
  readonly "policy.preset"?: Policy["preset"];
  readonly "policy.mode"?: Policy["mode"];
  readonly "policy.hold"?: number;
  readonly "policy.allow"?: readonly string[];
  readonly "policy.private"?: readonly string[];
  readonly "policy.baseline"?: Policy["baseline"];
};

export type PolicyKey = keyof PolicyLayer;

/** A pattern no package name matches: lists of allowed names that have nothing in common allow nothing, not everything. */
export const NOTHING = "<nothing>";

/**
 * The machine's policy (over the defaults), tightened by each layer in turn; `decidedBy` says which of them decided a key, where
 * one did. Mode and baseline loosen, so the layers have no say in them.
 */
export function combinePolicies(
  machine: PolicyLayer,
  layers: readonly PolicyLayer[],
): { readonly policy: Policy; readonly decidedBy: Readonly<Partial<Record<PolicyKey, number>>> } {
  const decidedBy: Partial<Record<PolicyKey, number>> = {};
  let preset = machine["policy.preset"] ?? "balanced";
  let hold = machine["policy.hold"] ?? 0;
  let allow = machine["policy.allow"] ?? [];
  let own = machine["policy.private"] ?? [];
  for (const [index, layer] of layers.entries()) {
    // Under strict an empty list allows nothing, and a layer must not turn that into something.
    const theirs = layer["policy.allow"] ?? [];
    const names = theirs.length === 0 ? allow : narrow(allow.length === 0 && preset === "strict" ? [NOTHING] : allow, theirs);
    if (names.length !== allow.length || names.some((glob) => !allow.includes(glob))) [allow, decidedBy["policy.allow"]] = [names, index];
    if (layer["policy.preset"] === "strict" && preset !== "strict") [preset, decidedBy["policy.preset"]] = ["strict", index];
    if ((layer["policy.hold"] ?? 0) > hold) [hold, decidedBy["policy.hold"]] = [layer["policy.hold"]!, index];
    const added = (layer["policy.private"] ?? []).filter((glob) => !own.includes(glob));
    if (added.length > 0) [own, decidedBy["policy.private"]] = [[...own, ...added], index];
  }
  const baseline = machine["policy.baseline"];
  const document = {
    preset,
    mode: machine["policy.mode"] ?? ({ kind: "enforce" } as const),
    hold,
    allow: sorted(allow),
    private: sorted(own),
    ...(baseline === undefined ? {} : { baseline }),
  };
  return { policy: { digest: sha256(canonical(document)), ...document }, decidedBy };
}

/** The values of a policy by key, as a layer that says all of it. */
export function layerOf(policy: Policy): PolicyLayer {
  return {
    "policy.preset": policy.preset,
    "policy.mode": policy.mode,
    "policy.hold": policy.hold,
    "policy.allow": policy.allow,
    "policy.private": policy.private,
    ...(policy.baseline === undefined ? {} : { "policy.baseline": policy.baseline }),
  };
}

/**
 * Names both lists allow. Of two patterns the narrower is kept where one covers the other: a pattern that matches the text of
 * another matches everything that one does. Patterns that overlap otherwise are dropped, which is the strict side.
 */
function narrow(ours: readonly string[], theirs: readonly string[]): readonly string[] {
  if (ours.length === 0) return sorted(theirs);
  const kept = [...theirs.filter((glob) => isCovered(glob, ours)), ...ours.filter((glob) => isCovered(glob, theirs))];
  return kept.length === 0 ? [NOTHING] : sorted(kept);
}

function isCovered(glob: string, by: readonly string[]): boolean {
  return by.some((wider) => nameMatches(wider, glob));
}

function sorted(globs: readonly string[]): readonly string[] {
  return [...new Set(globs)].toSorted();
}
