/** Which proxy stands before an address: npm's settings and the environment, with NO_PROXY. Used for what the gate fetches and by the guard. */
import { BlockList, isIP } from "node:net";
import { Fault } from "../../core/base/fault.ts";
import type { NpmSettings } from "../../core/npm/npmrc.ts";

export type Proxies = {
  /** For https targets. May carry credentials: never print it. */
  readonly https: URL | undefined;
  readonly http: URL | undefined;
  readonly bypass: Bypass;
};

export type Bypass = { readonly entries: readonly string[]; matches(host: string, port: number): boolean };

type Environment = Readonly<Record<string, string | undefined>>;

/** npm's own settings win over the environment, as in npm. Throws CONFIG_INVALID for a proxy that cannot be used: going round it would be wrong. */
export function readProxies(env: Environment, npm?: Pick<NpmSettings, "httpsProxy" | "proxy" | "noproxy">): Proxies {
  const own = npm?.httpsProxy ?? npm?.proxy;
  return {
    https: proxyUrl(own ?? variable(env, "https_proxy")),
    http: proxyUrl(own ?? variable(env, "http_proxy")),
    bypass: readBypass(npm?.noproxy ?? variable(env, "no_proxy") ?? ""),
  };
}

/** The proxy for a connection, or undefined for a direct one. */
export function proxyFor(
  target: { readonly secure: boolean; readonly host: string; readonly port: number },
  proxies: Proxies,
): URL | undefined {
  const proxy = target.secure ? proxies.https : proxies.http;
  return proxy && !proxies.bypass.matches(target.host, target.port) ? proxy : undefined;
}

/** `Basic …` for a proxy's own credentials. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === "" && proxy.password === "") return undefined;
  return `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString("base64")}`;
}

/** Lower case first: a web server may set HTTP_PROXY from a request's header. An empty variable is none. */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

function proxyUrl(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  // `proxy.corp:8080` is common and would parse as a scheme.
  const full = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || text.includes("${"))
    throw new Fault("CONFIG_INVALID", "the proxy in your npm configuration or environment is not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Fault("CONFIG_INVALID", `a ${url.protocol.slice(0, -1)} proxy is not supported; http and https ones are`);
  try {
    proxyAuthorization(url);
  } catch {
    throw new Fault("CONFIG_INVALID", `the credentials of the proxy ${url.host} are not percent-encoded`);
  }
  return url;
}

/** NO_PROXY: `host` (its subdomains too), `.host`, `*.host`, `host:port`, an address, a range in CIDR, or `*`; separated by commas or spaces. */
export function readBypass(text: string): Bypass {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  const ranges = new BlockList();
  const names: { readonly name: string; readonly port: number | undefined }[] = [];
  for (const entry of entries) {
    const [, address, bits] = /^\[?([0-9a-fA-F.:]+)\]?\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(address ?? "");
    if (address !== undefined && family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) {
      ranges.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
      continue;
    }
    // An IPv6 address has a port only behind brackets.
    const [, host = entry, port] = (isIP(entry) === 6 ? null : /^(.*?)(?::(\d{1,5}))?$/.exec(entry)) ?? [];
    names.push({ name: plain(host.replace(/^\*?\./, "")), port: port === undefined ? undefined : Number(port) });
  }
  return {
    entries,
    matches(host, port) {
      const wanted = plain(host);
      const family = isIP(wanted);
      if (family !== 0 && ranges.check(wanted, family === 4 ? "ipv4" : "ipv6")) return true;
      return names.some((entry) => {
        if (entry.port !== undefined && entry.port !== port) return false;
        return entry.name === "*" || entry.name === wanted || (family === 0 && entry.name !== "" && wanted.endsWith(`.${entry.name}`));
      });
    },
  };
}

/** Lower case, without brackets and trailing dots. */
function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.+$/, "");
}
