/** Sockets to upstreams: kept alive, capped, through the proxies the user has, trusting the authorities he named. One pool for each way out. */
import type { LookupFunction } from "node:net";
import { Agent, Pool, ProxyAgent, type buildConnector, type Dispatcher } from "undici";
import { Fault } from "../../core/base/fault.ts";
import type { UpstreamLimits } from "./limits.ts";
import { proxyAuthorization, proxyFor, type Proxies } from "./proxies.ts";
import { publicOnly } from "./addresses.ts";

export type ClientCertificate = { readonly cert: string; readonly key: string };

export type Transport = {
  /** The way to a URL. `publicOnly`: refuse addresses inside our own networks (a proxy resolves names itself, so there it cannot be seen). */
  route(url: URL, how: { readonly publicOnly: boolean; readonly certificate?: ClientCertificate | undefined }): Dispatcher;
  /** Ends every connection, whatever is under way. There is no way to anything after that: `route` raises UPSTREAM_DOWN. */
  close(): Promise<void>;
  /** Aborted when it is closed. */
  readonly closing: AbortSignal;
};

export function openTransport(options: {
  readonly proxies: Proxies;
  /** PEM; empty = Node's own authorities and NODE_EXTRA_CA_CERTS. As in npm, naming any replaces those. */
  readonly ca: readonly string[];
  readonly limits: UpstreamLimits;
  readonly lookup?: LookupFunction | undefined;
}): Transport {
  const { limits, proxies, lookup } = options;
  const trust = options.ca.length > 0 ? { ca: [...options.ca] } : {};
  const shared = {
    connections: limits.upstreamInFlight,
    pipelining: 1,
    // Below what common front servers allow, so that we close an idle connection before they do.
    keepAliveTimeout: 15_000,
    headersTimeout: limits.upstreamHeadersMs,
    bodyTimeout: limits.upstreamIdleMs,
    // HTTP/2 stays off: undici calls it experimental, and one stalled connection would then stall every request at once.
    allowH2: false,
  };
  const routes = new Map<string, Dispatcher>();
  const closing = new AbortController();
  const certificates = new Map<ClientCertificate, number>();

  function connectOptions(guarded: boolean, certificate: ClientCertificate | undefined): buildConnector.BuildOptions {
    const finder = guarded ? publicOnly(lookup) : lookup;
    return { timeout: limits.upstreamConnectMs, ...trust, ...certificate, ...(finder && { lookup: finder }) };
  }

  return {
    route(url, how) {
      if (closing.signal.aborted) throw new Fault("UPSTREAM_DOWN", "cordon is shutting down");
      const secure = url.protocol === "https:";
      const proxy = proxyFor({ secure, host: url.hostname, port: Number(url.port || (secure ? 443 : 80)) }, proxies);
      if (how.certificate && !certificates.has(how.certificate)) certificates.set(how.certificate, certificates.size);
      const key = [proxy?.href, how.publicOnly, how.certificate && certificates.get(how.certificate)].join(" ");
      const known = routes.get(key);
      if (known) return known;
      const connect = connectOptions(how.publicOnly, how.certificate);
      const token = proxy && proxyAuthorization(proxy);
      const made = proxy
        ? new ProxyAgent({
            ...shared,
            uri: proxy.origin,
            ...(token !== undefined && { token }),
            // Plain http goes as an absolute URL: most company proxies allow tunnels to port 443 only.
            proxyTunnel: false,
            // undici's own wait for a proxy's answer to CONNECT is five minutes.
            clientFactory: (origin, pool) => new Pool(origin, { ...pool, headersTimeout: limits.upstreamHeadersMs }),
            proxyTls: { timeout: limits.upstreamConnectMs, ...trust },
            requestTls: connect,
          })
        : new Agent({ ...shared, connect });
      routes.set(key, made);
      return made;
    },
    closing: closing.signal,
    async close() {
      closing.abort();
      await Promise.all([...routes.values()].map((dispatcher) => dispatcher.destroy()));
      routes.clear();
    },
  };
}
