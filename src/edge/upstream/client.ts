/** Everything that speaks HTTP to an upstream, in one place to load: with its library it is a third of the program, and `registry.ts` loads it late. */
import type { UpstreamConfig } from "./config.ts";
import { identify } from "./identify.ts";
import { type LineOptions, openLine } from "./line.ts";
import { fetchPackument, type Validators } from "./packument.ts";
import { passRequest, type PassRequest } from "./pass.ts";
import { fetchTarball } from "./tarball.ts";

export type Client = ReturnType<typeof openClient>;

export function openClient(config: UpstreamConfig, options: LineOptions) {
  const line = openLine(config, options);
  return {
    packument: (name: string, validators: Validators, hops: number) => fetchPackument(line, name, validators, hops),
    tarball: (name: string, url: string, hops: number) => fetchTarball(line, name, url, hops),
    pass: (request: PassRequest) => passRequest(line, request),
    identify: (own: string, scope: string | undefined) => identify(line, config.scopes.get(scope ?? "") ?? config.base, own),
    /** Ends every connection. */
    close: () => line.transport.close(),
  };
}
