/** The policy lists allowed names and this is not one of them. */
import { nameMatches } from "../npm/name.ts";
import type { Policy } from "../policy/policy.ts";
import type { Check } from "./check.ts";

export const nameNotAllowed: Check = ({ facts, policy }) => {
  if (isNameAllowed(facts.name, facts.privateUpstream, policy)) return undefined;
  return {
    id: "name-not-allowed",
    effect: { kind: "review" },
    title: "its name is not on the list of allowed names",
    evidence: [{ text: `no pattern of policy.allow matches ${facts.name}`, source: "policy" }],
  };
};

/**
 * `balanced` restricts names only when the list has entries; `strict` allows nothing that is not on it. Private names and names from
 * a private upstream are somebody's decision already.
 */
export function isNameAllowed(name: string, privateUpstream: boolean, policy: Policy): boolean {
  if (policy.allow.length === 0 && policy.preset !== "strict") return true;
  return privateUpstream || policy.private.some((glob) => nameMatches(glob, name)) || policy.allow.some((glob) => nameMatches(glob, name));
}
