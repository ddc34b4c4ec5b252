/** A new package with a name that could be taken for a well-known one, or for one it requires itself. */
import { DAY, instant, isoMinute } from "../base/time.ts";
import { resemblance } from "../facts/lookalike.ts";
import { POPULAR_NAMES } from "../facts/popular-names.ts";
import { dependenciesOf } from "../facts/release-facts.ts";
import type { Check } from "./check.ts";
import { holdUntil, isWithinHorizon, withinHorizon } from "./horizon.ts";

/** Older packages are what they are called; somebody would have noticed. */
const NEW = 90 * DAY;
const HOLD = 7 * DAY;

/** `tool-a` that requires `tool-b`: parts of one family are named like each other on purpose. */
function isSibling(name: string, other: string): boolean {
  const family = (of: string) => of.slice(0, Math.max(of.lastIndexOf("-"), of.lastIndexOf("/")) + 1);
  return family(name) !== "" && family(name) === family(other);
}

export const nameLookalike: Check = ({ facts, now }) => {
  const { release, name, start } = facts;
  // Of an upstream without times every package is as new as our first look at it.
  if (!release || facts.timeless || start - release.packageSince >= NEW || !isWithinHorizon(facts)) return undefined;
  if (POPULAR_NAMES.has(name)) return undefined;
  const required = dependenciesOf(release.own).map((one) => one.name);
  for (const other of [...required, ...POPULAR_NAMES]) {
    const how = resemblance(name, other);
    if (how === undefined || (required.includes(other) && isSibling(name, other))) continue;
    return {
      id: "name-lookalike",
      effect: facts.privateUpstream ? { kind: "note" } : withinHorizon(facts, holdUntil(facts, now, instant(start + HOLD))),
      title: `a new package called like ${other}: ${how}`,
      evidence: [
        { text: `${name} resembles ${other}${required.includes(other) ? ", which it requires" : ""}: ${how}`, source: "cordon" },
        { text: `its first version is of ${isoMinute(release.packageSince)}`, source: "registry", at: release.packageSince },
      ],
    };
  }
  return undefined;
};
