/**
 * What was served here, or stands in a lockfile here, and is known to be bad now: taken back by the registry, reported as malware, denied by
 * a person, or withheld by a finding. Read from what stands in the stores and not from what changed: whoever was away when it happened is
 * told of it all the same.
 */
import { type Fetched, fetchedText } from "../core/ledger/alert.ts";
import type { LedgerEntry } from "../core/ledger/entry.ts";
import { LIMITS } from "../core/base/limits.ts";
import type { Clock, Instant } from "../core/base/time.ts";
import { historyOf } from "../core/facts/history.ts";
import type { Verdict } from "../core/policy/verdict.ts";
import { type AlertEvent, tellings } from "./alerts.ts";
import type { Judgements, PackageJudgement } from "./judgements.ts";
import type { Ledger, TokenStore } from "./ports.ts";

/** Why a version should not have been served. `because` tells events apart. */
type Cause = { readonly what: "version-withdrawn" | "served-now-withheld"; readonly because: string };

export type Exposed = {
  readonly name: string;
  readonly version: string;
  readonly what: Cause["what"];
  readonly because: string;
  /** Absent where it came from elsewhere and only lockfiles name it. */
  readonly fetched?: Fetched;
  /** Lockfiles that name it. */
  readonly locked: readonly string[];
  /** The command to type now. */
  readonly next: string;
  /** When it was told of first. */
  readonly told: Instant;
};

export type ExposurePorts = {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "tail">;
  readonly tokens: Pick<TokenStore, "list">;
  readonly judgements: Pick<Judgements, "ofVersion">;
  /** The incident that names a version, where one is known. */
  readonly incidentOf?: (name: string, version: string) => Promise<string | undefined>;
  readonly alert: (event: AlertEvent) => Promise<void>;
};

export type LockedVersion = { readonly name: string; readonly version: string; readonly lockfile: string };

export type Exposures = {
  /** Counts what these lockfiles name as installed here, in place of what counted before. */
  lock(versions: readonly LockedVersion[]): void;
  /** Everything served of a package that should not have been, and tells of what nobody was told of yet. */
  raise(judgement: PackageJudgement): Promise<readonly Exposed[]>;
  /** Calls back with whatever is found from now on, each time it is found. */
  listen(heard: (exposed: Exposed) => void): void;
};

type Serve = Extract<LedgerEntry, { kind: "serve" }>;

export function openExposures(ports: ExposurePorts): Exposures {
  /** A version that is gone is in no listing: it is judged by itself. */
  async function causesOf(
    { record, withheld, monitored }: PackageJudgement,
    version: string,
    wasServed: boolean,
  ): Promise<readonly Cause[]> {
    const history = historyOf(record, version);
    // Nobody here ever saw it listed: only a lockfile says that it was.
    if (history === undefined) return [NOT_LISTED];
    if (history.gone !== true) {
      const verdict = withheld.get(version);
      const said = graveIn(verdict ?? monitored.get(version));
      const found = wasServed ? findingsIn(verdict) : [];
      // A report or a person's word says more than the findings beside it.
      return said.length > 0 || found.length === 0 ? said : [because(`withheld now by ${found.join(", ")}`)];
    }
    const { verdict } = await ports.judgements.ofVersion(record, version, { pin: false });
    return [TAKEN_BACK, ...graveIn(verdict)];
  }

  async function fetchedBy(rows: readonly Serve[]): Promise<Fetched> {
    const tokens = new Set(rows.flatMap(({ asker }) => asker.token ?? []));
    const labels = tokens.size === 0 ? [] : (await ports.tokens.list()).filter(({ id }) => tokens.has(id)).map(({ label }) => label);
    const distinct = (one: (row: Serve) => string | undefined) => [...new Set(rows.flatMap((row) => one(row) ?? []))].toSorted();
    return {
      times: rows.length,
      first: rows[0]!.at,
      last: rows.at(-1)!.at,
      projects: distinct(({ asker }) => asker.project),
      tokens: labels,
      clients: distinct(({ asker }) => asker.client),
      machines: distinct(({ asker }) => asker.from),
    };
  }

  async function raise(judgement: PackageJudgement): Promise<readonly Exposed[]> {
    const { name, versions } = judgement.record;
    const gone = Object.keys(versions).filter((version) => versions[version]!.gone === true);
    const inLockfiles = locked.get(name);
    const suspects = new Set([...judgement.withheld.keys(), ...judgement.monitored.keys(), ...gone, ...(inLockfiles?.keys() ?? [])]);
    const found: Exposed[] = [];
    for (const version of suspects) {
      const rows = await ports.ledger.tail({ limit: LIMITS.ledgerTailRows, kinds: ["serve"], name, version });
      const serves = rows.map(({ entry }) => entry as Serve);
      const lockfiles = inLockfiles?.get(version) ?? [];
      if (serves.length === 0 && lockfiles.length === 0) continue;
      const causes = await causesOf(judgement, version, serves.length > 0);
      if (causes.length === 0) continue;
      const fetched = serves.length === 0 ? undefined : await fetchedBy(serves);
      const where = [...(fetched ? [fetchedText(fetched)] : []), ...(lockfiles.length > 0 ? [lockedText(lockfiles)] : [])].join(" · ");
      const next = `cordon exposure ${(await ports.incidentOf?.(name, version)) ?? `${name}@${version}`}`;
      for (const cause of causes) {
        const event = { what: cause.what, name, version, detail: `${cause.because} · ${where}`, ...(fetched && { fetched }), next };
        const [before] = await tellings(ports.ledger, event);
        if (!before) await ports.alert(event);
        const told = before?.entry.at ?? ports.clock.now();
        found.push({ name, version, ...cause, ...(fetched && { fetched }), locked: lockfiles, next, told });
      }
    }
    for (const one of found) for (const heard of listeners) heard(one);
    return found;
  }

  /** One after the other: who asks whether somebody was told must see what was told just now. */
  let turn: Promise<unknown> = Promise.resolve();
  const locked = new Map<string, Map<string, string[]>>();
  const listeners: ((exposed: Exposed) => void)[] = [];

  return {
    raise(judgement) {
      const mine = turn.then(() => raise(judgement));
      turn = mine.catch(() => undefined);
      return mine;
    },
    lock(versions) {
      locked.clear();
      for (const { name, version, lockfile } of versions) {
        const own = locked.get(name) ?? new Map<string, string[]>();
        locked.set(name, own.set(version, [...new Set([...(own.get(version) ?? []), lockfile])]));
      }
    },
    listen: (heard) => void listeners.push(heard),
  };
}

const TAKEN_BACK: Cause = { what: "version-withdrawn", because: "the registry took it back" };
const NOT_LISTED: Cause = { what: "version-withdrawn", because: "the registry does not list it" };

/** Lockfiles told in one line. */
const NAMED = 3;

export function lockedText(lockfiles: readonly string[]): string {
  const more = lockfiles.length - NAMED;
  return `named by ${lockfiles.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function because(text: string): Cause {
  return { what: "served-now-withheld", because: text };
}

/** What counts in monitor mode too, and against a version that is gone. */
function graveIn(verdict: Verdict | undefined): readonly Cause[] {
  return (verdict?.reasons ?? []).flatMap(({ id, title, evidence }) => {
    if (id === "malware-report") return because("reported as malware");
    // Its id is left out: a version that is denied by each of its digests is denied once.
    const said = evidence[0]?.text.replace(/, d-[0-9a-f]+\)$/, ")").replaceAll(" · ", ", ");
    return id === "denied-by-policy" ? because(`${title}: ${said}`) : [];
  });
}

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

/** Ids of what was found against a version, in alphabetical order. */
export function findingsIn(verdict: Verdict | undefined): readonly string[] {
  return (verdict?.reasons ?? [])
    .map(({ id }) => id)
    .filter((id) => !NO_FINDINGS.has(id) && !id.startsWith("not-checked:"))
    .toSorted();
}
