/** Starts a gate over an open app: HTTP server, API, access rules. Used by `cordon gate` and by the wrapper for one run. */
import { randomUUID } from "node:crypto";
import type { App } from "../../app/app.ts";
import { iso } from "../../core/base/time.ts";
import { VERSION } from "../../core/config/constants.ts";
import { withheld } from "../../core/policy/verdict.ts";
import { assertSafe, basesOf, drainable, isLoopback, listen, type ListenAt } from "./listen.ts";
import { gateServer } from "./server.ts";

export type StartOptions = {
  readonly app: App;
  readonly at: ListenAt;
  readonly publicUrls: readonly string[];
  readonly behindProxy: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly lockfileUrls: "public" | "self";
  /** Require client tokens even on loopback. */
  readonly requireTokens: boolean;
  /** `gate` serves a company, `run` one wrapped command. */
  readonly role: "gate" | "run";
  /** Upstream as shown to people; no credentials. */
  readonly upstream: string;
  readonly hopHeader: string;
  readonly maxHops: number;
  readonly logRequests: boolean;
  readonly log: (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
  /** Says whose a busy port is, when it is a cordon's. */
  readonly whose: (at: ListenAt) => Promise<string | undefined>;
};

export type RunningGate = {
  /** Base URL with trailing slash, as clients are told it. */
  readonly url: string;
  /** Where it really listens. */
  readonly at: ListenAt;
  /** Random id of this run: how a gate recognises itself. */
  readonly instance: string;
  /** Lets answers under way finish, then closes the port. */
  close(patience?: number): Promise<void>;
};

export async function startGate(options: StartOptions): Promise<RunningGate> {
  const { app, at } = options;
  const needTokens = options.requireTokens || !isLoopback(at.host);
  const live = needTokens ? (await app.tokens.list()).filter((token) => token.revoked === undefined) : [];
  assertSafe(at, { tokens: live.length > 0, tls: options.tls !== undefined, behindProxy: options.behindProxy });
  const instance = randomUUID();
  const since = app.clock.now();
  let bases: ReadonlyMap<string, string> = new Map();

  const health = () => {
    const policy = app.policy();
    return {
      ok: true,
      cordon: VERSION,
      instance,
      role: options.role,
      since: iso(since),
      now: iso(app.clock.now()),
      policy: policy.preset,
      mode: policy.mode.kind,
      ...(policy.mode.kind === "monitor" ? { monitorUntil: iso(policy.mode.expires), monitorOwner: policy.mode.owner } : {}),
      policyDigest: policy.digest,
      upstream: options.upstream,
    };
  };

  const server = gateServer(
    { packument: app.packument, tarball: app.tarball, small: app.small, recorder: app.recorder, track: app.track },
    {
      access: { clock: app.clock, bases: () => bases, behindProxy: options.behindProxy, tokens: needTokens ? app.tokens : undefined },
      lockfileUrls: options.lockfileUrls,
      ...(options.tls === undefined ? {} : { tls: { ...options.tls, createServer: (await import("node:https")).createServer } }),
      maxHops: options.maxHops,
      hopHeader: options.hopHeader,
      logRequests: options.logRequests,
      log: options.log,
      ours: once(async () => {
        const { api } = await import("../api/api.ts");
        return api({
          recorder: app.recorder,
          why: app.why,
          decide: app.decide,
          health,
          metrics: once(async () => {
            const { metrics } = await import("../api/metrics.ts");
            return metrics({
              counters: app.recorder.counters,
              cacheBytes: app.packument.bytes,
              held: async () => (await app.held.list()).filter((one) => withheld(one.verdict)).length,
            });
          }),
        });
      }),
    },
  );
  const drain = drainable(server);
  const bound = await listen(server, at, options.whose);
  const scheme = options.tls ? "https" : "http";
  bases = basesOf(bound, scheme, options.publicUrls);
  const first =
    options.publicUrls[0] ??
    `${scheme}://${at.host === "127.0.0.1" || at.host === "0.0.0.0" || at.host === "::" ? "localhost" : at.host.includes(":") ? `[${at.host}]` : at.host}:${bound.port}/`;
  return {
    url: first.endsWith("/") ? first : `${first}/`,
    at: bound,
    instance,
    async close(patience) {
      await drain(patience);
      await app.flush();
    },
  };
}

/** Runs the maker on the first call only. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
