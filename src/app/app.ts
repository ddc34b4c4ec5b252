/** All verbs over one set of adapters: what the gate serves from and what the command line calls. Composition only, no rules. */
import type { Clock } from "../core/base/time.ts";
import type { Policy } from "../core/policy/policy.ts";
import { type DecideEntries, decideEntries } from "./decide-entries.ts";
import { type ExceptionVerbs, exceptionVerbs } from "./exceptions.ts";
import { type FetchAhead, fetchAhead } from "./fetch-ahead.ts";
import { type Judgements, openJudgements } from "./judgements.ts";
import { type Knowledge, openKnowledge } from "./knowledge.ts";
import { look } from "./look.ts";
import { losableBlobs, losableDocuments } from "./losable.ts";
import { newsDesk } from "./news.ts";
import type {
  BlobStore,
  DocumentStore,
  ExceptionStore,
  HeldStore,
  Ledger,
  PackageStore,
  PackumentWork,
  TokenStore,
  Upstream,
} from "./ports.ts";
import { openRecorder, type Recorder } from "./recorder.ts";
import { type ServePackument, servePackument } from "./serve-packument.ts";
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
  readonly upstream: Upstream;
  readonly work: PackumentWork;
  /** The policy in force, read anew when its file changes. */
  readonly policy: () => Policy;
  /** Milliseconds an upstream answer counts as fresh. */
  readonly freshness: number;
  readonly offline: boolean;
  readonly fetchAhead: boolean;
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
  readonly why: Why;
  readonly decide: DecideEntries;
  readonly exceptions: ExceptionVerbs;
  readonly held: HeldStore;
  readonly tokens: TokenStore;
  readonly ledger: Ledger;
  readonly ahead: FetchAhead | undefined;
  readonly policy: () => Policy;
  /** Writes what is buffered. */
  flush(): Promise<void>;
  /** Stops watching for changes. The stores are closed by whoever opened them. */
  stop(): void;
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

/** What was found wrong with a version before this gate was started. */
const CARRIES_DENY: ReadonlySet<string> = new Set(["withdrawn-upstream", "integrity-changed"]);

export async function openApp(given: AppPorts): Promise<App> {
  const { clock } = given;
  const recorder = openRecorder(given);
  const ports = {
    ...given,
    documents: losableDocuments(given.documents, recorder.trouble),
    blobs: losableBlobs(given.blobs, recorder.trouble),
  };
  const knowledge = openKnowledge({
    ...ports,
    onEvents(name, events, record) {
      if (events.some(({ kind }) => kind === "version-withdrawn" || kind === "integrity-changed")) judgements.carriesDeny(name);
      news(record, events).catch((error: unknown) => recorder.trouble("alert not written", error));
    },
  });
  const judgements: Judgements = await openJudgements({
    ...ports,
    knowledge,
    onJudged: verdictChanges({ ...ports, trouble: recorder.trouble }),
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
  const judgementAhead = async (name: string) => {
    const looked = await look({ knowledge, judgements }, name);
    return looked.kind === "judged" ? looked.judgement : undefined;
  };
  const ahead = ports.fetchAhead
    ? fetchAhead({
        clock,
        freshness: ports.freshness,
        knowledge,
        upstream: ports.upstream,
        privateNames: () => ports.policy().private,
        warm: judgementAhead,
        trouble: recorder.trouble,
      })
    : undefined;
  const packument = servePackument({
    ...ports,
    knowledge,
    judgements,
    recorder,
    ...(ahead === undefined ? {} : { onServed: (_known, judgement) => ahead.after(judgement) }),
  });
  const shared = { ...ports, knowledge, judgements, recorder };
  const stopFollowing = followExceptions(ports.exceptions, judgements, recorder);
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
    why: openWhy(shared),
    decide: decideEntries(shared),
    exceptions: exceptionVerbs({ ...shared, exceptions: ports.exceptions }),
    held: ports.held,
    tokens: ports.tokens,
    ledger: ports.ledger,
    ahead,
    policy: ports.policy,
    flush: () => recorder.flush(),
    stop() {
      stopFollowing();
      clearInterval(minute);
    },
  };
}
