/**
 * Answers `GET /<name>`: the packument as this gate sees it. Warm answers come from memory and touch no store;
 * misses are judged, repaired and rendered once, however many clients wait.
 */
import { LIMITS } from "../core/base/limits.ts";
import { type Clock, type Instant, iso } from "../core/base/time.ts";
import type { PackumentForm, RenderedPackument, RenderPlan } from "../core/npm/summary.ts";
import { refusalLine } from "../core/policy/explain.ts";
import type { Asker } from "../core/ledger/entry.ts";
import { hotCache } from "./hot-cache.ts";
import type { Judgements, PackageJudgement } from "./judgements.ts";
import { type LeftOut, leftOutOf, markOf } from "./left-out.ts";
import type { Knowledge } from "./knowledge.ts";
import type { PackumentWork } from "./ports.ts";
import type { Recorder } from "./recorder.ts";
import { look } from "./look.ts";
import { type Refusal, refusalOfName, refusalOfPackage } from "./refusal.ts";

/** How a client asks, whatever the package. */
export type PackumentManner = {
  readonly form: PackumentForm;
  /** Base the tarball URLs start with, trailing slash. */
  readonly tarballBase: string;
  /** Base the attestation URLs start with, trailing slash. */
  readonly attestationsBase: string;
  /** Gates it had passed when it came to us. */
  readonly hops?: number;
};

export type PackumentRequest = PackumentManner & { readonly name: string; readonly asker: Asker };

type Wanted = Omit<PackumentRequest, "asker">;

export type PackumentAnswer =
  | { readonly kind: "served"; readonly rendered: RenderedPackument; readonly withheld: number; readonly stale?: string }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "absent"; readonly status: number }
  | { readonly kind: "failed"; readonly status: 503; readonly message: string };

/** An answer with what it rests on: several clients may wait for one, and each is recorded. */
type Built = {
  readonly answer: PackumentAnswer;
  readonly leftOut?: LeftOut | undefined;
  readonly signals?: readonly string[];
  readonly sequel?: Sequel;
};

/** What the first client to get an answer sets off. Kept until then: it holds no judgement, and nobody may ever ask. */
type Sequel = { begin: ((manner: PackumentManner) => void) | undefined; readonly names: readonly string[] };

type Warm = {
  readonly answer: Extract<PackumentAnswer, { kind: "served" }>;
  readonly fingerprint: string;
  readonly basis: PackageJudgement["basis"];
  readonly leftOut: LeftOut | undefined;
  readonly sequel: Sequel;
  /** Nothing about the answer can change by time alone before this. */
  readonly until: Instant;
};

export type PackumentPorts = {
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly judgements: Judgements;
  readonly work: PackumentWork;
  readonly recorder: Recorder;
  readonly freshness: number;
  /** Asked at each judgement: the names a client is likely to ask for next, and what to do once one got the answer. */
  readonly sequel: (judgement: PackageJudgement) => {
    readonly names: readonly string[];
    readonly begin: (manner: PackumentManner) => void;
  };
};

export type ServePackument = {
  /** The finished answer, when nothing at all has to be looked up; otherwise undefined. Synchronous: the warm path. */
  warm(request: PackumentRequest): PackumentAnswer | undefined;
  serve(request: PackumentRequest): Promise<PackumentAnswer>;
  /** Makes the answer before anybody asks; nothing is recorded. Gives the names likely to be asked for after it. */
  prepare(name: string, manner: PackumentManner): Promise<readonly string[]>;
  /** Bytes held. */
  readonly bytes: () => number;
};

export function servePackument(ports: PackumentPorts): ServePackument {
  const cache = hotCache<Warm>(LIMITS.hotCacheBytes);
  const flights = new Map<string, Promise<Built>>();

  function warm(request: PackumentRequest): PackumentAnswer | undefined {
    const hit = cache.get(cacheKey(request));
    if (!hit) return undefined;
    if (ports.clock.now() >= hit.until || !ports.judgements.current(hit)) return undefined;
    ports.recorder.packument(request.name, hit.leftOut, request.asker);
    begin(hit.sequel, request);
    return hit.answer;
  }

  function begin(sequel: Sequel | undefined, request: Wanted): void {
    const first = sequel?.begin;
    if (!sequel || !first) return;
    sequel.begin = undefined;
    const { form, tarballBase, attestationsBase, hops } = request;
    first({ form, tarballBase, attestationsBase, ...(hops === undefined ? {} : { hops }) });
  }

  async function serve(request: PackumentRequest): Promise<PackumentAnswer> {
    const hit = warm(request);
    if (hit) return hit;
    const built = await builtOnce(request);
    await record(request, built);
    begin(built.sequel, request);
    return built.answer;
  }

  async function builtOnce(request: Wanted): Promise<Built> {
    const key = cacheKey(request);
    // Not shared with a request that came round in a circle: each would wait for the other.
    const together = `${request.hops ?? 0} ${key}`;
    let flight = flights.get(together);
    if (!flight) {
      flight = build(request, key).finally(() => flights.delete(together));
      flights.set(together, flight);
    }
    return flight;
  }

  async function record({ name, asker }: PackumentRequest, { answer, leftOut, signals }: Built): Promise<void> {
    if (answer.kind === "served") ports.recorder.packument(name, leftOut, asker);
    if (answer.kind !== "refused") return;
    ports.recorder.leftOut(name, leftOut, asker);
    await ports.recorder.refused({
      name,
      route: "packument",
      verdict: answer.refusal.verdict,
      asker,
      ...(signals === undefined ? {} : { signals }),
    });
  }

  async function build(request: Wanted, key: string): Promise<Built> {
    const looked = await look(ports, request.name, request.hops === undefined ? {} : { hops: request.hops });
    if (looked.kind === "absent") return { answer: { kind: "absent", status: looked.status } };
    if (looked.kind === "down") return { answer: { kind: "failed", status: 503, message: looked.message } };
    if (looked.kind === "refused") {
      const refusal = refusalOfName(request.name, looked.message);
      return { answer: { kind: "refused", refusal }, signals: [looked.signal] };
    }
    const { known, judgement } = looked;
    if (judgement.served.size === 0)
      return { answer: { kind: "refused", refusal: refusalOfPackage(known.record, judgement) }, leftOut: leftOutOf(judgement) };
    const previous = cache.get(key);
    // The fingerprint covers the upstream's document too.
    const rendered =
      previous?.fingerprint === judgement.fingerprint
        ? previous.answer.rendered
        : await ports.work.render(known.record.summary.digest, known.document, planOf(request, judgement));
    const answer = {
      kind: "served" as const,
      rendered,
      withheld: judgement.withheld.size,
      ...(known.stale === undefined ? {} : { stale: known.stale }),
    };
    const now = ports.clock.now();
    // A stale answer is asked again soon; a fresh one when the freshness setting or the next maturity says so.
    const fresh = (now + (known.stale === undefined ? ports.freshness : Math.min(ports.freshness, LIMITS.upstreamRestMs))) as Instant;
    const until = judgement.nextChange !== undefined && judgement.nextChange < fresh ? judgement.nextChange : fresh;
    const { fingerprint, basis } = judgement;
    const leftOut = previous?.leftOut?.mark === markOf(judgement) ? previous.leftOut : leftOutOf(judgement);
    const sequel = { ...ports.sequel(judgement) };
    cache.set(key, { answer, fingerprint, basis, leftOut, sequel, until }, rendered.gzip.byteLength + 1_000);
    return { answer, leftOut, sequel };
  }

  return {
    warm,
    serve,
    async prepare(name, manner) {
      const { sequel } = await builtOnce({ ...manner, name });
      return sequel?.names ?? [];
    },
    bytes: () => cache.bytes,
  };
}

function cacheKey(request: Wanted): string {
  return `${request.form} ${request.tarballBase} ${request.attestationsBase} ${request.name}`;
}

function planOf(request: PackumentManner, judgement: PackageJudgement): RenderPlan {
  const time: Record<string, string> = {};
  for (const version of judgement.served) time[version] = iso(judgement.start(version));
  const restrictions = restrictionsOf(judgement);
  return {
    form: request.form,
    withheld: [...judgement.withheld.keys()],
    tags: judgement.tags,
    time,
    tarballBase: request.tarballBase,
    attestationsBase: request.attestationsBase,
    ...(restrictions === undefined ? {} : { restrictions }),
  };
}

/** npm prints this message when an exact pin names a withheld version (registry.md §0.2); other clients ignore the field. */
function restrictionsOf(judgement: PackageJudgement): RenderPlan["restrictions"] {
  const versions = [...judgement.withheld.keys()];
  if (versions.length === 0) return undefined;
  const readable = [...judgement.withheld].filter(([, verdict]) => verdict.reasons.some((reason) => reason.id !== "malformed-version"));
  // The newest ones: those are what somebody pins today.
  const told = (readable.length > 0 ? readable : [...judgement.withheld]).slice(-3);
  return { message: told.map(([version, verdict]) => refusalLine(judgement.record.name, version, verdict)).join(" · "), versions };
}
