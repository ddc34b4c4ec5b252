/** What feeds say, as the verbs see it: looking up at the gate, asking about a past moment. `edge/feeds` fits the port. */
import type { HeldAdvisory } from "../core/advisory/advisory.ts";
import type { Claim } from "../core/advisory/claim.ts";
import type { FeedOutcome, FeedState, StaleFeed, SyncRequest } from "../core/advisory/feeds.ts";
import { buildIndex } from "../core/advisory/index-build.ts";
import { type AdvisoryIndex, openIndex } from "../core/advisory/index-file.ts";
import { type Instant, instant } from "../core/base/time.ts";
import { type FeedsRead, NEVER } from "../core/signals/not-reconfirmed.ts";
import type { FeedConfig } from "../core/config/values.ts";

export type Advisories = {
  readonly configured: readonly FeedConfig[];
  /** The newest index, in memory; undefined while no feed was ever read. */
  index(): AdvisoryIndex | undefined;
  states(): readonly FeedState[];
  /** Configured feeds older than they may be: holds that would end now do not while there are any. */
  stale(): readonly StaleFeed[];
  sync(request: SyncRequest): Promise<readonly FeedOutcome[]>;
  /** What was known of a name at a moment. */
  knownAt(name: string, at: Instant): Promise<readonly HeldAdvisory[]>;
  /** The first moment of which anything is known; undefined = no feed was ever read. */
  knownSince(): Promise<Instant | undefined>;
  /** Calls back within a second after a new index is there, with the names and digests of which it says something else, and when no feed is stale any more. */
  watch(
    onChange: (news: {
      readonly names: ReadonlySet<string>;
      readonly integrities: ReadonlySet<string>;
      readonly freshened: boolean;
    }) => void,
  ): () => void;
  close(): Promise<void>;
};

/** For `Facts.claims`: what feeds say of a version or of its bytes. Undefined where no feed is configured or none was ever read. */
export function claimsFor(
  advisories: Pick<Advisories, "index">,
  { name, version, digests }: { readonly name: string; readonly version: string; readonly digests: readonly string[] },
): readonly Claim[] | undefined {
  return advisories.index()?.claims(
    name,
    version,
    digests.filter((digest) => digest.startsWith("sha512-")),
  );
}

export type Known = {
  readonly advisory: HeldAdvisory;
  /** Absent when no version was asked for. */
  readonly claim?: Claim;
};

/**
 * What was known of a package, or of one version of it, at a moment. `unknown`: nothing had been read by then, so nothing can be said.
 */
export async function whatWasKnown(
  advisories: Pick<Advisories, "knownAt" | "knownSince" | "configured">,
  { name, version, at }: { readonly name: string; readonly version?: string | undefined; readonly at: Instant },
): Promise<
  { readonly kind: "known"; readonly found: readonly Known[] } | { readonly kind: "unknown"; readonly since: Instant | undefined }
> {
  const since = await advisories.knownSince();
  if (since === undefined || at < since) return { kind: "unknown", since };
  const held = await advisories.knownAt(name, at);
  if (version === undefined) return { kind: "known", found: held.map((advisory) => ({ advisory })) };
  const feeds = [...new Set(held.map(({ feed }) => feed))];
  const claims = openIndex(buildIndex(held, feeds)).claims(name, version);
  const found = held.flatMap((advisory) => {
    const claim = claims.find((one) => one.id === advisory.advisory.id && one.feed === advisory.feed);
    return claim ? [{ advisory, claim }] : [];
  });
  return { kind: "known", found };
}

/** How old what the configured feeds say is. */
export function feedsRead({ configured, states }: Pick<Advisories, "configured" | "states">): FeedsRead | undefined {
  if (configured.length === 0) return undefined;
  const known = new Map(states().map((state) => [state.name, state.checked]));
  const read = configured.map(({ name, maxAge }) => ({ at: known.get(name) ?? NEVER, maxAge }));
  const covers = read.map(({ at, maxAge }) => (at === NEVER ? NEVER : at + maxAge));
  return { asOf: instant(Math.min(...read.map(({ at }) => at))), covers: instant(Math.min(...covers)) };
}
