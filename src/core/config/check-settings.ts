/** What `cordon check` is held to, from several levels: like policy, the strictest wins, so a project tightens and never loosens. */
import type { CheckException } from "../check/exceptions.ts";
import type { CheckId, Severity } from "../check/finding.ts";
import { CHECKS, SEVERITIES } from "../check/finding.ts";
import type { Policy } from "../policy/policy.ts";

export type CheckSettings = {
  /** The least severe finding that fails a run. */
  readonly failOn: Severity;
  /** Checks without which a run does not count. */
  readonly require: readonly CheckId[];
  /** Hosts lockfiles may name besides the registries. */
  readonly hosts: readonly string[];
  readonly exceptions: readonly CheckException[];
};

export type CheckLayer = { readonly "check.failOn"?: Severity; readonly "check.require"?: readonly CheckId[] };
export type CheckKey = keyof CheckLayer;

/** Nothing is known of a version without its age and without the feeds: who wants to be strict wants both. */
const STRICT: readonly CheckId[] = ["advisories", "age"];

/** The machine's (over the defaults), tightened by each layer in turn; `decidedBy` says which of them decided a key, where one did. */
export function combineChecks(
  machine: CheckLayer,
  layers: readonly CheckLayer[],
  preset: Policy["preset"],
): { readonly failOn: Severity; readonly require: readonly CheckId[]; readonly decidedBy: Readonly<Partial<Record<CheckKey, number>>> } {
  const decidedBy: Partial<Record<CheckKey, number>> = {};
  let failOn = machine["check.failOn"] ?? "medium";
  const required = new Set([...(machine["check.require"] ?? []), ...(preset === "strict" ? STRICT : [])]);
  for (const [index, layer] of layers.entries()) {
    const theirs = layer["check.failOn"];
    if (theirs !== undefined && SEVERITIES.indexOf(theirs) > SEVERITIES.indexOf(failOn))
      [failOn, decidedBy["check.failOn"]] = [theirs, index];
    for (const check of layer["check.require"] ?? []) {
      if (required.has(check)) continue;
      required.add(check);
      decidedBy["check.require"] = index;
    }
  }
  return { failOn, require: CHECKS.filter((check) => required.has(check)), decidedBy };
}
