/**
 * Everything the gate must remember about what it did: ledger rows (durable before the answer ends), the list of what is held,
 * per-minute counters, alerts, and the recent decisions that a wrapper asks for when its client has ended.
 */
import type { Clock, Instant } from "../core/base/time.ts";
import type { Asker, LedgerEntry } from "../core/ledger/entry.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import type { PackageJudgement } from "./judgements.ts";
import type { HeldStore, Ledger } from "./ports.ts";

/** Something this gate withheld or served, as `/-/cordon/decisions` reports it. */
export type Decision = {
  readonly at: Instant;
  readonly kind: "refused" | "left-out" | "served" | "mismatch";
  readonly name: string;
  readonly version?: string;
  readonly verdict?: Verdict;
  readonly line?: string;
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
  packument(name: string, judgement: PackageJudgement, asker: Asker): void;
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
  alert(row: { what: string; name: string; version?: string; detail: string }): Promise<void>;
  /** Something went wrong beside the answer; logged, counted, never thrown. */
  trouble(what: string, error: unknown): void;
  /** Requests seen since `since`, newest last, of one project or of all. */
  decisions(query: { since: Instant; project?: string }): { readonly requests: number; readonly decisions: readonly Decision[] };
  readonly counters: Counters;
  /** Writes the per-minute counters and waits for everything that is still being written. */
  flush(): Promise<void>;
};

export type RecorderPorts = {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly held: HeldStore;
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
  const recent: Decision[] = [];
  const seen: { at: Instant; project: string | undefined }[] = [];
  const minute = new Map<string, number>();
  const writing = new Set<Promise<unknown>>();
  /** Left-out versions already noted, so that a popular packument costs one write and not one a request. */
  const noted = new Map<string, string>();

  function remember(decision: Decision): void {
    recent.push(decision);
    if (recent.length > RECENT * 1.1) recent.splice(0, recent.length - RECENT);
  }

  function ask(asker: Asker): void {
    seen.push({ at: ports.clock.now(), project: asker.project });
    if (seen.length > RECENT * 1.1) seen.splice(0, seen.length - RECENT);
  }

  function beside(work: Promise<unknown>, what: string): void {
    const tracked: Promise<unknown> = work.catch((error: unknown) => trouble(what, error)).finally(() => writing.delete(tracked));
    writing.add(tracked);
  }

  function trouble(what: string, error: unknown): void {
    ports.log("error", what, { error: error instanceof Error ? error.message : String(error) });
  }

  async function write(entries: readonly LedgerEntry[]): Promise<void> {
    const work = ports.ledger.append(entries);
    writing.add(work);
    try {
      await work;
    } finally {
      writing.delete(work);
    }
  }

  return {
    counters,
    trouble,
    packument(name, judgement, asker) {
      counters.packuments += 1;
      ask(asker);
      minute.set(asker.project ?? "", (minute.get(asker.project ?? "") ?? 0) + 1);
      for (const [version, verdict] of judgement.withheld) {
        const mark = `${asker.project ?? ""} ${name}@${version}`;
        if (noted.get(mark) === judgement.fingerprint) continue;
        if (noted.size > RECENT) noted.clear();
        noted.set(mark, judgement.fingerprint);
        remember({ at: ports.clock.now(), kind: "left-out", name, version, verdict, asker });
        const integrity = judgement.integrity(version);
        const project = asker.project === undefined ? {} : { project: asker.project };
        beside(
          ports.held.note({
            name,
            version,
            ...(integrity === undefined ? {} : { integrity }),
            at: ports.clock.now(),
            ...project,
            verdict,
            asked: false,
          }),
          "held version not noted",
        );
      }
    },
    async served(row) {
      counters.tarballs += 1;
      counters.tarballBytes += row.bytes;
      ask(row.asker);
      const { stale, alert, ...rest } = row;
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
      await write([{ kind: "alert", at: ports.clock.now(), ...row }]);
    },
    decisions({ since, project }) {
      const mine = (asker: string | undefined) => project === undefined || asker === project;
      return {
        requests: seen.filter((one) => one.at >= since && mine(one.project)).length,
        decisions: recent.filter((one) => one.at >= since && mine(one.asker.project)),
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
