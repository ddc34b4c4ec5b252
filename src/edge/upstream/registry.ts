/** The registry client: what the gate and the commands know of the outside world. Fits `Upstream` in `app/ports.ts`. */
import type { LookupFunction } from "node:net";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import { NOBODY, whoServes } from "./bases.ts";
import type { UpstreamConfig } from "./config.ts";
import { identify, type Identity } from "./identify.ts";
import type { UpstreamLimits } from "./limits.ts";
import { openLine } from "./line.ts";
import { fetchPackument, type Validators } from "./packument.ts";
import { passRequest, type PassRequest } from "./pass.ts";
import { fetchTarball } from "./tarball.ts";

export type UpstreamOptions = {
  readonly clock: Clock;
  /** A number in [0, 1), fresh at each call. */
  readonly jitter?: (() => number) | undefined;
  readonly limits?: Partial<UpstreamLimits> | undefined;
  readonly lookup?: LookupFunction | undefined;
};

/** `hops`, where taken: gates the client's request had passed when it came to us (its `x-cordon-hop`), 0 for our own. */
export function openUpstream(config: UpstreamConfig, options: UpstreamOptions) {
  const line = openLine(config, {
    clock: options.clock,
    jitter: options.jitter ?? Math.random,
    limits: { ...LIMITS, ...options.limits },
    lookup: options.lookup,
  });
  return {
    /** `none:` stands for a private name that nobody is asked for. */
    baseFor(name: string): { readonly base: string; readonly private: boolean } {
      const asked = whoServes(name, config);
      const { url, private: isPrivate } = "base" in asked ? asked.base : NOBODY;
      return { base: url, private: isPrivate };
    },
    packument: (name: string, validators: Validators, hops = 0) => fetchPackument(line, name, validators, hops),
    tarball: (name: string, url: string, hops = 0) => fetchTarball(line, name, url, hops),
    pass: (request: PassRequest) => passRequest(line, request),
    /** What stands at the default upstream, or at the registry of `scope`. */
    identify(own: string, scope?: string): Promise<Identity> {
      return identify(line, config.scopes.get(scope ?? "") ?? config.base, own);
    },
    /** Ends every connection. */
    close: () => line.transport.close(),
  };
}
