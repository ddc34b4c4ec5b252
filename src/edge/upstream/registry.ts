/** The registry client: what the gate and the commands know of the outside world. Fits `Upstream` in `app/ports.ts`. */
import type { LookupFunction } from "node:net";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import { NOBODY, whoServes } from "./bases.ts";
import type { UpstreamConfig } from "./config.ts";
import type { Client } from "./client.ts";
import type { Identity } from "./identify.ts";
import type { UpstreamLimits } from "./limits.ts";
import type { Validators } from "./packument.ts";
import type { PassRequest } from "./pass.ts";

export type UpstreamOptions = {
  readonly clock: Clock;
  /** A number in [0, 1), fresh at each call. */
  readonly jitter?: (() => number) | undefined;
  readonly limits?: Partial<UpstreamLimits> | undefined;
  readonly lookup?: LookupFunction | undefined;
  /** Called once, when the HTTP client is loaded and has not connected yet. */
  readonly onLoaded?: (() => void) | undefined;
};

/** `hops`, where taken: gates the client's request had passed when it came to us (its `x-cordon-hop`), 0 for our own. */
export function openUpstream(config: UpstreamConfig, options: UpstreamOptions) {
  let client: Promise<Client> | undefined;
  const load = (): Promise<Client> =>
    (client ??= import("./client.ts").then(({ openClient }) => {
      options.onLoaded?.();
      return openClient(config, {
        clock: options.clock,
        jitter: options.jitter ?? Math.random,
        limits: { ...LIMITS, ...options.limits },
        lookup: options.lookup,
      });
    }));
  return {
    /** Loads the HTTP client, so that the first question does not wait for it. */
    warmUp: async (): Promise<void> => void (await load()),
    /** `none:` stands for a private name that nobody is asked for. */
    baseFor(name: string): { readonly base: string; readonly private: boolean } {
      const asked = whoServes(name, config);
      const { url, private: isPrivate } = "base" in asked ? asked.base : NOBODY;
      return { base: url, private: isPrivate };
    },
    hosts: [...new Set([config.base, ...config.scopes.values()].map(({ url }) => new URL(url).host))],
    keepsSecrets: config.base.private || config.privateNames.length > 0 || [...config.scopes.values()].some((scope) => scope.private),
    packument: async (name: string, validators: Validators, hops = 0) => (await load()).packument(name, validators, hops),
    tarball: async (name: string, url: string, hops = 0) => (await load()).tarball(name, url, hops),
    pass: async (request: PassRequest) => (await load()).pass(request),
    /** What stands at the default upstream, or at the registry of `scope`. */
    async identify(own: string, scope?: string): Promise<Identity> {
      return (await load()).identify(own, scope);
    },
    /** Ends every connection. */
    close: async (): Promise<void> => (await client)?.close(),
  };
}
