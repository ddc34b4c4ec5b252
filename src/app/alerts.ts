/**
 * Alerts: each is a row in the ledger, and whoever is to be told is told once for each event, also after a restart and when several gates
 * share a data directory: what the ledger holds already was told.
 */
import { type Clock, HOUR, instant } from "../core/base/time.ts";
import { historyOf } from "../core/facts/history.ts";
import { type Alert, eventKey } from "../core/ledger/alert.ts";
import type { LedgerEntry, LedgerQuery, LedgerRow } from "../core/ledger/entry.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import { type Exposures, findingsIn } from "./exposures.ts";
import type { PackageJudgement } from "./judgements.ts";
import type { Ledger } from "./ports.ts";

type Told = Extract<LedgerEntry, { kind: "alert" }>;
export type AlertEvent = Omit<Alert, "at">;

/** Rows looked at for an earlier telling of the same event. */
const LOOKED_AT = 200;

/** Ends what the other began: afterwards the same is news again. */
const UNDOES: Readonly<Record<string, string>> = { "version-withdrawn": "version-returned", "version-returned": "version-withdrawn" };

/** Rows that tell of this event, oldest first; what was undone since does not count. */
export async function tellings(ledger: Pick<Ledger, "tail">, event: AlertEvent): Promise<readonly LedgerRow[]> {
  return tellingsIn(await ledger.tail(alertsOf(event)), event);
}

/** The rows that may tell of this event. */
export function alertsOf({ name, version }: Pick<AlertEvent, "name" | "version">): LedgerQuery {
  return { limit: LOOKED_AT, kinds: ["alert"], name, ...(version === undefined ? {} : { version }) };
}

/** Those of them that do. */
export function tellingsIn(rows: readonly LedgerRow[], event: AlertEvent): readonly LedgerRow[] {
  const undone = rows.findLastIndex(({ entry }) => (entry as Told).what === UNDOES[event.what]);
  return rows.slice(undone + 1).filter(({ entry }) => eventKey(entry as Told) === eventKey(event));
}

export type Watch = {
  /** Looks at a judgement for what somebody should be told of. Returns at once. */
  judged(judgement: PackageJudgement): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
};

export type WatchPorts = {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "tail">;
  readonly exposures: Exposures;
  /** Tells of an event unless the ledger holds it already. */
  readonly alert: (event: AlertEvent) => Promise<void>;
  readonly trouble: (what: string, error: unknown) => void;
};

/** Packages whose last findings are remembered; a forgotten one costs a look into the ledger. */
const REMEMBERED = 50_000;

/** Raises the alerts that come from judging: what was served and should not have been, and odd releases. */
export function watchJudgements(ports: WatchPorts): Watch {
  const seen = new Map<string, string>();
  let work: Promise<unknown> = Promise.resolve();

  async function look(judgement: PackageJudgement): Promise<void> {
    await ports.exposures.raise(judgement);
    for (const [version, verdict] of judgement.withheld) {
      const odd = verdict.reasons.find(({ id }) => id === "odd-release");
      if (odd) await tellOdd(judgement, version, odd.title);
    }
  }

  /** Once for each publisher and hour: a worm publishes hundreds of versions under one account. */
  async function tellOdd({ record: { name, summary } }: PackageJudgement, version: string, title: string): Promise<void> {
    const publisher = summary.releases?.[version]?.publisher?.name ?? "somebody unknown";
    const by = `published by ${publisher} · `;
    const now = ports.clock.now();
    const rows = await ports.ledger.tail({ limit: LOOKED_AT, kinds: ["alert"], since: instant(now - HOUR) });
    if (rows.some(({ entry }) => entry.kind === "alert" && entry.what === "odd-release" && entry.detail.startsWith(by))) return;
    await ports.alert({ what: "odd-release", name, version, detail: `${by}${title}` });
  }

  return {
    judged(judgement) {
      const { name } = judgement.record;
      const mark = markOf(judgement);
      if ((seen.get(name) ?? "") === mark) return;
      if (seen.size > REMEMBERED) seen.clear();
      seen.set(name, mark);
      work = work
        .then(() => look(judgement))
        .catch((error: unknown) => {
          seen.delete(name);
          ports.trouble("alert not raised", error);
        });
    },
    async idle() {
      await work;
    },
  };
}

/** What could be news of a package; empty for nearly every one. What feeds or people say of a version that is gone stands in no listing. */
function markOf({ record, withheld, monitored, basis }: PackageJudgement): string {
  const found = [...withheld, ...monitored].flatMap(([version, verdict]) => {
    const ids = [...findingsIn(verdict), ...deniedBy(verdict)];
    return ids.length === 0 ? [] : `${version} ${ids.join(" ")}`;
  });
  const gone = Object.keys(record.versions).filter((version) => historyOf(record, version)?.gone === true);
  if (gone.length > 0) found.push(`gone ${gone.join(" ")}, judged by ${basis.epoch} ${basis.revisions.get(record.name)}`);
  return found.join("\n");
}

function deniedBy({ reasons }: Verdict): readonly string[] {
  return reasons.flatMap(({ id, evidence }) => (id === "denied-by-policy" ? evidence.map(({ text }) => text) : []));
}
