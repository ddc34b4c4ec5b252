/**
 * What becomes of news in an upstream's answer: bytes that changed, versions taken back, versions that returned. Each is an alert in
 * the ledger; what was taken back or changed is on the list of what is held, and its dependents are judged by it. A text or a tag that
 * turns people away from a version they may have is an alert too.
 */
import type { Clock } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { HistoryEvent } from "../core/facts/observe.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { SignalId } from "../core/signals/table.ts";
import type { HeldStore, Ledger } from "./ports.ts";
import type { Recorder } from "./recorder.ts";

export type NewsPorts = {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly held: HeldStore;
  readonly recorder: Recorder;
  readonly verdictOf: (record: PackageRecord, version: string) => Promise<Verdict>;
};

export type NewsDesk = {
  /** Takes the news of one answer. Returns at once; what goes wrong is the recorder's trouble. */
  take(record: PackageRecord, events: readonly HistoryEvent[]): void;
  /** Resolves when all that was taken is told. */
  idle(): Promise<void>;
};

/** Alerts for one answer; a package that is unpublished whole may have thousands of versions. */
const TOLD = 20;

export function newsDesk(ports: NewsPorts): NewsDesk {
  const under = new Set<Promise<void>>();

  async function report(record: PackageRecord, events: readonly HistoryEvent[]): Promise<void> {
    const { name } = record;
    const alarming = events.filter(isAlarming);
    for (const event of alarming.slice(0, TOLD)) {
      // Of one that was served whoever watches what was served tells more (`exposures.ts`).
      if (event.kind !== "version-withdrawn" || !(await wasServed(name, event.version)))
        await ports.recorder.alert({ what: event.kind, name, version: event.version, detail: inWords(event) });
      if (event.kind === "version-returned") continue;
      const verdict = await ports.verdictOf(record, event.version);
      await ports.held.note({ name, version: event.version, at: ports.clock.now(), verdict, asked: false });
    }
    const more = alarming.length - TOLD;
    if (more > 0) await ports.recorder.alert({ what: alarming.at(-1)!.kind, name, detail: `and ${more} versions more` });
    for (const [kind, id] of Object.entries(TOLD_BY)) await tellDiversion(record, id, versionsOf(events, kind));
  }

  /** Once for each answer: maintainers deprecate all versions of a package with one command. Admitted versions alone (design §4). */
  async function tellDiversion(record: PackageRecord, id: SignalId, versions: readonly string[]): Promise<void> {
    for (const version of versions.slice(-TOLD)) {
      const { action, notes } = await ports.verdictOf(record, version);
      const said = action === "allow" ? notes.find((signal) => signal.id === id) : undefined;
      if (!said) continue;
      const others = versions.length === 1 ? "" : ` · ${versions.length} versions in one answer`;
      await ports.recorder.alert({ what: id, name: record.name, version, detail: `${said.title}${others}` });
      return;
    }
  }

  async function wasServed(name: string, version: string): Promise<boolean> {
    return (await ports.ledger.tail({ limit: 1, oldest: true, kinds: ["serve"], name, version })).length > 0;
  }

  return {
    take(record, events) {
      const work = report(record, events)
        .catch((error: unknown) => ports.recorder.trouble("alert not written", error))
        .finally(() => under.delete(work));
      under.add(work);
    },
    async idle() {
      while (under.size > 0) await Promise.all(under);
    },
  };
}

/** News that only its verdict can tell to be an alert, by the note that says so. */
const TOLD_BY = { "deprecation-changed": "deprecation-text-new", "tag-moved": "tag-moved-back" } as const satisfies Partial<
  Record<HistoryEvent["kind"], SignalId>
>;

/** The versions an answer deprecated, or points a tag at. */
function versionsOf(events: readonly HistoryEvent[], kind: string): readonly string[] {
  return events.flatMap((event) => {
    if (event.kind !== kind) return [];
    if (event.kind === "deprecation-changed" && event.text !== undefined) return event.version;
    return event.kind === "tag-moved" && event.to !== undefined ? event.to : [];
  });
}

type Alarming = Extract<HistoryEvent, { kind: "integrity-changed" | "version-withdrawn" | "version-returned" }>;

function isAlarming(event: HistoryEvent): event is Alarming {
  return event.kind === "integrity-changed" || event.kind === "version-withdrawn" || event.kind === "version-returned";
}

function inWords(event: Alarming): string {
  if (event.kind === "integrity-changed") return `its digest changed from ${event.from} to ${event.to}`;
  if (event.kind === "version-returned") return "the registry had taken it back and lists it again";
  return "the registry took it back · never served from here";
}
