/** A name that is private here also exists on a public registry. */
import { nameMatches } from "../npm/name.ts";
import type { Check } from "./check.ts";

export const privateNameCollision: Check = ({ facts, policy, publicTwin }) => {
  // The private names never go out; a public copy here is left from before the name was declared private.
  if (!facts.privateUpstream && policy.private.some((glob) => nameMatches(glob, facts.name)))
    return {
      id: "private-name-collision",
      effect: { kind: "deny" },
      title: "its name is private here, and this copy came from a public registry",
      evidence: [{ text: `policy.private names ${facts.name}`, source: "policy" }],
    };
  if (!publicTwin) return undefined;
  return {
    id: "private-name-collision",
    effect: { kind: "note" },
    title: "its private name also exists on a public registry",
    evidence: [{ text: `${publicTwin.upstream} lists it too; the private one is served`, source: "registry", at: publicTwin.seen }],
  };
};
