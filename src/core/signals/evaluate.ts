/** Runs every signal over one version, in the order of the table. A check that throws is itself a signal. */
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import type { Signal } from "../policy/verdict.ts";
import { analysisIncomplete } from "./analysis-incomplete.ts";
import { archiveMalformed } from "./archive-malformed.ts";
import { attestationInvalid } from "./attestation-invalid.ts";
import { binChanged } from "./bin-changed.ts";
import { capabilityAdded } from "./capability-added.ts";
import type { Check, SignalInput } from "./check.ts";
import { deniedByPolicy } from "./denied-by-policy.ts";
import { dependencyRemoved } from "./dependency-removed.ts";
import { dependencyUnimported } from "./dependency-unimported.ts";
import { dependencyWithheld } from "./dependency-withheld.ts";
import { deprecationTextNew } from "./deprecation-text-new.ts";
import { dormantRevived } from "./dormant-revived.ts";
import { enginesChanged } from "./engines-changed.ts";
import { exoticDependency } from "./exotic-dependency.ts";
import { frozen } from "./frozen.ts";
import { installExecutionAdded } from "./install-execution-added.ts";
import { integrityChanged } from "./integrity-changed.ts";
import { malformedVersion } from "./malformed-version.ts";
import { malwareReport } from "./malware-report.ts";
import { manifestMismatch } from "./manifest-mismatch.ts";
import { nameLookalike } from "./name-lookalike.ts";
import { nameNotAllowed } from "./name-not-allowed.ts";
import { newYoungDependency } from "./new-young-dependency.ts";
import { notReconfirmed } from "./not-reconfirmed.ts";
import { oddRelease } from "./odd-release.ts";
import { oldLinePublish } from "./old-line-publish.ts";
import { privateNameCollision } from "./private-name-collision.ts";
import { provenanceDropped } from "./provenance-dropped.ts";
import { provenanceIdentityChanged } from "./provenance-identity-changed.ts";
import { publishBurst } from "./publish-burst.ts";
import { publisherChanged } from "./publisher-changed.ts";
import { repositoryChanged } from "./repository-changed.ts";
import { shrinkwrapForeign } from "./shrinkwrap-foreign.ts";
import { signatureDropped } from "./signature-dropped.ts";
import { signatureInvalid } from "./signature-invalid.ts";
import { sizeJump } from "./size-jump.ts";
import type { SignalId } from "./table.ts";
import { tagMovedBack } from "./tag-moved-back.ts";
import { timeContradicted } from "./time-contradicted.ts";
import { trustedPublisherDropped } from "./trusted-publisher-dropped.ts";
import { unverifiable } from "./unverifiable.ts";
import { versionOdd } from "./version-odd.ts";
import { vulnerabilityReport } from "./vulnerability-report.ts";
import { withdrawnUpstream } from "./withdrawn-upstream.ts";
import { youngRelease } from "./young-release.ts";

export const CHECKS: Readonly<Record<SignalId, Check>> = {
  "young-release": youngRelease,
  "not-reconfirmed": notReconfirmed,
  "dependency-withheld": dependencyWithheld,
  "integrity-changed": integrityChanged,
  "withdrawn-upstream": withdrawnUpstream,
  "malware-report": malwareReport,
  "vulnerability-report": vulnerabilityReport,
  "name-not-allowed": nameNotAllowed,
  "denied-by-policy": deniedByPolicy,
  frozen,
  "malformed-version": malformedVersion,
  "private-name-collision": privateNameCollision,
  "install-execution-added": installExecutionAdded,
  "exotic-dependency": exoticDependency,
  "trusted-publisher-dropped": trustedPublisherDropped,
  "new-young-dependency": newYoungDependency,
  "name-lookalike": nameLookalike,
  "odd-release": oddRelease,
  "publisher-changed": publisherChanged,
  "publish-burst": publishBurst,
  "dormant-revived": dormantRevived,
  "old-line-publish": oldLinePublish,
  "size-jump": sizeJump,
  "repository-changed": repositoryChanged,
  "version-odd": versionOdd,
  "bin-changed": binChanged,
  "engines-changed": enginesChanged,
  "dependency-removed": dependencyRemoved,
  "deprecation-text-new": deprecationTextNew,
  "tag-moved-back": tagMovedBack,
  "time-contradicted": timeContradicted,
  "capability-added": capabilityAdded,
  "manifest-mismatch": manifestMismatch,
  "dependency-unimported": dependencyUnimported,
  "shrinkwrap-foreign": shrinkwrapForeign,
  "archive-malformed": archiveMalformed,
  "analysis-incomplete": analysisIncomplete,
  "signature-invalid": signatureInvalid,
  "attestation-invalid": attestationInvalid,
  "signature-dropped": signatureDropped,
  "provenance-dropped": provenanceDropped,
  "provenance-identity-changed": provenanceIdentityChanged,
  unverifiable,
};

/** `checks` is an argument so that a test can break one. */
export function evaluate(input: SignalInput, checks: Readonly<Record<string, Check>> = CHECKS): readonly Signal[] {
  const signals: Signal[] = [];
  for (const [id, check] of Object.entries(checks)) {
    const signal = run(id, check, input);
    if (signal) signals.push(clean(signal));
  }
  for (const { check, reason } of input.facts.notChecked ?? []) signals.push(clean(notChecked(check, reason, input)));
  return signals;
}

function run(id: string, check: Check, input: SignalInput): Signal | undefined {
  try {
    return check(input);
  } catch (error) {
    return notChecked(id, error, input);
  }
}

/** Design §4: a check that could not run is "a hold, retried, for versions under 14 days old; a note for older ones; never latched". */
function notChecked(id: string, error: unknown, { facts, now }: SignalInput): Signal {
  return {
    id: `not-checked:${id}`,
    effect: now - facts.start < LIMITS.matureMs ? { kind: "hold" } : { kind: "note" },
    title: `the check ${id} could not run`,
    evidence: [{ text: error instanceof Error ? error.message : String(error), source: "cordon" }],
  };
}

/** Upstream text reaches people through here only: one line, no control characters, bounded. */
function clean(signal: Signal): Signal {
  return { ...signal, title: line(signal.title), evidence: signal.evidence.map((one) => ({ ...one, text: line(one.text) })) };
}

/** Long enough for a list of digests, short enough for a terminal. */
const LINE_CHARS = 500;

function line(text: string): string {
  const plain = printable(text);
  return plain.length > LINE_CHARS ? `${plain.slice(0, LINE_CHARS - 1)}…` : plain;
}
