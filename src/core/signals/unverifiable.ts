/** A key, log, authority or format this cordon does not know signed it: it may be newer than what cordon trusts, or nobody's. */
import { isPresent } from "../attest/attested.ts";
import { DAY, instant } from "../base/time.ts";
import type { Evidence } from "../policy/verdict.ts";
import { earlierOf } from "./attested.ts";
import type { Check } from "./check.ts";

/** Design §4: "`unverifiable` … hold 7d and run feeds sync". */
const HOLD = 7 * DAY;

export const unverifiable: Check = ({ facts, now }) => {
  const { attested, release } = facts;
  if (!attested) return undefined;
  const doubts: readonly Evidence[] = Object.entries(attested.own).flatMap(([what, proof]) =>
    proof.state === "unverifiable" ? [{ text: `${what}: ${proof.reason}`, source: "registry" }] : [],
  );
  const promised = release?.own.attestations?.provenance !== undefined && attested.own.provenance.state === "absent";
  if (doubts.length === 0 && !promised) return undefined;
  // Many mirrors pass no attestations on. One that did before keeps something back.
  const withheld = promised && earlierOf(facts).some((one) => one.attested !== undefined && isPresent(one.attested.provenance));
  const until = instant(facts.start + HOLD);
  const holds = (doubts.length > 0 || withheld) && now < until && !facts.privateUpstream;
  return {
    id: "unverifiable",
    effect: holds ? { kind: "hold", until } : { kind: "note" },
    title:
      doubts.length > 0
        ? "what signs it cannot be verified here; `cordon feeds sync` may bring the keys"
        : "its entry promises provenance, but the registry gives none",
    evidence: promised ? [...doubts, { text: "provenance: promised in its entry, and not there", source: "registry" }] : doubts,
  };
};
