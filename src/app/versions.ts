/** All versions of one package with what is decided and said of each: what a repair chooses from. */
import { inForce } from "../core/advisory/contested.ts";
import type { AdvisoryIndex } from "../core/advisory/index-file.ts";
import type { Instant } from "../core/base/time.ts";
import type { RepairCandidate } from "../core/check/repair.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";

export type VersionsOf = (name: string) => Promise<{
  readonly candidates: readonly RepairCandidate[];
  readonly tags: Readonly<Record<string, string>>;
}>;

/** Every listed version of a package with what is decided and said of it. */
export function versionsOf(ports: {
  readonly knowledge: Pick<Knowledge, "know">;
  readonly judgements: Pick<Judgements, "ofPackage">;
  readonly index: () => Pick<AdvisoryIndex, "claims"> | undefined;
  readonly now: () => Instant;
}): VersionsOf {
  return async (name) => {
    const known = await ports.knowledge.know(name);
    if (known.kind !== "known") return { candidates: [], tags: {} };
    const judgement = await ports.judgements.ofPackage(known.record);
    const candidates = known.record.summary.versions.map(({ version, deprecated }): RepairCandidate => {
      const verdict = judgement.withheld.get(version);
      const claims = inForce(ports.index()?.claims(name, version) ?? [], ports.now());
      return {
        version,
        state: verdict === undefined ? "admitted" : verdict.action === "hold" ? "held" : "refused",
        start: judgement.start(version),
        affectedBy: [...new Set(claims.map(({ id }) => id))],
        ...(verdict?.until === undefined ? {} : { until: verdict.until }),
        ...(deprecated === undefined ? {} : { deprecated }),
      };
    });
    return { candidates, tags: judgement.tags };
  };
}
