/** The registry took the version back. */
import { DAY, isoMinute, span } from "../base/time.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";

/** Taken down this soon after it appeared, a version is taken for malware. */
const SOON = 30 * DAY;

/**
 * Design §4: "gone within 30 days of publish, replaced by a security holding …; an older one already served is withheld from
 * ranges, and pins of the same integrity are served from cache with an alert".
 */
export const withdrawnUpstream: Check = ({ facts }) => {
  const { gone } = facts;
  if (!gone) return undefined;
  const lived = gone.since - facts.start;
  const evidence: Evidence[] = [
    {
      text: `not in the registry's answers since ${isoMinute(gone.since)}, ${span(lived)} after it appeared`,
      source: "registry",
      at: gone.since,
    },
  ];
  const title = `removed from the registry ${isoMinute(gone.since)}`;
  if (!gone.confirmed) {
    // One answer without it may be a cache that lags; for a version this young that is not a bet worth taking.
    const effect = lived <= SOON ? ({ kind: "hold" } as const) : ({ kind: "note" } as const);
    return {
      id: "withdrawn-upstream",
      effect,
      title: `missing from the registry since ${isoMinute(gone.since)}, not confirmed yet`,
      evidence,
    };
  }
  if (facts.securityHolding) {
    evidence.push({ text: "the registry put a security placeholder in the package's place", source: "registry" });
    return { id: "withdrawn-upstream", effect: { kind: "deny" }, title, evidence };
  }
  if (lived <= SOON) return { id: "withdrawn-upstream", effect: { kind: "deny" }, title, evidence };
  return { id: "withdrawn-upstream", effect: { kind: "review", ...(facts.served ? { pins: "served" } : {}) }, title, evidence };
};
