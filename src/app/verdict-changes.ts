/**
 * Writes a ledger row whenever the verdict of a withheld version changes: when it is first withheld, when its reasons or its end
 * change, and when it is admitted. Beside the answer, never in its way. Versions that cannot be read at all never change and get none.
 */
import type { Clock, Instant } from "../core/base/time.ts";
import type { LedgerEntry } from "../core/ledger/entry.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { PackageJudgement } from "./judgements.ts";
import type { HeldStore, Ledger } from "./ports.ts";

export type VerdictChangePorts = {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly held: HeldStore;
  readonly trouble: (what: string, error: unknown) => void;
};

/** Packages whose last verdicts are remembered; a forgotten one is written again, which is true and only costs rows. */
const REMEMBERED = 50_000;

export function verdictChanges(ports: VerdictChangePorts): (judgement: PackageJudgement) => void {
  const last = new Map<string, ReadonlyMap<string, string>>();

  return (judgement) => {
    const { name } = judgement.record;
    const at = ports.clock.now();
    const before = last.get(name) ?? new Map<string, string>();
    const now = new Map<string, string>();
    const rows: LedgerEntry[] = [];
    for (const [version, verdict] of judgement.withheld) {
      if (verdict.reasons.some((reason) => reason.id === "malformed-version")) continue;
      const mark = markOf(verdict);
      now.set(version, mark);
      if (before.get(version) !== mark) rows.push(row(at, judgement, version, verdict));
    }
    const admitted = [...before.keys()].filter((version) => !now.has(version) && judgement.served.has(version));
    for (const version of admitted) rows.push(row(at, judgement, version, undefined));
    if (now.size > 0) last.set(name, now);
    else last.delete(name);
    if (last.size > REMEMBERED) last.clear();
    if (rows.length > 0) ports.ledger.append(rows).catch((error: unknown) => ports.trouble("changed verdicts not written", error));
    for (const version of admitted)
      ports.held.drop(name, version).catch((error: unknown) => ports.trouble("admitted version not dropped from the held list", error));
  };
}

function markOf(verdict: Verdict): string {
  return `${verdict.action} ${verdict.until ?? ""} ${verdict.reasons.map((reason) => reason.id).join(",")}`;
}

/** Without a verdict: admitted. */
function row(at: Instant, judgement: PackageJudgement, version: string, verdict: Verdict | undefined): LedgerEntry {
  return {
    kind: "verdict",
    at,
    name: judgement.record.name,
    version,
    action: verdict?.action ?? "allow",
    ...(verdict?.until === undefined ? {} : { until: verdict.until }),
    signals: verdict?.reasons.map((reason) => reason.id) ?? [],
    policy: judgement.basis.policy,
    facts: judgement.factsDigest(version) ?? "",
  };
}
