/**
 * What becomes of news in an upstream's answer: bytes that changed, versions taken back, versions that returned. Each is an alert in
 * the ledger; what was taken back or changed is on the list of what is held, and its dependents are judged by it.
 */
import type { Clock } from "../core/base/time.ts";
import { isoMinute } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { HistoryEvent } from "../core/facts/observe.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { HeldStore, Ledger } from "./ports.ts";
import type { Recorder } from "./recorder.ts";

export type NewsPorts = {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly held: HeldStore;
  readonly recorder: Recorder;
  readonly verdictOf: (record: PackageRecord, version: string) => Promise<Verdict>;
};

/** Alerts for one answer; a package that is unpublished whole may have thousands of versions. */
const TOLD = 20;

export function newsDesk(ports: NewsPorts): (record: PackageRecord, events: readonly HistoryEvent[]) => Promise<void> {
  return async (record, events) => {
    const { name } = record;
    const alarming = events.filter(isAlarming);
    for (const event of alarming.slice(0, TOLD)) {
      await ports.recorder.alert({ what: event.kind, name, version: event.version, detail: await inWords(event, name) });
      if (event.kind === "version-returned") continue;
      const verdict = await ports.verdictOf(record, event.version);
      await ports.held.note({ name, version: event.version, at: ports.clock.now(), verdict, asked: false });
    }
    const more = alarming.length - TOLD;
    if (more > 0) await ports.recorder.alert({ what: alarming.at(-1)!.kind, name, detail: `and ${more} versions more` });
  };

  async function inWords(event: Alarming, name: string): Promise<string> {
    if (event.kind === "integrity-changed") return `its digest changed from ${event.from} to ${event.to}`;
    if (event.kind === "version-returned") return "the registry had taken it back and lists it again";
    const [row] = await ports.ledger.tail({ limit: 1, oldest: true, kinds: ["serve"], name, version: event.version });
    const served = row ? `served from here since ${isoMinute(row.entry.at)}` : "never served from here";
    return `the registry took it back; ${served}`;
  }
}

type Alarming = Extract<HistoryEvent, { kind: "integrity-changed" | "version-withdrawn" | "version-returned" }>;

function isAlarming(event: HistoryEvent): event is Alarming {
  return event.kind === "integrity-changed" || event.kind === "version-withdrawn" || event.kind === "version-returned";
}
