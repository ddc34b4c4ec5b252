/** What the history or the gate says of each version: held, denied, taken back, deprecated, signed or not. */
import type { Attested, Proof } from "../attest/attested.ts";
import type { ResolvedTree } from "../lockfile/tree.ts";
import type { Signal } from "../policy/verdict.ts";
import type { Fix } from "./finding.ts";
import type { Report } from "./raw.ts";
import type { RuleId } from "./rules.ts";
import type { CheckSubject, VersionState } from "./subject.ts";

export type Undecided = {
  /** How many entries nothing is known of, by why. */
  readonly unknown: ReadonlyMap<string, number>;
  /** How many whose signatures nobody looked at. */
  readonly unsigned: number;
};

export function checkState(tree: ResolvedTree, decided: NonNullable<CheckSubject["decided"]>, report: Report): Undecided {
  const unknown = new Map<string, number>();
  let unsigned = 0;
  for (let index = 0; index < tree.packages.length; index++) {
    const entry = tree.packages[index]!;
    if (entry.source.kind !== "registry" || entry.version === "") continue;
    const comparable = entry.integrity?.kind === "sri" || entry.integrity?.kind === "sha1" ? entry.integrity.value : undefined;
    const state = decided(entry.name, entry.version, comparable);
    if (typeof state === "string") {
      unknown.set(state, (unknown.get(state) ?? 0) + 1);
      unsigned++;
      continue;
    }
    const said = reportVerdict(index, state, report);
    if (state.differs !== undefined)
      report({
        rule: "integrity-differs",
        entry: index,
        message: "its integrity is not the registry's",
        evidence: [`the lockfile says ${entry.integrity?.value ?? "nothing"}`, `the registry says ${state.differs}`],
        mark: entry.integrity?.value ?? "",
      });
    const deprecated = state.deprecated ?? entry.deprecated;
    if (deprecated !== undefined && deprecated !== "") report({ rule: "deprecated", entry: index, message: `deprecated: ${deprecated}` });
    if (state.attested === undefined) unsigned++;
    else reportProofs(index, state.attested, said, report);
  }
  return { unknown, unsigned };
}

/** Without history the lockfile itself may still say that something is deprecated. */
export function checkDeprecated(tree: ResolvedTree, report: Report): void {
  for (let index = 0; index < tree.packages.length; index++) {
    const { deprecated } = tree.packages[index]!;
    if (deprecated !== undefined && deprecated !== "") report({ rule: "deprecated", entry: index, message: `deprecated: ${deprecated}` });
  }
}

/** Signals that have a rule of their own here; the verdict as a whole says the rest. */
const RULE_OF: Readonly<Record<string, RuleId>> = {
  "withdrawn-upstream": "withdrawn",
  "provenance-dropped": "provenance-dropped",
  "provenance-identity-changed": "provenance-dropped",
  "signature-invalid": "signature-invalid",
  "signature-dropped": "signature-missing",
  "attestation-invalid": "provenance-invalid",
};
const ACTION = { hold: "held", review: "review", deny: "denied" } as const;

/** Returns the rules that were said. */
function reportVerdict(index: number, { verdict, withheld, instead }: VersionState, report: Report): ReadonlySet<RuleId> {
  const fix: Fix | undefined = instead[0] === undefined ? undefined : { summary: `to ${instead[0]}, which is admitted` };
  const own = verdict.reasons.filter(({ id }) => RULE_OF[id] !== undefined);
  for (const signal of own)
    report({
      rule: RULE_OF[signal.id]!,
      entry: index,
      message: signal.title,
      evidence: linesOf([signal]),
      ...(fix ? { fix } : {}),
      mark: signal.id,
    });
  const said = new Set(own.map(({ id }) => RULE_OF[id]!));
  if (!withheld || verdict.action === "allow") return said;
  const rest = verdict.reasons.filter((signal) => !own.includes(signal));
  // What is withheld for these alone is said already.
  if (rest.length === 0) return said;
  const until =
    verdict.until === undefined || verdict.action !== "hold" ? "" : ` until ${new Date(verdict.until).toISOString().slice(0, 16)}Z`;
  report({
    rule: ACTION[verdict.action],
    entry: index,
    message: `${ACTION[verdict.action] === "review" ? "waits for review" : ACTION[verdict.action]}${until}: ${rest.map(({ title }) => title).join("; ")}`,
    evidence: linesOf(rest),
    ...(fix ? { fix } : {}),
    mark: rest
      .map(({ id }) => id)
      .toSorted()
      .join(" "),
  });
  return said;
}

function linesOf(signals: readonly Signal[]): readonly string[] {
  return signals.flatMap(({ id, evidence }) => (evidence.length === 0 ? [id] : evidence.map(({ text }) => `${id}: ${text}`)));
}

function reportProofs(index: number, attested: Attested, said: ReadonlySet<RuleId>, report: Report): void {
  const { signature, provenance, publish } = attested;
  const proofs: readonly (readonly [RuleId, string, Proof])[] = [
    ["signature-invalid", "the registry's signature does not hold", signature],
    ["provenance-invalid", "the attestation of its build does not hold", provenance],
    ["provenance-invalid", "the attestation of its publish does not hold", publish],
  ];
  for (const [rule, message, proof] of proofs)
    if (proof.state === "invalid" && !said.has(rule)) report({ rule, entry: index, message, evidence: [proof.reason], mark: message });
}
