/** Somebody here denied this version, or these bytes under any name. */
import { iso } from "../base/time.ts";
import { activeDenies, isDenied } from "../policy/deny.ts";
import type { Check } from "./check.ts";

export const deniedByPolicy: Check = ({ facts, exceptions }) => {
  const denies = activeDenies(exceptions.denies).filter((deny) => isDenied(deny, facts));
  if (denies.length === 0) return undefined;
  return {
    id: "denied-by-policy",
    effect: { kind: "deny" },
    title: `denied here by ${denies[0]!.owner}`,
    evidence: denies.map((deny) => ({
      text: `${deny.reason} (${deny.owner}, ${iso(deny.created).slice(0, 10)}, ${deny.id})`,
      source: "policy",
      at: deny.created,
    })),
  };
};
