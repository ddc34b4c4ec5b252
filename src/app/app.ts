/** All verbs over one set of adapters: what the gate serves from and what the command line calls. Composition only, no rules. */
import { LIMITS } from "../core/base/limits.ts";
import type { Clock } from "../core/base/time.ts";
import type { Facts } from "../core/facts/facts.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { Alert } from "../core/ledger/alert.ts";
import { activeDenies } from "../core/policy/deny.ts";
import type { Policy } from "../core/policy/policy.ts";
import { type Advisories, claimsFor, feedsRead } from "./advisories.ts";
import { type VersionsOf, versionsOf } from "./versions.ts";
import { type DecideEntries, decideEntries } from "./decide-entries.ts";
import { type ExceptionVerbs, exceptionVerbs } from "./exceptions.ts";
import { type FetchAhead, fetchAhead, namesAhead } from "./fetch-ahead.ts";
import { type Diff, openDiff } from "./diff.ts";
import { type Inspect, openInspect } from "./inspect.ts";
import { type Inspector, openInspector } from "./inspector.ts";
import { type Judgements, openJudgements, type PackageJudgement } from "./judgements.ts";
import { type Knowledge, openKnowledge } from "./knowledge.ts";
import { watchJudgements } from "./alerts.ts";
import { type Exposures, openExposures } from "./exposures.ts";
import { openServedWatch, type ServedWatch } from "./served-watch.ts";
import { losableBlobs, losableDocuments } from "./losable.ts";
import { newsDesk } from "./news.ts";
import type {
  Attest,
  BlobStore,
  DocumentStore,
  EvidenceStore,
  ExceptionStore,
  HeldStore,
  Ledger,
  PackageStore,
  PackumentWork,
  TarballWork,
  TokenStore,
  Upstream,
} from "./ports.ts";
import { openPublishers } from "./publishers.ts";
import { openRiders } from "./riders.ts";
import { openRecorder, type Recorder } from "./recorder.ts";
import { type PackumentManner, type ServePackument, servePackument } from "./serve-packument.ts";
import { type ServeSmall, serveSmall } from "./serve-small.ts";
import { type ServeTarball, serveTarball } from "./serve-tarball.ts";
import { verdictChanges } from "./verdict-changes.ts";
import { openWhy, type Why } from "./why.ts";

export type AppPorts = {
  readonly clock: Clock;
  readonly packages: PackageStore;
  readonly exceptions: ExceptionStore;
  readonly tokens: TokenStore;
  readonly held: HeldStore;
  readonly ledger: Ledger;
  readonly blobs: BlobStore;
  readonly documents: DocumentStore;
  readonly evidence: EvidenceStore;
  readonly tarballs: TarballWork;
  readonly attest: Attest;
  /** Absent where no feed is configured. */
  readonly advisories?: Advisories;
  readonly upstream: Upstream;
  readonly work: PackumentWork;
  /** The policy in force, read anew when its file changes. */
  readonly policy: () => Policy;
  /** Milliseconds an upstream answer counts as fresh. */
  readonly freshness: number;
  readonly offline: boolean;
  readonly fetchAhead: boolean;
  /** Tells whoever is to be told of an alert; returns at once. */
  readonly notify?: (alert: Alert) => void;
  /** The known incident that names a version. */
  readonly incidentOf?: (name: string, version: string) => Promise<string | undefined>;
  readonly log: (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
};

export type App = {
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly judgements: Judgements;
  readonly recorder: Recorder;
  readonly packument: ServePackument;
  readonly tarball: ServeTarball;
  readonly small: ServeSmall;
  readonly inspector: Inspector;
  readonly inspect: Inspect;
  readonly diff: Diff;
  readonly why: Why;
  readonly decide: DecideEntries;
  /** Every version of a package, for choosing one in place of another. */
  readonly versions: VersionsOf;
  readonly exceptions: ExceptionVerbs;
  readonly held: HeldStore;
  readonly tokens: TokenStore;
  readonly ledger: Ledger;
  readonly ahead: FetchAhead<PackumentManner> | undefined;
  /** From now on versions are looked at while they wait, so that the answer is there when the hold ends. For gates that stay. */
  inspectAhead(): void;
  /** What was served and should not have been. */
  readonly exposures: Exposures;
  /** Asks again about what was served lately. It begins when it is told to: in gates that stay. */
  readonly servedWatch: ServedWatch;
  readonly policy: () => Policy;
  /** For when nobody has asked for a while: keeps finished answers in memory, and nothing they were made from. */
  rest(): void;
  /** Work that must be over before the stores are closed: answers, also to clients that have gone. */
  track(work: Promise<unknown>): void;
  /** Writes what is buffered. */
  flush(): Promise<void>;
  /** Stops watching for changes and fetching ahead. The stores are closed by whoever opened them, once it has `settled`. */
  stop(): void;
  /** Resolves when nothing that was tracked or fetched ahead is under way, or after `LIMITS.settleMs`. End what it may wait for first. */
  settled(): Promise<void>;
};

/** The pauses between readings of the exceptions that failed: a change is announced once, and nothing is served until it is read. */
const REREAD_MS = [100, 500, 2_000, 5_000] as const;

/** Reads the exceptions whenever they change, and again after a reading that failed. Returns the stop function. */
export function followExceptions(
  exceptions: Pick<ExceptionStore, "watch">,
  judgements: Pick<Judgements, "reload">,
  recorder: Pick<Recorder, "trouble">,
): () => void {
  let failures = 0;
  let again: NodeJS.Timeout | undefined;
  let stopped = false;
  const read = async (): Promise<void> => {
    try {
      await judgements.reload();
      failures = 0;
    } catch (error) {
      recorder.trouble("exceptions not reloaded", error);
      // One pause at a time, however often a change is announced meanwhile.
      if (stopped || again) return;
      const retry = (): void => {
        again = undefined;
        void read();
      };
      again = setTimeout(retry, REREAD_MS[Math.min(failures++, REREAD_MS.length - 1)]);
      again.unref();
    }
  };
  const stopWatching = exceptions.watch(() => void read());
  return () => {
    stopped = true;
    stopWatching();
    clearTimeout(again);
  };
}

/** Packages judged anew at once when feeds change; the others when somebody asks for them. */
const JUDGED_AGAIN = 2_000;

/** Newest rows that tell which versions of a package are in use here. */
const SERVES_READ = 1_000;

/** Versions of one package looked at ahead of time: those that tags name come first, and nobody asks for many others. */
const LOOKED_AT_AHEAD = 8;

/** Versions that nothing but time keeps back, or that are admitted and still young: what is refused for another reason need not be fetched. */
function waitingOnlyForAge({ uninspected, withheld, record }: PackageJudgement): readonly Facts[] {
  const tagged = new Set(Object.values(record.summary.tags));
  return [...uninspected.values()]
    .filter(({ version }) => withheld.get(version)?.reasons.every(({ effect }) => effect.kind === "hold") ?? true)
    .toSorted((a, b) => Number(tagged.has(b.version)) - Number(tagged.has(a.version)) || b.start - a.start)
    .slice(0, LOOKED_AT_AHEAD);
}

/** What was found wrong with a version before this gate was started. */
const CARRIES_DENY: ReadonlySet<string> = new Set(["withdrawn-upstream", "integrity-changed"]);

export async function openApp(given: AppPorts): Promise<App> {
  const { clock } = given;
  const judging = new Set<Promise<void>>();
  const answering = new Set<Promise<unknown>>();
  const recorder = openRecorder(given);
  const ports = {
    ...given,
    documents: losableDocuments(given.documents, recorder.trouble),
    blobs: losableBlobs(given.blobs, recorder.trouble),
  };
  const knowledge = openKnowledge({
    ...ports,
    onEvents(name, events, record) {
      const isWithdrawn = events.some(({ kind }) => kind === "version-withdrawn");
      if (isWithdrawn || events.some(({ kind }) => kind === "integrity-changed")) judgements.carriesDeny(name);
      news.take(record, events);
      if (isWithdrawn) beside(judgeAgain([name]));
    },
  });
  const { advisories } = given;
  const publishers = openPublishers(knowledge.touch);
  const riders = openRiders(knowledge.touch);
  const inspector = openInspector({
    ...ports,
    knowledge,
    recorder,
    answered: () => recorder.counters.packuments + recorder.counters.tarballs,
    async uninspected(name, version) {
      const record = await knowledge.recall(name);
      const facts = record && (await judgements.ofPackage(record)).uninspected.get(version);
      return facts && { record, facts };
    },
  });
  const changed = verdictChanges({ ...ports, trouble: recorder.trouble });
  const exposures = openExposures({
    ...ports,
    judgements: { ofVersion: (...asked) => judgements.ofVersion(...asked) },
    alert: recorder.alertOnce,
  });
  const watch = watchJudgements({ ...ports, exposures, alert: recorder.alertOnce, trouble: recorder.trouble });
  const judgements: Judgements = await openJudgements({
    ...ports,
    knowledge,
    async evidence(record) {
      publishers.note(record);
      const rides = (version: string) => riders.of(record.name, version);
      const looked = { ...(await inspector.recall(record)), publishedBy: publishers.publishedBy, rides };
      const index = advisories?.index();
      if (!index) return looked;
      const { name } = record;
      const fixed = Object.keys(record.summary.releases ?? {}).some((version) => index.fixedBy(name, version).length > 0);
      const rows = fixed ? await ports.ledger.tail({ limit: SERVES_READ, kinds: ["serve"], name }) : [];
      return {
        ...looked,
        claims: (version, digests) => claimsFor(advisories!, { name, version, digests }) ?? [],
        fixes: (version) => index.fixedBy(name, version),
        served: new Set(rows.flatMap(({ entry }) => ("version" in entry && entry.version !== undefined ? [entry.version] : []))),
      };
    },
    feeds: () => advisories && feedsRead(advisories),
    onJudged(judgement) {
      riders.judged(judgement.record.name, judgement.rides);
      changed(judgement);
      watch.judged(judgement);
    },
  });
  const news = newsDesk({
    ...ports,
    recorder,
    verdictOf: async (record, version) => (await judgements.ofVersion(record, version, { pin: false })).verdict,
  });
  ports.held.list().then(
    (held) =>
      held
        .filter(({ verdict }) => verdict.reasons.some(({ id }) => CARRIES_DENY.has(id)))
        .forEach(({ name }) => judgements.carriesDeny(name)),
    (error: unknown) => recorder.trouble("the list of held versions cannot be read", error),
  );
  let inspectsAhead = false;
  const packument = servePackument({
    ...ports,
    knowledge,
    judgements,
    recorder,
    sequel(judgement) {
      const names = ahead ? namesAhead(judgement) : [];
      const waiting = inspectsAhead ? waitingOnlyForAge(judgement) : [];
      return { names, begin: lookFurther(names, waiting.length === 0 ? undefined : { record: judgement.record, waiting }) };
    },
  });
  const ahead = ports.fetchAhead
    ? fetchAhead<PackumentManner>({
        clock,
        freshness: ports.freshness,
        upstream: ports.upstream,
        privateNames: () => ports.policy().private,
        warm: packument.prepare,
        trouble: recorder.trouble,
      })
    : undefined;
  /** Once a client has the packument. Apart, so that what is kept until then is these two and no judgement. */
  function lookFurther(
    names: readonly string[],
    inspection: { readonly record: PackageRecord; readonly waiting: readonly Facts[] } | undefined,
  ) {
    return (manner: PackumentManner) => {
      ahead?.after(names, manner);
      if (inspection) inspector.ahead(inspection.record, inspection.waiting);
    };
  }
  const shared = { ...ports, knowledge, judgements, recorder, inspector };
  const stopFollowing = followExceptions(ports.exceptions, { reload: reloadExceptions }, recorder);
  // Bytes that a feed names may be those of any package, and holds that waited for a stale feed are anybody's: then everything is judged anew.
  const stopListening = advisories?.watch(({ names, integrities, freshened }) => {
    if (integrities.size > 0 || freshened) knowledge.touch();
    else for (const name of names) knowledge.touch(name);
    beside(judgeAgain([...names]));
  });
  /** What a person denied may have been served, and nobody need ask for it again for that to be told. */
  async function reloadExceptions(): Promise<void> {
    await judgements.reload();
    const { denies } = judgements.exceptions();
    beside(judgeAgain([...new Set(activeDenies(denies).flatMap(({ name }) => name ?? []))]));
  }
  /** Work that no answer waits for, and the end does. */
  function beside(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => recorder.trouble("packages with news not judged again", error))
      .finally(() => judging.delete(tracked));
    judging.add(tracked);
  }
  /** Nobody need ask for a package for news of what was served to be an alert. */
  async function judgeAgain(names: readonly string[]): Promise<void> {
    for (const name of names.slice(0, JUDGED_AGAIN)) {
      const record = await knowledge.recall(name);
      if (record) await judgements.ofPackage(record);
    }
  }
  const minute = setInterval(() => void recorder.flush(), 60_000);
  minute.unref();
  return {
    clock,
    knowledge,
    judgements,
    recorder,
    packument,
    tarball: serveTarball(shared),
    small: serveSmall(shared),
    inspector,
    inspect: openInspect(shared),
    diff: openDiff(shared),
    why: openWhy(shared),
    decide: decideEntries(shared),
    versions: versionsOf({ knowledge, judgements, index: () => advisories?.index(), now: clock.now }),
    exceptions: exceptionVerbs({ ...shared, exceptions: ports.exceptions }),
    held: ports.held,
    tokens: ports.tokens,
    ledger: ports.ledger,
    ahead,
    exposures,
    servedWatch: openServedWatch({ ...ports, knowledge, judgements, exposures, trouble: recorder.trouble }),
    inspectAhead: () => void (inspectsAhead = true),
    policy: ports.policy,
    rest() {
      judgements.forget();
      ports.packages.forget();
    },
    track(work) {
      const tracked: Promise<unknown> = work.finally(() => answering.delete(tracked));
      answering.add(tracked);
    },
    async flush() {
      while (judging.size > 0) await Promise.all(judging);
      await news.idle();
      await watch.idle();
      await recorder.flush();
    },
    stop() {
      inspector.stop();
      stopFollowing();
      stopListening?.();
      clearInterval(minute);
      ahead?.stop();
    },
    async settled() {
      const over = async () => {
        while (answering.size > 0) await Promise.allSettled(answering);
        await ahead?.idle();
      };
      let patience: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (patience = setTimeout(resolve, LIMITS.settleMs)));
      await Promise.race([over(), late]).finally(() => clearTimeout(patience));
    },
  };
}
