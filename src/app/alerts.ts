/**
 * Alerts: each is a row in the ledger, and whoever is to be told is told once for each event, also after a restart and when several gates
 * share a data directory: what the ledger holds already was told.
 */
import { type Clock, HOUR, instant } from "../core/base/time.ts";
import { type Alert, eventKey } from "../core/ledger/alert.ts";
import type { Asker, LedgerEntry } from "../core/ledger/entry.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { PackageJudgement } from "./judgements.ts";
import type { Ledger } from "./ports.ts";

type Told = Extract<LedgerEntry, { kind: "alert" }>;
export type AlertEvent = Omit<Alert, "at">;

/** Rows looked at for an earlier telling of the same event. */
const LOOKED_AT = 200;

/** Ends what the other began: afterwards the same is news again. */
const UNDOES: Readonly<Record<string, string>> = { "version-withdrawn": "version-returned", "version-returned": "version-withdrawn" };

/** Whether the ledger holds this event already. */
export async function wasTold(ledger: Pick<Ledger, "tail">, event: AlertEvent): Promise<boolean> {
  const { name, version, what } = event;
  const rows = await ledger.tail({ limit: LOOKED_AT, kinds: ["alert"], name, ...(version === undefined ? {} : { version }) });
  const told = rows.map(({ entry }) => entry as Told);
  const undone = told.findLastIndex((one) => one.what === UNDOES[what]);
  return told.slice(undone + 1).some((one) => eventKey(one) === eventKey(event));
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
  readonly alert: (event: AlertEvent) => Promise<void>;
  readonly trouble: (what: string, error: unknown) => void;
};

/** Packages whose last findings are remembered; a forgotten one costs a look into the ledger. */
const REMEMBERED = 50_000;

/** Raises the alerts that come from judging: served and now withheld by a finding or a feed, and odd releases. */
export function watchJudgements(ports: WatchPorts): Watch {
  const seen = new Map<string, string>();
  let work: Promise<unknown> = Promise.resolve();

  async function look(judgement: PackageJudgement, version: string, verdict: Verdict): Promise<void> {
    const { name } = judgement.record;
    const found = verdict.reasons.filter(({ id }) => isFinding(id)).map(({ id }) => id);
    const fetched = await ports.ledger.tail({ limit: LOOKED_AT, kinds: ["serve"], name, version });
    if (fetched.length > 0) {
      const askers = [...new Set(fetched.flatMap(({ entry }) => (entry.kind === "serve" ? [askerName(entry.asker)] : [])))];
      const event = {
        what: "served-now-withheld",
        name,
        version,
        detail: `withheld now by ${found.toSorted().join(", ")} · fetched by ${askers.slice(0, NAMED).join(", ")}${askers.length > NAMED ? ` and ${askers.length - NAMED} more` : ""}`,
      };
      if (!(await wasTold(ports.ledger, event))) await ports.alert(event);
    }
    const odd = verdict.reasons.find(({ id }) => id === "odd-release");
    if (odd) await tellOdd(judgement, version, odd.title);
  }

  /** Once for each publisher and hour: a worm publishes hundreds of versions under one account. */
  async function tellOdd({ record: { name, summary } }: PackageJudgement, version: string, title: string): Promise<void> {
    const publisher = summary.releases?.[version]?.publisher?.name ?? "somebody unknown";
    const by = `published by ${publisher} · `;
    const now = ports.clock.now();
    const rows = await ports.ledger.tail({ limit: LOOKED_AT, kinds: ["alert"], since: instant(now - HOUR) });
    if (rows.some(({ entry }) => entry.kind === "alert" && entry.what === "odd-release" && entry.detail.startsWith(by))) return;
    const event = { what: "odd-release", name, version, detail: `${by}${title}` };
    if (!(await wasTold(ports.ledger, event))) await ports.alert(event);
  }

  return {
    judged(judgement) {
      for (const [version, verdict] of judgement.withheld) {
        const ids = verdict.reasons.map(({ id }) => id).filter(isFinding);
        if (ids.length === 0) continue;
        const key = `${judgement.record.name}@${version}`;
        const mark = ids.toSorted().join(" ");
        if (seen.get(key) === mark) continue;
        if (seen.size > REMEMBERED) seen.clear();
        seen.set(key, mark);
        work = work
          .then(() => look(judgement, version, verdict))
          .catch((error: unknown) => {
            seen.delete(key);
            ports.trouble("alert not raised", error);
          });
      }
    },
    async idle() {
      await work;
    },
  };
}

/** Askers named in one alert. */
const NAMED = 5;

/** Not what time, a list here or the registry itself decided: those are no findings, or have alerts of their own. */
const NO_FINDINGS: ReadonlySet<string> = new Set([
  "young-release",
  "not-reconfirmed",
  "dependency-withheld",
  "integrity-changed",
  "withdrawn-upstream",
  "name-not-allowed",
  "denied-by-policy",
  "frozen",
  "malformed-version",
]);

function isFinding(id: string): boolean {
  return !NO_FINDINGS.has(id) && !id.startsWith("not-checked:");
}

function askerName({ project, client, token, from }: Asker): string {
  return project ?? token ?? client ?? from ?? "somebody";
}
