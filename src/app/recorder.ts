/**
 * Everything the gate must remember about what it did: ledger rows (durable before the answer ends), the list of what is held,
 * per-minute counters, alerts, and the recent decisions that a wrapper asks for when its client has ended.
 */
import type { Clock, Instant } from "../core/base/time.ts";
import type { Asker, LedgerEntry } from "../core/ledger/entry.ts";
import { type Alert, eventKey } from "../core/ledger/alert.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import { alertsOf, tellings, tellingsIn } from "./alerts.ts";
import type { LeftOut } from "./left-out.ts";
import type { HeldStore, Ledger } from "./ports.ts";

/** Something this gate withheld or served, as `/-/cordon/decisions` reports it. */
export type Decision = {
  readonly at: Instant;
  readonly kind: "refused" | "left-out" | "served" | "mismatch";
  readonly name: string;
  readonly version?: string;
  readonly verdict?: Verdict;
  readonly line?: string;
  /** Of a left-out version: the upstream's tags that name it. */
  readonly tags?: readonly string[];
  /** Of a left-out version: what to install instead, nearest first. */
  readonly instead?: readonly string[];
  readonly asker: Asker;
};

export type Counters = {
  packuments: number;
  warm: number;
  tarballs: number;
  tarballBytes: number;
  refused: number;
  mismatches: number;
  alerts: number;
  upstreamFailures: number;
};

export type Recorder = {
  /** `leftOut`: of an answer that left something out or shows it for monitor mode alone. */
  packument(name: string, leftOut: LeftOut | undefined, asker: Asker): void;
  /** Notes what an answer did not show, and what only monitor mode showed; `packument` does so too. */
  leftOut(name: string, leftOut: LeftOut | undefined, asker: Asker): void;
  served(row: {
    name: string;
    version: string;
    integrity: string;
    bytes: number;
    asker: Asker;
    stale?: string;
    alert?: string;
  }): Promise<void>;
  refused(row: {
    name: string;
    version?: string;
    integrity?: string;
    route: "tarball" | "packument" | "manifest" | "other";
    verdict?: Verdict | undefined;
    asker: Asker;
    signals?: readonly string[];
    asked?: boolean;
  }): Promise<void>;
  mismatch(row: { name: string; version: string; expected: string; known: string; asker: Asker }): Promise<void>;
  /** `fetched` and `next` go to whoever is told; the ledger has the rows they were read from. */
  alert(row: Omit<Alert, "at">): Promise<void>;
  /** The same for what is one event however many see it: written and told by the first of them alone. */
  alertOnce(row: Omit<Alert, "at">): Promise<void>;
  /** Something went wrong beside the answer; logged, counted, never thrown. */
  trouble(what: string, error: unknown): void;
  /**
   * What was asked and decided since a moment, or since an earlier answer's `next` (exact where clocks differ), of one project or of all.
   * A version left out of many answers is there once.
   */
  decisions(query: { since?: Instant; after?: number | "now"; project?: string }): {
    readonly next: number;
    readonly requests: number;
    readonly decisions: readonly Decision[];
  };
  readonly counters: Counters;
  /** Writes the per-minute counters and waits for everything that is still being written. */
  flush(): Promise<void>;
};

export type RecorderPorts = {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly held: HeldStore;
  /** Tells whoever is to be told of an alert; returns at once. */
  readonly notify?: (alert: Alert) => void;
  readonly log: (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
};

/** Decisions kept in memory for wrappers; older ones are in the ledger. */
const RECENT = 20_000;

export function openRecorder(ports: RecorderPorts): Recorder {
  const counters: Counters = {
    packuments: 0,
    warm: 0,
    tarballs: 0,
    tarballBytes: 0,
    refused: 0,
    mismatches: 0,
    alerts: 0,
    upstreamFailures: 0,
  };
  /** Counts requests and decisions. */
  let sequence = 0;
  const recent: (Decision & { readonly seq: number })[] = [];
  const seen = recentRequests();
  /** The newest answer that left versions out, by project and name. */
  const leftOut = new Map<string, Left>();
  const minute = new Map<string, number>();
  const writing = new Set<Promise<unknown>>();
  /** What was noted of each package for each project, so that a popular packument costs one write and not one a request. */
  const noted = new Map<string, string>();

  function remember(decision: Decision): void {
    recent.push({ ...decision, seq: ++sequence });
    if (recent.length > RECENT * 1.1) recent.splice(0, recent.length - RECENT);
  }

  function ask(asker: Asker): void {
    seen.add(++sequence, ports.clock.now(), asker.project);
  }

  function beside(work: Promise<unknown>, what: string): void {
    const tracked: Promise<unknown> = work.catch((error: unknown) => trouble(what, error)).finally(() => writing.delete(tracked));
    writing.add(tracked);
  }

  function trouble(what: string, error: unknown): void {
    ports.log("error", what, { error: error instanceof Error ? error.message : String(error) });
  }

  function write(entries: readonly LedgerEntry[]): Promise<void> {
    return during(ports.ledger.append(entries));
  }

  /** What is being written is waited for when the gate ends. */
  async function during<T>(work: Promise<T>): Promise<T> {
    writing.add(work);
    try {
      return await work;
    } finally {
      writing.delete(work);
    }
  }

  /** Events being written just now: two requests may meet the same wrong bytes. */
  const telling = new Set<string>();

  /** Writes an alert, and tells of it whoever is to be told, unless the ledger held it before. */
  async function raise(alert: Alert): Promise<void> {
    const { fetched: _fetched, next: _next, ...row } = alert;
    const key = eventKey(alert);
    const isFirst = ports.notify !== undefined && !telling.has(key);
    if (isFirst) telling.add(key);
    try {
      const isNews = isFirst && (await firstTeller(alert)) === undefined;
      await write([{ kind: "alert", ...row }]).catch((error: unknown) => {
        if (isNews) ports.notify?.(alert);
        throw error;
      });
      // Of several gates that share a ledger and see the same at once, the one whose row came first tells.
      if (isNews && ((await firstTeller(alert)) ?? ports.ledger.chain) === ports.ledger.chain) ports.notify?.(alert);
    } finally {
      if (isFirst) telling.delete(key);
    }
  }

  /** Whose row of this event is the oldest. A ledger that cannot be read keeps nobody from being told. */
  async function firstTeller(alert: Alert): Promise<string | undefined> {
    try {
      return (await tellings(ports.ledger, alert))[0]?.chain;
    } catch (error) {
      trouble("earlier alerts not readable", error);
      return undefined;
    }
  }

  function noteLeftOut(name: string, told: LeftOut | undefined, asker: Asker): void {
    if (!told) return;
    const place = `${asker.project ?? ""} ${name}`;
    const before = leftOut.get(place);
    if (before?.told === told) {
      // The same answer again, which most are: nothing new to keep or to note.
      before.seq = ++sequence;
      before.at = ports.clock.now();
      before.asker = asker;
      return;
    }
    if (told.versions.some((one) => !one.monitored)) {
      leftOut.set(place, { seq: ++sequence, at: ports.clock.now(), name, told, asker });
      if (leftOut.size > RECENT * 1.1) for (const [oldest] of [...leftOut].toSorted(bySequence).slice(0, -RECENT)) leftOut.delete(oldest);
    }
    if (noted.get(place) === told.mark) return;
    if (noted.size > RECENT) noted.clear();
    noted.set(place, told.mark);
    const project = asker.project === undefined ? {} : { project: asker.project };
    for (const { version, verdict, integrity } of told.versions) {
      // Old releases that no client can read are no news; who asks for one by name is told, and then it is noted.
      if (verdict.reasons.every((reason) => reason.id === "malformed-version")) continue;
      const note = {
        name,
        version,
        at: ports.clock.now(),
        ...project,
        verdict,
        asked: false,
        ...(integrity === undefined ? {} : { integrity }),
      };
      beside(ports.held.note(note), "held version not noted");
    }
  }

  return {
    counters,
    trouble,
    packument(name, told, asker) {
      counters.packuments += 1;
      ask(asker);
      minute.set(asker.project ?? "", (minute.get(asker.project ?? "") ?? 0) + 1);
      noteLeftOut(name, told, asker);
    },
    leftOut: noteLeftOut,
    async served(row) {
      counters.tarballs += 1;
      counters.tarballBytes += row.bytes;
      ask(row.asker);
      const { stale, alert, ...rest } = row;
      if (alert !== undefined) {
        counters.alerts += 1;
        ports.log("warn", "served with an alert", { name: row.name, version: row.version, alert });
      }
      await write([
        {
          kind: "serve",
          at: ports.clock.now(),
          ...rest,
          ...(stale === undefined ? {} : { stale: true }),
          ...(alert === undefined ? {} : { alert }),
        },
      ]);
      remember({ at: ports.clock.now(), kind: "served", name: row.name, version: row.version, asker: row.asker });
    },
    async refused(row) {
      counters.refused += 1;
      ask(row.asker);
      const { verdict } = row;
      const signals = row.signals ?? verdict?.reasons.map((reason) => reason.id) ?? [];
      const version = row.version === undefined ? {} : { version: row.version };
      await write([
        {
          kind: "refuse",
          at: ports.clock.now(),
          name: row.name,
          ...version,
          route: row.route,
          action: verdict?.action ?? "deny",
          signals,
          ...(verdict?.until === undefined ? {} : { until: verdict.until }),
          asker: row.asker,
        },
      ]);
      remember({
        at: ports.clock.now(),
        kind: "refused",
        name: row.name,
        ...version,
        ...(verdict === undefined ? {} : { verdict }),
        asker: row.asker,
      });
      if (verdict && row.version !== undefined && row.asked) {
        const project = row.asker.project === undefined ? {} : { project: row.asker.project };
        const integrity = row.integrity === undefined ? {} : { integrity: row.integrity };
        await ports.held.note({
          name: row.name,
          version: row.version,
          ...integrity,
          at: ports.clock.now(),
          ...project,
          verdict,
          asked: true,
        });
      }
    },
    async mismatch(row) {
      counters.mismatches += 1;
      ports.log("warn", "a lockfile expects other bytes", {
        name: row.name,
        version: row.version,
        expected: row.expected,
        known: row.known,
      });
      ask(row.asker);
      await write([{ kind: "mismatch", at: ports.clock.now(), ...row }]);
      remember({
        at: ports.clock.now(),
        kind: "mismatch",
        name: row.name,
        version: row.version,
        line: `the lockfile expects ${row.expected}`,
        asker: row.asker,
      });
    },
    async alert(row) {
      counters.alerts += 1;
      ports.log("warn", row.what, { name: row.name, version: row.version, detail: row.detail });
      await raise({ at: ports.clock.now(), ...row });
    },
    async alertOnce(row) {
      const alert = { at: ports.clock.now(), ...row };
      const { fetched: _fetched, next: _next, ...entry } = alert;
      const work = ports.ledger.appendUnless({ kind: "alert", ...entry }, alertsOf(row), (rows) => tellingsIn(rows, row).length > 0);
      const written = await during(work).catch((error: unknown) => {
        ports.notify?.(alert);
        throw error;
      });
      if (!written) return;
      counters.alerts += 1;
      ports.log("warn", row.what, { name: row.name, version: row.version, detail: row.detail });
      ports.notify?.(alert);
    },
    decisions({ since, after = 0, project }) {
      // A number from before this gate was started says nothing here: everything is newer.
      const from = after === "now" ? sequence : after > sequence ? 0 : after;
      const isNew = (one: { seq: number; at: Instant }, asker: string | undefined) =>
        one.seq > from && (since === undefined || one.at >= since) && (project === undefined || asker === project);
      return {
        next: sequence,
        requests: seen.count((seq, at, asker) => isNew({ seq, at }, asker)),
        decisions: [
          ...recent.filter((one) => isNew(one, one.asker.project)).map(({ seq: _seq, ...one }) => one),
          ...[...leftOut]
            .toSorted(bySequence)
            .filter(([, one]) => isNew(one, one.asker.project))
            .flatMap(([, one]) => leavings(one)),
        ],
      };
    },
    async flush() {
      const at = ports.clock.now();
      const counts = [...minute].map(([project, packuments]) => ({
        kind: "count" as const,
        at,
        ...(project === "" ? {} : { project }),
        packuments,
      }));
      minute.clear();
      if (counts.length > 0) beside(ports.ledger.append(counts), "packument counters not written");
      await Promise.allSettled(writing);
    },
  };
}

/** What an answer left out; told again, only the moment and the asker change. */
type Left = { seq: number; at: Instant; readonly name: string; readonly told: LeftOut; asker: Asker };

function bySequence([, a]: readonly [string, Left], [, b]: readonly [string, Left]): number {
  return a.seq - b.seq;
}

/** The newest requests. In columns, the oldest overwritten: every answer adds one, and thousands of small objects that live for a while are what a collector is slow with. */
function recentRequests() {
  const numbers = new Float64Array(RECENT);
  const moments = new Float64Array(RECENT);
  const projects = Array.from<string | undefined>({ length: RECENT });
  let total = 0;
  return {
    add(seq: number, at: Instant, project: string | undefined): void {
      const row = total++ % RECENT;
      numbers[row] = seq;
      moments[row] = at;
      projects[row] = project;
    },
    count(wanted: (seq: number, at: Instant, project: string | undefined) => boolean): number {
      let count = 0;
      for (let row = 0; row < Math.min(total, RECENT); row += 1)
        if (wanted(numbers[row]!, moments[row] as Instant, projects[row])) count += 1;
      return count;
    },
  };
}

/** The versions one answer left out, as decisions. */
function leavings({ at, name, told, asker }: Left): readonly Decision[] {
  return told.versions
    .filter((one) => !one.monitored)
    .map(({ version, verdict, tags, instead }) => ({ at, kind: "left-out", name, version, verdict, tags, instead, asker }));
}
