/** A tag was moved lately from a release to something less: whoever can move tags can choose which old version everybody gets. */
import { isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";

export const tagMovedBack: Check = ({ facts: { movedBack } }) => {
  if (!movedBack) return undefined;
  const { tag, from, since } = movedBack;
  return {
    id: "tag-moved-back",
    effect: { kind: "note" },
    title: `the tag ${tag} was moved back to it from ${from}`,
    evidence: [{ text: `seen here ${isoMinute(since)}; ${from} is still listed`, source: "history", at: since }],
  };
};
